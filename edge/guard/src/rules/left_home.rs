//! Guards against a person who left home and does not come back: lost, hurt on the way, or not
//! dressed for the night. Absence is counted from the moment the door closed with no motion after
//! it for 15 minutes, or from the end of an announced absence; a warning after 6 h, an alarm after
//! 12 h. A sign of the person inside ends it; the door alone does not, because a neighbour may look
//! in, or the person may fall behind the door. A locator that leaves the home's zone counts as the
//! door that closed, and one that comes back ends it. It is only judged where one person lives: with
//! several, a door does not tell who left, and the motion of one hides the absence of the other.
//! Without a locator it needs a motion detector that would see the return. Figures: this project's own; the pilots
//! ask the other way round (no exit for 48 h).

use anju_model::{Class, EntryId, Finding, Moment, Rule};

use super::{Scene, Stages, absence};
use crate::home::Occupancy;

/// How far the rule has gone.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Warned, alarmed.
    pub stages: Stages,
}

/// When it wants to judge next.
pub fn due(state: &State, scene: &Scene) -> Option<Moment> {
    let rule = &scene.household.guard.left_home;
    let Occupancy::Out { since, .. } = &scene.home.occupancy else { return None };
    if !rule.enabled {
        return None;
    }
    let warn = (!state.stages.warned).then(|| since.after(rule.warn_after));
    let alarm = (!state.stages.alarmed).then(|| since.after(rule.alarm_after));
    [warn, alarm].into_iter().flatten().min()
}

/// Judges.
pub fn tick(state: &mut State, scene: &Scene, out: &mut Vec<Finding>) {
    let rule = &scene.household.guard.left_home;
    let Occupancy::Out { since, cause } = &scene.home.occupancy else { return };
    if !rule.enabled {
        return;
    }
    let stages = &mut state.stages;
    for (class, figure, told) in [
        (Class::Warning, rule.warn_after, &mut stages.warned),
        (Class::Alarm, rule.alarm_after, &mut stages.alarmed),
    ] {
        if !*told && since.after(figure) <= scene.now {
            *told = true;
            let raise = absence(Rule::LeftHome, class, cause, *since, scene.line);
            out.push(Finding::Raise(raise));
        }
    }
}

/// The person is no longer out, or is not expected back yet.
pub fn rearm(state: &mut State, cause: &EntryId, out: &mut Vec<Finding>) {
    if state.stages.rearm() {
        out.push(Finding::Over { rule: Rule::LeftHome, origin: None, cause: cause.clone() });
    }
}
