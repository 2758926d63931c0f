//! What humans ask of an alert: accept, arrived, close, follow up. Asking the same twice is not an
//! error; asking what can not be is answered with the reason.

use std::time::Duration;

use anju_model::command::{Command, Request};
use anju_model::config::ChannelKind;
use anju_model::delivery::{DeliveryState, Message};
use anju_model::{AlertChange, AlertId, AlertStep, Class, ContactId, Delivery, Moment, Outcome};

use super::action::{Action, Answer, Notice, NoticeKind, RefusedCommand};
use super::book::{Book, Closed};
use super::speech;

/// Longest way that is believed, minutes.
const MAX_MINUTES: u32 = 24 * 60;
/// The network's clock and the box's may differ by this much.
const CLOCKS_DIFFER: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);
/// Networks keep a text for a telephone that is out of reach for this long at most, mostly less. One
/// that comes just now and seems older shows that the box's clock is wrong.
const TEXTS_LAST: jiff::SignedDuration = jiff::SignedDuration::from_hours(72);
/// Who answers an alert that was closed longer ago is not about to set out because of it.
const LATE_ANSWERED: Duration = Duration::from_secs(24 * 3600);
/// Longest name and note that are kept, characters.
const MAX_NAME: usize = 100;
const MAX_NOTE: usize = 500;

/// How an answer came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came {
    /// When it was sent, where the way tells.
    pub(super) sent: Option<jiff::Timestamp>,
    /// Just now.
    pub(super) fresh: bool,
    /// Over which channel.
    pub(super) via: ChannelKind,
}

impl Book {
    pub(super) fn command(
        &mut self,
        now: Moment,
        request: &Request,
        out: &mut Vec<Action>,
    ) -> Result<(), RefusedCommand> {
        let by = shortened(&request.by, MAX_NAME);
        let via = shortened(&request.via, MAX_NAME);
        match &request.command {
            Command::Accept { alert, minutes } => self.accept(now, alert, by, *minutes, via, out),
            Command::Arrived { alert } => self.arrived(now, alert, by, via, out),
            Command::Close { alert, outcome, note } => {
                let same = |closed: &Closed| closed.by == by && closed.outcome == Some(*outcome);
                if self.closed.get(alert).is_some_and(same) {
                    return Ok(());
                }
                self.must_be_open(alert)?;
                let note = shortened(note, MAX_NOTE);
                self.close(now, alert, &by, Some(*outcome), note, out);
                Ok(())
            }
            Command::FollowUp { alert, note } => {
                if self.alerts.contains_key(alert) {
                    return Err(RefusedCommand::StillOpen(alert.clone()));
                }
                let Some(closed) = self.closed.get(alert) else {
                    return Err(RefusedCommand::UnknownAlert(alert.clone()));
                };
                let step = AlertStep::FollowedUp { by, note: shortened(note, MAX_NOTE) };
                let change = AlertChange { subject: closed.subject.clone(), step };
                self.record_change(now, change, out);
                Ok(())
            }
            other @ (Command::Delivery { .. } | Command::Away { .. } | Command::Speak { .. }) => {
                Err(RefusedCommand::NotAboutAnAlert(other.name()))
            }
        }
    }

    fn must_be_open(&self, alert: &AlertId) -> Result<(), RefusedCommand> {
        if self.alerts.contains_key(alert) {
            return Ok(());
        }
        match self.closed.get(alert) {
            Some(closed) => {
                Err(RefusedCommand::AlreadyClosed { alert: alert.clone(), by: closed.by.clone() })
            }
            None => Err(RefusedCommand::UnknownAlert(alert.clone())),
        }
    }

    /// The same for an answer: a contact who answers too late and may set out is told so.
    fn must_be_in_time(
        &mut self,
        now: Moment,
        alert: &AlertId,
        by: &str,
        via: &str,
        out: &mut Vec<Action>,
    ) -> Result<(), RefusedCommand> {
        let open = self.must_be_open(alert);
        if open.is_err() {
            self.too_late(now, alert, by, via, out);
        }
        open
    }

    /// Tells a contact once, over the way their answer came by, that an alert is closed already.
    fn too_late(&mut self, now: Moment, id: &AlertId, by: &str, via: &str, out: &mut Vec<Action>) {
        let household = self.household.clone();
        let Some(contact) = household.contact(by) else { return };
        let Some(closed) = self.closed.get_mut(id) else { return };
        let ways = [ChannelKind::Ntfy, ChannelKind::Sms];
        let way = contact.channels.iter().find(|c| ways.contains(c) && c.as_str() == via).copied();
        let Some(way) = way.filter(|_| now.since(closed.at) <= LATE_ANSWERED) else { return };
        if !closed.late.insert(contact.id.clone()) {
            return;
        }
        let subject = closed.subject.clone();
        let notice = self.notice_of(&subject, None, contact, NoticeKind::Late);
        out.push(Action::Notify(Notice { channels: vec![way], ..notice }));
    }

