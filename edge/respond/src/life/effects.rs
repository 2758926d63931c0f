//! What follows from where an alert stands: who is tried now, who has lapsed, whether the siren
//! sounds, what is said. Called after each change; does nothing that is not due.

use std::time::Duration;

use anju_model::config::Contact;
use anju_model::{AlertId, AlertStep, Class, Moment, Outcome, Rule};

use super::action::{Action, Announcement, Lights, NoticeKind, SirenPattern};
use super::alert::{Alert, Helper, Stage, TEST_LASTS};
use super::book::{BY_ITSELF, Book};
use super::floods::Among;
use super::{plan, speech};

/// How long the siren calls for help; UL-listed personal systems sound for at least 240 s.
const ATTRACT_FOR: Duration = Duration::from_secs(5 * 60);

impl Book {
    /// Does what is due for one alert and notes when to look again.
    pub(super) fn advance(&mut self, now: Moment, id: &AlertId, out: &mut Vec<Action>) {
        if let Some(alert) = self.alerts.get_mut(id).filter(|alert| alert.subject.test) {
            // Nobody is called about a test.
            let ends = alert.raised.after(TEST_LASTS);
            alert.wake = Some(ends);
            if ends <= now {
                let note = String::new();
                self.close(now, id, BY_ITSELF, Some(Outcome::Test), note, out);
            }
            return;
        }
        self.lapse(now, id, out);
        let wake = self.search(now, id, out);
        if let Some(alert) = self.alerts.get_mut(id) {
            alert.wake = wake;
        }
    }

    /// Who accepted and did not come no longer counts.
    fn lapse(&mut self, now: Moment, id: &AlertId, out: &mut Vec<Action>) {
        let Some(alert) = self.alerts.get(id) else { return };
        let gone: Vec<String> = alert
            .helpers
            .iter()
            .filter(|h| alert.due(h, &self.household).is_some_and(|due| due <= now))
            .map(|h| h.by.clone())
            .collect();
        for by in gone {
            self.record(now, id, AlertStep::Lapsed { by: by.clone() }, out);
            self.notify_helpers(id, std::slice::from_ref(&by), NoticeKind::Lapsed, out);
            if self.alerts.get(id).is_some_and(Alert::searching) {
                self.announce(id, speech::lapsed, out);
            }
        }
    }

    fn search(&mut self, now: Moment, id: &AlertId, out: &mut Vec<Action>) -> Option<Moment> {
        let alert = self.alerts.get(id)?;
        if !alert.searching() {
            let due = |h: &Helper| alert.due(h, &self.household);
            return alert.helpers.iter().filter_map(due).min();
        }
        if let Some(hold) = alert.hold.filter(|hold| now < *hold) {
            return Some(hold);
        }
        if self.stands_behind(alert) {
            return None;
        }
        match self.among(now, alert) {
            Among::Few => {}
            Among::Many => return None,
            Among::ManyUntil(until) => return Some(until),
        }
        let household = self.household.clone();
        let steps = plan::steps(&household, &alert.subject);
        let next = plan::decide(&steps, alert, &self.civil, now);
        let begins = alert.search.position.as_ref().map(|p| p.round) != Some(next.round);
        let kind = if alert.cancelled { NoticeKind::CallBack } else { NoticeKind::Call };
        if begins && !next.contacts.is_empty() {
            self.round_begins(id, next.round, out);
        }
        for contact in &next.contacts {
            let step = contacted(contact, next.step, next.round);
            self.record(now, id, step, out);
            self.notify(id, contact, kind, out);
        }
        Some(next.wake)
    }

    /// A lesser alert of the same rule and device waits while the graver one is handled, unless that
    /// is of an earlier event.
    fn stands_behind(&self, alert: &Alert) -> bool {
        let own = &alert.subject;
        own.class < Class::Alarm
            && self.alerts.values().any(|graver| {
                let s = &graver.subject;
                s.rule == own.rule
                    && s.device == own.device
                    && s.class > own.class
                    && s.test == own.test
                    && !self.is_past(alert.felt, graver)
            })
    }

    fn round_begins(&self, id: &AlertId, round: u32, out: &mut Vec<Action>) {
        if round > 1 {
            self.announce(id, speech::nobody_yet, out);
        } else {
            self.announce(id, speech::fault, out);
        }
    }

    /// Says what `choose` finds fit for the alert, if anything.
    pub(super) fn announce(
        &self,
        id: &AlertId,
        choose: impl Fn(&Alert) -> Option<Announcement>,
        out: &mut Vec<Action>,
    ) {
        out.extend(self.alerts.get(id).and_then(choose).map(Action::Announce));
    }

