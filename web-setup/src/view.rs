//! What the page wants to know of the box: one trait that the daemon implements, and plain data.
//! Nothing here can change the box. Times are given as ages too, because a box without a clock
//! still knows how long ago something was.

use anju_model::{
    AlertId, BoxId, Class, Clock, ContactId, DeviceId, DeviceKind, Fact, Language, LinkId,
    PersonId, RoomId, Rule,
};
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::metrics::Metric;

/// The box as the page sees it. Every answer is a copy that is ready at once: an implementation
/// must never wait for a disk, a device or a network here.
pub trait BoxView: Send + Sync + 'static {
    /// Everything that the page shows.
    fn status(&self) -> Status;
    /// A number that changes whenever the status did. The page asks for the status again then.
    fn changes(&self) -> watch::Receiver<u64>;
    /// What would happen if `rule` judged at that time of day next; `None` until the box guards.
    fn plan(&self, at: civil::Time, rule: &Rule) -> Option<Plan>;
    /// Figures for monitoring.
    fn metrics(&self) -> Vec<Metric>;
    /// Whether the box guards, and its parts.
    fn health(&self) -> Health;
}

/// How long ago something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ago {
    /// Seconds, on the box's monotonic line of time.
    pub seconds: u64,
    /// The moment, where the clock was known.
    pub at: Option<Timestamp>,
}

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// The box.
    pub box_id: BoxId,
    /// Version of the program.
    pub version: String,
    /// The household's language; a reader's own goes first.
    pub language: Language,
    /// The household's zone, a name of the IANA database.
    pub timezone: String,
    /// The wall clock now.
    pub now: Timestamp,
    /// What is known of the wall clock.
    pub clock: Clock,
    /// Since when the home is guarded; `None` while it is not.
    pub guarding_since: Option<Ago>,
    /// Who lives here.
    pub persons: Vec<Person>,
    /// Who is at home.
    pub occupancy: Occupancy,
    /// The last evidence of a person.
    pub last_activity: Option<Activity>,
    /// Open alerts, in any order; the page sorts them.
    pub alerts: Vec<Alert>,
    /// The devices in the order of the configuration.
    pub devices: Vec<Device>,
    /// The links.
    pub links: Vec<Link>,
    /// The ways to people.
    pub channels: Vec<Channel>,
    /// The record.
    pub journal: Journal,
    /// The way to the centre, if there is one.
    pub upstream: Option<Upstream>,
    /// The links into the Internet.
    pub uplinks: Uplinks,
    /// What is watched for, and what is not.
    pub rules: Vec<Watch>,
    /// The kinds of the base kit of which the home has no device that counts.
    pub kit_missing: Vec<DeviceKind>,
    /// Parts of the configuration that can not be used: `FILE:LINE:COL: what is wrong; the mend`.
    pub config_faults: Vec<String>,
}

/// Somebody who lives here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Person {
    /// Identifier.
    pub id: PersonId,
    /// The name people use.
    pub name: String,
}

/// Who is at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Occupancy {
    /// What the box believes.
    pub state: OccupancyState,
    /// Since when, where known.
    pub since: Option<Ago>,
    /// The announced end of an absence.
    pub until: Option<Timestamp>,
}

/// What the box believes about who is at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OccupancyState {
    /// Somebody is at home.
    AtHome,
    /// Somebody is at home and has a visitor.
    Visitor,
    /// Probably nobody is at home.
    Out,
    /// Nobody is expected until a date.
    Away,
    /// Nobody can tell.
    Unsure,
}

/// The last evidence of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Activity {
    /// When.
    pub ago: Ago,
    /// The name of the device that saw it.
    pub device: String,
    /// Where.
    pub room: Option<RoomId>,
}

/// One open alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert {
    /// Which.
    pub id: AlertId,
    /// How grave.
    pub class: Class,
    /// Name of the rule that judged.
    pub rule: String,
    /// One sentence for people, in the household's language.
    pub text: String,
    /// Where it stands.
    pub stage: AlertStage,
    /// When it was raised.
    pub raised: Ago,
    /// How many messages it stands for; at least 1.
    pub count: u32,
    /// A test.
    pub test: bool,
    /// The device's name, where it is about one.
    pub device: Option<String>,
    /// Where.
    pub room: Option<RoomId>,
    /// Who accepted or arrived, by name.
    pub helpers: Vec<Helper>,
}

/// Where an open alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertStage {
    /// Help is searched for.
    Searching,
    /// Cancelled by the person; somebody is searched for who calls back.
    Cancelled,
    /// Somebody comes.
    Accepted,
    /// Somebody is there.
    Arrived,
}

/// Somebody who took an alert on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Helper {
    /// The name people use.
    pub name: String,
    /// Minutes until arrival, as promised.
    pub minutes: Option<u32>,
    /// Already there.
    pub arrived: bool,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// The name people use.
    pub name: String,
    /// Its kind.
    pub kind: DeviceKind,
    /// It is a wired alarm whose cable nobody supervises.
    pub unsupervised: bool,
    /// Where it stands.
    pub room: Option<RoomId>,
    /// The link it hangs on.
    pub link: LinkId,
    /// Whether it can be relied on now.
    pub presence: Presence,
    /// When it was last heard from.
    pub last_heard: Option<Ago>,
    /// Battery, per cent.
    pub battery_percent: Option<u8>,
    /// The battery is low.
    pub battery_low: bool,
    /// Quality of the radio link, per cent.
    pub link_quality_percent: Option<u8>,
    /// What it last said of each thing it tells, the newest first. Shown as current only while
    /// `presence` is online.
    pub readings: Vec<Reading>,
}

