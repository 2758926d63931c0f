//! A household to test with, and a life in it: entries stamped on a virtual clock, given to a live
//! guard, and what it found written as short lines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{
    Binding, Channels, Device, Guard as Figures, Household, JournalLimits, MqttBinding, Person,
    Speaker, Web,
};
use anju_model::observation::{Contact, Motion, Online, Origin};
use anju_model::{
    AlertChange, AlertStep, Body, BoxEvent, BoxId, Clock, DeviceId, DeviceKind, Entry, EntryId,
    Fact, Finding, Language, LinkId, Observation, PersonId, Raise, RoomId, Stamp, Subject,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::Guard;

/// Device, kind, room.
const DEVICES: &[(&str, DeviceKind, &str)] = &[
    ("sos", DeviceKind::FixedAlarm, "bedroom"),
    ("pir", DeviceKind::Motion, "living-room"),
    ("door", DeviceKind::DoorContact, "hall"),
    ("smoke", DeviceKind::Smoke, "kitchen"),
    ("leak", DeviceKind::WaterLeak, "bathroom"),
    ("bell", DeviceKind::Doorbell, "hall"),
];

fn kind(id: &str) -> (DeviceKind, &str) {
    let known = DEVICES.iter().find(|(name, ..)| *name == id).map(|(_, kind, room)| (*kind, *room));
    known.unwrap_or_else(|| {
        let kind = match id {
            "bath-pir" => return (DeviceKind::Motion, "bathroom"),
            "bath-radar" => return (DeviceKind::FallDetector, "bathroom"),
            "bed" => return (DeviceKind::Mattress, "bedroom"),
            "pills" => DeviceKind::PillBox,
            "lock" => DeviceKind::DoorLock,
            "oximeter" => DeviceKind::Oximeter,
            "watch" => DeviceKind::SmartWatch,
            "balcony" => return (DeviceKind::Climate, "balcony"),
            "radar" => DeviceKind::FallDetector,
            "power" => DeviceKind::ElectricityMeter,
            "water" => DeviceKind::WaterMeter,
            "mattress" => DeviceKind::Mattress,
            "gas" => DeviceKind::Gas,
            "ear" => return (DeviceKind::VoiceAlarm, "bedroom"),
            "phone" => DeviceKind::Locator,
            "talk" => DeviceKind::OneTouchSpeaker,
            "pendant" => DeviceKind::PortableAlarm,
            "badge" => DeviceKind::SmartBadge,
            "cuff" => DeviceKind::BloodPressure,
            "fridge-door" => DeviceKind::DoorContact,
            _ => DeviceKind::Climate,
        };
        (kind, "hall")
    })
}

pub fn origin(id: &str) -> Origin {
    let (kind, room) = kind(id);
    Origin {
        device: DeviceId::new(id).unwrap(),
        kind,
        room: Some(RoomId::new(room).unwrap()),
        person: None,
    }
}

pub fn device(id: &str) -> Device {
    let Origin { device, kind, room, person } = origin(id);
    Device {
        id: device,
        kind,
        name: id.to_owned(),
        room,
        person,
        link: LinkId::new("zigbee").unwrap(),
        binding: Binding::Mqtt(MqttBinding { address: id.to_owned(), on_watts: 15 }),
        heard_within: Some(Duration::from_secs(400 * 86400)),
        announces: None,
    }
}

/// One person, the devices of the table, all figures at their defaults; devices may be silent for
/// long, so that tests of other rules do not see them.
pub fn household() -> Household {
    Household {
        box_id: BoxId::new("b").unwrap(),
        language: Language::En,
        timezone: TimeZone::get("Asia/Shanghai").unwrap(),
        service: None,
        persons: vec![person("wang")],
        zones: Vec::new(),
        contacts: Vec::new(),
        channels: Channels::default(),
        links: BTreeMap::new(),
        devices: DEVICES.iter().map(|(id, ..)| device(id)).collect(),
        guard: Figures::default(),
        upstream: None,
        web: Web::default(),
        speaker: Speaker::default(),
        case: None,
        modem: anju_model::config::Modem::default(),
        journal: JournalLimits::default(),
    }
}

pub fn person(id: &str) -> Person {
    Person {
        id: PersonId::new(id).unwrap(),
        name: id.to_owned(),
        risks: Vec::new(),
        vital: anju_model::config::OwnRange::default(),
    }
}

pub fn motion() -> Fact {
    Motion { moving: true }.into()
}

pub fn open(open: bool) -> Fact {
    Contact { open }.into()
}

pub fn online(online: bool) -> Fact {
    Online { online, reason: None }.into()
}

/// A life in one home under a live guard.
pub struct Life {
    pub guard: Guard,
    pub entries: Vec<Entry>,
    pub found: Vec<Finding>,
    pub clock: Clock,
    zone: TimeZone,
    /// True time; the wall clock shows it plus `wrong`.
    time: Timestamp,
    pub wrong: SignedDuration,
    booted: Timestamp,
    boot: u32,
}

impl Life {
    /// Begins with a boot entry at that local time.
    pub fn begin(household: Household, at: &str) -> Self {
        let zone = household.timezone.clone();
        let time = local(at, &zone);
        let mut life = Self {
            guard: Guard::new(Arc::new(household)),
            entries: Vec::new(),
            found: Vec::new(),
            clock: Clock::Synchronised,
            zone,
            time,
            wrong: SignedDuration::ZERO,
            booted: time,
            boot: 1,
        };
        life.boot_entry();
        life
    }

    fn boot_entry(&mut self) {
        self.record(Body::Box(BoxEvent::Boot { version: "t".into(), clean: true, durable: None }));
    }

    pub fn stamp(&self) -> Stamp {
        let mono = self.time.duration_since(self.booted);
        Stamp {
            boot: format!("boot-{}", self.boot).into(),
            mono_ms: u64::try_from(mono.as_millis()).unwrap(),
            wall: self.time + self.wrong,
            clock: self.clock,
        }
    }

    /// Lets time pass until that local time; what was found meanwhile.
    pub fn until(&mut self, at: &str) -> Vec<String> {
        let to = local(at, &self.zone);
        assert!(to >= self.time, "time goes forward only");
        self.pass(Duration::try_from(to.duration_since(self.time)).unwrap())
    }

    /// Lets time pass as the daemon does: it sleeps as long as the guard says.
    pub fn pass(&mut self, duration: Duration) -> Vec<String> {
        let end = self.time + SignedDuration::try_from(duration).unwrap();
        let mut lines = Vec::new();
        while let Some(wait) = self.guard.wait(&self.stamp()) {
            let wake = self.time + SignedDuration::try_from(wait).unwrap();
            if wake > end {
                break;
            }
            self.time = wake;
            let found = self.guard.advance(&self.stamp());
            lines.extend(self.keep(found));
        }
        self.time = end;
        lines
    }

    fn keep(&mut self, found: Vec<Finding>) -> Vec<String> {
        let lines = found.iter().map(|f| self.line(f)).collect();
        self.found.extend(found);
        lines
    }

    /// What the finding says, with the local time at which it came to light.
    fn line(&self, finding: &Finding) -> String {
        let at = self.time.to_zoned(self.zone.clone()).strftime("%H:%M").to_string();
        let of = |origin: &Option<Origin>| match origin {
            Some(origin) => format!(" {}", origin.device),
            None => String::new(),
        };
        match finding {
            Finding::Raise(r) => format!(
                "{at} {} {}{}{}{}",
                r.class,
                r.rule,
                of(&r.origin),
                if r.test { " test" } else { "" },
                if r.shadow { " shadow" } else { "" }
            ),
            Finding::Over { rule, origin, .. } => format!("{at} over {rule}{}", of(origin)),
            Finding::Cancel { origin, .. } => format!("{at} cancel {}", origin.device),
            Finding::Ask { rule, .. } => format!("{at} ask {rule}"),
        }
    }

    pub fn record(&mut self, body: Body) -> Vec<String> {
        let seq = self.entries.len() as u64 + 1;
        let id = EntryId { box_id: BoxId::new("b").unwrap(), epoch: 1, seq };
        let entry = Entry { id, stamp: self.stamp(), body };
        let found = self.guard.observe(&entry);
        self.entries.push(entry);
        self.keep(found)
    }

    pub fn say(&mut self, id: &str, fact: impl Into<Fact>) -> Vec<String> {
        self.record(Body::Observation(Observation::new(origin(id), fact)))
    }

    pub fn baseline(&mut self, id: &str, fact: impl Into<Fact>) -> Vec<String> {
        self.record(Body::Observation(Observation::new(origin(id), fact).as_baseline()))
    }

    pub fn test(&mut self, id: &str, fact: impl Into<Fact>) -> Vec<String> {
        let mut said = Observation::new(origin(id), fact);
        said.test = true;
        self.record(Body::Observation(said))
    }

    /// The household says it is away until a local time, or back.
    pub fn away(&mut self, until: Option<&str>) -> Vec<String> {
        let until = until.map(|at| local(at, &self.zone));
        self.record(Body::Box(BoxEvent::Away { until, by: "daughter".into() }))
    }

    /// What the guard must not forget is recorded.
    pub fn record_life(&mut self) {
        let life = self.guard.life(&self.stamp());
        self.record(Body::Box(life));
    }

    /// Records what was found from there on as alerts, as the box does.
    pub fn record_alerts(&mut self, from: usize) {
        let raised = |finding: &Finding| match finding {
            Finding::Raise(raise) => Some(raise.clone()),
            _ => None,
        };
        let raises: Vec<Raise> = self.found[from..].iter().filter_map(raised).collect();
        for raise in raises {
            let subject = Subject {
                alert: raise.alert_id(),
                class: raise.class,
                rule: raise.rule.clone(),
                device: raise.origin.as_ref().map(|o| o.device.clone()),
                kind: raise.origin.as_ref().map(|o| o.kind),
                room: None,
                person: None,
                code: raise.rule.contact_id(),
                test: raise.test,
                text: String::new(),
            };
            let step = AlertStep::Raised { since: raise.since };
            self.record(Body::Alert(AlertChange { subject, step }));
        }
    }

    /// The program starts again and reads back only the newest entries.
    pub fn restart_with_the_last(&mut self, entries: usize) {
        let from = self.entries.len().saturating_sub(entries);
        self.entries.drain(..from);
        self.restart();
    }

    /// The program is killed and started again at once: a new guard recalls what was recorded.
    pub fn restart(&mut self) {
        let mut guard = Guard::new(self.guard.household.clone());
        for entry in &self.entries {
            guard.recall(entry);
        }
        self.guard = guard;
    }

    /// The box loses its power until that local time.
    pub fn power_cut(&mut self, until: &str) -> Vec<String> {
        self.time = local(until, &self.zone);
        self.booted = self.time;
        self.boot += 1;
        self.restart();
        let seen = self.found.len();
        self.boot_entry();
        let found: Vec<Finding> = self.found[seen..].to_vec();
        found.iter().map(|f| self.line(f)).collect()
    }
}

pub fn local(at: &str, zone: &TimeZone) -> Timestamp {
    let civil: jiff::civil::DateTime = at.parse().unwrap();
    civil.to_zoned(zone.clone()).unwrap().timestamp()
}

pub const HOUR: Duration = Duration::from_secs(3600);
pub const MINUTE: Duration = Duration::from_secs(60);
