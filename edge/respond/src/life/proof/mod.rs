//! Proof of reach: a way to people counts only as far as it was made sure of. Each night every way
//! is proved as far as it can be without waking anybody; once a month, by day, each contact gets a
//! message that is announced as a test and asks for an answer. What can not be proved is a fault,
//! which is told by day over what still works.
//!
//! It is pure: it gets moments, results and recorded entries, and answers with tasks. It must never
//! ask anybody by night or while an alarm is open, and never take one failure in the night, when
//! lines are dialled anew, for a broken way.

mod people;
mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{ChannelKind, Contact, Household};
use anju_model::delivery::DeliveryState;
use anju_model::{AlertId, BoxEvent, Class, ContactId, Delivery, Entry, EntryId, Moment, Rule};

use super::action::{Notice, NoticeKind, Words};
use super::civil::Civil;
use crate::texts::Texts;
use people::Person;
use ways::Way;

/// After a start nothing is proved for a while: links come up, and somebody may still be mending.
const SETTLES: Duration = Duration::from_secs(3600);

/// What came of proving a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It would take a message.
    Proved,
    /// Nothing can be found out without waking somebody.
    NotWithoutWaking,
    /// It would not, and why.
    Failed(String),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Make sure of a way and tell the result.
    Prove(ChannelKind),
    /// Record that a contact is asked, and tell under which entry.
    Ask(ContactId),
    /// Record.
    Record(BoxEvent),
    /// Send.
    Notify(Notice),
    /// The test is over: what was not handed over need not go any more.
    Withdraw(AlertId),
}

/// The prover.
#[derive(Debug)]
pub struct Prover {
    household: Arc<Household>,
    texts: Arc<Texts>,
    civil: Civil,
    began: Moment,
    ways: BTreeMap<ChannelKind, Way>,
    people: BTreeMap<ContactId, Person>,
    /// The SIM card that texts and calls go by.
    sim: Option<String>,
}

impl Prover {
    /// For a household; nothing is proved yet.
    pub fn new(household: Arc<Household>, texts: Arc<Texts>) -> Self {
        let civil = Civil::new(household.timezone.clone());
        let (ways, people) = Default::default();
        Self { household, texts, civil, began: Moment::default(), ways, people, sim: None }
    }

    /// Work begins; what was recalled was before.
    pub fn begin(&mut self, now: Moment) {
        self.began = now;
        self.know_everybody(now);
    }

    /// Takes a new configuration. What is no longer in it can not be broken.
    pub fn configure(
        &mut self,
        now: Moment,
        household: Arc<Household>,
        texts: Arc<Texts>,
    ) -> Vec<Task> {
        self.civil.set_zone(household.timezone.clone());
        self.household = household;
        self.texts = texts;
        self.know_everybody(now);
        let mut tasks = Vec::new();
        let used = self.kinds();
        for (kind, way) in &mut self.ways {
            if !used.contains(kind) {
                tasks.extend(way.mended(*kind, "the configuration has it no more"));
            }
        }
        self.ways.retain(|kind, _| used.contains(kind));
        let home = &self.household;
        for (id, person) in &mut self.people {
            if home.contact(id.as_str()).is_none() {
                tasks.extend(person.forgiven(id));
            }
        }
        self.people.retain(|id, _| home.contact(id.as_str()).is_some());
        tasks
    }

    /// Says what the wall clock shows at `now`, or that nobody knows.
    pub fn set_clock(&mut self, now: Moment, wall: Option<jiff::Timestamp>) {
        self.civil.set(now, wall);
    }

    /// What is due. To be called at least once a minute; `alarm` says whether one is open.
    pub fn tick(&mut self, now: Moment, alarm: bool) -> Vec<Task> {
        if now.since(self.began) < SETTLES {
            return Vec::new();
        }
        let mut tasks = Vec::new();
        let night = ways::Night::of(&self.household.box_id, &self.civil, now);
        for kind in self.kinds() {
            let way = self.ways.entry(kind).or_default();
            if way.due(now, night, self.began) {
                tasks.push(way.begin(kind, now));
            }
        }
        self.look_at_people(now, alarm, &mut tasks);
        tasks
    }

    /// Somebody wants all ways proved now; those that are not under way already begin.
    pub fn prove_all(&mut self, now: Moment) -> Vec<Task> {
        let kinds = self.kinds();
        let begin = |kind: ChannelKind| self.ways.entry(kind).or_default().asked(kind, now);
        kinds.into_iter().map(begin).collect()
    }

