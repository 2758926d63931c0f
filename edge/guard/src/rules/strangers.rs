//! Guards against those who come again and again to sell or to cheat (诈骗随时防): somebody rings and
//! is not let in, three times within a day. That is as far as a bell and a door can tell; who it was
//! they do not know, and somebody who is let in is no concern of this rule. Rings within 2 minutes are
//! one visit, a door opened within 5 minutes after it lets the visitor in. A warning to the family and
//! a word to the person; an announced absence does not mute it. On trial for the home's own two weeks,
//! which show how often the post comes. Figures: this project's own.

use std::collections::VecDeque;
use std::time::Duration;

use anju_model::observation::Origin;
use anju_model::{CaughtUp, Class, EntryId, Finding, Moment, Raise, Rule};

use super::Scene;
use crate::home::BELL_TO_DOOR;

/// Rings this close together are one visit.
const ONE_VISIT: Duration = Duration::from_secs(120);

/// The visits that were not let in, as far as is known.
#[derive(Debug, Clone, Default)]
pub struct State {
    visits: VecDeque<Visit>,
}

#[derive(Debug, Clone)]
struct Visit {
    at: Moment,
    cause: EntryId,
    origin: Origin,
    judged: bool,
}

/// Somebody rang.
pub fn rang(state: &mut State, origin: &Origin, now: Moment, cause: &EntryId) {
    if state.visits.back().is_some_and(|visit| now.since(visit.at) < ONE_VISIT) {
        return;
    }
    // No figure needs more than 20 visits.
    if state.visits.len() >= 20 {
        state.visits.pop_front();
    }
    let (cause, origin) = (cause.clone(), origin.clone());
    state.visits.push_back(Visit { at: now, cause, origin, judged: false });
}

/// An outer door was opened.
pub fn opened(state: &mut State, now: Moment) {
    if state.visits.back().is_some_and(|visit| now.since(visit.at) <= BELL_TO_DOOR) {
        state.visits.pop_back();
    }
}

/// An outage that came to light was before the visits that this boot saw.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    for visit in &mut state.visits {
        visit.at = outage.carry(visit.at);
    }
}

/// When it wants to judge next: once it is clear that the visitor was not let in.
pub fn due(state: &State) -> Option<Moment> {
    let last = state.visits.back().filter(|visit| !visit.judged)?;
    Some(last.at.after(BELL_TO_DOOR).after(Duration::from_millis(1)))
}

/// Judges.
pub fn tick(state: &mut State, scene: &Scene, out: &mut Vec<Finding>) {
    let rule = &scene.household.guard.strangers;
    if due(state).is_none_or(|due| due > scene.now) {
        return;
    }
    let Some(last) = state.visits.back_mut() else { return };
    last.judged = true;
    let last = last.clone();
    state.visits.retain(|visit| last.at.since(visit.at) <= rule.within);
    let many = usize::try_from(rule.rings).unwrap_or(usize::MAX);
    if !rule.enabled || state.visits.len() < many {
        return;
    }
    state.visits.clear();
    out.push(Finding::Raise(Raise {
        rule: Rule::Strangers,
        class: Class::Warning,
        origin: Some(last.origin),
        cause: last.cause,
        direct: false,
        since: None,
        count: 1,
        test: false,
        shadow: scene.on_trial(rule.trial),
        lost: None,
        more: false,
    }));
}
