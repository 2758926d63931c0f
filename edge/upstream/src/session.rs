//! One connection after the other, until stopped. Between two connections lies a growing pause
//! with jitter. A connection on which nothing is acknowledged for half a minute counts as lost.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use anju_model::command::Request;
use backon::BackoffBuilder;
use bytes::Bytes;
use jiff::Timestamp;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{PubAckReason, Publish, PublishProperties};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::command;
use crate::connection::{Connection, Said};
use crate::feed::{Feed, Item};
use crate::flight::{Flight, Refusal};
use crate::settings::Settings;
use crate::status::{OFFLINE, StatusSource};

/// Most publications in flight at once; a broker may allow fewer.
pub const MOST_IN_FLIGHT: u16 = 100;

/// Of those, how many only alerts, replies and the status may use.
const KEPT_FOR_ALERTS: usize = 20;

/// Requests that may wait for the event loop.
const QUEUE: usize = 512;

/// Nothing acknowledged for this long, while something waits: the connection counts as lost.
const STALLED: Duration = Duration::from_secs(30);

/// Commands that may wait to be carried out; more are refused.
const MOST_COMMANDS: usize = 64;

/// Which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Alerts and their changes.
    Alerts,
    /// All else.
    Events,
}

/// A command to carry out, with the way back.
#[derive(Debug)]
pub struct Incoming {
    /// What.
    pub request: Request,
    /// Its result; the text says why not.
    pub answer: oneshot::Sender<Result<(), String>>,
}

/// What the box should know of the way upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Connected.
    Connected,
    /// Lost, or not to be reached; tried again.
    Lost(String),
    /// An entry was refused too often and set aside.
    SetAside {
        /// Which lane.
        lane: Lane,
        /// Which entry.
        seq: u64,
        /// The broker's reason.
        reason: String,
    },
    /// Nobody upstream listens (true), or somebody does again (false).
    NobodyListens(bool),
}

/// What the page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Connected now.
    pub connected: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Entries acknowledged since the start.
    pub acknowledged: u64,
}

/// Everything a session is given.
pub struct Parts<A, E> {
    /// Where and how.
    pub settings: Settings,
    /// The alerts lane.
    pub alerts: A,
    /// The other lane.
    pub events: E,
    /// Asked for the status.
    pub status: Box<dyn StatusSource>,
    /// The wall clock if it is known.
    pub clock: Box<dyn Fn() -> Option<Timestamp> + Send + Sync>,
    /// Where commands go.
    pub commands: mpsc::Sender<Incoming>,
    /// What the box should know.
    pub notices: mpsc::UnboundedSender<Notice>,
    /// What the page shows.
    pub view: watch::Sender<View>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Runs until stopped.
pub async fn run<A: Feed, E: Feed>(mut parts: Parts<A, E>) {
    let pauses = backon::ExponentialBuilder::new()
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_secs(30))
        .without_max_times()
        .with_jitter();
    let mut pause = pauses.build();
    let mut told_lost = false;
    loop {
        let end = match parts.settings.options(MOST_IN_FLIGHT) {
            Ok(options) => {
                parts.alerts.rewind();
                parts.events.rewind();
                Live::new(&mut parts, Connection::new(options, QUEUE)).run().await
            }
            Err(error) => End::Lost { reason: error.to_string(), was_up: false },
        };
        let End::Lost { reason, was_up } = end else { return };
        if was_up {
            pause = pauses.build();
            told_lost = false;
        }
        if !told_lost {
            tracing::warn!(reason, "upstream is not connected; trying again");
            let _ = parts.notices.send(Notice::Lost(reason.clone()));
            told_lost = true;
        }
        parts.view.send_modify(|view| {
            view.connected = false;
            view.reason = Some(reason);
        });
        let wait = pause.next().unwrap_or(Duration::from_secs(30));
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

enum End {
    Stopped,
    Lost { reason: String, was_up: bool },
}

/// What a publication was.
#[derive(Debug, Clone, Copy)]
enum Sent {
    Entry(Lane, u64),
    Other,
}

struct Waiting {
    publish: Box<Publish>,
    id: Option<String>,
    answer: oneshot::Receiver<Result<(), String>>,
}

/// One connection.
struct Live<'a, A, E> {
    parts: &'a mut Parts<A, E>,
    connection: Connection,
    up: bool,
    window: usize,
    /// Publications handed to the event loop that have no packet id yet.
    handed: VecDeque<Sent>,
    by_pkid: HashMap<u16, Sent>,
    alerts: Flight,
    events: Flight,
    answers: VecDeque<Waiting>,
    progress: Instant,
    heartbeat: Interval,
    nobody: bool,
}

type Outcome = Result<(), String>;

impl<'a, A: Feed, E: Feed> Live<'a, A, E> {
    fn new(parts: &'a mut Parts<A, E>, connection: Connection) -> Self {
        let mut heartbeat = tokio::time::interval(parts.settings.upstream.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            parts,
            connection,
            up: false,
            window: usize::from(MOST_IN_FLIGHT),
            handed: VecDeque::new(),
            by_pkid: HashMap::new(),
            alerts: Flight::default(),
            events: Flight::default(),
            answers: VecDeque::new(),
            progress: Instant::now(),
            heartbeat,
            nobody: false,
        }
    }

