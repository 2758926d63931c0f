//! The state that appending, following and writing share. One short mutex; nobody holds it while
//! touching the disk.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::cursor::{CursorFile, Key};
use crate::engine::Engine;
use crate::reader;
use crate::settings::Settings;
use crate::types::{
    Gap, Lane, MAX_BODY, NotRecorded, Notice, Number, Record, Recording, Trouble, Urgency,
};

/// Durable entries kept in memory, so that a follower that keeps up never reads the disk.
const RECENT: usize = 512;

/// Shed ranges remembered for receipts.
const MOST_SHED: usize = 1024;

/// How far the disk is, for those who wait.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub durable: u64,
    pub recording: Recording,
    pub closed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub number: Number,
    pub lane: Lane,
    pub body: Bytes,
}

#[derive(Debug)]
pub(crate) struct Place {
    pub file: Option<CursorFile>,
    pub acknowledged: u64,
    pub changed: bool,
}

pub(crate) struct State {
    pub epoch: u64,
    pub next: u64,
    /// Recent durable entries, then all that wait for the disk, by rising number.
    pub tail: VecDeque<Queued>,
    /// How many of `tail` wait for the disk (its end).
    pub waiting: usize,
    pub waiting_bytes: usize,
    /// How many of the waiting ones are being written now (their beginning).
    pub writing: usize,
    /// When the waiting ones must be flushed at the latest.
    pub deadline: Option<Instant>,
    pub writing_since: Option<Instant>,
    pub shed: VecDeque<Gap>,
    pub followers: BTreeMap<Key, Place>,
    pub closing: bool,
    pub corrupt: u64,
    pub payload: [u64; 2],
}

/// The shared half of a journal.
pub struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) journal_id: u64,
    pub(crate) state: Mutex<State>,
    pub(crate) wake: Condvar,
    pub(crate) engine: RwLock<Option<Arc<dyn Engine>>>,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) alerts: watch::Sender<u64>,
    pub(crate) notices: mpsc::UnboundedSender<Notice>,
}

