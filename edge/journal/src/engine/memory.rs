//! An engine in memory, for tests: it forgets on a crash exactly what it was free to forget.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Engine, EngineError, Op, Opener};
use crate::types::Lane;

/// What survives the engine: share it between an opener and a test.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    live: Content,
    durable: Content,
    /// Changes since the last `make_durable`, in order.
    pending: Vec<Change>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    lanes: [BTreeMap<u64, Vec<u8>>; 2],
    meta: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug)]
enum Change {
    Put(Lane, u64, Vec<u8>),
    Remove(Lane, u64),
    Meta(String, Vec<u8>),
}

impl Content {
    fn change(&mut self, change: &Change) {
        match change {
            Change::Put(lane, seq, value) => {
                self.lanes[lane.index()].insert(*seq, value.clone());
            }
            Change::Remove(lane, seq) => {
                self.lanes[lane.index()].remove(seq);
            }
            Change::Meta(name, value) => {
                self.meta.insert(name.clone(), value.clone());
            }
        }
    }
}

impl MemoryDisk {
    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes not yet durable.
    pub fn pending(&self) -> usize {
        self.lock().pending.len()
    }

    /// The power goes: of the changes not yet durable the first `kept` survive.
    pub fn crash(&self, kept: usize) {
        let mut disk = self.lock();
        let pending = std::mem::take(&mut disk.pending);
        for change in pending.iter().take(kept) {
            disk.durable.change(change);
        }
        disk.live = disk.durable.clone();
    }

    /// Flips a bit of a stored value; false when there is none.
    pub fn damage(&self, lane: Lane, seq: u64, byte: usize) -> bool {
        let mut disk = self.lock();
        let Disk { live, durable, .. } = &mut *disk;
        let mut hit = false;
        for content in [live, durable] {
            if let Some(value) = content.lanes[lane.index()].get_mut(&seq)
                && !value.is_empty()
            {
                let at = byte % value.len();
                value[at] ^= 0x10;
                hit = true;
            }
        }
        hit
    }
}

/// Opens the engine over a [`MemoryDisk`], whatever the folder.
#[derive(Clone, Debug, Default)]
pub struct MemoryOpener(pub MemoryDisk);

impl Opener for MemoryOpener {
    fn open(&self, _dir: &Path) -> Result<Arc<dyn Engine>, EngineError> {
        Ok(Arc::new(MemoryEngine(self.0.clone())))
    }
}

struct MemoryEngine(MemoryDisk);

impl Engine for MemoryEngine {
    fn apply(&self, ops: &[Op<'_>]) -> Result<(), EngineError> {
        let mut disk = self.0.lock();
        for op in ops {
            let change = match *op {
                Op::Put(lane, seq, value) => Change::Put(lane, seq, value.to_vec()),
                Op::Remove(lane, seq) => Change::Remove(lane, seq),
                Op::Meta(name, value) => Change::Meta(name.to_owned(), value.to_vec()),
            };
            disk.live.change(&change);
            disk.pending.push(change);
        }
        Ok(())
    }

    fn make_durable(&self) -> Result<(), EngineError> {
        let mut disk = self.0.lock();
        for change in std::mem::take(&mut disk.pending) {
            disk.durable.change(&change);
        }
        Ok(())
    }

    fn range(
        &self,
        lane: Lane,
        from: u64,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        if from > to {
            return Ok(());
        }
        for (seq, value) in self.0.lock().live.lanes[lane.index()].range(from..=to) {
            if !take(*seq, value) {
                break;
            }
        }
        Ok(())
    }

    fn range_back(
        &self,
        lane: Lane,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        for (seq, value) in self.0.lock().live.lanes[lane.index()].range(..=to).rev() {
            if !take(*seq, value) {
                break;
            }
        }
        Ok(())
    }

    fn first(&self, lane: Lane) -> Result<Option<u64>, EngineError> {
        Ok(self.0.lock().live.lanes[lane.index()].keys().next().copied())
    }

    fn last(&self, lane: Lane) -> Result<Option<u64>, EngineError> {
        Ok(self.0.lock().live.lanes[lane.index()].keys().next_back().copied())
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.0.lock().live.meta.get(name).cloned())
    }

    fn size(&self) -> Result<u64, EngineError> {
        let disk = self.0.lock();
        Ok(disk.live.lanes.iter().flat_map(|lane| lane.values()).map(|v| v.len() as u64).sum())
    }
}
