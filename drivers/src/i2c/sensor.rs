//! One chip between polls: what is due, what is worth telling. Pure; time is given. It must never
//! tell twice that the chip is lost or back, nor the same reading with every poll.

use std::collections::BTreeSet;
use std::time::Duration;

use anju_model::config::I2cBinding;
use anju_model::observation::{Air, Climate, Online, Origin};
use anju_model::{DeviceId, DeviceKind, Fact, Observation};
use tokio::time::Instant;

use super::Reading;
use super::wires::ChipError;

/// Failed polls in a row after which a chip counts as lost.
const POLLS_TO_LOSE: u32 = 3;
/// A poll that brought nothing is repeated after this, where it would else come later.
const AGAIN: Duration = Duration::from_secs(5);
/// A reading that stays the same is told this often.
const SAME_AGAIN: Duration = Duration::from_secs(15 * 60);
/// Less than this is no change: above the noise of the chips.
const CELSIUS_CHANGE: f64 = 0.3;
const HUMIDITY_CHANGE: f64 = 2.0;
const PPM_CHANGE: f64 = 50.0;

/// A chip.
#[derive(Debug)]
pub struct Sensor {
    origin: Origin,
    poll: Duration,
    /// Its 7-bit address.
    pub address: u8,
    /// The chip in words.
    who: String,
    /// When it is to be polled.
    pub due: Instant,
    failures: u32,
    lost: bool,
    told: Option<(Instant, Reading)>,
    /// The next reading is told whatever it is.
    anew: bool,
}

impl Sensor {
    /// A chip that is due at once.
    pub const fn new(origin: Origin, binding: &I2cBinding, who: String, now: Instant) -> Self {
        let (poll, address) = (binding.poll, binding.address);
        Self {
            origin,
            poll,
            address,
            who,
            due: now,
            failures: 0,
            lost: false,
            told: None,
            anew: false,
        }
    }

    /// The next reading is told whatever it is, if the chip is one of these.
    pub fn tell_anew_if(&mut self, devices: &BTreeSet<DeviceId>) {
        self.anew |= devices.contains(&self.origin.device);
    }

    /// Takes what a poll brought; returns what is to be told.
    pub fn polled(
        &mut self,
        now: Instant,
        read: Result<Option<Reading>, ChipError>,
    ) -> Vec<Observation> {
        let pause = match &read {
            Ok(Some(_)) => self.poll,
            Err(_) if self.lost => self.poll,
            _ => self.poll.min(AGAIN),
        };
        self.due = now + pause;
        let reading = match read {
            Ok(Some(reading)) => reading,
            Ok(None) => return Vec::new(),
            Err(error) => return self.failed(&error).into_iter().collect(),
        };
        self.failures = 0;
        let mut said = Vec::new();
        if std::mem::take(&mut self.lost) {
            said.push(self.say(Online { online: true, reason: None }));
        }
        let first = self.told.is_none();
        let anew = std::mem::take(&mut self.anew);
        if let Some((at, told)) = &self.told
            && !anew
            && now.duration_since(*at) < SAME_AGAIN
            && !changed(told, &reading)
        {
            return said;
        }
        // A thermometer is not asked for its air.
        let air = reading.air.clone().filter(|_| self.origin.kind == DeviceKind::AirQuality);
        let facts = [air.map(Fact::from), reading.climate.clone().map(Fact::from)];
        for fact in facts.into_iter().flatten() {
            let observation = self.say(fact);
            said.push(if first { observation.as_baseline() } else { observation });
        }
        self.told = Some((now, reading));
        said
    }

    fn failed(&mut self, error: &ChipError) -> Option<Observation> {
        self.failures = self.failures.saturating_add(1);
        tracing::debug!(device = %self.origin.device, %error, failures = self.failures, "no reading");
        if self.lost || self.failures < POLLS_TO_LOSE {
            return None;
        }
        self.lost = true;
        let reason = format!("{}: {error}", self.who);
        Some(self.say(Online { online: false, reason: Some(reason) }))
    }

    fn say(&self, fact: impl Into<Fact>) -> Observation {
        Observation::new(self.origin.clone(), fact)
    }
}

fn changed(told: &Reading, read: &Reading) -> bool {
    let differs = |told: Option<f64>, read: Option<f64>, least: f64| match (told, read) {
        (Some(told), Some(read)) => (told - read).abs() >= least,
        (told, read) => told.is_some() != read.is_some(),
    };
    let climate = |reading: &Reading| reading.climate.clone().unwrap_or_default();
    let air = |reading: &Reading| reading.air.clone().unwrap_or_default();
    let (was, is): (Climate, Climate) = (climate(told), climate(read));
    let (old, new): (Air, Air) = (air(told), air(read));
    differs(was.celsius, is.celsius, CELSIUS_CHANGE)
        || differs(was.relative_humidity_percent, is.relative_humidity_percent, HUMIDITY_CHANGE)
        || differs(old.co2_ppm, new.co2_ppm, PPM_CHANGE)
}
