//! Guards against a device that was opened or taken off its wall: it may no longer see what it
//! was put there for. A fault, found once when it begins, over when the device says so. It is no
//! alarm, because nearly always somebody changed a battery or dusted. No figures.

use anju_model::observation::Tamper;
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::{direct, over};

/// Whether it was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    tampered: bool,
}

/// Judges a tamper report.
pub fn observe(
    state: &mut State,
    tamper: &Tamper,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    // Who tests a device may open it; if it stays open, it says so again.
    if tamper.tampered == state.tampered || (said.test && tamper.tampered) {
        return;
    }
    state.tampered = tamper.tampered;
    out.push(if tamper.tampered {
        Finding::Raise(direct(Rule::Tamper, Class::Fault, said, cause))
    } else {
        over(Rule::Tamper, said, cause)
    });
}
