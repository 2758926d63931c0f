//! One connection to a broker, MQTT 5 or 3.1.1, as the few events a dialect needs. Acknowledging
//! is by hand: a message is acknowledged only when it is safely recorded.

use std::time::Duration;

use anju_model::config::{MqttLink, MqttVersion};
use bytes::Bytes;
use rumqttc::NetworkOptions;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::subscription::{AT_ONCE, Granted, Subscription};
use super::tls;
use crate::driver::DriverError;

/// zigbee2mqtt's list of devices can be hundreds of kilobytes; larger messages are refused.
pub const MAX_PACKET: u32 = 8 * 1024 * 1024;

/// What MQTT 3.1.1 reads at most. Its broker can not be told of a limit, and would send what is over
/// it again at each connection, for ever; so it is read up to this size, and then passed over.
const MAX_READ_V311: usize = 4 * MAX_PACKET as usize;

/// A dead connection is noticed after at most twice this.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The broker keeps our subscription and QoS 1 messages this long while the box is away, seconds.
const SESSION_EXPIRY: u32 = 24 * 3600;

/// Commands to devices that the broker has not acknowledged yet, at most. The client keeps room for
/// so many from the start; its default for MQTT 5 is 14 MiB of it.
const IN_FLIGHT: u16 = 64;

/// Messages that may wait for their acknowledgement.
const UNACKNOWLEDGED: u16 = 1000;

/// What a connection says.
#[derive(Debug)]
pub enum Event {
    /// Connected; subscriptions must be made again.
    Connected,
    /// The broker answered for each filter of a subscription.
    Subscribed(Granted),
    /// A message.
    Message(Message),
}

/// What the connection's task says.
enum Heard {
    Connected,
    /// A subscription left under this number.
    Asked(u16),
    /// Whether each filter of the subscription of this number is granted.
    Answered(u16, Vec<bool>),
    Message(Message),
}

/// A message with what is needed to acknowledge it.
#[derive(Debug)]
pub struct Message {
    /// Topic, not yet known to be UTF-8.
    pub topic: Bytes,
    /// Payload.
    pub payload: Bytes,
    /// The broker had kept it from before we subscribed.
    pub retain: bool,
    /// How to acknowledge it; `None` for QoS 0.
    pub ack: Option<Ack>,
}

/// An acknowledgement that is owed.
#[derive(Debug)]
pub enum Ack {
    /// MQTT 5.
    V5(Box<rumqttc::v5::mqttbytes::v5::Publish>),
    /// MQTT 3.1.1.
    V311(Box<rumqttc::Publish>),
}

/// What the broker keeps of a client that is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Subscriptions and messages.
    Session,
    /// Nothing.
    Nothing,
}

impl Keep {
    /// How long it is kept, seconds.
    const fn expiry(self) -> u32 {
        match self {
            Self::Session => SESSION_EXPIRY,
            Self::Nothing => 0,
        }
    }
}

/// To publish, subscribe and acknowledge.
#[derive(Clone)]
enum Handle {
    V5(rumqttc::v5::AsyncClient),
    V311(rumqttc::AsyncClient),
}

