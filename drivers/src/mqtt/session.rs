//! The life of one connection: subscribe, hear, merge, report, acknowledge once recorded, obey
//! commands. It must never acknowledge what is not recorded, and never wait for the record before
//! it hears the next message. (The repeats that [`Merge`] holds back are acknowledged with the first
//! of them recorded: waiting out their window would hold up every message behind them.)

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

use anju_model::config::MqttLink;
use anju_model::observation::{Origin, Trouble};
use anju_model::{DeviceId, Observation};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::client::{Ack, Client, Event, Keep, MAX_PACKET, Message};
use super::complaints::Complaints;
use super::dialect::{Dialect, Heard, Malformed};
use super::early::{Early, Waiting};
use super::merge::Merge;
use super::subscription::{Granted, refusal};
use super::voice::Voice;
use crate::driver::{Action, Context, DeviceCommand, DriverError, Refused};

/// Most messages whose acknowledgement waits for the record; a broker of MQTT 5 sends no more than
/// [`client::UNACKNOWLEDGED`](super::client::UNACKNOWLEDGED).
const MOST_UNACKNOWLEDGED: usize = 1024;

/// Filters that are refused while others are granted are asked for again after this time: somebody
/// may have mended the rights, which ends no connection.
const ASK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// What outlives a connection: a flag that stays was told once, whatever happens to the broker.
pub struct Kept {
    dialect: Box<dyn Dialect>,
    complaints: Complaints,
    /// Devices that were told as not heard because a filter is refused.
    deaf: BTreeMap<DeviceId, Origin>,
}

impl Kept {
    /// Nothing was heard yet.
    pub fn new(dialect: Box<dyn Dialect>) -> Self {
        Self { dialect, complaints: Complaints::default(), deaf: BTreeMap::new() }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("deaf", &self.deaf).finish_non_exhaustive()
    }
}

/// An acknowledgement and the records it waits for, in the order of arrival (MQTT 5, 4.6).
struct Owed {
    ack: Option<Ack>,
    records: Vec<oneshot::Receiver<()>>,
    /// The message still waits to be understood, in the order of those that do.
    early: bool,
}

struct Session<'a> {
    name: &'a str,
    kept: &'a mut Kept,
    merge: Merge,
    early: Early,
    owed: VecDeque<Owed>,
    /// Who waits for a device to obey.
    asked: HashMap<DeviceId, oneshot::Sender<Result<(), Refused>>>,
    client: Client,
    connected: bool,
    /// Whether the broker granted anything.
    granted: bool,
    refused: Vec<String>,
    ask_again: Option<Instant>,
}

/// Runs until told to stop or the connection is lost.
///
/// # Errors
/// [`DriverError::Link`] when the connection could not be made or was lost, or the broker lets us
/// hear nothing.
pub async fn run(
    name: &str,
    client_id: &str,
    link: &MqttLink,
    kept: &mut Kept,
    mut context: Context,
) -> Result<(), DriverError> {
    let client = Client::new(client_id, link, Keep::Session)?;
    let mut session = Session {
        name,
        kept,
        merge: Merge::default(),
        early: Early::default(),
        owed: VecDeque::new(),
        asked: HashMap::new(),
        client,
        connected: false,
        granted: false,
        refused: Vec::new(),
        ask_again: None,
    };
    let end = session.serve(&mut context).await;
    // What was held back is told whatever ended the connection.
    session.understand_early(&context).await?;
    session.end_windows(&context, None).await?;
    end.map_err(|end| match end {
        End::Driver(error) => error,
        End::Lost(reason) => {
            let link = format!("broker {}:{}", link.host, link.port);
            DriverError::Link { link, reason }
        }
    })
}

/// Why a connection ended.
enum End {
    Lost(String),
    Driver(DriverError),
}

