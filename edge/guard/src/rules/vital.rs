//! Guards against a body in trouble that nobody notices: a vital sign outside the person's own range
//! that stays there for 2 minutes and is confirmed by a second reading. One odd reading is more often
//! a loose cuff or a cold finger. A device that is not worn, or that reads nothing or zero, says
//! nothing about a body and never leads to an alert; it ends a suspicion, not an alert. Readings more
//! than 12 h apart do not confirm each other. A value out of range is a warning: who knows the person
//! looks at it. Breathing that the device says has stopped, twice, is an alarm. It is over when the
//! same value is in range again.
//!
//! Figures: the single "red" values of the National Early Warning Score 2 (Royal College of
//! Physicians, 2017): heart 40 or less and 131 or more, breaths 8 or less and 25 or more, oxygen 91 or
//! less, systolic 90 or less, temperature 35.0 or less and 39.1 or more. High blood pressure by the
//! guideline of the American Heart Association (2017) for a hypertensive crisis: 180 over 120. A person
//! may have a range of their own, such as oxygen 88 with a chronic lung disease.

use std::time::Duration;

use anju_model::config::{Household, VitalRange};
use anju_model::observation::Vital;
use anju_model::{Class, EntryId, Finding, Moment, Observation, Rule};

use super::{direct, over};

/// Readings further apart do not confirm each other.
const LONGEST_GAP: Duration = Duration::from_secs(12 * 3600);

/// How long a device has to say that breathing has stopped.
const APNOEA_PERSISTS: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Heart,
    Breaths,
    Systolic,
    Diastolic,
    Oxygen,
    Body,
    Apnoea,
}

#[derive(Debug, Clone)]
struct Suspicion {
    measure: Measure,
    high: bool,
    first: Moment,
    last: Moment,
    told: bool,
}

/// What is suspected or was told.
#[derive(Debug, Clone, Default)]
pub struct State {
    suspicions: Vec<Suspicion>,
}

/// Judges a reading.
pub fn observe(
    state: &mut State,
    household: &Household,
    vital: &Vital,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let rule = &household.guard.vital;
    if !rule.enabled || said.baseline || said.test {
        return;
    }
    if vital.worn == Some(false) {
        state.suspicions.retain(|s| s.told);
        return;
    }
    let was_told = state.suspicions.iter().any(|s| s.told);
    let range = range_of(household, said);
    let mut confirmed = [false; 2];
    for (measure, side) in readings(vital, range) {
        let Some(high) = side else {
            state.suspicions.retain(|s| s.measure != measure);
            continue;
        };
        let persist = if measure == Measure::Apnoea { APNOEA_PERSISTS } else { rule.persist };
        if suspect(state, measure, high, persist, now) {
            confirmed[usize::from(measure == Measure::Apnoea)] = true;
        }
    }
    for (confirmed, class) in confirmed.into_iter().zip([Class::Warning, Class::Alarm]) {
        if confirmed {
            let mut raise = direct(Rule::Vital, class, said, cause);
            // Warning and alarm may come from one reading.
            raise.direct = false;
            out.push(Finding::Raise(raise));
        }
    }
    if was_told && !state.suspicions.iter().any(|s| s.told) {
        out.push(over(Rule::Vital, said, cause));
    }
}

/// Notes a reading out of range; true if it confirms the one before.
fn suspect(
    state: &mut State,
    measure: Measure,
    high: bool,
    persist: Duration,
    now: Moment,
) -> bool {
    let fresh = Suspicion { measure, high, first: now, last: now, told: false };
    let Some(known) = state.suspicions.iter_mut().find(|s| s.measure == measure) else {
        state.suspicions.push(fresh);
        return false;
    };
    if known.high != high || now.since(known.last) > LONGEST_GAP {
        *known = fresh;
        return false;
    }
    known.last = now;
    let confirms = !known.told && now.since(known.first) >= persist;
    known.told |= confirms;
    confirms
}

fn range_of(household: &Household, said: &Observation) -> VitalRange {
    let person = match (&said.origin.person, household.persons.as_slice()) {
        (Some(id), persons) => persons.iter().find(|p| p.id == *id),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let usual = household.guard.vital.range;
    person.map_or(usual, |person| person.vital.over(usual))
}

/// Each value that was read, and on which side of the range it lies outside, if it does.
fn readings(vital: &Vital, range: VitalRange) -> Vec<(Measure, Option<bool>)> {
    let of = |measure, value: Option<f64>, low: f64, high: f64| {
        let value = value.filter(|value| value.is_finite() && *value > 0.0)?;
        let side = if value < low {
            Some(false)
        } else if value > high {
            Some(true)
        } else {
            None
        };
        Some((measure, side))
    };
    let r = range;
    let tenths = |value: u32| f64::from(value) / 10.0;
    [
        of(Measure::Heart, vital.heart_beats_per_minute, r.heart_low.into(), r.heart_high.into()),
        of(Measure::Breaths, vital.breaths_per_minute, r.breaths_low.into(), r.breaths_high.into()),
        of(Measure::Systolic, vital.systolic_mmhg, r.systolic_low.into(), r.systolic_high.into()),
        of(Measure::Diastolic, vital.diastolic_mmhg, 0.0, r.diastolic_high.into()),
        of(Measure::Oxygen, vital.spo2_percent, r.spo2_low.into(), f64::INFINITY),
        of(
            Measure::Body,
            vital.body_celsius,
            tenths(r.body_decicelsius_low),
            tenths(r.body_decicelsius_high),
        ),
        vital.apnoea.map(|apnoea| (Measure::Apnoea, apnoea.then_some(true))),
    ]
    .into_iter()
    .flatten()
    .collect()
}
