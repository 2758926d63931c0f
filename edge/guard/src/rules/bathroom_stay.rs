//! Guards against a person who lies in the bathroom, where most falls at home happen and no camera
//! may be. Somebody was seen in the bathroom and nowhere else since: a warning after 1 h, an alarm
//! after 4 h (Beijing's pilots use 4 h). It needs a detector in the bathroom and one in another room
//! that would see her come out. Where several persons live, motion does not tell who came out; then
//! only a radar that says that somebody is still in there is believed. Nothing is judged while all
//! detectors are lost, or nobody is at home. On trial for the home's own two weeks.

use anju_model::config::BathroomStayRule;
use anju_model::observation::{Origin, Presence};
use anju_model::{CaughtUp, Class, EntryId, Fact, Finding, Moment, Observation, Rule};

use super::{Scene, Stages, absence};
use crate::activity::{Place, Sign};

/// Parts of names that mark the bathroom.
const BATHROOM: &[&str] = &["bath", "toilet", "wc", "shower", "lavatory"];

/// Whether a device stands in the bathroom.
pub fn in_bathroom(origin: &Origin) -> bool {
    let named = |name: &str| BATHROOM.iter().any(|part| name.contains(part));
    match &origin.room {
        Some(room) => named(room.as_str()),
        None => named(origin.device.as_str()),
    }
}

/// Who is in the bathroom.
#[derive(Debug, Clone, Default)]
pub struct State {
    stay: Option<Stay>,
    stages: Stages,
    shadow: bool,
}

#[derive(Debug, Clone)]
struct Stay {
    since: Moment,
    cause: EntryId,
    origin: Origin,
}

/// Looks at what a device said and what it is a sign of.
pub fn observe(
    state: &mut State,
    scene: &Scene,
    said: &Observation,
    sign: Sign,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let several = scene.household.persons.len() > 1;
    let bathroom = in_bathroom(&said.origin);
    let presence = match &said.fact {
        Fact::Presence(Presence { present }) if bathroom && !said.test => Some(*present),
        _ => None,
    };
    if presence == Some(false) {
        end(state, cause, out);
        return;
    }
    let Some(place) = sign.person else { return };
    let begins = bathroom && place == Place::Indoors && (!several || presence == Some(true));
    let meter = matches!(said.fact, Fact::Meter(_));
    if begins {
        state.stay.get_or_insert_with(|| Stay {
            since: scene.now,
            cause: cause.clone(),
            origin: said.origin.clone(),
        });
    } else if !several && !bathroom && !meter && elsewhere(said, place) {
        end(state, cause, out);
    }
}

/// Whether the sign was surely seen outside the bathroom.
const fn elsewhere(said: &Observation, place: Place) -> bool {
    match place {
        Place::Door => true,
        Place::Indoors => said.origin.room.is_some(),
        Place::Anywhere => false,
    }
}

fn end(state: &mut State, cause: &EntryId, out: &mut Vec<Finding>) {
    let Some(stay) = state.stay.take() else { return };
    if state.stages.rearm() && !state.shadow {
        let origin = Some(stay.origin);
        out.push(Finding::Over { rule: Rule::BathroomStay, origin, cause: cause.clone() });
    }
}

/// An outage that came to light was before a stay that this boot saw begin.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    if let Some(stay) = &mut state.stay {
        stay.since = outage.carry(stay.since);
    }
}

/// When it wants to judge next. `blind` says that no device could see her come out.
pub fn due(state: &State, scene: &Scene, blind: bool) -> Option<Moment> {
    next(state, scene, blind).map(|(due, _)| due)
}

fn next(state: &State, scene: &Scene, blind: bool) -> Option<(Moment, Class)> {
    let rule: &BathroomStayRule = &scene.household.guard.bathroom_stay;
    let stay = state.stay.as_ref()?;
    if !rule.enabled || blind || !scene.home.judges_presence() {
        return None;
    }
    if !state.stages.warned {
        Some((stay.since.after(rule.warn_after), Class::Warning))
    } else if !state.stages.alarmed {
        Some((stay.since.after(rule.alarm_after), Class::Alarm))
    } else {
        None
    }
}

/// Judges.
pub fn tick(state: &mut State, scene: &Scene, blind: bool, out: &mut Vec<Finding>) {
    while let Some((due, class)) = next(state, scene, blind)
        && due <= scene.now
        && let Some(stay) = &state.stay
    {
        match class {
            Class::Alarm => state.stages.alarmed = true,
            _ => state.stages.warned = true,
        }
        let mut raise = absence(Rule::BathroomStay, class, &stay.cause, stay.since, scene.line);
        raise.origin = Some(stay.origin.clone());
        raise.shadow = scene.on_trial(scene.household.guard.bathroom_stay.trial);
        state.shadow = raise.shadow;
        out.push(Finding::Raise(raise));
    }
}
