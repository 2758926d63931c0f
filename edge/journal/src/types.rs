//! The plain words of the journal: numbers, lanes, urgencies, records, gaps and notices.
//!
//! Nothing here does anything, and nothing here knows what a body means.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;

/// The largest body an entry may have, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// An entry's number. Never used twice: `seq` rises by one with each entry of an epoch, and the
/// epoch rises whenever numbers could repeat. Pairs compare in the order in which they were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number {
    /// Kept outside the engine.
    pub epoch: u64,
    /// Shared over both lanes; the first is 1.
    pub seq: u64,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.epoch, self.seq)
    }
}

/// The two ways through the journal. Alerts overtake events and are shed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// What must reach a human.
    Alerts,
    /// All the rest.
    Events,
}

impl Lane {
    /// Both lanes, alerts first.
    pub const ALL: [Lane; 2] = [Lane::Alerts, Lane::Events];

    /// The lane's name in files and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Lane::Alerts => "alerts",
            Lane::Events => "events",
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Lane::Alerts => 0,
            Lane::Events => 1,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How soon an entry must be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Flush at once, together with everything queued before it.
    Now,
    /// With the next group, at most [`Settings::grouped`](crate::Settings::grouped) later.
    Grouped,
    /// The figure can wait: at most [`Settings::lazy`](crate::Settings::lazy) later.
    Lazy,
}

/// One entry as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub number: Number,
    /// Its lane.
    pub lane: Lane,
    /// The very bytes that were appended.
    pub body: Bytes,
}

/// Numbers that the journal gave out and does not (or may not) hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gap {
    /// The epoch of the numbers.
    pub epoch: u64,
    /// Only entries of this lane are missing; `None`: of either.
    pub lane: Option<Lane>,
    /// The first missing number.
    pub from: u64,
    /// The last missing number (inclusive).
    pub to: u64,
}

impl Gap {
    /// True when an entry with this number and lane may be among the missing.
    pub fn covers(&self, number: Number, lane: Lane) -> bool {
        self.epoch == number.epoch
            && self.lane.is_none_or(|own| own == lane)
            && (self.from..=self.to).contains(&number.seq)
    }
}

/// Why nothing is written to the disk at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Less free space than [`Settings::min_free_bytes`](crate::Settings::min_free_bytes), or the
    /// disk refused a write for want of space.
    #[error("the disk is full: free some space in the data folder's file system")]
    DiskFull,
    /// The file system takes no writes.
    #[error("the disk is read-only: check the card, then remount it for writing")]
    ReadOnly,
    /// The user may not write here.
    #[error("permission denied: give the data folder to the user who runs this")]
    Denied,
    /// The engine's file is held by another opener.
    #[error("the journal is held by another process: stop it first")]
    Locked,
    /// A write did not come back within [`Settings::stall_after`](crate::Settings::stall_after).
    #[error("the disk does not answer: check the card")]
    Stalled,
    /// Memory, descriptors or threads are short.
    #[error("the system is short of resources: {0}")]
    Short(String),
    /// An error of the disk or the engine.
    #[error("the disk or the engine failed: {0}")]
    Failed(String),
}

/// Whether entries reach the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Yes.
    Active,
    /// No: numbers are still given and followers are served from memory; the journal tries again
    /// every [`Settings::retry_every`](crate::Settings::retry_every).
    Suspended(Trouble),
}

impl Recording {
    /// True when entries reach the disk.
    pub fn is_active(&self) -> bool {
        matches!(self, Recording::Active)
    }
}

/// Why a receipt will not (for now) become durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// Recording is suspended. The entry is still in memory and may be written later.
    #[error("not recorded: {0}")]
    Suspended(Trouble),
    /// The entry was dropped from memory because the queue was full; a gap was reported.
    #[error("not recorded: dropped from the full queue while the disk was away")]
    Shed,
    /// The body was above [`MAX_BODY`]; the number is used and told as a gap.
    #[error("not recorded: the body is above 64 KiB")]
    TooLarge,
    /// The journal was closed before the entry was on the disk.
    #[error("not recorded: the journal was closed first")]
    Closed,
}

/// Something the caller must know and, for gaps, append an entry about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Entries are missing.
    Gap(Gap),
    /// A journal did not open or broke while running, and was moved aside.
    SetAside(SetAside),
    /// Entries no longer reach the disk.
    Suspended(Trouble),
    /// Entries reach the disk again.
    Resumed,
}

/// A journal that was moved out of the way, whole, for later inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}
