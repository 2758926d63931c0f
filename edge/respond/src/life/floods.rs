//! Guards people against a broken sensor that raises alert after alert: what comes and goes is told
//! of once in a while, and many alerts of one kind at once are told as a few. Every one of them is
//! recorded and shown all the same. It must never hold back a call, a fall or a
//! person who wanders.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::{AlertId, CaughtUp, Class, Moment, Rule, Subject};

use super::alert::Alert;
use super::book::{Book, Key};
use super::plan;

/// What ended by itself and is there again is not told of anew before this.
const WARNED_EVERY: Duration = Duration::from_secs(30 * 60);
const FAULT_TOLD_EVERY: Duration = Duration::from_secs(6 * 3600);

/// The same of a fault that can not wait, since the box ends with its battery: each further time it
/// is twice as long, up to the second figure.
const URGENT_FIRST: Duration = Duration::from_secs(10 * 60);
const URGENT_MOST: Duration = Duration::from_secs(3600);

/// Alerts of one rule within [`TOGETHER`] that are told one by one; further ones are one trouble
/// with these, and those who come see them.
const TOLD_SINGLY: usize = 3;
const TOGETHER: Duration = Duration::from_secs(10 * 60);

/// Keys remembered.
const MOST: usize = 1024;

/// When which kind of alert was told of last, and ended by itself since.
#[derive(Debug, Clone, Default)]
pub(super) struct Floods {
    told: HashMap<Key, Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Moment,
    /// How often it was told again soon after it could be.
    again: u32,
}

fn quiet(rule: &Rule, class: Class, again: u32) -> Option<Duration> {
    match class {
        Class::Alarm => None,
        // Who took a call back and asks again wants it.
        Class::Request if matches!(rule, Rule::Call) => None,
        Class::Warning => Some(WARNED_EVERY),
        Class::Fault if plan::unguarded(rule) || matches!(rule, Rule::MainsLost) => {
            let factor = 2_u32.saturating_pow(again);
            Some(URGENT_FIRST.saturating_mul(factor).min(URGENT_MOST))
        }
        Class::Request | Class::Fault => Some(FAULT_TOLD_EVERY),
    }
}

impl Told {
    fn quiet_until(self, rule: &Rule, class: Class) -> Option<Moment> {
        quiet(rule, class, self.again).map(|quiet| self.at.after(quiet))
    }
}

impl Floods {
    /// An outage that came to light was before whatever this boot told.
    pub(super) fn catch_up(&mut self, outage: CaughtUp) {
        for told in self.told.values_mut() {
            told.at = outage.carry(told.at);
        }
    }

    /// Somebody is told of an alert.
    pub(super) fn told(&mut self, now: Moment, subject: &Subject) {
        let (rule, class) = (&subject.rule, subject.class);
        if quiet(rule, class, 0).is_none() {
            return;
        }
        let forgotten = |told: &Told| now.since(told.at) >= FAULT_TOLD_EVERY;
        if self.told.len() >= MOST {
            self.told.retain(|_, told| !forgotten(told));
        }
        if self.told.len() < MOST {
            // The first telling counts: what goes on coming and going is told again in the end.
            let told = self.told.entry(Key::of(subject)).or_insert(Told { at: now, again: 0 });
            if told.quiet_until(rule, class).is_some_and(|until| now >= until) {
                let again = if forgotten(told) { 0 } else { told.again.saturating_add(1) };
                *told = Told { at: now, again };
            }
        }
    }

    /// An alert is closed; when a human did it, the next one is news.
    pub(super) fn closed(&mut self, subject: &Subject, by_itself: bool) {
        if !by_itself {
            self.told.remove(&Key::of(subject));
        }
    }

    /// Until when nobody is told of a new alert.
    pub(super) fn hold(&self, now: Moment, subject: &Subject) -> Option<Moment> {
        let told = self.told.get(&Key::of(subject))?;
        told.quiet_until(&subject.rule, subject.class).filter(|until| now < *until)
    }
}

impl Book {
    /// Whether an alert is not told of for now.
    pub(super) fn is_held_back(&self, now: Moment, id: &AlertId) -> bool {
        self.alerts.get(id).is_some_and(|alert| {
            alert.hold.is_some_and(|hold| now < hold) || self.is_one_of_many(alert)
        })
    }

    /// Whether enough alerts of the same kind that are open began shortly before it.
    pub(super) fn is_one_of_many(&self, alert: &Alert) -> bool {
        let own = &alert.subject;
        if matches!(own.rule, Rule::Help | Rule::Call | Rule::Fall | Rule::Wandering) {
            return false;
        }
        let before = |other: &&Alert| {
            let s = &other.subject;
            s.rule == own.rule
                && s.class == own.class
                && s.test == own.test
                && (other.begun, &s.alert) < (alert.begun, &own.alert)
                && alert.begun.since(other.begun) <= TOGETHER
        };
        self.alerts.values().filter(before).take(TOLD_SINGLY).count() == TOLD_SINGLY
    }
}
