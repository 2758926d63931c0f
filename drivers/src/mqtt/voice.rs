//! From the facts of one message to the observations that the box is told: what is news, what is a
//! base line, what shows that the device lives, and whether it can be reached. It must never take
//! what a broker or a bridge repeats from memory for something that happens now.

use std::time::Duration;

use anju_model::observation::{Link, Online, Origin};
use anju_model::{DeviceKind, Fact, Observation};
use tokio::time::Instant;

use super::dialect::Heard;
use crate::memory::{Memory, SIGN_OF_LIFE};

/// A button that is heard and says nothing that is understood is told at most this often, so that
/// whoever presses it in a test learns that it was heard.
const MUTE_BUTTON: Duration = Duration::from_secs(10);

/// How a fact counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It happens with the message: never from a retained one, and each message is one.
    Event,
    /// It is so: only a change is news.
    State,
    /// Its sender already knows that it is news.
    News,
    /// Its sender knows that it is a base line.
    Baseline,
}

/// The weight of a fact that a message merely states.
pub fn weight(fact: &Fact) -> Weight {
    match fact {
        Fact::Help(_) | Fact::Bell(_) | Fact::Medication(_) | Fact::Call(_) => Weight::Event,
        Fact::Lock(lock) if lock.by.is_some() || lock.wrong_tries.is_some() => Weight::Event,
        Fact::Location(location) if location.zone.is_some() => Weight::News,
        _ => Weight::State,
    }
}

/// What decides whether a device can be reached. Each is `None` until it is known.
#[derive(Debug, Default)]
struct Reach {
    bridge: Option<bool>,
    own: Option<bool>,
    known: Option<bool>,
    said: Option<bool>,
}

/// What said whether a device can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The bridge itself runs, or not.
    Bridge,
    /// The bridge's word on the device.
    Own,
    /// Whether the bridge knows the device at all.
    Known,
}

/// One device as it is heard.
#[derive(Debug)]
pub struct Voice {
    /// What its observations carry.
    pub origin: Origin,
    memory: Memory,
    reach: Reach,
    /// Until then the first live message may be a bridge's memory.
    settles: Option<Instant>,
}

impl Voice {
    /// A device of which nothing is known.
    pub fn new(origin: Origin) -> Self {
        Self { origin, memory: Memory::default(), reach: Reach::default(), settles: None }
    }

    /// A new connection: how the device is and whether it can be reached is to be told anew.
    pub fn connected(&mut self) {
        *self = Self::new(self.origin.clone());
    }

    /// The bridge began anew: the first live message within `settle` is a base line.
    pub fn began(&mut self, now: Instant, settle: Duration) {
        self.settles = Some(now + settle);
    }

    /// The next reading is told whatever it is.
    pub fn tell_anew(&mut self) {
        self.memory.tell_anew();
    }

    fn observe(&self, fact: impl Into<Fact>) -> Observation {
        Observation::new(self.origin.clone(), fact)
    }

    /// Whether a message may be what a broker or bridge remembered.
    pub fn replays(&self, heard: Heard) -> bool {
        heard.retain || self.settles.is_some_and(|until| heard.at < until)
    }

    /// Takes the facts of one message, each with its weight, and the link's quality.
    pub fn hear(
        &mut self,
        facts: Vec<(Fact, Weight)>,
        quality: Option<f64>,
        heard: Heard,
    ) -> Vec<Observation> {
        let baseline = self.replays(heard);
        if !heard.retain {
            self.settles = None;
        }
        let mut said = Vec::new();
        for (fact, weight) in facts {
            let mut observation = self.observe(fact);
            match weight {
                Weight::Event if heard.retain => continue,
                Weight::Event => observation.count = heard.count.max(1),
                // A broker's memory of a danger is told, and is no reason to hold the danger back
                // when the device itself tells of it.
                Weight::State if heard.retain && observation.fact.is_danger() => {
                    observation.baseline = true;
                }
                Weight::State if !self.memory.news(&observation.fact, heard.at) => continue,
                Weight::State | Weight::News => {
                    observation.baseline =
                        heard.retain || (baseline && !observation.fact.is_danger());
                }
                Weight::Baseline => observation.baseline = true,
            }
            said.push(observation);
        }
        if !baseline {
            said.extend(self.reached());
            let mute = calls(self.origin.kind) && quality.is_some();
            let long = if mute { MUTE_BUTTON } else { SIGN_OF_LIFE };
            if said.is_empty() && self.memory.quiet_for(long, heard.at) {
                said.push(self.observe(Link { quality, dbm: None }));
            }
            if !said.is_empty() {
                self.memory.said(heard.at);
            }
        }
        said
    }

    /// It was heard just now, so that it is there whatever was said.
    fn reached(&mut self) -> Option<Observation> {
        for known in [&mut self.reach.bridge, &mut self.reach.own, &mut self.reach.known] {
            if *known == Some(false) {
                *known = Some(true);
            }
        }
        let lost = self.reach.said == Some(false);
        if lost {
            self.reach.said = Some(true);
        }
        lost.then(|| self.observe(Online { online: true, reason: None }))
    }

    /// Takes somebody's word that it can be reached or not. That it can is only ever a base line:
    /// nothing was heard of the device itself.
    pub fn reach(&mut self, source: Source, online: bool, reason: &str) -> Option<Observation> {
        match source {
            Source::Bridge => self.reach.bridge = Some(online),
            Source::Own => self.reach.own = Some(online),
            Source::Known => self.reach.known = Some(online),
        }
        let lost = [self.reach.bridge, self.reach.own, self.reach.known].contains(&Some(false));
        if self.reach.said.replace(!lost) == Some(!lost) {
            return None;
        }
        // A device of several bad words is told with the first.
        let reason = lost.then(|| reason.to_owned());
        let mut observation = self.observe(Online { online: !lost, reason });
        observation.baseline = !lost;
        Some(observation)
    }

    /// Whether somebody said that it can not be reached.
    pub fn lost(&self) -> bool {
        self.reach.said == Some(false)
    }
}

/// Whether devices of this kind call for help.
pub const fn calls(kind: DeviceKind) -> bool {
    matches!(
        kind,
        DeviceKind::FixedAlarm
            | DeviceKind::PortableAlarm
            | DeviceKind::VoiceAlarm
            | DeviceKind::SmartBadge
            | DeviceKind::SmartCane
            | DeviceKind::SmartWheelchair
            | DeviceKind::SmartWatch
    )
}
