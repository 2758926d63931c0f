//! What is wrong with one device, by who says so. The box knows one trouble of a device, so that the
//! end of one must never pass for the end of another. Pure.
//!
//! A trouble that an earlier run of the box told of is unknown here. That there is none is therefore
//! told once, as soon as all have spoken who could know of one.

use std::collections::{BTreeMap, BTreeSet};

use anju_model::Observation;
use anju_model::observation::Trouble;
use serde_json::{Map, Value};

use super::Device;
use super::bridge::{Described, Standing};
use super::facts::{FAULTS, Reading};
use super::fit::{self, Fit};
use crate::mqtt::dialect::Heard;

/// Who says that something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Teller {
    /// An order that it did not obey.
    Order,
    /// The bridge's list of devices.
    List,
    /// The device itself, by a property of this name.
    Own(&'static str),
}

/// The troubles of one device.
#[derive(Debug, Default)]
pub struct Troubles {
    /// The last word of each: what is wrong, or that nothing is.
    said: BTreeMap<Teller, Option<String>>,
    /// Those of its own properties that tell of a fault, by the bridge's list.
    own: BTreeSet<&'static str>,
    /// Whether the box was last told that something is wrong.
    told: Option<bool>,
}

impl Troubles {
    /// Whether one says that something is wrong.
    pub fn active(&self, teller: Teller) -> bool {
        self.said.get(&teller).is_some_and(Option::is_some)
    }

    /// Which of its own properties tell of a fault.
    pub fn expect(&mut self, own: impl IntoIterator<Item = &'static str>) {
        self.own = own.into_iter().collect();
    }

    /// It is another device now: what the one before said of itself is over.
    pub fn another(&mut self) {
        for (teller, word) in &mut self.said {
            if matches!(teller, Teller::Own(_)) {
                *word = None;
            }
        }
    }

    /// Takes the word of one: what is wrong, or that nothing is. What is to be told by it.
    pub fn take(&mut self, teller: Teller, wrong: Option<String>) -> Option<Trouble> {
        let before = self.said.insert(teller, wrong.clone()).flatten();
        if let Some(reason) = wrong {
            // Each order is a trouble of its own.
            let news = teller == Teller::Order || before.as_ref() != Some(&reason);
            self.told = Some(true);
            return news.then_some(Trouble { active: true, reason });
        }
        if let Some(reason) = self.said.values().flatten().next() {
            // The one that is left is told again, so that the last word is a true one.
            return before.map(|_| Trouble { active: true, reason: reason.clone() });
        }
        let all_spoke = self.said.contains_key(&Teller::List)
            && self.own.iter().all(|name| self.said.contains_key(&Teller::Own(name)));
        if !self.told.unwrap_or(all_spoke) {
            return None;
        }
        self.told = Some(false);
        let reason = match teller {
            Teller::Order => "it is heard again",
            Teller::List => "zigbee2mqtt shows it in order",
            Teller::Own(_) => "it says that it is in order",
        };
        Some(Trouble { active: false, reason: reason.to_owned() })
    }
}

impl Device {
    /// Takes what the bridge's list says of it. A trouble by that is a base line: nothing was heard
    /// of the device itself.
    pub(super) fn described(&mut self, found: &Described<'_>, heard: Heard) -> Option<Observation> {
        let ieee = found.ieee_address.to_lowercase();
        if self.ieee.as_ref().is_some_and(|before| *before != ieee) {
            self.troubles.another();
            self.shows = false;
        }
        self.ieee = Some(ieee);
        self.topic_name.clone_from(&found.friendly_name);
        self.exposes = found.exposes();
        let own = FAULTS.iter().copied().filter(|name| !self.exposes.named(name).is_empty());
        self.troubles.expect(own);
        let mut standing = found.standing;
        let joining = standing == Standing::Joining;
        // Who joins now is said to be in order by the next list; what a broker kept is older.
        if joining && (self.joining || heard.retain) {
            standing = Standing::NotInterviewed;
        }
        self.joining = joining;
        let kind = self.voice.origin.kind;
        self.fit = match (fit::judge(kind, standing, &self.exposes), self.fit) {
            (Fit::Lacks, _) if self.shows => Fit::Serves,
            (Fit::Unsure, Fit::Disabled) => Fit::Serves,
            (Fit::Unsure, before) => before,
            (fit, _) => fit,
        };
        if self.fit == Fit::Unsure {
            return None;
        }
        let told = self.troubles.take(Teller::List, fit::wrong(kind, self.fit))?;
        Some(Observation::new(self.voice.origin.clone(), told).as_baseline())
    }

    /// What a message says of its troubles: its own word on them, and that it is heard and decoded.
    pub(super) fn faults(
        &mut self,
        fields: &Map<String, Value>,
        replays: bool,
        heard: Heard,
    ) -> Vec<Trouble> {
        let kind = self.voice.origin.kind;
        let mut told = Vec::new();
        for (name, wrong) in (Reading { kind, exposes: &self.exposes, fields }).faults() {
            told.extend(self.troubles.take(Teller::Own(name), wrong));
        }
        if !heard.retain && self.troubles.active(Teller::Order) {
            told.extend(self.troubles.take(Teller::Order, None));
        }
        if !replays {
            let shows = fit::shows(kind, fields);
            self.shows |= shows;
            if self.fit == Fit::NotInterviewed || (self.fit == Fit::Lacks && shows) {
                self.fit = Fit::Serves;
                told.extend(self.troubles.take(Teller::List, None));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULT: Teller = Teller::Own("fault");

    fn take(troubles: &mut Troubles, teller: Teller, wrong: Option<&str>) -> Option<bool> {
        troubles.take(teller, wrong.map(str::to_owned)).map(|trouble| trouble.active)
    }

    #[test]
    fn the_end_of_one_is_not_the_end_of_another() {
        let mut troubles = Troubles::default();
        let t = &mut troubles;
        assert_eq!(take(t, FAULT, Some("fault")), Some(true));
        assert_eq!(take(t, FAULT, Some("fault")), None);
        assert_eq!(take(t, Teller::Order, Some("lost")), Some(true));
        assert_eq!(take(t, Teller::Order, Some("lost")), Some(true), "each order is told");
        let left = t.take(Teller::Order, None);
        assert_eq!(left, Some(Trouble { active: true, reason: "fault".to_owned() }));
        assert_eq!(take(t, Teller::List, None), None);
        assert_eq!(take(t, FAULT, None), Some(false));
        assert_eq!(take(t, FAULT, None), None);
    }

    #[test]
    fn that_nothing_is_wrong_is_told_once_and_not_before_all_have_spoken() {
        let mut t = Troubles::default();
        assert_eq!(take(&mut t, FAULT, None), None);
        assert_eq!(take(&mut t, Teller::List, None), Some(false));
        assert_eq!(take(&mut t, Teller::List, None), None);
        let mut t = Troubles::default();
        t.expect(["fault"]);
        assert_eq!(take(&mut t, Teller::List, None), None);
        assert_eq!(take(&mut t, FAULT, None), Some(false));
        // Another device behind the same name is not ill of the same.
        assert_eq!(take(&mut t, FAULT, Some("fault")), Some(true));
        t.another();
        assert!(!t.active(FAULT));
        assert_eq!(take(&mut t, Teller::List, None), Some(false));
    }
}
