//! The entries of one lane that the broker has not acknowledged yet. Pure bookkeeping: the cursor
//! may move only past entries of which all earlier ones are acknowledged too.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::feed::Item;

/// How often a refused entry is offered before it may be set aside.
pub const MOST_TRIES: u32 = 3;

/// Pause before a refused entry is offered again; doubled each time.
pub const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Longest such pause.
const LONGEST_RETRY: Duration = Duration::from_secs(15);

#[derive(Debug)]
struct Flying {
    item: Item,
    tries: u32,
    state: State,
    standing: Standing,
}

/// What happened to an entry that has no final answer.
#[derive(Debug, PartialEq)]
enum Standing {
    /// It was never refused.
    Fresh,
    /// It was refused, and none of later number passed since.
    Refused,
    /// It was refused, and one of later number passed since.
    Overtaken,
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
    /// It will be offered again, and so will all others: nothing of the lane passes.
    AllRefused,
    /// It was refused too often and is set aside.
    SetAside,
}

/// The entries in flight, in order.
#[derive(Debug, Default)]
pub struct Flight {
    flying: VecDeque<Flying>,
    passed: u64,
    /// How often refused entries were offered again.
    turns: u64,
}

impl Flight {
    /// How many are not settled.
    pub fn len(&self) -> usize {
        self.flying.len()
    }

    /// An entry went out.
    pub fn sent(&mut self, item: Item) {
        self.flying.push_back(Flying {
            item,
            tries: 1,
            state: State::Sent,
            standing: Standing::Fresh,
        });
    }

    /// The epoch of an entry in flight.
    pub fn epoch_of(&self, seq: u64) -> Option<u64> {
        self.flying.iter().find(|f| f.item.seq == seq).map(|f| f.item.epoch)
    }

    /// How many passed.
    pub const fn passed(&self) -> u64 {
        self.passed
    }

    /// The first entry without an answer, and whether one behind it has its own.
    pub fn head(&self) -> Option<(u64, bool)> {
        let head = self.flying.iter().find(|f| f.state != State::Done)?;
        let behind =
            self.flying.iter().any(|f| f.state == State::Done && f.item.seq > head.item.seq);
        // A refusal is an answer.
        (head.state == State::Sent).then_some((head.item.seq, behind))
    }

    /// An entry is given up. Returns the new place of the cursor, if it moves.
    pub fn give_up(&mut self, seq: u64) -> Option<u64> {
        self.settle(seq)
    }

    /// Whether a refused entry was passed by later ones of its lane: those who know duplicates by
    /// rising numbers take it for one.
    pub fn is_late(&self, seq: u64) -> bool {
        let flying = self.flying.iter().find(|f| f.item.seq == seq);
        flying.is_some_and(|flying| flying.standing == Standing::Overtaken)
    }

    /// The broker has `seq`. Returns the new place of the cursor, if it moves.
    pub fn acknowledged(&mut self, seq: u64, now: Instant) -> Option<u64> {
        self.passed += 1;
        // Whatever was refused is worth another try.
        for flying in &mut self.flying {
            if flying.standing == Standing::Refused && flying.item.seq < seq {
                flying.standing = Standing::Overtaken;
            }
            if let State::Again(at) = &mut flying.state
                && (flying.item.seq > seq || flying.tries >= MOST_TRIES)
            {
                *at = now.min(*at);
            }
        }
        self.settle(seq)
    }

