//! Guards against a call for help that nobody hears. Every press is an alarm at once, on every
//! kind of device that has a button; nothing is waited for, asked or learned
//! first. Pressing again is never a cancel, because frightened people press again: each further
//! press is found again and repeats the alert. The cancel gesture is another act, and it takes
//! nothing back here; what becomes of a cancelled call is not the guard's to decide. There are no
//! figures. A press that was only known at start (a retained message) is an old one and is passed
//! over.
//!
//! What only a microphone heard is asked about first, see [`super::voice`]. A call asked for at the
//! one-touch speaker is a request, see [`super::call`].

use anju_model::observation::{Help, HelpState};
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::direct;

/// Judges a press or a cancel.
pub fn observe(help: &Help, said: &Observation, cause: &EntryId, out: &mut Vec<Finding>) {
    if said.baseline {
        return;
    }
    out.push(match help.state {
        HelpState::Pressed => Finding::Raise(direct(Rule::Help, Class::Alarm, said, cause)),
        HelpState::Cancelled => {
            Finding::Cancel { origin: said.origin.clone(), cause: cause.clone(), test: said.test }
        }
    });
}
