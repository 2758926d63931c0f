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
/// the box was off, as soon as both sides know it; until then the outage counts as nothing. A clock
/// that was only estimated, as it is at each start of a box that restores the time it saved last,
/// tells it for the time being: the first synchronised stamp of the boot adds what was not counted.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    boot: Option<CurrentBoot>,
    latest: Moment,
    /// The last stamp by a clock that was known.
    known: Option<Fix>,
    /// The last stamp by a clock that was synchronised.
    synchronised: Option<Fix>,
    caught_up: Option<CaughtUp>,
}

#[derive(Debug, Clone)]
struct CurrentBoot {
    id: Arc<str>,
    /// Moment of `mono_ms` zero would be `base - first_mono`.
    base: Moment,
    first_mono: u64,
    began: Moment,
    /// From which stamps of earlier boots the outage is still to be counted, by a clock that is
    /// known and by one that is synchronised.
    known: Option<Fix>,
    synchronised: Option<Fix>,
    /// How much of it was counted.
    counted: Duration,
}

/// What a known clock showed at a moment.
#[derive(Debug, Clone, Copy)]
struct Fix {
    wall: Timestamp,
    at: Moment,
}

/// An outage that came to light only after its boot had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaughtUp {
    /// Where the boot began; what is placed later than that lies later than it was placed,
    pub began: Moment,
    /// by this.
    pub by: Duration,
}

impl CaughtUp {
    /// Where a moment that was placed before lies now.
    #[must_use]
    pub fn carry(self, at: Moment) -> Moment {
        if at > self.began { at.after(self.by) } else { at }
    }
}

impl Timeline {
    /// A line on which the first stamp lies at a moment other than zero.
    pub fn beginning_at(first: Moment) -> Self {
        Self { latest: first, ..Self::default() }
    }

    /// Where a stamp lies. Stamps must be given in the order of their entries.
    pub fn place(&mut self, stamp: &Stamp) -> Moment {
        let (mut boot, begins) = match self.boot.take() {
            Some(boot) if boot.id == stamp.boot => (boot, false),
            _ => (self.begin(stamp), true),
        };
        let in_boot = Duration::from_millis(stamp.mono_ms.saturating_sub(boot.first_mono));
        let outage_since = match stamp.clock {
            Clock::Unknown => None,
            Clock::Estimated => boot.known.take(),
            Clock::Synchronised => {
                let known = boot.known.take();
                boot.synchronised.take().or(known)
            }
        };
        let here = boot.base.after(in_boot);
        let missed = outage_since.map(|since| since.outage(stamp.wall, here, boot.counted));
        let missed = missed.unwrap_or_default();
        boot.counted += missed;
        boot.base = boot.base.after(missed);
        if begins {
            boot.began = boot.base;
        }
        self.caught_up =
            (!begins && !missed.is_zero()).then_some(CaughtUp { began: boot.began, by: missed });
        self.latest = self.latest.max(boot.base.after(in_boot));
        let fix = Some(Fix { wall: stamp.wall, at: self.latest });
        match stamp.clock {
            Clock::Unknown => {}
            Clock::Estimated => self.known = fix,
            Clock::Synchronised => (self.known, self.synchronised) = (fix, fix),
        }
        self.boot = Some(boot);
        self.latest
    }

    fn begin(&self, stamp: &Stamp) -> CurrentBoot {
        CurrentBoot {
            id: stamp.boot.clone(),
            base: self.latest,
            first_mono: stamp.mono_ms,
            began: self.latest,
            known: self.known,
            synchronised: self.synchronised,
            counted: Duration::ZERO,
        }
    }

    /// The latest moment placed.
    pub const fn latest(&self) -> Moment {
        self.latest
    }

    /// The outage that the stamp placed last brought to light, if its boot had begun before.
    pub const fn caught_up(&self) -> Option<CaughtUp> {
        self.caught_up
    }
}

