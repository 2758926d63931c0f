//! A follower: reads one lane from its cursor on and moves the cursor when told. Entries that are
//! in memory come from there; older ones are read in chunks away from the async threads. It must
//! never keep a new alert back because an old one can not be read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant as Moment;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::FollowWhen;
use crate::cursor::{self, CursorFile, Key};
use crate::places::WRITTEN_WITHIN;
use crate::reading::Chunk;
use crate::shared::{Place, Shared};
use crate::types::{Gap, Lane, Number, Record};

/// Entries read from the disk at once.
const CHUNK: usize = 1024;

/// Reads one lane in order.
pub struct Follower {
    shared: Arc<Shared>,
    key: Key,
    when: FollowWhen,
    given: u64,
    ahead: VecDeque<Record>,
    /// A look at the disk that has begun: whoever stops waiting for it must not begin it anew, nor
    /// begin another while the disk hangs.
    reading: Option<Reading>,
    /// The last look at the disk failed.
    failed: bool,
    /// Since when each look has failed.
    failing_since: Option<Instant>,
    /// Up to here it was told what could not be read.
    told: u64,
}

struct Reading {
    task: JoinHandle<Chunk>,
    began: Instant,
    /// It was begun for a place that counts no more.
    stale: bool,
}

impl Follower {
    pub(crate) fn new(
        shared: Arc<Shared>,
        name: &str,
        lane: Lane,
        when: FollowWhen,
    ) -> std::io::Result<Self> {
        let key = Key::new(name, lane).ok_or_else(|| {
            std::io::Error::other("a follower's name is 1 to 64 of the characters a-z, 0-9 and -")
        })?;
        let known = shared.lock().followers.contains_key(&key);
        if !known {
            // Without a file the place is kept in memory only: a read-only disk stops nobody.
            let file = CursorFile::open(&cursor::folder(&shared.dir), &key).ok();
            let file = file.map(|(file, _)| Arc::new(Mutex::new(file)));
            let place =
                Place { file, acknowledged: 0, opened_at: 0, unwritten: None, changed: true };
            shared.lock().followers.entry(key.clone()).or_insert(place);
        }
        let mut follower = Self {
            shared,
            key,
            when,
            given: 0,
            ahead: VecDeque::new(),
            reading: None,
            failed: false,
            failing_since: None,
            told: 0,
        };
        follower.rewind_to_cursor();
        Ok(follower)
    }

    /// Goes back to the first entry that is not acknowledged.
    pub fn rewind_to_cursor(&mut self) {
        self.ahead.clear();
        if let Some(reading) = &mut self.reading {
            reading.stale = true;
        }
        self.given =
            self.shared.lock().followers.get(&self.key).map_or(0, |place| place.acknowledged);
    }

    /// Everything up to and including `seq` is dealt with. The cursor only moves forward. Never waits
    /// for the disk: the place is written at once, elsewhere.
    pub fn ack(&mut self, seq: u64) {
        let mut state = self.shared.lock();
        let Some(place) = state.followers.get_mut(&self.key) else { return };
        if seq <= place.acknowledged {
            return;
        }
        place.acknowledged = seq;
        place.changed = true;
        if place.file.is_some() && place.unwritten.is_none() {
            place.unwritten = Some(Moment::now());
            drop(state);
            self.shared.moved.notify_one();
        }
    }

    /// Waits until the place is written, so that no more than what is on its way comes twice after
    /// the death of the process; but not for a disk that hangs.
    async fn place_written(&self) {
        loop {
            let written = self.shared.written.notified();
            let since = self.shared.lock().followers.get(&self.key).and_then(|p| p.unwritten);
            let Some(left) = since.and_then(|s| WRITTEN_WITHIN.checked_sub(s.elapsed())) else {
                return;
            };
            if tokio::time::timeout(left, written).await.is_err() {
                return;
            }
        }
    }