    /// Somebody wants a contact asked now.
    ///
    /// # Errors
    /// When there is no such contact, or no way to them.
    pub fn ask(&self, contact: &ContactId) -> Result<Vec<Task>, String> {
        let known = self.household.contact(contact.as_str());
        match known {
            None => Err(format!("no contact is called `{contact}`; see the configuration")),
            Some(known) if known.channels.is_empty() => {
                Err(format!("there is no way to `{contact}`; give them `channels`"))
            }
            Some(_) => Ok(vec![Task::Ask(contact.clone())]),
        }
    }

    /// A contact is asked by the test that is recorded as that entry.
    pub fn asked(&mut self, now: Moment, contact: &ContactId, entry: &EntryId) -> Vec<Task> {
        let Some(known) = self.household.contact(contact.as_str()) else {
            return Vec::new();
        };
        let test = AlertId::of_entry(entry);
        let kind =
            if people::can_answer(known) { NoticeKind::Trial } else { NoticeKind::TrialNotice };
        let notice = self.notice(known, &test, kind);
        self.people.entry(contact.clone()).or_insert_with(|| Person::known(now)).ask(test, now);
        vec![Task::Notify(notice)]
    }

    /// What came of proving a way.
    pub fn proved(&mut self, now: Moment, kind: ChannelKind, proof: Proof) -> Vec<Task> {
        match self.ways.get_mut(&kind) {
            Some(way) => way.ended(kind, now, proof),
            None => Vec::new(),
        }
    }

    /// A message went out, or was answered: that proves more than any trial.
    pub fn delivered(&mut self, now: Moment, delivery: &Delivery) -> Vec<Task> {
        let taken = matches!(delivery.state, DeliveryState::Sent | DeliveryState::Answered);
        let mut tasks = Vec::new();
        if let Some(kind) = ChannelKind::from_name(&delivery.message.channel).filter(|_| taken)
            && let Some(way) = self.ways.get_mut(&kind)
        {
            tasks.extend(way.mended(kind, "a message was taken"));
        }
        if delivery.state == DeliveryState::Answered {
            tasks.extend(self.answer(now, &delivery.message.contact, &delivery.message.channel));
        }
        tasks
    }

    /// Whether that is a test of a contact which they may answer.
    pub fn is_test(&self, alert: &AlertId) -> bool {
        self.people.values().any(|person| person.is_asked_by(alert))
    }

    /// Somebody answers a test, by its name. `None` if it is none.
    pub fn answered(&mut self, now: Moment, test: &AlertId, via: &str) -> Option<Vec<Task>> {
        let (contact, _) = self.people.iter().find(|(_, person)| person.is_asked_by(test))?;
        let contact = contact.clone();
        Some(self.answer(now, &contact, via))
    }

    /// A contact answers without naming what.
    pub fn answered_by(&mut self, now: Moment, contact: &ContactId, via: ChannelKind) -> Vec<Task> {
        self.answer(now, contact, via.as_str())
    }

    fn answer(&mut self, now: Moment, contact: &ContactId, via: &str) -> Vec<Task> {
        let Some(known) = self.household.contact(contact.as_str()).cloned() else {
            return Vec::new();
        };
        let person = self.people.entry(contact.clone()).or_insert_with(|| Person::known(now));
        let mut tasks: Vec<Task> = person.forgiven(contact).into_iter().collect();
        let Some(test) = person.answer(now) else { return tasks };
        tasks.push(Task::Record(event(via, Some(contact), HUMAN, PROVED, None)));
        tasks.push(Task::Withdraw(test.clone()));
        let way = known.channels.iter().copied().filter(|kind| kind.as_str() == via).collect();
        let thanks = Notice { channels: way, ..self.notice(&known, &test, NoticeKind::Thanks) };
        if !thanks.channels.is_empty() {
            tasks.push(Task::Notify(thanks));
        }
        tasks
    }

    /// The modem tells of its SIM card. What was proved on another one is not proved on this: its ways
    /// are due at once, and who is reached over them is asked anew in some days.
    pub fn card(&mut self, now: Moment, sim: &str) {
        let before = self.sim.replace(sim.to_owned());
        if before.is_none_or(|before| before == sim) {
            return;
        }
        for (_, way) in self.ways.iter_mut().filter(|(kind, _)| kind.by_sim()) {
            way.forget(now);
        }
        for contact in &self.household.contacts {
            let person = self.people.get_mut(&contact.id);
            if let Some(person) = person.filter(|_| contact.channels.iter().any(|k| k.by_sim())) {
                person.forget(now);
            }
        }
    }

