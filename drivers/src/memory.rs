//! What is remembered of one device between messages. Bridges repeat the whole state with each
//! message, so that most fields are no news; what is news is said, and at least every quarter of an
//! hour something is, to show that the device lives.

use std::collections::BTreeMap;
use std::time::Duration;

use anju_model::Fact;
use anju_model::observation::{Air, Battery, Climate, Location, Meter, Seen, Vital};
use tokio::time::Instant;

/// A device that is heard is told to be at least this often.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(15 * 60);

/// A danger, a movement or a person that goes on is said again after this long.
const GOES_ON: Duration = Duration::from_secs(60);

/// Readings that drift are said at most this often.
const DRIFT: Duration = Duration::from_secs(60);

/// Readings that jump are said at most this often.
const JUMP: Duration = Duration::from_secs(5);

/// Breathing that has stopped is said again after this long: one word of it is no alarm.
const STOPPED: Duration = Duration::from_secs(10);

/// A cell's voltage alone is said at most this often.
const VOLTAGE: Duration = Duration::from_secs(6 * 3600);

/// What one device said last.
#[derive(Debug, Default)]
pub struct Memory {
    last: BTreeMap<(&'static str, u8), (Fact, Instant)>,
    said_at: Option<Instant>,
}

/// Facts that stand beside each other under one name.
fn key(fact: &Fact) -> (&'static str, u8) {
    let part = match fact {
        Fact::Camera(camera) => match camera.seen {
            Seen::Person => 0,
            Seen::Motion => 1,
            Seen::Fall => 2,
        },
        _ => 0,
    };
    (fact.what(), part)
}

/// Whether a fact is a danger, a movement or a person now.
fn goes_on(fact: &Fact) -> bool {
    match fact {
        Fact::Motion(motion) => motion.moving,
        Fact::Camera(camera) => camera.active,
        // A detector of falls says itself when it tells one again.
        Fact::Fall(_) => false,
        other => other.is_danger(),
    }
}

/// Whether one reading differs from another by more than it drifts.
fn differs(before: Option<f64>, now: Option<f64>, by: f64) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => (before - now).abs() >= by,
        _ => false,
    }
}

/// Whether a reading tells something at once: a stove lit, a kettle switched on.
fn jumped(before: &Fact, now: &Fact) -> bool {
    match (before, now) {
        (Fact::Climate(a), Fact::Climate(b)) => {
            differs(a.celsius, b.celsius, 1.0)
                || differs(a.relative_humidity_percent, b.relative_humidity_percent, 5.0)
        }
        (Fact::Meter(a), Fact::Meter(b)) => {
            differs(a.power_watts, b.power_watts, 10.0) || a.supply_on != b.supply_on
        }
        (Fact::Air(a), Fact::Air(b)) => {
            differs(a.co2_ppm, b.co2_ppm, 200.0)
                || differs(
                    a.pm2_5_micrograms_per_cubic_metre,
                    b.pm2_5_micrograms_per_cubic_metre,
                    25.0,
                )
        }
        (Fact::Vital(a), Fact::Vital(b)) => {
            differs(a.heart_beats_per_minute, b.heart_beats_per_minute, 10.0)
                || differs(a.breaths_per_minute, b.breaths_per_minute, 4.0)
                || differs(a.spo2_percent, b.spo2_percent, 2.0)
        }
        // About 50 m of latitude, so that a walk is seen and a phone on the table is not.
        (Fact::Location(a), Fact::Location(b)) => {
            differs(a.latitude_degrees, b.latitude_degrees, 0.000_5)
                || differs(a.longitude_degrees, b.longitude_degrees, 0.000_5)
        }
        _ => false,
    }
}

/// Whether a fact has a field that it had not before.
fn grew(before: &Fact, now: &Fact) -> bool {
    let fields = |fact| match serde_json::to_value(fact) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let before = fields(before);
    fields(now).keys().any(|name| !before.contains_key(name))
}

/// Whether a device was put on or taken off, or breathing stopped or began: never held back.
fn taken_off(before: &Fact, now: &Vital) -> bool {
    matches!(before, Fact::Vital(a) if a.worn != now.worn || a.apnoea != now.apnoea)
}

