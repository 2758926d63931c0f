//! The flag of a detector that says that it tests itself. Some never take it back (Tuya's
//! `TS0601_gas_sensor_1`, EKF's gas alarm): it must never make a test of a real danger because
//! somebody pressed the test key long ago. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// What a detector feels within this time after it said that it tests itself is a test. A test of a
/// household detector takes seconds.
const TEST: Duration = Duration::from_secs(5 * 60);

/// The flag of one detector.
#[derive(Debug, Default)]
pub enum SelfTest {
    /// Not set, as far as is known.
    #[default]
    Off,
    /// Set, since then.
    Since(Instant),
    /// Set for too long, or nobody knows since when: it says nothing until it was taken back.
    Stale,
}

impl SelfTest {
    /// Whether what a message says is a test. `replayed`: a broker or bridge may have remembered it,
    /// so that nobody knows how old the flag is.
    pub fn counts(&mut self, flag: Option<bool>, replayed: bool, now: Instant) -> bool {
        match (flag, &self) {
            (None, _) => return false,
            (Some(false), _) => *self = Self::Off,
            (Some(true), Self::Off) if replayed => *self = Self::Stale,
            (Some(true), Self::Off) => *self = Self::Since(now),
            (Some(true), Self::Since(began)) => {
                if now.saturating_duration_since(*began) >= TEST {
                    *self = Self::Stale;
                }
            }
            (Some(true), Self::Stale) => {}
        }
        matches!(self, Self::Since(_))
    }
}
