//! The configuration's schema as data: every section, every key, its type, range and default. It
//! alone decides what is known, what is checked, what a missing key means and what the printed
//! reference says, so that these four can not disagree.

mod channels;
mod device;
mod figures;
mod home;
mod links;
mod mqtt;
mod people;
mod rules;
mod system;

pub(super) use channels::{DINGTALK, MAIL, SMS, WECOM};
pub(super) use device::{DEVICE, DEVICE_BLE, DEVICE_GPIO, DEVICE_I2C, DEVICE_NET};
pub(super) use device::{
    DEVICE_SERIAL, serial_model, serial_protocol, status_profile, talk_protocol,
};
pub(super) use figures::{INACTIVITY, LEFT_HOME, NOT_UP, SILENT};
pub(super) use home::{BOX, SERVICE, funding};
pub(super) use links::{
    LINK, LINK_BLE, LINK_GPIO, LINK_I2C, LINK_MQTT, LINK_NET, LINK_SERIAL, link_kind,
};
pub(super) use mqtt::{
    DEVICE_FRIGATE, DEVICE_JSON, DEVICE_MAP, DEVICE_OWNTRACKS, DEVICE_RTL433, DEVICE_ZIGBEE, ZONE,
    dialect,
};
pub(super) use people::{CHANNELS_NOW, CONTACT, NTFY, PERSON, contact_role};
pub(super) use rules::{
    BATHROOM_STAY, CLIMATE, DOOR_AT_NIGHT, LOCK, MEDICATION, OUT_OF_BED, OWN_RANGE,
    PERSON_AT_NIGHT, STRANGERS, SUPPLY, TEST_PRESS, VITAL, VOICE, WATER,
};
pub(super) use system::{CASE, JOURNAL, MODEM, SATELLITE, SPEAKER, UPSTREAM, WEB};

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number in a range.
    Integer { min: i64, max: i64 },
    /// A number in a range, whole or decimal.
    Number { min: f64, max: f64 },
    /// A duration in a range, both written as in the file.
    Duration { min: &'static str, max: &'static str },
    /// A time of day, `HH:MM`.
    TimeOfDay,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// A size in bytes in a range, both written as in the file.
    Bytes { min: &'static str, max: &'static str },
    /// One of some words.
    Choice(&'static [&'static str]),
    /// Several of some words.
    Choices(&'static [&'static str]),
    /// An identifier.
    Id,
    /// Words for people, with most characters.
    Text { max: usize },
    /// A list of words for people.
    TextList { max: usize },
    /// Times of day.
    TimesOfDay,
    /// A number in digits only, as text.
    Digits { min: usize, max: usize },
    /// A telephone number.
    Phone,
    /// Hours of the week.
    Hours,
    /// A time zone of the IANA database.
    Zone,
    /// A URL with one of some schemes and their default ports; `path` says whether one may follow.
    Url { schemes: &'static [(&'static str, u16)], path: bool },
    /// An MQTT topic without wildcards.
    Topic,
    /// An absolute path.
    Path,
    /// An absolute path of a file with a secret in it.
    SecretFile,
    /// An address and port to listen on.
    Socket,
    /// A JSON pointer (RFC 6901); empty for the whole payload.
    Pointer,
    /// Text, a number, or true or false.
    Plain,
    /// A table of words, each with text, a number, or true or false.
    Values,
}

/// What a missing key means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Presence {
    /// It must be there.
    Required,
    /// It may be absent.
    Optional,
    /// It may be absent and then counts as this TOML value.
    Default(&'static str),
    /// It may be absent; the words say what then counts.
    Derived(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub presence: Presence,
    pub doc: &'static str,
}

/// One table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// As in a heading of the file, such as `[links.ID]`.
    pub heading: &'static str,
    /// When the keys count, such as `kind = "gpio"`; empty if always.
    pub when: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
}

impl Section {
    /// Finds a key by its name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

pub(super) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, presence: Presence::Required, doc }
}

pub(super) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, presence: Presence::Optional, doc }
}

pub(super) const fn default(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, kind, presence: Presence::Default(value), doc }
}

pub(super) const fn derived(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, kind, presence: Presence::Derived(value), doc }
}

/// The newest form of the file that this version knows.
pub(super) const NEWEST: i64 = 1;

/// Keys that stand before the first heading.
pub(super) const ROOT: Section = Section {
    heading: "",
    when: "",
    doc: "Before the first heading.",
    keys: &[required(
        "schema",
        Kind::Integer { min: 1, max: 1_000_000 },
        "Form of this file; `1` is the only one so far.",
    )],
};

/// The names of all tables at the top of the file.
pub(super) const TOP: &[&str] = &[
    "schema", "box", "service", "person", "zone", "contact", "channels", "links", "device",
    "guard", "upstream", "web", "speaker", "case", "journal", "modem",
];

/// The rules that have figures.
pub(super) const RULES: &[&str] = &[
    "inactivity",
    "not_up",
    "left_home",
    "silent",
    "test_press",
    "door_at_night",
    "bathroom_stay",
    "out_of_bed",
    "vital",
    "climate",
    "medication",
    "water",
    "lock",
    "strangers",
    "person_at_night",
    "supply",
    "voice",
];

/// Every section in the order of the printed reference.
pub(super) const ALL: &[&Section] = &[
    &ROOT,
    &BOX,
    &SERVICE,
    &PERSON,
    &ZONE,
    &OWN_RANGE,
    &CONTACT,
    &NTFY,
    &WECOM,
    &DINGTALK,
    &MAIL,
    &SMS,
    &LINK,
    &LINK_GPIO,
    &LINK_SERIAL,
    &LINK_MQTT,
    &LINK_I2C,
    &LINK_BLE,
    &LINK_NET,
    &DEVICE,
    &DEVICE_GPIO,
    &DEVICE_SERIAL,
    &DEVICE_ZIGBEE,
    &DEVICE_FRIGATE,
    &DEVICE_OWNTRACKS,
    &DEVICE_RTL433,
    &DEVICE_JSON,
    &DEVICE_MAP,
    &DEVICE_I2C,
    &DEVICE_BLE,
    &DEVICE_NET,
    &INACTIVITY,
    &NOT_UP,
    &LEFT_HOME,
    &SILENT,
    &TEST_PRESS,
    &DOOR_AT_NIGHT,
    &BATHROOM_STAY,
    &OUT_OF_BED,
    &VITAL,
    &CLIMATE,
    &MEDICATION,
    &WATER,
    &LOCK,
    &STRANGERS,
    &PERSON_AT_NIGHT,
    &SUPPLY,
    &VOICE,
    &UPSTREAM,
    &WEB,
    &SPEAKER,
    &SATELLITE,
    &CASE,
    &JOURNAL,
    &MODEM,
];