/// Figures of a journal.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Epoch of new entries.
    pub epoch: u64,
    /// Number of the last entry appended; 0 if there is none.
    pub last: u64,
    /// Every entry up to this number is durable, or was shed.
    pub durable: u64,
    /// Lowest number of each lane, alerts first.
    pub first: [Option<u64>; 2],
    /// Entries waiting for the disk.
    pub waiting: usize,
    /// Whether entries reach the disk.
    pub recording: Recording,
    /// Records found broken since the start.
    pub corrupt: u64,
    /// Bytes of entries on the disk, both lanes.
    pub payload_bytes: u64,
    /// Bytes of disk in use.
    pub disk_bytes: u64,
    /// Where the followers are: name, lane, last acknowledged number.
    pub followers: Vec<(String, Lane, u64)>,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn current_engine(&self) -> Option<Arc<dyn Engine>> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn append<B: Into<Bytes>>(
        &self,
        lane: Lane,
        urgency: Urgency,
        build: impl FnOnce(Number) -> B,
    ) -> Number {
        let wait = match urgency {
            Urgency::Now => Duration::ZERO,
            Urgency::Grouped => self.settings.grouped,
            Urgency::Lazy => self.settings.lazy,
        };
        let mut shed = None;
        let (number, wake) = {
            let mut state = self.lock();
            let number = Number { epoch: state.epoch, seq: state.next };
            state.next += 1;
            let body: Bytes = build(number).into();
            let due = Instant::now() + wait;
            let mut wake = state.deadline.is_none_or(|deadline| due < deadline);
            if wake {
                state.deadline = Some(due);
            }
            state.waiting += 1;
            state.waiting_bytes += body.len();
            wake |= state.waiting == self.settings.flush_entries
                || (state.waiting_bytes >= self.settings.flush_bytes
                    && state.waiting_bytes - body.len() < self.settings.flush_bytes);
            state.tail.push_back(Queued { number, lane, body });
            while state.waiting > self.settings.queue_entries
                || state.waiting_bytes > self.settings.queue_bytes
            {
                match state.shed_one() {
                    Some(gap) => shed = Some(merge(shed, gap, |gap| self.notice_gap(gap))),
                    None => break,
                }
            }
            if lane == Lane::Alerts {
                self.alerts.send_replace(number.seq);
            }
            (number, wake)
        };
        if let Some(gap) = shed {
            self.notice_gap(gap);
        }
        if wake {
            self.wake.notify_one();
        }
        number
    }

    fn notice_gap(&self, gap: Gap) {
        // Nobody listening means that the journal is being dropped.
        let _ = self.notices.send(Notice::Gap(gap));
    }

    pub(crate) fn numbers(&self) -> Number {
        let state = self.lock();
        Number { epoch: state.epoch, seq: state.next.saturating_sub(1) }
    }

    fn reading<T: Default>(&self, read: impl FnOnce(&dyn Engine) -> (T, u64)) -> T {
        let Some(engine) = self.current_engine() else { return T::default() };
        let (found, broken) = read(&*engine);
        if broken > 0 {
            tracing::warn!(broken, "broken records in the journal were skipped");
            self.lock().corrupt += broken;
        }
        found
    }

    /// Stored entries of a lane with numbers in `from..=to`.
    pub(crate) fn read(&self, lane: Lane, from: u64, to: u64, most: usize) -> Vec<Record> {
        self.reading(|engine| reader::read(engine, lane, from, to, most))
    }

    pub(crate) fn read_merged(&self, from: u64, most: usize) -> Vec<Record> {
        let durable = self.progress.borrow().durable;
        self.reading(|engine| reader::read_merged(engine, from, durable, most))
    }

    pub(crate) fn tail_of(&self, lane: Lane, most: usize) -> Vec<Record> {
        let durable = self.progress.borrow().durable;
        self.reading(|engine| reader::tail_of(engine, lane, durable, most))
    }

    pub(crate) fn tail(&self, most: usize) -> Vec<Record> {
        let durable = self.progress.borrow().durable;
        self.reading(|engine| reader::tail(engine, durable, most))
    }

    pub(crate) fn stats(&self) -> Stats {
        let progress = self.progress.borrow().clone();
        let engine = self.current_engine();
        let first = |lane| engine.as_ref().and_then(|e| e.first(lane).ok().flatten());
        let (first, disk) = (
            [first(Lane::Alerts), first(Lane::Events)],
            engine.as_ref().and_then(|e| e.size().ok()).unwrap_or(0),
        );
        let state = self.lock();
        let stalled =
            state.writing_since.is_some_and(|at| at.elapsed() > self.settings.stall_after);
        Stats {
            epoch: state.epoch,
            last: state.next.saturating_sub(1),
            durable: progress.durable,
            first,
            waiting: state.waiting,
            recording: if stalled {
                Recording::Suspended(Trouble::Stalled)
            } else {
                progress.recording
            },
            corrupt: state.corrupt,
            payload_bytes: state.payload.iter().sum(),
            disk_bytes: disk,
            followers: state
                .followers
                .iter()
                .map(|(key, place)| (key.name.clone(), key.lane, place.acknowledged))
                .collect(),
        }
    }

    pub(crate) fn close(&self, at_most: Duration) -> bool {
        self.lock().closing = true;
        self.wake.notify_all();
        let deadline = Instant::now() + at_most;
        let mut state = self.lock();
        while !self.progress.borrow().closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let (next, _) = self
                .wake
                .wait_timeout(state, left.min(Duration::from_millis(20)))
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
        }
        state.waiting == 0
    }
}

/// Joins neighbouring gaps; hands the earlier one over when they are not neighbours.
fn merge(before: Option<Gap>, gap: Gap, hand_over: impl FnOnce(Gap)) -> Gap {
    match before {
        Some(before) if before.lane == gap.lane && before.to + 1 == gap.from => {
            Gap { to: gap.to, ..before }
        }
        Some(before) => {
            hand_over(before);
            gap
        }
        None => gap,
    }
}