    async fn run(mut self) -> End {
        let stop = self.parts.stop.clone();
        loop {
            let flying = self.alerts.len() + self.events.len();
            let alerts_room = self.window.saturating_sub(flying);
            let events_room = (self.window.saturating_sub(KEPT_FOR_ALERTS.min(self.window / 2)))
                .saturating_sub(flying);
            let retry =
                [self.alerts.next_due(), self.events.next_due()].into_iter().flatten().min();
            let done = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.say_goodbye().await;
                    return End::Stopped;
                }
                said = self.connection.said.recv() => match said {
                    Some(said) => self.heard(said),
                    None => Err("the connection ended".to_owned()),
                },
                items = self.parts.alerts.next(alerts_room), if self.up && alerts_room > 0 => {
                    self.publish_entries(Lane::Alerts, items)
                }
                answer = first_answer(&mut self.answers), if !self.answers.is_empty() => {
                    self.answered(answer)
                }
                () = until(retry) => self.publish_again(),
                () = tokio::time::sleep_until(self.progress + STALLED), if flying > 0 => {
                    Err("the broker acknowledges nothing".to_owned())
                }
                _ = self.heartbeat.tick(), if self.up => self.publish_status(),
                items = self.parts.events.next(events_room), if self.up && events_room > 0 => {
                    self.publish_entries(Lane::Events, items)
                }
            };
            if let Err(reason) = done {
                return End::Lost { reason, was_up: self.up };
            }
        }
    }

    fn heard(&mut self, said: Said) -> Outcome {
        match said {
            Said::Connected(ack) => {
                let allowed = ack.properties.and_then(|p| p.receive_max);
                self.window = usize::from(allowed.unwrap_or(MOST_IN_FLIGHT).min(MOST_IN_FLIGHT));
                self.up = true;
                self.progress = Instant::now();
                tracing::info!("upstream is connected");
                let _ = self.parts.notices.send(Notice::Connected);
                self.parts.view.send_modify(|view| {
                    view.connected = true;
                    view.reason = None;
                });
                let commands = self.parts.settings.commands_topic();
                self.connection
                    .client
                    .try_subscribe(commands, QoS::AtLeastOnce)
                    .map_err(|error| error.to_string())
            }
            Said::Left(0) => Ok(()),
            Said::Left(pkid) => {
                if let Some(sent) = self.handed.pop_front() {
                    self.by_pkid.insert(pkid, sent);
                }
                Ok(())
            }
            Said::Answered(pkid, reason) => {
                self.settled(pkid, reason);
                Ok(())
            }
            Said::Message(publish) => self.commanded(publish),
            Said::Lost(reason) => Err(reason),
        }
    }

    fn settled(&mut self, pkid: u16, reason: PubAckReason) {
        self.progress = Instant::now();
        let Some(Sent::Entry(lane, seq)) = self.by_pkid.remove(&pkid) else { return };
        let fine = matches!(reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
        let flight = match lane {
            Lane::Alerts => &mut self.alerts,
            Lane::Events => &mut self.events,
        };
        let place = if fine {
            self.parts.view.send_modify(|view| view.acknowledged += 1);
            flight.acknowledged(seq)
        } else {
            let (refusal, place) = flight.refused(seq, Instant::now());
            if refusal == Refusal::SetAside {
                let reason = format!("{reason:?}");
                let _ = self.parts.notices.send(Notice::SetAside { lane, seq, reason });
            }
            place
        };
        if let Some(place) = place {
            match lane {
                Lane::Alerts => self.parts.alerts.acknowledge(place),
                Lane::Events => self.parts.events.acknowledge(place),
            }
        }
        let nobody = reason == PubAckReason::NoMatchingSubscribers;
        if lane == Lane::Alerts && nobody != self.nobody {
            self.nobody = nobody;
            let _ = self.parts.notices.send(Notice::NobodyListens(nobody));
        }
    }

    fn publish_entries(&mut self, lane: Lane, items: Vec<Item>) -> Outcome {
        if self.alerts.len() + self.events.len() == 0 {
            self.progress = Instant::now();
        }
        for item in items {
            self.publish_entry(lane, &item)?;
            match lane {
                Lane::Alerts => self.alerts.sent(item),
                Lane::Events => self.events.sent(item),
            }
        }
        Ok(())
    }

    fn publish_again(&mut self) -> Outcome {
        let now = Instant::now();
        for item in self.alerts.due(now) {
            self.publish_entry(Lane::Alerts, &item)?;
        }
        for item in self.events.due(now) {
            self.publish_entry(Lane::Events, &item)?;
        }
        Ok(())
    }

    fn publish_entry(&mut self, lane: Lane, item: &Item) -> Outcome {
        let topic = match lane {
            Lane::Alerts => self.parts.settings.alerts_topic(),
            Lane::Events => self.parts.settings.events_topic(),
        };
        let properties = PublishProperties {
            content_type: Some(anju_model::entry::CONTENT_TYPE.to_owned()),
            ..PublishProperties::default()
        };
        self.hand_over(topic, false, item.body.clone(), properties, Sent::Entry(lane, item.seq))
    }

    fn hand_over(
        &mut self,
        topic: String,
        retain: bool,
        payload: Bytes,
        properties: PublishProperties,
        sent: Sent,
    ) -> Outcome {
        self.connection
            .client
            .try_publish_with_properties(topic, QoS::AtLeastOnce, retain, payload, properties)
            .map_err(|error| error.to_string())?;
        self.handed.push_back(sent);
        Ok(())
    }

    fn publish_status(&mut self) -> Outcome {
        let status = self.parts.status.status();
        let payload = serde_json::to_vec(&status).map_err(|error| error.to_string())?;
        let topic = self.parts.settings.status_topic();
        self.hand_over(topic, true, payload.into(), PublishProperties::default(), Sent::Other)
    }

    fn commanded(&mut self, publish: Box<Publish>) -> Outcome {
        let now = (self.parts.clock)();
        let (id, answer) = match command::parse(&publish.payload, publish.retain, now) {
            Err(refused) => (refused.id, Err(refused.refusal.to_string())),
            Ok(request) => {
                let id = Some(request.id.clone());
                let (tx, rx) = oneshot::channel();
                let full = self.answers.len() >= MOST_COMMANDS
                    || self.parts.commands.try_send(Incoming { request, answer: tx }).is_err();
                if full {
                    (id, Err("too many commands at once; send it again".to_owned()))
                } else {
                    self.answers.push_back(Waiting { publish, id, answer: rx });
                    return Ok(());
                }
            }
        };
        self.reply(&publish, id.as_deref(), &answer)
    }

    fn answered(&mut self, (waiting, answer): (Waiting, Result<(), String>)) -> Outcome {
        self.reply(&waiting.publish, waiting.id.as_deref(), &answer)
    }

    /// Replies, then acknowledges the command: one that was not answered comes again.
    fn reply(
        &mut self,
        publish: &Publish,
        id: Option<&str>,
        result: &Result<(), String>,
    ) -> Outcome {
        let asked = publish.properties.as_ref();
        let topic = asked
            .and_then(|properties| properties.response_topic.clone())
            .filter(|topic| may_reply_to(topic))
            .unwrap_or_else(|| self.parts.settings.replies_topic());
        let properties = PublishProperties {
            correlation_data: asked.and_then(|properties| properties.correlation_data.clone()),
            content_type: Some("application/json".to_owned()),
            ..PublishProperties::default()
        };
        let payload = command::reply(id, result).into();
        self.hand_over(topic, false, payload, properties, Sent::Other)?;
        self.connection.client.try_ack(publish).map_err(|error| error.to_string())
    }

    /// Says offline and disconnects, within a short time.
    async fn say_goodbye(mut self) {
        if !self.up {
            return;
        }
        let topic = self.parts.settings.status_topic();
        let offline = Bytes::from_static(OFFLINE.as_bytes());
        let none = PublishProperties::default();
        if self.hand_over(topic, true, offline, none, Sent::Other).is_err() {
            return;
        }
        let settled = async {
            while !(self.handed.is_empty() && self.by_pkid.is_empty()) {
                match self.connection.said.recv().await {
                    Some(Said::Message(_)) => {}
                    Some(said) => {
                        if self.heard(said).is_err() {
                            return;
                        }
                    }
                    None => return,
                }
            }
            let _ = self.connection.client.try_disconnect();
            while self.connection.said.recv().await.is_some() {}
        };
        let _ = tokio::time::timeout(Duration::from_millis(800), settled).await;
    }
}

/// A reply may go anywhere that is a plain topic, not into the broker's own tree.
fn may_reply_to(topic: &str) -> bool {
    (1..=512).contains(&topic.len()) && !topic.starts_with('$') && !topic.contains(['+', '#', '\0'])
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The answer to the oldest command; acknowledgements go in the order of arrival.
async fn first_answer(waiting: &mut VecDeque<Waiting>) -> (Waiting, Result<(), String>) {
    let answer = match waiting.front_mut() {
        Some(first) => (&mut first.answer).await,
        None => std::future::pending().await,
    };
    let answer = answer.unwrap_or_else(|_| Err("the box is stopping; send it again".to_owned()));
    match waiting.pop_front() {
        Some(first) => (first, answer),
        None => std::future::pending().await,
    }
}
