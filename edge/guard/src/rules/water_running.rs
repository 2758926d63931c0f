//! Guards against water that runs and nobody shuts: a burst hose, a tap forgotten, or a person who
//! lies under the shower. Water that runs for 60 minutes without a pause is a warning (the figure of
//! this trade's leak guards), and so is water in every half-hour of a whole day, which no household
//! uses (Longgang's pilots call that a leak). A pause ends it. Counters count in steps: with steps of
//! more than a litre 15 minutes without one are a pause, else 5. It is of no concern who uses the
//! water, so it holds for several persons.

use std::time::Duration;

use anju_model::config::WaterRule;
use anju_model::observation::Meter;
use anju_model::{Class, EntryId, Finding, Moment, Observation, Rule};

use super::{direct, over};

/// Less than this is no flow, litres an hour: the starting flow of common domestic meters.
const LEAST_LITRES_PER_HOUR: f64 = 5.0;

/// Readings further apart say nothing of what flowed between them.
const LONGEST_GAP: Duration = Duration::from_secs(20 * 60);

const HALF_HOUR_MS: u64 = 30 * 60 * 1000;

/// One bit for each half-hour of a day.
const WHOLE_DAY: u64 = (1 << 48) - 1;

/// What runs, and what was told.
#[derive(Debug, Clone, Default)]
pub struct State {
    last: Option<(Option<f64>, Moment)>,
    running: Option<Running>,
    /// One bit for each of the latest 48 half-hours with use; bit 0 is `half`.
    halves: u64,
    half: u64,
    told_running: bool,
    told_day: bool,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    since: Moment,
    latest: Moment,
}

/// Judges a reading.
pub fn observe(
    state: &mut State,
    rule: &WaterRule,
    meter: &Meter,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let (flow, volume) = (meter.flow_litres_per_hour, meter.volume_litres);
    if !rule.enabled || (flow.is_none() && volume.is_none()) {
        return;
    }
    let before = state.last.replace((volume, now));
    let gap = before.is_none_or(|(_, at)| now.since(at) > LONGEST_GAP);
    let grown = before
        .and_then(|(old, _)| Some(volume? - old?))
        .is_some_and(|grown| grown.is_finite() && grown > 0.0);
    let flows =
        flow.map_or(grown && !gap, |flow| flow.is_finite() && flow >= LEAST_LITRES_PER_HOUR);
    if said.baseline || said.test {
        return;
    }
    let coarse = meter.resolution.is_some_and(|litres| litres > 1.0);
    let pause = match flow {
        Some(_) => Duration::ZERO,
        None if coarse => Duration::from_secs(15 * 60),
        None => Duration::from_secs(5 * 60),
    };
    let paused = |running: Running| gap || now.since(running.latest) > pause;
    if flows {
        let going = state.running.filter(|running| flow.is_some() && !gap || !paused(*running));
        let since = going.map_or(now, |running| running.since);
        state.running = Some(Running { since, latest: now });
        used(state, now);
    } else if state.running.is_some_and(paused) {
        state.running = None;
    }
    shift(state, now);
    let ran = state.running.is_some_and(|running| now.since(running.since) >= rule.running);
    let all_day = state.halves == WHOLE_DAY;
    let begins = (ran && !state.told_running) || (all_day && !state.told_day);
    let was = state.told_running || state.told_day;
    state.told_running = ran || (state.told_running && state.running.is_some());
    state.told_day = all_day || (state.told_day && (state.halves | 1) == WHOLE_DAY);
    if begins && !was {
        let mut raise = direct(Rule::WaterRunning, Class::Warning, said, cause);
        raise.direct = false;
        out.push(Finding::Raise(raise));
    } else if was && !state.told_running && !state.told_day {
        out.push(over(Rule::WaterRunning, said, cause));
    }
}

fn shift(state: &mut State, now: Moment) {
    let half = now.0 / HALF_HOUR_MS;
    let by = u32::try_from(half.saturating_sub(state.half)).unwrap_or(u32::MAX);
    state.halves = state.halves.checked_shl(by).unwrap_or(0) & WHOLE_DAY;
    state.half = state.half.max(half);
}

fn used(state: &mut State, now: Moment) {
    shift(state, now);
    state.halves |= 1;
}
