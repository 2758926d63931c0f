//! What the recorded entries lead to and no recorded alert answers. The press is durable before its
//! alert is, so a power cut between the two would otherwise swallow the alert; and where the
//! configuration was changed between two starts, the rules of today find in the silence of before
//! what those of then did not, and would never find it again. It must never bring up what is over,
//! nor what was told once, whatever people did about it then. Of what is told by a single event, a
//! press or a visitor, only that of the last minutes before the end is kept.

use std::collections::HashSet;
use std::time::Duration;

use anju_model::observation::Origin;
use anju_model::{AlertId, AlertStep, Body, BoxEvent, Entry, Finding, Moment, Raise, Rule};

/// Findings of single events that are older than this were answered or are no longer wanted.
const RECENT: Duration = Duration::from_secs(300);

/// How many are kept; more presses than this repeat the same few alerts.
const MOST: usize = 256;

/// Findings without an answer.
#[derive(Debug, Clone, Default)]
pub struct Overlooked {
    open: Vec<(Moment, Raise)>,
    raised: HashSet<AlertId>,
}

impl Overlooked {
    /// Takes note of a recalled entry and of what was found by the time it was taken in. What was
    /// due before an entry is found with it, and the entry may be the alert of just that.
    pub fn note(&mut self, entry: &Entry, found: Vec<Finding>, now: Moment) {
        self.found(found, now);
        match &entry.body {
            Body::Alert(change) => {
                let subject = &change.subject;
                let repeats = match &change.step {
                    AlertStep::Raised { .. } => {
                        self.raised.insert(subject.alert.clone());
                        None
                    }
                    AlertStep::Repeated { entry, .. } => entry.as_deref(),
                    _ => return,
                };
                self.open.retain(|(_, raise)| {
                    let same = raise.rule == subject.rule
                        && raise.class == subject.class
                        && raise.test == subject.test
                        && device(raise.origin.as_ref()) == subject.device.as_ref();
                    // One finding too many of its class is counted on an alert of another.
                    let counted = repeats.is_some_and(|entry| entry == raise.cause.to_string());
                    !same && !counted
                });
            }
            Body::Box(BoxEvent::Shadow { rule, class, .. }) => {
                self.open.retain(|(_, raise)| {
                    !raise.shadow || raise.rule.as_str() != rule || raise.class.as_str() != class
                });
            }
            _ => {}
        }
    }

    /// Takes note of what was found.
    pub fn found(&mut self, found: Vec<Finding>, now: Moment) {
        for finding in found {
            match finding {
                Finding::Raise(raise) if !self.raised.contains(&raise.alert_id()) => {
                    self.forget_old(now);
                    if self.open.len() >= MOST {
                        let oldest = self.open.iter().position(|(_, raise)| passes(raise));
                        self.open.remove(oldest.unwrap_or(0));
                    }
                    self.open.push((now, raise));
                }
                // That a danger is over makes nobody forget it.
                Finding::Over { rule, origin, .. } => self.forget(|raise| {
                    !raise.direct
                        && raise.rule == rule
                        && device(raise.origin.as_ref()) == device(origin.as_ref())
                }),
                _ => {}
            }
        }
    }

    /// Takes back what was found without knowing enough.
    pub fn forget(&mut self, fits: impl Fn(&Raise) -> bool) {
        self.open.retain(|(_, raise)| !fits(raise));
    }

    fn forget_old(&mut self, now: Moment) {
        self.open.retain(|(at, raise)| !passes(raise) || now.since(*at) <= RECENT);
    }

    /// Hands out what is still open.
    pub fn take(&mut self, now: Moment) -> Vec<Finding> {
        self.forget_old(now);
        self.raised.clear();
        self.open.drain(..).map(|(_, raise)| Finding::Raise(raise)).collect()
    }
}

fn device(origin: Option<&Origin>) -> Option<&anju_model::DeviceId> {
    origin.map(|origin| &origin.device)
}

/// Whether it was told by something that passes, not by what lasts until it is over. Of doses the
/// next is judged again, and nobody is told of what was found on trial.
const fn passes(raise: &Raise) -> bool {
    raise.direct || raise.shadow || matches!(raise.rule, Rule::Strangers | Rule::Medication)
}
