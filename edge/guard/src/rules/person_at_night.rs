//! Guards against somebody about the house at night, seen by a camera that the household agreed to.
//! Off unless the configuration switches it on: most homes have no camera, and indoors it would tell
//! of the resident's own way to the bathroom. A warning, found again at most every 15 minutes, over
//! when the camera no longer sees anybody. No figures but the night, this project's own.

use std::time::Duration;

use anju_model::observation::{Camera, Seen};
use anju_model::{Class, EntryId, Finding, Moment, Observation, Rule};

use super::{Scene, direct, over};
use crate::civil;

/// How long the same person is not found again.
const REPEAT: Duration = Duration::from_secs(900);

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    told: Option<Moment>,
    there: bool,
}

/// Judges what a camera sees.
pub fn observe(
    state: &mut State,
    scene: &Scene,
    camera: &Camera,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let rule = &scene.household.guard.person_at_night;
    if camera.seen != Seen::Person || said.baseline || said.test || !rule.enabled {
        return;
    }
    if !camera.active {
        if std::mem::take(&mut state.there) {
            out.push(over(Rule::PersonAtNight, said, cause));
        }
        return;
    }
    let night = scene
        .line
        .civil_at(scene.now, &scene.household.timezone)
        .is_some_and(|now| civil::within(now.time(), rule.from, rule.to));
    let again = state.told.is_some_and(|told| scene.now.since(told) < REPEAT);
    if night && !again {
        state.told = Some(scene.now);
        state.there = true;
        out.push(Finding::Raise(direct(Rule::PersonAtNight, Class::Warning, said, cause)));
    }
}
