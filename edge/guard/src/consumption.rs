//! Electricity and water as evidence of a person: a step above the learned base line. It learns
//! for a day before it says anything, and it must never take a steady flow, a dripping tap or a
//! cycling fridge for a person. Where it is unsure it says nothing: too little evidence leads to a
//! question, too much would hide a silence.
//!
//! A step's size is compared with the sizes of those steps that come round the clock, without the
//! pause that a night makes in what people do. Those are machines. Only a step larger than all of
//! them together is a person's.

use std::time::Duration;

use anju_model::Moment;
use anju_model::observation::Meter;

/// How long is learned before a step says anything.
const LEARNING: Duration = Duration::from_secs(24 * 3600);

/// Readings further apart than this do not show a step between them.
const LONGEST_GAP: Duration = Duration::from_secs(30 * 60);

/// A pause of consumption after which more of it is a new use.
const PAUSE: Duration = Duration::from_secs(15 * 60);

/// What never pauses for longer than this within a day goes by itself, in hours.
const LONGEST_PAUSE_OF_A_MACHINE: u32 = 8;

/// How many sizes of steps are remembered.
const SIZES: usize = 12;

/// Smallest step of power that counts, watts.
const LEAST_WATTS: f64 = 30.0;

/// Smallest step of flow that counts, litres an hour (half a litre a minute).
const LEAST_LITRES_PER_HOUR: f64 = 30.0;

/// Smallest use by a counter that counts, litres.
const LEAST_LITRES: f64 = 0.5;

/// What was learned of one meter.
#[derive(Debug, Clone, Default)]
pub struct Consumption {
    power: Channel,
    flow: Channel,
    volume: Channel,
    last_use: Option<Moment>,
}

#[derive(Debug, Clone, Default)]
struct Channel {
    previous: Option<(f64, Moment)>,
    noise: f64,
    began: Option<Moment>,
    sizes: Vec<Size>,
}

#[derive(Debug, Clone)]
struct Size {
    amount: f64,
    /// One bit for each of the latest 24 hours in which it came; bit 0 is `hour`.
    hours: u32,
    hour: u64,
}

const DAY_MASK: u32 = (1 << 24) - 1;

impl Size {
    fn shift_to(&mut self, hour: u64) {
        let by = u32::try_from(hour.saturating_sub(self.hour)).unwrap_or(u32::MAX);
        self.hours = self.hours.checked_shl(by).unwrap_or(0) & DAY_MASK;
        self.hour = self.hour.max(hour);
    }

    fn round_the_clock(&self) -> bool {
        let (mut longest, mut pause) = (0, 0);
        for bit in 0..24 {
            pause = if self.hours & (1 << bit) == 0 { pause + 1 } else { 0 };
            longest = longest.max(pause);
        }
        longest <= LONGEST_PAUSE_OF_A_MACHINE
    }
}

impl Channel {
    /// Learns that a step of this size came; true if it was a person's.
    fn judge(&mut self, amount: f64, least: f64, watch: Moment) -> bool {
        let hour = watch.0 / 3_600_000;
        for size in &mut self.sizes {
            size.shift_to(hour);
        }
        let same = |s: &&mut Size| (s.amount - amount).abs() <= (s.amount * 0.2).max(least / 2.0);
        if let Some(size) = self.sizes.iter_mut().find(same) {
            size.amount += (amount - size.amount) / 8.0;
            size.hours |= 1;
        } else {
            if self.sizes.len() >= SIZES {
                // The one that came in the fewest hours of the day teaches least.
                let rarest = self.sizes.iter().map(|s| s.hours.count_ones()).min();
                if let Some(at) =
                    self.sizes.iter().position(|s| Some(s.hours.count_ones()) == rarest)
                {
                    self.sizes.remove(at);
                }
            }
            self.sizes.push(Size { amount, hours: 1, hour });
        }
        let learned = self.began.is_some_and(|began| watch.since(began) >= LEARNING);
        let machines: f64 =
            self.sizes.iter().filter(|s| s.round_the_clock()).map(|s| s.amount).sum();
        learned && amount > least + 4.0 * self.noise + 1.25 * machines
    }

    /// The difference to the reading before, if both belong together.
    fn advance(&mut self, value: f64, watch: Moment) -> Option<f64> {
        self.began.get_or_insert(watch);
        let (before, at) = self.previous.replace((value, watch))?;
        (watch.since(at) <= LONGEST_GAP).then_some(value - before)
    }

    fn step(&mut self, value: f64, least: f64, baseline: bool, watch: Moment) -> bool {
        let Some(step) = self.advance(value, watch) else { return false };
        if baseline {
            return false;
        }
        if step.abs() < least {
            self.noise += (step.abs() - self.noise) / 16.0;
            return false;
        }
        step > 0.0 && self.judge(step, least, watch)
    }
}

impl Consumption {
    /// Takes a reading; true if it shows a person.
    pub fn step(&mut self, meter: &Meter, baseline: bool, watch: Moment) -> bool {
        let finite = |value: Option<f64>| value.filter(|v| v.is_finite());
        let mut seen = false;
        if let Some(watts) = finite(meter.power_watts) {
            seen |= self.power.step(watts, LEAST_WATTS, baseline, watch);
        }
        if let Some(flow) = finite(meter.flow_litres_per_hour) {
            seen |= self.flow.step(flow, LEAST_LITRES_PER_HOUR, baseline, watch);
        }
        if let Some(litres) = finite(meter.volume_litres) {
            seen |= self.used(litres, baseline, watch);
        }
        seen
    }

    /// A counter shows a person only where a use begins; going on is a steady flow.
    fn used(&mut self, litres: f64, baseline: bool, watch: Moment) -> bool {
        let Some(used) = self.volume.advance(litres, watch) else { return false };
        if baseline || used <= 0.0 {
            return false;
        }
        let before = self.last_use.replace(watch);
        let begins = before.is_none_or(|before| watch.since(before) >= PAUSE);
        begins && self.volume.judge(used, LEAST_LITRES, watch)
    }
}

#[cfg(test)]
mod tests;
