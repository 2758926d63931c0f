//! What findings do to the book: raise, repeat, over, cancel, ask.

use std::time::Duration;

use anju_model::observation::Origin;
use anju_model::{
    AlertChange, AlertId, AlertStep, BoxEvent, Class, DeviceId, DeviceKind, Moment, Raise, Rule,
    Subject,
};

use super::action::{Action, NoticeKind};
use super::alert::Alert;
use super::book::{BY_ITSELF, Book, Key, MAX_OPEN_PER_CLASS};
use super::speech;

/// "It is over" is told at most this often for one alert, since a detector may flap.
const OVER_TOLD_EVERY: Duration = Duration::from_secs(5 * 60);

impl Book {
    pub(super) fn raise(&mut self, now: Moment, raise: Raise, out: &mut Vec<Action>) {
        let device = raise.origin.as_ref().map(|o| o.device.clone());
        if raise.shadow {
            out.push(Action::RecordBox(BoxEvent::Shadow {
                rule: raise.rule.to_string(),
                class: raise.class.to_string(),
                device: device.map(|d| d.to_string()),
            }));
            return;
        }
        self.asked.remove(&raise.rule);
        if let Some(id) =
            self.keys.get(&Key::raised(&raise)).cloned().or_else(|| self.overflow(&raise))
        {
            self.repeat(now, &id, &raise, out);
            return;
        }
        let subject = self.subject(&raise);
        let id = subject.alert.clone();
        let step = AlertStep::Raised { since: raise.since };
        self.record_change(now, AlertChange { subject, step }, out);
        if raise.count > 1 {
            let rest =
                AlertStep::Repeated { count: Some(raise.count - 1), entry: None, anew: false };
            self.record(now, &id, rest, out);
        }
        // Whoever sits in the dark hears why, also if it was told of lately.
        if !self.is_held_back(now, &id) || raise.rule == Rule::MainsLost {
            self.announce(&id, speech::raised, out);
        }
        self.advance(now, &id, out);
    }

    /// The alert that stands for findings beyond the limit of their class.
    fn overflow(&self, raise: &Raise) -> Option<AlertId> {
        if raise.class == Class::Alarm && raise.rule == Rule::Help {
            return None;
        }
        let of_class =
            |alert: &&Alert| alert.subject.class == raise.class && alert.subject.test == raise.test;
        let open = self.alerts.values().filter(of_class).count();
        if open < MAX_OPEN_PER_CLASS {
            return None;
        }
        self.alerts
            .values()
            .filter(of_class)
            .max_by_key(|alert| (alert.subject.rule == raise.rule, alert.raised))
            .map(|alert| alert.subject.alert.clone())
    }

    fn subject(&self, raise: &Raise) -> Subject {
        let mut alert = raise.alert_id();
        if self.alerts.contains_key(&alert) || self.closed.contains_key(&alert) {
            let device = raise.origin.as_ref().map(|o| &o.device);
            alert = AlertId::since_entry(&raise.cause, &raise.rule, raise.class, device);
        }
        let origin = raise.origin.as_ref();
        Subject {
            alert,
            class: raise.class,
            rule: raise.rule.clone(),
            device: origin.map(|o| o.device.clone()),
            kind: origin.map(|o| o.kind),
            room: origin.and_then(|o| o.room.clone()),
            person: origin
                .and_then(|o| o.person.clone())
                .or_else(|| self.only_person().map(|p| p.id.clone())),
            code: raise.rule.contact_id(),
            test: raise.test,
            text: self.subject_text(raise),
        }
    }

    fn repeat(&mut self, now: Moment, id: &AlertId, raise: &Raise, out: &mut Vec<Action>) {
        let Some(alert) = self.alerts.get(id) else { return };
        let anew = self.begins_anew(now, alert, raise);
        let helpers: Vec<String> = alert.helpers.iter().map(|h| h.by.clone()).collect();
        let count = (raise.count > 1).then_some(raise.count);
        let step = AlertStep::Repeated { count, entry: Some(raise.cause.to_string()), anew };
        let mut subject = alert.subject.clone();
        if anew && Key::of(&subject) == Key::raised(raise) {
            subject.text = self.subject_text(raise);
        }
        self.record_change(now, AlertChange { subject, step }, out);
        if anew {
            self.announce(id, speech::raised, out);
            self.advance(now, id, out);
            // Who mends faults is told of more when it is time to tell.
            if raise.class != Class::Fault {
                self.notify_helpers(id, &helpers, NoticeKind::Again, out);
            }
        } else {
            self.announce(id, speech::again, out);
        }
    }

