//! The rules, one file for each. Rules that judge single devices keep their state with the
//! device and look at each observation; rules that judge the person look at the home's picture
//! and say when they want to be asked next. None may do I/O or know a clock of its own.

pub mod bathroom_stay;
pub mod battery;
pub mod call;
pub mod climate;
pub mod door_at_night;
pub mod fall;
pub mod hazards;
pub mod help;
pub mod inactivity;
pub mod left_home;
pub mod lock;
pub mod medication;
pub mod not_up;
pub mod out_of_bed;
pub mod person_at_night;
pub mod silent;
pub mod strangers;
pub mod supply;
pub mod tamper;
pub mod test_press;
pub mod trouble;
pub mod unguarded;
pub mod vital;
pub mod voice;
pub mod wandering;
pub mod water_running;

use std::time::Duration;

use anju_model::config::Household;
use anju_model::{Class, EntryId, Finding, Moment, Observation, Raise, Rule};

use crate::home::Home;
use crate::line::Line;

/// What the rules that judge the person look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The moment judged.
    pub now: Moment,
    /// Civil time.
    pub line: &'a Line,
    /// The figures.
    pub household: &'a Household,
    /// The picture of the home.
    pub home: &'a Home,
    /// How long this home has been watched.
    pub lived: Duration,
}

impl Scene<'_> {
    /// Whether a rule with that trial only records.
    pub fn on_trial(&self, trial: Duration) -> bool {
        self.lived < trial
    }
}

/// A finding of which the observation itself is the reason.
fn direct(rule: Rule, class: Class, said: &Observation, cause: &EntryId) -> Raise {
    Raise {
        rule,
        class,
        origin: Some(said.origin.clone()),
        cause: cause.clone(),
        direct: true,
        since: None,
        count: said.count.max(1),
        test: said.test,
        shadow: false,
        lost: None,
        more: false,
    }
}

/// A finding about what did not happen since `cause`.
fn absence(rule: Rule, class: Class, cause: &EntryId, since: Moment, line: &Line) -> Raise {
    Raise {
        rule,
        class,
        origin: None,
        cause: cause.clone(),
        direct: false,
        since: line.wall_at(since),
        count: 1,
        test: false,
        shadow: false,
        lost: None,
        more: false,
    }
}

fn over(rule: Rule, said: &Observation, cause: &EntryId) -> Finding {
    Finding::Over { rule, origin: Some(said.origin.clone()), cause: cause.clone() }
}

/// How far a rule about the person has gone since the person was last seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stages {
    /// A warning was raised.
    pub warned: bool,
    /// The person was asked.
    pub asked: Option<Moment>,
    /// An alarm was raised.
    pub alarmed: bool,
}

impl Stages {
    /// Begins anew; true if somebody was told or asked meanwhile.
    pub fn rearm(&mut self) -> bool {
        let before = std::mem::take(self);
        before.warned || before.alarmed || before.asked.is_some()
    }

    /// Takes note of an alert that was recorded before this rule's memory begins.
    pub fn recorded(&mut self, class: Class) {
        match class {
            Class::Alarm => self.alarmed = true,
            Class::Warning => self.warned = true,
            Class::Fault | Class::Request => {}
        }
    }
}

#[cfg(test)]
mod tests;
