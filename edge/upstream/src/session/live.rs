//! One connection: entries of two lanes, the status, commands and their answers. It must never give an
//! entry up because a connection ended.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Filter, PubAckReason, Publish, PublishProperties, RetainForwardRule,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::{End, Incoming, Lane, MOST_IN_FLIGHT, Notice, Parts, Told, Trials};
use crate::command;
use crate::connection::{Connection, Said};
use crate::feed::{Feed, Item};
use crate::flight::{Flight, Refusal};
use crate::status::OFFLINE;
use crate::trial::{Ended, Trial};
use crate::unanswered::Unanswered;

/// Of those, how many only alerts, replies and the status may use.
const KEPT_FOR_ALERTS: usize = 20;

/// What a publication has beside topic and payload, at most, bytes.
const OVERHEAD: usize = 64;

/// Commands that may wait to be carried out; more are refused.
const MOST_COMMANDS: usize = 64;

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
pub struct Live<'a, A, E> {
    parts: &'a mut Parts<A, E>,
    connection: Connection,
    told: &'a mut Told,
    trials: &'a mut Trials,
    up: bool,
    window: usize,
    /// Largest packet that the broker takes, bytes.
    largest: usize,
    /// The broker answered something that is no entry.
    answers_others: bool,
    /// Publications handed to the event loop that have no packet id yet.
    handed: VecDeque<Sent>,
    by_pkid: HashMap<u16, Sent>,
    alerts: Flight,
    events: Flight,
    answers: VecDeque<Waiting>,
    unanswered: Unanswered<(Lane, u64)>,
    heartbeat: Interval,
}

/// Why a connection ended.
struct Ending {
    reason: String,
    excused: bool,
}

impl From<String> for Ending {
    fn from(reason: String) -> Self {
        Self { reason, excused: false }
    }
}

type Outcome = Result<(), Ending>;

impl<'a, A: Feed, E: Feed> Live<'a, A, E> {
    pub fn new(
        parts: &'a mut Parts<A, E>,
        connection: Connection,
        told: &'a mut Told,
        trials: &'a mut Trials,
    ) -> Self {
        let mut heartbeat = tokio::time::interval(parts.settings.upstream.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            parts,
            connection,
            told,
            trials,
            up: false,
            window: usize::from(MOST_IN_FLIGHT),
            largest: usize::MAX,
            answers_others: false,
            handed: VecDeque::new(),
            by_pkid: HashMap::new(),
            alerts: Flight::default(),
            events: Flight::default(),
            answers: VecDeque::new(),
            unanswered: Unanswered::new(),
            heartbeat,
        }
    }

    fn flight(&mut self, lane: Lane) -> &mut Flight {
        match lane {
            Lane::Alerts => &mut self.alerts,
            Lane::Events => &mut self.events,
        }
    }

    /// How many more entries may go out: alerts, events.
    fn room(&self) -> (usize, usize) {
        let flying = self.alerts.len() + self.events.len();
        let kept = KEPT_FOR_ALERTS.min(self.window / 2);
        let room = |window: usize, trial: &Trial, flight: &Flight| {
            let room = window.saturating_sub(flying).min(flight.takes());
            match trial.cautious() {
                // First it must be known that the broker answers at all.
                true if !self.answers_others => 0,
                true => room.min(1_usize.saturating_sub(flight.len())),
                false => room,
            }
        };
        (
            room(self.window, &self.trials.alerts, &self.alerts),
            room(self.window - kept, &self.trials.events, &self.events),
        )
    }