    /// Entries after the last one given, without waiting for new ones; may read the disk.
    pub async fn try_next(&mut self, most: usize) -> Vec<Record> {
        if most == 0 {
            return Vec::new();
        }
        if self.ahead.is_empty() {
            let durable = self.shared.progress.borrow().durable;
            let to = match self.when {
                FollowWhen::Durable => durable,
                FollowWhen::AtOnce => u64::MAX,
            };
            let memory = {
                let state = self.shared.lock();
                state.in_memory(self.key.lane, self.given, to, most.max(CHUNK))
            };
            match memory {
                Ok((records, reached)) if records.is_empty() => {
                    self.given = self.given.max(reached);
                }
                Ok((records, _)) => self.ahead.extend(records),
                Err(left) => self.read_ahead(left).await,
            }
        }
        let count = most.min(self.ahead.len());
        let records: Vec<Record> = self.ahead.drain(..count).collect();
        if let Some(last) = records.last() {
            self.given = last.number.seq;
        }
        records
    }

    /// Reads what memory has not, the newest of which is `left`.
    async fn read_ahead(&mut self, left: Number) {
        let read = loop {
            let (shared, lane, from) = (self.shared.clone(), self.key.lane, self.given + 1);
            let reading = self.reading.get_or_insert_with(|| Reading {
                task: tokio::task::spawn_blocking(move || shared.read(lane, from, left.seq, CHUNK)),
                began: Instant::now(),
                stale: false,
            });
            let began = reading.began;
            let until = began + self.shared.settings.stall_after;
            let Ok(read) = tokio::time::timeout_at(until, &mut reading.task).await else {
                return self.not_read(left, began, &"the disk does not answer");
            };
            let stale = reading.stale;
            self.reading = None;
            if !stale {
                break read;
            }
        };
        let chunk = match read {
            Ok(chunk) => chunk,
            Err(error) => return self.not_read(left, Instant::now(), &error),
        };
        if chunk.records.is_empty() {
            self.given = self.given.max(chunk.reached);
        }
        self.ahead.extend(chunk.records);
        match chunk.failed {
            // What could not be read is tried again, never taken for nothing.
            Some(error) if self.ahead.is_empty() => self.not_read(left, Instant::now(), &error),
            Some(error) => tracing::warn!(%error, "the journal could not be read; trying again"),
            None => self.failing_since = None,
        }
    }

    /// A look at the disk failed. It is tried again, and nothing is passed over: unless that has
    /// gone on for two pauses and a new alert waits in memory.
    fn not_read(&mut self, left: Number, began: Instant, error: &dyn std::fmt::Display) {
        if self.failing_since.is_none() {
            tracing::warn!(%error, "the journal could not be read; trying again");
        }
        let since = *self.failing_since.get_or_insert(began);
        let patient = since.elapsed() < self.shared.settings.retry_every * 2;
        let awaited = || self.shared.lock().in_memory(self.key.lane, left.seq, u64::MAX, 1);
        if patient || !self.is_for_alerts() || !awaited().is_ok_and(|(new, _)| !new.is_empty()) {
            self.failed = true;
            return;
        }
        let from = self.given.max(self.told) + 1;
        if from <= left.seq {
            let lane = Some(self.key.lane);
            self.shared.notice_gap(Gap { epoch: left.epoch, lane, from, to: left.seq });
            self.told = left.seq;
        }
        self.given = left.seq;
    }

    fn is_for_alerts(&self) -> bool {
        self.when == FollowWhen::AtOnce && self.key.lane == Lane::Alerts
    }

    /// Waits until there is more, then gives at most `most` entries. Cancelling loses nothing.
    /// After the journal was closed and all is given, it waits for ever.
    pub async fn next(&mut self, most: usize) -> Vec<Record> {
        self.place_written().await;
        let mut progress = self.shared.progress.subscribe();
        let mut alerts = self.shared.alerts.subscribe();
        loop {
            progress.borrow_and_update();
            alerts.borrow_and_update();
            let given = self.given;
            let records = self.try_next(most).await;
            if !records.is_empty() {
                return records;
            }
            if std::mem::take(&mut self.failed) {
                tokio::select! {
                    () = tokio::time::sleep(self.shared.settings.retry_every) => {}
                    _ = alerts.changed(), if self.is_for_alerts() => {}
                }
                continue;
            }
            // It went on, and what follows may be elsewhere.
            if self.given != given {
                continue;
            }
            // Neither sender can be gone: `shared` is held.
            let _ = tokio::select! {
                changed = progress.changed() => changed,
                changed = alerts.changed(), if self.is_for_alerts() => changed,
            };
        }
    }
}
