//! What is still to be handed over: one letter for an alert and contact, the newest. Pure: times are
//! offsets on one clock. Alarms overtake, dangers that leave no time overtake other alarms, and part of the ways is kept free for them, so that slow
//! answers about small things never hold up an alarm. Bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anju_model::{AlertId, Class, ContactId};

use crate::life::{Notice, NoticeKind, gravest};
use crate::out::pace::Pace;

/// Most letters that wait.
const MOST: usize = 1000;
/// Most messages under way at once, and how many of them may be for less than an alarm.
pub(super) const AT_ONCE: usize = 8;
const AT_ONCE_BELOW_ALARM: usize = 4;
/// Most letters that are offered for one message.
const MOST_TOGETHER: usize = 50;

/// How many alerts and contacts are remembered of whom something left, or nothing did.
const MOST_KNOWN: usize = 2048;

/// Pauses between tries, and how many tries there are. The book begins a round anew long before.
const ALARM_AGAIN: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
const OTHER_AGAIN: Pace = Pace { first: Duration::from_secs(5), cap: Duration::from_secs(300) };
const ALARM_TRIES: u32 = 200;
const OTHER_TRIES: u32 = 50;

type Key = (AlertId, ContactId);

/// How urgent a message is. Ordered: what goes first is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gravity {
    pub(super) class: Class,
    /// A danger that leaves no time, such as smoke.
    pub(super) gravest: bool,
}

impl Gravity {
    const fn of(notice: &Notice) -> Self {
        Self { class: notice.class, gravest: gravest(&notice.rule, notice.class) }
    }
}

/// One notice on its way to one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// What it says.
    pub notice: Arc<Notice>,
    /// Which try this is, from 1.
    pub attempt: u32,
    due: Duration,
    number: u64,
}

impl Letter {
    /// The first try of a notice, outside of an outbox.
    pub fn first(notice: Notice) -> Self {
        Self { notice: Arc::new(notice), attempt: 1, due: Duration::ZERO, number: 0 }
    }

    fn key(&self) -> Key {
        (self.notice.alert.clone(), self.notice.contact.clone())
    }
}

#[derive(Debug)]
struct UnderWay {
    class: Class,
    answerable: bool,
    withdrawn: bool,
    /// Of which message.
    message: u64,
    bundle: Option<String>,
}

/// The letters.
#[derive(Debug)]
pub(super) struct Outbox {
    letters: HashMap<Key, Letter>,
    under_way: HashMap<Key, UnderWay>,
    /// Something about the alert was handed to the carrier for the contact, the newest last.
    begun: VecDeque<Key>,
    /// Nothing was, before what is no alarm was over.
    untold: VecDeque<Key>,
    at_once: usize,
    number: u64,
}

impl Default for Outbox {
    fn default() -> Self {
        let (letters, under_way) = Default::default();
        let (begun, untold) = Default::default();
        Self { letters, under_way, begun, untold, at_once: AT_ONCE, number: 0 }
    }
}

impl Outbox {
    /// Takes a notice in the place of an older one. Gives back one that had no room. That something
    /// is over is not told to whom nothing was told.
    pub(super) fn put(&mut self, now: Duration, notice: Notice) -> Option<Arc<Notice>> {
        self.number += 1;
        let letter = Letter { notice: notice.into(), attempt: 1, due: now, number: self.number };
        let key = letter.key();
        let untold = self.untold.iter().position(|one| *one == key);
        if untold.and_then(|at| self.untold.remove(at)).is_some()
            && letter.notice.kind == NoticeKind::Closed
        {
            return None;
        }
        let known = self.letters.contains_key(&key);
        self.letters.insert(key, letter);
        if known || self.letters.len() <= MOST {
            return None;
        }
        let least = self
            .letters
            .values()
            .min_by_key(|l| (Gravity::of(&l.notice), l.number))
            .map(Letter::key)?;
        self.letters.remove(&least).map(|letter| letter.notice)
    }

    /// Changes how many messages may be under way at once.
    pub(super) fn set_at_once(&mut self, at_once: usize) {
        self.at_once = at_once;
    }

