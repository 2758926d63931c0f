//! sled 0.34.7, driven the one way that was measured to keep what it acknowledges.
//!
//! `Db::flush()` alone is no barrier: after it, `fdatasync` on a second descriptor of `<dir>/db`
//! commits data and metadata. That covers only this one file, so nothing may ever land in sled's
//! other files: sled puts a tree node of more than a quarter segment (128 KiB) into a blob file
//! of its own, and a leaf holds some twenty values. Therefore values above [`INLINE`] bytes are cut
//! into pieces in a tree of their own. Changes are made one by one, never as a `Batch`, so that
//! the log (and with it whatever a crash leaves) holds them in the order of their numbers.
//!
//! Nor may sled write much between two such barriers. It frees a segment once all that lived in it
//! was written anew and the segment after that is written too, and then overwrites it in place; but
//! what it calls written is in the page cache. A power cut may keep the overwriting and lose what
//! was written anew, at the end of a file whose length never reached the disk. At least one whole
//! segment lies between the two, so a barrier within every segment of log comes in between.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sled::{Db, IVec, Mode, Tree};

use super::{Engine, EngineError, Op, Opener, sort_io};
use crate::types::{Lane, Trouble};

/// The largest value that is stored whole, bytes: 24 of them stay under a quarter segment.
const INLINE: usize = 4096;
/// Length of the value that stands for a value in pieces: total length, number of pieces.
/// No record is this short.
const MARK: usize = 8;

/// What may be written between two barriers, bytes as [`SledEngine::wrote`] reckons them: a quarter
/// of a segment, since cleaning, which cannot be seen from here, comes in bursts.
const UNFORCED: u64 = 128 << 10;
/// Values in a leaf before it splits.
const LEAF: u64 = 16;
/// Changes of a leaf after which sled writes it whole.
const CHANGES: u64 = 10;
/// What a change costs in the log besides its value, bytes.
const CHANGE: u64 = 64;

/// Opens sled folders.
#[derive(Clone, Copy, Debug, Default)]
pub struct SledOpener;

struct SledEngine {
    db: Db,
    lanes: [Tree; 2],
    pieces: Tree,
    meta: Tree,
    file: File,
    /// Reckoned bytes of log since the last barrier.
    unforced: AtomicU64,
    /// Mean length of recent values, bytes.
    mean: AtomicU64,
}

impl Opener for SledOpener {
    fn open(&self, dir: &Path) -> Result<Arc<dyn Engine>, EngineError> {
        refuse_if_locked(dir)?;
        force(dir)?;
        let db = sled::Config::new()
            .path(dir)
            .mode(Mode::LowSpace)
            .cache_capacity(8 << 20)
            .use_compression(false)
            .flush_every_ms(Some(5_000))
            .open()
            .map_err(sort_open)?;
        let tree = |name: &str| db.open_tree(name).map_err(sort_open);
        let lanes = [tree("alerts")?, tree("events")?];
        let pieces = tree("pieces")?;
        let meta = tree("meta")?;
        let file = File::options()
            .read(true)
            .write(true)
            .open(dir.join("db"))
            .map_err(|e| sort_io("opening db for fdatasync", &e))?;
        let (unforced, mean) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Arc::new(SledEngine { db, lanes, pieces, meta, file, unforced, mean }))
    }
}

/// sled says "locked" only in prose; ask the lock itself before sled does.
fn refuse_if_locked(dir: &Path) -> Result<(), EngineError> {
    use rustix::fs::{FlockOperation, flock};
    let Ok(file) = File::options().read(true).open(dir.join("db")) else { return Ok(()) };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Trouble::Locked.into()),
        _ => Ok(()),
    }
}

/// While it opens, sled overwrites segments that it finds to be free. What a process that died left
/// in the page cache must be on the disk before sled builds on it.
fn force(dir: &Path) -> Result<(), EngineError> {
    let Ok(file) = File::options().read(true).write(true).open(dir.join("db")) else {
        return Ok(());
    };
    fdatasync(&file)
}

fn fdatasync(file: &File) -> Result<(), EngineError> {
    rustix::fs::fdatasync(file).map_err(|e| sort_io("fdatasync of db", &e.into()).into())
}

/// While opening, an error that is not plainly the surroundings' fault is the journal's.
fn sort_open(error: sled::Error) -> EngineError {
    match sort(error) {
        EngineError::Trouble(Trouble::Failed(what)) => EngineError::Broken(what),
        other => other,
    }
}

fn sort(error: sled::Error) -> EngineError {
    match error {
        sled::Error::Io(e) if e.to_string().contains("could not acquire lock") => {
            Trouble::Locked.into()
        }
        sled::Error::Io(e) => {
            // sled copies errors as text when it keeps them; the kind survives.
            sort_io("journal", &e).into()
        }
        other => EngineError::Broken(other.to_string()),
    }
}

fn piece_key(lane: Lane, seq: u64, index: u32) -> [u8; 13] {
    let mut key = [0; 13];
    key[0] = lane.index() as u8;
    key[1..9].copy_from_slice(&seq.to_be_bytes());
    key[9..].copy_from_slice(&index.to_be_bytes());
    key
}

