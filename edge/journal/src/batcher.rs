//! The one thread that writes: takes what waits, inserts it in order, makes it durable, and only
//! then says so. A failing engine is put down and opened again later; this thread must never end
//! before the journal is closed, whatever the engine does.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::cursor::CursorFile;
use crate::engine::{EngineError, Op, Opener};
use crate::open::{open_engine, panic_text, set_aside};
use crate::record::{self, HEADER};
use crate::shared::{Queued, Shared, fits};
use crate::types::{Gap, Notice, Recording, Trouble};
use crate::{epoch, retention};

/// Longest wait between two looks at the cursors.
const IDLE: Duration = Duration::from_secs(60);

pub(crate) fn start(shared: Arc<Shared>, opener: Arc<dyn Opener>) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("journal".into()).stack_size(1 << 20);
    thread.spawn(move || {
        let mut batcher = Batcher { shared, opener, retry: None, synced: Instant::now() };
        batcher.run();
    })?;
    Ok(())
}

struct Batcher {
    shared: Arc<Shared>,
    opener: Arc<dyn Opener>,
    retry: Option<Instant>,
    synced: Instant,
}

enum Work {
    Write(Vec<Queued>),
    Retry,
    SyncCursors,
    Close,
}

impl Batcher {
    fn run(&mut self) {
        if !self.shared.progress.borrow().recording.is_active() {
            self.retry = Some(Instant::now() + self.shared.settings.retry_every);
        }
        loop {
            match self.wait() {
                Work::Write(batch) => self.write(&batch),
                Work::Retry => self.reopen(),
                Work::SyncCursors => self.sync_cursors(),
                Work::Close => {
                    self.finish();
                    return;
                }
            }
        }
    }

    fn wait(&self) -> Work {
        let settings = &self.shared.settings;
        let mut state = self.shared.lock();
        loop {
            let now = Instant::now();
            if let Some(at) = self.retry {
                if state.closing {
                    return Work::Close;
                }
                if at <= now {
                    return Work::Retry;
                }
            } else {
                let due = state.deadline.is_some_and(|deadline| deadline <= now)
                    || state.waiting >= settings.flush_entries
                    || state.waiting_bytes >= settings.flush_bytes
                    || state.closing;
                if state.waiting > 0 && due {
                    let first = state.first_waiting();
                    let count = state.waiting.min(settings.batch_entries);
                    state.writing = count;
                    state.writing_since = Some(now);
                    if count == state.waiting {
                        state.deadline = None;
                    }
                    return Work::Write(state.tail.range(first..first + count).cloned().collect());
                }
                if state.closing {
                    return Work::Close;
                }
            }
            let changed = state.followers.values().any(|place| place.changed);
            if changed && self.synced.elapsed() >= settings.cursor_sync {
                return Work::SyncCursors;
            }
            let until_sync = changed.then(|| self.synced + settings.cursor_sync);
            let deadline = if self.retry.is_some() { self.retry } else { state.deadline };
            let next = [deadline, until_sync].into_iter().flatten().min();
            let wait = next.map_or(IDLE, |at| at.saturating_duration_since(now)).min(
                if self.retry.is_none() {
                    settings.cursor_sync.max(Duration::from_millis(1))
                } else {
                    IDLE
                },
            );
            (state, _) =
                self.shared.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(&mut self, batch: &[Queued]) {
        let result = self.try_write(batch);
        let mut state = self.shared.lock();
        state.writing = 0;
        state.writing_since = None;
        match result {
            Ok(payload) => {
                state.payload = payload;
                let last = state.settle(batch.len());
                // Entries that were shed leave no trace before this point; their receipts look
                // them up.
                let empty = state.waiting == 0;
                let next = state.next;
                drop(state);
                self.shared.progress.send_modify(|progress| {
                    if let Some(last) = last {
                        progress.durable = progress.durable.max(last);
                    }
                    if empty {
                        progress.durable = progress.durable.max(next - 1);
                    }
                });
                self.retain();
            }
            Err(error) => {
                drop(state);
                self.suspend(error);
            }
        }
    }

    fn try_write(&self, batch: &[Queued]) -> Result<[u64; 2], EngineError> {
        retention::check_space(&self.shared.dir, &self.shared.settings)?;
        let engine = self.shared.current_engine().ok_or(Trouble::Failed("no engine".into()))?;
        let mut payload = self.shared.lock().payload;
        let mut bytes = Vec::with_capacity(
            batch.iter().map(|queued| queued.body.len() + HEADER).sum::<usize>(),
        );
        let mut ends = Vec::with_capacity(batch.len());
        for queued in batch {
            if fits(&queued.body) {
                record::encode_into(&mut bytes, queued.number, &queued.body);
            } else {
                tracing::error!(number = %queued.number, "an entry above 64 KiB is not recorded");
            }
            ends.push(bytes.len());
        }
        let mut start = 0;
        let mut ops = Vec::with_capacity(batch.len() + 1);
        for (queued, end) in batch.iter().zip(ends) {
            if end > start {
                payload[queued.lane.index()] += (end - start) as u64;
                ops.push(Op::Put(queued.lane, queued.number.seq, &bytes[start..end]));
            }
            start = end;
        }
        let total = retention::payload_bytes(payload);
        ops.push(Op::Meta("payload", &total));
        guarded(|| {
            engine.apply(&ops)?;
            engine.make_durable()
        })?;
        Ok(payload)
    }

    fn retain(&mut self) {
        let Some(engine) = self.shared.current_engine() else { return };
        let result = guarded(|| retention::step(&self.shared, &*engine));
        if let Err(error) = result {
            self.suspend(error);
        }
    }

    fn suspend(&mut self, error: EngineError) {
        let trouble = match error {
            EngineError::Trouble(trouble) => trouble,
            EngineError::Broken(what) => Trouble::Failed(what),
        };
        tracing::error!(%trouble, "the journal does not record");
        // A failed engine is of no use; dropping it may fail as well.
        let engine = self.shared.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        if trouble == Trouble::DiskFull {
            // Not touched since the check: keep it, so that reading goes on.
            *self.shared.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
        } else {
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(engine)));
        }
        self.retry = Some(Instant::now() + self.shared.settings.retry_every);
        let first = self.shared.progress.borrow().recording.is_active();
        self.shared.progress.send_modify(|progress| {
            progress.recording = Recording::Suspended(trouble.clone());
        });
        if first {
            let _ = self.shared.notices.send(Notice::Suspended(trouble));
        }
    }

