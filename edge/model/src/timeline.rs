//! One line of time over restarts and clock jumps. Rules count durations on it; replaying the same
//! stamps gives the same moments. It must never run backwards.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::{Clock, Stamp};

/// A moment on the box's own line of time: milliseconds since the first stamp that was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment that much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Time since an earlier moment; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The longest time without the box that is still counted. A box that was off for longer knows
/// nothing of what happened meanwhile, and a larger difference is more often a wrong clock.
pub const LONGEST_COUNTED_OUTAGE: Duration = Duration::from_secs(72 * 3600);

/// Places stamps on one line of time.
///
/// Within a boot only the monotonic clock counts. Between two boots the wall clock tells how long
/// the box was off, as soon as both sides know it; until then the outage counts as nothing.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    boot: Option<CurrentBoot>,
    latest: Moment,
    last_wall: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct CurrentBoot {
    id: Arc<str>,
    /// Moment of `mono_ms` zero would be `base - first_mono`.
    base: Moment,
    first_mono: u64,
    /// The last trusted wall clock of an earlier boot, while the outage after it is not yet counted.
    outage_since: Option<Timestamp>,
}

impl Timeline {
    /// Where a stamp lies. Stamps must be given in the order of their entries.
    pub fn place(&mut self, stamp: &Stamp) -> Moment {
        let trusted = (stamp.clock != Clock::Unknown).then_some(stamp.wall);
        let mut boot = match self.boot.take() {
            Some(boot) if boot.id == stamp.boot => boot,
            _ => CurrentBoot {
                id: stamp.boot.clone(),
                base: self.latest,
                first_mono: stamp.mono_ms,
                outage_since: self.last_wall,
            },
        };
        let in_boot = Duration::from_millis(stamp.mono_ms.saturating_sub(boot.first_mono));
        if let (Some(wall), Some(before)) = (trusted, boot.outage_since) {
            boot.outage_since = None;
            boot.base = boot.base.after(outage(before, wall, in_boot));
        }
        self.latest = self.latest.max(boot.base.after(in_boot));
        self.boot = Some(boot);
        if trusted.is_some() {
            self.last_wall = trusted;
        }
        self.latest
    }

    /// The latest moment placed.
    pub const fn latest(&self) -> Moment {
        self.latest
    }
}

fn outage(before: Timestamp, now: Timestamp, in_boot: Duration) -> Duration {
    let between = Duration::try_from(now.duration_since(before)).unwrap_or_default();
    let off = between.saturating_sub(in_boot);
    if off <= LONGEST_COUNTED_OUTAGE { off } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(boot: &str, mono_s: u64, wall_s: i64, clock: Clock) -> Stamp {
        Stamp {
            boot: boot.into(),
            mono_ms: mono_s * 1000,
            wall: Timestamp::from_second(wall_s).unwrap(),
            clock,
        }
    }

    fn seconds(line: &mut Timeline, stamp: &Stamp) -> u64 {
        line.place(stamp).0 / 1000
    }

    #[test]
    fn a_clock_jump_within_a_boot_changes_nothing() {
        let mut line = Timeline::default();
        assert_eq!(seconds(&mut line, &stamp("a", 100, 0, Clock::Synchronised)), 0);
        let year = 365 * 86400;
        assert_eq!(seconds(&mut line, &stamp("a", 160, year, Clock::Synchronised)), 60);
        assert_eq!(seconds(&mut line, &stamp("a", 170, -year, Clock::Synchronised)), 70);
    }

    #[test]
    fn an_outage_counts_once_the_clock_is_known() {
        let mut line = Timeline::default();
        line.place(&stamp("a", 0, 1000, Clock::Synchronised));
        line.place(&stamp("a", 10, 1010, Clock::Synchronised));
        assert_eq!(seconds(&mut line, &stamp("b", 5, 0, Clock::Unknown)), 10);
        // Ten seconds into the new boot the clock is set: the box was off for 3600 s.
        assert_eq!(seconds(&mut line, &stamp("b", 15, 4620, Clock::Synchronised)), 3620);
        assert_eq!(seconds(&mut line, &stamp("b", 16, 4621, Clock::Synchronised)), 3621);
    }

    #[test]
    fn it_never_runs_backwards_and_ignores_absurd_outages() {
        let mut line = Timeline::default();
        line.place(&stamp("a", 0, 1_000_000, Clock::Synchronised));
        assert_eq!(seconds(&mut line, &stamp("b", 0, 10, Clock::Synchronised)), 0);
        assert_eq!(seconds(&mut line, &stamp("c", 0, 90_000_000, Clock::Synchronised)), 0);
    }
}
