//! Guards against a person who lies somewhere and can neither press nor call: no sign of life for
//! too long. A warning after 4 h, an alarm after 8 h, and 10 minutes before the alarm the box asks
//! the person (telecare hubs ask 10 minutes before; Chinese pilots use 4 to 5 h for a route to the
//! bathroom and 12 to 24 h of water or motion for the whole home). Any sign of a person begins anew.
//!
//! Silence counts within the waking window (07:00 to 22:00) and is told only there. What was silent
//! before the window opened, before a restart or while the box was off counts too: nothing begins at
//! zero in the morning. Only the night itself is taken for sleep, and even that only if the silence
//! before it was shorter than `warn_after`; a silence that was already worth a warning is not
//! explained by going to bed, and then the night counts in full. So a last sign at 21:00 warns at
//! 10:00 and one at 15:00 warns at 19:00 and alarms in the morning as soon as the window is open and
//! the question was left unanswered. While the clock is unknown nobody knows when it is night, and
//! each figure is longer by the night's length.
//!
//! Nothing is judged while the home is probably empty or an absence was announced, nor while all
//! devices that see a person are lost: that time is not silence, and the home is told as unguarded
//! instead. Where several persons live, it is the silence of all of them, and after a door closed,
//! when all may be out, the figures of "left home" apply if they are longer. An alarm that fell into
//! time without the box is asked about first like any other.

use anju_model::config::InactivityRule;
use anju_model::{CaughtUp, Class, EntryId, Finding, Moment, Rule};

use super::{Scene, Stages, absence};
use crate::civil::Window;
use crate::home::Quiet;

/// How far the rule has gone.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Warned, asked, alarmed.
    pub stages: Stages,
}

#[derive(Clone, Copy)]
enum Stage {
    Warn,
    Ask,
    Alarm,
}

/// When it wants to judge next. `blind` says that no device could have seen a person.
pub fn due(state: &State, scene: &Scene, blind: bool) -> Option<Moment> {
    next(state, scene, blind).map(|(due, _)| due)
}

fn next(state: &State, scene: &Scene, blind: bool) -> Option<(Moment, Stage)> {
    let rule = &scene.household.guard.inactivity;
    let quiet = scene.home.quiet.as_ref()?;
    if !rule.enabled || blind || !scene.home.judges_presence() {
        return None;
    }
    let (warn, alarm) = figures(rule, scene);
    let zone = &scene.household.timezone;
    let reached = |figure| Window::of(rule).reached(quiet.since, figure, scene.line, zone);
    let stages = &state.stages;
    if stages.alarmed {
        return None;
    }
    let asks = !rule.ask_before.is_zero() && !rule.shadow;
    let towards_alarm = match stages.asked {
        None if asks => (reached(alarm.saturating_sub(rule.ask_before)), Stage::Ask),
        None => (reached(alarm), Stage::Alarm),
        Some(asked) => (reached(alarm).max(asked.after(rule.ask_before)), Stage::Alarm),
    };
    if stages.warned {
        return Some(towards_alarm);
    }
    let warning = (reached(warn), Stage::Warn);
    Some(if warning.0 <= towards_alarm.0 { warning } else { towards_alarm })
}

fn figures(rule: &InactivityRule, scene: &Scene) -> (std::time::Duration, std::time::Duration) {
    let left = &scene.household.guard.left_home;
    if scene.home.all_may_be_out {
        (rule.warn_after.max(left.warn_after), rule.alarm_after.max(left.alarm_after))
    } else {
        (rule.warn_after, rule.alarm_after)
    }
}

/// Judges.
pub fn tick(state: &mut State, scene: &Scene, blind: bool, out: &mut Vec<Finding>) {
    while let Some((due, stage)) = next(state, scene, blind)
        && due <= scene.now
        && let Some(quiet) = &scene.home.quiet
    {
        match stage {
            Stage::Warn => {
                state.stages.warned = true;
                out.push(raise(Class::Warning, quiet, scene));
            }
            Stage::Ask => {
                state.stages.asked = Some(scene.now);
                out.push(Finding::Ask { rule: Rule::Inactivity, cause: quiet.cause.clone() });
            }
            Stage::Alarm => {
                state.stages.alarmed = true;
                out.push(raise(Class::Alarm, quiet, scene));
            }
        }
    }
}

fn raise(class: Class, quiet: &Quiet, scene: &Scene) -> Finding {
    let mut raise = absence(Rule::Inactivity, class, &quiet.cause, quiet.since, scene.line);
    raise.shadow = scene.household.guard.inactivity.shadow;
    Finding::Raise(raise)
}

/// An outage that came to light was before the question that this boot asked.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    state.stages.asked = state.stages.asked.map(|at| outage.carry(at));
}

/// A person was seen, or is not expected at home.
pub fn rearm(state: &mut State, rule: &InactivityRule, cause: &EntryId, out: &mut Vec<Finding>) {
    if state.stages.rearm() && !rule.shadow {
        out.push(Finding::Over { rule: Rule::Inactivity, origin: None, cause: cause.clone() });
    }
}