impl Fix {
    /// How much of the time since then is missing on the line that has come to `here` when the
    /// wall clock shows `now`.
    fn outage(self, now: Timestamp, here: Moment, counted: Duration) -> Duration {
        let between = Duration::try_from(now.duration_since(self.wall)).unwrap_or_default();
        let missed = between.saturating_sub(here.since(self.at));
        let whole = missed.saturating_add(counted);
        if whole <= LONGEST_COUNTED_OUTAGE { missed } else { Duration::ZERO }
    }
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

    #[test]
    fn what_an_estimated_clock_did_not_count_is_added_once_it_is_synchronised() {
        let mut line = Timeline::default();
        line.place(&stamp("a", 0, 1000, Clock::Synchronised));
        line.place(&stamp("a", 10, 1010, Clock::Synchronised));
        // The box was off for ten hours and restores the time it saved last.
        assert_eq!(seconds(&mut line, &stamp("b", 0, 1011, Clock::Estimated)), 11);
        assert_eq!(seconds(&mut line, &stamp("b", 30, 1041, Clock::Estimated)), 41);
        assert_eq!(line.caught_up(), None);
        let synchronised = stamp("b", 60, 1010 + 36_000 + 60, Clock::Synchronised);
        assert_eq!(seconds(&mut line, &synchronised), 36_070);
        let caught_up = line.caught_up().unwrap();
        assert_eq!(caught_up.by.as_secs(), 35_999);
        assert_eq!(caught_up.carry(Moment(11_000)), Moment(11_000));
        assert_eq!(caught_up.carry(Moment(41_000)), Moment(36_040_000));
        // Once only: a clock that jumps after that changes nothing.
        assert_eq!(seconds(&mut line, &stamp("b", 61, 90_000, Clock::Synchronised)), 36_071);
        assert_eq!(line.caught_up(), None);
    }

    #[test]
    fn an_outage_is_not_counted_twice_nor_by_a_clock_that_is_far_wrong() {
        let year = 365 * 86_400;
        for (estimated, at_first, synchronised, at_last) in [
            // A clock with a battery.
            (4610, 3610, 4620, 3620),
            // Saved some minutes before the end.
            (700, 10, 4620, 3620),
            // Too late: what was counted stays.
            (8210, 7210, 4620, 7220),
            // A year ahead, until it is mended or for ever.
            (year, 10, 4620, 3620),
            (year, 10, year, 20),
            // Longer than is counted.
            (1010, 10, 1020 + 73 * 3600, 20),
            (1010 + 60 * 3600, 10 + 60 * 3600, 1020 + 73 * 3600, 20 + 60 * 3600),
        ] {
            let mut line = Timeline::default();
            line.place(&stamp("a", 0, 1000, Clock::Synchronised));
            line.place(&stamp("a", 10, 1010, Clock::Synchronised));
            let first = seconds(&mut line, &stamp("b", 0, estimated, Clock::Estimated));
            let last = seconds(&mut line, &stamp("b", 10, synchronised, Clock::Synchronised));
            assert_eq!((first, last), (at_first, at_last), "{estimated} {synchronised}");
        }
    }

    #[test]
    fn boots_that_never_knew_the_time_are_caught_up_with_the_first_that_does() {
        for unsure in [Clock::Estimated, Clock::Unknown] {
            let mut line = Timeline::default();
            line.place(&stamp("a", 0, 1000, Clock::Synchronised));
            // Off for 1000 s, on for 100 s, off for 2000 s.
            let saved = if unsure == Clock::Unknown { 0 } else { 1000 };
            line.place(&stamp("b", 0, saved, unsure));
            assert_eq!(seconds(&mut line, &stamp("b", 100, saved + 100, unsure)), 100);
            line.place(&stamp("c", 0, saved + 100, unsure));
            let synchronised = stamp("c", 10, 1000 + 1000 + 100 + 2000 + 10, Clock::Synchronised);
            assert_eq!(seconds(&mut line, &synchronised), 3110, "{unsure:?}");
        }
    }
}
