//! Runs the rules over a recorded journal: what `anju replay` prints. The recorded alerts are taken
//! from the journal too, for comparison only; that one was closed is taken from it because people
//! close alerts, and the next finding then opens a new one.

use std::collections::HashMap;
use std::sync::Arc;

use anju_model::config::Household;
use anju_model::{
    AlertChange, AlertId, AlertStep, Body, Class, DeviceId, Entry, Finding, Raise, Rule,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::guard::{Guard, judged};

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
    /// What the journal recorded of the same rules.
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
    let known: std::collections::HashSet<_> = those.iter().filter(|a| !a.shadow).map(key).collect();
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
    let mut open: HashMap<Subject, usize> = HashMap::new();
    let mut replay = Replay::default();
    for entry in entries {
        for finding in guard.observe(&entry) {
            match finding {
                Finding::Raise(raise) => note(&mut replay.found, &mut open, &raise),
                // What is no alarm is closed by itself; an alarm only by a human.
                Finding::Over { rule, origin, .. } => {
                    let device = origin.map(|origin| origin.device);
                    open.retain(|key, _| key.1 == Class::Alarm || key.0 != rule || key.2 != device);
                }
                Finding::Cancel { .. } | Finding::Ask { .. } => {}
            }
        }
        if let Body::Alert(change) = &entry.body {
            let alert = &change.subject.alert;
            match &change.step {
                // The box's own parts break under the name of a device's trouble, without a device.
                AlertStep::Raised { since }
                    if judged(&change.subject.rule)
                        && (change.subject.rule != Rule::Trouble
                            || change.subject.device.is_some()) =>
                {
                    replay.recorded.push(recorded(change, *since));
                }
                AlertStep::Closed { .. } => {
                    open.retain(|_, at| replay.found.get(*at).is_some_and(|a| a.alert != *alert));
                }
                _ => {}
            }
        }
    }
    replay
}

fn note(found: &mut Vec<ReplayedAlert>, open: &mut HashMap<Subject, usize>, raise: &Raise) {
    if let Some(alert) = open.get(&subject(raise)).and_then(|at| found.get_mut(*at)) {
        alert.repeats = alert.repeats.saturating_add(1);
        return;
    }
    open.insert(subject(raise), found.len());
    found.push(ReplayedAlert {
        alert: raise.alert_id(),
        rule: raise.rule.clone(),
        class: raise.class,
        device: raise.origin.as_ref().map(|o| o.device.clone()),
        test: raise.test,
        shadow: raise.shadow,
        since: raise.since,
        repeats: 0,
    });
}

fn recorded(change: &AlertChange, since: Option<Timestamp>) -> ReplayedAlert {
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
