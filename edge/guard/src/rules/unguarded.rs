//! Guards against a home that only seems guarded: all devices that see a person inside are lost,
//! or all that call for help. Then silence means nothing any more, and it would be wrong to judge
//! the person by it; what is wrong is the home. One fault for the home, of no single device, found
//! once and over when one of them is heard again. Each lost device is a fault of its own besides.
//! Faults are told by day; this one is meant to be told at once. No figures.

use anju_model::{Class, EntryId, Finding, Moment, Rule};

use super::absence;
use crate::activity;
use crate::line::Line;
use crate::roster::Roster;

/// The rule's name.
pub const NAME: &str = "unguarded";

/// Whether it was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    found: bool,
}

impl State {
    /// Whether the home is unguarded.
    pub const fn found(&self) -> bool {
        self.found
    }
}

/// Whether all devices that see a person inside are lost.
pub fn blind(roster: &Roster) -> bool {
    roster.all_lost(|d| activity::sees_indoors(d.origin.kind))
}

/// Looks at the devices after one was lost or heard again by the entry `cause`.
pub fn judge(
    state: &mut State,
    roster: &Roster,
    now: Moment,
    line: &Line,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let deaf = roster.all_lost(|d| activity::calls_for_help(d.origin.kind));
    let unguarded = deaf || blind(roster);
    if unguarded == state.found {
        return;
    }
    state.found = unguarded;
    let rule = Rule::from_name(NAME);
    out.push(if unguarded {
        Finding::Raise(absence(rule, Class::Fault, cause, now, line))
    } else {
        Finding::Over { rule, origin: None, cause: cause.clone() }
    });
}
