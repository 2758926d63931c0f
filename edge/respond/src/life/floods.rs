//! Guards people against a broken sensor that raises alert after alert: what comes and goes is told
//! of once in a while, what may pass by itself is told of when it has lasted, and many alerts of one
//! kind at once are told as a few. Every one of them is recorded and shown all the same. It must never hold back a call, a fall or a
//! person who wanders.

use std::collections::{HashMap, VecDeque};
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

/// A bridge or a broker that starts anew takes with it all devices that hang on it, for some seconds
/// up to a minute; only what lasts is for those who repair. A home without guard is told sooner,
/// yet not of a connection that was lost and made again.
const LOST_SETTLES: Duration = Duration::from_secs(90);
const UNGUARDED_SETTLES: Duration = Duration::from_secs(20);

/// Keys, and ended alerts, remembered.
const MOST: usize = 1024;

/// When which kind of alert was told of last, and ended by itself since.
#[derive(Debug, Clone, Default)]
pub(super) struct Floods {
    told: HashMap<Key, Told>,
    /// What somebody was told of and ended by itself.
    ended: VecDeque<Ended>,
}

#[derive(Debug, Clone)]
struct Ended {
    subject: Subject,
    begun: Moment,
    at: Moment,
}

impl Ended {
    /// Until when it counts among those that are told one by one.
    fn until(&self) -> Moment {
        self.at.after(TOGETHER)
    }
}

/// Whether others of its kind are told in an alert's stead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// It is told itself.
    Few,
    /// As long as they are open.
    Many,
    /// They have ended meanwhile; if it lasts longer than that, it is told itself.
    ManyUntil(Moment),
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

/// How long an alert must last before anybody is told of it.
const fn settles(rule: &Rule) -> Duration {
    match rule {
        Rule::DeviceSilent => LOST_SETTLES,
        Rule::Unguarded => UNGUARDED_SETTLES,
        _ => Duration::ZERO,
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
        for ended in &mut self.ended {
            ended.begun = outage.carry(ended.begun);
            ended.at = outage.carry(ended.at);
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
    pub(super) fn closed(&mut self, now: Moment, alert: &Alert, by_itself: bool) {
        if !by_itself {
            self.told.remove(&Key::of(&alert.subject));
        } else if !alert.told.is_empty() {
            self.ended.retain(|ended| now < ended.until());
            if self.ended.len() >= MOST {
                self.ended.pop_front();
            }
            let (subject, begun) = (alert.subject.clone(), alert.begun);
            self.ended.push_back(Ended { subject, begun, at: now });
        }
    }

    /// Until when nobody is told of an alert that begins now.
    pub(super) fn begins(&self, now: Moment, subject: &Subject) -> Option<Moment> {
        let settled = Some(settles(&subject.rule)).filter(|wait| !wait.is_zero());
        self.hold(now, subject).max(settled.map(|wait| now.after(wait)))
    }

    /// Until when nobody is told of an alert that was told of lately.
    pub(super) fn hold(&self, now: Moment, subject: &Subject) -> Option<Moment> {
        let told = self.told.get(&Key::of(subject))?;
        told.quiet_until(&subject.rule, subject.class).filter(|until| now < *until)
    }
}

/// Whether another alert is of the kind of `own` and began shortly before it.
fn before((s, other): (&Subject, Moment), own: &Subject, begun: Moment) -> bool {
    s.rule == own.rule
        && s.class == own.class
        && s.test == own.test
        && (other, &s.alert) < (begun, &own.alert)
        && begun.since(other) <= TOGETHER
}

impl Book {
    /// Whether an alert is not told of for now.
    pub(super) fn is_held_back(&self, now: Moment, id: &AlertId) -> bool {
        self.alerts.get(id).is_some_and(|alert| {
            alert.hold.is_some_and(|hold| now < hold) || self.among(now, alert) != Among::Few
        })
    }

    /// Whether enough alerts of the same kind that are open began shortly before it.
    pub(super) fn is_one_of_many(&self, alert: &Alert) -> bool {
        self.open_before(alert) == TOLD_SINGLY
    }

    /// The same, where those count as well that somebody was told of and that have ended by
    /// themselves: what ends one after the other is no reason to tell of the rest one after the
    /// other.
    pub(super) fn among(&self, now: Moment, alert: &Alert) -> Among {
        let wanted = TOLD_SINGLY - self.open_before(alert);
        let Some(last) = wanted.checked_sub(1) else { return Among::Many };
        if told_each(&alert.subject.rule) {
            return Among::Few;
        }
        let ended = self.floods.ended.iter().filter(|ended| now < ended.until());
        let mut until: Vec<Moment> = ended
            .filter(|ended| before((&ended.subject, ended.begun), &alert.subject, alert.begun))
            .map(Ended::until)
            .collect();
        until.sort_unstable_by_key(|until| std::cmp::Reverse(*until));
        until.get(last).map_or(Among::Few, |until| Among::ManyUntil(*until))
    }

    /// How many began shortly before it, up to [`TOLD_SINGLY`].
    fn open_before(&self, alert: &Alert) -> usize {
        if told_each(&alert.subject.rule) {
            return 0;
        }
        let open = self.alerts.values().map(|other| (&other.subject, other.begun));
        open.filter(|other| before(*other, &alert.subject, alert.begun)).take(TOLD_SINGLY).count()
    }
}

/// Whether each alert of a rule is told, however many there are.
const fn told_each(rule: &Rule) -> bool {
    matches!(rule, Rule::Help | Rule::Call | Rule::Fall | Rule::Wandering)
}