impl From<DriverError> for End {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits until the oldest message is recorded, or known never to be.
async fn recorded(owed: &mut VecDeque<Owed>) {
    let Some(first) = owed.front_mut().filter(|first| !first.early) else {
        return std::future::pending().await;
    };
    while let Some(record) = first.records.last_mut() {
        // An error means that it can not be recorded now. The alarm was raised all the same, and
        // the broker repeating it for ever would help nobody.
        let _ = record.await;
        first.records.pop();
    }
}

/// The wall clock, Unix seconds.
fn wall() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Session<'_> {
    async fn serve(&mut self, context: &mut Context) -> Result<(), End> {
        loop {
            let window = self.merge.next_due();
            // What was under way when an earlier connection ended waits for this one.
            let due = if self.connected { self.kept.dialect.due() } else { None };
            let early = self.early.due();
            let hear = self.owed.len() < MOST_UNACKNOWLEDGED;
            tokio::select! {
                biased;
                () = context.stop.cancelled() => return Ok(()),
                () = recorded(&mut self.owed) => self.acknowledge(),
                Some(command) = context.commands.recv() => self.obey(command),
                () = until(early) => self.understand_early(context).await?,
                () = until(window) => self.end_windows(context, Some(Instant::now())).await?,
                () = until(due) => {
                    let now = Instant::now();
                    self.answer(now);
                    self.send_due(now);
                    for observation in self.kept.dialect.due_news(now) {
                        context.report(observation).await?;
                    }
                }
                () = until(self.ask_again) => {
                    self.ask_again = None;
                    self.client.subscribe(&self.refused).map_err(End::Lost)?;
                }
                event = self.client.next(), if hear => match event.map_err(End::Lost)? {
                    Event::Connected => self.subscribe().map_err(End::Lost)?,
                    Event::Subscribed(answer) => self.subscribed(answer, context).await?,
                    Event::Message(message) => self.hear(message, context).await?,
                },
            }
        }
    }

    fn subscribe(&mut self) -> Result<(), String> {
        tracing::info!(driver = self.name, "connected to the broker");
        self.connected = true;
        let now = Instant::now();
        self.early.connected(now);
        self.kept.dialect.connected(now);
        self.client.subscribe(&self.kept.dialect.filters())
    }

    /// Takes the broker's answer. Who is heard on a filter that it refuses is told as in trouble;
    /// where it refuses all of them, the connection is of no use.
    async fn subscribed(&mut self, answer: Granted, context: &Context) -> Result<(), End> {
        self.granted |= !answer.granted.is_empty();
        self.refused = answer.refused;
        let mut deaf = BTreeMap::new();
        if !self.refused.is_empty() {
            let reason = refusal(&self.refused);
            if !self.granted {
                return Err(End::Lost(reason));
            }
            tracing::warn!(driver = self.name, reason, "not all is heard");
            self.ask_again = Some(Instant::now() + ASK_AGAIN);
            let origins = self.refused.iter().flat_map(|f| self.kept.dialect.heard_on(f));
            deaf = origins.map(|origin| (origin.device.clone(), origin)).collect();
            for (device, origin) in &deaf {
                if !self.kept.deaf.contains_key(device) {
                    let trouble = Trouble { active: true, reason: reason.clone() };
                    context.report(Observation::new(origin.clone(), trouble)).await?;
                }
            }
        }
        for (device, origin) in std::mem::replace(&mut self.kept.deaf, deaf) {
            if !self.kept.deaf.contains_key(&device) {
                let reason = "the broker lets us hear it again".to_owned();
                let over = Trouble { active: false, reason };
                context.report(Observation::new(origin, over)).await?;
            }
        }
        Ok(())
    }

    async fn hear(&mut self, message: Message, context: &Context) -> Result<(), DriverError> {
        let Message { topic, payload, retain, ack } = message;
        if !retain && self.is_early(&topic) && self.early.has_room(Instant::now(), payload.len()) {
            let owed = ack.is_some();
            if owed {
                self.owed.push_back(Owed { ack, records: Vec::new(), early: true });
            }
            self.early.wait(Waiting { topic, payload, owed });
            return Ok(());
        }
        let records = self.take(&topic, &payload, retain, ack.is_some(), context).await?;
        if ack.is_some() {
            self.owed.push_back(Owed { ack, records, early: false });
        }
        if self.early.first().is_some_and(|topic| !self.is_early(topic)) {
            self.understand_early(context).await?;
        }
        Ok(())
    }

    fn is_early(&self, topic: &[u8]) -> bool {
        std::str::from_utf8(topic).is_ok_and(|topic| self.kept.dialect.is_early(topic))
    }

    /// Takes what came too early as it is understood by now.
    async fn understand_early(&mut self, context: &Context) -> Result<(), DriverError> {
        for Waiting { topic, payload, owed } in self.early.take() {
            let records = self.take(&topic, &payload, false, owed, context).await?;
            if let Some(first) = self.owed.iter_mut().find(|one| owed && one.early) {
                (first.records, first.early) = (records, false);
            }
        }
        Ok(())
    }

