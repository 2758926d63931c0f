//! Reading what is stored. A broken record, or a broken stretch of the engine, is stepped over and
//! told; a failure to read is never taken for "there is nothing".

use bytes::Bytes;

use crate::batcher::guarded;
use crate::engine::{Engine, EngineError};
use crate::record;
use crate::shared::Shared;
use crate::types::{Gap, Lane, Record, Trouble};

/// Most bytes of bodies in one chunk.
const CHUNK_BYTES: usize = 1 << 20;
/// Broken places remembered, so that each is told once.
const MOST_BROKEN: usize = 4096;

/// What was read.
pub(crate) struct Chunk {
    pub records: Vec<Record>,
    /// Up to here everything that can be read is in `records`.
    pub reached: u64,
    /// Reading ended early.
    pub failed: Option<EngineError>,
}

/// Numbers of a lane under which there is something, but nothing sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken {
    pub lane: Lane,
    /// That of a sound entry before it.
    pub epoch: Option<u64>,
    pub from: u64,
    pub to: u64,
}

/// Stored entries of a lane with numbers in `from..=to`, oldest first.
pub(crate) fn read(
    engine: Option<&dyn Engine>,
    lane: Lane,
    (from, to): (u64, u64),
    most: usize,
    tell: &mut dyn FnMut(Broken),
) -> Chunk {
    let mut chunk = Chunk { records: Vec::new(), reached: from.saturating_sub(1), failed: None };
    let Some(engine) = engine else {
        chunk.failed = Some(Trouble::Failed("the journal is not open".into()).into());
        return chunk;
    };
    let mut epoch = None;
    loop {
        let (mut bytes, mut full, mut broken) = (0, most == 0, Vec::new());
        let start = chunk.reached.saturating_add(1);
        let result = guarded(|| {
            engine.range(lane, start, to, &mut |seq, value| {
                chunk.reached = seq;
                match decoded(lane, seq, value) {
                    Some(record) => {
                        epoch = Some(record.number.epoch);
                        bytes += record.body.len();
                        chunk.records.push(record);
                    }
                    None => broken.push(Broken { lane, epoch, from: seq, to: seq }),
                }
                full = chunk.records.len() >= most || bytes >= CHUNK_BYTES;
                !full
            })
        });
        broken.into_iter().for_each(&mut *tell);
        match result {
            Ok(()) => {
                if !full {
                    chunk.reached = chunk.reached.max(to);
                }
                return chunk;
            }
            Err(EngineError::Broken(what)) if !full => {
                let from = chunk.reached.saturating_add(1);
                let Some(next) = sound_after(engine, lane, from, to) else {
                    chunk.failed = Some(EngineError::Broken(what));
                    return chunk;
                };
                tell(Broken { lane, epoch, from, to: next - 1 });
                chunk.reached = next - 1;
            }
            Err(error) => {
                chunk.failed = Some(error);
                return chunk;
            }
        }
    }
}

/// Entries of both lanes in `from..=to`, oldest first.
pub(crate) fn read_merged(
    engine: Option<&dyn Engine>,
    from: u64,
    to: u64,
    most: usize,
    tell: &mut dyn FnMut(Broken),
) -> Vec<Record> {
    let mut reached = to;
    let mut both = Vec::new();
    for lane in Lane::ALL {
        let chunk = read(engine, lane, (from, to), most, tell);
        match &chunk.failed {
            // One lane that can not be read must not hide the other.
            Some(error) => tracing::warn!(%error, %lane, "the journal could not be read"),
            // A lane that was cut short says nothing about what follows.
            None => reached = reached.min(chunk.reached),
        }
        both.extend(chunk.records);
    }
    both.retain(|record| record.number.seq <= reached);
    both.sort_by_key(|record| record.number.seq);
    both.truncate(most);
    both
}

/// The newest entries of a lane up to `to`, oldest first.
pub(crate) fn tail_of(
    engine: Option<&dyn Engine>,
    lane: Lane,
    to: u64,
    most: usize,
    tell: &mut dyn FnMut(Broken),
) -> Vec<Record> {
    let mut found: Vec<Record> = Vec::new();
    let mut broken = Vec::new();
    if most > 0
        && let Some(engine) = engine
    {
        let result = guarded(|| {
            engine.range_back(lane, to, &mut |seq, value| {
                match decoded(lane, seq, value) {
                    Some(record) => found.push(record),
                    None => broken.push(seq),
                }
                found.len() < most
            })
        });
        if let Err(error) = result {
            tracing::warn!(%error, %lane, "the journal could not be read");
        }
    }
    let epoch = found.last().map(|record| record.number.epoch);
    for seq in broken {
        tell(Broken { lane, epoch, from: seq, to: seq });
    }
    found.reverse();
    found
}

/// The newest entries of both lanes up to `to`, oldest first.
pub(crate) fn tail(
    engine: Option<&dyn Engine>,
    to: u64,
    most: usize,
    tell: &mut dyn FnMut(Broken),
) -> Vec<Record> {
    let mut both = tail_of(engine, Lane::Alerts, to, most, tell);
    both.extend(tail_of(engine, Lane::Events, to, most, tell));
    both.sort_by_key(|record| record.number.seq);
    let surplus = both.len().saturating_sub(most);
    both.drain(..surplus);
    both
}

impl Shared {
    pub(crate) fn read(&self, lane: Lane, from: u64, to: u64, most: usize) -> Chunk {
        read(self.current_engine().as_deref(), lane, (from, to), most, &mut |b| self.tell(b))
    }

    pub(crate) fn read_merged(&self, from: u64, most: usize) -> Vec<Record> {
        let durable = self.progress.borrow().durable;
        let engine = self.current_engine();
        read_merged(engine.as_deref(), from, durable, most, &mut |b| self.tell(b))
    }

    pub(crate) fn tail(&self, most: usize) -> Vec<Record> {
        let durable = self.progress.borrow().durable;
        tail(self.current_engine().as_deref(), durable, most, &mut |b| self.tell(b))
    }

    /// Counts and tells what is broken, once.
    fn tell(&self, broken: Broken) {
        let Broken { lane, epoch, from, to } = broken;
        let gap = {
            let mut state = self.lock();
            if state.broken.len() >= MOST_BROKEN || !state.broken.insert((lane, from)) {
                return;
            }
            state.corrupt += 1;
            Gap { epoch: epoch.unwrap_or(state.epoch), lane: Some(lane), from, to }
        };
        tracing::error!(%lane, from, to, "broken entries in the journal are skipped");
        self.notice_gap(gap);
    }
}

/// The first number in `from + 1..=to` from which the engine can be read again.
fn sound_after(engine: &dyn Engine, lane: Lane, from: u64, to: u64) -> Option<u64> {
    let sound = |at| guarded(|| engine.range(lane, at, to, &mut |_, _| false)).is_ok();
    let (mut bad, mut step) = (from, 1u64);
    let mut good = loop {
        let at = from.checked_add(step).filter(|at| *at <= to)?;
        if sound(at) {
            break at;
        }
        bad = at;
        step = step.saturating_mul(2);
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if sound(middle) { good = middle } else { bad = middle }
    }
    Some(good)
}

fn decoded(lane: Lane, seq: u64, value: &[u8]) -> Option<Record> {
    let (number, body) = record::decode(value).ok()?;
    (number.seq == seq).then(|| Record { number, lane, body: Bytes::copy_from_slice(body) })
}
