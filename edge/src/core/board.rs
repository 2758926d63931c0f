//! What was last said and done, for those who look: each device's last words, when each way out
//! last reached somebody, which parts are broken. It must never be read back by a rule.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use anju_model::config::{ChannelKind, Household};
use anju_model::delivery::DeliveryState;
use anju_model::{
    AlertStep, Body, BoxEvent, Clock, ContactId, DeviceId, Entry, Fact, Lane, Moment, Observation,
};
use jiff::Timestamp;

/// Numbers of alert entries remembered, to tell how many of them wait for the centre.
const ALERT_NUMBERS: usize = 4096;

/// Names of ages in what is recorded of the ways to people.
const CHECKED: &str = "checked";
const REACHED: &str = "reached";
const REPLIED: &str = "replied";

/// Longest reason kept of what went wrong, in characters.
const REASON: usize = 200;

/// A moment with its wall clock, where that was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// On the core's line of time.
    pub moment: Moment,
    /// The wall clock.
    pub wall: Option<Timestamp>,
}

impl When {
    fn of(entry: &Entry, moment: Moment) -> Self {
        let known = entry.stamp.clock != Clock::Unknown;
        Self { moment, wall: known.then_some(entry.stamp.wall) }
    }
}

/// One fact that a device said.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What.
    pub fact: Fact,
    /// When the box heard it.
    pub when: When,
    /// Known at start, not heard as an event.
    pub baseline: bool,
}

/// The last words of one device.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// The last fact of each type, the newest first.
    pub said: Vec<Said>,
    /// Battery, per cent.
    pub battery_percent: Option<f64>,
    /// Quality of the radio link, 0 to 255.
    pub link_quality: Option<f64>,
    /// Why it counts as lost, in its driver's words.
    pub lost_because: Option<String>,
}

impl Device {
    fn take(&mut self, observation: &Observation, when: When) {
        match &observation.fact {
            Fact::Battery(battery) => self.battery_percent = battery.percent,
            Fact::Link(link) => self.link_quality = link.quality,
            Fact::Online(online) => {
                let reason = || online.reason.clone().unwrap_or_default();
                self.lost_because = (!online.online).then(reason);
            }
            Fact::Tamper(_) | Fact::Trouble(_) | Fact::Identity(_) => {}
            fact => self.say(fact, when, observation.baseline),
        }
    }

    fn say(&mut self, fact: &Fact, when: When, baseline: bool) {
        let known = self.said.iter().position(|said| said.fact.what() == fact.what());
        if let Some(place) = known {
            // A base line that only repeats what was heard tells nothing new.
            if baseline && self.said[place].fact == *fact {
                return;
            }
            self.said.remove(place);
        }
        self.said.insert(0, Said { fact: fact.clone(), when, baseline });
    }
}

/// One way to somebody.
#[derive(Debug, Clone, Default)]
pub struct Channel {
    /// When it last reached its human or far side.
    pub proved: Option<When>,
    /// When its human last answered over it.
    pub answered: Option<When>,
    /// What went wrong after that.
    pub failing: Option<String>,
}

/// Everything remembered. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// The devices that said something.
    pub devices: BTreeMap<DeviceId, Arc<Device>>,
    /// The ways out that were used: `speaker`, or a channel and whom it reaches.
    pub channels: BTreeMap<(String, Option<ContactId>), Arc<Channel>>,
    /// When each way was last made sure of without waking anybody.
    pub checked: BTreeMap<String, When>,
    /// Parts of the box that are broken now, and why.
    pub faults: BTreeMap<String, Arc<str>>,
    /// When the way to the centre came up or went down.
    pub upstream_since: Option<When>,
    /// Why the centre is not reached, if it is known not to be.
    pub upstream_lost: Option<Arc<str>>,
    /// The SIM card that texts and calls go by.
    sim: Option<String>,
    alert_numbers: Arc<VecDeque<u64>>,
}

impl Board {
    /// Takes note of a recorded entry of before this start. What was broken then is told again if
    /// it still is.
    pub fn recall(&mut self, entry: &Entry, at: Moment) {
        self.note(entry, at);
        self.faults.clear();
        self.upstream_since = None;
        self.upstream_lost = None;
    }

