//! What the box itself did and saw: its starts, its clock, its power and network, what retention
//! shed, what it was told. Facts like observations, but about the box.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The charge of a device's battery at some time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OldCharge {
    /// How long ago, whole days.
    pub days: u32,
    /// Charge then, per cent.
    pub percent: f64,
}

/// What was known of who is at home at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OldHome {
    /// For how long nothing was seen of a person, seconds.
    pub quiet_seconds: u64,
    /// The entry since which.
    pub quiet_entry: String,
    /// Whether a person had been seen at all.
    pub seen: bool,
    /// `at-home`, `visitor`, `out`, `away` or `unsure`.
    pub occupancy: String,
    /// Several live here, and all of them may be out.
    pub all_may_be_out: bool,
    /// The entry that told of `out` or `away`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// For how long the home has been `out`, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_seconds: Option<u64>,
    /// Until when it is `away`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

macro_rules! events {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// One event of the box.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum BoxEvent {
            $($(#[doc = $doc])* $variant { $($(#[$fdoc])* #[serde(skip_serializing_if = "crate::box_event::absent")] $field: $type,)* },)*
        }

        impl BoxEvent {
            /// Every event's name.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The last part of the type `cn.anju.box.<name>`.
            pub const fn name(&self) -> &'static str {
                match self { $(BoxEvent::$variant { .. } => $name,)* }
            }

            /// Reads the `data` of an entry of type `cn.anju.box.<name>`.
            ///
            /// # Errors
            /// `None` for a name this version does not know; an error when a known one is malformed.
            pub fn from_data(name: &str, data: &Map<String, Value>) -> Result<Option<Self>, serde_json::Error> {
                match name {
                    $($name => {
                        #[derive(Deserialize)]
                        struct Fields { $($field: $type,)* }
                        #[allow(unused_variables)]
                        let fields = Fields::deserialize(data)?;
                        Ok(Some(BoxEvent::$variant { $($field: fields.$field,)* }))
                    })*
                    _ => Ok(None),
                }
            }

            /// The JSON Schema of what belongs to each, by its name.
            #[cfg(feature = "schema")]
            pub fn schemas(of: &mut schemars::SchemaGenerator) -> Vec<crate::schema::Part> {
                vec![$({
                    #[derive(schemars::JsonSchema)]
                    #[allow(dead_code, reason = "only its shape is used")]
                    struct Fields { $($(#[$fdoc])* $field: $type,)* }
                    let optional: &[(&str, bool)] =
                        &[$((stringify!($field), <$type as Absent>::OPTIONAL)),*];
                    let optional: Vec<&str> = optional
                        .iter()
                        .filter_map(|(name, optional)| optional.then_some(*name))
                        .collect();
                    let schema = <Fields as schemars::JsonSchema>::json_schema(of);
                    crate::schema::Part {
                        name: $name,
                        doc: concat!($($doc),*).trim(),
                        schema: crate::schema::with_optional(schema, &optional),
                    }
                }),*]
            }
        }
    };
}

/// Whether a field can be left out, and is.
trait Absent {
    /// Whether the type allows it.
    #[cfg_attr(not(feature = "schema"), allow(dead_code, reason = "only schemas tell of it"))]
    const OPTIONAL: bool;

    fn absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    const OPTIONAL: bool = true;

    fn absent(&self) -> bool {
        self.is_none()
    }
}

macro_rules! always_present {
    ($($type:ty),*) => { $(impl Absent for $type {
            const OPTIONAL: bool = false;

            fn absent(&self) -> bool { false }
        })* };
}
always_present!(String, bool, u64, i64, u32, Vec<String>, BTreeMap<String, u64>);

fn absent<T: Absent>(value: &T) -> bool {
    value.absent()
}

events! {
    /// The daemon started.
    Boot = "boot" {
        /// Version of the program.
        version: String,
        /// Whether the last stop was clean.
        clean: bool,
        /// The last entry known durable before this start.
        durable: Option<u64>,
    }
    /// The daemon stopped cleanly.
    Stop = "stop" {
        /// Why.
        reason: String,
    }
    /// The wall clock was set.
    Clock = "clock" {
        /// New minus old, milliseconds.
        jump_ms: i64,
        /// What is known of it now: `synchronised`, `estimated`, `unknown`.
        state: String,
    }
    /// Mains power.
    Power = "power" {
        /// Mains present.
        mains: bool,
    }
    /// An uplink, all of them, or the centre.
    Network = "network" {
        /// Which: `upstream` is the centre, `uplinks` all links together; any other is the network
        /// interface of one link.
        link: String,
        /// Reached, or, of a link, whether anything is reached over it.
        up: bool,
        /// Why not.
        reason: Option<String>,
        /// What kind of link: `ethernet`, `wifi` or `mobile`.
        kind: Option<String>,
        /// Present where the choice of link changed: whether what leaves goes by this one now.
        preferred: Option<bool>,
    }
    /// The configuration was read.
    Config = "config" {
        /// SHA-like digest of the text, to tell versions apart.
        digest: String,
        /// Parts that could not be used.
        faults: u64,
    }
    /// Numbers that were shed, or may have been lost, and will not come.
    Gap = "gap" {
        /// Epoch of the numbers.
        of_epoch: u64,
        /// First number.
        from: u64,
        /// Last number.
        to: u64,
        /// `retention`, `overflow`, `unclean-stop`, `refused`.
        reason: String,
    }
    /// A part of the box broke or works again.
    Fault = "fault" {
        /// Which part.
        part: String,
        /// Broken now.
        active: bool,
        /// In words.
        reason: String,
    }
    /// The household is away, or back.
    Away = "away" {
        /// Until when; absent means back.
        until: Option<Timestamp>,
        /// Who said so.
        by: String,
    }
    /// A command was carried out or refused.
    Command = "command" {
        /// The command's id.
        id: String,
        /// Its name.
        name: String,
        /// Who sent it.
        by: String,
        /// Why it was refused, if it was.
        error: Option<String>,
    }
    /// What the guard must remember for longer than entries are kept or read back.
    Life = "life" {
        /// How long this home has been watched, seconds: what rules on trial count.
        watched_seconds: u64,
        /// How long ago, in watched seconds, each device that calls for help was last pressed.
        untested_seconds: BTreeMap<String, u64>,
        /// What the battery of a device was at long ago, from which its end is predicted.
        batteries: Option<BTreeMap<String, OldCharge>>,
        /// How long ago, in watched seconds, each device was heard last, or since when it is waited
        /// for, where that is an hour or more or it was never heard.
        unheard_seconds: Option<BTreeMap<String, u64>>,
        /// Who was at home, as far as it could be told.
        home: Option<Box<OldHome>>,
    }
    /// A way to people was proved, or could not be.
    Proof = "proof" {
        /// Over what: `ntfy`, `mail`, ...; `all` where a contact is asked over all their ways.
        channel: String,
        /// Whom, where their human was asked.
        contact: Option<String>,
        /// `quiet`: nobody noticed; `human`: a test that asks for an answer.
        how: String,
        /// `asked`, `proved`, `failed`. Of a test, the entry with `asked` gives it its name.
        result: String,
        /// Why it failed.
        reason: Option<String>,
    }
    /// What is known of the ways to people for longer than entries are kept or read back.
    Reach = "reach" {
        /// Ages, seconds: `checked/<channel>`, `reached/<channel>/<contact>`,
        /// `replied/<channel>/<contact>`; `known/`, `asked/` and `answered/` with a contact.
        seconds: BTreeMap<String, u64>,
    }
    /// The box's own figures, told now and then.
    Health = "health" {
        /// Charge of the battery, per cent.
        battery_percent: Option<u64>,
        /// How long the battery would last from now on, minutes.
        battery_minutes: Option<u64>,
        /// What the battery holds when full, milliwatt hours.
        battery_milliwatt_hours: Option<u64>,
        /// The hottest part, tenths of a degree Celsius.
        decicelsius: Option<i64>,
        /// Life that the storage has used up, per cent, as it says itself.
        storage_used_percent: Option<u64>,
        /// Bytes written to the storage since the kernel started.
        written_bytes: Option<u64>,
    }
    /// The modem has another SIM card, its way out was lost or is back, or something was done to
    /// bring it back.
    Modem = "modem" {
        /// Why nothing can leave through it; absent while it works.
        trouble: Option<String>,
        /// The SIM card's own number (ICCID, ITU-T E.118).
        sim: Option<String>,
        /// The network's name.
        operator: Option<String>,
        /// The radio technology in use, such as `lte`.
        technology: Option<String>,
        /// Signal as the modem reports it, per cent.
        signal_percent: Option<u64>,
        /// What was done: `redial`, `reset`, `power-cycle` or `reboot`.
        done: Option<String>,
    }
    /// A step of a device's acceptance.
    Acceptance = "acceptance" {
        /// Which device.
        device: String,
        /// Its kind.
        kind: String,
        /// `started`, `passed`, `failed`, `timed-out`, `stopped`.
        result: String,
        /// Which of the acceptance's expectations were met, by name.
        met: Vec<String>,
        /// Which were not.
        missing: Vec<String>,
        /// Who asked for it.
        by: String,
    }
    /// A finding of a rule that runs in the shadow: nobody was called.
    Shadow = "shadow" {
        /// The rule.
        rule: String,
        /// The class it would have had.
        class: String,
        /// The device judged.
        device: Option<String>,
    }
}
