//! When a contact is asked to answer a test, and what follows from silence.

use std::time::Duration;

use anju_model::config::{ChannelKind, Contact};
use anju_model::{AlertId, ContactId, Moment};

use super::{FAILED, HUMAN, Task, event, fault, part_of_contact};
use crate::life::civil::Civil;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A contact who answered is asked again after a month.
const ANSWERED_LASTS: Duration = Duration::from_secs(30 * 24 * 3600);
/// Who is new is asked after some days, when the home has settled.
const NEW_WAITS: Duration = Duration::from_secs(3 * 24 * 3600);
/// Who did not answer is asked again after a week.
const SILENT_WAITS: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long nobody else is asked.
const LEFT_ALONE: Duration = Duration::from_secs(20 * 3600);

/// The hours of the day in which people are asked.
const FROM_HOUR: i8 = 10;
const TO_HOUR: i8 = 17;

/// Whether a contact has a way over which an answer can come back.
pub(super) fn can_answer(contact: &Contact) -> bool {
    use ChannelKind as K;
    contact.channels.iter().any(|kind| matches!(kind, K::Ntfy | K::Sms | K::Call | K::Centre))
}

/// Whether people may be asked now. Without a clock nobody is asked: it might be night.
pub(super) fn is_time_to_ask(civil: &Civil, now: Moment) -> bool {
    civil.at(now).is_some_and(|at| (FROM_HOUR..TO_HOUR).contains(&at.hour()))
}

/// What is known of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// Since when they are a contact.
    known: Moment,
    /// When they last answered, to whatever.
    answered: Option<Moment>,
    /// The last test, and when it was sent.
    asked: Option<Moment>,
    test: Option<AlertId>,
    /// An answer to the test is still awaited.
    awaited: bool,
    /// The last test was not answered in time.
    silent: bool,
}

impl Person {
    pub(super) const fn known(since: Moment) -> Self {
        Self {
            known: since,
            answered: None,
            asked: None,
            test: None,
            awaited: false,
            silent: false,
        }
    }

    pub(super) fn due(&self, now: Moment) -> bool {
        let after = |when: Option<Moment>, pause| when.is_none_or(|when| now.since(when) >= pause);
        let waits = if self.answered.is_some() { ANSWERED_LASTS } else { NEW_WAITS };
        !self.awaited
            && now.since(self.answered.unwrap_or(self.known)) >= waits
            && after(self.asked, if self.silent { SILENT_WAITS } else { ANSWERED_LASTS })
    }

    /// Whether it is long enough ago that this one was asked.
    pub(super) fn was_left_alone(&self, now: Moment) -> bool {
        self.asked.is_none_or(|asked| now.since(asked) >= LEFT_ALONE)
    }

    pub(super) fn ask(&mut self, test: AlertId, now: Moment) {
        (self.test, self.asked, self.awaited) = (Some(test), Some(now), true);
    }

    /// A late answer counts too.
    pub(super) fn is_asked_by(&self, alert: &AlertId) -> bool {
        self.test.as_ref() == Some(alert)
    }

    /// They answered; gives the test that this ends.
    pub(super) fn answer(&mut self, now: Moment) -> Option<AlertId> {
        (self.answered, self.awaited) = (Some(now), false);
        self.test.take()
    }

    /// Whether they had their time. Nobody waits for whom no answer can come from.
    pub(super) fn stays_silent(&mut self, now: Moment, can_answer: bool) -> bool {
        let over = self.awaited && self.asked.is_some_and(|asked| now.since(asked) >= DAY);
        if over {
            self.awaited = false;
        }
        over && can_answer
    }

    pub(super) fn silent(&mut self, id: &ContactId) -> Vec<Task> {
        let known = std::mem::replace(&mut self.silent, true);
        let why = "no answer to the test within a day";
        let proof = event("all", Some(id), HUMAN, FAILED, Some(why.to_owned()));
        let fault = fault(part_of_contact(id.as_str()), true, why);
        [Task::Record(proof)].into_iter().chain((!known).then_some(fault)).collect()
    }

    /// That they answered counts no more, as if they were new.
    pub(super) const fn forget(&mut self, now: Moment) {
        (self.known, self.answered, self.asked) = (now, None, None);
    }

    /// They answered, or are no contact any more.
    pub(super) fn forgiven(&mut self, id: &ContactId) -> Option<Task> {
        let was = std::mem::take(&mut self.silent);
        was.then(|| fault(part_of_contact(id.as_str()), false, "they answered"))
    }

    /// They did not answer before this start. Faults end with a start, so it is found anew.
    pub(super) const fn recall_silence(&mut self) {
        self.awaited = true;
    }

    pub(super) fn recall(&mut self, what: &str, at: Moment) {
        let newest = |old: Option<Moment>| Some(old.map_or(at, |old| old.max(at)));
        match what {
            "known" => self.known = self.known.min(at),
            "answered" => self.answered = newest(self.answered),
            "asked" => self.asked = newest(self.asked),
            _ => {}
        }
    }

    /// Ages in seconds, by what they are of.
    pub(super) fn ages(&self, now: Moment) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let ages =
            [("known", Some(self.known)), ("answered", self.answered), ("asked", self.asked)];
        ages.into_iter().filter_map(move |(what, at)| Some((what, now.since(at?).as_secs())))
    }
}
