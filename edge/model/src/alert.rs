//! Alerts: what the box judged and how it was answered. Each step of an alert's life is one entry
//! that repeats the whole subject, so that a reader who joins late, or a box that restarts in the
//! middle, needs no other entry to act on it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ContactId, DeviceId, DeviceKind, EntryId, PersonId, RoomId};

/// Names an alert: the id of the entry that raised it. Where that entry alone is not the cause
/// (a silence since it, a second rule on the same entry), rule and class follow after a slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct AlertId(Arc<str>);

/// Longest alert id taken from a wire, in bytes.
pub const MAX_ALERT_ID_BYTES: usize = 200;

/// By whom what was no alarm and ended by itself is closed.
pub const CLOSED_BY_ITSELF: &str = "box";

impl AlertId {
    /// The alert raised by the entry itself.
    pub fn of_entry(entry: &EntryId) -> Self {
        Self(entry.to_string().into())
    }

    /// The alert that a rule raised because of what followed, or did not follow, an entry; of two
    /// devices that are waited for since the same entry each has its own.
    pub fn since_entry(
        entry: &EntryId,
        rule: &Rule,
        class: Class,
        device: Option<&DeviceId>,
    ) -> Self {
        Self(match device {
            Some(device) => format!("{entry}/{rule}/{class}/{device}").into(),
            None => format!("{entry}/{rule}/{class}").into(),
        })
    }

    /// Takes an id from a wire; whether such an alert exists is for the receiver to see.
    pub fn from_wire(text: &str) -> Option<Self> {
        let fine = !text.is_empty()
            && text.len() <= MAX_ALERT_ID_BYTES
            && text.bytes().all(|b| b.is_ascii_graphic());
        fine.then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How grave an alert is. Ordered: the gravest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The box or a device is not as it should be; told by day to those who repair.
    Fault,
    /// Please help with something; not urgent.
    Request,
    /// 预警: something drifts.
    Warning,
    /// 告警: someone must act now.
    Alarm,
}

impl Class {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Fault => "fault",
            Class::Request => "request",
            Class::Warning => "warning",
            Class::Alarm => "alarm",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $code:literal;)*) => {
        /// The rule that judged. A rule of another version survives by name.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
            /// A rule that this version does not know.
            Other(Arc<str>),
        }

        impl Rule {
            /// Every rule this version knows.
            pub const KNOWN: &'static [Rule] = &[$(Rule::$variant),*];

            /// The name on the wire.
            pub fn as_str(&self) -> &str {
                match self { $(Rule::$variant => $name,)* Rule::Other(name) => name }
            }

            /// The rule of that name, if this version knows it.
            pub fn known(name: &str) -> Option<Self> {
                match name { $($name => Some(Rule::$variant),)* _ => None }
            }

            /// The rule of that name.
            pub fn from_name(name: &str) -> Self {
                Self::known(name).unwrap_or_else(|| Rule::Other(name.into()))
            }

            /// The Contact ID event code (SIA DC-05) that monitoring centres know it by.
            pub const fn contact_id(&self) -> u16 {
                match self { $(Rule::$variant => $code,)* Rule::Other(_) => 140 }
            }
        }
    };
}