    /// The broker refused `seq`. Returns what becomes of it and the new place of the cursor. It is
    /// set aside only if later ones of its lane passed meanwhile: a broker that refuses everything is
    /// over its quota or has another fault of its own, and will take the entries later.
    pub fn refused(&mut self, seq: u64, now: Instant) -> (Refusal, Option<u64>) {
        let Some(flying) = self.flying.iter_mut().find(|f| f.item.seq == seq) else {
            return (Refusal::Again, None);
        };
        if flying.standing == Standing::Fresh {
            flying.standing = Standing::Refused;
        }
        if flying.tries >= MOST_TRIES && flying.standing == Standing::Overtaken {
            return (Refusal::SetAside, self.settle(seq));
        }
        let pause = RETRY_AFTER.saturating_mul(1 << (flying.tries - 1).min(8)).min(LONGEST_RETRY);
        flying.state = State::Again(now + pause);
        let all = flying.tries >= MOST_TRIES;
        (if all { Refusal::AllRefused } else { Refusal::Again }, None)
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

    /// How many new entries it takes. Behind one that was refused a single new one is taken, to see
    /// whether it is that entry's fault: if the new one passes, the others follow it, and the
    /// refused one is offered again by itself. While nothing passes the lane stands still, because
    /// receivers know duplicates by rising numbers.
    pub fn takes(&self) -> usize {
        let own_fault = |f: &&Flying| f.standing == Standing::Overtaken;
        let waits = |f: &&Flying| matches!(f.state, State::Again(_));
        if !self.flying.iter().filter(waits).any(|f| !own_fault(&f)) {
            return usize::MAX;
        }
        let open = self.flying.iter().filter(|f| f.state != State::Done && !own_fault(f)).count();
        usize::from(open == 1)
    }

    /// A new entry comes behind a refused one: that one is offered first, at once, and only if it
    /// is refused again the new one after it.
    pub fn behind_refused(&mut self, item: Item, now: Instant) {
        for flying in &mut self.flying {
            if matches!(flying.state, State::Again(_)) && flying.standing != Standing::Overtaken {
                flying.state = State::Again(now);
            }
        }
        let state = State::Again(now);
        self.flying.push_back(Flying { item, tries: 0, state, standing: Standing::Fresh });
    }

    /// The refused entry that is offered next: the first, unless it was just refused and the one
    /// behind it was never offered; now and then the second, lest both are blamed on the broker.
    /// Whatever others overtook is offered when its pause ends, whoever else is on the way.
    fn candidate(&self) -> Option<(usize, Instant)> {
        let waiting = |overtaken: bool| {
            self.flying.iter().enumerate().filter_map(move |(index, f)| match f.state {
                State::Again(at) if (f.standing == Standing::Overtaken) == overtaken => {
                    Some((index, at, f.tries))
                }
                _ => None,
            })
        };
        let overtaken = waiting(true).map(|(index, at, _)| (index, at)).min_by_key(|(_, at)| *at);
        let on_its_way = |f: &Flying| f.state == State::Sent && f.standing != Standing::Overtaken;
        let mut refused = waiting(false).take(2);
        let refused = match (refused.next(), refused.next()) {
            _ if self.flying.iter().any(on_its_way) => None,
            (None, _) => None,
            (Some((_, at, _)), Some((second, fresh, 0))) if fresh < at => Some((second, fresh)),
            (Some((_, at, tries)), Some((second, ..)))
                if tries >= MOST_TRIES && self.turns % 8 == 7 =>
            {
                Some((second, at))
            }
            (Some((first, at, _)), _) => Some((first, at)),
        };
        refused.into_iter().chain(overtaken).min_by_key(|(_, at)| *at)
    }

    /// A refused entry whose pause has ended; it counts as sent again.
    pub fn due(&mut self, now: Instant) -> Option<Item> {
        if self.next_due().is_none_or(|at| at > now) {
            return None;
        }
        let (index, _) = self.candidate()?;
        self.turns += 1;
        let flying = self.flying.get_mut(index)?;
        flying.state = State::Sent;
        flying.tries += 1;
        Some(flying.item.clone())
    }

    /// When a refused entry is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.candidate().map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(seq: u64) -> Item {
        Item { epoch: 1, seq, body: bytes::Bytes::new() }
    }

    #[test]
    fn the_cursor_never_passes_an_unacknowledged_entry() {
        let (mut flight, now) = (Flight::default(), Instant::now());
        for seq in [3, 5, 8] {
            flight.sent(item(seq));
        }
        assert_eq!(flight.acknowledged(5, now), None);
        assert_eq!(flight.acknowledged(3, now), Some(5));
        assert_eq!(flight.acknowledged(99, now), None);
        assert_eq!(flight.acknowledged(8, now), Some(8));
        assert_eq!(flight.len(), 0);
    }

    #[test]
    fn a_refused_entry_is_tried_again_and_then_set_aside() {
        let mut flight = Flight::default();
        let mut now = Instant::now();
        flight.sent(item(1));
        flight.sent(item(2));
        assert_eq!(flight.refused(1, now), (Refusal::Again, None));
        assert!(flight.takes() == 0 && flight.next_due().is_none(), "2 has no answer yet");
        assert_eq!(flight.acknowledged(2, now), None);
        for _ in 2..MOST_TRIES {
            assert_eq!(flight.due(now), None);
            now = flight.next_due().unwrap();
            assert_eq!(flight.due(now), Some(item(1)));
            assert_eq!(flight.refused(1, now), (Refusal::Again, None));
        }
        now = flight.next_due().unwrap();
        assert_eq!(flight.due(now), Some(item(1)));
        assert!(flight.is_late(1));
        assert_eq!(flight.refused(1, now), (Refusal::SetAside, Some(2)));
        assert!(!flight.takes() == 0 && flight.next_due().is_none());
    }

