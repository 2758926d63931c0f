//! Two threads for the followers' places. One writes each to its file as soon as it moved, so that
//! the death of the process costs nothing; the other forces the files to the disk about once a
//! second. Either may hang with the disk: nobody who gives or takes entries may ever wait for them
//! for long, and neither touches the engine.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cursor::{CursorFile, Key};
use crate::shared::Shared;

/// A follower waits at most this long until its place is written, before it is given more.
pub(crate) const WRITTEN_WITHIN: Duration = Duration::from_millis(100);

/// Starts the thread that writes; it ends once it is told that the places end.
pub(crate) fn start_writing(shared: Arc<Shared>) -> std::io::Result<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name("journal-places".into()).stack_size(256 << 10);
    thread.spawn(move || write_all(&shared))
}

/// Starts the thread that forces; it ends with the journal.
pub(crate) fn start_forcing(shared: Arc<Shared>) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("journal-force".into()).stack_size(256 << 10);
    thread.spawn(move || {
        loop {
            let state = shared.lock();
            if shared.progress.borrow().closed {
                return;
            }
            // While closing, each change is looked at soon: the end is near.
            let waited = shared.ended.wait_timeout(state, shared.settings.cursor_sync);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            force(&shared);
        }
    })?;
    Ok(())
}

fn write_all(shared: &Shared) {
    loop {
        let moved: Vec<(Key, Arc<Mutex<CursorFile>>, u64)> = {
            let mut state = shared.lock();
            loop {
                let moved = state.followers.iter().filter(|(_, place)| place.unwritten.is_some());
                let moved: Vec<_> = moved
                    .filter_map(|(key, place)| {
                        place.file.clone().map(|file| (key.clone(), file, place.acknowledged))
                    })
                    .collect();
                if !moved.is_empty() {
                    break moved;
                }
                if state.places_end {
                    return;
                }
                state = shared.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // With a disk in trouble it is left to the thread that forces, which tries once a second.
        let active = shared.progress.borrow().recording.is_active();
        let journal = shared.journal_id.load(Ordering::Relaxed);
        for (key, file, seq) in moved {
            if active {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = file.advance(journal, seq) {
                    tracing::warn!(%error, cursor = key.file_name(), "cursor not written");
                }
            }
            if let Some(place) = shared.lock().followers.get_mut(&key) {
                place.unwritten = (place.acknowledged > seq).then(Instant::now);
            }
        }
        shared.written.notify_waiters();
    }
}

/// Writes and forces all places that moved.
pub(crate) fn force(shared: &Shared) {
    let journal = shared.journal_id.load(Ordering::Relaxed);
    let moved: Vec<_> = {
        let mut state = shared.lock();
        let moved = state.followers.values_mut().filter(|place| place.changed);
        moved
            .filter_map(|place| {
                place.changed = false;
                place.file.clone().map(|file| (file, place.acknowledged))
            })
            .collect()
    };
    for (file, seq) in moved {
        let second = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.advance(journal, seq).and_then(|()| file.second())
        };
        if let Err(error) = second.and_then(|file| Ok(rustix::fs::fdatasync(&file)?)) {
            tracing::warn!(%error, "a cursor was not forced to the disk");
        }
    }
}
