//! The journal: what happened, numbered, on the disk, and followed.
//!
//! # What is guaranteed
//! - **Numbers.** An entry gets its number at once, without waiting for the disk. `seq` grows by one
//!   and is never used twice within an epoch; the epoch, kept outside the engine, rises whenever
//!   numbers could repeat: after a stop that was not clean, and after a journal was set aside.
//! - **Durability.** Once a receipt resolves to `Ok`, the entry survives `kill -9` and a power cut.
//!   That is never said earlier than: insert, `Db::flush()`, `fdatasync` of sled's `db` file.
//! - **Order.** Entries become durable in the order of their numbers; after a crash the journal
//!   holds a prefix of what was appended, at least up to the last receipt. A follower gets the
//!   entries of its lane in that order.
//! - **What may come twice.** A follower may get an entry again after a restart: at most what it
//!   had not acknowledged. With [`FollowWhen::AtOnce`] it gets entries before they are durable; if
//!   the box dies in between, they are gone from the journal, and their numbers belong to the old
//!   epoch, which [`Opened::tail_lost`] names.
//! - **What may be lost.** Entries that were never acknowledged as durable; and, above the disk
//!   budget, the oldest: first what every follower has passed, then telemetry that somebody still
//!   needed (told as [`Notice::Gap`]), alerts last.
//! - **A dead disk stops nothing.** Full, read-only, failing or hanging: numbers are still given,
//!   [`FollowWhen::AtOnce`] followers are served from memory, receipts say that nothing is recorded,
//!   and the journal tries again. When memory is full, the oldest telemetry is dropped first.
//! - **A broken journal**, or one of a later version, is moved aside whole, a new one begins. A lock held by another process,
//!   a full or a read-only disk are never reasons for that.
//!
//! # Files
//! `DIR/journal/` the engine's, `DIR/epoch`, `DIR/epoch.old`, `DIR/clean`, `DIR/cursors/`,
//! `DIR/journal.aside-*`, and `DIR/format`, which holds `anju-journal 1`.

mod batcher;
mod cursor;
pub mod engine;
mod epoch;
mod files;
mod follower;
mod open;
mod places;
mod reader;
mod reading;
mod receipt;
mod recent;
pub mod record;
mod recount;
mod retention;
mod settings;
mod shared;
mod types;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

pub use files::replace as replace_file;
pub use follower::Follower;
pub use open::{OpenError, Opened};
pub use reader::{AtRest, Reader};
pub use receipt::Receipt;
pub use recent::Recent;
pub use settings::{SPACE_FACTOR, Settings};
pub use shared::Stats;
pub use types::{
    Gap, Lane, MAX_BODY, NotRecorded, Notice, Number, Record, Recording, SetAside, Trouble, Urgency,
};

use shared::Shared;

/// When a follower gets an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowWhen {
    /// Once it is durable.
    Durable,
    /// As soon as it is appended.
    AtOnce,
}

/// An appended entry.
#[derive(Debug)]
pub struct Appended {
    /// Its number.
    pub number: Number,
    /// Tells when it is durable.
    pub receipt: Receipt,
}

/// An open journal. Cheap to clone; all clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

impl Journal {
    /// Opens the journal in `dir` on sled. Notices come out of the receiver.
    ///
    /// # Errors
    /// [`OpenError`] when another process has it, or the folder can not be used at all. Disks that
    /// are full or read-only are no errors: the journal then runs without recording.
    pub fn open(
        dir: &std::path::Path,
        settings: Settings,
    ) -> Result<(Self, Opened, mpsc::UnboundedReceiver<Notice>), OpenError> {
        Self::open_with(dir, settings, Arc::new(engine::SledOpener))
    }

    /// The same on another engine, for tests.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_with(
        dir: &std::path::Path,
        settings: Settings,
        opener: Arc<dyn engine::Opener>,
    ) -> Result<(Self, Opened, mpsc::UnboundedReceiver<Notice>), OpenError> {
        let (shared, opened, notices) = open::open(dir, settings, opener)?;
        Ok((Self { shared }, opened, notices))
    }

    /// Appends an entry: gives it a number, builds its body with it, and queues it. Never waits for
    /// the disk. A body above [`MAX_BODY`] is not kept: the number is used, the receipt says
    /// [`NotRecorded::TooLarge`], and a gap is told. `build` runs under the journal's mutex; if it
    /// panics, no number is used.
    pub fn append<B: Into<Bytes>>(
        &self,
        lane: Lane,
        urgency: Urgency,
        build: impl FnOnce(Number) -> B,
    ) -> Appended {
        let (number, kept) = self.shared.append(lane, urgency, build);
        Appended { number, receipt: Receipt::new(self.shared.clone(), lane, number.seq, kept) }
    }

    /// Follows a lane from the durable cursor of that name (`[a-z0-9-]{1,64}`).
    ///
    /// # Errors
    /// When the name can not be a file's name or the cursor can not be opened.
    pub fn follow(&self, name: &str, lane: Lane, when: FollowWhen) -> std::io::Result<Follower> {
        Follower::new(self.shared.clone(), name, lane, when)
    }

    /// Has everything that was appended written now instead of when its group is due. Returns once
    /// it is durable, is known not to become so, or `at_most` is over.
    pub async fn flush(&self, at_most: Duration) {
        let last = self.shared.hurry();
        let receipt = Receipt::new(self.shared.clone(), Lane::Events, last, true);
        // Whoever reads sees what is durable by then.
        let _ = tokio::time::timeout(at_most, receipt.durable()).await;
    }

    /// Entries of both lanes from a number on, oldest first, durable ones only. Blocking.
    pub fn read_merged(&self, from: u64, most: usize) -> Vec<Record> {
        self.shared.read_merged(from, most)
    }

    /// The newest entries of both lanes, oldest first, durable ones only. Blocking.
    pub fn tail(&self, most: usize) -> Vec<Record> {
        self.shared.tail(most)
    }

    /// So many of the newest entries of each lane, both together oldest first, durable ones only;
    /// never many of them in memory at once. Blocking.
    pub fn recent(&self, alerts: usize, events: usize) -> Recent {
        Recent::new(self.shared.clone(), alerts, events)
    }

    /// The epoch and the last number given; cheap.
    pub fn numbers(&self) -> Number {
        self.shared.numbers()
    }

    /// How the journal is.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Flushes everything, marks the stop as clean and ends the writing thread, within `at_most`.
    /// Returns whether all of that happened. Blocking.
    pub fn close(&self, at_most: Duration) -> bool {
        self.shared.close(at_most)
    }
}

#[cfg(test)]
mod tests;
