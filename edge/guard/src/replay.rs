//! Runs the rules over a recorded journal, those of the home and those of the box's own parts, in
//! the order in which the box does: what `anju replay` prints. The recorded alerts are taken from
//! the journal too, for comparison only; that one was closed is taken from it because people close
//! alerts, and the next finding then opens a new one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anju_model::config::Household;
use anju_model::{
    AlertChange, AlertId, AlertStep, Body, BoxEvent, Class, DeviceId, Entry, Finding, Raise, Rule,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::faults::Faults;
use crate::guard::Guard;

/// One alert, found again or as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayedAlert {
    /// Its id.
    pub alert: AlertId,
    /// The rule that judged.
    pub rule: Rule,
    /// How grave.
    pub class: Class,
    /// The device judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Under test.
    pub test: bool,
    /// The rule ran in the shadow: nobody was called.
    pub shadow: bool,
    /// When the silence began, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How often it was found again while open.
    pub repeats: u32,
}

/// What a replay found and what the journal had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// What the rules find.
    pub found: Vec<ReplayedAlert>,
    /// What the journal recorded, of the rules that this version knows.
    pub recorded: Vec<ReplayedAlert>,
}

impl Replay {
    /// What was found but not recorded; findings in the shadow are not recorded as alerts.
    pub fn only_found(&self) -> impl Iterator<Item = &ReplayedAlert> {
        missing(&self.found, &self.recorded).filter(|alert| !alert.shadow)
    }

    /// What was recorded but not found.
    pub fn only_recorded(&self) -> impl Iterator<Item = &ReplayedAlert> {
        missing(&self.recorded, &self.found)
    }
}

fn missing<'a>(
    these: &'a [ReplayedAlert],
    those: &[ReplayedAlert],
) -> impl Iterator<Item = &'a ReplayedAlert> {
    let key = |a: &ReplayedAlert| (a.alert.clone(), a.rule.clone(), a.class, a.device.clone());
    let known: HashSet<_> = those.iter().filter(|a| !a.shadow).map(key).collect();
    these.iter().filter(move |a| !known.contains(&key(a)))
}

/// A test and a real alert of one device are two.
type Subject = (Rule, Class, Option<DeviceId>, bool, bool);

fn subject(raise: &Raise) -> Subject {
    let device = raise.origin.as_ref().map(|o| o.device.clone());
    (raise.rule.clone(), raise.class, device, raise.test, raise.shadow)
}

/// Runs the rules over entries in the order of their numbers.
pub fn replay(entries: impl IntoIterator<Item = Entry>, household: Arc<Household>) -> Replay {
    let mut guard = Guard::new(household);
    let mut faults = Faults::default();
    let mut found = Found::default();
    let mut recorded = Vec::new();
    for entry in entries {
        for finding in guard.observe(&entry) {
            found.take(&finding);
        }
        match &entry.body {
            Body::Box(event) => {
                // What is broken is told anew after each start.
                if matches!(event, BoxEvent::Boot { .. }) {
                    faults = Faults::default();
                }
                if let Some(finding) = faults.take(&entry.id, event) {
                    found.take(&finding);
                }
            }
            Body::Alert(change) => match &change.step {
                AlertStep::Raised { since } if !matches!(change.subject.rule, Rule::Other(_)) => {
                    recorded.push(as_recorded(change, *since));
                }
                AlertStep::Closed { .. } => found.closed(&change.subject.alert),
                _ => {}
            },
            _ => {}
        }
    }
    Replay { found: found.alerts, recorded }
}

/// The alerts that were found, and which of them are open.
#[derive(Default)]
struct Found {
    alerts: Vec<ReplayedAlert>,
    open: HashMap<Subject, usize>,
    ids: HashSet<AlertId>,
}

impl Found {
    fn take(&mut self, finding: &Finding) {
        match finding {
            Finding::Raise(raise) => self.raise(raise),
            // What is no alarm is closed by itself; an alarm only by a human.
            Finding::Over { rule, origin, .. } => {
                let device = origin.as_ref().map(|origin| &origin.device);
                self.open.retain(|(its_rule, class, its_device, ..), _| {
                    *class == Class::Alarm || its_rule != rule || its_device.as_ref() != device
                });
            }
            Finding::Cancel { .. } | Finding::Ask { .. } => {}
        }
    }

    fn raise(&mut self, raise: &Raise) {
        let subject = subject(raise);
        if let Some(alert) = self.open.get(&subject).and_then(|at| self.alerts.get_mut(*at)) {
            alert.repeats = alert.repeats.saturating_add(1);
            return;
        }
        let device = raise.origin.as_ref().map(|origin| origin.device.clone());
        let mut alert = raise.alert_id();
        // What runs in the shadow takes no name from an alert.
        if !raise.shadow && !self.ids.insert(alert.clone()) {
            // One entry can raise two.
            alert = AlertId::since_entry(&raise.cause, &raise.rule, raise.class, device.as_ref());
        }
        self.open.insert(subject, self.alerts.len());
        self.alerts.push(ReplayedAlert {
            alert,
            rule: raise.rule.clone(),
            class: raise.class,
            device,
            test: raise.test,
            shadow: raise.shadow,
            since: raise.since,
            repeats: 0,
        });
    }

    fn closed(&mut self, alert: &AlertId) {
        self.open.retain(|_, at| self.alerts.get(*at).is_some_and(|a| a.alert != *alert));
    }
}

fn as_recorded(change: &AlertChange, since: Option<Timestamp>) -> ReplayedAlert {
    let subject = change.subject.clone();
    ReplayedAlert {
        alert: subject.alert,
        rule: subject.rule,
        class: subject.class,
        device: subject.device,
        test: subject.test,
        shadow: false,
        since,
        repeats: 0,
    }
}

#[cfg(test)]
mod tests;