    /// How urgent the most urgent letter is that may go now.
    pub(super) fn next_gravity(
        &self,
        now: Duration,
        bundle: impl Fn(&Notice) -> Option<String>,
    ) -> Option<Gravity> {
        self.next(now, &bundle).map(|letter| Gravity::of(&letter.notice))
    }

    /// The letters of the next message: the most urgent that may go now, and what can go with it,
    /// the gravest first. Empty if none may go.
    pub(super) fn take(
        &mut self,
        now: Duration,
        bundle: impl Fn(&Notice) -> Option<String>,
    ) -> Vec<Letter> {
        let Some(first) = self.next(now, &bundle) else { return Vec::new() };
        let (first, bundled) = (first.key(), bundle(&first.notice));
        let mut together: Vec<(Gravity, u64, Key)> = self
            .letters
            .iter()
            .filter(|(key, _)| **key != first && !self.under_way.contains_key(*key))
            .filter(|(_, l)| bundled.is_some() && bundle(&l.notice) == bundled)
            .map(|(key, l)| (Gravity::of(&l.notice), l.number, key.clone()))
            .collect();
        together.sort_by_key(|(gravity, number, _)| (std::cmp::Reverse(*gravity), *number));
        let keys = std::iter::once(first).chain(together.into_iter().map(|(_, _, key)| key));
        let taken: Vec<Key> = keys.take(MOST_TOGETHER).collect();
        self.number += 1;
        let (message, mut letters) = (self.number, Vec::new());
        for key in taken {
            let Some(letter) = self.letters.remove(&key) else { continue };
            let under_way = UnderWay {
                class: letter.notice.class,
                answerable: letter.notice.kind.answerable(),
                withdrawn: false,
                message,
                bundle: bundled.clone(),
            };
            remember(&mut self.begun, key.clone());
            self.under_way.insert(key, under_way);
            letters.push(letter);
        }
        letters
    }

    fn next(&self, now: Duration, bundle: &impl Fn(&Notice) -> Option<String>) -> Option<&Letter> {
        let mut messages: HashMap<u64, Class> = HashMap::new();
        for under_way in self.under_way.values() {
            let class = messages.entry(under_way.message).or_insert(under_way.class);
            *class = under_way.class.max(*class);
        }
        let below = messages.values().filter(|class| **class < Class::Alarm).count();
        // Of one bundle, what is less than an alarm waits until it can go with the rest.
        let waits = |letter: &Letter| {
            let bundled = bundle(&letter.notice);
            bundled.is_some() && self.under_way.values().any(|u| u.bundle == bundled)
        };
        if messages.len() >= self.at_once {
            return None;
        }
        // The last way is for the gravest, unless it is the only one.
        let last = messages.len() + 1 == self.at_once && self.at_once > 1;
        self.letters
            .iter()
            .filter(|(key, l)| l.due <= now && !self.under_way.contains_key(*key))
            .map(|(_, l)| l)
            .filter(|l| !last || Gravity::of(&l.notice).gravest)
            .filter(|l| l.notice.class == Class::Alarm || below < AT_ONCE_BELOW_ALARM && !waits(l))
            .max_by_key(|l| (Gravity::of(&l.notice), std::cmp::Reverse((l.due, l.number))))
    }

    /// When the next letter is due; one that is due now waits for a way to be free.
    pub(super) fn next_due(&self, now: Duration) -> Option<Duration> {
        self.letters.values().map(|l| l.due).filter(|due| *due > now).min()
    }

    /// A letter was taken, or will never be.
    pub(super) fn done(&mut self, letter: &Letter) {
        self.under_way.remove(&letter.key());
    }

    /// A letter did not fit into its message: it goes with the next.
    pub(super) fn put_back(&mut self, letter: Letter) {
        let key = letter.key();
        let withdrawn = self.under_way.remove(&key).is_some_and(|u| u.withdrawn);
        if !withdrawn {
            self.letters.entry(key).or_insert(letter);
        }
    }

