//! When something happened. A box may have no clock battery, so each entry carries the boot, the
//! monotonic time and the wall clock with what is known of it. Durations must never be computed
//! from the wall clock alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is known of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Set by NTP or another trusted source during this boot.
    Synchronised,
    /// Carried over from before (saved time, battery-backed clock): close, not exact.
    Estimated,
    /// Nothing is known; the wall clock may say anything.
    Unknown,
}

/// The time of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Identifies the boot (of the kernel, or a container's start): equal ids mean that `mono_ms` can be compared.
    pub boot: std::sync::Arc<str>,
    /// Milliseconds on a monotonic clock that counts suspend (`CLOCK_BOOTTIME`).
    pub mono_ms: u64,
    /// The wall clock.
    pub wall: Timestamp,
    /// What is known of the wall clock.
    pub clock: Clock,
}
