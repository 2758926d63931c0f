//! The entries that were handed over and have no answer, in that order. A broker answers in the order
//! in which it was asked (MQTT 5, 4.6), so the oldest one says whether it answers at all: neither a
//! status that it took nor entries behind the oldest may hide that that one never comes to its end. A
//! slow link, on which the oldest one changes slowly, is no broker that stands still.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The oldest one may be the oldest for so long.
pub const STALLED: Duration = Duration::from_secs(30);

/// What has no answer.
#[derive(Debug)]
pub struct Unanswered<T> {
    waiting: VecDeque<T>,
    /// Since when the first is the first.
    since: Instant,
}

impl<T: PartialEq> Unanswered<T> {
    /// Nothing waits.
    pub fn new() -> Self {
        Self { waiting: VecDeque::new(), since: Instant::now() }
    }

    /// One was handed over.
    pub fn handed(&mut self, what: T) {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        self.waiting.push_back(what);
    }

    /// One was answered, whatever the answer.
    pub fn answered(&mut self, what: &T) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting == what) else { return };
        self.waiting.remove(at);
        if at == 0 {
            self.since = Instant::now();
        }
    }

    /// When the broker counts as one that does not answer, if all stays as it is.
    pub fn stalled_at(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then(|| self.since + STALLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn only_the_oldest_ones_answer_counts() {
        let begun = Instant::now();
        let mut unanswered = Unanswered::new();
        assert_eq!(unanswered.stalled_at(), None);
        (1..=100).for_each(|n| unanswered.handed(n));
        // All but one are answered, one a second.
        for n in (1..=100).filter(|n| *n != 40) {
            tokio::time::advance(SECOND).await;
            unanswered.answered(&n);
        }
        assert_eq!(unanswered.stalled_at(), Some(begun + 39 * SECOND + STALLED));
        unanswered.handed(101);
        assert_eq!(unanswered.stalled_at(), Some(begun + 39 * SECOND + STALLED));
        unanswered.answered(&40);
        assert_eq!(unanswered.stalled_at(), Some(begun + 99 * SECOND + STALLED));
        unanswered.answered(&101);
        assert_eq!(unanswered.stalled_at(), None);
        tokio::time::advance(SECOND).await;
        unanswered.handed(102);
        assert_eq!(unanswered.stalled_at(), Some(begun + 100 * SECOND + STALLED));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_link_is_no_broker_that_stands_still() {
        let mut unanswered = Unanswered::new();
        (1..=100).for_each(|n| unanswered.handed(n));
        for n in 1..=100 {
            tokio::time::advance(STALLED - SECOND).await;
            assert!(unanswered.stalled_at().unwrap() > Instant::now());
            unanswered.answered(&n);
        }
    }
}
