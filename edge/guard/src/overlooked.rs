//! What was found just before the box went down and never became an alert. The press is durable
//! before its alert is, so a power cut between the two would otherwise swallow the alert. It must
//! never bring up what is old: only findings of the last minutes before the end are kept.

use std::time::Duration;

use anju_model::{AlertStep, Body, BoxEvent, Entry, Finding, Moment, Raise};

/// Findings older than this were answered or are no longer wanted.
const RECENT: Duration = Duration::from_secs(300);

/// How many are kept; more presses than this repeat the same few alerts.
const MOST: usize = 256;

/// Findings without an answer.
#[derive(Debug, Clone, Default)]
pub struct Overlooked {
    open: Vec<(Moment, Raise)>,
}

impl Overlooked {
    /// Takes note of a recalled entry and of what it led to.
    pub fn note(&mut self, entry: &Entry, found: Vec<Finding>, now: Moment) {
        match &entry.body {
            Body::Alert(change)
                if matches!(change.step, AlertStep::Raised { .. } | AlertStep::Repeated { .. }) =>
            {
                let subject = &change.subject;
                self.open.retain(|(_, raise)| {
                    raise.rule != subject.rule
                        || raise.class != subject.class
                        || raise.origin.as_ref().map(|o| &o.device) != subject.device.as_ref()
                });
            }
            Body::Box(BoxEvent::Shadow { rule, class, .. }) => {
                self.open.retain(|(_, raise)| {
                    !raise.shadow || raise.rule.as_str() != rule || raise.class.as_str() != class
                });
            }
            _ => {}
        }
        for finding in found {
            if let Finding::Raise(raise) = finding {
                self.forget_old(now);
                if self.open.len() >= MOST {
                    self.open.remove(0);
                }
                self.open.push((now, raise));
            }
        }
    }

    fn forget_old(&mut self, now: Moment) {
        self.open.retain(|(at, _)| now.since(*at) <= RECENT);
    }

    /// Hands out what is still open.
    pub fn take(&mut self, now: Moment) -> Vec<Finding> {
        self.forget_old(now);
        self.open.drain(..).map(|(_, raise)| Finding::Raise(raise)).collect()
    }
}