fn mark_of(value: &[u8]) -> Option<(usize, u32)> {
    let bytes: [u8; MARK] = value.try_into().ok()?;
    let [a, b, c, d, e, f, g, h] = bytes;
    Some((u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes([e, f, g, h])))
}

fn seq_of(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

impl SledEngine {
    /// Reckons what a change with a value of `len` bytes wrote: the change itself, its part of the
    /// leaf that is written whole from time to time, and as much again for cleaning. Forces the log
    /// when that is enough.
    fn wrote(&self, len: usize) -> Result<(), EngineError> {
        let len = len as u64;
        let mean = self.mean.load(Ordering::Relaxed);
        let mean = (mean * (LEAF - 1) + len) / LEAF;
        self.mean.store(mean, Ordering::Relaxed);
        let wrote = 2 * (len + CHANGE + mean * LEAF / CHANGES);
        if self.unforced.fetch_add(wrote, Ordering::Relaxed) + wrote > UNFORCED {
            self.make_durable()?;
        }
        Ok(())
    }

    fn put(&self, lane: Lane, seq: u64, value: &[u8]) -> Result<(), EngineError> {
        let tree = &self.lanes[lane.index()];
        if value.len() <= INLINE {
            tree.insert(seq.to_be_bytes(), value).map_err(sort)?;
            return self.wrote(value.len());
        }
        // Pieces first: a crash between leaves pieces without a mark, never a mark without pieces.
        let mut count: u32 = 0;
        for piece in value.chunks(INLINE) {
            self.pieces.insert(piece_key(lane, seq, count), piece).map_err(sort)?;
            self.wrote(piece.len())?;
            count += 1;
        }
        let mut mark = [0; MARK];
        mark[..4].copy_from_slice(&(value.len() as u32).to_le_bytes());
        mark[4..].copy_from_slice(&count.to_le_bytes());
        tree.insert(seq.to_be_bytes(), &mark).map_err(sort)?;
        self.wrote(mark.len())
    }

    fn remove(&self, lane: Lane, seq: u64) -> Result<(), EngineError> {
        let old = self.lanes[lane.index()].remove(seq.to_be_bytes()).map_err(sort)?;
        self.wrote(old.as_ref().map_or(0, |old| old.len()))?;
        if let Some((_, count)) = old.as_deref().and_then(mark_of) {
            for index in 0..count.min(64) {
                let piece = self.pieces.remove(piece_key(lane, seq, index)).map_err(sort)?;
                self.wrote(piece.map_or(0, |piece| piece.len()))?;
            }
        }
        Ok(())
    }

    /// A value in pieces, put together; what is missing makes it fail its CRC later.
    fn join(&self, lane: Lane, seq: u64, total: usize, count: u32) -> Result<Vec<u8>, sled::Error> {
        let mut whole = Vec::with_capacity(total.min(1 << 17));
        for index in 0..count.min(64) {
            if let Some(piece) = self.pieces.get(piece_key(lane, seq, index))? {
                whole.extend_from_slice(&piece);
            }
        }
        Ok(whole)
    }

    fn hand(
        &self,
        lane: Lane,
        items: impl Iterator<Item = sled::Result<(IVec, IVec)>>,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        for item in items {
            let (key, value) = item.map_err(sort)?;
            let Some(seq) = seq_of(&key) else { continue };
            let more = match mark_of(&value) {
                Some((total, count)) => {
                    take(seq, &self.join(lane, seq, total, count).map_err(sort)?)
                }
                None => take(seq, &value),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

impl Engine for SledEngine {
    fn apply(&self, ops: &[Op<'_>]) -> Result<(), EngineError> {
        for op in ops {
            match *op {
                Op::Put(lane, seq, value) => self.put(lane, seq, value)?,
                Op::Remove(lane, seq) => self.remove(lane, seq)?,
                Op::Meta(name, value) => {
                    self.meta.insert(name, value).map_err(sort)?;
                    self.wrote(value.len())?;
                }
            }
        }
        Ok(())
    }

    fn make_durable(&self) -> Result<(), EngineError> {
        self.db.flush().map_err(sort)?;
        fdatasync(&self.file)?;
        self.unforced.store(0, Ordering::Relaxed);
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
        let tree = &self.lanes[lane.index()];
        self.hand(lane, tree.range(from.to_be_bytes()..=to.to_be_bytes()), take)
    }

    fn range_back(
        &self,
        lane: Lane,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError> {
        self.hand(lane, self.lanes[lane.index()].range(..=to.to_be_bytes()).rev(), take)
    }

    fn first(&self, lane: Lane) -> Result<Option<u64>, EngineError> {
        let item = self.lanes[lane.index()].first().map_err(sort)?;
        Ok(item.and_then(|(key, _)| seq_of(&key)))
    }

    fn last(&self, lane: Lane) -> Result<Option<u64>, EngineError> {
        let item = self.lanes[lane.index()].last().map_err(sort)?;
        Ok(item.and_then(|(key, _)| seq_of(&key)))
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.meta.get(name).map_err(sort)?.map(|value| value.to_vec()))
    }

    fn size(&self) -> Result<u64, EngineError> {
        Ok(self.file.metadata().map_err(|e| sort_io("size of db", &e))?.len())
    }
}
