//! One meter between polls: what is due, what is worth telling. Pure; time is given. It must never
//! tell a reading that the meter did not give, and never tell twice that it is lost or back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anju_model::Observation;
use anju_model::observation::{Meter as Reading, Online, Origin, Trouble};
use tokio::time::Instant;

use super::dlt645::{Address, Item, Refusal, Value};

/// What is read at each poll, in this order.
pub const ITEMS: [Item; 3] = [Item::ImportEnergy, Item::Power, Item::Voltage];
/// Failed polls in a row after which a meter counts as lost.
pub const POLLS_TO_LOSE: u32 = 3;
/// A reading that stays the same is told this often.
const SAME_AGAIN: Duration = Duration::from_secs(15 * 60);
/// The mains' voltage is never the same twice; less than this is no change.
const VOLTAGE_CHANGE: f64 = 2.0;
/// Tries for one item.
const TRIES: u32 = 3;
/// Smallest step of the energy counter, watt hours.
const ENERGY_STEP: f64 = 10.0;

/// What one poll brought.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// What was read.
    pub values: Vec<Value>,
    /// What the meter refused.
    pub refused: Vec<(Item, Refusal)>,
    /// What did not come, and why.
    pub missed: Vec<(Item, String)>,
}

impl Round {
    /// Whether the meter answered anything that can be used.
    fn heard(&self) -> bool {
        !self.values.is_empty() || !self.refused.is_empty()
    }
}

/// A meter.
#[derive(Debug)]
pub struct Meter {
    origin: Origin,
    /// Its address.
    pub address: Address,
    poll: Duration,
    /// When it is to be polled.
    pub due: Instant,
    failures: u32,
    lost: bool,
    told: Option<(Instant, Reading)>,
    refused: BTreeMap<Item, Refusal>,
    told_refused: BTreeMap<Item, Refusal>,
    quiet: BTreeSet<Item>,
}

impl Meter {
    /// A meter that is due at once.
    pub const fn new(origin: Origin, address: Address, poll: Duration, now: Instant) -> Self {
        Self {
            origin,
            address,
            poll,
            due: now,
            failures: 0,
            lost: false,
            told: None,
            refused: BTreeMap::new(),
            told_refused: BTreeMap::new(),
            quiet: BTreeSet::new(),
        }
    }

    /// How often to ask for an item: once for what was not answered lately, so that it costs the
    /// others on the bus little.
    pub fn tries(&self, item: Item) -> u32 {
        let hopeless = self.lost || (item != Item::ImportEnergy && self.quiet.contains(&item));
        if hopeless { 1 } else { TRIES }
    }

    /// Takes what a poll brought; returns what is to be told.
    pub fn polled(&mut self, now: Instant, round: &Round) -> Vec<Observation> {
        // Never before now: on a bus that can not keep up, each meter has its turn.
        self.due = (self.due + self.poll).max(now);
        for value in &round.values {
            self.quiet.remove(&value.item);
            self.refused.remove(&value.item);
        }
        for (item, refusal) in &round.refused {
            self.quiet.remove(item);
            self.refused.insert(*item, *refusal);
        }
        self.quiet.extend(round.missed.iter().map(|(item, _)| *item));
        if !round.heard() {
            let reason = round.missed.last().map(|(_, reason)| reason.as_str());
            return self.failed(reason.unwrap_or("nothing was read")).into_iter().collect();
        }
        self.failures = 0;
        let mut said = Vec::new();
        if std::mem::take(&mut self.lost) {
            said.push(self.say(Online { online: true, reason: None }));
        }
        said.extend(self.trouble());
        said.extend(self.reading(now, &round.values));
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
        let reason = Some(format!("meter {}: {reason}", self.address));
        Some(self.say(Online { online: false, reason }))
    }

    /// Tells refusals when they change. That a meter does not measure power or voltage is no
    /// trouble: many simple ones do not.
    fn trouble(&mut self) -> Option<Observation> {
        if self.refused == self.told_refused {
            return None;
        }
        let words = |refused: &BTreeMap<Item, Refusal>| {
            let troubles = refused.iter().filter(|(item, what)| !is_lack(**item, **what)).map(
                |(item, what)| format!("meter {} refuses to tell its {item}: {what}", self.address),
            );
            troubles.collect::<Vec<_>>().join("; ")
        };
        let (before, after) = (words(&self.told_refused), words(&self.refused));
        for (item, what) in &self.refused {
            tracing::info!(meter = %self.address, %item, %what, "the meter refuses");
        }
        self.told_refused = self.refused.clone();
        if before == after {
            return None;
        }
        let active = !after.is_empty();
        let reason = if active { after } else { format!("meter {} tells again", self.address) };
        Some(self.say(Trouble { active, reason }))
    }

    fn reading(&mut self, now: Instant, values: &[Value]) -> Option<Observation> {
        if values.is_empty() {
            return None;
        }
        let mut reading = Reading::default();
        for value in values {
            let figure = Some(value.in_units());
            match value.item {
                Item::ImportEnergy => {
                    reading.energy_watt_hours = figure;
                    reading.resolution = Some(ENERGY_STEP);
                }
                Item::Power => reading.power_watts = figure,
                Item::Voltage => reading.voltage_volts = figure,
                Item::Current => reading.current_amperes = figure,
            }
        }
        let first = self.told.is_none();
        if let Some((at, told)) = &self.told
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

/// The meter has no such register, and need not have it.
fn is_lack(item: Item, refusal: Refusal) -> bool {
    item != Item::ImportEnergy && refusal == Refusal(0x02)
}

/// Whether anything that was read differs from what was told. What was not read tells nothing.
fn changed(told: &Reading, read: &Reading) -> bool {
    let differs = |told: Option<f64>, read: Option<f64>, least: f64| match (told, read) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(told), Some(read)) => (told - read).abs() >= least,
    };
    differs(told.energy_watt_hours, read.energy_watt_hours, f64::EPSILON)
        || differs(told.power_watts, read.power_watts, f64::EPSILON)
        || differs(told.current_amperes, read.current_amperes, f64::EPSILON)
        || differs(told.voltage_volts, read.voltage_volts, VOLTAGE_CHANGE)
}