/// A connection; dropping it ends it. Its event loop runs on a task of its own, because a poll that
/// is dropped half-way would begin to connect anew.
pub struct Client {
    handle: Handle,
    events: mpsc::Receiver<Result<Heard, String>>,
    subscription: Subscription,
    /// Acknowledgements on their way. They leave only while the connection is polled, which goes on
    /// only while events are taken: whoever takes them must never wait for this.
    acks: mpsc::UnboundedSender<Ack>,
    task: AbortHandle,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Events that may wait; beyond that the broker waits.
const QUEUE: usize = 64;

fn network() -> NetworkOptions {
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(10);
    network
}

fn credentials(link: &MqttLink) -> Result<Option<(String, String)>, DriverError> {
    let Some(username) = &link.username else { return Ok(None) };
    let Some(file) = &link.password_file else {
        return Ok(Some((username.clone(), String::new())));
    };
    let password = std::fs::read_to_string(file).map_err(|error| DriverError::Link {
        link: link.host.clone(),
        reason: format!("password file {}: {error}", file.display()),
    })?;
    Ok(Some((username.clone(), password.trim_end_matches(['\r', '\n']).to_owned())))
}

impl Client {
    /// Begins to connect.
    ///
    /// # Errors
    /// When the password file or a certificate can not be read.
    pub fn new(id: &str, link: &MqttLink, keep: Keep) -> Result<Self, DriverError> {
        let credentials = credentials(link)?;
        let secure = link.tls.as_ref().map(tls::transport).transpose().map_err(|reason| {
            DriverError::Link { link: link.host.clone(), reason: format!("TLS: {reason}") }
        })?;
        let (tx, events) = mpsc::channel(QUEUE);
        let (handle, task) = match link.version {
            MqttVersion::V5 => {
                let mut options = rumqttc::v5::MqttOptions::new(id, &link.host, link.port);
                options
                    .set_clean_start(keep == Keep::Nothing)
                    .set_session_expiry_interval(Some(keep.expiry()))
                    .set_keep_alive(KEEP_ALIVE)
                    .set_max_packet_size(Some(MAX_PACKET))
                    .set_receive_maximum(Some(UNACKNOWLEDGED))
                    .set_manual_acks(true)
                    .set_outgoing_inflight_upper_limit(IN_FLIGHT)
                    .set_network_options(network());
                if let Some((user, password)) = credentials {
                    options.set_credentials(user, password);
                }
                if let Some(transport) = secure {
                    options.set_transport(transport);
                }
                let (client, eventloop) = rumqttc::v5::AsyncClient::new(options, QUEUE);
                (Handle::V5(client), tokio::spawn(drive_v5(eventloop, tx)))
            }
            MqttVersion::V311 => {
                let mut options = rumqttc::MqttOptions::new(id, &link.host, link.port);
                options
                    .set_clean_session(keep == Keep::Nothing)
                    .set_keep_alive(KEEP_ALIVE)
                    .set_max_packet_size(MAX_READ_V311, 64 * 1024)
                    .set_inflight(IN_FLIGHT)
                    .set_manual_acks(true);
                if let Some((user, password)) = credentials {
                    options.set_credentials(user, password);
                }
                if let Some(transport) = secure {
                    options.set_transport(transport);
                }
                let (client, mut eventloop) = rumqttc::AsyncClient::new(options, QUEUE);
                eventloop.set_network_options(network());
                (Handle::V311(client), tokio::spawn(drive_v311(eventloop, tx)))
            }
        };
        let (acks, owed) = mpsc::unbounded_channel();
        tokio::spawn(acknowledge(handle.clone(), owed));
        let (subscription, task) = (Subscription::default(), task.abort_handle());
        Ok(Self { handle, events, subscription, acks, task })
    }

    /// Waits for what happens next. Cancelling the wait loses nothing.
    ///
    /// # Errors
    /// Text of why the connection could not be made or was lost.
    pub async fn next(&mut self) -> Result<Event, String> {
        loop {
            let heard = self.events.recv().await;
            match heard.unwrap_or_else(|| Err("the connection ended".to_owned()))? {
                Heard::Connected => return Ok(Event::Connected),
                Heard::Message(message) => return Ok(Event::Message(message)),
                Heard::Asked(packet) => self.subscription.left(packet),
                Heard::Answered(packet, codes) => {
                    if let Some(granted) = self.subscription.answered(packet, &codes) {
                        return Ok(Event::Subscribed(granted));
                    }
                }
            }
        }
    }

    /// Subscribes at QoS 1; an [`Event::Subscribed`] follows unless there is no filter.
    ///
    /// # Errors
    /// When the queue to the broker is full.
    pub fn subscribe(&mut self, filters: &[String]) -> Result<(), String> {
        for filters in filters.chunks(AT_ONCE) {
            match &self.handle {
                Handle::V5(client) => {
                    use rumqttc::v5::mqttbytes::{QoS, v5::Filter};
                    let all = filters.iter().map(|f| Filter::new(f.clone(), QoS::AtLeastOnce));
                    client.try_subscribe_many(all).map_err(|error| error.to_string())?;
                }
                Handle::V311(client) => {
                    use rumqttc::{QoS, SubscribeFilter};
                    let all = filters.iter().cloned();
                    let all = all.map(|f| SubscribeFilter::new(f, QoS::AtLeastOnce));
                    client.try_subscribe_many(all).map_err(|error| error.to_string())?;
                }
            }
            self.subscription.ask(filters.to_vec());
        }
        Ok(())
    }

