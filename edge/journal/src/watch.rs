//! The thread that says so when a write does not come back. It never touches the disk, lest it hang
//! with it.

use std::sync::{Arc, PoisonError};

use crate::shared::Shared;
use crate::types::{Notice, Recording, Trouble};

pub(crate) fn start(shared: Arc<Shared>) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("journal-watch".into()).stack_size(256 << 10);
    thread.spawn(move || run(&shared))?;
    Ok(())
}

fn run(shared: &Shared) {
    let pause = shared.settings.stall_after / 8;
    loop {
        let state = shared.lock();
        if shared.progress.borrow().closed {
            return;
        }
        let waited = shared.ended.wait_timeout(state, pause);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        look_for_stall(shared);
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
