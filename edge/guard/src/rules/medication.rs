//! Guards against medication that was forgotten. A pill box that says itself that a dose was missed
//! is believed. Where the configuration names the times, the box has to be opened within 1 h before
//! or after each; else it is a warning at the end of that time. It is over when the box is opened. One
//! opening is one dose, the nearest that was not taken yet, and lifting the lid again soon after is
//! the same opening. Each person takes their own: the boxes of one person count together, a box that
//! names nobody where several live counts for itself. A
//! dose is not waited for while an absence is announced, while the box did not watch the whole time or
//! the clock is unknown, nor from a pill box that is lost. A warning, because a dose is rarely a matter
//! of minutes and whoever is asked can telephone. Figures: an hour is what hospital guidance (Institute
//! for Safe Medication Practices, 2011) allows for doses that are given daily or more often.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anju_model::config::Household;
use anju_model::observation::{Contact, Medication, MedicationState, Origin};
use anju_model::{
    CaughtUp, Class, DeviceId, DeviceKind, EntryId, Fact, Finding, Moment, Observation, PersonId,
    Raise, Rule,
};

use super::{Scene, direct};
use crate::civil;
use crate::roster::{Device, Roster};

/// A lid that is lifted again this soon belongs to the same opening.
const SAME_OPENING: Duration = Duration::from_secs(600);

/// Openings are remembered for this long; no dose is waited for longer.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Most openings remembered of one owner.
const MOST: usize = 64;

/// Most owners remembered; more than a home has pill boxes.
const MOST_OWNERS: usize = 64;

/// Whose doses a pill box holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Person(PersonId),
    /// Nobody knows: those of the box itself.
    Box(DeviceId),
}

impl Owner {
    fn of(origin: &Origin, household: &Household) -> Self {
        let only = match household.persons.as_slice() {
            [one] => Some(&one.id),
            _ => None,
        };
        match origin.person.as_ref().or(only) {
            Some(person) => Self::Person(person.clone()),
            None => Self::Box(origin.device.clone()),
        }
    }
}

/// When boxes were opened, and what was told.
#[derive(Debug, Clone, Default)]
pub struct State {
    owners: BTreeMap<Owner, Doses>,
    /// Doses up to this moment were judged.
    judged: Option<Moment>,
}

#[derive(Debug, Clone, Default)]
struct Doses {
    opened: VecDeque<Moment>,
    told: Option<Origin>,
}

impl Doses {
    fn opened(&mut self, now: Moment) {
        while self.opened.front().is_some_and(|at| now.since(*at) > REMEMBERED)
            || self.opened.len() >= MOST
        {
            self.opened.pop_front();
        }
        if self.opened.back().is_none_or(|last| now.since(*last) >= SAME_OPENING) {
            self.opened.push_back(now);
        }
    }
}

/// Looks at what a pill box says.
pub fn observe(
    state: &mut State,
    scene: &Scene,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if said.baseline || said.test || !scene.household.guard.medication.enabled {
        return;
    }
    let missed = match &said.fact {
        Fact::Medication(Medication { state }) => *state == MedicationState::Missed,
        Fact::Contact(Contact { open: true }) if said.origin.kind == DeviceKind::PillBox => false,
        _ => return,
    };
    let owner = Owner::of(&said.origin, scene.household);
    if !state.owners.contains_key(&owner) && state.owners.len() >= MOST_OWNERS {
        return;
    }
    let doses = state.owners.entry(owner).or_default();
    if missed {
        doses.told = Some(said.origin.clone());
        out.push(Finding::Raise(direct(Rule::Medication, Class::Warning, said, cause)));
        return;
    }
    doses.opened(scene.now);
    if let Some(origin) = doses.told.take() {
        let origin = Some(origin);
        out.push(Finding::Over { rule: Rule::Medication, origin, cause: cause.clone() });
    }
}

/// An outage that came to light was before the openings that this boot saw.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    for at in state.owners.values_mut().flat_map(|doses| &mut doses.opened) {
        *at = outage.carry(*at);
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

const fn before(at: Moment, duration: Duration) -> Moment {
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
        let dose = before(end, rule.late);
        let begin = before(dose, rule.early);
        let away = matches!(scene.home.occupancy, crate::Occupancy::Away { .. });
        if away || scene.line.watching_since() > begin {
            continue;
        }
        for (owner, device) in owners(roster, scene.household) {
            let doses = state.owners.entry(owner).or_default();
            if taken(&doses.opened, scene).contains(&dose) {
                continue;
            }
            doses.told = Some(device.origin.clone());
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
                lost: None,
                more: false,
            }));
        }
    }
}

/// Who takes doses out of a box that is heard, with the first of their boxes.
fn owners<'r>(roster: &'r Roster, household: &Household) -> BTreeMap<Owner, &'r Device> {
    let mut owners = BTreeMap::new();
    let fits = |d: &&Device| d.origin.kind == DeviceKind::PillBox && !d.lost();
    for device in roster.configured().iter().filter(fits) {
        owners.entry(Owner::of(&device.origin, household)).or_insert(device);
    }
    owners
}

/// The doses that were taken: each opening, in turn, is the nearest dose that was not taken yet and
/// in whose time it lies.
fn taken(opened: &VecDeque<Moment>, scene: &Scene) -> Vec<Moment> {
    let rule = &scene.household.guard.medication;
    let zone = &scene.household.timezone;
    let mut taken: Vec<Moment> = Vec::new();
    for at in opened {
        // One before the earliest, since a dose at that very moment counts.
        let earliest = Moment(before(*at, rule.late).0.saturating_sub(1));
        let latest = at.after(rule.early);
        let dose = rule
            .times
            .iter()
            .filter_map(|time| civil::next_at(earliest, *time, scene.line, zone))
            .filter(|dose| *dose <= latest && !taken.contains(dose))
            .min_by_key(|dose| (dose.0.abs_diff(at.0), dose.0));
        taken.extend(dose);
    }
    taken
}
