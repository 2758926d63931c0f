//! The box's clocks: boot id, monotonic time that counts suspend, wall clock and what is known of
//! it. Nothing here decides; it only reads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anju_model::{Clock, Stamp};
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
        Self { boot: boot.into(), looked: Arc::default() }
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