    fn accept(
        &mut self,
        now: Moment,
        id: &AlertId,
        by: String,
        minutes: Option<u32>,
        via: String,
        out: &mut Vec<Action>,
    ) -> Result<(), RefusedCommand> {
        self.must_be_in_time(now, id, &by, &via, out)?;
        if let Some(minutes) = minutes.filter(|m| *m > MAX_MINUTES) {
            return Err(RefusedCommand::TooManyMinutes(minutes));
        }
        // Who presses a button says no minutes; the household knows how far away they are.
        let minutes = minutes.or_else(|| self.contact(&by).and_then(|who| who.minutes_away));
        let helper = self.alerts.get(id).and_then(|a| a.helpers.iter().find(|h| h.by == by));
        if helper.is_some_and(|h| h.there || h.minutes == minutes) {
            return Ok(());
        }
        let step = AlertStep::Accepted { by: by.clone(), minutes, via: via.clone() };
        self.record(now, id, step, out);
        let who = self.contact(&by);
        let said = self.alerts.get(id).and_then(|alert| speech::accepted(alert, who, minutes));
        out.extend(said.map(Action::Announce));
        if let Some(contact) = self.contact(&by) {
            let way = contact.channels.iter().copied().filter(|c| c.as_str() == via).collect();
            self.notify_over(id, contact, way, NoticeKind::Taken, out);
        }
        self.notify_told(id, NoticeKind::Accepted, Some(&by), out);
        self.advance(now, id, out);
        Ok(())
    }

    /// An answer without an alert's name is about everything that its sender was told of and that
    /// began before they wrote; an old one says nothing about what came since.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        contact: &ContactId,
        answer: Answer,
        came: Came,
        out: &mut Vec<Action>,
    ) {
        let Came { sent, fresh, via } = came;
        let believed = |sent: &jiff::Timestamp| {
            let came = self.civil.wall_at(now);
            !fresh || came.is_some_and(|came| came.duration_since(*sent) <= TEXTS_LAST)
        };
        let sent = sent.filter(believed);
        let begun_before = |begun: Moment| match (sent, self.civil.wall_at(begun)) {
            (Some(sent), Some(begun)) => sent.duration_since(begun) >= -CLOCKS_DIFFER,
            // Nobody knows when; what has lain somewhere may be about an alert of long ago.
            _ => fresh,
        };
        let meant: Vec<AlertId> = self
            .alerts
            .iter()
            .filter(|(_, alert)| alert.told.contains(contact) && begun_before(alert.begun))
            .map(|(id, _)| id.clone())
            .collect();
        if meant.is_empty() {
            // What they were told of last, and is over.
            let theirs =
                |closed: &&Closed| closed.told.contains(contact) && begun_before(closed.begun);
            let last = self.closed.values().filter(theirs).max_by_key(|closed| closed.at);
            if let Some(id) = last.map(|closed| closed.subject.alert.clone()) {
                self.too_late(now, &id, contact.as_str(), via.as_str(), out);
            }
        }
        for id in meant {
            let message = Message {
                alert: id.clone(),
                contact: contact.clone(),
                channel: via.as_str().to_owned(),
                attempt: 1,
                detail: Some(answer.as_str().to_owned()),
                request: None,
            };
            let (by, via) = (contact.to_string(), via.as_str().to_owned());
            // Each of them is open, and no minutes are given, so that nothing is refused.
            let _ = match answer {
                Answer::Accept => self.accept(now, &id, by, None, via, out),
                Answer::Arrived => self.arrived(now, &id, by, via, out),
            };
            let answered = Delivery { state: DeliveryState::Answered, message };
            self.recall_delivery(&answered);
            out.push(Action::RecordDelivery(answered));
        }
    }

    fn arrived(
        &mut self,
        now: Moment,
        id: &AlertId,
        by: String,
        via: String,
        out: &mut Vec<Action>,
    ) -> Result<(), RefusedCommand> {
        self.must_be_in_time(now, id, &by, &via, out)?;
        let there = |h: &super::alert::Helper| h.by == by && h.there;
        if self.alerts.get(id).is_some_and(|a| a.helpers.iter().any(there)) {
            return Ok(());
        }
        self.record(now, id, AlertStep::Arrived { by, via }, out);
        self.announce(id, speech::arrived, out);
        self.advance(now, id, out);
        Ok(())
    }

    /// Closes an alert, and what is less of the same rule and device with it.
    pub(super) fn close(
        &mut self,
        now: Moment,
        id: &AlertId,
        by: &str,
        outcome: Option<Outcome>,
        note: String,
        out: &mut Vec<Action>,
    ) {
        let Some(alert) = self.alerts.get(id) else { return };
        let subject = alert.subject.clone();
        let lesser: Vec<AlertId> = self
            .alerts
            .values()
            .map(|a| &a.subject)
            .filter(|s| s.rule == subject.rule && s.device == subject.device)
            .filter(|s| s.test == subject.test && s.class < subject.class)
            .map(|s| s.alert.clone())
            .collect();
        self.end(now, id, by, outcome, note.clone(), out);
        for id in lesser {
            self.end(now, &id, by, outcome, note.clone(), out);
        }
    }

    fn end(
        &mut self,
        now: Moment,
        id: &AlertId,
        by: &str,
        outcome: Option<Outcome>,
        note: String,
        out: &mut Vec<Action>,
    ) {
        let Some(alert) = self.alerts.get(id) else { return };
        let spoken = alert.subject.class >= Class::Warning && outcome.is_some();
        let slot = speech::slot(id);
        let closed = speech::closed(&alert.subject);
        let back = speech::back(&alert.subject);
        let mut told = Vec::new();
        self.notify_told(id, NoticeKind::Closed, Some(by), &mut told);
        let step = AlertStep::Closed { by: by.to_owned(), outcome, note };
        self.record(now, id, step, out);
        out.push(Action::Withdraw { alert: id.clone() });
        out.push(match back {
            Some(back) => Action::Announce(back),
            None if spoken => Action::Announce(closed),
            None => Action::Quiet { slot },
        });
        out.append(&mut told);
    }
}

fn shortened(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
