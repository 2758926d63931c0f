//! Merges identical messages. Radios and bridges repeat themselves: the same payload on the same
//! topic within 200 ms is one message with a count. The first passes at once; what came after it
//! is told when the window ends, so that nothing waits and nothing is lost.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// Length of the window.
pub const WINDOW: Duration = Duration::from_millis(200);

/// Most topics remembered at once; more pass unmerged.
const MOST_TOPICS: usize = 4096;

#[derive(Debug)]
struct Open {
    payload: Bytes,
    until: Instant,
    more: u32,
}

/// The windows that are open, by topic.
#[derive(Debug, Default)]
pub struct Merge {
    open: HashMap<Bytes, Open>,
}

/// Repeats that were held back.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// Topic.
    pub topic: Bytes,
    /// The payload they all had.
    pub payload: Bytes,
    /// How many, beside the first.
    pub count: u32,
}

impl Merge {
    /// Takes a message. Returns whether it passes now, and what was held back before it.
    pub fn take(&mut self, now: Instant, topic: &Bytes, payload: &Bytes) -> (bool, Option<Held>) {
        if let Some(open) = self.open.get_mut(topic)
            && open.payload == *payload
            && now < open.until
        {
            open.more += 1;
            return (false, None);
        }
        let before = self.close(topic);
        if self.open.len() < MOST_TOPICS {
            let open = Open { payload: payload.clone(), until: now + WINDOW, more: 0 };
            self.open.insert(topic.clone(), open);
        }
        (true, before)
    }

    fn close(&mut self, topic: &Bytes) -> Option<Held> {
        let open = self.open.remove(topic)?;
        (open.more > 0).then(|| Held {
            topic: topic.clone(),
            payload: open.payload,
            count: open.more,
        })
    }

    /// What was held back in windows that have ended, or in all if no time is given.
    pub fn due(&mut self, now: Option<Instant>) -> Vec<Held> {
        let ended: Vec<Bytes> = self
            .open
            .iter()
            .filter(|(_, open)| now.is_none_or(|now| open.until <= now))
            .map(|(topic, _)| topic.clone())
            .collect();
        ended.iter().filter_map(|topic| self.close(topic)).collect()
    }

    /// When the next window ends.
    pub fn next_due(&self) -> Option<Instant> {
        self.open.values().map(|open| open.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_and_none_is_lost() {
        let mut merge = Merge::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let topic = Bytes::from_static(b"t");
        let press = Bytes::from_static(b"press");
        let other = Bytes::from_static(b"other");
        assert_eq!(merge.take(at(0), &topic, &press), (true, None));
        assert_eq!(merge.take(at(50), &topic, &press), (false, None));
        assert_eq!(merge.take(at(199), &topic, &press), (false, None));
        let held = Held { topic: topic.clone(), payload: press.clone(), count: 2 };
        assert_eq!(merge.take(at(200), &topic, &press), (true, Some(held)));
        assert_eq!(merge.take(at(210), &topic, &press), (false, None));
        let held = Held { topic: topic.clone(), payload: press.clone(), count: 1 };
        assert_eq!(merge.take(at(220), &topic, &other), (true, Some(held)));
        assert_eq!(merge.next_due(), Some(at(420)));
        assert!(merge.due(Some(at(420))).is_empty());
        assert_eq!(merge.next_due(), None);
    }
}
