//! Guards against medication that was forgotten. A pill box that says itself that a dose was missed
//! is believed. Where the configuration names the times, the box has to be opened within 1 h before
//! or after each; else it is a warning at the end of that time. It is over when the box is opened. A
//! dose is not waited for while an absence is announced, while the box did not watch the whole time or
//! the clock is unknown, nor from a pill box that is lost. A warning, because a dose is rarely a matter
//! of minutes and whoever is asked can telephone. Figures: an hour is what hospital guidance (Institute
//! for Safe Medication Practices, 2011) allows for doses that are given daily or more often.

use anju_model::observation::{Contact, Medication, MedicationState};
use anju_model::{Class, DeviceKind, EntryId, Fact, Finding, Moment, Observation, Raise, Rule};

use super::{Scene, direct};
use crate::civil;
use crate::roster::Roster;

/// When the box was last opened, and what was told.
#[derive(Debug, Clone, Default)]
pub struct State {
    opened: Option<Moment>,
    /// Doses up to this moment were judged.
    judged: Option<Moment>,
    told: Option<anju_model::observation::Origin>,
}

/// Looks at what a pill box says.
pub fn observe(
    state: &mut State,
    enabled: bool,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if said.baseline || said.test || !enabled {
        return;
    }
    let opened = match &said.fact {
        Fact::Medication(Medication { state: MedicationState::Missed }) => {
            state.told = Some(said.origin.clone());
            out.push(Finding::Raise(direct(Rule::Medication, Class::Warning, said, cause)));
            return;
        }
        Fact::Medication(_) => true,
        Fact::Contact(Contact { open }) => *open && said.origin.kind == DeviceKind::PillBox,
        _ => false,
    };
    if !opened {
        return;
    }
    state.opened = Some(now);
    if let Some(origin) = state.told.take() {
        let origin = Some(origin);
        out.push(Finding::Over { rule: Rule::Medication, origin, cause: cause.clone() });
    }
}

/// When the next dose will have been waited for.
pub fn due(state: &State, scene: &Scene, roster: &Roster) -> Option<Moment> {
    let rule = &scene.household.guard.medication;
    if !rule.enabled || !roster.any(|d| d.origin.kind == DeviceKind::PillBox) {
        return None;
    }
    let from = state.judged.unwrap_or_else(|| scene.line.watching_since());
    let zone = &scene.household.timezone;
    let ends = rule.times.iter().filter_map(|time| {
        // A dose whose end came is past only once its whole time is.
        let dose = civil::next_at(before(from, rule.late), *time, scene.line, zone)?;
        Some(dose.after(rule.late))
    });
    ends.filter(|end| *end > from).min()
}

const fn before(at: Moment, duration: std::time::Duration) -> Moment {
    let millis = duration.as_secs().saturating_mul(1000);
    Moment(at.0.saturating_sub(millis))
}

/// Judges the doses whose time is over.
pub fn tick(
    state: &mut State,
    scene: &Scene,
    roster: &Roster,
    latest: &EntryId,
    out: &mut Vec<Finding>,
) {
    while let Some(end) = due(state, scene, roster).filter(|end| *end <= scene.now) {
        state.judged = Some(end);
        let rule = &scene.household.guard.medication;
        let begin = before(end, rule.late.saturating_add(rule.early));
        let taken = state.opened.is_some_and(|opened| opened >= begin);
        let away = matches!(scene.home.occupancy, crate::Occupancy::Away { .. });
        let watched = scene.line.watching_since() <= begin;
        let pill_box =
            |d: &&crate::roster::Device| d.origin.kind == DeviceKind::PillBox && !d.lost();
        let Some(device) = roster.configured().iter().find(pill_box) else { continue };
        if taken || away || !watched {
            continue;
        }
        state.told = Some(device.origin.clone());
        out.push(Finding::Raise(Raise {
            rule: Rule::Medication,
            class: Class::Warning,
            origin: Some(device.origin.clone()),
            cause: latest.clone(),
            direct: false,
            since: scene.line.wall_at(begin),
            count: 1,
            test: false,
            shadow: false,
        }));
    }
}