    /// Takes note of an entry.
    pub fn note(&mut self, entry: &Entry, at: Moment) {
        let when = When::of(entry, at);
        if entry.body.lane() == Lane::Alerts {
            let numbers = Arc::make_mut(&mut self.alert_numbers);
            if numbers.len() >= ALERT_NUMBERS {
                numbers.pop_front();
            }
            numbers.push_back(entry.id.seq);
        }
        match &entry.body {
            Body::Observation(said) => {
                let device = self.devices.entry(said.origin.device.clone()).or_default();
                Arc::make_mut(device).take(said, when);
            }
            Body::Alert(change) => {
                if let AlertStep::Announced { by } = &change.step {
                    self.channel(by, None).proved = Some(when);
                }
            }
            Body::Delivery(delivery) => {
                let message = &delivery.message;
                let channel = self.channel(&message.channel, Some(message.contact.clone()));
                if delivery.state == DeliveryState::Failed {
                    channel.failing = Some(short(message.detail.as_deref().unwrap_or_default()));
                } else if delivery.state != DeliveryState::Requested {
                    channel.proved = Some(when);
                    channel.failing = None;
                    if delivery.state == DeliveryState::Answered {
                        channel.answered = Some(when);
                    }
                }
            }
            Body::Box(BoxEvent::Proof { channel, contact: None, result, .. })
                if result == "proved" =>
            {
                self.checked.insert(channel.clone(), when);
            }
            Body::Box(BoxEvent::Proof { channel, contact: Some(contact), result, .. }) => {
                if result == "proved"
                    && let Ok(contact) = ContactId::new(contact)
                {
                    self.channel(channel, Some(contact)).answered = Some(when);
                }
            }
            Body::Box(BoxEvent::Reach { seconds }) => {
                seconds.iter().for_each(|(name, age)| self.remind(name, *age, when));
            }
            Body::Box(BoxEvent::Fault { part, active, reason }) => {
                if *active {
                    self.faults.insert(part.clone(), short(reason).into());
                } else {
                    self.faults.remove(part);
                }
            }
            Body::Box(BoxEvent::Modem { sim: Some(sim), .. }) => {
                let before = self.sim.replace(sim.clone());
                if before.is_some_and(|before| before != *sim) {
                    self.forget_what_the_card_proved();
                }
            }
            Body::Box(BoxEvent::Network { link, up, reason, .. }) if link == "upstream" => {
                self.upstream_since = Some(when);
                let why = || short(reason.as_deref().unwrap_or("the centre is not reached"));
                self.upstream_lost = (!up).then(|| why().into());
            }
            _ => {}
        }
    }

    /// What must not be forgotten for longer than entries are read back: ages in seconds.
    pub fn remember(&self, now: Moment) -> BTreeMap<String, u64> {
        let age = |when: When| now.since(when.moment).as_secs();
        let mut ages = BTreeMap::new();
        for (name, when) in &self.checked {
            ages.insert(format!("{CHECKED}/{name}"), age(*when));
        }
        for ((name, contact), channel) in &self.channels {
            let way = contact.as_ref().map_or_else(|| name.clone(), |id| format!("{name}/{id}"));
            let kinds = [(REACHED, channel.proved), (REPLIED, channel.answered)];
            ages.extend(
                kinds
                    .into_iter()
                    .filter_map(|(kind, when)| Some((format!("{kind}/{way}"), age(when?)))),
            );
        }
        ages
    }

    /// Takes one of the ages back, unless something newer is known.
    fn remind(&mut self, name: &str, age: u64, now: When) {
        let mut parts = name.splitn(3, '/');
        let (Some(kind), Some(channel)) = (parts.next(), parts.next()) else { return };
        let contact = parts.next().map(ContactId::new);
        let when = When {
            moment: Moment(now.moment.0.saturating_sub(age.saturating_mul(1000))),
            wall: now.wall.and_then(|wall| {
                wall.checked_sub(jiff::SignedDuration::from_secs(i64::try_from(age).ok()?)).ok()
            }),
        };
        let newest = |known: &mut Option<When>| {
            if known.is_none_or(|known| known.moment < when.moment) {
                *known = Some(when);
            }
        };
        match (kind, contact) {
            (CHECKED, None) => {
                let mut known = self.checked.get(channel).copied();
                newest(&mut known);
                self.checked.extend(known.map(|when| (channel.to_owned(), when)));
            }
            (REACHED | REPLIED, contact) => {
                let Ok(contact) = contact.transpose() else { return };
                let way = self.channel(channel, contact);
                newest(if kind == REACHED { &mut way.proved } else { &mut way.answered });
            }
            _ => {}
        }
    }

