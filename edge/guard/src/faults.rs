//! A part of the box that breaks is told like anything else that is found: as an alert of class
//! fault, which ends by itself when the last part of its kind works again. It must never take one
//! part that works for all that do, nor pass over a part that breaks because another is broken.

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

/// What happened once, and nothing will say that it is mended. It is told; it is over when another
/// part of its kind works again, and with the next start.
const ONCE: [&str; 3] = ["journal:set-aside", "journal:lost", "channel:upstream-entry"];

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
                let parts = self.broken.entry(rule.clone()).or_default();
                let beside = !parts.is_empty();
                let more = parts.insert(part.clone()) && beside;
                Some(Finding::Raise(Raise { more, ..raise(rule, part, id) }))
            }
            BoxEvent::Fault { part, active: false, .. } => {
                let rule = rule(part);
                let parts = self.broken.entry(rule.clone()).or_default();
                let was = parts.remove(part);
                if was && parts.iter().all(|part| ONCE.contains(&part.as_str())) {
                    parts.clear();
                }
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
        more: false,
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
    fn each_further_part_that_breaks_is_more() {
        let mut faults = Faults::default();
        let mut more = |part: &str, active| match faults.take(&id(), &fault(part, active)) {
            Some(Finding::Raise(raise)) => Some(raise.more),
            _ => None,
        };
        assert_eq!(more("battery:worn", true), Some(false));
        assert_eq!(more("battery:worn", true), Some(false), "the same is no more");
        assert_eq!(more("battery:low", true), Some(true));
        assert_eq!(more("battery:low", false), None);
        assert_eq!(more("battery:low", true), Some(true));
        assert_eq!(more("journal", true), Some(false), "another kind");
    }

    #[test]
    fn what_happened_once_keeps_nothing_open() {
        let mut faults = Faults::default();
        let mut take = |part: &str, active| match faults.take(&id(), &fault(part, active)) {
            Some(Finding::Raise(raise)) if raise.more => "more",
            Some(Finding::Raise(_)) => "raise",
            Some(Finding::Over { .. }) => "over",
            _ => "",
        };
        assert_eq!(take("journal:set-aside", true), "raise");
        assert_eq!(take("journal:other", false), "", "what was not broken ends nothing");
        assert_eq!(take("journal", true), "more");
        assert_eq!(take("journal", false), "over");
        assert_eq!(take("journal", true), "raise");
        assert_eq!(take("channel:upstream-entry", true), "raise");
        assert_eq!(take("channel:ntfy", true), "more");
        assert_eq!(take("channel:mail", true), "more");
        assert_eq!(take("channel:ntfy", false), "");
        assert_eq!(take("channel:mail", false), "over");
        assert_eq!(take("channel:upstream-entry", true), "raise");
        let open: Vec<Rule> = RULES
            .into_iter()
            .filter(|rule| !faults.settle(&id()).contains(&over(rule.clone(), &id())))
            .collect();
        assert_eq!(open, [Rule::Journal, Rule::Channel], "what this start told stays");
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
