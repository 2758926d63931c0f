//! One open alert: what the recorded steps of its life add up to. `apply` is the only way it
//! changes, so that what was recorded and what the book believes can not differ.

use std::collections::BTreeSet;
use std::time::Duration;

use anju_model::config::Household;
use anju_model::{AlertStep, CaughtUp, Class, ContactId, Moment, Rule, Subject};

use super::reach::Reach;

/// How long after the promised arrival somebody who accepted counts as not coming.
pub const ARRIVAL_GRACE: Duration = Duration::from_secs(10 * 60);

/// Minutes until arrival when neither the answer nor the household says.
const DEFAULT_MINUTES: u32 = 30;

/// Minutes until a fault or a request is seen to, when the answer does not say.
const DEFAULT_REPAIR_MINUTES: u32 = 3 * 24 * 60;

/// Most people who can be on their way at once; more than a household has.
const MAX_HELPERS: usize = 16;

/// Where an open alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Help is searched for.
    Searching,
    /// Cancelled by the person; somebody is searched for who calls back.
    Cancelled,
    /// Somebody comes.
    Accepted,
    /// Somebody is there.
    Arrived,
}

/// Somebody who took it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Helper {
    pub(super) by: String,
    pub(super) since: Moment,
    pub(super) minutes: Option<u32>,
    pub(super) there: bool,
}

/// Where the search stands in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) round: u32,
    pub(super) step: u32,
    /// When this step began.
    pub(super) at: Moment,
    /// Who was tried in this step.
    pub(super) tried: Vec<ContactId>,
}

/// A test that nobody closed is closed by the box after this.
pub const TEST_LASTS: Duration = Duration::from_secs(600);

/// What is felt again after so long is something new, where somebody attended to the old. A danger
/// that lasts is found again every 5 minutes by a detector that goes on saying so, an open door every
/// 15; a floor that stays wet only with the sensor's sign of life, mostly each hour. Every other rule
/// finds the same once, so that whatever it finds after that is new.
const FELT_TOGETHER: Duration = Duration::from_secs(20 * 60);
const WET_TOGETHER: Duration = Duration::from_secs(3 * 3600);

/// One search for help; a press after acceptance begins another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) since: Moment,
    pub(super) position: Option<Position>,
    /// Who accepted before and did not come: left out of the first round.
    pub(super) passed_over: Option<ContactId>,
    /// What became of its messages.
    pub(super) reach: Reach,
}

impl Search {
    fn begin(since: Moment) -> Self {
        Self { since, position: None, passed_over: None, reach: Reach::default() }
    }
}

/// One open alert.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alert {
    pub(super) subject: Subject,
    pub(super) raised: Moment,
    pub(super) since: Option<jiff::Timestamp>,
    /// When it was raised, or began anew.
    pub(super) begun: Moment,
    /// When it was felt last.
    pub(super) felt: Moment,
    /// When somebody last accepted it, or came.
    answered: Option<Moment>,
    /// What was felt is over by itself.
    pub(super) over: bool,
    /// How many messages it stands for.
    pub(super) count: u64,
    pub(super) search: Search,
    /// Everybody who was tried or told to come.
    pub(super) told: BTreeSet<ContactId>,
    pub(super) helpers: Vec<Helper>,
    pub(super) cancelled: bool,
    /// What has announced it since the search began.
    pub(super) announced_by: BTreeSet<String>,
    /// When the book looks at it again.
    pub(super) wake: Option<Moment>,
    /// Nobody is told of it before: it comes and goes, and was told of lately.
    pub(super) hold: Option<Moment>,
}

impl Alert {
    /// An outage that came to light was before whatever this boot did.
    pub(super) fn catch_up(&mut self, outage: CaughtUp) {
        let came_before = self.raised;
        let moments = [&mut self.raised, &mut self.begun, &mut self.felt, &mut self.search.since];
        let moments = moments
            .into_iter()
            .chain(self.search.position.as_mut().map(|position| &mut position.at))
            .chain(self.helpers.iter_mut().map(|helper| &mut helper.since))
            .chain(&mut self.answered);
        for at in moments {
            *at = outage.carry(*at);
        }
        if self.raised > came_before {
            self.hold = self.hold.map(|hold| hold.after(outage.by));
        }
        // What it waits for may be past by now.
        self.wake = Some(outage.began);
    }

    pub(super) fn new(at: Moment, subject: Subject) -> Self {
        Self {
            subject,
            raised: at,
            since: None,
            begun: at,
            felt: at,
            answered: None,
            over: false,
            count: 1,
            search: Search::begin(at),
            told: BTreeSet::new(),
            helpers: Vec::new(),
            cancelled: false,
            announced_by: BTreeSet::new(),
            wake: None,
            hold: None,
        }
    }

