//! A part of the box that breaks is told like anything else that is found: as an alert of class
//! fault, which ends by itself when the part works again.

use anju_model::{BoxEvent, Class, EntryId, Finding, Raise, Rule};

/// What follows from an event of the box, recorded as the entry `id`.
pub fn finding(id: &EntryId, event: &BoxEvent) -> Option<Finding> {
    let BoxEvent::Fault { part, active, .. } = event else { return None };
    let rule = rule(part);
    Some(if *active {
        Finding::Raise(Raise {
            rule,
            class: Class::Fault,
            origin: None,
            cause: id.clone(),
            direct: true,
            since: None,
            count: 1,
            test: false,
            shadow: false,
        })
    } else {
        Finding::Over { rule, origin: None, cause: id.clone() }
    })
}

fn rule(part: &str) -> Rule {
    match part.split(':').next().unwrap_or(part) {
        "journal" => Rule::Journal,
        "configuration" => Rule::Configuration,
        "channel" => Rule::Channel,
        _ => Rule::Trouble,
    }
}