    /// Takes an entry of before this start back, in the order of the journal.
    pub fn recall(&mut self, at: Moment, entry: &Entry, event: &BoxEvent) {
        let before = |seconds: &u64| Moment(at.0.saturating_sub(seconds.saturating_mul(1000)));
        match event {
            BoxEvent::Proof { channel, contact: None, result, .. } => {
                if let Some(kind) = ChannelKind::from_name(channel) {
                    self.ways.entry(kind).or_default().recall(at, result == PROVED);
                }
            }
            BoxEvent::Proof { contact: Some(contact), result, .. } => {
                let Ok(contact) = ContactId::new(contact) else { return };
                let person = self.people.entry(contact).or_insert_with(|| Person::known(at));
                match result.as_str() {
                    ASKED => person.ask(AlertId::of_entry(&entry.id), at),
                    PROVED => drop(person.answer(at)),
                    _ => person.recall_silence(),
                }
            }
            BoxEvent::Modem { sim: Some(sim), .. } => self.card(at, sim),
            BoxEvent::Reach { seconds } => {
                for (name, seconds) in seconds {
                    let Some((what, contact)) = name.split_once('/') else { continue };
                    let Ok(contact) = ContactId::new(contact) else { continue };
                    let new = || Person::known(before(seconds));
                    let person = self.people.entry(contact).or_insert_with(new);
                    person.recall(what, before(seconds));
                }
            }
            _ => {}
        }
    }

    /// What must not be forgotten for longer than entries are read back: ages in seconds.
    pub fn remember(&self, now: Moment) -> BTreeMap<String, u64> {
        let ages = |(id, person): (&ContactId, &Person)| {
            let id = id.clone();
            person.ages(now).map(move |(what, seconds)| (format!("{what}/{id}"), seconds))
        };
        self.people.iter().flat_map(ages).collect()
    }

    fn know_everybody(&mut self, now: Moment) {
        for contact in &self.household.contacts {
            self.people.entry(contact.id.clone()).or_insert_with(|| Person::known(now));
        }
    }

    fn look_at_people(&mut self, now: Moment, alarm: bool, tasks: &mut Vec<Task>) {
        let by_day = people::is_time_to_ask(&self.civil, now);
        // One a day, so that a family is not asked all at once.
        let mut free = by_day && !alarm && self.people.values().all(|p| p.was_left_alone(now));
        for contact in &self.household.contacts {
            let Some(person) = self.people.get_mut(&contact.id) else { continue };
            if by_day && person.stays_silent(now, people::can_answer(contact)) {
                tasks.extend(person.silent(&contact.id));
            }
            let usable = contact
                .channels
                .iter()
                .any(|kind| self.ways.get(kind).is_none_or(|way| !way.is_broken()));
            if free && usable && person.due(now) && self.civil.within(&contact.hours, now) {
                tasks.push(Task::Ask(contact.id.clone()));
                free = false;
            }
        }
    }

    /// The ways that the household has.
    fn kinds(&self) -> Vec<ChannelKind> {
        let contacts = self.household.contacts.iter();
        let mut kinds: Vec<_> = contacts.flat_map(|c| c.channels.iter().copied()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn notice(&self, contact: &Contact, test: &AlertId, kind: NoticeKind) -> Notice {
        let mark = self.texts.get("test-mark");
        let text =
            |part: &str| mark.clone() + &self.texts.get(&format!("{}-{part}", kind.as_str()));
        let words = Words { title: text("title"), body: text("body") };
        Notice {
            alert: test.clone(),
            contact: contact.id.clone(),
            channels: contact.channels.clone(),
            kind,
            class: Class::Request,
            rule: Rule::TestDue,
            test: true,
            full: words.clone(),
            discreet: words,
        }
    }
}

/// How a way was proved: nobody noticed.
const QUIET: &str = "quiet";
/// How a way was proved: its human was asked.
const HUMAN: &str = "human";
const ASKED: &str = "asked";
const PROVED: &str = "proved";
const FAILED: &str = "failed";

fn event(
    channel: &str,
    contact: Option<&ContactId>,
    how: &str,
    result: &str,
    reason: Option<String>,
) -> BoxEvent {
    BoxEvent::Proof {
        channel: channel.to_owned(),
        contact: contact.map(ToString::to_string),
        how: how.to_owned(),
        result: result.to_owned(),
        reason,
    }
}

/// The entry that says that a contact is asked; over all their ways at once.
pub fn asking(contact: &ContactId) -> BoxEvent {
    event("all", Some(contact), HUMAN, ASKED, None)
}

/// The part of the box that is broken while a way can not be proved.
pub fn part_of_way(channel: &str) -> String {
    format!("channel:{channel}-proof")
}

/// The part of the box that is broken while a contact does not answer.
pub fn part_of_contact(contact: &str) -> String {
    format!("channel:contact:{contact}")
}

fn fault(part: String, active: bool, reason: &str) -> Task {
    Task::Record(BoxEvent::Fault { part, active, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests;