/// Whether a battery's report differs in more than its voltage.
fn same_charge(a: &Battery, b: &Battery) -> bool {
    a.low == b.low && a.percent == b.percent
}

impl Memory {
    /// Whether a fact is news; what is, is remembered.
    pub fn news(&mut self, fact: &Fact, now: Instant) -> bool {
        let worth = self.last.get(&key(fact)).is_none_or(|(before, at)| {
            let age = now.saturating_duration_since(*at);
            match fact {
                Fact::Link(_) => age >= SIGN_OF_LIFE,
                Fact::Vital(now) if now.apnoea == Some(true) && !taken_off(before, now) => {
                    age >= STOPPED
                }
                _ if before == fact => goes_on(fact) && age >= GOES_ON,
                _ if grew(before, fact) => true,
                Fact::Climate(Climate {
                    celsius: None, relative_humidity_percent: None, ..
                }) => age >= SIGN_OF_LIFE,
                Fact::Location(Location { zone: None, .. }) => {
                    age >= if jumped(before, fact) { DRIFT } else { SIGN_OF_LIFE }
                }
                Fact::Vital(b) if taken_off(before, b) => true,
                Fact::Climate(_)
                | Fact::Air(Air { .. })
                | Fact::Vital(_)
                | Fact::Meter(Meter { .. }) => {
                    age >= if jumped(before, fact) { JUMP } else { DRIFT }
                }
                Fact::Battery(b) => match before {
                    Fact::Battery(a) if same_charge(a, b) => age >= VOLTAGE,
                    _ => true,
                },
                _ => true,
            }
        });
        if worth {
            self.last.insert(key(fact), (fact.clone(), now));
        }
        worth
    }

    /// The next readings are told whatever they are; states are told only when they change.
    pub fn tell_anew(&mut self) {
        self.last.retain(|_, (fact, _)| {
            !matches!(
                fact,
                Fact::Climate(_)
                    | Fact::Air(_)
                    | Fact::Vital(_)
                    | Fact::Meter(_)
                    | Fact::Location(_)
            )
        });
    }

    /// Notes that something was said.
    pub fn said(&mut self, now: Instant) {
        self.said_at = Some(now);
    }

    /// Whether nothing was said for so long.
    pub fn quiet_for(&self, long: Duration, now: Instant) -> bool {
        self.said_at.is_none_or(|at| now.saturating_duration_since(at) >= long)
    }
}

#[cfg(test)]
mod tests {
    use anju_model::observation::{Contact, Help};

    use super::*;

    #[test]
    fn breathing_that_has_stopped_is_said_again() {
        let mut memory = Memory::default();
        let start = Instant::now();
        let stopped = Fact::from(Vital { apnoea: Some(true), ..Vital::default() });
        let said =
            [0, 5, 15, 20, 25].map(|s| memory.news(&stopped, start + Duration::from_secs(s)));
        assert_eq!(said, [true, false, true, false, true]);
        let over = Fact::from(Vital { apnoea: Some(false), ..Vital::default() });
        let said = [26, 60, 600].map(|s| memory.news(&over, start + Duration::from_secs(s)));
        assert_eq!(said, [true, false, false]);
    }

    #[test]
    fn who_is_tested_tells_its_reading_anew_and_no_state() {
        let mut memory = Memory::default();
        let now = Instant::now();
        let heart = Vital { heart_beats_per_minute: Some(72.0), ..Vital::default() };
        let (heart, shut) = (Fact::from(heart), Fact::from(Contact { open: false }));
        assert!(memory.news(&heart, now) && memory.news(&shut, now));
        assert!(!memory.news(&heart, now) && !memory.news(&shut, now));
        memory.tell_anew();
        assert!(memory.news(&heart, now), "the same reading");
        assert!(!memory.news(&heart, now), "once");
        // A door that was not moved proves nothing.
        assert!(!memory.news(&shut, now));
        assert!(memory.news(&Help::pressed().into(), now));
    }
}