    pub async fn run(mut self) -> End {
        let (stop, moved) = (self.parts.stop.clone(), self.parts.moved.clone());
        loop {
            let (alerts_room, events_room) = self.room();
            let retry =
                [self.alerts.next_due(), self.events.next_due()].into_iter().flatten().min();
            let done = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.say_goodbye().await;
                    return End::Stopped;
                }
                () = moved.notified() => {
                    let reason = "what leaves goes by another link now".to_owned();
                    Err(Ending { reason, excused: true })
                }
                said = self.connection.said.recv() => match said {
                    Some(said) => self.heard(said),
                    None => Err("the connection ended".to_owned().into()),
                },
                items = self.parts.alerts.next(alerts_room), if self.up && alerts_room > 0 => {
                    self.publish_entries(Lane::Alerts, items)
                }
                answer = first_answer(&mut self.answers), if !self.answers.is_empty() => {
                    self.answered(answer)
                }
                () = until(retry) => self.publish_again(),
                () = until(self.unanswered.stalled_at()) => {
                    Err("the broker does not acknowledge an entry".to_owned().into())
                }
                _ = self.heartbeat.tick(), if self.up => self.beat(),
                items = self.parts.events.next(events_room), if self.up && events_room > 0 => {
                    self.publish_entries(Lane::Events, items)
                }
            };
            if let Err(Ending { reason, excused }) = done {
                self.try_lanes(excused);
                let fruitful = self.alerts.passed() + self.events.passed() > 0;
                return End::Lost { reason, fruitful };
            }
        }
    }

    /// Looks for entries that may have been why the connection ended.
    fn try_lanes(&mut self, excused: bool) {
        let flying = self.alerts.len() + self.events.len();
        for lane in [Lane::Alerts, Lane::Events] {
            let flight = self.flight(lane);
            let (head, passed_by) = flight.head().unzip();
            let (passed, passed_by) = (flight.passed(), passed_by.unwrap_or(false));
            let alone = flying == 1 && self.answers_others;
            self.trials.of(lane).ended(Ended { head, passed_by, alone, passed, excused });
        }
    }

    fn heard(&mut self, said: Said) -> Outcome {
        match said {
            Said::Connected(ack) => {
                let limits = ack.properties;
                let allowed = limits.as_ref().and_then(|p| p.receive_max);
                // A maximum of 0 is an error of the broker's; it gets one at a time.
                let allowed = allowed.unwrap_or(MOST_IN_FLIGHT).clamp(1, MOST_IN_FLIGHT);
                self.window = usize::from(allowed);
                let largest = limits.and_then(|p| p.max_packet_size);
                self.largest = largest.and_then(|l| l.try_into().ok()).unwrap_or(usize::MAX);
                self.up = true;
                tracing::info!("upstream is connected");
                if self.told.may_tell(true) {
                    let _ = self.parts.notices.send(Notice::Connected);
                }
                self.parts.view.send_modify(|view| {
                    view.connected = true;
                    view.reason = None;
                });
                self.subscribe()
            }
            Said::Subscribed(answer) => {
                let refused = answer.err();
                if refused.is_some() != self.told.deaf {
                    self.told.deaf = refused.is_some();
                    let _ = self.parts.notices.send(Notice::Deaf(refused));
                }
                Ok(())
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
            Said::Lost { reason, excused } => Err(Ending { reason, excused }),
        }
    }

    /// Asks for commands. A broker tells of each whether it was retained, and sends those that it
    /// kept only with the first subscription of a session: they are refused once.
    fn subscribe(&mut self) -> Outcome {
        let commands = Filter {
            preserve_retain: true,
            retain_forward_rule: RetainForwardRule::OnNewSubscribe,
            ..Filter::new(self.parts.settings.commands_topic(), QoS::AtLeastOnce)
        };
        let subscribed = self.connection.client.try_subscribe_many([commands]);
        subscribed.map_err(|error| error.to_string().into())
    }

    fn settled(&mut self, pkid: u16, reason: PubAckReason) {
        let Some(Sent::Entry(lane, seq)) = self.by_pkid.remove(&pkid) else {
            self.answers_others = true;
            return;
        };
        self.unanswered.answered(&(lane, seq));
        let epoch = self.flight(lane).epoch_of(seq).unwrap_or_default();
        let fine = matches!(reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
        let place = if fine {
            self.parts.view.send_modify(|view| view.acknowledged += 1);
            self.trials.of(lane).settled(seq);
            if self.told.takes(lane) {
                let _ = self.parts.notices.send(Notice::Refuses(None));
            }
            if self.flight(lane).is_late(seq) {
                let _ = self.parts.notices.send(Notice::Late { epoch, seq });
            }
            self.flight(lane).acknowledged(seq, Instant::now())
        } else {
            let (refusal, place) = self.flight(lane).refused(seq, Instant::now());
            let reason = format!("{reason:?}");
            match refusal {
                Refusal::Again => {}
                Refusal::SetAside => self.tell_set_aside(lane, epoch, seq, reason),
                Refusal::AllRefused => {
                    if self.told.refuses(lane) {
                        let _ = self.parts.notices.send(Notice::Refuses(Some(reason)));
                    }
                }
            }
            place
        };
        self.move_cursor(lane, place);
        let nobody = reason == PubAckReason::NoMatchingSubscribers;
        if lane == Lane::Alerts && fine && !nobody {
            let _ = self.parts.notices.send(Notice::Taken { epoch, seq });
        }
        if lane == Lane::Alerts && fine && nobody != self.told.nobody {
            self.told.nobody = nobody;
            let _ = self.parts.notices.send(Notice::NobodyListens(nobody));
        }
    }

    fn move_cursor(&mut self, lane: Lane, place: Option<u64>) {
        let Some(place) = place else { return };
        match lane {
            Lane::Alerts => self.parts.alerts.acknowledge(place),
            Lane::Events => self.parts.events.acknowledge(place),
        }
    }

    fn tell_set_aside(&mut self, lane: Lane, epoch: u64, seq: u64, reason: String) {
        tracing::error!(?lane, epoch, seq, reason, "an entry is set aside");
        let _ = self.parts.notices.send(Notice::SetAside { lane, epoch, seq, reason });
    }

    fn publish_entries(&mut self, lane: Lane, items: Vec<Item>) -> Outcome {
        for item in items {
            let Item { epoch, seq, .. } = item;
            let size = item.body.len() + self.topic(lane).len() + OVERHEAD;
            let hopeless = if size > self.largest {
                Some(format!("larger than the {} bytes the broker takes", self.largest))
            } else if self.trials.of(lane).condemns(seq) {
                Some("the broker never answers it".to_owned())
            } else if self.flight(lane).takes() == 1 {
                self.flight(lane).behind_refused(item, Instant::now());
                continue;
            } else {
                self.publish_entry(lane, &item)?;
                None
            };
            self.flight(lane).sent(item);
            if let Some(reason) = hopeless {
                self.trials.of(lane).settled(seq);
                self.tell_set_aside(lane, epoch, seq, reason);
                let place = self.flight(lane).give_up(seq);
                self.move_cursor(lane, place);
            }
        }
        Ok(())
    }

    fn publish_again(&mut self) -> Outcome {
        let now = Instant::now();
        for lane in [Lane::Alerts, Lane::Events] {
            if let Some(item) = self.flight(lane).due(now) {
                self.publish_entry(lane, &item)?;
            }
        }
        Ok(())
    }

    fn topic(&self, lane: Lane) -> String {
        match lane {
            Lane::Alerts => self.parts.settings.alerts_topic(),
            Lane::Events => self.parts.settings.events_topic(),
        }
    }

    fn publish_entry(&mut self, lane: Lane, item: &Item) -> Outcome {
        let topic = self.topic(lane);
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
        if let Sent::Entry(lane, seq) = sent {
            self.unanswered.handed((lane, seq));
        }
        self.handed.push_back(sent);
        Ok(())
    }

    fn beat(&mut self) -> Outcome {
        // Rights may be mended while the connection stands.
        if self.told.deaf {
            self.subscribe()?;
        }
        self.publish_status()
    }

    fn publish_status(&mut self) -> Outcome {
        let status = self.parts.status.status();
        let payload = serde_json::to_vec(&status).map_err(|error| error.to_string())?;
        let topic = self.parts.settings.status_topic();
        self.hand_over(topic, true, payload.into(), PublishProperties::default(), Sent::Other)
    }

    fn commanded(&mut self, publish: Box<Publish>) -> Outcome {
        let now = (self.parts.clock)();
        let (id, answer) = match command::parse(&publish.payload, publish.retain, &now) {
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
            .filter(|topic| self.parts.settings.may_reply_to(topic))
            .unwrap_or_else(|| self.parts.settings.replies_topic());
        let properties = PublishProperties {
            correlation_data: asked.and_then(|properties| properties.correlation_data.clone()),
            content_type: Some("application/json".to_owned()),
            ..PublishProperties::default()
        };
        let payload = command::reply(id, result).into();
        self.hand_over(topic, false, payload, properties, Sent::Other)?;
        self.connection.client.try_ack(publish).map_err(|error| error.to_string().into())
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