    /// Passes on what a message says. The records that it waits for, if it is to be acknowledged.
    async fn take(
        &mut self,
        topic: &Bytes,
        payload: &Bytes,
        retain: bool,
        recorded: bool,
        context: &Context,
    ) -> Result<Vec<oneshot::Receiver<()>>, DriverError> {
        let now = Instant::now();
        let passes = if retain {
            true
        } else {
            let (passes, before) = self.merge.take(now, topic, payload);
            if let Some(held) = before {
                let heard = Heard { retain: false, count: held.count, at: now, wall: wall() };
                self.report(&held.topic, &held.payload, heard, false, context).await?;
            }
            passes
        };
        // A repeat is owed its acknowledgement in its turn.
        let mut records = Vec::new();
        if passes {
            let heard = Heard { retain, count: 1, at: now, wall: wall() };
            records = self.report(topic, payload, heard, recorded, context).await?;
        }
        self.answer(now);
        Ok(records)
    }

    async fn report(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        heard: Heard,
        recorded: bool,
        context: &Context,
    ) -> Result<Vec<oneshot::Receiver<()>>, DriverError> {
        let mut records = Vec::new();
        for observation in self.understand(topic, payload, heard) {
            if recorded {
                records.push(context.report_recorded(observation).await?);
            } else {
                context.report(observation).await?;
            }
        }
        Ok(records)
    }

    fn understand(&mut self, topic: &[u8], payload: &[u8], heard: Heard) -> Vec<Observation> {
        let Ok(text) = std::str::from_utf8(topic) else {
            self.kept.complaints.count(self.name, topic, &Malformed::Topic, heard.at);
            return Vec::new();
        };
        let understood = if payload.len() > MAX_PACKET as usize {
            Err(Malformed::TooLarge(payload.len()))
        } else {
            self.kept.dialect.understand(text, payload, heard)
        };
        // What the broker kept, or cleared, says nothing of the device now.
        let speaks = !heard.retain && !payload.is_empty();
        let owner = if speaks { self.kept.dialect.owner(text) } else { None };
        let trouble = owner.and_then(|origin| self.kept.complaints.of(origin, understood.is_ok()));
        let mut said = understood.unwrap_or_else(|error| {
            self.kept.complaints.count(self.name, topic, &error, heard.at);
            Vec::new()
        });
        said.extend(trouble);
        said
    }

    /// Tells what was held back in windows that ended by `now`, or in all.
    async fn end_windows(
        &mut self,
        context: &Context,
        now: Option<Instant>,
    ) -> Result<(), DriverError> {
        for held in self.merge.due(now) {
            let at = Instant::now();
            let heard = Heard { retain: false, count: held.count, at, wall: wall() };
            self.report(&held.topic, &held.payload, heard, false, context).await?;
        }
        Ok(())
    }

    fn acknowledge(&mut self) {
        while let Some(first) =
            self.owed.pop_front_if(|first| first.records.is_empty() && !first.early)
        {
            if let Some(ack) = first.ack {
                self.client.acknowledge(ack);
            }
        }
    }

    fn obey(&mut self, command: DeviceCommand) {
        let DeviceCommand { device, action, done } = command;
        let now = Instant::now();
        if action == Action::TellAnew {
            let voice = self.kept.dialect.voice(&device);
            let asked = voice.map(Voice::tell_anew).ok_or(Refused::NotAble(device));
            // The asker may have stopped waiting, here and below.
            let _ = done.send(asked);
            return;
        }
        let Some(order) = self.kept.dialect.order(&device, &action, now) else {
            let _ = done.send(Err(Refused::NotAble(device)));
            return;
        };
        // The order before this one has ended by it, and is answered first.
        self.answer(now);
        match self.client.publish(order.topic, order.payload) {
            Ok(()) => {
                self.asked.insert(device, done);
            }
            Err(reason) => {
                let _ = done.send(Err(Refused::Failed { device, reason }));
            }
        }
    }

    fn send_due(&mut self, now: Instant) {
        for order in self.kept.dialect.due_orders(now) {
            if let Err(reason) = self.client.publish(order.topic, order.payload) {
                tracing::debug!(driver = self.name, reason, "an order could not be sent");
            }
        }
    }

    fn answer(&mut self, now: Instant) {
        for answer in self.kept.dialect.answers(now) {
            if let Some(done) = self.asked.remove(&answer.device) {
                let device = answer.device;
                let result = answer.result.map_err(|reason| Refused::Failed { device, reason });
                let _ = done.send(result);
            }
        }
    }
}
