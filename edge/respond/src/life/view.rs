//! What others may see of the open alerts: the page, the status upstream, the command line.

use anju_model::{AlertId, Class, ContactId, Moment, Subject};

use super::alert::{Alert, Stage};
use super::book::Book;

/// One open alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertView {
    /// What it is about.
    pub subject: Subject,
    /// Where it stands.
    pub stage: Stage,
    /// When it was raised.
    pub raised: Moment,
    /// When the present search began: a press after acceptance begins another.
    pub searching_since: Moment,
    /// How many messages it stands for.
    pub count: u64,
    /// Everybody who was tried.
    pub told: Vec<ContactId>,
    /// Which round through the plan, from 1; 0 before the first.
    pub round: u32,
    /// Who is coming or there.
    pub helpers: Vec<HelperView>,
    /// What announced it.
    pub announced_by: Vec<String>,
    /// When something is next done about it.
    pub next: Option<Moment>,
}

/// Somebody who took it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperView {
    /// A contact's id or an operator's name.
    pub by: String,
    /// Minutes until arrival, as promised.
    pub minutes: Option<u32>,
    /// Is there.
    pub there: bool,
    /// When they count as not coming.
    pub due: Option<Moment>,
}

impl Book {
    /// The open alerts, the gravest first, then the oldest.
    pub fn open(&self) -> Vec<AlertView> {
        let mut views: Vec<AlertView> = self.alerts.values().map(|a| self.view(a)).collect();
        views.sort_by(|a, b| {
            (b.subject.class, a.raised, &a.subject.alert).cmp(&(
                a.subject.class,
                b.raised,
                &b.subject.alert,
            ))
        });
        views
    }

    /// How many alerts are open.
    pub fn open_count(&self) -> usize {
        self.alerts.len()
    }

    /// How many alerts of a class are open.
    pub fn open_of_class(&self, class: Class) -> usize {
        self.alerts.values().filter(|a| a.subject.class == class).count()
    }

    /// One open alert.
    pub fn get(&self, id: &AlertId) -> Option<AlertView> {
        self.alerts.get(id).map(|a| self.view(a))
    }

    fn view(&self, alert: &Alert) -> AlertView {
        AlertView {
            subject: alert.subject.clone(),
            stage: alert.stage(),
            raised: alert.raised,
            searching_since: alert.search.since,
            count: alert.count,
            told: alert.told.iter().cloned().collect(),
            round: alert.search.position.as_ref().map_or(0, |p| p.round),
            helpers: alert
                .helpers
                .iter()
                .map(|h| HelperView {
                    by: h.by.clone(),
                    minutes: h.minutes,
                    there: h.there,
                    due: alert.due(h, &self.household),
                })
                .collect(),
            announced_by: alert.announced_by.iter().cloned().collect(),
            next: alert.wake,
        }
    }
}
