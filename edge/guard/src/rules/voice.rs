//! Guards against a call for help that only a microphone heard, and against a television that calls
//! for help. A module or service that recognises phrases hears them from anybody in the room, so the
//! box asks: "did you call for help?", at once and again after half of the time for an answer (30 s,
//! in which a person who can answer does, and the centre loses little). A second call and silence
//! are an alarm; only "no" or the cancel gesture, on this device or on any other of the home, ends the
//! question, since people answer with whatever button is near. Who calls within 10 minutes after an
//! alarm is not asked a second time. A press of a button is never asked about. The alarm is that of the
//! call itself: it has the call's entry as its cause, and a box that was off meanwhile raises it when
//! it is back. Under test nobody is asked.

use std::time::Duration;

use anju_model::config::VoiceRule;
use anju_model::observation::{Help, HelpState};
use anju_model::{CaughtUp, Class, DeviceKind, EntryId, Finding, Moment, Observation, Raise, Rule};

use super::direct;
use crate::roster::{Device, Roster};

/// A call this soon after an alarm belongs to it.
const SAME_CALL: Duration = Duration::from_secs(600);

/// What was heard and asked.
#[derive(Debug, Clone, Default)]
pub struct State {
    asked: Option<Asked>,
    called: Option<Moment>,
}

#[derive(Debug, Clone)]
struct Asked {
    at: Moment,
    again: bool,
    raise: Raise,
}

/// An outage that came to light was before the question that this boot asked.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    for at in state.asked.iter_mut().map(|asked| &mut asked.at).chain(&mut state.called) {
        *at = outage.carry(*at);
    }
}

/// Whether a device is asked about what it heard.
pub fn asks(device: &Device, rule: &VoiceRule) -> bool {
    device.origin.kind == DeviceKind::VoiceAlarm
        && device.configured
        && !rule.answer_within.is_zero()
}

/// Looks at a call that a device heard; cancels are seen by [`answered`].
pub fn heard(
    state: &mut State,
    help: &Help,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if said.baseline || help.state != HelpState::Pressed {
        return;
    }
    let raise = direct(Rule::Help, Class::Alarm, said, cause);
    let insists = said.count > 1
        || state.asked.is_some()
        || state.called.is_some_and(|called| now.since(called) < SAME_CALL);
    if said.test {
        out.push(Finding::Raise(raise));
    } else if insists {
        *state = State { asked: None, called: Some(now) };
        out.push(Finding::Raise(raise));
    } else {
        state.asked = Some(Asked { at: now, again: false, raise });
        out.push(Finding::Ask { rule: Rule::Help, cause: cause.clone() });
    }
}

/// Takes note of an alert of this device: what was asked before it is answered by it.
pub fn recorded(state: &mut State, now: Moment) {
    *state = State { asked: None, called: Some(now) };
}

/// "No", or the cancel gesture, on any device: nobody called.
pub fn answered(roster: &mut Roster) {
    roster.configured_mut().iter_mut().for_each(|device| device.voice.asked = None);
}

fn next(asked: &Asked, rule: &VoiceRule) -> Moment {
    let wait = if asked.again { rule.answer_within } else { rule.answer_within / 2 };
    asked.at.after(wait)
}

/// When it wants to judge next.
pub fn due(roster: &Roster, rule: &VoiceRule) -> Option<Moment> {
    let asked = roster.configured().iter().filter_map(|device| device.voice.asked.as_ref());
    asked.map(|asked| next(asked, rule)).min()
}

/// Asks again, or takes silence for a call.
pub fn tick(roster: &mut Roster, rule: &VoiceRule, now: Moment, out: &mut Vec<Finding>) {
    for device in roster.configured_mut() {
        let state = &mut device.voice;
        while let Some(asked) = state.asked.as_mut().filter(|asked| next(asked, rule) <= now) {
            let raise = asked.raise.clone();
            // Who was not there to ask again does not ask late.
            if std::mem::replace(&mut asked.again, true) || next(asked, rule) <= now {
                *state = State { asked: None, called: Some(now) };
                out.push(Finding::Raise(raise));
            } else {
                out.push(Finding::Ask { rule: Rule::Help, cause: raise.cause });
            }
        }
    }
}
