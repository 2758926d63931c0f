//! The entries of one lane that the broker has not acknowledged yet. Pure bookkeeping: the cursor
//! may move only past entries of which all earlier ones are acknowledged too.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::feed::Item;

/// How often a refused entry is offered again before it is set aside.
pub const MOST_TRIES: u32 = 3;

/// Pause before a refused entry is offered again.
pub const RETRY_AFTER: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Flying {
    item: Item,
    tries: u32,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Sent,
    Again(Instant),
    Done,
}

/// What became of a refused entry.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It will be offered again.
    Again,
    /// It was refused too often and is set aside.
    SetAside,
}

/// The entries in flight, in order.
#[derive(Debug, Default)]
pub struct Flight {
    flying: VecDeque<Flying>,
}

impl Flight {
    /// How many are not settled.
    pub fn len(&self) -> usize {
        self.flying.len()
    }

    /// An entry went out.
    pub fn sent(&mut self, item: Item) {
        self.flying.push_back(Flying { item, tries: 1, state: State::Sent });
    }

    /// The broker has `seq`. Returns the new place of the cursor, if it moves.
    pub fn acknowledged(&mut self, seq: u64) -> Option<u64> {
        self.settle(seq)
    }

    /// The broker refused `seq`. Returns what becomes of it and the new place of the cursor.
    pub fn refused(&mut self, seq: u64, now: Instant) -> (Refusal, Option<u64>) {
        let Some(flying) = self.flying.iter_mut().find(|f| f.item.seq == seq) else {
            return (Refusal::SetAside, None);
        };
        if flying.tries < MOST_TRIES {
            flying.state = State::Again(now + RETRY_AFTER);
            return (Refusal::Again, None);
        }
        (Refusal::SetAside, self.settle(seq))
    }

    fn settle(&mut self, seq: u64) -> Option<u64> {
        let flying = self.flying.iter_mut().find(|f| f.item.seq == seq)?;
        flying.state = State::Done;
        let mut place = None;
        while self.flying.front().is_some_and(|f| f.state == State::Done) {
            place = self.flying.pop_front().map(|f| f.item.seq);
        }
        place
    }

    /// Refused entries whose pause has ended; they count as sent again.
    pub fn due(&mut self, now: Instant) -> Vec<Item> {
        let mut due = Vec::new();
        for flying in &mut self.flying {
            if matches!(flying.state, State::Again(at) if at <= now) {
                flying.state = State::Sent;
                flying.tries += 1;
                due.push(flying.item.clone());
            }
        }
        due
    }

    /// When the next refused entry is due.
    pub fn next_due(&self) -> Option<Instant> {
        let due = |f: &Flying| match f.state {
            State::Again(at) => Some(at),
            _ => None,
        };
        self.flying.iter().filter_map(due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(seq: u64) -> Item {
        Item { seq, body: bytes::Bytes::new() }
    }

    #[test]
    fn the_cursor_never_passes_an_unacknowledged_entry() {
        let mut flight = Flight::default();
        for seq in [3, 5, 8] {
            flight.sent(item(seq));
        }
        assert_eq!(flight.acknowledged(5), None);
        assert_eq!(flight.acknowledged(3), Some(5));
        assert_eq!(flight.acknowledged(99), None);
        assert_eq!(flight.acknowledged(8), Some(8));
        assert_eq!(flight.len(), 0);
    }

    #[test]
    fn a_refused_entry_is_tried_again_and_then_set_aside() {
        let mut flight = Flight::default();
        let mut now = Instant::now();
        flight.sent(item(1));
        flight.sent(item(2));
        assert_eq!(flight.acknowledged(2), None);
        for _ in 1..MOST_TRIES {
            assert_eq!(flight.refused(1, now), (Refusal::Again, None));
            assert!(flight.due(now).is_empty());
            now = flight.next_due().unwrap();
            assert_eq!(flight.due(now), [item(1)]);
        }
        assert_eq!(flight.refused(1, now), (Refusal::SetAside, Some(2)));
    }
}
