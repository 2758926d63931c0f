//! What is to be said, in which order, and when again. Pure: times are offsets on one clock. It is
//! bounded; when it is full, what is least urgent goes first, and what is critical never goes for
//! something less.

use std::sync::Arc;
use std::time::Duration;

use super::Repeats;
use crate::life::{Announcement, Repeat, Urgency};

/// Most utterances that wait at once.
const MOST: usize = 64;
/// How long something that is said once may wait before it is no longer true.
const STALE_AFTER: Duration = Duration::from_secs(120);

#[derive(Debug, Clone)]
struct Item {
    said: Announcement,
    due: Duration,
    begun: Duration,
    times: u32,
    number: u64,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    repeats: Repeats,
    items: Vec<Item>,
    playing: Option<Item>,
    /// What is being said was replaced or silenced: it is not said again.
    dropped: bool,
    interrupt: bool,
    number: u64,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Say this.
    Say(Announcement),
    /// Nothing until then.
    At(Duration),
    /// Nothing.
    Idle,
}

impl Queue {
    pub(super) const fn new(repeats: Repeats) -> Self {
        Self {
            repeats,
            items: Vec::new(),
            playing: None,
            dropped: false,
            interrupt: false,
            number: 0,
        }
    }

    /// Puts an announcement in the place of what its slot said before.
    pub(super) fn put(&mut self, now: Duration, said: Announcement) {
        if let Some(playing) = &self.playing {
            let same_slot = playing.said.slot == said.slot;
            if same_slot && playing.said == said && !self.dropped {
                return;
            }
            if same_slot {
                self.dropped = true;
            }
            if said.urgency > playing.said.urgency || same_slot {
                self.interrupt = true;
            }
        }
        self.items.retain(|item| item.said.slot != said.slot);
        if self.items.len() >= MOST && !self.make_room(said.urgency) {
            return;
        }
        self.number += 1;
        self.items.push(Item { said, due: now, begun: now, times: 0, number: self.number });
    }

    fn make_room(&mut self, urgency: Urgency) -> bool {
        let least = self.items.iter().enumerate().min_by_key(|(_, i)| (i.said.urgency, i.number));
        match least {
            Some((index, item)) if item.said.urgency <= urgency => {
                self.items.remove(index);
                true
            }
            _ => false,
        }
    }

    /// Silences a slot.
    pub(super) fn quiet(&mut self, slot: &str) {
        self.items.retain(|item| &*item.said.slot != slot);
        if self.playing.as_ref().is_some_and(|p| &*p.said.slot == slot) {
            self.dropped = true;
            self.interrupt = true;
        }
    }

    /// Whether what is being said has to be cut off now.
    pub(super) const fn interrupted(&self) -> bool {
        self.interrupt
    }

    /// Takes what is most urgent and due.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        let stale =
            |i: &Item| i.said.repeat == Repeat::Once && now.saturating_sub(i.begun) > STALE_AFTER;
        self.items.retain(|item| !stale(item));
        let due = self
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.due <= now)
            .max_by_key(|(_, i)| (i.said.urgency, std::cmp::Reverse((i.due, i.number))))
            .map(|(index, _)| index);
        if let Some(index) = due {
            let item = self.items.remove(index);
            let said = item.said.clone();
            self.playing = Some(item);
            self.dropped = false;
            self.interrupt = false;
            return Next::Say(said);
        }
        self.items.iter().map(|item| item.due).min().map_or(Next::Idle, Next::At)
    }

    /// What was said has ended, to its end or not.
    pub(super) fn ended(&mut self, now: Duration, whole: bool) {
        self.interrupt = false;
        let dropped = std::mem::take(&mut self.dropped);
        let Some(mut item) = self.playing.take() else { return };
        if dropped {
            return;
        }
        if whole {
            item.times += 1;
            if item.said.repeat == Repeat::Once {
                return;
            }
            let first = item.times < self.repeats.times;
            item.due = now + if first { self.repeats.gap } else { self.repeats.later };
        } else {
            item.due = now;
        }
        self.items.push(item);
    }

    /// No sound could be made: it is tried again at that time.
    pub(super) fn failed(&mut self, again: Duration) {
        self.ended(again, false);
        for item in &mut self.items {
            item.due = item.due.max(again);
        }
    }

    /// Whether that slot is waiting to be said.
    #[cfg(test)]
    fn waits(&self, slot: &str) -> bool {
        self.items.iter().any(|item| &*item.said.slot == slot)
    }
}

