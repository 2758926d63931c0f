//! Messages that came too early: what a broker kept for us comes before the list that tells whose
//! topic is whose. They wait here, unacknowledged, until that list came or its time is over. Must
//! never keep more than a few, nor for longer than an alarm may wait.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// A broker sends what it kept, and what we subscribe to, within moments.
const WAIT: Duration = Duration::from_secs(3);

/// Most messages that wait, and bytes of them together.
const MOST: usize = 256;
const MOST_BYTES: usize = 1024 * 1024;

/// One that waits.
#[derive(Debug)]
pub struct Waiting {
    pub topic: Bytes,
    pub payload: Bytes,
    /// Whether an acknowledgement is owed for it.
    pub owed: bool,
}

/// Those that wait, in the order in which they came.
#[derive(Debug, Default)]
pub struct Early {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    until: Option<Instant>,
}

impl Early {
    /// A connection begins.
    pub fn connected(&mut self, now: Instant) {
        self.until = Some(now + WAIT);
    }

    /// Whether one more can wait.
    pub fn has_room(&self, now: Instant, bytes: usize) -> bool {
        let open = self.until.is_some_and(|until| now < until);
        open && self.waiting.len() < MOST && self.bytes.saturating_add(bytes) <= MOST_BYTES
    }

    /// Lets it wait.
    pub fn wait(&mut self, waiting: Waiting) {
        self.bytes += waiting.payload.len();
        self.waiting.push_back(waiting);
    }

    /// The topic of the one that has waited longest.
    pub fn first(&self) -> Option<&[u8]> {
        self.waiting.front().map(|waiting| &*waiting.topic)
    }

    /// When those that wait have waited long enough.
    pub fn due(&self) -> Option<Instant> {
        self.until.filter(|_| !self.waiting.is_empty())
    }

    /// All of them; none waits any more.
    pub fn take(&mut self) -> VecDeque<Waiting> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}
