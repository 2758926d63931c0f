//! One metering device between polls, whatever its protocol: what is due, what is worth telling.
//! Pure; time is given. It must never tell a reading that the device did not give, and never tell
//! twice that it is lost or back.

use std::collections::BTreeSet;
use std::time::Duration;

use anju_model::observation::{Battery, Identity, Meter as Reading, Online, Origin, Trouble};
use anju_model::{DeviceId, Observation};
use tokio::time::Instant;

/// Failed polls in a row after which a device counts as lost.
pub const POLLS_TO_LOSE: u32 = 3;
/// A reading that stays the same is told this often.
const SAME_AGAIN: Duration = Duration::from_secs(15 * 60);
/// The mains' voltage is never the same twice; less than this is no change, volts.
const VOLTAGE_CHANGE: f64 = 2.0;

/// What one poll brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// Whether the device answered anything that can be used.
    pub heard: bool,
    /// What was read; what was not is absent.
    pub reading: Reading,
    /// What is wrong with the device, all of it, in words.
    pub troubles: BTreeSet<String>,
    /// Its own low-battery flag.
    pub battery_low: Option<bool>,
    /// Why something did not come, the last reason.
    pub missed: Option<String>,
    /// Who it says it is, where it was asked.
    pub identity: Option<Identity>,
}

impl Round {
    /// A poll that brought nothing.
    pub fn missed(why: impl ToString) -> Self {
        Self { missed: Some(why.to_string()), ..Self::default() }
    }
}

/// A device.
#[derive(Debug)]
pub struct Meter {
    origin: Origin,
    poll: Duration,
    /// When it is to be polled.
    pub due: Instant,
    failures: u32,
    lost: bool,
    told: Option<(Instant, Reading)>,
    /// The next reading is told whatever it is.
    anew: bool,
    troubles: BTreeSet<String>,
    battery_low: Option<bool>,
    identity: Option<Identity>,
}

impl Meter {
    /// A device that is due at once.
    pub const fn new(origin: Origin, poll: Duration, now: Instant) -> Self {
        Self {
            origin,
            poll,
            due: now,
            failures: 0,
            lost: false,
            told: None,
            anew: false,
            troubles: BTreeSet::new(),
            battery_low: None,
            identity: None,
        }
    }

    /// Whether it did not answer for long.
    pub const fn is_lost(&self) -> bool {
        self.lost
    }

    /// The next reading is told whatever it is, if the device is one of these.
    pub fn tell_anew_if(&mut self, devices: &BTreeSet<DeviceId>) {
        self.anew |= devices.contains(&self.origin.device);
    }

    /// Takes what a poll of `who` brought; returns what is to be told.
    pub fn polled(&mut self, now: Instant, who: &str, round: Round) -> Vec<Observation> {
        // Never before now: on a bus that can not keep up, each device has its turn.
        self.due = (self.due + self.poll).max(now);
        if !round.heard {
            let reason = round.missed.unwrap_or_else(|| "nothing was read".to_owned());
            return self.failed(&format!("{who}: {reason}")).into_iter().collect();
        }
        self.failures = 0;
        let mut said = Vec::new();
        if std::mem::take(&mut self.lost) {
            said.push(self.say(Online { online: true, reason: None }));
        }
        if round.identity.is_some() && round.identity != self.identity {
            said.extend(round.identity.clone().map(|identity| self.say(identity).as_baseline()));
            self.identity = round.identity;
        }
        said.extend(self.trouble(who, round.troubles));
        if round.battery_low.is_some() && round.battery_low != self.battery_low {
            let battery = self.say(Battery { low: round.battery_low, ..Battery::default() });
            let first = self.battery_low.is_none();
            said.push(if first { battery.as_baseline() } else { battery });
            self.battery_low = round.battery_low;
        }
        said.extend(self.reading(now, round.reading));
        said
    }

    fn say(&self, fact: impl Into<anju_model::Fact>) -> Observation {
        Observation::new(self.origin.clone(), fact)
    }

    fn failed(&mut self, reason: &str) -> Option<Observation> {
        self.failures = self.failures.saturating_add(1);
        if self.lost || self.failures < POLLS_TO_LOSE {
            return None;
        }
        self.lost = true;
        Some(self.say(Online { online: false, reason: Some(reason.to_owned()) }))
    }

    /// Tells troubles when they change.
    fn trouble(&mut self, who: &str, troubles: BTreeSet<String>) -> Option<Observation> {
        if troubles == self.troubles {
            return None;
        }
        self.troubles = troubles;
        let active = !self.troubles.is_empty();
        let reason = if active {
            let all: Vec<&str> = self.troubles.iter().map(String::as_str).collect();
            format!("{who}: {}", all.join("; "))
        } else {
            format!("{who} is well again")
        };
        Some(self.say(Trouble { active, reason }))
    }

    fn reading(&mut self, now: Instant, reading: Reading) -> Option<Observation> {
        if reading == Reading::default() {
            return None;
        }
        let first = self.told.is_none();
        let anew = std::mem::take(&mut self.anew);
        if let Some((at, told)) = &self.told
            && !anew
            && now.duration_since(*at) < SAME_AGAIN
            && !changed(told, &reading)
        {
            return None;
        }
        self.told = Some((now, reading.clone()));
        let said = self.say(reading);
        Some(if first { said.as_baseline() } else { said })
    }
}

/// Whether anything that was read differs from what was told. What was not read tells nothing. The
/// current follows the power, so it is told with it and never by itself.
fn changed(told: &Reading, read: &Reading) -> bool {
    let differs = |told: Option<f64>, read: Option<f64>, least: f64| match (told, read) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(told), Some(read)) => (told - read).abs() >= least,
    };
    let flag = |told: Option<bool>, read: Option<bool>| read.is_some() && read != told;
    differs(told.energy_watt_hours, read.energy_watt_hours, f64::EPSILON)
        || differs(told.power_watts, read.power_watts, f64::EPSILON)
        || differs(told.voltage_volts, read.voltage_volts, VOLTAGE_CHANGE)
        || differs(told.volume_litres, read.volume_litres, f64::EPSILON)
        || differs(told.flow_litres_per_hour, read.flow_litres_per_hour, f64::EPSILON)
        || flag(told.leak, read.leak)
        || flag(told.supply_on, read.supply_on)
}
