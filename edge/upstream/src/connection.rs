//! One connection's event loop on a task of its own. rumqttc's poll must not be dropped half-way
//! (a connection being made would begin again), so nothing else is waited for beside it.

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, DisconnectReasonCode, PubAckReason, Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, StateError,
};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What a connection says.
#[derive(Debug)]
pub enum Said {
    /// Connected.
    Connected(Box<ConnAck>),
    /// A publication of ours left with this packet id (0 for QoS 0).
    Left(u16),
    /// The broker answered a publication.
    Answered(u16, PubAckReason),
    /// The broker answered our subscription; the text says why it refused it.
    Subscribed(Result<(), String>),
    /// A message for us.
    Message(Box<Publish>),
    /// Lost, or could not be made.
    Lost {
        /// Why, in words.
        reason: String,
        /// The broker said why, and it was nothing that we had sent.
        excused: bool,
    },
}

/// A connection; dropping it ends it.
pub struct Connection {
    /// To publish and subscribe.
    pub client: AsyncClient,
    /// What it says.
    pub said: mpsc::Receiver<Said>,
    task: AbortHandle,
}

impl Connection {
    /// Begins to connect. `queue` is how many requests may wait for the broker.
    pub fn new(options: MqttOptions, queue: usize) -> Self {
        let (client, eventloop) = AsyncClient::new(options, queue);
        let (tx, said) = mpsc::channel(256);
        let task = tokio::spawn(drive(eventloop, tx)).abort_handle();
        Self { client, said, task }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn drive(mut eventloop: EventLoop, tx: mpsc::Sender<Said>) {
    loop {
        let said = match eventloop.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(ack))) => Said::Connected(Box::new(ack)),
            Ok(Event::Incoming(Incoming::PubAck(ack))) => Said::Answered(ack.pkid, ack.reason),
            Ok(Event::Incoming(Incoming::SubAck(ack))) => Said::Subscribed(granted(&ack)),
            Ok(Event::Incoming(Incoming::Publish(publish))) => Said::Message(Box::new(publish)),
            Ok(Event::Outgoing(Outgoing::Publish(pkid))) => Said::Left(pkid),
            Ok(_) => continue,
            Err(error) => {
                let lost = Said::Lost { reason: plain(&error), excused: excused(&error) };
                let _ = tx.send(lost).await;
                return;
            }
        };
        if tx.send(said).await.is_err() {
            return;
        }
    }
}

/// Whether a broker granted all of a subscription (MQTT 5, 3.9.3).
fn granted(ack: &SubAck) -> Result<(), String> {
    let granted = |code: &&SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
    match ack.return_codes.iter().find(|code| !granted(code)) {
        None => Ok(()),
        Some(refused) => Err(format!("{refused:?}")),
    }
}

/// Whether a broker hung up for reasons of its own (MQTT 5, 3.14.2.1).
const fn excused(error: &ConnectionError) -> bool {
    use DisconnectReasonCode as R;
    let ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) = error else {
        return false;
    };
    matches!(
        reason_code,
        R::NormalDisconnection
            | R::ServerBusy
            | R::ServerShuttingDown
            | R::KeepAliveTimeout
            | R::SessionTakenOver
            | R::MessageRateTooHigh
            | R::QuotaExceeded
            | R::AdministrativeAction
            | R::UseAnotherServer
            | R::ServerMoved
            | R::ConnectionRateExceeded
            | R::MaximumConnectTime
    )
}

/// The error with its causes, for people.
fn plain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}
