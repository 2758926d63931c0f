//! The second thread: forces cursors to the disk about once a second, away from the hot path, and
//! says so when a write does not come back. It never touches the engine.

use std::sync::{Arc, PoisonError};

use crate::shared::Shared;
use crate::types::{Notice, Recording, Trouble};

pub(crate) fn start(shared: Arc<Shared>) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("journal-watch".into()).stack_size(256 << 10);
    thread.spawn(move || run(&shared))?;
    Ok(())
}

fn run(shared: &Shared) {
    let pause = shared.settings.cursor_sync.min(shared.settings.stall_after / 2);
    loop {
        let state = shared.lock();
        if shared.progress.borrow().closed {
            return;
        }
        // While closing, each change is looked at soon: the end is near.
        let waited = shared.ended.wait_timeout(state, pause);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        look_for_stall(shared);
        sync_cursors(shared);
    }
}

/// A write that takes too long suspends recording; the writing thread, when it comes back, resumes.
fn look_for_stall(shared: &Shared) {
    let state = shared.lock();
    let stalled = state.writing_since.is_some_and(|at| at.elapsed() >= shared.settings.stall_after);
    if !stalled || !shared.progress.borrow().recording.is_active() {
        return;
    }
    // Told under the mutex, so that it can not come after the writing thread's own word.
    shared.progress.send_modify(|progress| {
        progress.recording = Recording::Suspended(Trouble::Stalled);
    });
    drop(state);
    tracing::error!("the disk does not answer: the journal does not record");
    let _ = shared.notices.send(Notice::Suspended(Trouble::Stalled));
}

/// Writes and forces all cursors that moved.
pub(crate) fn sync_cursors(shared: &Shared) {
    let journal = shared.journal_id.load(std::sync::atomic::Ordering::Relaxed);
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
