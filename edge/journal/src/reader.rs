//! Reading stored entries: from a journal in use, or from one that nobody has open. It never
//! changes what it reads; a broken record is passed over and counted.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::{Engine, EngineError, Opener, SledOpener};
use crate::open::open_engine;
use crate::record;
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

    /// Entries of both lanes from a number on, oldest first.
    pub fn read_merged(&self, from: u64, most: usize) -> Vec<Record> {
        read_merged(&*self.engine, from, u64::MAX, most).0
    }

    /// The newest entries of both lanes, oldest first.
    pub fn tail(&self, most: usize) -> Vec<Record> {
        tail(&*self.engine, u64::MAX, most).0
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

/// Entries found, and how many were broken.
type Found = (Vec<Record>, u64);

fn decoded(lane: Lane, seq: u64, value: &[u8]) -> Option<Record> {
    let (number, body) = record::decode(value).ok()?;
    (number.seq == seq).then(|| Record { number, lane, body: Bytes::copy_from_slice(body) })
}

fn collect(
    lane: Lane,
    most: usize,
    walk: impl FnOnce(&mut dyn FnMut(u64, &[u8]) -> bool) -> Result<(), EngineError>,
) -> Found {
    let mut found = Vec::new();
    let mut broken = 0;
    if most > 0 {
        let walked = walk(&mut |seq, value| {
            match decoded(lane, seq, value) {
                Some(record) => found.push(record),
                None => broken += 1,
            }
            found.len() < most
        });
        if let Err(error) = walked {
            tracing::warn!(%error, "the journal could not be read");
        }
    }
    (found, broken)
}

pub(crate) fn read(engine: &dyn Engine, lane: Lane, from: u64, to: u64, most: usize) -> Found {
    collect(lane, most, |take| engine.range(lane, from, to, take))
}

pub(crate) fn tail_of(engine: &dyn Engine, lane: Lane, to: u64, most: usize) -> Found {
    let (mut found, broken) = collect(lane, most, |take| engine.range_back(lane, to, take));
    found.reverse();
    (found, broken)
}

fn both(mut alerts: Found, events: Found) -> Found {
    alerts.0.extend(events.0);
    alerts.0.sort_by_key(|record| record.number.seq);
    (alerts.0, alerts.1 + events.1)
}

pub(crate) fn read_merged(engine: &dyn Engine, from: u64, to: u64, most: usize) -> Found {
    let lane = |lane| read(engine, lane, from, to, most);
    let (mut found, broken) = both(lane(Lane::Alerts), lane(Lane::Events));
    found.truncate(most);
    (found, broken)
}

pub(crate) fn tail(engine: &dyn Engine, to: u64, most: usize) -> Found {
    let lane = |lane| tail_of(engine, lane, to, most);
    let (mut found, broken) = both(lane(Lane::Alerts), lane(Lane::Events));
    let surplus = found.len().saturating_sub(most);
    found.drain(..surplus);
    (found, broken)
}