rules! {
    /// Help was asked for.
    Help = "help", 101;
    /// Somebody asks to be called back.
    Call = "call", 606;
    /// A fall.
    Fall = "fall", 120;
    /// Smoke.
    Smoke = "smoke", 111;
    /// Burnable gas.
    Gas = "gas", 151;
    /// Carbon monoxide.
    CarbonMonoxide = "carbon-monoxide", 162;
    /// Water where none should be.
    Leak = "leak", 154;
    /// No sign of life for too long.
    Inactivity = "inactivity", 641;
    /// Not up by the usual time.
    NotUp = "not-up", 641;
    /// Left home and not back.
    LeftHome = "left-home", 641;
    /// Who may lose the way left home.
    Wandering = "wandering", 641;
    /// An outer door opened at night.
    DoorAtNight = "door-at-night", 641;
    /// In the bathroom for too long.
    BathroomStay = "bathroom-stay", 641;
    /// Out of bed at night and not back.
    OutOfBed = "out-of-bed", 641;
    /// A vital sign outside the person's range.
    Vital = "vital", 100;
    /// A room is too hot.
    Heat = "heat", 158;
    /// A room is too cold.
    Cold = "cold", 159;
    /// Medication was not taken in time.
    Medication = "medication", 100;
    /// Water runs for too long.
    WaterRunning = "water-running", 154;
    /// A lock was opened by force.
    LockForced = "lock-forced", 423;
    /// A lock was tried with wrong codes.
    LockTries = "lock-tries", 461;
    /// Somebody rings again and again and is not let in.
    Strangers = "strangers", 140;
    /// A camera sees a person at night.
    PersonAtNight = "person-at-night", 140;
    /// The home only seems guarded.
    Unguarded = "unguarded", 147;
    /// A help button was not tested for long.
    TestDue = "test-due", 602;
    /// A device has not been heard from.
    DeviceSilent = "device-silent", 147;
    /// A device's battery is low.
    DeviceLow = "device-low", 384;
    /// A device was opened or taken away.
    Tamper = "tamper", 144;
    /// A device or a part of the box is broken.
    Trouble = "trouble", 380;
    /// The journal can not be written, or had to be set aside.
    Journal = "journal", 300;
    /// The configuration has parts that can not be used.
    Configuration = "configuration", 306;
    /// A way out does not work.
    Channel = "channel", 350;
    /// The home has no mains power.
    MainsLost = "mains-lost", 301;
    /// The box's own battery is low, worn or missing.
    BoxBattery = "box-battery", 302;
    /// No link of the box reaches anything, or the centre is not reached and nobody knows of links.
    NetworkLost = "network-lost", 354;
    /// The box does not reach the centre, though its links reach others.
    CentreLost = "centre-lost", 350;
    /// The contract of the modem's SIM card ends soon, or has ended.
    SimContract = "sim-contract", 350;
    /// The box's case was opened.
    CaseOpened = "case-opened", 137;
    /// The box is too hot or too cold.
    BoxTemperature = "box-temperature", 300;
    /// The box's storage is wearing out.
    StorageWear = "storage-wear", 300;
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Rule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let known: Vec<&str> = Self::KNOWN.iter().map(Rule::as_str).collect();
        schemars::json_schema!({
            "description": "The rule that judged; another version may know others.",
            "type": "string",
            "examples": known,
        })
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(deserializer)?))
    }
}

/// What an alert is about. It does not change during the alert's life, save the text of one that
/// begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subject {
    /// Which alert.
    pub alert: AlertId,
    /// How grave; what this version does not know counts as the gravest.
    #[serde(deserialize_with = "known_class")]
    pub class: Class,
    /// Which rule judged.
    pub rule: Rule,
    /// The device that the rule judged, where it was one device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Its kind, if this version knows it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_kind")]
    pub kind: Option<DeviceKind>,
    /// Its room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// Whom it is about; `unknown` on the wire where nobody knows.
    #[serde(default, with = "known_person")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub person: Option<PersonId>,
    /// Contact ID event code.
    pub code: u16,
    /// A test: answered like an alert, kept out of the figures.
    #[serde(default)]
    pub test: bool,
    /// One sentence for people, in the box's language.
    #[serde(default)]
    pub text: String,
}

fn known_class<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Class, D::Error> {
    Ok(understood(&Value::deserialize(from)?).unwrap_or(Class::Alarm))
}

fn known_kind<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<DeviceKind>, D::Error> {
    Ok(understood(&Value::deserialize(from)?))
}

mod known_person {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::PersonId;

    const UNKNOWN: &str = "unknown";

    pub fn serialize<S: Serializer>(person: &Option<PersonId>, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(person.as_ref().map_or(UNKNOWN, PersonId::as_str))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PersonId>, D::Error> {
        let text = String::deserialize(from)?;
        if text == UNKNOWN {
            return Ok(None);
        }
        PersonId::new(&text).map(Some).map_err(serde::de::Error::custom)
    }
}

/// How an alert ended, as a human said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Help was needed.
    Real,
    /// Nothing was the matter; the note says why.
    False,
    /// It was a test.
    Test,
    /// The person cancelled.
    Cancelled,
}

