//! What is still to be handed to the server: one letter for an alert and contact, the newest. Pure:
//! times are offsets on one clock. Alarms overtake, and part of the ways is kept free for them, so
//! that slow answers about small things never hold up an alarm. Bounded.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::{AlertId, Class, ContactId};

use crate::life::Notice;
use crate::out::pace::Pace;

/// Most letters that wait.
const MOST: usize = 1000;
/// Most requests under way at once, and how many of them may be for less than an alarm.
const AT_ONCE: usize = 8;
const AT_ONCE_BELOW_ALARM: usize = 4;

/// Pauses between tries, and how many tries there are. The book begins a round anew long before.
const ALARM_AGAIN: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
const OTHER_AGAIN: Pace = Pace { first: Duration::from_secs(5), cap: Duration::from_secs(300) };
const ALARM_TRIES: u32 = 200;
const OTHER_TRIES: u32 = 50;

type Key = (AlertId, ContactId);

/// One message to one contact.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) notice: Notice,
    /// Which try this is, from 1.
    pub(super) attempt: u32,
    due: Duration,
    number: u64,
}

impl Letter {
    fn key(&self) -> Key {
        (self.notice.alert.clone(), self.notice.contact.clone())
    }
}

#[derive(Debug)]
struct UnderWay {
    class: Class,
    answerable: bool,
    withdrawn: bool,
}

/// The letters.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    letters: HashMap<Key, Letter>,
    under_way: HashMap<Key, UnderWay>,
    number: u64,
}

impl Outbox {
    /// Takes a notice in the place of an older one. Gives back one that had no room.
    pub(super) fn put(&mut self, now: Duration, notice: Notice) -> Option<Notice> {
        self.number += 1;
        let letter = Letter { notice, attempt: 1, due: now, number: self.number };
        let key = letter.key();
        let known = self.letters.contains_key(&key);
        self.letters.insert(key, letter);
        if known || self.letters.len() <= MOST {
            return None;
        }
        let least =
            self.letters.values().min_by_key(|l| (l.notice.class, l.number)).map(Letter::key)?;
        self.letters.remove(&least).map(|letter| letter.notice)
    }

    /// The most urgent letter that may go now.
    pub(super) fn take(&mut self, now: Duration) -> Option<Letter> {
        let below = self.under_way.values().filter(|u| u.class < Class::Alarm).count();
        let free = self.under_way.len() < AT_ONCE;
        let key = self
            .letters
            .iter()
            .filter(|(key, l)| free && l.due <= now && !self.under_way.contains_key(*key))
            .filter(|(_, l)| l.notice.class == Class::Alarm || below < AT_ONCE_BELOW_ALARM)
            .max_by_key(|(_, l)| (l.notice.class, std::cmp::Reverse((l.due, l.number))))
            .map(|(key, _)| key.clone())?;
        let letter = self.letters.remove(&key)?;
        let under_way = UnderWay {
            class: letter.notice.class,
            answerable: letter.notice.kind.answerable(),
            withdrawn: false,
        };
        self.under_way.insert(key, under_way);
        Some(letter)
    }

    /// When the next letter is due; one that is due now waits for a way to be free.
    pub(super) fn next_due(&self, now: Duration) -> Option<Duration> {
        self.letters.values().map(|l| l.due).filter(|due| *due > now).min()
    }

    /// A letter was taken, or will never be.
    pub(super) fn done(&mut self, letter: &Letter) {
        self.under_way.remove(&letter.key());
    }

    /// A letter was not taken: it is tried again, unless it is over or there is a newer one.
    pub(super) fn again(&mut self, now: Duration, mut letter: Letter, after: Option<Duration>) {
        let key = letter.key();
        let withdrawn = self.under_way.remove(&key).is_some_and(|u| u.withdrawn);
        let alarm = letter.notice.class == Class::Alarm;
        let (pace, tries) =
            if alarm { (ALARM_AGAIN, ALARM_TRIES) } else { (OTHER_AGAIN, OTHER_TRIES) };
        if withdrawn || letter.attempt >= tries || self.letters.contains_key(&key) {
            return;
        }
        let pause = pace.jittered(letter.attempt).max(after.unwrap_or_default());
        letter.due = now + pause;
        letter.attempt += 1;
        self.letters.insert(key, letter);
    }

