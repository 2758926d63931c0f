//! Reading a journal that nobody has open. It never changes what it reads.

use std::path::Path;
use std::sync::Arc;

use crate::engine::{Engine, EngineError, Opener, SledOpener};
use crate::open::open_engine;
use crate::reading::{self, Broken};
use crate::settings::Settings;
use crate::types::{Lane, Record, Trouble};

/// A journal that no daemon has open.
pub struct Reader {
    engine: Arc<dyn Engine>,
}

impl Reader {
    /// Opens the journal in `dir` to read it. Epoch and cursors stay as they are.
    ///
    /// # Errors
    /// When there is none, a daemon has it, or it does not open.
    pub fn open(dir: &Path) -> Result<Self, EngineError> {
        if !crate::open::folder(dir).join("db").exists() {
            let what = format!("there is no journal in {}; check --data", dir.display());
            return Err(Trouble::Failed(what).into());
        }
        let opener: Arc<dyn Opener> = Arc::new(SledOpener);
        let settings = Settings { min_free_bytes: 0, ..Settings::default() };
        Ok(Self { engine: open_engine(dir, &opener, &settings)? })
    }

    /// Entries of both lanes from a number on, oldest first. Empty at the end.
    pub fn read_merged(&self, from: u64, most: usize) -> Vec<Record> {
        reading::read_merged(Some(&*self.engine), from, u64::MAX, most, &mut told)
    }

    /// The newest entries of both lanes, oldest first.
    pub fn tail(&self, most: usize) -> Vec<Record> {
        reading::tail(Some(&*self.engine), u64::MAX, most, &mut told)
    }

    /// How the journal is.
    pub fn stats(&self) -> AtRest {
        let first = |lane| self.engine.first(lane).ok().flatten();
        let last = |lane| self.engine.last(lane).ok().flatten();
        AtRest {
            epoch: self.tail(1).last().map(|record| record.number.epoch),
            first: [first(Lane::Alerts), first(Lane::Events)],
            last: last(Lane::Alerts).max(last(Lane::Events)),
            disk_bytes: self.engine.size().ok(),
        }
    }
}

/// Figures of a journal that nobody has open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtRest {
    /// Epoch of the last entry.
    pub epoch: Option<u64>,
    /// Lowest number of each lane, alerts first.
    pub first: [Option<u64>; 2],
    /// Number of the last entry.
    pub last: Option<u64>,
    /// Bytes of disk in use.
    pub disk_bytes: Option<u64>,
}

fn told(broken: Broken) {
    let Broken { lane, from, to, .. } = broken;
    tracing::warn!(%lane, from, to, "broken entries in the journal are skipped");
}
