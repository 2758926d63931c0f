//! The one thread that writes: takes what waits, inserts it in order, makes it durable, and only
//! then says so. A failing engine is put down and opened again later; this thread must never end
//! before the journal is closed, whatever the engine does.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::{Engine, EngineError, Op, Opener};
use crate::open::{join, open_engine, panic_text, set_aside};
use crate::record::{self, HEADER};
use crate::recount::{self, Recount};
use crate::shared::{Queued, Shared};
use crate::types::{Gap, Notice, Recording, Trouble};
use crate::{epoch, places, retention};

/// Longest sleep.
const IDLE: Duration = Duration::from_secs(60);

/// Breakages of an engine that opens, one after another, before it is set aside all the same.
const PATIENCE: u32 = 3;

/// Starts the thread. `joined` is false when the journal on the disk was not seen yet; `recount`
/// says that its payload is to be counted anew, `places` writes the followers' places.
pub(crate) fn start(
    shared: Arc<Shared>,
    opener: Arc<dyn Opener>,
    joined: bool,
    recount: bool,
    places: JoinHandle<()>,
) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("journal".into()).stack_size(1 << 20);
    thread.spawn(move || {
        let places = Some(places);
        let mut batcher =
            Batcher { shared, opener, retry: None, joined, broken: 0, recount: None, places };
        if recount {
            batcher.count_anew();
        }
        batcher.run();
    })?;
    Ok(())
}

struct Batcher {
    shared: Arc<Shared>,
    opener: Arc<dyn Opener>,
    retry: Option<Instant>,
    /// The journal on the disk was seen, its counters are known.
    joined: bool,
    /// How often in a row what is stored proved broken.
    broken: u32,
    /// The payload is being counted anew.
    recount: Option<Recount>,
    places: Option<JoinHandle<()>>,
}

