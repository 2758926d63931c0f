//! Guards against a home that only seems guarded: all devices that see a person inside are lost,
//! or all that call for help, or every device. Then silence means nothing any more, and it would be
//! wrong to judge the person by it; what is wrong is the home. One fault for the home, of no single
//! device, found once, again when more is lost than was told, and over when one of them is heard
//! again. Each lost device is a fault of its own besides. Faults are told by day; this one is meant to be told at once. No figures.

use anju_model::{Class, EntryId, Finding, Lost, Moment, Raise, Rule};

use super::absence;
use crate::activity;
use crate::line::Line;
use crate::roster::{Device, Roster};

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    lost: Option<Lost>,
}

impl State {
    /// Whether the home is unguarded.
    pub const fn found(&self) -> bool {
        self.lost.is_some()
    }
}

/// Whether all devices that see a person inside are lost.
pub fn blind(roster: &Roster) -> bool {
    roster.all_lost(|d| activity::sees_indoors(d.origin.kind))
}

/// Whether nothing that calls for help is heard. What is worn and carried counts only where there
/// is no button: it is out of range whenever its owner is.
fn deaf(roster: &Roster) -> bool {
    let button = |d: &Device| activity::calls_for_help(d.origin.kind);
    if roster.any(button) {
        return roster.all_lost(button);
    }
    roster.all_lost(|d| activity::carried_help(d.origin.kind))
}

/// What the home is without.
fn lost(roster: &Roster) -> Option<Lost> {
    match (deaf(roster), blind(roster)) {
        _ if roster.all_lost(|_| true) => Some(Lost::Devices),
        (true, true) => Some(Lost::Devices),
        (true, false) => Some(Lost::Calls),
        (false, true) => Some(Lost::Sight),
        (false, false) => None,
    }
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
    let lost = lost(roster);
    let before = std::mem::replace(&mut state.lost, lost);
    let rule = Rule::Unguarded;
    match (before, lost) {
        (Some(_), None) => {
            out.push(Finding::Over { rule, origin: None, cause: cause.clone() });
        }
        // Who knows that everything is lost needs not be told of a part of it.
        (Some(Lost::Devices), Some(_)) => {}
        (before, Some(_)) if before != lost => {
            let raise = absence(rule, Class::Fault, cause, now, line);
            out.push(Finding::Raise(Raise { lost, more: before.is_some(), ..raise }));
        }
        _ => {}
    }
}