    /// A letter was not taken: it is tried again, unless it is over or there is a newer one.
    pub(super) fn again(&mut self, now: Duration, mut letter: Letter, after: Option<Duration>) {
        let alarm = letter.notice.class == Class::Alarm;
        let (pace, tries) =
            if alarm { (ALARM_AGAIN, ALARM_TRIES) } else { (OTHER_AGAIN, OTHER_TRIES) };
        if letter.attempt >= tries {
            self.done(&letter);
            return;
        }
        letter.due = now + pace.jittered(letter.attempt).max(after.unwrap_or_default());
        letter.attempt += 1;
        self.put_back(letter);
    }

    /// An alert is over: nobody has to be called about it any more.
    pub(super) fn withdraw(&mut self, alert: &AlertId) {
        let over = |_: &Key, l: &mut Letter| l.notice.alert == *alert && l.notice.kind.answerable();
        for (key, letter) in self.letters.extract_if(over) {
            if letter.notice.class < Class::Alarm && !self.begun.contains(&key) {
                remember(&mut self.untold, key);
            }
        }
        for ((of, _), under_way) in &mut self.under_way {
            under_way.withdrawn |= of == alert && under_way.answerable;
        }
    }

    /// Gives up all that waits, and gives it back.
    pub(super) fn empty(&mut self) -> Vec<Letter> {
        self.letters.drain().map(|(_, letter)| letter).collect()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.letters.len()
    }
}

