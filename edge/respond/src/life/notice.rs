//! What contacts are told, in words. Each message is made twice: with names and rooms, and without,
//! since a push server reads what passes through it.

use anju_model::config::{ChannelKind, Contact, Person};
use anju_model::{AlertId, Class, ContactId, DeviceId, DeviceKind, Raise, RoomId, Rule, Subject};

use super::action::{Action, Notice, NoticeKind, Words};
use super::alert::{Alert, Helper};
use super::book::Book;

impl Book {
    /// The one person of the household, where there is only one.
    pub(super) fn only_person(&self) -> Option<&Person> {
        match self.household.persons.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    pub(super) fn contact(&self, id: &str) -> Option<&Contact> {
        self.household.contact(id)
    }

    /// Tells a contact.
    pub(super) fn notify(
        &self,
        id: &AlertId,
        contact: &Contact,
        kind: NoticeKind,
        out: &mut Vec<Action>,
    ) {
        self.notify_over(id, contact, contact.channels.clone(), kind, out);
    }

    /// Tells a contact over some of the ways.
    pub(super) fn notify_over(
        &self,
        id: &AlertId,
        contact: &Contact,
        channels: Vec<ChannelKind>,
        kind: NoticeKind,
        out: &mut Vec<Action>,
    ) {
        if let Some(alert) = self.alerts.get(id)
            && !channels.is_empty()
        {
            let notice = self.notice(alert, contact, kind);
            out.push(Action::Notify(Notice { channels, ..notice }));
        }
    }

    /// Tells everybody who was tried, save one. The end of what is no alarm is not told to whom no
    /// word of it reached.
    pub(super) fn notify_told(
        &self,
        id: &AlertId,
        kind: NoticeKind,
        save: Option<&str>,
        out: &mut Vec<Action>,
    ) {
        let Some(alert) = self.alerts.get(id) else { return };
        let ends = kind == NoticeKind::Closed && alert.subject.class < Class::Alarm;
        let knows = |c: &&ContactId| {
            let contact = self.contact(c.as_str());
            !(ends && contact.is_some_and(|c| alert.search.reach.out_of_reach(c)))
        };
        let told = alert.told.iter().filter(knows).map(|c| c.as_str());
        let helpers = alert.helpers.iter().map(|h| h.by.as_str());
        let all: std::collections::BTreeSet<&str> = told.chain(helpers).collect();
        for contact in all.into_iter().filter(|who| Some(*who) != save) {
            if let Some(contact) = self.contact(contact) {
                self.notify(id, contact, kind, out);
            }
        }
    }

    /// Tells those of the named helpers who are contacts and were not called just now.
    pub(super) fn notify_helpers(
        &self,
        id: &AlertId,
        helpers: &[String],
        kind: NoticeKind,
        out: &mut Vec<Action>,
    ) {
        for by in helpers {
            let called = out.iter().any(|action| {
                matches!(action, Action::Notify(n) if n.alert == *id && n.contact.as_str() == by)
            });
            if let Some(contact) = self.contact(by).filter(|_| !called) {
                self.notify(id, contact, kind, out);
            }
        }
    }

    fn notice(&self, alert: &Alert, contact: &Contact, kind: NoticeKind) -> Notice {
        self.notice_of(&alert.subject, alert.helpers.last(), contact, kind)
    }

    /// A notice about an alert that may be closed already.
    pub(super) fn notice_of(
        &self,
        subject: &Subject,
        helper: Option<&Helper>,
        contact: &Contact,
        kind: NoticeKind,
    ) -> Notice {
        let mark = if subject.test { self.texts.get("test-mark") } else { String::new() };
        let class = self.texts.get(class_key(subject.class));
        let home = self.home();
        let who = helper.map_or("", |h| self.name_of(&h.by));
        let minutes = helper.and_then(|h| h.minutes).map(|m| m.to_string());
        let args = [
            ("class", class.as_str()),
            ("home", home.as_str()),
            ("who", who),
            ("minutes", minutes.as_deref().unwrap_or("none")),
            // The subject's own text already carries the mark of a test.
            ("what", subject.text.strip_prefix(mark.as_str()).unwrap_or(&subject.text)),
        ];
        let key = kind.as_str();
        let words = |discretion: &str| Words {
            title: format!(
                "{mark}{}",
                self.texts.format(&format!("{key}-title{discretion}"), &args)
            ),
            body: format!("{mark}{}", self.texts.format(&format!("{key}-body{discretion}"), &args)),
        };
        Notice {
            alert: subject.alert.clone(),
            contact: contact.id.clone(),
            channels: contact.channels.clone(),
            kind,
            class: subject.class,
            rule: subject.rule.clone(),
            test: subject.test,
            full: words(""),
            discreet: words("-discreet"),
        }
    }

    fn name_of<'a>(&'a self, by: &'a str) -> &'a str {
        self.contact(by).map_or(by, |c| c.name.as_str())
    }

    fn home(&self) -> String {
        match self.household.persons.first() {
            Some(person) => self.texts.format("home", &[("person", &person.name)]),
            None => self.texts.format("home-unnamed", &[("box", self.household.box_id.as_str())]),
        }
    }

    /// The sentence that stands in the alert's entries, in the box's language.
    pub(super) fn subject_text(&self, raise: &Raise) -> String {
        let origin = raise.origin.as_ref();
        let person = origin
            .and_then(|o| o.person.as_ref())
            .and_then(|id| self.household.persons.iter().find(|p| p.id == *id));
        let home = match person {
            Some(person) => self.texts.format("home", &[("person", &person.name)]),
            None => self.home(),
        };
        let thing = origin.map_or_else(
            || self.texts.get("thing-unknown"),
            |o| self.thing(&o.device, o.kind, o.room.as_ref()),
        );
        let since = raise.since.map(|s| self.civil.clock_time(s));
        let until = self.household.modem.contract_ends.map(|day| day.to_string());
        let args = [
            ("thing", thing.as_str()),
            ("until", until.as_deref().unwrap_or("none")),
            ("class", raise.class.as_str()),
            ("since", since.as_deref().unwrap_or("none")),
            ("lost", raise.lost.map_or("none", anju_model::Lost::as_str)),
        ];
        let heard = raise.rule == Rule::Help
            && origin.is_some_and(|origin| origin.kind == DeviceKind::VoiceAlarm);
        let key = if heard {
            "rule-help-heard".to_owned()
        } else {
            rule_key(raise.rule.as_str(), &self.texts)
        };
        let what = self.texts.format(&key, &args);
        let mark = if raise.test { self.texts.get("test-mark") } else { String::new() };
        mark + &self.texts.format("sentence", &[("home", &home), ("what", &what)])
    }

    /// "The alarm button in the bedroom": the device's own name without the room in it, and the room.
    fn thing(&self, id: &DeviceId, kind: DeviceKind, room: Option<&RoomId>) -> String {
        let name = self
            .household
            .devices
            .iter()
            .find(|d| d.id == *id)
            .map(|d| d.name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| kind.name(self.household.language));
        let Some(room) = room else {
            return self.texts.format("thing-anywhere", &[("name", name)]);
        };
        let room = self.room(room);
        let bare = name
            .get(..room.len())
            .filter(|start| start.eq_ignore_ascii_case(&room))
            .and_then(|_| name.get(room.len()..))
            .map(str::trim_start)
            .filter(|rest| !rest.is_empty())
            .unwrap_or(name);
        self.texts.format("thing-in-room", &[("room", &room), ("name", bare)])
    }

    fn room(&self, room: &RoomId) -> String {
        let key = format!("room-{room}");
        if self.texts.has(&key) { self.texts.get(&key) } else { room.to_string() }
    }
}

fn rule_key(rule: &str, texts: &crate::texts::Texts) -> String {
    let key = format!("rule-{rule}");
    if texts.has(&key) { key } else { "rule-other".to_owned() }
}

const fn class_key(class: Class) -> &'static str {
    match class {
        Class::Alarm => "class-alarm",
        Class::Warning => "class-warning",
        Class::Request => "class-request",
        Class::Fault => "class-fault",
    }
}
