//! The journal's figures, each with its default. Plain data.

use std::time::Duration;

/// Figures of a journal. All have defaults made for an SD card of a few gigabytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Disk budget of the engine's folder, bytes. Default 1 GiB. The engine needs about
    /// [`SPACE_FACTOR`] bytes of disk for each byte of entry, which is accounted for.
    pub max_bytes: u64,
    /// Entries kept in memory while they wait for the disk. Default 65,536.
    pub queue_entries: usize,
    /// Bytes of bodies kept in memory while they wait for the disk. Default 16 MiB.
    pub queue_bytes: usize,
    /// The longest wait of a `Grouped` entry. Default 5 s.
    pub grouped: Duration,
    /// The longest wait of a `Lazy` entry. Default 2 minutes.
    pub lazy: Duration,
    /// So many waiting entries are flushed without further wait. Default 1,024.
    pub flush_entries: usize,
    /// So many waiting bytes are flushed without further wait. Default 256 KiB.
    pub flush_bytes: usize,
    /// The most entries written between two flushes. Default 4,096.
    pub batch_entries: usize,
    /// Free space below which nothing is written, bytes. Default 16 MiB: the engine must never
    /// run into the end of the disk itself.
    pub min_free_bytes: u64,
    /// Pause between two attempts to record again. Default 5 s.
    pub retry_every: Duration,
    /// A write that takes longer counts as a dead disk. Default 10 s.
    pub stall_after: Duration,
    /// An opening that takes longer counts as failed. Default 60 s (a million entries take 0.3 s).
    pub open_within: Duration,
    /// How often cursors are forced to the disk, at most. Default 1 s.
    pub cursor_sync: Duration,
}

/// Bytes of disk for each byte of record (measured: 2.4).
pub const SPACE_FACTOR: f64 = 2.4;

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_bytes: 1 << 30,
            queue_entries: 65_536,
            queue_bytes: 16 << 20,
            grouped: Duration::from_secs(5),
            lazy: Duration::from_secs(120),
            flush_entries: 1_024,
            flush_bytes: 256 << 10,
            batch_entries: 4_096,
            min_free_bytes: 16 << 20,
            retry_every: Duration::from_secs(5),
            stall_after: Duration::from_secs(10),
            open_within: Duration::from_secs(60),
            cursor_sync: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// Bytes of records that fit into the disk budget: above it even needed entries are shed.
    pub fn hard_payload(&self) -> u64 {
        (self.max_bytes as f64 / SPACE_FACTOR) as u64
    }

    /// Above it, entries that every follower has passed are removed (nine tenths of the hard one).
    pub fn soft_payload(&self) -> u64 {
        self.hard_payload() / 10 * 9
    }
}