    /// Publishes at QoS 1, not retained.
    ///
    /// # Errors
    /// When the queue to the broker is full.
    pub fn publish(&self, topic: String, payload: Vec<u8>) -> Result<(), String> {
        match &self.handle {
            Handle::V5(client) => client
                .try_publish(topic, rumqttc::v5::mqttbytes::QoS::AtLeastOnce, false, payload)
                .map_err(|error| error.to_string()),
            Handle::V311(client) => client
                .try_publish(topic, rumqttc::QoS::AtLeastOnce, false, payload)
                .map_err(|error| error.to_string()),
        }
    }

    /// Acknowledges a message.
    pub fn acknowledge(&self, ack: Ack) {
        // A connection that has ended is owed nothing.
        let _ = self.acks.send(ack);
    }
}

/// Sends acknowledgements in their order, until the client is dropped or the connection has ended.
async fn acknowledge(handle: Handle, mut owed: mpsc::UnboundedReceiver<Ack>) {
    while let Some(ack) = owed.recv().await {
        let sent = match (&handle, &ack) {
            (Handle::V5(client), Ack::V5(publish)) => client.ack(publish).await.is_ok(),
            (Handle::V311(client), Ack::V311(publish)) => client.ack(publish).await.is_ok(),
            // An acknowledgement of an earlier connection of the other version is void.
            _ => true,
        };
        if !sent {
            return;
        }
    }
}

async fn drive_v5(mut eventloop: rumqttc::v5::EventLoop, tx: mpsc::Sender<Result<Heard, String>>) {
    use rumqttc::Outgoing;
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::SubscribeReasonCode as Code;
    use rumqttc::v5::{Event as E, Incoming};
    loop {
        let event = match eventloop.poll().await {
            Ok(E::Incoming(Incoming::ConnAck(_))) => Ok(Heard::Connected),
            Ok(E::Incoming(Incoming::Publish(publish))) => Ok(Heard::Message(Message {
                topic: publish.topic.clone(),
                payload: publish.payload.clone(),
                retain: publish.retain,
                ack: (publish.qos != QoS::AtMostOnce).then(|| Ack::V5(Box::new(publish))),
            })),
            Ok(E::Outgoing(Outgoing::Subscribe(packet))) => Ok(Heard::Asked(packet)),
            Ok(E::Incoming(Incoming::SubAck(ack))) => {
                let granted = ack.return_codes.iter().map(|c| matches!(c, Code::Success(_)));
                Ok(Heard::Answered(ack.pkid, granted.collect()))
            }
            Ok(_) => continue,
            Err(error) => Err(error.to_string()),
        };
        let lost = event.is_err();
        if tx.send(event).await.is_err() || lost {
            return;
        }
    }
}

async fn drive_v311(mut eventloop: rumqttc::EventLoop, tx: mpsc::Sender<Result<Heard, String>>) {
    use rumqttc::{Event as E, Incoming, Outgoing, QoS, SubscribeReasonCode as Code};
    loop {
        let event = match eventloop.poll().await {
            Ok(E::Incoming(Incoming::ConnAck(_))) => Ok(Heard::Connected),
            Ok(E::Incoming(Incoming::Publish(publish))) => Ok(Heard::Message(Message {
                topic: Bytes::copy_from_slice(publish.topic.as_bytes()),
                payload: publish.payload.clone(),
                retain: publish.retain,
                ack: (publish.qos != QoS::AtMostOnce).then(|| Ack::V311(Box::new(publish))),
            })),
            Ok(E::Outgoing(Outgoing::Subscribe(packet))) => Ok(Heard::Asked(packet)),
            Ok(E::Incoming(Incoming::SubAck(ack))) => {
                let granted = ack.return_codes.iter().map(|c| matches!(c, Code::Success(_)));
                Ok(Heard::Answered(ack.pkid, granted.collect()))
            }
            Ok(_) => continue,
            Err(error) => Err(error.to_string()),
        };
        let lost = event.is_err();
        if tx.send(event).await.is_err() || lost {
            return;
        }
    }
}
