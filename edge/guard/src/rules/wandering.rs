//! Guards against a person who loses the way: where somebody has the risk `wandering`, a locator
//! that leaves the zone `home` is an alarm at once, by day and by night, because minutes count. It
//! is over when the locator is back. Of who has no such risk it only says who is at home, see
//! [`super::left_home`]. Not while an absence is announced: then the person goes out with somebody.
//! A zone that was left while the box was off is found at its start, if the locator was at home
//! before. A beacon that is out of reach left nothing: a battery may be empty, or a wall in between.
//! The risk switches it on; there are no figures, the driver judges how sure a position is.

use anju_model::config::Household;
use anju_model::observation::{Location, Origin};
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::{Scene, direct, over};

/// The zone that is the home.
const HOME: &str = "home";

/// The risk of a person who may lose the way.
pub const RISK: &str = "wandering";

/// Where a locator was last.
#[derive(Debug, Clone, Copy, Default)]
pub struct State {
    at_home: Option<bool>,
    told: bool,
}

/// Whether the locator entered (true) or left (false) the home's zone by that.
pub fn came_home(location: &Location) -> Option<bool> {
    location.zone.as_deref().filter(|zone| *zone == HOME).and(location.entered)
}

/// Whether who carries the device, or anybody where that is not known, may lose the way.
fn wanders(household: &Household, origin: &Origin) -> bool {
    household
        .persons
        .iter()
        .filter(|person| origin.person.as_ref().is_none_or(|id| *id == person.id))
        .any(|person| person.risks.iter().any(|risk| risk == RISK))
}

/// Judges a position.
pub fn observe(
    state: &mut State,
    scene: &Scene,
    location: &Location,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let Some(at_home) = came_home(location).filter(|_| !said.test) else { return };
    let before = state.at_home.replace(at_home);
    if at_home {
        if std::mem::take(&mut state.told) {
            out.push(over(Rule::Wandering, said, cause));
        }
        return;
    }
    let left = before == Some(true) || (before.is_none() && !said.baseline);
    let away = matches!(scene.home.occupancy, crate::Occupancy::Away { .. });
    if left && !away && wanders(scene.household, &said.origin) {
        state.told = true;
        out.push(Finding::Raise(direct(Rule::Wandering, Class::Alarm, said, cause)));
    }
}
