//! The box's clocks: boot id, monotonic time that counts suspend, wall clock and what is known of
//! it. Nothing here decides; it only reads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anju_model::{Clock, Stamp};
use anju_upstream::CertificateClock;
use jiff::Timestamp;

/// systemd-timesyncd makes this file once it has set the clock during this boot.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// A clock before this was never set: the program did not exist yet. 2026-01-01T00:00:00Z.
const EARLIEST: i64 = 1_767_225_600;

/// How often that file is looked for, milliseconds: every fact is stamped, some several times.
const LOOK_EVERY_MS: u64 = 1_000;

/// Reads the clocks.
#[derive(Debug, Clone)]
pub struct Clocks {
    boot: Arc<str>,
    /// When the file was looked for last, in monotonic milliseconds times two, and one more if it
    /// was there; 0 for never.
    looked: Arc<AtomicU64>,
    /// The time that it is at least, in seconds since 1970.
    least: Arc<AtomicI64>,
}

impl Clocks {
    /// Finds out which boot this is. Without the kernel's id each start counts as a boot, which
    /// only means that durations before it are counted by the wall clock.
    pub fn new() -> Self {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = match id.trim() {
            "" => format!("start-{}", Timestamp::now().as_millisecond()),
            id => id.to_owned(),
        };
        let built = env!("ANJU_BUILT").parse().unwrap_or(0);
        Self { boot: boot.into(), looked: Arc::default(), least: Arc::new(AtomicI64::new(built)) }
    }

    /// Now.
    pub fn stamp(&self) -> Stamp {
        let (wall, mono_ms) = (Timestamp::now(), mono_ms());
        let clock = if wall.as_second() < EARLIEST {
            Clock::Unknown
        } else if self.synchronised(mono_ms) {
            Clock::Synchronised
        } else {
            Clock::Estimated
        };
        Stamp { boot: self.boot.clone(), mono_ms, wall, clock }
    }

    fn synchronised(&self, mono_ms: u64) -> bool {
        let before = self.looked.load(Ordering::Relaxed);
        if before > 0 && mono_ms < before / 2 + LOOK_EVERY_MS {
            return !before.is_multiple_of(2);
        }
        let there = Path::new(SYNCHRONISED).exists();
        self.looked.store(mono_ms * 2 + u64::from(there), Ordering::Relaxed);
        there
    }

    /// A time that was recorded by a known clock: it is later now.
    pub fn learn(&self, recorded: Timestamp) {
        self.least.fetch_max(recorded.as_second(), Ordering::Relaxed);
    }

    /// By what time certificates are judged.
    pub fn for_certificates(&self) -> CertificateClock {
        let clocks = self.clone();
        CertificateClock::new(move || {
            let least = Timestamp::from_second(clocks.least.load(Ordering::Relaxed));
            judged_by(&clocks.stamp(), least.ok())
        })
    }

    /// The wall clock, if anything is known of it.
    pub fn trusted(&self) -> Option<Timestamp> {
        let stamp = self.stamp();
        (stamp.clock != Clock::Unknown).then_some(stamp.wall)
    }
}

impl Default for Clocks {
    fn default() -> Self {
        Self::new()
    }
}

/// While the clock is not known it is at least as late as something that has happened.
fn judged_by(now: &Stamp, least: Option<Timestamp>) -> Timestamp {
    match now.clock {
        Clock::Unknown => least.map_or(now.wall, |least| least.max(now.wall)),
        Clock::Synchronised | Clock::Estimated => now.wall,
    }
}

/// How long the kernel has run.
pub fn uptime() -> Duration {
    Duration::from_millis(mono_ms())
}

/// Milliseconds of `CLOCK_BOOTTIME`.
fn mono_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1000 + nanos / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_judged_by_the_latest_that_is_known() {
        let judged = |wall: &str, clock, least: Option<&str>| {
            let wall = wall.parse().unwrap();
            let now = Stamp { boot: "b".into(), mono_ms: 1, wall, clock };
            judged_by(&now, least.map(|least| least.parse().unwrap())).to_string()
        };
        let (early, recorded) = ("1970-01-01T00:00:20Z", "2026-11-25T00:00:00Z");
        assert_eq!(judged(early, Clock::Unknown, Some(recorded)), recorded);
        assert_eq!(judged(early, Clock::Unknown, None), early);
        // A clock that is known is believed, whatever was recorded by a wrong one.
        let (before, after) = ("2026-11-24T00:00:00Z", "2026-12-24T00:00:00Z");
        for clock in [Clock::Estimated, Clock::Synchronised] {
            assert_eq!(judged(before, clock, Some(recorded)), before);
        }
        // It never goes back.
        assert_eq!(judged(after, Clock::Unknown, Some(recorded)), after);
    }

    #[test]
    fn the_program_knows_when_it_was_built() {
        let built: i64 = env!("ANJU_BUILT").parse().unwrap();
        assert!(built >= 0 && Timestamp::from_second(built).unwrap() <= Timestamp::now());
    }
}