macro_rules! steps {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// One step of an alert's life with what belongs to that step.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum AlertStep {
            $($(#[doc = $doc])* $variant { $($(#[$fdoc])* #[serde(skip_serializing_if = "crate::alert::absent")] $field: $type,)* },)*
        }

        impl AlertStep {
            /// Every step's name.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The last part of the type `cn.anju.alert.<name>`.
            pub const fn name(&self) -> &'static str {
                match self { $(AlertStep::$variant { .. } => $name,)* }
            }

            /// What another version wrote here and this one does not understand counts as not
            /// said: after an update was rolled back an open alert must still be one.
            #[allow(unused_variables)]
            fn from_data(name: &str, data: &Map<String, Value>) -> Option<Self> {
                match name {
                    $($name => Some(AlertStep::$variant {
                        $($field: data.get(stringify!($field)).and_then(understood).unwrap_or_default(),)*
                    }),)*
                    _ => None,
                }
            }

            /// The JSON Schema of what belongs to each, by its name.
            #[cfg(feature = "schema")]
            pub fn schemas(of: &mut schemars::SchemaGenerator) -> Vec<crate::schema::Part> {
                vec![$({
                    #[derive(schemars::JsonSchema)]
                    #[allow(dead_code, reason = "only its shape is used")]
                    struct Fields { $($(#[$fdoc])* #[schemars(skip_serializing_if = "crate::alert::absent")] $field: $type,)* }
                    crate::schema::Part {
                        name: $name,
                        doc: concat!($($doc),*).trim(),
                        schema: <Fields as schemars::JsonSchema>::json_schema(of),
                    }
                }),*]
            }
        }
    };
}

fn understood<'a, T: Deserialize<'a>>(value: &'a Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn absent<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

steps! {
    /// The rule judged.
    Raised = "raised" {
        /// When the silence or absence began, for rules about something that did not happen.
        since: Option<Timestamp>,
    }
    /// It was felt again while open.
    Repeated = "repeated" {
        /// How many times this entry stands for; absent means once.
        count: Option<u32>,
        /// The entry that repeated it.
        entry: Option<String>,
        /// It is news: who took it on before is set free, and help is searched for again.
        anew: bool,
    }
    /// The box said or showed it.
    Announced = "announced" {
        /// What announced: `speaker`, `siren`, `satellite-<id>` of a speaker in another room,
        /// `light-<device>`.
        by: String,
    }
    /// A contact is being tried.
    Contacted = "contacted" {
        /// Who.
        contact: Option<ContactId>,
        /// Over which channels.
        channels: Vec<String>,
        /// Which step of the plan.
        plan_step: u32,
        /// Which round through the plan, from 1.
        round: u32,
    }
    /// Somebody comes or has taken it on.
    Accepted = "accepted" {
        /// Who: a contact's id, or an operator's name as upstream gave it.
        by: String,
        /// Expected minutes until arrival.
        minutes: Option<u32>,
        /// The channel it came over.
        via: String,
    }
    /// Somebody is there.
    Arrived = "arrived" {
        /// Who.
        by: String,
        /// The channel it came over.
        via: String,
    }
    /// Accepted, but nobody came in time; the search for help goes on.
    Lapsed = "lapsed" {
        /// Who had accepted.
        by: String,
    }
    /// The person took the call back; it is still told, and called back.
    Cancelled = "cancelled" {
        /// The device or command it was done with.
        by: String,
    }
    /// A human ended it.
    Closed = "closed" {
        /// Who.
        by: String,
        /// How it ended.
        outcome: Option<Outcome>,
        /// In words.
        note: String,
    }
    /// Somebody asked afterwards how the person is.
    FollowedUp = "followed_up" {
        /// Who.
        by: String,
        /// In words.
        note: String,
    }
}

/// One step of one alert's life.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertChange {
    /// What the alert is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// What happened to it.
    #[serde(flatten)]
    pub step: AlertStep,
}

impl AlertChange {
    /// Reads the `data` of an entry of type `cn.anju.alert.<name>`.
    ///
    /// # Errors
    /// `None` for a step this version does not know; an error when a known one is malformed.
    pub fn from_data(
        name: &str,
        data: &Map<String, Value>,
    ) -> Result<Option<Self>, serde_json::Error> {
        let Some(step) = AlertStep::from_data(name, data) else { return Ok(None) };
        Ok(Some(Self { subject: Subject::deserialize(data)?, step }))
    }
}