    /// Whether what is found again is more than that what was found lasts: somebody wants help
    /// still, it is another event than the one that was attended to, or more is wrong than what was
    /// told.
    fn begins_anew(&self, now: Moment, alert: &Alert, raise: &Raise) -> bool {
        let untold = || !alert.searching() || self.floods.hold(now, &alert.subject).is_none();
        alert.restarts_on_repeat() || self.is_past(now, alert) || (raise.more && untold())
    }

    /// Whether an alert that is still open is of an earlier event than what is felt at a moment.
    /// What was told as one of many was attended to with these.
    pub(super) fn is_past(&self, at: Moment, alert: &Alert) -> bool {
        alert.is_new(at) && (alert.attended() || self.is_one_of_many(alert))
    }

    /// Something ended by itself. An alarm stays open for a human; what is less is closed.
    pub(super) fn over(
        &mut self,
        now: Moment,
        rule: &Rule,
        origin: Option<&Origin>,
        out: &mut Vec<Action>,
    ) {
        let device = origin.map(|o| &o.device);
        if self.asked.remove(rule) {
            out.push(Action::Quiet { slot: speech::question_slot(rule) });
        }
        for id in self.of_rule(rule, device) {
            let Some(alert) = self.alerts.get_mut(&id) else { continue };
            if alert.subject.class == Class::Alarm {
                alert.over = true;
                let told = self.over_told.get(&id).copied();
                if told.is_none_or(|at| now.since(at) >= OVER_TOLD_EVERY) {
                    self.over_told.insert(id.clone(), now);
                    self.notify_told(&id, NoticeKind::Over, None, out);
                }
            } else {
                self.close(now, &id, BY_ITSELF, None, String::new(), out);
            }
        }
    }

    fn of_rule(&self, rule: &Rule, device: Option<&DeviceId>) -> Vec<AlertId> {
        self.alerts
            .values()
            .filter(|a| a.subject.rule == *rule && a.subject.device.as_ref() == device)
            .map(|a| a.subject.alert.clone())
            .collect()
    }

    /// The cancel gesture: of what the device itself raised, and of a suspected fall of the same
    /// person, who takes it back with whatever button is near. What a microphone heard takes back
    /// another device's alert only while the box asks, since anybody may say "no". A gesture made
    /// as a test takes back tests only.
    pub(super) fn cancel(
        &mut self,
        now: Moment,
        origin: &Origin,
        test: bool,
        out: &mut Vec<Action>,
    ) {
        let answers = origin.kind != DeviceKind::VoiceAlarm || self.asked.contains(&Rule::Help);
        if !test && self.asked.remove(&Rule::Help) {
            out.push(Action::Announce(speech::not_called()));
        }
        let meant = |alert: &&Alert| {
            let subject = &alert.subject;
            let own = subject.device.as_ref() == Some(&origin.device);
            !alert.cancelled
                && (!test || subject.test)
                && match subject.rule {
                    Rule::Help => own,
                    Rule::Fall => own || (answers && self.is_of_the_same(origin, subject)),
                    _ => false,
                }
        };
        let ids: Vec<AlertId> =
            self.alerts.values().filter(meant).map(|a| a.subject.alert.clone()).collect();
        for id in ids {
            let by = origin.device.to_string();
            self.record(now, &id, AlertStep::Cancelled { by }, out);
            self.announce(&id, speech::cancelled, out);
            self.notify_told(&id, NoticeKind::Cancelled, None, out);
            self.advance(now, &id, out);
        }
    }

    /// Whether who uses a device is whom an alert is about, as far as it is known: the same person,
    /// or, where several live here and one of them is not named, in the same room.
    fn is_of_the_same(&self, origin: &Origin, subject: &Subject) -> bool {
        let alone = self.household.persons.len() <= 1;
        match (&origin.person, &subject.person) {
            (Some(who), Some(whom)) => who == whom,
            _ => alone || (origin.room.is_some() && origin.room == subject.room),
        }
    }

    /// The box asks the person first; nobody is called.
    pub(super) fn ask(&mut self, rule: &Rule, out: &mut Vec<Action>) {
        if let Some(question) = speech::question(rule) {
            self.asked.insert(rule.clone());
            out.push(Action::Announce(question));
        }
    }
}
