//! Two plain clients: one that publishes as devices do, one that sees what the centre would see and
//! notes when.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, Event, EventLoop, Incoming, MqttOptions};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::failure::{Failure, Outcome};

/// Longest wait for anything that has to come.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Options of every client here.
pub fn options(name: &str, port: u16) -> MqttOptions {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options
        .set_max_packet_size(Some(1 << 24))
        .set_clean_start(true)
        .set_keep_alive(Duration::from_secs(60))
        .set_network_options(network);
    options
}

/// A message with the time of its arrival.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// When it came.
    pub at: Instant,
    /// Topic.
    pub topic: Bytes,
    /// Payload.
    pub payload: Bytes,
}

impl Arrived {
    /// Whether these bytes are in the payload.
    pub fn has(&self, part: &str) -> bool {
        self.payload.windows(part.len()).any(|window| window == part.as_bytes())
    }

    /// Whether an alert was raised or repeated: each press leads to one.
    pub fn is_call(&self) -> bool {
        self.topic.ends_with(b"/alerts")
            && (self.has("\"cn.anju.alert.raised\"") || self.has("\"cn.anju.alert.repeated\""))
    }
}

/// A client of the broker.
pub struct Client {
    /// To publish.
    pub client: AsyncClient,
    arrived: mpsc::UnboundedReceiver<Arrived>,
    task: AbortHandle,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Connects, subscribes at QoS 0 (the broker never drops, see its configuration) and returns
    /// when the broker has agreed.
    pub async fn connect(name: &str, port: u16, filters: &[&str]) -> Outcome<Self> {
        let (client, mut eventloop) = AsyncClient::new(options(name, port), 10_000);
        ready(&client, &mut eventloop, filters).await?;
        let (tx, arrived) = mpsc::unbounded_channel();
        let task = tokio::spawn(listen(eventloop, tx)).abort_handle();
        Ok(Self { client, arrived, task })
    }

    /// Publishes at QoS 0, as zigbee2mqtt does.
    pub fn say(&self, topic: &str, payload: String) -> Outcome<()> {
        self.client
            .try_publish(topic, QoS::AtMostOnce, false, payload)
            .map_err(|error| Failure::Mqtt(error.to_string()))
    }

    /// The next message.
    pub async fn next(&mut self, awaited: &str) -> Outcome<Arrived> {
        match tokio::time::timeout(DEADLINE, self.arrived.recv()).await {
            Ok(Some(arrived)) => Ok(arrived),
            Ok(None) => Err(Failure::Mqtt("the listener's connection was lost".into())),
            Err(_) => Err(Failure::Missed(format!("{awaited}: nothing came within 30 s"))),
        }
    }

    /// The next message that fits.
    pub async fn until(
        &mut self,
        awaited: &str,
        fits: impl Fn(&Arrived) -> bool,
    ) -> Outcome<Arrived> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let arrived = self.next(awaited).await?;
            if fits(&arrived) {
                return Ok(arrived);
            }
            if Instant::now() > deadline {
                return Err(Failure::Missed(format!("{awaited}: not among what came in 30 s")));
            }
        }
    }

    /// What has arrived and was not looked at.
    pub fn waiting(&mut self) -> Option<Arrived> {
        self.arrived.try_recv().ok()
    }
}

async fn ready(client: &AsyncClient, eventloop: &mut EventLoop, filters: &[&str]) -> Outcome<()> {
    let failed = |error: &dyn std::fmt::Display| Failure::Mqtt(error.to_string());
    for filter in filters {
        client.try_subscribe(*filter, QoS::AtMostOnce).map_err(|error| failed(&error))?;
    }
    let mut awaited = 1 + filters.len();
    while awaited > 0 {
        let event = eventloop.poll().await.map_err(|error| failed(&error))?;
        let agreed = matches!(event, Event::Incoming(Incoming::ConnAck(_) | Incoming::SubAck(_)));
        awaited -= usize::from(agreed);
    }
    Ok(())
}

async fn listen(mut eventloop: EventLoop, tx: mpsc::UnboundedSender<Arrived>) {
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let at = Instant::now();
                let arrived = Arrived { at, topic: publish.topic, payload: publish.payload };
                if tx.send(arrived).is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => {
                eprintln!("the bench's own client lost its connection: {error}");
                return;
            }
        }
    }
}
