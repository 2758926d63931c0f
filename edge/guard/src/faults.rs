//! A part of the box that breaks is told like anything else that is found: as an alert of class
//! fault, which ends by itself when the last part of its kind works again. It must never take one
//! part that works for all that do.

use std::collections::{BTreeMap, BTreeSet};

use anju_model::{BoxEvent, Class, EntryId, Finding, Lost, Raise, Rule};

/// The rules that tell of the box's parts, and do so anew after each start. The end of a contract is
/// not among them: it stays open over starts.
const RULES: [Rule; 8] = [
    Rule::Journal,
    Rule::Configuration,
    Rule::Channel,
    Rule::Trouble,
    Rule::BoxBattery,
    Rule::CaseOpened,
    Rule::BoxTemperature,
    Rule::StorageWear,
];

/// Which parts are broken.
#[derive(Debug, Default)]
pub struct Faults {
    broken: BTreeMap<Rule, BTreeSet<String>>,
}

impl Faults {
    /// What follows from an event of the box, recorded as the entry `id`.
    pub fn take(&mut self, id: &EntryId, event: &BoxEvent) -> Option<Finding> {
        match event {
            BoxEvent::Fault { part, active: true, .. } => {
                let rule = rule(part);
                self.broken.entry(rule.clone()).or_default().insert(part.clone());
                Some(Finding::Raise(raise(rule, part, id)))
            }
            BoxEvent::Fault { part, active: false, .. } => {
                let rule = rule(part);
                let parts = self.broken.entry(rule.clone()).or_default();
                parts.remove(part);
                parts.is_empty().then(|| over(rule, id))
            }
            // What was wrong in the file is told anew after it was read.
            BoxEvent::Config { faults: 0, .. } => {
                let was = self.broken.remove(&Rule::Configuration).is_some_and(|p| !p.is_empty());
                was.then(|| over(Rule::Configuration, id))
            }
            _ => None,
        }
    }

    /// After a start: what was told before it and was not found again by it is over.
    pub fn settle(&self, id: &EntryId) -> Vec<Finding> {
        let sound = |rule: &&Rule| self.broken.get(rule).is_none_or(BTreeSet::is_empty);
        RULES.iter().filter(sound).map(|rule| over(rule.clone(), id)).collect()
    }
}

fn raise(rule: Rule, part: &str, id: &EntryId) -> Raise {
    Raise {
        rule,
        class: Class::Fault,
        origin: None,
        cause: id.clone(),
        direct: true,
        since: None,
        count: 1,
        test: false,
        shadow: false,
        lost: (part == "page").then_some(Lost::Page),
    }
}

fn over(rule: Rule, id: &EntryId) -> Finding {
    Finding::Over { rule, origin: None, cause: id.clone() }
}

fn rule(part: &str) -> Rule {
    match part.split(':').next().unwrap_or(part) {
        "journal" => Rule::Journal,
        "configuration" => Rule::Configuration,
        "channel" => Rule::Channel,
        "battery" => Rule::BoxBattery,
        "case" => Rule::CaseOpened,
        "temperature" => Rule::BoxTemperature,
        "storage" => Rule::StorageWear,
        "sim-contract" => Rule::SimContract,
        _ => Rule::Trouble,
    }
}

#[cfg(test)]
mod tests {
    use anju_model::BoxId;

    use super::*;

    fn id() -> EntryId {
        EntryId { box_id: BoxId::new("b").unwrap(), epoch: 1, seq: 1 }
    }

    fn fault(part: &str, active: bool) -> BoxEvent {
        BoxEvent::Fault { part: part.into(), active, reason: String::new() }
    }

    #[test]
    fn a_fault_is_over_when_its_last_part_works() {
        let mut faults = Faults::default();
        let mut take = |event| match faults.take(&id(), &event) {
            Some(Finding::Raise(raise)) => format!("raise {}", raise.rule),
            Some(Finding::Over { rule, .. }) => format!("over {rule}"),
            _ => String::new(),
        };
        assert_eq!(take(fault("channel:speaker", true)), "raise channel");
        assert_eq!(take(fault("channel:upstream", true)), "raise channel");
        assert_eq!(take(fault("channel:speaker", false)), "");
        assert_eq!(take(fault("channel:upstream", false)), "over channel");
        assert_eq!(take(fault("configuration", true)), "raise configuration");
        let read = |faults| BoxEvent::Config { digest: String::new(), faults };
        assert_eq!(take(read(1)), "");
        assert_eq!(take(read(0)), "over configuration");
        assert_eq!(take(read(0)), "");
        assert_eq!(take(fault("driver:zigbee", true)), "raise trouble");
    }

    #[test]
    fn after_a_start_only_what_was_found_again_stays() {
        let mut faults = Faults::default();
        faults.take(&id(), &fault("journal", true));
        let over: Vec<String> = faults
            .settle(&id())
            .into_iter()
            .map(|finding| match finding {
                Finding::Over { rule, .. } => rule.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(!over.contains(&"journal".to_owned()) && over.contains(&"channel".to_owned()));
    }
}
