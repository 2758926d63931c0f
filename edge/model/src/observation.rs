//! What devices say: one fact with its unit in the field's name. An observation must never carry a
//! judgement; whether it matters is the guard's to say.

mod facts;
mod form;

pub use facts::*;
pub use form::{Field, Form};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{DeviceId, DeviceKind, PersonId, RoomId};

/// One fact from one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Who said it and where it stands.
    pub origin: Origin,
    /// What it said.
    pub fact: Fact,
    /// How many identical messages this one stands for (merged within 200 ms); at least 1.
    pub count: u32,
    /// Known at start (a retained message, a level read when the driver began): a base line to
    /// compare with, not an event.
    pub baseline: bool,
    /// Observed while the device was under test (acceptance, inspection).
    pub test: bool,
}

/// The device behind an observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    /// Which device.
    pub device: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// Where it stands, if known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// Whose it is, if it belongs to one person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<PersonId>,
}

impl Observation {
    /// A plain observation: once, not a base line, not a test.
    pub fn new(origin: Origin, fact: impl Into<Fact>) -> Self {
        Self { origin, fact: fact.into(), count: 1, baseline: false, test: false }
    }

    /// The same as a base line: known from before, by a broker's or a device's memory.
    #[must_use]
    pub fn as_baseline(mut self) -> Self {
        self.baseline = true;
        self
    }

    /// The same as the first thing that is heard of a device: a base line, unless it is a danger,
    /// which is one now however it began.
    #[must_use]
    pub fn as_first(self) -> Self {
        if self.fact.is_danger() { self } else { self.as_baseline() }
    }
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Flags {
    /// How many identical messages it stands for; absent means one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    count: u32,
    /// Known at start: a base line to compare with, not an event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    baseline: bool,
    /// Observed while the device was under test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

fn one() -> u32 {
    1
}

// serde hands a reference to `skip_serializing_if`.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(count: &u32) -> bool {
    *count == 1
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(flatten)]
    origin: &'a Origin,
    #[serde(flatten)]
    fact: &'a Fact,
    #[serde(flatten)]
    flags: Flags,
}

impl Serialize for Observation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire {
            origin: &self.origin,
            fact: &self.fact,
            flags: Flags { count: self.count, baseline: self.baseline, test: self.test },
        }
        .serialize(serializer)
    }
}

impl Observation {
    /// Reads the `data` of an entry of type `cn.anju.observation.<what>`. Fields this version does
    /// not know are passed over here; the entry's bytes keep them.
    ///
    /// # Errors
    /// `None` for a `what` this version does not know; an error when a known one is malformed.
    pub fn from_data(
        what: &str,
        data: &Map<String, Value>,
    ) -> Result<Option<Self>, serde_json::Error> {
        let Some(fact) = Fact::from_data(what, data)? else { return Ok(None) };
        let origin = Origin::deserialize(data)?;
        let flags = Flags::deserialize(data)?;
        Ok(Some(Self {
            origin,
            fact,
            count: flags.count,
            baseline: flags.baseline,
            test: flags.test,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            device: DeviceId::new("sos-bedroom").unwrap(),
            kind: DeviceKind::FixedAlarm,
            room: Some(RoomId::new("bedroom").unwrap()),
            person: None,
        }
    }

    #[test]
    fn data_round_trips() {
        let mut said = Observation::new(origin(), Help::pressed());
        said.count = 3;
        let Value::Object(data) = serde_json::to_value(&said).unwrap() else { panic!() };
        assert_eq!(
            Value::Object(data.clone()),
            serde_json::json!({"device":"sos-bedroom","kind":"fixed-alarm","room":"bedroom",
                "state":"pressed","count":3})
        );
        assert_eq!(Observation::from_data("help", &data).unwrap(), Some(said));
    }

    #[test]
    fn unknown_facts_are_not_errors_and_malformed_ones_are() {
        let data = Map::new();
        assert!(Observation::from_data("teleported", &data).unwrap().is_none());
        assert!(Observation::from_data("motion", &data).is_err());
    }
}
