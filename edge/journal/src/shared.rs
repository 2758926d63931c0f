//! The state that appending, following and writing share. One short mutex; nobody holds it while
//! touching the disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};

use crate::cursor::{CursorFile, Key};
use crate::engine::Engine;
use crate::settings::Settings;
use crate::types::{Gap, Lane, MAX_BODY, Notice, Number, Record, Recording, Trouble, Urgency};

/// Durable entries kept in memory, so that a follower that keeps up never reads the disk.
const RECENT: usize = 512;

/// Shed ranges remembered for receipts.
const MOST_SHED: usize = 1024;

/// How far the disk is, for those who wait.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub durable: u64,
    pub recording: Recording,
    /// Something up to `durable` may have been shed.
    pub shed: bool,
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
    /// Written outside the state's mutex.
    pub file: Option<Arc<Mutex<CursorFile>>>,
    pub acknowledged: u64,
    /// Where it stood when the journal was opened.
    pub opened_at: u64,
    /// Since when it is to be written to its file.
    pub unwritten: Option<Instant>,
    /// Not yet forced to the disk.
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
    /// Of each lane the newest entry that is on the disk and not in `tail`: whoever is that far
    /// needs no disk, whatever the other lane holds.
    pub left: [Number; 2],
    pub shed: VecDeque<Gap>,
    pub followers: BTreeMap<Key, Place>,
    pub closing: bool,
    /// No place is written any more.
    pub places_end: bool,
    pub corrupt: u64,
    /// Broken records that were told already.
    pub broken: BTreeSet<(Lane, u64)>,
    pub payload: [u64; 2],
}

/// The shared half of a journal.
pub struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) journal_id: AtomicU64,
    pub(crate) state: Mutex<State>,
    /// Wakes the writing thread.
    pub(crate) wake: Condvar,
    /// Wakes the threads that look now and then, and those who wait for the end.
    pub(crate) ended: Condvar,
    /// Wakes the thread that writes places.
    pub(crate) moved: Condvar,
    /// Wakes followers that wait for it.
    pub(crate) written: Notify,
    pub(crate) engine: RwLock<Option<Arc<dyn Engine>>>,
    /// A lock of its own: taken alone or within the state's mutex, never around it.
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

    /// Queues an entry; false when its body is too large to be kept.
    pub(crate) fn append<B: Into<Bytes>>(
        &self,
        lane: Lane,
        urgency: Urgency,
        build: impl FnOnce(Number) -> B,
    ) -> (Number, bool) {
        let wait = match urgency {
            Urgency::Now => Duration::ZERO,
            Urgency::Grouped => self.settings.grouped,
            Urgency::Lazy => self.settings.lazy,
        };
        let (number, wake, gaps) = {
            let mut state = self.lock();
            let number = Number { epoch: state.epoch, seq: state.next };
            let body: Bytes = build(number).into();
            // Only now: a body that panics while it is built uses no number.
            state.next += 1;
            if body.len() > MAX_BODY {
                let gap =
                    Gap { epoch: number.epoch, lane: Some(lane), from: number.seq, to: number.seq };
                state.note_shed(gap);
                drop(state);
                tracing::error!(%number, bytes = body.len(), "a body above 64 KiB is not recorded");
                self.notice_gap(gap);
                return (number, false);
            }
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
            let mut gaps = Vec::new();
            if state.waiting > self.settings.queue_entries
                || state.waiting_bytes > self.settings.queue_bytes
            {
                gaps = state.make_room(&self.settings);
            }
            if lane == Lane::Alerts {
                self.alerts.send_replace(number.seq);
            }
            (number, wake, gaps)
        };
        for gap in gaps {
            self.notice_gap(gap);
        }
        if wake {
            self.wake.notify_one();
        }
        (number, true)
    }

    pub(crate) fn notice_gap(&self, gap: Gap) {
        // Nobody listening means that the journal is being dropped.
        let _ = self.notices.send(Notice::Gap(gap));
    }

    pub(crate) fn numbers(&self) -> Number {
        let state = self.lock();
        Number { epoch: state.epoch, seq: state.next.saturating_sub(1) }
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

    /// Has what waits written now, and gives the last number that waits.
    pub(crate) fn hurry(&self) -> u64 {
        let mut state = self.lock();
        if state.waiting > 0 {
            state.deadline = Some(Instant::now());
            self.wake.notify_one();
        }
        state.next.saturating_sub(1)
    }

    pub(crate) fn close(&self, at_most: Duration) -> bool {
        let mut state = self.lock();
        state.closing = true;
        self.wake.notify_all();
        self.ended.notify_all();
        let deadline = Instant::now() + at_most;
        while !self.progress.borrow().closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting == 0
    }
}

