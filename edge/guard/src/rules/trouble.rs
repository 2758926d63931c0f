//! Guards against a device that says itself that it is broken: a stuck button, an error register,
//! a worn-out sensor; or that is lost and back again and again, which no battery report shows. A
//! fault, found once when it begins, over when the device says so and was not lost for a day. Figures:
//! five losses within 24 h, this project's own; a healthy radio device is lost a few times a year.

use std::collections::VecDeque;
use std::time::Duration;

use anju_model::observation::Trouble;
use anju_model::{Class, EntryId, Finding, Moment, Observation, Rule};

use super::{direct, over};

/// Whether it was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    active: bool,
    /// The latest losses.
    losses: VecDeque<Moment>,
    flaky: bool,
}

/// So many losses within [`LOSSES_WITHIN`] are a fault.
const LOSSES: usize = 5;

/// See [`LOSSES`].
const LOSSES_WITHIN: Duration = Duration::from_secs(24 * 3600);

impl State {
    /// Whether the device says that it is broken.
    pub const fn active(&self) -> bool {
        self.active || self.flaky
    }
}

/// Judges a trouble report.
pub fn observe(
    state: &mut State,
    trouble: &Trouble,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if trouble.active == state.active {
        return;
    }
    state.active = trouble.active;
    if state.flaky {
        return;
    }
    out.push(if trouble.active {
        let mut raise = direct(Rule::Trouble, Class::Fault, said, cause);
        // What breaks during a test is broken.
        raise.test = false;
        Finding::Raise(raise)
    } else {
        over(Rule::Trouble, said, cause)
    });
}

/// The device was lost, or heard again.
pub fn lost_or_back(
    state: &mut State,
    lost: bool,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if lost {
        state.losses.push_back(now);
        if state.losses.len() > LOSSES {
            state.losses.pop_front();
        }
    }
    let recent = state.losses.iter().filter(|at| now.since(**at) <= LOSSES_WITHIN).count();
    if lost && recent >= LOSSES && !state.flaky {
        state.flaky = true;
        if !state.active {
            let mut raise = direct(Rule::Trouble, Class::Fault, said, cause);
            (raise.direct, raise.test) = (false, false);
            out.push(Finding::Raise(raise));
        }
    } else if !lost && recent == 0 && state.flaky {
        state.flaky = false;
        if !state.active {
            out.push(over(Rule::Trouble, said, cause));
        }
    }
}