enum Work {
    Write(Vec<Queued>),
    Retry,
    Count,
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
                Work::Count => self.retain(0),
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
                if self.recount.is_some() {
                    return Work::Count;
                }
            }
            let next = if self.retry.is_some() { self.retry } else { state.deadline };
            let wait = next.map_or(IDLE, |at| at.saturating_duration_since(now));
            (state, _) =
                self.shared.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(&mut self, batch: &[Queued]) {
        let space = retention::check_space(&self.shared.dir, &self.shared.settings);
        // An engine that was not touched can still be read.
        let untouched = space.is_err();
        let result = space.and_then(|()| self.try_write(batch));
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
                let shed = !state.shed.is_empty();
                // Under the mutex: the watching thread must not call it stalled after this. Those
                // who wait are woken without it, for they append next.
                let mut stalled = false;
                self.shared.progress.send_if_modified(|progress| {
                    progress.shed = shed;
                    stalled = !progress.recording.is_active();
                    progress.recording = Recording::Active;
                    if let Some(last) = last {
                        progress.durable = progress.durable.max(last);
                    }
                    if empty {
                        progress.durable = progress.durable.max(next - 1);
                    }
                    false
                });
                drop(state);
                self.shared.progress.send_modify(|_| {});
                self.broken = 0;
                if stalled {
                    let _ = self.shared.notices.send(Notice::Resumed);
                }
                self.retain(batch.len());
            }
            Err(error) => {
                drop(state);
                if !untouched {
                    self.put_down();
                }
                self.suspend(error);
            }
        }
    }

    fn try_write(&self, batch: &[Queued]) -> Result<[u64; 2], EngineError> {
        let engine = self.shared.current_engine().ok_or(Trouble::Failed("no engine".into()))?;
        let mut payload = self.shared.lock().payload;
        let mut bytes = Vec::with_capacity(
            batch.iter().map(|queued| queued.body.len() + HEADER).sum::<usize>(),
        );
        let mut ends = Vec::with_capacity(batch.len());
        for queued in batch {
            record::encode_into(&mut bytes, queued.number, &queued.body);
            ends.push(bytes.len());
        }
        let mut start = 0;
        let mut ops = Vec::with_capacity(batch.len() + 1);
        for (queued, end) in batch.iter().zip(ends) {
            payload[queued.lane.index()] += (end - start) as u64;
            ops.push(Op::Put(queued.lane, queued.number.seq, &bytes[start..end]));
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

    /// Retention after a batch: at least twice as many as came, in small steps; more only while
    /// nobody waits.
    fn retain(&mut self, came: usize) {
        // First it must be known how much there is.
        for _ in 0..1 + came * 2 / recount::STEP {
            match &self.recount {
                Some(_) => self.count(),
                None => break,
            }
        }
        if self.recount.is_some() {
            return;
        }
        let Some(engine) = self.shared.current_engine() else { return };
        let mut owed = came * 2 + retention::STEP;
        loop {
            match guarded(|| retention::step(&self.shared, &*engine)) {
                Ok(0) => return,
                Ok(removed) => owed = owed.saturating_sub(removed),
                Err(error) => {
                    self.put_down();
                    return self.suspend(error);
                }
            }
            let state = self.shared.lock();
            let awaited = state.deadline.is_some_and(|deadline| deadline <= Instant::now());
            if owed == 0 && (awaited || state.closing) {
                return;
            }
        }
    }

    fn count_anew(&mut self) {
        let to = self.shared.progress.borrow().durable;
        self.recount = Some(Recount::new(to, self.shared.lock().payload));
    }

    /// One step of counting the payload anew.
    fn count(&mut self) {
        let (Some(engine), Some(recount)) = (self.shared.current_engine(), &mut self.recount)
        else {
            self.recount = None;
            return;
        };
        let now = self.shared.lock().payload;
        let counted = guarded(|| {
            let counted = recount.step(&*engine, now)?;
            if let Some(payload) = counted {
                recount::finish(&*engine, payload)?;
            }
            Ok(counted)
        });
        match counted {
            Ok(None) => {}
            Ok(Some(payload)) => {
                self.recount = None;
                self.shared.lock().payload = payload;
            }
            Err(error) => {
                tracing::warn!(%error, "what the journal holds can not be counted anew");
                self.recount = None;
            }
        }
    }

    fn suspend(&mut self, error: EngineError) {
        let trouble = match error {
            EngineError::Trouble(trouble) => trouble,
            EngineError::Broken(what) => {
                self.broken += 1;
                Trouble::Failed(what)
            }
        };
        tracing::error!(%trouble, "the journal does not record");
        self.retry = Some(Instant::now() + self.shared.settings.retry_every);
        let mut first = false;
        self.shared.progress.send_modify(|progress| {
            first = progress.recording.is_active();
            progress.recording = Recording::Suspended(trouble.clone());
        });
        if first {
            let _ = self.shared.notices.send(Notice::Suspended(trouble));
        }
    }

    /// Lets go of an engine that failed. Dropping one may panic or never come back, so that happens
    /// elsewhere.
    fn put_down(&self) {
        let engine = self.shared.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        let thread = std::thread::Builder::new().name("journal-drop".into());
        let _ = thread.spawn(move || {
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(engine)));
        });
    }

    fn reopen(&mut self) {
        self.retry = Some(Instant::now() + self.shared.settings.retry_every);
        if self.shared.current_engine().is_none() && !self.open_again() {
            return;
        }
        if retention::check_space(&self.shared.dir, &self.shared.settings).is_ok() {
            self.resume();
        }
    }

    /// Opens the engine again, so that it can at least be read.
    fn open_again(&mut self) -> bool {
        let opened = match open_engine(&self.shared.dir, &self.opener, &self.shared.settings) {
            Ok(_) if self.broken >= PATIENCE => {
                Err(EngineError::Broken("it opens, but it can not be written".into()))
            }
            other => other,
        };
        let engine = match opened {
            Ok(engine) => engine,
            Err(EngineError::Broken(reason)) => match self.begin_anew(reason) {
                Some(engine) => engine,
                None => return false,
            },
            Err(EngineError::Trouble(trouble)) => {
                tracing::debug!(%trouble, "the journal does not open yet");
                return false;
            }
        };
        if !self.joined {
            if let Err(error) = join(&self.shared, &*engine) {
                tracing::warn!(%error, "the journal opens, but is not usable yet");
                return false;
            }
            self.joined = true;
            self.count_anew();
        }
        *self.shared.engine.write().unwrap_or_else(PoisonError::into_inner) = Some(engine);
        true
    }

    /// Moves a journal that broke while in use out of the way.
    fn begin_anew(&mut self, reason: String) -> Option<Arc<dyn Engine>> {
        tracing::error!(reason, "the journal is broken; it is set aside");
        let aside = set_aside(&self.shared.dir, reason).ok()?;
        let durable = self.shared.progress.borrow().durable;
        let epoch = {
            let mut state = self.shared.lock();
            state.payload = [0; 2];
            state.epoch
        };
        self.recount = None;
        self.broken = 0;
        let _ = self.shared.notices.send(Notice::SetAside(aside));
        self.shared.notice_gap(Gap { epoch, lane: None, from: 1, to: durable });
        let engine = open_engine(&self.shared.dir, &self.opener, &self.shared.settings).ok()?;
        let id = self.shared.journal_id.load(Ordering::Relaxed).to_le_bytes();
        guarded(|| engine.apply(&[Op::Meta("id", &id)])).ok()?;
        Some(engine)
    }

    /// Records again. The epoch in use must be on the disk before anything is called durable; a
    /// borrowed one is given back for the one above it.
    fn resume(&mut self) {
        let dir = &self.shared.dir;
        let current = self.shared.lock().epoch | 1;
        let stored = epoch::load(dir).ok().and_then(|stored| stored.epoch);
        let kept = match stored {
            Some(stored) if stored >= current => Ok(()),
            _ => epoch::store(dir, current),
        };
        if let Err(error) = kept.and_then(|()| epoch::unmark_clean(dir)) {
            tracing::warn!(%error, "the epoch can not be kept yet");
            return;
        }
        self.retry = None;
        {
            let mut state = self.shared.lock();
            state.epoch = state.epoch.max(current);
            state.deadline = Some(Instant::now());
        }
        self.shared.progress.send_modify(|progress| progress.recording = Recording::Active);
        let _ = self.shared.notices.send(Notice::Resumed);
    }

    fn finish(&mut self) {
        self.shared.lock().places_end = true;
        self.shared.moved.notify_all();
        // It panics nowhere; should it, what it left is done here.
        let _ = self.places.take().map(JoinHandle::join);
        places::force(&self.shared);
        let (epoch, next, waiting) = {
            let state = self.shared.lock();
            (state.epoch, state.next, state.waiting)
        };
        let recording = self.shared.progress.borrow().recording.is_active();
        if recording
            && self.recount.is_some()
            && let Some(engine) = self.shared.current_engine()
            && let Err(error) = guarded(|| {
                recount::begin(&*engine)?;
                engine.make_durable()
            })
        {
            tracing::warn!(%error, "that the journal is to be counted anew could not be noted");
        }
        if recording && waiting == 0 {
            let last_is_durable = self.shared.progress.borrow().durable + 1 == next;
            if last_is_durable && let Err(error) = epoch::mark_clean(&self.shared.dir, epoch, next)
            {
                tracing::warn!(%error, "the clean stop could not be marked");
            }
        }
        let engine = self.shared.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop(engine)));
        // Closed means that no file of the folder is open.
        for place in self.shared.lock().followers.values_mut() {
            place.file = None;
        }
        self.shared.progress.send_modify(|progress| progress.closed = true);
        self.shared.ended.notify_all();
    }
}

/// Runs what may panic: sled does, on some broken files.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Trouble::Failed(format!("the engine panicked: {}", panic_text(&*panic))).into())
    })
}