    /// What another card could do, this one has not shown.
    fn forget_what_the_card_proved(&mut self) {
        let by_sim = |name: &str| ChannelKind::from_name(name).is_some_and(ChannelKind::by_sim);
        self.checked.retain(|name, _| !by_sim(name));
        for ((name, _), channel) in &mut self.channels {
            if by_sim(name) {
                *channel = Arc::default();
            }
        }
    }

    fn channel(&mut self, name: &str, contact: Option<ContactId>) -> &mut Channel {
        Arc::make_mut(self.channels.entry((name.to_owned(), contact)).or_default())
    }

    /// Forgets what the configuration no longer has.
    pub fn configure(&mut self, household: &Household) {
        self.devices.retain(|id, _| household.devices.iter().any(|device| device.id == *id));
        self.channels.retain(|(_, contact), _| {
            contact.as_ref().is_none_or(|id| household.contact(id.as_str()).is_some())
        });
        self.checked.retain(|name, _| {
            let has = |kind: &ChannelKind| kind.as_str() == name;
            household.contacts.iter().any(|contact| contact.channels.iter().any(has))
        });
        // They were told for the configuration before; what still holds is told again.
        self.faults.retain(|part, _| part != "configuration" && !part.starts_with("driver:"));
    }

    /// How many of the remembered alert entries have a number above `after`, up to `last`.
    pub fn alerts_between(&self, after: u64, last: u64) -> u64 {
        let up_to = |seq| self.alert_numbers.partition_point(|number| *number <= seq);
        up_to(last).saturating_sub(up_to(after)) as u64
    }
}

fn short(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use anju_model::delivery::Message;
    use anju_model::{AlertId, BoxId, Delivery, EntryId, Stamp};

    use super::*;

    fn entry(body: Body) -> Entry {
        let id = EntryId { box_id: BoxId::new("b").unwrap(), epoch: 1, seq: 1 };
        let (boot, wall) = ("b".into(), Timestamp::UNIX_EPOCH);
        Entry { id, stamp: Stamp { boot, mono_ms: 0, wall, clock: Clock::Unknown }, body }
    }

    fn modem(sim: Option<&str>) -> Entry {
        entry(Body::Box(BoxEvent::Modem {
            trouble: None,
            sim: sim.map(str::to_owned),
            operator: None,
            technology: None,
            signal_percent: None,
            done: None,
        }))
    }

    #[test]
    fn a_text_proves_its_way_only_for_the_card_it_left_by() {
        let mut board = Board::default();
        let contact = ContactId::new("daughter").unwrap();
        let tell = |board: &mut Board, entry: Entry| {
            board.note(&entry, Moment(1));
            let of = |name: &str| board.channels.get(&(name.into(), Some(contact.clone())));
            ["sms", "ntfy"].map(|name| of(name).is_some_and(|known| known.proved.is_some()))
        };
        let sent = |channel: &str| {
            let message = Message {
                alert: AlertId::from_wire("b/1/1").unwrap(),
                contact: ContactId::new("daughter").unwrap(),
                channel: channel.into(),
                attempt: 1,
                detail: None,
                request: None,
            };
            entry(Body::Delivery(Delivery { state: DeliveryState::Sent, message }))
        };
        tell(&mut board, modem(Some("8986")));
        tell(&mut board, sent("ntfy"));
        assert_eq!(tell(&mut board, sent("sms")), [true, true]);
        assert_eq!(tell(&mut board, modem(Some("8986"))), [true, true]);
        assert_eq!(tell(&mut board, modem(None)), [true, true]);
        assert_eq!(tell(&mut board, modem(Some("8985"))), [false, true]);
    }
}
