//! The box's clocks: boot id, monotonic time that counts suspend, wall clock and what is known of
//! it. Nothing here decides; it only reads.

use std::path::Path;
use std::sync::Arc;

use anju_model::{Clock, Stamp};
use jiff::Timestamp;

/// systemd-timesyncd makes this file once it has set the clock during this boot.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// A clock before this was never set: the program did not exist yet. 2026-01-01T00:00:00Z.
const EARLIEST: i64 = 1_767_225_600;

/// Reads the clocks.
#[derive(Debug, Clone)]
pub struct Clocks {
    boot: Arc<str>,
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
        Self { boot: boot.into() }
    }

    /// Now.
    pub fn stamp(&self) -> Stamp {
        let wall = Timestamp::now();
        let clock = if wall.as_second() < EARLIEST {
            Clock::Unknown
        } else if Path::new(SYNCHRONISED).exists() {
            Clock::Synchronised
        } else {
            Clock::Estimated
        };
        Stamp { boot: self.boot.clone(), mono_ms: mono_ms(), wall, clock }
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

/// Milliseconds of `CLOCK_BOOTTIME`.
fn mono_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1000 + nanos / 1_000_000
}