/// Whether a device can be relied on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Heard in time, or wired and in order.
    Online,
    /// Lost: silent for too long, or its link is down.
    Offline,
    /// Never heard since the box began.
    NeverHeard,
    /// No driver serves it.
    NotServed,
}

/// What a device last said of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The fact.
    pub fact: Fact,
    /// When the box heard it.
    pub ago: Ago,
    /// Known at start, from a broker's memory or a line's level: how old it is nobody knows.
    pub baseline: bool,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ReadingWire<'a> {
    /// Which fact, as in the type `cn.anju.observation.<what>`.
    what: &'static str,
    /// The fact's own fields, as in that event.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    fact: &'a Fact,
    /// When the box heard it.
    ago: Ago,
    /// Known at start: how old it is nobody knows.
    baseline: bool,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Reading {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reading".into()
    }

    fn json_schema(of: &mut schemars::SchemaGenerator) -> schemars::Schema {
        ReadingWire::json_schema(of)
    }
}

impl Serialize for Reading {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { fact, ago, baseline } = self;
        ReadingWire { what: fact.what(), fact, ago: *ago, baseline: *baseline }
            .serialize(serializer)
    }
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link {
    /// Which.
    pub id: LinkId,
    /// `gpio`, `serial`, `mqtt`, ...
    pub kind: String,
    /// It works.
    pub up: bool,
    /// Why not, in words.
    pub reason: Option<String>,
}

/// The links into the Internet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Uplinks {
    /// Why the box does not choose among them; absent while it does.
    pub unmanaged: Option<String>,
    /// Those that stand.
    pub links: Vec<Uplink>,
}

/// One link into the Internet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Uplink {
    /// Its network interface.
    pub interface: String,
    /// `ethernet`, `wifi` or `mobile`.
    pub kind: String,
    /// Whether a server of the box answers over it; absent while that is not known.
    pub reaches: Option<bool>,
    /// Why not, in words.
    pub reason: Option<String>,
    /// What leaves goes by it.
    pub preferred: bool,
}

/// One way to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Channel {
    /// `speaker`, `ntfy`, ...
    pub name: String,
    /// The contact's name, where it is about one.
    pub contact: Option<String>,
    /// When it last reached its human or far side.
    pub proved: Option<Ago>,
    /// When the box last made sure of it as far as it can without waking anybody.
    pub checked: Option<Ago>,
    /// When its human last answered over it.
    pub answered: Option<Ago>,
    /// What went wrong the last time, if it did after that.
    pub failing: Option<String>,
}

/// What would happen if a rule judged at a time of day, and nobody answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// The time of day, `HH:MM`, in the household's zone.
    pub at: String,
    /// On which day, `YYYY-MM-DD`.
    pub on: String,
    /// Name of the rule.
    pub rule: String,
    /// How grave what it raises would be, at most.
    pub class: Class,
    /// Who is tried within the hour, in the order in which they are tried for the first time.
    pub tries: Vec<Try>,
}

/// One contact of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Try {
    /// Seconds without an answer after which they are tried; 0 is at once.
    pub after_seconds: u64,
    /// Who.
    pub contact: ContactId,
    /// The name people use.
    pub name: String,
    /// Minutes they need to get here, if known.
    pub minutes_away: Option<u32>,
    /// Over what, all at once, each with its last proof.
    pub ways: Vec<Channel>,
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Journal {
    /// New entries become durable.
    pub recording: bool,
    /// Why not, in words.
    pub reason: Option<String>,
    /// Epoch of the numbers.
    pub epoch: u64,
    /// Number of the newest entry.
    pub newest_seq: u64,
    /// Number of the newest entry that is durable.
    pub durable_seq: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// The way to the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Upstream {
    /// The session stands.
    pub connected: bool,
    /// Since when it does or does not.
    pub since: Option<Ago>,
    /// Why not, in words.
    pub reason: Option<String>,
    /// Entries not yet acknowledged.
    pub backlog: u64,
    /// Alert entries among them.
    pub alert_backlog: u64,
}

/// Something that is watched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Watch {
    /// Name of the rule.
    pub rule: String,
    /// Whether it watches.
    pub standing: Standing,
    /// Why less than it could.
    pub why: Option<Words>,
}

/// Whether a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It watches.
    Active,
    /// It watches, but not all it could.
    Limited,
    /// It does not watch.
    Off,
}

/// The same words in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Words {
    /// In Chinese.
    #[serde(rename = "zh-CN")]
    pub zh_cn: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Words {
    /// In a language.
    pub const fn get(self, language: Language) -> &'static str {
        match language {
            Language::ZhCn => self.zh_cn,
            Language::En => self.en,
        }
    }
}

/// Whether the box guards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// Rules run on what devices say.
    pub guarding: bool,
    /// The parts.
    pub parts: Vec<Part>,
}

/// One part of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// `journal`, `guard`, `speaker`, `upstream`, a link's id, ...
    pub name: String,
    /// It works.
    pub ok: bool,
    /// In words.
    pub detail: String,
}