    #[test]
    fn a_new_entry_passes_a_refused_one_at_once() {
        let mut flight = Flight::default();
        let now = Instant::now();
        flight.sent(item(1));
        assert_eq!(flight.refused(1, now).0, Refusal::Again);
        assert_eq!(flight.takes(), 1);
        flight.behind_refused(item(2), now);
        assert_eq!(flight.takes(), 0);
        assert_eq!(flight.due(now), Some(item(1)), "it may have been refused for a moment only");
        assert_eq!(flight.refused(1, now).0, Refusal::Again);
        assert_eq!(flight.due(now), Some(item(2)));
        assert_eq!(flight.takes(), 0);
        assert_eq!(flight.acknowledged(2, now), None);
        // It was that entry's fault: all others pass, and it is offered by itself.
        assert_eq!(flight.takes(), usize::MAX);
        flight.sent(item(3));
        let again = flight.next_due().unwrap();
        assert!(again > now && again <= now + 2 * RETRY_AFTER);
        assert_eq!(flight.due(again), Some(item(1)));
        assert_eq!(flight.takes(), usize::MAX);
        assert_eq!(flight.refused(1, again), (Refusal::SetAside, Some(2)));
        assert_eq!(flight.acknowledged(3, again), Some(3));
    }

    #[test]
    fn a_refused_entry_without_others_is_tried_against_a_new_one() {
        let mut flight = Flight::default();
        let mut now = Instant::now();
        flight.sent(item(1));
        for _ in 1..MOST_TRIES {
            assert_eq!(flight.refused(1, now).0, Refusal::Again);
            assert_eq!(flight.takes(), 1);
            now = flight.next_due().unwrap();
            assert_eq!(flight.due(now), Some(item(1)));
        }
        assert_eq!(flight.refused(1, now).0, Refusal::AllRefused);
        assert_eq!(flight.takes(), 1);
        now += Duration::from_millis(10);
        flight.behind_refused(item(2), now);
        assert_eq!(flight.takes(), 0);
        assert_eq!(flight.due(now), Some(item(1)), "the older one first");
        assert_eq!(flight.refused(1, now).0, Refusal::AllRefused);
        assert_eq!(flight.due(now), Some(item(2)));
        flight.acknowledged(2, now);
        assert_eq!(flight.due(now), Some(item(1)));
        assert_eq!(flight.refused(1, now), (Refusal::SetAside, Some(2)));
    }

    #[test]
    fn when_the_broker_takes_entries_again_a_new_one_does_not_overtake() {
        let (mut flight, mut now) = (Flight::default(), Instant::now());
        flight.sent(item(1));
        for _ in 0..9 {
            let _ = flight.refused(1, now);
            now = flight.next_due().unwrap();
            assert_eq!(flight.due(now), Some(item(1)));
        }
        let _ = flight.refused(1, now);
        flight.behind_refused(item(2), now);
        assert_eq!(flight.due(now), Some(item(1)));
        assert!(!flight.is_late(1));
        assert_eq!(flight.acknowledged(1, now), Some(1));
        assert_eq!(flight.due(now), Some(item(2)));
    }

    #[test]
    fn while_nothing_passes_nothing_is_set_aside_and_the_order_is_kept() {
        let mut flight = Flight::default();
        let mut now = Instant::now();
        (1..=4).for_each(|seq| flight.sent(item(seq)));
        for seq in 1..=4 {
            let _ = flight.refused(seq, now);
        }
        let mut offered = std::collections::BTreeSet::new();
        for _ in 1..50 {
            let due = flight.next_due().unwrap();
            assert!(due <= now + LONGEST_RETRY);
            now = due.max(now);
            let seq = flight.due(now).unwrap().seq;
            offered.insert(seq);
            assert_ne!(flight.refused(seq, now).0, Refusal::SetAside);
        }
        assert_eq!(offered.into_iter().collect::<Vec<_>>(), [1, 2]);
        for seq in 1..=4 {
            // It may be the second one's turn.
            now += 2 * LONGEST_RETRY;
            while flight.due(now).unwrap().seq != seq {
                let other = flight.flying.iter().find(|f| f.state == State::Sent);
                let other = other.unwrap().item.seq;
                assert_ne!(flight.refused(other, now).0, Refusal::SetAside);
                now += 2 * LONGEST_RETRY;
            }
            assert!(!flight.is_late(seq), "only earlier ones passed");
            assert_eq!(flight.acknowledged(seq, now), Some(seq));
        }
    }

    #[test]
    fn the_head_is_what_has_no_answer() {
        let (mut flight, now) = (Flight::default(), Instant::now());
        assert_eq!(flight.head(), None);
        (1..=3).for_each(|seq| flight.sent(item(seq)));
        assert_eq!(flight.head(), Some((1, false)));
        flight.acknowledged(2, now);
        assert_eq!(flight.head(), Some((1, true)));
        assert_eq!(flight.give_up(1), Some(2));
        assert_eq!(flight.head(), Some((3, false)));
        let _ = flight.refused(3, now);
        assert_eq!(flight.head(), None);
    }
}
