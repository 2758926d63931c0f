//! Guards against a person who does not get up: no sign of life since the night ended (04:00) by
//! 10:00 is a warning. A walk to the bathroom at 05:00 counts as up, one at 03:00 does not. The
//! morning is judged once for each silence; it is over at the next sign of a person. It is only
//! judged if the person was last known at home, no absence was announced, the clock is known and a
//! device could have seen something; and if the box itself was off during the morning, only after
//! it has watched for 30 minutes. Where several persons live, it says that nobody is up. Figures:
//! this project's own, three hours after the start of the waking window.

use std::time::Duration;

use anju_model::{Class, EntryId, Finding, Moment, Rule};

use super::{Scene, Stages, absence};
use crate::civil;
use crate::home::Occupancy;

/// How long the box has to have watched before it says that nobody is up.
const LEAST_WATCH: Duration = Duration::from_secs(1800);

/// Whether the morning was told.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Only `warned` is used.
    pub stages: Stages,
}

/// When it wants to judge next. `blind` says that no device could have seen a person.
pub fn due(state: &State, scene: &Scene, blind: bool) -> Option<Moment> {
    let rule = &scene.household.guard.not_up;
    let quiet = scene.home.quiet.as_ref()?;
    let at_home = matches!(scene.home.occupancy, Occupancy::AtHome | Occupancy::Visitor);
    if !rule.enabled || state.stages.warned || blind || !at_home || rule.by <= rule.night_ends {
        return None;
    }
    let zone = &scene.household.timezone;
    let last = scene.line.civil_at(quiet.since, zone)?;
    let mut date = last.date();
    let mut night_ends = civil::at(date, rule.night_ends, zone)?;
    if night_ends <= last.timestamp() {
        date = civil::next(date)?;
        night_ends = civil::at(date, rule.night_ends, zone)?;
    }
    let by = scene.line.moment_at(civil::at(date, rule.by, zone)?)?;
    let watching = scene.line.watching_since();
    let interrupted = watching > scene.line.moment_at(night_ends)?;
    Some(if interrupted { by.max(watching.after(LEAST_WATCH)) } else { by })
}

/// Judges.
pub fn tick(state: &mut State, scene: &Scene, blind: bool, out: &mut Vec<Finding>) {
    if let Some(due) = due(state, scene, blind)
        && due <= scene.now
        && let Some(quiet) = &scene.home.quiet
    {
        state.stages.warned = true;
        let raise = absence(Rule::NotUp, Class::Warning, &quiet.cause, quiet.since, scene.line);
        out.push(Finding::Raise(raise));
    }
}

/// A person was seen, or is not expected at home.
pub fn rearm(state: &mut State, cause: &EntryId, out: &mut Vec<Finding>) {
    if state.stages.rearm() {
        out.push(Finding::Over { rule: Rule::NotUp, origin: None, cause: cause.clone() });
    }
}
