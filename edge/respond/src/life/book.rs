//! The book itself: it takes inputs, ticks and recalled changes, and hands each to the file that
//! knows its subject. Whatever changes an alert passes through `record`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use anju_model::command::Request;
use anju_model::config::Household;
use anju_model::{
    AlertChange, AlertId, AlertStep, CaughtUp, Class, ContactId, Delivery, DeviceId, Finding,
    Moment, Outcome, Raise, Rule, Subject,
};

use super::action::{Action, Handled, Input, Lights, RefusedCommand, SirenPattern};
use super::alert::Alert;
use super::civil::Civil;
use super::commands::Came;
use super::floods::Floods;
use crate::texts::Texts;

/// Most open alerts of one class. What comes beyond it is counted on an open alert of its kind;
/// calls for help are always taken, and are bounded by the household's devices.
pub const MAX_OPEN_PER_CLASS: usize = 200;

/// How many closed alerts are remembered, to answer late commands well.
const CLOSED_REMEMBERED: usize = 256;
/// How many commands are remembered, so that one that comes twice is carried out once.
const REQUESTS_REMEMBERED: usize = 512;

/// Who closes what was no alarm and ended by itself.
pub(super) const BY_ITSELF: &str = anju_model::CLOSED_BY_ITSELF;

/// What makes two findings the same alert. A test never hides a real one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) rule: Rule,
    pub(super) class: Class,
    pub(super) device: Option<DeviceId>,
    pub(super) test: bool,
}

impl Key {
    pub(super) fn of(subject: &Subject) -> Self {
        Self {
            rule: subject.rule.clone(),
            class: subject.class,
            device: subject.device.clone(),
            test: subject.test,
        }
    }

    pub(super) fn raised(raise: &Raise) -> Self {
        Self {
            rule: raise.rule.clone(),
            class: raise.class,
            device: raise.origin.as_ref().map(|origin| origin.device.clone()),
            test: raise.test,
        }
    }
}

/// What is remembered of a closed alert.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    pub(super) subject: Subject,
    pub(super) by: String,
    pub(super) outcome: Option<Outcome>,
    pub(super) at: Moment,
    pub(super) begun: Moment,
    /// Everybody who was tried or told to come.
    pub(super) told: BTreeSet<ContactId>,
    /// Who answered too late and was told so.
    pub(super) late: BTreeSet<ContactId>,
}

/// The alert book.
#[derive(Debug)]
pub struct Book {
    pub(super) household: Arc<Household>,
    pub(super) texts: Arc<Texts>,
    pub(super) civil: Civil,
    pub(super) alerts: BTreeMap<AlertId, Alert>,
    pub(super) keys: HashMap<Key, AlertId>,
    pub(super) closed: HashMap<AlertId, Closed>,
    closed_order: VecDeque<AlertId>,
    requests: HashMap<String, Result<(), RefusedCommand>>,
    request_order: VecDeque<String>,
    pub(super) sounding: Option<(SirenPattern, AlertId)>,
    /// When the siren's state has to be looked at again.
    pub(super) siren_wake: Option<Moment>,
    /// What the lights were told last.
    pub(super) lights: Lights,
    pub(super) over_told: HashMap<AlertId, Moment>,
    pub(super) asked: HashSet<Rule>,
    pub(super) floods: Floods,
}

impl Book {
    /// An empty book of a household.
    pub fn new(household: Arc<Household>, texts: Arc<Texts>) -> Self {
        let civil = Civil::new(household.timezone.clone());
        Self {
            household,
            texts,
            civil,
            alerts: BTreeMap::new(),
            keys: HashMap::new(),
            closed: HashMap::new(),
            closed_order: VecDeque::new(),
            requests: HashMap::new(),
            request_order: VecDeque::new(),
            sounding: None,
            siren_wake: None,
            lights: Lights::default(),
            over_told: HashMap::new(),
            asked: HashSet::new(),
            floods: Floods::default(),
        }
    }

    /// Takes a new configuration. Open alerts go on by the new plan; call `tick` after it. What is
    /// open about a device that was taken away can not end by itself any more and is closed; an
    /// alarm stays open for a human, whatever became of the device that raised it.
    #[must_use]
    pub fn configure(
        &mut self,
        now: Moment,
        household: Arc<Household>,
        texts: Arc<Texts>,
    ) -> Vec<Action> {
        let before = std::mem::replace(&mut self.household, household);
        self.civil.set_zone(self.household.timezone.clone());
        self.texts = texts;
        let has = |home: &Household, id: &DeviceId| home.devices.iter().any(|d| d.id == *id);
        let gone = |id: &DeviceId| has(&before, id) && !has(&self.household, id);
        let ended: Vec<AlertId> = self
            .alerts
            .values()
            .map(|alert| &alert.subject)
            .filter(|s| s.class != Class::Alarm && s.device.as_ref().is_some_and(gone))
            .map(|s| s.alert.clone())
            .collect();
        let mut out = Vec::new();
        for id in ended {
            self.close(now, &id, BY_ITSELF, None, String::new(), &mut out);
        }
        self.look_at_all(now);
        self.signals(now, &mut out);
        out
    }

