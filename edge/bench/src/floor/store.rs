//! Bare sled with the settings that were found best, and with the one way that loses nothing:
//! insert, flush, `fdatasync` of its file.

use std::fs::File;
use std::path::Path;

use sled::{Db, Mode, Tree};

use super::{say_ready, wait_for_end};
use crate::failure::{Failure, Outcome, io};

/// An open engine.
pub struct Store {
    db: Db,
    file: File,
    /// The tree that entries go to.
    pub events: Tree,
}

impl Store {
    /// Opens or creates.
    pub fn open(dir: &Path) -> Outcome<Self> {
        let db = sled::Config::new()
            .path(dir)
            .mode(Mode::LowSpace)
            .cache_capacity(8 << 20)
            .use_compression(false)
            .flush_every_ms(Some(5_000))
            .open()?;
        let events = db.open_tree("events")?;
        let file = File::options()
            .read(true)
            .write(true)
            .open(dir.join("db"))
            .map_err(io("opening sled's file"))?;
        Ok(Self { db, file, events })
    }

    /// Everything inserted so far is on the disk afterwards.
    pub fn make_durable(&self) -> Outcome<()> {
        self.db.flush()?;
        rustix::fs::fdatasync(&self.file).map_err(|error| Failure::Io("fdatasync", error.into()))
    }
}

/// Entries of each tree that a box looks back over when it starts.
const LOOKED_BACK: usize = 10_000;

/// Opens a journal's engine, reads of each tree what a box would, and holds it.
pub fn hold(dir: &Path) -> Outcome<()> {
    let store = Store::open(dir)?;
    for name in store.db.tree_names() {
        for item in store.db.open_tree(name)?.iter().rev().take(LOOKED_BACK) {
            item?;
        }
    }
    say_ready();
    wait_for_end();
    Ok(())
}