    /// An alert is over: nobody has to be called about it any more.
    pub(super) fn withdraw(&mut self, alert: &AlertId) {
        self.letters.retain(|_, l| l.notice.alert != *alert || !l.notice.kind.answerable());
        for ((of, _), under_way) in &mut self.under_way {
            under_way.withdrawn |= of == alert && under_way.answerable;
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.letters.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::{NoticeKind, Words};
    use anju_model::Rule;
    use anju_model::config::ChannelKind;

    fn notice(alert: u32, class: Class, kind: NoticeKind) -> Notice {
        let words = Words { title: String::new(), body: String::new() };
        Notice {
            alert: AlertId::from_wire(&format!("box/1/{alert}")).unwrap(),
            contact: ContactId::new("daughter").unwrap(),
            channels: vec![ChannelKind::Ntfy],
            kind,
            class,
            rule: Rule::Help,
            test: false,
            full: words.clone(),
            discreet: words,
        }
    }

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn alarms_overtake_and_have_ways_kept_free() {
        let mut outbox = Outbox::default();
        for n in 0..20 {
            outbox.put(s(0), notice(n, Class::Fault, NoticeKind::Call));
        }
        let taken: Vec<_> = std::iter::from_fn(|| outbox.take(s(0))).collect();
        assert_eq!(taken.len(), AT_ONCE_BELOW_ALARM);
        outbox.put(s(1), notice(100, Class::Alarm, NoticeKind::Call));
        assert_eq!(outbox.take(s(1)).unwrap().notice.class, Class::Alarm);
        outbox.done(&taken[0]);
        outbox.put(s(1), notice(101, Class::Alarm, NoticeKind::Call));
        assert_eq!(outbox.take(s(1)).unwrap().notice.alert.as_str(), "box/1/101");
    }

    #[test]
    fn a_newer_notice_takes_the_place_of_the_older() {
        let mut outbox = Outbox::default();
        outbox.put(s(0), notice(1, Class::Alarm, NoticeKind::Call));
        let call = outbox.take(s(0)).unwrap();
        outbox.put(s(1), notice(1, Class::Alarm, NoticeKind::Cancelled));
        assert!(outbox.take(s(1)).is_none(), "one at a time, so that they arrive in order");
        outbox.again(s(2), call, None);
        let next = outbox.take(s(2)).unwrap();
        assert_eq!((next.notice.kind, next.attempt), (NoticeKind::Cancelled, 1));
        outbox.done(&next);
        assert!(outbox.take(s(1000)).is_none());
    }

    #[test]
    fn tries_are_paused_counted_and_end_with_the_alert() {
        let mut outbox = Outbox::default();
        outbox.put(s(0), notice(1, Class::Alarm, NoticeKind::Call));
        let letter = outbox.take(s(0)).unwrap();
        outbox.again(s(0), letter, Some(s(30)));
        assert_eq!(outbox.next_due(s(0)), Some(s(30)));
        assert!(outbox.take(s(29)).is_none());
        let letter = outbox.take(s(30)).unwrap();
        assert_eq!(letter.attempt, 2);
        outbox.withdraw(&letter.notice.alert.clone());
        outbox.again(s(31), letter, None);
        assert_eq!(outbox.len(), 0);
        outbox.put(s(32), notice(1, Class::Alarm, NoticeKind::Closed));
        outbox.withdraw(&AlertId::from_wire("box/1/1").unwrap());
        assert_eq!(outbox.len(), 1, "that it is over is still told");
    }

    #[test]
    fn tries_are_bounded() {
        let mut outbox = Outbox::default();
        outbox.put(s(0), notice(1, Class::Alarm, NoticeKind::Call));
        let (mut now, mut tries) = (s(0), 0);
        while let Some(letter) = outbox.take(now) {
            tries += 1;
            outbox.again(now, letter, None);
            now += s(100);
        }
        assert_eq!(tries, ALARM_TRIES);
    }

    #[test]
    fn it_is_bounded_and_gives_back_what_is_least() {
        let mut outbox = Outbox::default();
        for n in 0..1000 {
            assert!(outbox.put(s(0), notice(n, Class::Fault, NoticeKind::Call)).is_none());
        }
        let back = outbox.put(s(0), notice(5000, Class::Alarm, NoticeKind::Call));
        assert_eq!(back.unwrap().alert.as_str(), "box/1/0");
        assert_eq!(outbox.len(), MOST);
    }
}
