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

    /// The lowest and the highest number.
    pub fn bounds(&self) -> (Option<u64>, Option<u64>) {
        let of =
            |lane| (self.engine.first(lane).ok().flatten(), self.engine.last(lane).ok().flatten());
        let (alerts, events) = (of(Lane::Alerts), of(Lane::Events));
        let first = [alerts.0, events.0].into_iter().flatten().min();
        (first, alerts.1.max(events.1))
    }
}

fn told(broken: Broken) {
    let Broken { lane, from, to, .. } = broken;
    tracing::warn!(%lane, from, to, "broken entries in the journal are skipped");
}