fn remember(known: &mut VecDeque<Key>, key: Key) {
    if !known.contains(&key) {
        if known.len() >= MOST_KNOWN {
            known.pop_front();
        }
        known.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::Words;
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

    fn alone(_: &Notice) -> Option<String> {
        None
    }

    fn together(_: &Notice) -> Option<String> {
        Some("group".to_owned())
    }

    fn one(outbox: &mut Outbox, now: Duration) -> Letter {
        outbox.take(now, alone).pop().unwrap()
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
        let taken: Vec<_> = std::iter::from_fn(|| outbox.take(s(0), alone).pop()).collect();
        assert_eq!(taken.len(), AT_ONCE_BELOW_ALARM);
        outbox.put(s(1), notice(100, Class::Alarm, NoticeKind::Call));
        assert_eq!(one(&mut outbox, s(1)).notice.class, Class::Alarm);
        outbox.done(&taken[0]);
        outbox.put(s(1), notice(101, Class::Alarm, NoticeKind::Call));
        assert_eq!(one(&mut outbox, s(1)).notice.alert.as_str(), "box/1/101");
    }

    #[test]
    fn smoke_overtakes_other_alarms_and_has_a_way_kept_free() {
        let mut outbox = Outbox::default();
        for n in 0..20 {
            outbox.put(s(0), notice(n, Class::Alarm, NoticeKind::Call));
        }
        let taken: Vec<_> = std::iter::from_fn(|| outbox.take(s(0), alone).pop()).collect();
        assert_eq!(taken.len(), AT_ONCE - 1);
        outbox
            .put(s(1), Notice { rule: Rule::Smoke, ..notice(100, Class::Alarm, NoticeKind::Call) });
        assert_eq!(one(&mut outbox, s(1)).notice.rule, Rule::Smoke);
        assert!(outbox.take(s(1), alone).is_empty());
        outbox.done(&taken[0]);
        let smoke = |n| Notice { rule: Rule::Smoke, ..notice(n, Class::Alarm, NoticeKind::Call) };
        outbox.put(s(2), smoke(101));
        outbox.put(s(2), smoke(102));
        let message = outbox.take(s(2), together);
        let first: Vec<&str> = message.iter().take(2).map(|l| l.notice.alert.as_str()).collect();
        assert_eq!(first, ["box/1/101", "box/1/102"]);
        assert!(message.len() > 2);
    }

    #[test]
    fn a_newer_notice_takes_the_place_of_the_older() {
        let mut outbox = Outbox::default();
        outbox.put(s(0), notice(1, Class::Alarm, NoticeKind::Call));
        let call = one(&mut outbox, s(0));
        outbox.put(s(1), notice(1, Class::Alarm, NoticeKind::Cancelled));
        assert!(outbox.take(s(1), alone).is_empty(), "one at a time, so that they arrive in order");
        outbox.again(s(2), call, None);
        let next = one(&mut outbox, s(2));
        assert_eq!((next.notice.kind, next.attempt), (NoticeKind::Cancelled, 1));
        outbox.done(&next);
        assert!(outbox.take(s(1000), alone).is_empty());
    }

    #[test]
    fn tries_are_paused_counted_and_end_with_the_alert() {
        let mut outbox = Outbox::default();
        outbox.put(s(0), notice(1, Class::Alarm, NoticeKind::Call));
        let letter = one(&mut outbox, s(0));
        outbox.again(s(0), letter, Some(s(30)));
        assert_eq!(outbox.next_due(s(0)), Some(s(30)));
        assert!(outbox.take(s(29), alone).is_empty());
        let letter = one(&mut outbox, s(30));
        assert_eq!(letter.attempt, 2);
        outbox.withdraw(&letter.notice.alert.clone());
        outbox.again(s(31), letter, None);
        assert_eq!(outbox.len(), 0);
        outbox.put(s(32), notice(1, Class::Alarm, NoticeKind::Closed));
        outbox.withdraw(&AlertId::from_wire("box/1/1").unwrap());
        assert_eq!(outbox.len(), 1, "that it is over is still told");
    }

    #[test]
    fn the_end_of_what_was_never_told_is_not_told() {
        let mut outbox = Outbox::default();
        let alert = |n: u32| AlertId::from_wire(&format!("box/1/{n}")).unwrap();
        for n in 1..=3 {
            outbox.put(s(0), notice(n, Class::Fault, NoticeKind::Call));
        }
        // One is told, one is under way, one waits.
        let (told, under_way) = (one(&mut outbox, s(0)), one(&mut outbox, s(0)));
        outbox.done(&told);
        for n in 1..=3 {
            outbox.withdraw(&alert(n));
            outbox.put(s(1), notice(n, Class::Fault, NoticeKind::Closed));
        }
        outbox.done(&under_way);
        let told = std::iter::from_fn(|| outbox.take(s(1), alone).pop());
        let told: Vec<_> = told.map(|letter| letter.notice.alert.clone()).collect();
        assert_eq!(told, [alert(1), alert(2)]);
        // It is told of an alarm, whatever was told before, and once it is asked for.
        outbox.put(s(2), notice(4, Class::Alarm, NoticeKind::Call));
        outbox.withdraw(&alert(4));
        outbox.put(s(2), notice(4, Class::Alarm, NoticeKind::Closed));
        outbox.put(s(2), notice(3, Class::Fault, NoticeKind::Late));
        assert_eq!(outbox.len(), 2);
    }

    #[test]
    fn tries_are_bounded() {
        let mut outbox = Outbox::default();
        outbox.put(s(0), notice(1, Class::Alarm, NoticeKind::Call));
        let (mut now, mut tries) = (s(0), 0);
        while let Some(letter) = outbox.take(now, alone).pop() {
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

    #[test]
    fn a_bundle_goes_in_one_message_with_the_gravest_first() {
        let mut outbox = Outbox::default();
        for n in 0..60 {
            outbox.put(s(0), notice(n, Class::Fault, NoticeKind::Call));
        }
        let faults = outbox.take(s(0), together);
        assert_eq!(faults.len(), MOST_TOGETHER);
        assert!(outbox.take(s(0), together).is_empty(), "small things wait for each other");
        outbox.put(s(1), notice(100, Class::Alarm, NoticeKind::Call));
        outbox.put(s(1), notice(101, Class::Alarm, NoticeKind::Call));
        let alarm = outbox.take(s(1), together);
        assert_eq!(alarm.len(), 12, "an alarm does not wait, and takes along what waits");
        let first: Vec<u32> =
            alarm.iter().map(|l| u32::from(l.notice.class == Class::Alarm)).collect();
        assert_eq!(first[..3], [1, 1, 0]);
        // What did not fit goes next, as the same try.
        for (index, letter) in alarm.into_iter().enumerate() {
            if index < 2 { outbox.done(&letter) } else { outbox.put_back(letter) }
        }
        faults.iter().for_each(|letter| outbox.done(letter));
        let rest = outbox.take(s(1), together);
        assert_eq!((rest.len(), rest[0].attempt), (10, 1));
    }
}