    fn reopen(&mut self) {
        self.retry = Some(Instant::now() + self.shared.settings.retry_every);
        let (dir, settings) = (&self.shared.dir, &self.shared.settings);
        if self.shared.current_engine().is_some() {
            if retention::check_space(dir, settings).is_ok() {
                self.resume();
            }
            return;
        }
        let mut opened = open_engine(dir, &self.opener, settings);
        if let Err(EngineError::Broken(reason)) = &opened
            && let Ok(aside) = set_aside(dir, reason.clone())
        {
            let durable = self.shared.progress.borrow().durable;
            let gap = Gap { epoch: self.shared.lock().epoch, lane: None, from: 1, to: durable };
            let _ = self.shared.notices.send(Notice::SetAside(aside));
            let _ = self.shared.notices.send(Notice::Gap(gap));
            self.shared.lock().payload = [0; 2];
            opened = open_engine(dir, &self.opener, settings);
        }
        let Ok(engine) = opened else { return };
        let id = self.shared.journal_id.to_le_bytes();
        if guarded(|| engine.apply(&[Op::Meta("id", &id)])).is_err() {
            return;
        }
        *self.shared.engine.write().unwrap_or_else(PoisonError::into_inner) = Some(engine);
        self.resume();
    }

    /// Records again. The epoch in use must be on the disk before anything is called durable.
    fn resume(&mut self) {
        let current = self.shared.lock().epoch;
        let stored = epoch::load(&self.shared.dir).ok().and_then(|stored| stored.epoch);
        let kept = match stored {
            Some(stored) if stored >= current => Ok(()),
            _ => epoch::store(&self.shared.dir, current),
        };
        if kept.and_then(|()| epoch::unmark_clean(&self.shared.dir)).is_err() {
            return;
        }
        self.retry = None;
        self.shared.lock().deadline = Some(Instant::now());
        self.shared.progress.send_modify(|progress| progress.recording = Recording::Active);
        let _ = self.shared.notices.send(Notice::Resumed);
    }

    fn sync_cursors(&mut self) {
        self.synced = Instant::now();
        let files: Vec<_> = {
            let mut state = self.shared.lock();
            let changed = state.followers.values_mut().filter(|place| place.changed);
            changed
                .filter_map(|place| {
                    place.changed = false;
                    place.file.as_ref().and_then(|file| CursorFile::second(file).ok())
                })
                .collect()
        };
        for file in files {
            if let Err(error) = rustix::fs::fdatasync(&file) {
                tracing::warn!(%error, "a cursor was not forced to the disk");
            }
        }
    }

    fn finish(&mut self) {
        self.sync_cursors();
        let (epoch, next, waiting) = {
            let state = self.shared.lock();
            (state.epoch, state.next, state.waiting)
        };
        let recording = self.shared.progress.borrow().recording.is_active();
        if recording && waiting == 0 {
            let last_is_durable = self.shared.progress.borrow().durable + 1 == next;
            if last_is_durable && let Err(error) = epoch::mark_clean(&self.shared.dir, epoch, next)
            {
                tracing::warn!(%error, "the clean stop could not be marked");
            }
        }
        let engine = self.shared.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(engine)));
        self.shared.progress.send_modify(|progress| progress.closed = true);
        self.shared.wake.notify_all();
    }
}

fn guarded<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Trouble::Failed(format!("the engine panicked: {}", panic_text(&*panic))).into())
    })
}
