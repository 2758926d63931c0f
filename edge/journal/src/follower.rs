//! A follower: reads one lane from its cursor on and moves the cursor when told. Entries that are
//! in memory come from there; older ones are read in chunks away from the async threads.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;

use crate::FollowWhen;
use crate::cursor::{self, CursorFile, Key};
use crate::reading::Chunk;
use crate::shared::{Place, Shared};
use crate::types::{Lane, Record};

/// Entries read from the disk at once.
const CHUNK: usize = 1024;

/// Reads one lane in order.
pub struct Follower {
    shared: Arc<Shared>,
    key: Key,
    when: FollowWhen,
    given: u64,
    ahead: std::collections::VecDeque<Record>,
    /// A look at the disk that has begun: whoever stops waiting for it must not begin it anew.
    reading: Option<JoinHandle<Chunk>>,
    /// The last look at the disk failed.
    failed: bool,
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
            let place = Place { file, acknowledged: 0, opened_at: 0, changed: true };
            shared.lock().followers.entry(key.clone()).or_insert(place);
        }
        let ahead = std::collections::VecDeque::new();
        let mut follower =
            Self { shared, key, when, given: 0, ahead, reading: None, failed: false };
        follower.rewind_to_cursor();
        Ok(follower)
    }

    /// Goes back to the first entry that is not acknowledged.
    pub fn rewind_to_cursor(&mut self) {
        self.ahead.clear();
        self.reading = None;
        self.given =
            self.shared.lock().followers.get(&self.key).map_or(0, |place| place.acknowledged);
    }

    /// Everything up to and including `seq` is dealt with. The cursor only moves forward.
    pub fn ack(&mut self, seq: u64) {
        let journal = self.shared.journal_id.load(Ordering::Relaxed);
        let file = {
            let mut state = self.shared.lock();
            let Some(place) = state.followers.get_mut(&self.key) else { return };
            if seq <= place.acknowledged {
                return;
            }
            place.acknowledged = seq;
            place.changed = true;
            place.file.clone()
        };
        // With a disk in trouble this is left to the watching thread: nothing here may wait.
        if self.shared.progress.borrow().recording.is_active()
            && let Some(file) = file
        {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = file.advance(journal, seq) {
                tracing::warn!(%error, cursor = self.key.file_name(), "cursor not written");
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
                Some((records, reached)) if records.is_empty() => {
                    self.given = self.given.max(reached);
                }
                Some((records, _)) => self.ahead.extend(records),
                None => self.read_ahead(durable).await,
            }
        }
        let count = most.min(self.ahead.len());
        let records: Vec<Record> = self.ahead.drain(..count).collect();
        if let Some(last) = records.last() {
            self.given = last.number.seq;
        }
        records
    }

    async fn read_ahead(&mut self, durable: u64) {
        let (shared, lane, from) = (self.shared.clone(), self.key.lane, self.given + 1);
        let reading = self.reading.get_or_insert_with(|| {
            tokio::task::spawn_blocking(move || shared.read(lane, from, durable, CHUNK))
        });
        let read = reading.await;
        self.reading = None;
        match read {
            Ok(chunk) => {
                if chunk.records.is_empty() {
                    self.given = self.given.max(chunk.reached);
                }
                self.ahead.extend(chunk.records);
                // What could not be read is tried again, never taken for nothing.
                self.failed = chunk.failed.is_some() && self.ahead.is_empty();
                if let Some(error) = chunk.failed {
                    tracing::warn!(%error, "the journal could not be read; trying again");
                }
            }
            Err(error) => {
                self.failed = true;
                tracing::warn!(%error, "reading the journal failed; trying again");
            }
        }
    }

    /// Waits until there is more, then gives at most `most` entries. Cancelling loses nothing.
    /// After the journal was closed and all is given, it waits for ever.
    pub async fn next(&mut self, most: usize) -> Vec<Record> {
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
                tokio::time::sleep(self.shared.settings.retry_every).await;
                continue;
            }
            if self.given != given && self.given < progress.borrow().durable {
                continue;
            }
            // Neither sender can be gone: `shared` is held.
            let at_once = self.when == FollowWhen::AtOnce && self.key.lane == Lane::Alerts;
            let _ = tokio::select! {
                changed = progress.changed() => changed,
                changed = alerts.changed(), if at_once => changed,
            };
        }
    }
}