impl State {
    /// Index in `tail` of the first entry that waits for the disk.
    pub fn first_waiting(&self) -> usize {
        self.tail.len() - self.waiting
    }

    /// Drops the oldest entries that are not being written, telemetry first: enough to be within
    /// bounds, and a good number at once, since it walks the whole queue.
    fn make_room(&mut self, settings: &Settings) -> Vec<Gap> {
        let at = self.first_waiting() + self.writing;
        let mut rest = self.tail.split_off(at);
        let extra = settings.queue_entries / 64;
        let (entries, bytes) = (self.waiting.max(1) - 1, self.waiting_bytes);
        let mut gaps: Vec<Gap> = Vec::new();
        for lane in [Lane::Events, Lane::Alerts] {
            let fits = self.waiting <= settings.queue_entries
                && self.waiting_bytes <= settings.queue_bytes;
            if fits {
                break;
            }
            let mut kept = VecDeque::with_capacity(rest.len());
            for queued in rest {
                let over = self.waiting > settings.queue_entries
                    || self.waiting_bytes > settings.queue_bytes;
                // Alerts go one by one, telemetry in some numbers.
                let more = lane == Lane::Events
                    && (self.waiting + extra > entries + 1
                        && self.waiting_bytes + settings.queue_bytes / 64 > bytes);
                if queued.lane != lane || !(over || more) {
                    kept.push_back(queued);
                    continue;
                }
                self.waiting -= 1;
                self.waiting_bytes -= queued.body.len();
                let Number { epoch, seq } = queued.number;
                match gaps.last_mut() {
                    Some(gap) if gap.epoch == epoch && gap.lane == Some(lane) => gap.to = seq,
                    _ => gaps.push(Gap { epoch, lane: Some(lane), from: seq, to: seq }),
                }
            }
            rest = kept;
        }
        self.tail.append(&mut rest);
        for gap in &gaps {
            self.note_shed(*gap);
        }
        gaps
    }

    /// Remembers for receipts what was shed. When there is too much to remember, ranges are joined:
    /// a receipt may then wrongly say "not recorded", never wrongly "recorded".
    fn note_shed(&mut self, gap: Gap) {
        self.shed.push_back(gap);
        if self.shed.len() > MOST_SHED
            && let Some(old) = self.shed.pop_front()
            && let Some(next) = self.shed.iter_mut().find(|next| next.lane == old.lane)
        {
            next.from = next.from.min(old.from);
        }
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
        for queued in self.tail.drain(..surplus) {
            self.left[queued.lane.index()] = queued.number;
        }
        last
    }

    /// Entries of a lane after `given`, up to `to`, from memory, and the number up to which that is
    /// all there is.
    ///
    /// # Errors
    /// If the disk has some that memory has not: the newest of those.
    pub fn in_memory(
        &self,
        lane: Lane,
        given: u64,
        to: u64,
        most: usize,
    ) -> Result<(Vec<Record>, u64), Number> {
        let left = self.left[lane.index()];
        if given < left.seq {
            return Err(left);
        }
        let start = self.tail.partition_point(|q| q.number.seq <= given);
        let mut found = Vec::new();
        let mut reached = given;
        for queued in self.tail.range(start..).take_while(|q| q.number.seq <= to) {
            if queued.lane == lane {
                if found.len() == most {
                    break;
                }
                let (number, body) = (queued.number, queued.body.clone());
                found.push(Record { number, lane, body });
            }
            reached = queued.number.seq;
        }
        Ok((found, reached))
    }
}
