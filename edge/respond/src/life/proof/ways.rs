//! When a way is proved without waking anybody, and what follows from it.

use std::time::Duration;

use anju_model::config::ChannelKind;
use anju_model::{BoxId, Moment};

use super::{FAILED, PROVED, Proof, QUIET, Task, event, fault, part_of_way};
use crate::life::civil::Civil;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The first minute of the day in which a box proves its ways; boxes spread over two hours, so that
/// a server does not hear all of a town at once.
const FIRST_MINUTE: u16 = 2 * 60;
const SPREAD_MINUTES: u16 = 2 * 60;
/// The minute of the day by which a night's round has begun.
const LAST_MINUTE: u16 = 5 * 60;

/// A round this long ago was that of another night.
const ANOTHER_NIGHT: Duration = Duration::from_secs(20 * 3600);
/// Without a night at which it was on, or without a clock, a box proves its ways at any hour.
const OVERDUE: Duration = Duration::from_secs(36 * 3600);

/// Lines are dialled anew and servers restarted by night: that many failures make a broken way.
const FAILURES: u32 = 3;
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// Longest wait for a result; whoever proves answers sooner.
const GIVEN_UP: Duration = Duration::from_secs(5 * 60);

/// Whether it is the time of night for this box; unknown without a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Night(bool);

impl Night {
    pub(super) fn of(box_id: &BoxId, civil: &Civil, now: Moment) -> Self {
        let sum: u32 = box_id
            .as_str()
            .bytes()
            .fold(7, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        let own = u16::try_from(sum % u32::from(SPREAD_MINUTES)).unwrap_or(0);
        let minute = |at: jiff::civil::DateTime| {
            u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0)
        };
        let is = |minute| (FIRST_MINUTE + own..LAST_MINUTE).contains(&minute);
        Self(civil.at(now).is_some_and(|at| is(minute(at))))
    }
}

#[cfg(test)]
impl Night {
    pub(super) const fn is_on(self) -> bool {
        self.0
    }
}

/// One way.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// When a round last ended, well or not.
    tried: Option<Moment>,
    under_way: Option<Moment>,
    failures: u32,
    /// When it is tried again.
    again: Option<Moment>,
    broken: bool,
    /// Somebody waits for the result, and one failure is enough.
    urgent: bool,
}

impl Way {
    pub(super) fn due(&self, now: Moment, night: Night, began: Moment) -> bool {
        if self.under_way.is_some_and(|since| now.since(since) < GIVEN_UP) {
            return false;
        }
        if let Some(again) = self.again {
            return again <= now;
        }
        let since = now.since(self.tried.unwrap_or(began));
        let another_night = self.tried.is_none() || since >= ANOTHER_NIGHT;
        night.0 && another_night || since >= OVERDUE
    }

    pub(super) fn begin(&mut self, kind: ChannelKind, now: Moment) -> Task {
        self.under_way = Some(now);
        Task::Prove(kind)
    }

    /// Somebody wants it proved now.
    pub(super) fn asked(&mut self, kind: ChannelKind, now: Moment) -> Task {
        self.urgent = true;
        self.begin(kind, now)
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn ended(&mut self, kind: ChannelKind, now: Moment, proof: Proof) -> Vec<Task> {
        self.under_way = None;
        let urgent = std::mem::take(&mut self.urgent);
        let proved =
            |result, reason| Task::Record(event(kind.as_str(), None, QUIET, result, reason));
        match proof {
            Proof::NotWithoutWaking => {
                (self.tried, self.again, self.failures) = (Some(now), None, 0);
                Vec::new()
            }
            Proof::Proved => {
                self.tried = Some(now);
                let mut tasks = vec![proved(PROVED, None)];
                tasks.extend(self.mended(kind, "it is proved again"));
                tasks
            }
            Proof::Failed(why) => {
                self.failures = self.failures.saturating_add(1);
                let known = self.broken;
                self.broken |= urgent || self.failures >= FAILURES;
                self.again = Some(now.after(if self.broken { HOUR } else { AGAIN }));
                if !self.broken || known {
                    return Vec::new();
                }
                self.tried = Some(now);
                let reason = format!("it can not be proved: {why}");
                let broken = fault(part_of_way(kind.as_str()), true, &reason);
                vec![proved(FAILED, Some(why)), broken]
            }
        }
    }

    /// What was proved counts no more; it is due at once.
    pub(super) fn forget(&mut self, now: Moment) {
        (self.tried, self.failures, self.again) = (None, 0, Some(now));
    }

    /// It works, by whatever sign.
    pub(super) fn mended(&mut self, kind: ChannelKind, reason: &str) -> Option<Task> {
        (self.failures, self.again) = (0, None);
        let was = std::mem::take(&mut self.broken);
        was.then(|| fault(part_of_way(kind.as_str()), false, reason))
    }

    /// A recorded round. A way that was broken before the start is told anew once it fails again,
    /// since faults end with a start.
    pub(super) fn recall(&mut self, at: Moment, proved: bool) {
        self.tried = Some(at);
        if proved {
            (self.failures, self.again) = (0, None);
        } else {
            (self.failures, self.again) = (FAILURES, Some(at.after(MINUTE)));
        }
    }
}
