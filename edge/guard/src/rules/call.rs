//! Guards against a wish to talk that nobody hears of. Whoever presses the one-touch speaker asks to
//! be called: a request at once, which contacts are told of so that they call back. Each further
//! press is found again and repeats it. It is over when the call was answered or the person took it
//! back. It is no call for help, see [`super::help`], and has no figures. What was only known at
//! start is an old press and is passed over; what ends a test must not end a wish.

use anju_model::observation::{Call, CallState};
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::{direct, over};

/// Judges a call that was asked for, answered or taken back.
pub fn observe(call: &Call, said: &Observation, cause: &EntryId, out: &mut Vec<Finding>) {
    match call.state {
        _ if said.baseline => {}
        CallState::Asked => {
            out.push(Finding::Raise(direct(Rule::Call, Class::Request, said, cause)));
        }
        _ if said.test => {}
        CallState::Answered | CallState::Cancelled => out.push(over(Rule::Call, said, cause)),
    }
}