/// The slot and alert of an announcement, for events.
pub(super) fn tag(said: &Announcement) -> (Arc<str>, Option<anju_model::AlertId>) {
    (said.slot.clone(), said.alert.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::Clip;
    use crate::prompts::PromptId;
    use proptest::prelude::*;

    fn say(slot: &str, urgency: Urgency, repeat: Repeat, prompt: PromptId) -> Announcement {
        Announcement {
            slot: slot.into(),
            alert: None,
            urgency,
            repeat,
            clips: vec![Clip::Prompt(prompt)],
        }
    }

    fn once(slot: &str, urgency: Urgency) -> Announcement {
        say(slot, urgency, Repeat::Once, PromptId::Ready)
    }

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn slot(next: Next) -> String {
        match next {
            Next::Say(said) => said.slot.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_urgent_goes_first_and_interrupts() {
        let mut queue = Queue::new(Repeats::default());
        queue.put(s(0), once("low", Urgency::Low));
        assert_eq!(slot(queue.next(s(0))), "low");
        queue.put(s(1), once("action", Urgency::Low));
        assert!(!queue.interrupted());
        queue.put(s(1), once("critical", Urgency::Critical));
        assert!(queue.interrupted());
        queue.ended(s(1), false);
        assert_eq!(slot(queue.next(s(1))), "critical");
        queue.ended(s(5), true);
        assert_eq!(slot(queue.next(s(5))), "low", "what was cut off is said again");
        queue.ended(s(6), true);
        assert_eq!(slot(queue.next(s(6))), "action");
    }

    #[test]
    fn what_repeats_is_said_three_times_then_each_minute_until_quiet() {
        let mut queue = Queue::new(Repeats::default());
        let alarm = say("a", Urgency::Critical, Repeat::UntilQuiet, PromptId::HelpPressed);
        queue.put(s(0), alarm);
        let mut said_at = Vec::new();
        let mut now = s(0);
        while said_at.len() < 6 {
            match queue.next(now) {
                Next::Say(_) => {
                    said_at.push(now.as_secs());
                    now += s(5);
                    queue.ended(now, true);
                }
                Next::At(then) => now = then,
                Next::Idle => panic!("silent"),
            }
        }
        assert_eq!(said_at, [0, 7, 14, 79, 144, 209]);
        queue.quiet("a");
        assert_eq!(queue.next(s(1000)), Next::Idle);
    }

    #[test]
    fn a_slot_says_only_its_newest() {
        let mut queue = Queue::new(Repeats::default());
        let repeat = Repeat::UntilQuiet;
        queue.put(s(0), say("a", Urgency::Critical, repeat, PromptId::HelpPressed));
        queue.next(s(0));
        // The same again while it is being said changes nothing.
        queue.put(s(1), say("a", Urgency::Critical, repeat, PromptId::HelpPressed));
        assert!(!queue.interrupted() && !queue.waits("a"));
        queue.put(s(1), say("a", Urgency::Critical, Repeat::Once, PromptId::Accepted));
        assert!(queue.interrupted());
        queue.ended(s(1), false);
        let Next::Say(said) = queue.next(s(1)) else { panic!() };
        assert_eq!(said.clips, [Clip::Prompt(PromptId::Accepted)]);
        queue.ended(s(3), true);
        assert_eq!(queue.next(s(3)), Next::Idle);
    }

    #[test]
    fn a_card_that_is_away_loses_no_alarm_and_no_stale_word_is_said() {
        let mut queue = Queue::new(Repeats::default());
        queue.put(s(0), say("alarm", Urgency::Critical, Repeat::UntilQuiet, PromptId::Smoke));
        queue.put(s(0), once("note", Urgency::Action));
        assert_eq!(slot(queue.next(s(0))), "alarm");
        queue.failed(s(60));
        assert_eq!(queue.next(s(1)), Next::At(s(60)));
        assert_eq!(slot(queue.next(s(200))), "alarm");
        queue.ended(s(205), true);
        assert_eq!(queue.next(s(205)), Next::At(s(207)), "the note was too old");
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_critical() {
        let mut queue = Queue::new(Repeats::default());
        for n in 0..1000 {
            queue.put(s(0), once(&format!("low-{n}"), Urgency::Low));
        }
        assert_eq!(queue.items.len(), MOST);
        for n in 0..MOST {
            queue.put(s(0), once(&format!("critical-{n}"), Urgency::Critical));
        }
        queue.put(s(0), once("too-low", Urgency::Action));
        assert!(!queue.waits("too-low"));
        assert!((0..MOST).all(|n| queue.waits(&format!("critical-{n}"))));
    }

    proptest! {
        #[test]
        fn it_never_says_less_than_the_most_urgent(
            steps in prop::collection::vec((0_u8..4, 0_usize..6, 0_usize..3, any::<bool>()), 1..80)
        ) {
            let urgencies = [Urgency::Low, Urgency::Action, Urgency::Critical];
            let mut queue = Queue::new(Repeats::default());
            let mut now = s(0);
            let mut playing = false;
            for (what, slot, urgency, flag) in steps {
                now += Duration::from_millis(700);
                match what {
                    0 | 1 => {
                        let repeat = if flag { Repeat::UntilQuiet } else { Repeat::Once };
                        let slot = format!("slot-{slot}");
                        queue.put(now, say(&slot, urgencies[urgency], repeat, PromptId::Ready));
                    }
                    2 => queue.quiet(&format!("slot-{slot}")),
                    _ if playing => {
                        queue.ended(now, flag);
                        playing = false;
                    }
                    _ => if let Next::Say(said) = queue.next(now) {
                        playing = true;
                        let waiting = queue.items.iter().filter(|i| i.due <= now);
                        prop_assert!(waiting.map(|i| i.said.urgency).max() <= Some(said.urgency));
                    },
                }
                let mut slots: Vec<_> = queue.items.iter().map(|i| i.said.slot.clone()).collect();
                slots.sort();
                slots.dedup();
                prop_assert_eq!(slots.len(), queue.items.len(), "one thing a slot");
            }
        }
    }
}