impl State {
    /// Index in `tail` of the first entry that waits for the disk.
    pub fn first_waiting(&self) -> usize {
        self.tail.len() - self.waiting
    }

    /// Drops the oldest entry that is not being written: telemetry first.
    fn shed_one(&mut self) -> Option<Gap> {
        let from = self.first_waiting() + self.writing;
        let candidates = from..self.tail.len();
        let index = candidates
            .clone()
            .find(|&i| self.tail.get(i).is_some_and(|q| q.lane == Lane::Events))
            .or_else(|| candidates.clone().next())?;
        let queued = self.tail.remove(index)?;
        self.waiting -= 1;
        self.waiting_bytes -= queued.body.len();
        let seq = queued.number.seq;
        let gap = Gap { epoch: queued.number.epoch, lane: Some(queued.lane), from: seq, to: seq };
        match self.shed.back_mut() {
            Some(last) if last.lane == gap.lane && last.to + 1 == seq => last.to = seq,
            _ => self.shed.push_back(gap),
        }
        if self.shed.len() > MOST_SHED {
            self.shed.pop_front();
        }
        Some(gap)
    }

    /// The first `count` waiting entries are durable.
    pub fn settle(&mut self, count: usize) -> Option<u64> {
        let first = self.first_waiting();
        let settled = self.tail.range(first..first + count);
        let bytes: usize = settled.clone().map(|q| q.body.len()).sum();
        let last = settled.last().map(|q| q.number.seq);
        self.waiting -= count;
        self.waiting_bytes -= bytes;
        let surplus = self.first_waiting().saturating_sub(RECENT);
        self.tail.drain(..surplus);
        last
    }

    /// Entries of a lane after `given`, up to `to`, from memory. `None` if memory does not reach
    /// back that far.
    pub fn in_memory(&self, lane: Lane, given: u64, to: u64, most: usize) -> Option<Vec<Record>> {
        let first = self.tail.front()?.number.seq;
        if given + 1 < first {
            return None;
        }
        let start = self.tail.partition_point(|q| q.number.seq <= given);
        let entries = self.tail.range(start..).take_while(|q| q.number.seq <= to);
        let of_lane = entries.filter(|q| q.lane == lane).take(most);
        Some(of_lane.map(|q| Record { number: q.number, lane, body: q.body.clone() }).collect())
    }
}

/// Tells when an entry is durable.
#[derive(Clone)]
pub struct Receipt {
    shared: Arc<Shared>,
    seq: u64,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receipt({})", self.seq)
    }
}

impl Receipt {
    pub(crate) const fn new(shared: Arc<Shared>, seq: u64) -> Self {
        Self { shared, seq }
    }

    /// Waits until the entry is durable.
    ///
    /// # Errors
    /// [`NotRecorded`] when it is known not to be, now.
    pub async fn durable(&self) -> Result<(), NotRecorded> {
        let mut progress = self.shared.progress.subscribe();
        loop {
            if let Some(result) = self.judge(&progress.borrow_and_update()) {
                return result;
            }
            if progress.changed().await.is_err() {
                return Err(NotRecorded::Closed);
            }
        }
    }

    fn judge(&self, progress: &Progress) -> Option<Result<(), NotRecorded>> {
        if progress.durable >= self.seq {
            let state = self.shared.lock();
            let shed = state.shed.iter().any(|gap| (gap.from..=gap.to).contains(&self.seq));
            return Some(if shed { Err(NotRecorded::Shed) } else { Ok(()) });
        }
        if let Recording::Suspended(trouble) = &progress.recording {
            return Some(Err(NotRecorded::Suspended(trouble.clone())));
        }
        progress.closed.then_some(Err(NotRecorded::Closed))
    }
}

/// Whether a body can be stored.
pub(crate) const fn fits(body: &Bytes) -> bool {
    body.len() <= MAX_BODY
}
