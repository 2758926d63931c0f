//! Guards against a person who has fallen and lies there. A suspected fall and a sure one are both
//! an alarm at once: telecare hubs wait 30 s for a cancel, here help goes out first and "it is
//! over" is told after it. The same state told again is found again at most every 5 minutes, a
//! suspicion that becomes sure is found again at once. Cameras that recognise a fall count like detectors.

use anju_model::observation::{Camera, Fall, FallState, Seen};
use anju_model::{Class, EntryId, Fact, Finding, Moment, Observation, Rule};

use super::{direct, hazards, over};

/// The fall one device told of.
#[derive(Debug, Clone, Default)]
pub struct State {
    lies: Option<Lies>,
}

#[derive(Debug, Clone, Copy)]
struct Lies {
    sure: bool,
    test: bool,
    told: Moment,
}

/// Judges what a device says of falls; other facts are passed over.
pub fn observe(
    state: &mut State,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let sure = match &said.fact {
        Fact::Fall(Fall { state: FallState::Suspected }) => Some(false),
        Fact::Fall(Fall { state: FallState::Confirmed }) => Some(true),
        Fact::Fall(Fall { state: FallState::Over }) => None,
        Fact::Camera(Camera { seen: Seen::Fall, active }) => active.then_some(false),
        _ => return,
    };
    match (sure, state.lies) {
        (None, None) => {}
        (None, Some(_)) => {
            state.lies = None;
            out.push(over(Rule::Fall, said, cause));
        }
        (Some(sure), before) => {
            let known = before.is_some_and(|lies| {
                (lies.sure || !sure)
                    && (!lies.test || said.test)
                    && now.since(lies.told) < hazards::REPEAT
            });
            if known {
                return;
            }
            state.lies = Some(Lies { sure, test: said.test, told: now });
            out.push(Finding::Raise(direct(Rule::Fall, Class::Alarm, said, cause)));
        }
    }
}