    pub(super) fn stage(&self) -> Stage {
        if self.helpers.iter().any(|h| h.there) {
            Stage::Arrived
        } else if !self.helpers.is_empty() {
            Stage::Accepted
        } else if self.cancelled {
            Stage::Cancelled
        } else {
            Stage::Searching
        }
    }

    /// Whether somebody is still wanted.
    pub(super) const fn searching(&self) -> bool {
        self.helpers.is_empty()
    }

    /// Whether any repetition begins the search anew. Frightened people press again: a press
    /// after somebody accepted, or after a cancel, means that help is wanted still. A detector
    /// that repeats itself within a while means only that the cause lasts.
    pub(super) fn restarts_on_repeat(&self) -> bool {
        self.cancelled
            || (matches!(self.subject.rule, Rule::Help | Rule::Call) && !self.helpers.is_empty())
    }

    /// Whether somebody comes, or at least, where nobody who does not come is missed at once, is there.
    /// Whoever accepted a warning and does not come lapses soon.
    pub(super) fn attended(&self) -> bool {
        match self.subject.class {
            Class::Alarm => !self.searching(),
            Class::Warning => self.stage() == Stage::Arrived,
            Class::Request | Class::Fault => false,
        }
    }

    /// Whether what is felt at a moment is something new, since nothing was felt and nobody said
    /// anything for long.
    pub(super) fn is_new(&self, at: Moment) -> bool {
        let together = match self.subject.rule {
            Rule::Leak if !self.over => WET_TOGETHER,
            _ => FELT_TOGETHER,
        };
        at.since(self.answered.map_or(self.felt, |answered| answered.max(self.felt))) >= together
    }

    /// Applies one recorded step.
    pub(super) fn apply(&mut self, at: Moment, step: &AlertStep) {
        match step {
            AlertStep::Raised { since } => self.since = *since,
            AlertStep::Repeated { count, anew, .. } => {
                self.repeated(at, count.unwrap_or(1), *anew);
            }
            AlertStep::Announced { by } => {
                self.announced_by.insert(by.clone());
            }
            AlertStep::Contacted { contact, plan_step, round, .. } => {
                self.contacted(at, contact.as_ref(), *plan_step, *round);
            }
            AlertStep::Accepted { by, minutes, .. } => {
                self.helper(at, by, *minutes, false);
            }
            AlertStep::Arrived { by, .. } => {
                self.helper(at, by, None, true);
            }
            AlertStep::Lapsed { by } => self.lapsed(at, by),
            AlertStep::Cancelled { .. } => self.cancelled = true,
            AlertStep::Closed { .. } | AlertStep::FollowedUp { .. } => {}
        }
    }

    fn repeated(&mut self, at: Moment, count: u32, anew: bool) {
        self.felt = at;
        self.over = false;
        // Older versions did not record it.
        if anew || self.restarts_on_repeat() {
            self.begun = at;
            self.search = Search::begin(at);
            self.helpers.clear();
            self.cancelled = false;
            self.announced_by.clear();
        }
        self.count = self.count.saturating_add(u64::from(count));
    }

    fn contacted(&mut self, at: Moment, contact: Option<&ContactId>, step: u32, round: u32) {
        let begun = match self.search.position.take() {
            Some(position) if (position.round, position.step) == (round, step) => position,
            _ => Position { round, step, at, tried: Vec::new() },
        };
        let position = self.search.position.insert(begun);
        if let Some(contact) = contact {
            position.tried.push(contact.clone());
            self.told.insert(contact.clone());
        }
    }

    fn helper(&mut self, at: Moment, by: &str, minutes: Option<u32>, there: bool) {
        self.answered = Some(at);
        if let Some(helper) = self.helpers.iter_mut().find(|h| h.by == by) {
            helper.there |= there;
            if !there {
                helper.since = at;
                helper.minutes = minutes;
            }
        } else {
            if self.helpers.len() >= MAX_HELPERS {
                self.helpers.remove(0);
            }
            self.helpers.push(Helper { by: by.to_owned(), since: at, minutes, there });
        }
    }

    fn lapsed(&mut self, at: Moment, by: &str) {
        self.helpers.retain(|h| h.by != by);
        if self.helpers.is_empty() {
            self.search = Search::begin(at);
            self.search.passed_over = ContactId::new(by).ok();
        }
    }

    /// When a helper who is not there yet counts as not coming.
    pub(super) fn due(&self, helper: &Helper, household: &Household) -> Option<Moment> {
        if helper.there {
            return None;
        }
        let urgent = self.subject.class >= Class::Warning;
        let usual = household.contact(&helper.by);
        let minutes = helper.minutes.unwrap_or_else(|| match (urgent, usual) {
            (true, Some(contact)) => contact.minutes_away.unwrap_or(DEFAULT_MINUTES),
            (true, None) => DEFAULT_MINUTES,
            (false, _) => DEFAULT_REPAIR_MINUTES,
        });
        Some(helper.since.after(Duration::from_secs(u64::from(minutes) * 60) + ARRIVAL_GRACE))
    }
}
