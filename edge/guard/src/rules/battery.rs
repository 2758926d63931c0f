//! Guards against a device whose battery dies unnoticed. A device that says its battery is low,
//! or has less than 15 per cent, is a fault, found once; so is one whose charge, by the line it has
//! followed, will be at an end within 28 days (EN 50134-2 wants 28 days of work after the first notice
//! of a low battery, and a battery that falls faster than half a per cent a day does not have them at
//! 15 per cent). It is over when the device no longer says low, has more than 20 per cent (or says no
//! percentage) and lasts for 45 days more. Figures: 15 per cent is where the button cells of common
//! Zigbee triggers still have about that long, 20 per cent keeps a warm afternoon from ending it.
//!
//! A line is only believed of two weeks and more in which the charge fell by 8 points and more, the best
//! of each two days counted (a cold night is no use of charge), and at most of the last 90 days. A
//! charge that rises by 15 points is another battery, and begins anew.

use std::collections::VecDeque;

use anju_model::observation::Battery;
use anju_model::{Class, EntryId, Finding, Moment, Observation, OldCharge, Rule};

use super::{direct, over};

/// Below this the battery is low, per cent.
const LOW: f64 = 15.0;

/// Above this it no longer is, per cent.
const FINE: f64 = 20.0;

/// At this the battery is at its end, per cent: radios fail before cells are empty.
const END: f64 = 5.0;

/// The end is told so many days ahead, with the time that the best of two days takes.
const NOTICE_DAYS: f64 = 28.0 + BUCKET_DAYS;

/// Who lasts longer than this again is no longer low, days.
const LASTS_DAYS: f64 = 45.0;

/// The best of so many days counts as one, days.
const BUCKET_DAYS: f64 = 2.0;

/// Buckets remembered.
const MOST_BUCKETS: usize = 45;

/// A line of fewer days is none.
const LEAST_DAYS: f64 = 14.0;

/// A line that fell by less is none, points.
const LEAST_FALL: f64 = 8.0;

/// A charge that rises by so much is another battery's, points.
const CHANGED: f64 = 15.0;

/// Whether the battery was found low, and how its charge went.
#[derive(Debug, Clone, Default)]
pub struct State {
    low: bool,
    line: Line,
}

/// The charge over time: days on the line of time, per cent.
#[derive(Debug, Clone, Default)]
struct Line(VecDeque<(f64, f64)>);

fn day(at: Moment) -> f64 {
    // A home's life stays far below 2^53 ms.
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = at.0 as f64;
    milliseconds / 86_400_000.0
}

impl Line {
    fn note(&mut self, now: f64, percent: f64) {
        if let Some((since, best)) = self.0.back_mut() {
            if percent > *best + CHANGED {
                self.0.clear();
            } else if now - *since < BUCKET_DAYS {
                *best = best.max(percent);
                return;
            }
        }
        if self.0.len() >= MOST_BUCKETS {
            self.0.pop_front();
        }
        self.0.push_back((now, percent));
    }

    /// How many days are left by the line through all of it; none without a line that falls.
    fn days_left(&self, now: f64) -> Option<f64> {
        let (first, last) = (self.0.front()?.0, self.0.back()?.0);
        // Small beside a home's life.
        #[allow(clippy::cast_precision_loss)]
        let count = self.0.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| self.0.iter().map(of).sum::<f64>() / count;
        let (at, percent) = (mean(|(at, _)| *at), mean(|(_, percent)| *percent));
        let (mut together, mut alone) = (0.0, 0.0);
        for (x, y) in &self.0 {
            together += (x - at) * (y - percent);
            alone += (x - at) * (x - at);
        }
        let falls = -together / alone;
        let believed = last - first >= LEAST_DAYS && falls * (last - first) >= LEAST_FALL;
        let left = (percent - falls * (now - at) - END) / falls;
        (believed && left.is_finite()).then_some(left)
    }
}

impl State {
    /// Whether it is low.
    pub const fn low(&self) -> bool {
        self.low
    }

    /// The oldest charge that is known, if it is a day old.
    pub fn oldest(&self, now: Moment) -> Option<OldCharge> {
        let (since, percent) = *self.line.0.front()?;
        let age = day(now) - since;
        // Whole days of at most some months.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (age >= 1.0).then_some(OldCharge { days: age as u32, percent })
    }

    /// Takes over a charge that an older memory knew.
    pub fn remember(&mut self, old: OldCharge, now: Moment) {
        let at = day(now) - f64::from(old.days);
        let known = self.line.0.front().copied();
        let older = known.is_none_or(|(since, _)| since > at + 1.0);
        let same = known.is_none_or(|(_, percent)| percent <= old.percent + CHANGED);
        if older && same && old.percent.is_finite() && self.line.0.len() < MOST_BUCKETS {
            self.line.0.push_front((at, old.percent));
        }
    }
}

/// Judges a battery report.
pub fn observe(
    state: &mut State,
    battery: &Battery,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let flag = battery.low;
    let percent = battery.percent.filter(|p| p.is_finite());
    // What a broker kept is of an unknown time.
    if let Some(percent) = percent.filter(|_| !said.baseline) {
        state.line.note(day(now), percent);
    }
    let left = state.line.days_left(day(now));
    let within = |days: f64| left.is_some_and(|left| left <= days);
    let low = flag == Some(true) || percent.is_some_and(|p| p < LOW) || within(NOTICE_DAYS);
    let fine = !within(LASTS_DAYS)
        && flag != Some(true)
        && percent.map_or(flag == Some(false), |p| p > FINE);
    if low && !state.low {
        state.low = true;
        let mut raise = direct(Rule::DeviceLow, Class::Fault, said, cause);
        // A battery that is low during a test is low.
        raise.test = false;
        out.push(Finding::Raise(raise));
    } else if fine && state.low {
        state.low = false;
        out.push(over(Rule::DeviceLow, said, cause));
    }
}
