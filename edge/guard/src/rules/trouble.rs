//! Guards against a device that says itself that it is broken: a stuck button, an error register,
//! a worn-out sensor. A fault, found once when it begins, over when the device says so. No figures.

use anju_model::observation::Trouble;
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::{direct, over};

/// Whether it was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    active: bool,
}

impl State {
    /// Whether the device says that it is broken.
    pub const fn active(&self) -> bool {
        self.active
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
    out.push(if trouble.active {
        Finding::Raise(direct(Rule::Trouble, Class::Fault, said, cause))
    } else {
        over(Rule::Trouble, said, cause)
    });
}
