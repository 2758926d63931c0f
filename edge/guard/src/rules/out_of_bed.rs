//! Guards against a person who got up at night and did not come back to bed: fallen on the way, or
//! wandering about. Out of bed between 22:00 and 06:00 and not back after 30 minutes is a warning;
//! no sign of the person at all for 1 h since then is an alarm. Getting up for the day ends the
//! waiting for the warning (the night's end), never that for the alarm. It needs a bed that says that
//! it is empty, and judges each bed by itself, so it holds for several persons. Over when the bed is
//! occupied again. On trial for the home's own two weeks, since some people sit up half the night.
//! Figures: this project's own; bed sensors of telecare services offer 10 to 60 minutes.

use anju_model::observation::Bed;
use anju_model::{CaughtUp, Class, EntryId, Finding, Moment, Observation, Rule};

use super::{Scene, Stages, absence};
use crate::civil;
use crate::roster::Device;

/// Who is out of this bed.
#[derive(Debug, Clone, Default)]
pub struct State {
    occupied: bool,
    left: Option<Left>,
    stages: Stages,
    shadow: bool,
}

#[derive(Debug, Clone)]
struct Left {
    at: Moment,
    cause: EntryId,
}

/// Takes note of what the bed says.
pub fn observe(
    state: &mut State,
    scene: &Scene,
    bed: &Bed,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let was = std::mem::replace(&mut state.occupied, bed.occupied);
    if bed.occupied {
        state.left = None;
        if state.stages.rearm() && !state.shadow {
            out.push(super::over(Rule::OutOfBed, said, cause));
        }
        return;
    }
    let rule = &scene.household.guard.out_of_bed;
    let night = scene
        .line
        .civil_at(scene.now, &scene.household.timezone)
        .is_some_and(|now| civil::within(now.time(), rule.from, rule.to));
    if was && night && !said.baseline && !said.test {
        state.left = Some(Left { at: scene.now, cause: cause.clone() });
    }
}

/// An outage that came to light was before the getting up that this boot saw.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    if let Some(left) = &mut state.left {
        left.at = outage.carry(left.at);
    }
}

/// When it wants to judge this bed next.
pub fn due(state: &State, scene: &Scene, blind: bool) -> Option<Moment> {
    let (warn, alarm) = dues(state, scene, blind);
    [warn, alarm].into_iter().flatten().min()
}

fn dues(state: &State, scene: &Scene, blind: bool) -> (Option<Moment>, Option<Moment>) {
    let rule = &scene.household.guard.out_of_bed;
    let Some(left) = state.left.as_ref().filter(|_| rule.enabled) else { return (None, None) };
    if !scene.home.judges_presence() {
        return (None, None);
    }
    let back_by = left.at.after(rule.warn_after);
    let ends = civil::next_at(left.at, rule.to, scene.line, &scene.household.timezone);
    let warn = (!state.stages.warned && ends.is_none_or(|ends| back_by < ends)).then_some(back_by);
    let seen = scene.home.quiet.as_ref().map_or(left.at, |quiet| quiet.since.max(left.at));
    // With no other device that could have seen the person, silence says nothing.
    let alarm = (!state.stages.alarmed && !blind).then(|| seen.after(rule.alarm_after));
    (warn, alarm)
}

/// Judges one bed.
pub fn tick(device: &mut Device, scene: &Scene, blind: bool, out: &mut Vec<Finding>) {
    let (warn, alarm) = dues(&device.out_of_bed, scene, blind);
    let state = &mut device.out_of_bed;
    for (due, class) in [(warn, Class::Warning), (alarm, Class::Alarm)] {
        let Some(left) = state.left.as_ref().filter(|_| due.is_some_and(|due| due <= scene.now))
        else {
            continue;
        };
        match class {
            Class::Alarm => state.stages.alarmed = true,
            _ => state.stages.warned = true,
        }
        let mut raise = absence(Rule::OutOfBed, class, &left.cause, left.at, scene.line);
        raise.origin = Some(device.origin.clone());
        raise.shadow = scene.on_trial(scene.household.guard.out_of_bed.trial);
        state.shadow = raise.shadow;
        out.push(Finding::Raise(raise));
    }
}
