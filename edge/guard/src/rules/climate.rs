//! Guards against a room so hot or so cold that it harms: old people feel it late and drink too
//! little. A thermometer that stays beyond a limit for 1 h, to its latest reading, is a warning, and
//! beyond the outer limit an alarm; it is over when it is one degree back inside. A thermometer on the
//! balcony, outside or in a refrigerator is not a room. Readings more than 3 h apart do not make an
//! hour. Figures: hot 32 and 35 degrees Celsius (35 is the China Meteorological Administration's high
//! temperature day); cold 12 and 8 degrees, below what the United Kingdom's housing health rating calls
//! dangerous for old people (under 16 serious, under 10 hypothermia), because homes in Hangzhou are
//! unheated and 16 would warn all winter; the World Health Organization's aim of 18 stays the aim.

use std::time::Duration;

use anju_model::config::ClimateRule;
use anju_model::observation::{Climate, Origin};
use anju_model::{Class, DeviceKind, EntryId, Finding, Moment, Observation, Rule};

use super::{direct, over};

/// Back inside by this much ends it, degrees Celsius.
const HYSTERESIS: f64 = 1.0;

/// Readings further apart are not one stretch of time.
const LONGEST_GAP: Duration = Duration::from_secs(3 * 3600);

/// What a room thermometer can read, degrees Celsius.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = -30.0..=70.0;

/// Parts of names that mark what is no room.
const NO_ROOM: &[&str] =
    &["balcony", "outside", "outdoor", "garden", "fridge", "freezer", "refrigerator", "boiler"];

/// How long a thermometer was beyond each limit, and what was told.
#[derive(Debug, Clone, Default)]
pub struct State {
    last: Option<Moment>,
    limits: [Limit; 4],
}

#[derive(Debug, Clone, Copy, Default)]
struct Limit {
    since: Option<Moment>,
    told: bool,
}

fn is_room(origin: &Origin) -> bool {
    let named = |name: &str| NO_ROOM.iter().any(|part| name.contains(part));
    matches!(origin.kind, DeviceKind::Climate | DeviceKind::AirQuality)
        && !named(origin.device.as_str())
        && !origin.room.as_ref().is_some_and(|room| named(room.as_str()))
}

/// Judges a reading.
pub fn observe(
    state: &mut State,
    rule: &ClimateRule,
    climate: &Climate,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let reading = climate.celsius.filter(|celsius| PLAUSIBLE.contains(celsius));
    let Some(celsius) = reading.filter(|_| rule.enabled && !said.baseline && !said.test) else {
        return;
    };
    if !is_room(&said.origin) {
        return;
    }
    let stale = state.last.replace(now).is_none_or(|last| now.since(last) > LONGEST_GAP);
    let limits = [
        (Rule::Cold, Class::Warning, f64::from(rule.cold_warn) - celsius),
        (Rule::Cold, Class::Alarm, f64::from(rule.cold_alarm) - celsius),
        (Rule::Heat, Class::Warning, celsius - f64::from(rule.heat_warn)),
        (Rule::Heat, Class::Alarm, celsius - f64::from(rule.heat_alarm)),
    ];
    for (limit, (rule_of, class, beyond)) in state.limits.iter_mut().zip(limits) {
        let held = limit.told && beyond > -HYSTERESIS;
        if beyond <= 0.0 && !held {
            let told = std::mem::take(limit).told;
            // The alarm's own end is told with the warning's.
            if told && class == Class::Warning {
                out.push(over(rule_of, said, cause));
            }
            continue;
        }
        if stale && !limit.told {
            limit.since = None;
        }
        let since = *limit.since.get_or_insert(now);
        if beyond > 0.0 && !limit.told && now.since(since) >= rule.persist {
            limit.told = true;
            let mut raise = direct(rule_of, class, said, cause);
            raise.direct = false;
            out.push(Finding::Raise(raise));
        }
    }
}