    /// After a restart: what still waits for somebody is said again.
    pub(super) fn announce_again(&self, id: &AlertId, out: &mut Vec<Action>) {
        let Some(alert) = self.alerts.get(id) else { return };
        let waits = alert.stage() == Stage::Searching && alert.subject.class == Class::Alarm;
        if waits && !self.is_one_of_many(alert) {
            self.announce(id, speech::raised, out);
        }
    }

    /// After a restart: what a channel had not taken before it is sent again over that channel.
    pub(super) fn send_again(&self, id: &AlertId, out: &mut Vec<Action>) {
        let Some(alert) = self.alerts.get(id) else { return };
        if !alert.searching() || alert.subject.test || self.stands_behind(alert) {
            return;
        }
        let tried = alert.search.position.iter().flat_map(|p| &p.tried);
        let kind = if alert.cancelled { NoticeKind::CallBack } else { NoticeKind::Call };
        for contact in tried.filter_map(|contact| self.contact(contact.as_str())) {
            let channels = alert.search.reach.not_taken(contact);
            self.notify_over(id, contact, channels, kind, out);
        }
    }

    /// Puts siren and lights as the open alarms want them.
    pub(super) fn signals(&mut self, now: Moment, out: &mut Vec<Action>) {
        self.siren(now, out);
        // Whoever hears badly sees each alarm that is still called out, whatever it is of.
        let calls = |a: &&Alert| {
            let own = &a.subject;
            own.class == Class::Alarm
                && !own.test
                && a.stage() == Stage::Searching
                && !self.is_one_of_many(a)
        };
        let first = self.alerts.values().filter(calls).min_by_key(|a| a.raised);
        let alert = first.map(|a| a.subject.alert.clone());
        let wanted = Lights { alert, may_spark: !self.may_be_gas(now) };
        if self.lights != wanted {
            self.lights = wanted.clone();
            out.push(Action::Lights(wanted));
        }
    }

    /// Whatever else is wanted: while there may be gas, no relay is switched. There is none any more
    /// where the detector said so long ago and somebody has come.
    fn may_be_gas(&self, now: Moment) -> bool {
        self.alerts.values().any(|a| {
            let own = &a.subject;
            own.rule == Rule::Gas
                && own.class == Class::Alarm
                && !own.test
                && !(a.over && self.is_past(now, a))
        })
    }

    /// Puts the siren as the open alarms want it.
    fn siren(&mut self, now: Moment, out: &mut Vec<Action>) {
        // What was told with others ends with their answers.
        let wants = |a: &&Alert| {
            a.stage() == Stage::Searching && pattern(a).is_some() && !self.is_one_of_many(a)
        };
        let sounds_until = |a: &Alert| match pattern(a) {
            Some(SirenPattern::Attract) => Some(a.search.since.after(ATTRACT_FOR)),
            _ => None,
        };
        let gas = self.may_be_gas(now);
        let sounding = self
            .alerts
            .values()
            .filter(wants)
            .filter(|a| sounds_until(a).is_none_or(|until| now < until))
            .filter_map(|a| Some((pattern(a)?, a)))
            .map(|(pattern, a)| (if gas { SirenPattern::WithoutSpark } else { pattern }, a))
            .max_by_key(|(pattern, a)| (*pattern, std::cmp::Reverse(a.raised)));
        self.siren_wake = sounding.as_ref().and_then(|(_, a)| sounds_until(a));
        let wanted = sounding.map(|(pattern, a)| (pattern, a.subject.alert.clone()));
        let same = |a: &(SirenPattern, AlertId), b: &(SirenPattern, AlertId)| a.0 == b.0;
        match (&self.sounding, &wanted) {
            (None, None) => {}
            (Some(old), Some(new)) if same(old, new) => {}
            (_, Some((pattern, alert))) => {
                out.push(Action::Sound { alert: alert.clone(), pattern: *pattern });
            }
            (Some(_), None) => out.push(Action::Hush),
        }
        self.sounding = wanted;
    }
}

fn contacted(contact: &Contact, plan_step: u32, round: u32) -> AlertStep {
    AlertStep::Contacted {
        contact: Some(contact.id.clone()),
        channels: contact.channels.iter().map(|c| c.as_str().to_owned()).collect(),
        plan_step,
        round,
    }
}

/// How the siren sounds for an alert, if at all: only for real alarms, and not where nobody is at
/// home to hear it.
fn pattern(alert: &Alert) -> Option<SirenPattern> {
    if alert.subject.class != Class::Alarm || alert.subject.test {
        return None;
    }
    match alert.subject.rule {
        Rule::Smoke | Rule::Gas | Rule::CarbonMonoxide => Some(SirenPattern::Evacuate),
        Rule::Help | Rule::Fall | Rule::Inactivity => Some(SirenPattern::Attract),
        _ => None,
    }
}
