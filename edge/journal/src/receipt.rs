//! A receipt: tells when its entry is durable, or that it is known not to be.

use std::sync::Arc;

use crate::shared::{Progress, Shared};
use crate::types::{Lane, NotRecorded, Recording};

/// Tells when an entry is durable. Costs nothing until it is awaited.
#[derive(Clone)]
pub struct Receipt {
    shared: Arc<Shared>,
    lane: Lane,
    seq: u64,
    kept: bool,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receipt({})", self.seq)
    }
}

impl Receipt {
    pub(crate) const fn new(shared: Arc<Shared>, lane: Lane, seq: u64, kept: bool) -> Self {
        Self { shared, lane, seq, kept }
    }

    /// Waits until the entry is durable.
    ///
    /// # Errors
    /// [`NotRecorded`] when it is known not to be, now. With a disk that hangs that is after
    /// [`Settings::stall_after`](crate::Settings::stall_after).
    pub async fn durable(&self) -> Result<(), NotRecorded> {
        if !self.kept {
            return Err(NotRecorded::TooLarge);
        }
        let mut progress = self.shared.progress.subscribe();
        loop {
            // A copy: the borrow is a lock, and those who hold the state's mutex wait for it.
            let now = progress.borrow_and_update().clone();
            if let Some(result) = self.judge(&now) {
                return result;
            }
            if progress.changed().await.is_err() {
                return Err(NotRecorded::Closed);
            }
        }
    }

    fn judge(&self, progress: &Progress) -> Option<Result<(), NotRecorded>> {
        let reached = progress.durable >= self.seq;
        // Those whom one flush wakes do not queue for the mutex without need.
        if (reached && progress.shed) || !progress.recording.is_active() {
            let state = self.shared.lock();
            let mut shed = state.shed.iter().filter(|gap| gap.lane == Some(self.lane));
            if shed.any(|gap| (gap.from..=gap.to).contains(&self.seq)) {
                return Some(Err(NotRecorded::Shed));
            }
        }
        if reached {
            return Some(Ok(()));
        }
        if let Recording::Suspended(trouble) = &progress.recording {
            return Some(Err(NotRecorded::Suspended(trouble.clone())));
        }
        progress.closed.then_some(Err(NotRecorded::Closed))
    }
}
