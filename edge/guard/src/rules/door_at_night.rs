//! Guards against a person who leaves home at night, confused or half asleep (走失及时晓): an outer
//! door that opens between 23:00 and 05:00 while somebody is thought to be at home. Where a person
//! has the risk `wandering` it is an alarm and live at once, because minutes count; else a warning,
//! on trial for the home's own two weeks, since some people come home late or take out the rubbish.
//! Who was out comes back in: that is not judged. Found again at most every 15 minutes, over when
//! somebody is seen inside after the door was closed. It holds for several persons and for visitors:
//! a door does not say who went. Without a clock nobody knows that it is night. Figures: this
//! project's own, one hour inside the usual night of telecare plans (22:00 to 06:00).

use std::time::Duration;

use anju_model::observation::Origin;
use anju_model::{Class, EntryId, Finding, Moment, Observation, Rule};

use super::{Scene, direct, wandering};
use crate::civil;

/// How long an open door is not found again.
const REPEAT: Duration = Duration::from_secs(900);

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    told: Option<Moment>,
    open: Option<Origin>,
    closed: bool,
}

/// An outer door was opened (true) or closed.
pub fn observe(
    state: &mut State,
    scene: &Scene,
    said: &Observation,
    opened: bool,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    state.closed = !opened;
    let rule = &scene.household.guard.door_at_night;
    if !opened || !rule.enabled || !scene.home.judges_presence() {
        return;
    }
    let zone = &scene.household.timezone;
    let night = scene
        .line
        .civil_at(scene.now, zone)
        .is_some_and(|now| civil::within(now.time(), rule.from, rule.to));
    let again = state.told.is_some_and(|told| scene.now.since(told) < REPEAT);
    if !night || again {
        return;
    }
    state.told = Some(scene.now);
    let wanders =
        scene.household.persons.iter().any(|p| p.risks.iter().any(|r| r == wandering::RISK));
    let class = if wanders { Class::Alarm } else { Class::Warning };
    let mut raise = direct(Rule::DoorAtNight, class, said, cause);
    raise.shadow = !wanders && scene.on_trial(rule.trial);
    if !raise.shadow {
        state.open = Some(said.origin.clone());
    }
    out.push(Finding::Raise(raise));
}

/// Somebody was seen inside.
pub fn inside(state: &mut State, cause: &EntryId, out: &mut Vec<Finding>) {
    if !state.closed {
        return;
    }
    if let Some(origin) = state.open.take() {
        out.push(Finding::Over {
            rule: Rule::DoorAtNight,
            origin: Some(origin),
            cause: cause.clone(),
        });
    }
}