    /// Says what the wall clock shows at `now`, or `None` while nobody knows. To be called before
    /// anything else is asked at `now`; alerts are only looked at again if the clock was set.
    pub fn set_clock(&mut self, now: Moment, wall: Option<jiff::Timestamp>) {
        if self.civil.set(now, wall) {
            self.look_at_all(now);
        }
    }

    /// An outage came to light that was before this boot: what was done since then lies later on the
    /// line of time than it was placed, or whoever accepted a minute ago would be hours late. To be
    /// called before anything else is asked.
    pub fn catch_up(&mut self, outage: CaughtUp) {
        for alert in self.alerts.values_mut() {
            alert.catch_up(outage);
        }
        for at in self.over_told.values_mut() {
            *at = outage.carry(*at);
        }
        for closed in self.closed.values_mut() {
            closed.begun = outage.carry(closed.begun);
            closed.at = outage.carry(closed.at);
        }
        self.floods.catch_up(outage);
    }

    fn look_at_all(&mut self, now: Moment) {
        for alert in self.alerts.values_mut() {
            alert.wake = Some(now);
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Moment, input: Input) -> Handled {
        let mut out = Vec::new();
        let answer = match input {
            Input::Finding(finding) => {
                self.finding(now, finding, &mut out);
                Ok(())
            }
            Input::Request(request) => self.request(now, &request, &mut out),
            Input::Delivered(delivery) => {
                self.delivered(now, delivery, &mut out);
                Ok(())
            }
            Input::Announced { alert, by } => {
                self.announced(now, &alert, by, &mut out);
                Ok(())
            }
            Input::Answered { contact, answer, sent, fresh, via } => {
                let came = Came { sent, fresh, via };
                self.answered(now, &contact, answer, came, &mut out);
                Ok(())
            }
        };
        self.signals(now, &mut out);
        Handled { actions: out, answer }
    }

    /// Carries out what is due at `now`.
    pub fn tick(&mut self, now: Moment) -> Vec<Action> {
        let mut out = Vec::new();
        let due: Vec<AlertId> = self
            .alerts
            .iter()
            .filter(|(_, alert)| alert.wake.is_some_and(|wake| wake <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.advance(now, &id, &mut out);
        }
        self.signals(now, &mut out);
        out
    }

    /// When `tick` is next to be called; earlier or later does no harm.
    pub fn next_tick(&self) -> Option<Moment> {
        self.alerts.values().filter_map(|alert| alert.wake).chain(self.siren_wake).min()
    }

    /// Takes a recorded change back into an empty book, in the order of the journal. Nothing is
    /// done about it before `resume`.
    pub fn recall(&mut self, at: Moment, change: &AlertChange) {
        self.apply(at, change);
    }

    /// Takes a recorded delivery back, in the order of the journal.
    pub fn recall_delivery(&mut self, delivery: &Delivery) {
        if let Some(alert) = self.alerts.get_mut(&delivery.message.alert) {
            alert.search.reach.note(delivery);
        }
    }

    /// Goes on after a restart: says again what nobody has accepted, sends again what was not
    /// handed over, and tries who is due.
    pub fn resume(&mut self, now: Moment) -> Vec<Action> {
        let mut out = Vec::new();
        let ids: Vec<AlertId> = self.alerts.keys().cloned().collect();
        for id in ids {
            self.announce_again(&id, &mut out);
            self.send_again(&id, &mut out);
            self.advance(now, &id, &mut out);
        }
        self.signals(now, &mut out);
        out
    }

    fn finding(&mut self, now: Moment, finding: Finding, out: &mut Vec<Action>) {
        match finding {
            Finding::Raise(raise) => self.raise(now, raise, out),
            Finding::Over { rule, origin, .. } => self.over(now, &rule, origin.as_ref(), out),
            Finding::Cancel { origin, test, .. } => self.cancel(now, &origin, test, out),
            Finding::Ask { rule, .. } => self.ask(&rule, out),
        }
    }

    fn request(
        &mut self,
        now: Moment,
        request: &Request,
        out: &mut Vec<Action>,
    ) -> Result<(), RefusedCommand> {
        if request.id.len() > 256 {
            return Err(RefusedCommand::IdTooLong);
        }
        if let Some(answer) = self.requests.get(&request.id) {
            return answer.clone();
        }
        let answer = self.command(now, request, out);
        if self.request_order.len() >= REQUESTS_REMEMBERED
            && let Some(oldest) = self.request_order.pop_front()
        {
            self.requests.remove(&oldest);
        }
        self.requests.insert(request.id.clone(), answer.clone());
        self.request_order.push_back(request.id.clone());
        answer
    }

    fn delivered(&mut self, now: Moment, delivery: Delivery, out: &mut Vec<Action>) {
        let id = delivery.message.alert.clone();
        self.recall_delivery(&delivery);
        out.push(Action::RecordDelivery(delivery));
        self.advance(now, &id, out);
    }

    fn announced(&mut self, now: Moment, id: &AlertId, by: String, out: &mut Vec<Action>) {
        let Some(alert) = self.alerts.get(id) else { return };
        let known = alert.announced_by.contains(&by) || alert.announced_by.len() >= 8;
        if !known {
            self.record(now, id, AlertStep::Announced { by }, out);
        }
    }

    /// Records a step of an open alert and applies it.
    pub(super) fn record(
        &mut self,
        now: Moment,
        id: &AlertId,
        step: AlertStep,
        out: &mut Vec<Action>,
    ) {
        if let Some(alert) = self.alerts.get(id) {
            let change = AlertChange { subject: alert.subject.clone(), step };
            self.record_change(now, change, out);
        }
    }

    /// Records a change and applies it.
    pub(super) fn record_change(
        &mut self,
        now: Moment,
        change: AlertChange,
        out: &mut Vec<Action>,
    ) {
        self.apply(now, &change);
        out.push(Action::Record(change));
    }

    fn apply(&mut self, at: Moment, change: &AlertChange) {
        let id = &change.subject.alert;
        match &change.step {
            AlertStep::Closed { by, outcome, .. } => {
                let ended = self.alerts.remove(id);
                let ended = ended.unwrap_or_else(|| Alert::new(at, change.subject.clone()));
                self.forget_key(&ended.subject);
                self.floods.closed(at, &ended, by == BY_ITSELF);
                self.wake_others(at, &change.subject.rule);
                self.over_told.remove(id);
                self.remember_closed(Closed {
                    subject: change.subject.clone(),
                    by: by.clone(),
                    outcome: *outcome,
                    at,
                    begun: ended.begun,
                    told: ended.told,
                    late: BTreeSet::new(),
                });
            }
            AlertStep::FollowedUp { .. } => {}
            step => {
                self.closed.remove(id);
                if matches!(step, AlertStep::Contacted { .. }) {
                    self.floods.told(at, &change.subject);
                }
                let floods = &self.floods;
                let alert = self.alerts.entry(id.clone()).or_insert_with(|| {
                    let mut alert = Alert::new(at, change.subject.clone());
                    alert.hold = floods.begins(at, &change.subject);
                    alert
                });
                let untold = alert.search.position.is_none() && alert.helpers.is_empty();
                alert.apply(at, step);
                alert.wake = Some(at);
                if matches!(step, AlertStep::Repeated { anew: true, .. }) {
                    alert.subject = change.subject.clone();
                    // More of what nobody was told of yet is told with it.
                    alert.hold = if untold {
                        alert.hold.max(floods.hold(at, &change.subject))
                    } else {
                        floods.begins(at, &change.subject)
                    };
                    self.wake_others(at, &change.subject.rule);
                }
                self.keys.insert(Key::of(&change.subject), id.clone());
            }
        }
    }

    /// What stood behind an alert of its rule may be told now.
    fn wake_others(&mut self, at: Moment, rule: &Rule) {
        for alert in self.alerts.values_mut().filter(|alert| alert.subject.rule == *rule) {
            alert.wake = Some(at);
        }
    }

    fn forget_key(&mut self, subject: &Subject) {
        let key = Key::of(subject);
        if self.keys.get(&key) == Some(&subject.alert) {
            self.keys.remove(&key);
        }
    }

    fn remember_closed(&mut self, closed: Closed) {
        let id = closed.subject.alert.clone();
        if self.closed.insert(id.clone(), closed).is_none() {
            self.closed_order.push_back(id);
        }
        while self.closed_order.len() > CLOSED_REMEMBERED {
            if let Some(oldest) = self.closed_order.pop_front() {
                self.closed.remove(&oldest);
            }
        }
    }
}
