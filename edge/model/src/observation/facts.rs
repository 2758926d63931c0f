//! The facts, one struct for each `what` of the observation types. Units stand in the fields'
//! names. A field that a device does not have is absent, never a made-up zero.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::form::{self, Field, Fields, Form, Formed, fields};

macro_rules! facts {
    ($($(#[doc = $doc:literal])* $variant:ident = $what:literal;)*) => {
        /// One fact; the variant names the observation type.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Fact { $($(#[doc = $doc])* $variant($variant),)* }

        impl Fact {
            /// Every `what`, for documentation and schemas.
            pub const WHATS: &'static [&'static str] = &[$($what),*];

            /// The last part of the type `cn.anju.observation.<what>`.
            pub const fn what(&self) -> &'static str {
                match self { $(Fact::$variant(_) => $what,)* }
            }

            /// Reads the fact of the type `what` out of an entry's data.
            ///
            /// # Errors
            /// When a known fact is malformed. An unknown `what` is `Ok(None)`.
            pub fn from_data(what: &str, data: &Map<String, Value>) -> Result<Option<Self>, serde_json::Error> {
                Ok(Some(match what {
                    $($what => Fact::$variant($variant::deserialize(data)?),)*
                    _ => return Ok(None),
                }))
            }

            /// The fields of the fact of the type `what`; `None` for an unknown one.
            pub fn fields(what: &str) -> Option<Vec<Field>> {
                match what {
                    $($what => Some(<$variant as Fields>::fields()),)*
                    _ => None,
                }
            }

            /// The JSON Schema of each fact, by its `what`.
            #[cfg(feature = "schema")]
            pub fn schemas(of: &mut schemars::SchemaGenerator) -> Vec<crate::schema::Part> {
                vec![$(crate::schema::Part {
                    name: $what,
                    doc: concat!($($doc),*).trim(),
                    schema: <$variant as schemars::JsonSchema>::json_schema(of),
                }),*]
            }
        }

        $(impl From<$variant> for Fact {
            fn from(fact: $variant) -> Fact { Fact::$variant(fact) }
        })*
    };
}

facts! {
    /// A call for help, or its cancelling.
    Help = "help";
    /// Movement seen, or none any more.
    Motion = "motion";
    /// A door, window or lid.
    Contact = "contact";
    /// A fall.
    Fall = "fall";
    /// Smoke.
    Smoke = "smoke";
    /// Burnable gas.
    Gas = "gas";
    /// Carbon monoxide.
    CarbonMonoxide = "carbon_monoxide";
    /// Water where none should be.
    Leak = "leak";
    /// Readings of a meter.
    Meter = "meter";
    /// Somebody or something is there.
    Presence = "presence";
    /// A bed or chair is occupied.
    Bed = "bed";
    /// Vital signs.
    Vital = "vital";
    /// A position or a zone.
    Location = "location";
    /// Medication taken or missed.
    Medication = "medication";
    /// Temperature and humidity of a room.
    Climate = "climate";
    /// Air quality.
    Air = "air";
    /// A lock.
    Lock = "lock";
    /// A doorbell.
    Bell = "bell";
    /// What a camera recognised; never a picture.
    Camera = "camera";
    /// A siren says whether it sounds.
    Siren = "siren";
    /// The box's or an installation's mains and its like switched on or off.
    Power = "power";
    /// A call asked for, answered, ended.
    Call = "call";
    /// The battery of a device.
    Battery = "battery";
    /// The radio link to a device.
    Link = "link";
    /// A case opened or a device removed.
    Tamper = "tamper";
    /// A device was lost or is back.
    Online = "online";
    /// A device says that something in it is wrong.
    Trouble = "trouble";
    /// Who a device says it is, and how it is spoken to.
    Identity = "identity";
}

macro_rules! fact {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
        fields! { $name { $(required $field: $type,)* } }
    };
}

macro_rules! readings {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default)]
        pub struct $name {
            $($(#[$fdoc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }
        fields! { $name { $(optional $field: $type,)* } }
    };
}

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
        impl Formed for $name {
            fn form() -> Form {
                form::words(&[$($name::$variant),*])
            }
        }
    };
}

states! {
    /// What was done with a help button.
    HelpState {
        /// Help is wanted.
        Pressed,
        /// The cancel gesture (a hold of 3 s, or a cancel key).
        Cancelled,
    }
}

states! {
    /// How a button was used.
    Gesture {
        /// One short press.
        Short,
        /// Two short presses.
        Double,
        /// Three short presses.
        Triple,
        /// Held.
        Long,
    }
}

/// A call for help, or its cancelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Help {
    /// Pressed or cancelled.
    pub state: HelpState,
    /// How, where the device tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gesture: Option<Gesture>,
    /// The words heard, for a voice alarm.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phrase: Option<String>,
}

fields! { Help { required state: HelpState, optional gesture: Gesture, optional phrase: String, } }

impl Help {
    /// Help is wanted.
    pub const fn pressed() -> Self {
        Self { state: HelpState::Pressed, gesture: None, phrase: None }
    }

    /// The cancel gesture.
    pub const fn cancelled() -> Self {
        Self { state: HelpState::Cancelled, gesture: None, phrase: None }
    }
}

fact! {
    /// Movement.
    Motion {
        /// Whether something moves.
        moving: bool,
    }
}

fact! {
    /// A door, window or lid.
    Contact {
        /// Open rather than closed.
        open: bool,
    }
}

states! {
    /// How sure a fall is.
    FallState {
        /// Felt by one sensor.
        Suspected,
        /// Sure, or not answered by the person.
        Confirmed,
        /// The person is up again.
        Over,
    }
}

fact! {
    /// A fall.
    Fall {
        /// How sure.
        state: FallState,
    }
}

/// Smoke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Smoke {
    /// Smoke is felt now.
    pub alarm: bool,
    /// The detector's own test button.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_test: bool,
}

fields! { Smoke { required alarm: bool, optional self_test: bool, } }

/// Burnable gas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gas {
    /// Gas is felt now.
    pub alarm: bool,
    /// Per cent of the lower explosive limit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub percent_lel: Option<f64>,
    /// The detector's own test button.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_test: bool,
}

fields! { Gas { required alarm: bool, optional percent_lel: f64, optional self_test: bool, } }

/// Carbon monoxide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CarbonMonoxide {
    /// Felt now, above the detector's limit.
    pub alarm: bool,
    /// Parts per million.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ppm: Option<f64>,
    /// The detector's own test button.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_test: bool,
}

fields! { CarbonMonoxide { required alarm: bool, optional ppm: f64, optional self_test: bool, } }

fact! {
    /// Water where none should be.
    Leak {
        /// Wet now.
        wet: bool,
    }
}

readings! {
    /// Readings of an electricity, water or gas meter.
    Meter {
        /// Import energy since manufacture, watt hours.
        energy_watt_hours: f64,
        /// Active power, watts; negative when feeding in.
        power_watts: f64,
        /// Line voltage, volts.
        voltage_volts: f64,
        /// Current, amperes.
        current_amperes: f64,
        /// Volume since manufacture, litres.
        volume_litres: f64,
        /// Flow, litres an hour.
        flow_litres_per_hour: f64,
        /// The smallest step of the counter, litres or watt hours.
        resolution: f64,
        /// The meter's own leak flag.
        leak: bool,
        /// Whether its valve or relay is open (supply on).
        supply_on: bool,
    }
}

fact! {
    /// Somebody or something is there.
    Presence {
        /// There now.
        present: bool,
    }
}

fact! {
    /// A bed or chair.
    Bed {
        /// Somebody is in it.
        occupied: bool,
    }
}

states! {
    /// A stage of sleep.
    SleepStage {
        /// Awake.
        Awake,
        /// Light sleep.
        Light,
        /// Deep sleep.
        Deep,
        /// Rapid eye movement.
        Rem,
    }
}

readings! {
    /// Vital signs. A reading of a device that is not worn is absent.
    Vital {
        /// Heart beats a minute.
        heart_beats_per_minute: f64,
        /// Breaths a minute.
        breaths_per_minute: f64,
        /// Systolic blood pressure, mmHg.
        systolic_mmhg: f64,
        /// Diastolic blood pressure, mmHg.
        diastolic_mmhg: f64,
        /// Mean arterial pressure, mmHg.
        mean_mmhg: f64,
        /// Oxygen saturation, per cent.
        spo2_percent: f64,
        /// Body temperature, degrees Celsius.
        body_celsius: f64,
        /// Weight, kilograms.
        weight_kilograms: f64,
        /// Body fat, per cent.
        fat_percent: f64,
        /// Steps since midnight.
        steps: u64,
        /// Whether the device is worn.
        worn: bool,
        /// Breathing has stopped for longer than the device's limit.
        apnoea: bool,
        /// Stage of sleep.
        sleep_stage: SleepStage,
    }
}

readings! {
    /// A position or a zone.
    Location {
        /// WGS 84 latitude, degrees north.
        latitude_degrees: f64,
        /// WGS 84 longitude, degrees east.
        longitude_degrees: f64,
        /// Radius of the position's error, metres.
        accuracy_metres: f64,
        /// The zone entered or left.
        zone: String,
        /// Whether the zone was entered (left otherwise).
        entered: bool,
    }
}

states! {
    /// What happened with medication.
    MedicationState {
        /// The box was opened.
        Opened,
        /// Taken in time.
        Taken,
        /// Not taken in time.
        Missed,
    }
}

fact! {
    /// Medication.
    Medication {
        /// What happened.
        state: MedicationState,
    }
}

readings! {
    /// Climate of a room.
    Climate {
        /// Air temperature, degrees Celsius.
        celsius: f64,
        /// Relative humidity, per cent.
        relative_humidity_percent: f64,
        /// Air pressure, hectopascals.
        hectopascals: f64,
        /// Illuminance, lux.
        lux: f64,
    }
}

readings! {
    /// Air quality.
    Air {
        /// Fine dust PM1, micrograms a cubic metre.
        pm1_micrograms_per_cubic_metre: f64,
        /// Fine dust PM2.5, micrograms a cubic metre.
        pm2_5_micrograms_per_cubic_metre: f64,
        /// Fine dust PM10, micrograms a cubic metre.
        pm10_micrograms_per_cubic_metre: f64,
        /// Carbon dioxide, parts per million.
        co2_ppm: f64,
        /// Volatile organic compounds, parts per billion.
        voc_ppb: f64,
        /// Formaldehyde, milligrams a cubic metre.
        formaldehyde_milligrams_per_cubic_metre: f64,
    }
}

readings! {
    /// A lock.
    Lock {
        /// Locked rather than unlocked.
        locked: bool,
        /// Who, as the lock tells it.
        by: String,
        /// Wrong tries in a row.
        wrong_tries: u32,
        /// Opened by force.
        forced: bool,
    }
}

fact! {
    /// A doorbell.
    Bell {
        /// It rings.
        rung: bool,
    }
}

states! {
    /// What a camera recognised.
    Seen {
        /// A person.
        Person,
        /// Movement.
        Motion,
        /// A fall.
        Fall,
    }
}

fact! {
    /// What a camera recognised.
    Camera {
        /// What.
        seen: Seen,
        /// Whether it is there now.
        active: bool,
    }
}

fact! {
    /// A siren.
    Siren {
        /// It sounds.
        sounding: bool,
    }
}

fact! {
    /// Something is switched on or off (a television, a socket).
    Power {
        /// On.
        on: bool,
    }
}

states! {
    /// Steps of a call.
    CallState {
        /// Somebody asks for a call.
        Asked,
        /// Answered.
        Answered,
        /// Cancelled before it was answered.
        Cancelled,
    }
}

fact! {
    /// A call.
    Call {
        /// How far it is.
        state: CallState,
    }
}

readings! {
    /// A battery.
    Battery {
        /// Charge, per cent.
        percent: f64,
        /// The device's own low-battery flag.
        low: bool,
        /// Voltage, millivolts.
        millivolts: f64,
    }
}

readings! {
    /// A radio link.
    Link {
        /// Quality as the device's stack gives it, 0 to 255 for Zigbee's LQI.
        quality: f64,
        /// Received signal strength, dBm.
        dbm: f64,
    }
}

fact! {
    /// A case opened or a device removed.
    Tamper {
        /// Now.
        tampered: bool,
    }
}

/// A device was lost or is back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Online {
    /// Heard.
    pub online: bool,
    /// Why it counts as lost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

fields! { Online { required online: bool, optional reason: String, } }

/// A device says that something in it is wrong (a stuck button, an error register).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trouble {
    /// Wrong now.
    pub active: bool,
    /// What, in words.
    pub reason: String,
}

fields! { Trouble { required active: bool, required reason: String, } }

readings! {
    /// Who a device says it is, and how it is spoken to where that was found by asking.
    Identity {
        /// The protocol, as the configuration names it.
        protocol: String,
        /// Settings of the line, such as `2400 8E1`.
        line: String,
        /// Its address in that protocol.
        address: String,
        /// Its maker.
        maker: String,
        /// Its model.
        model: String,
        /// What its own clock said, in its own civil time.
        device_clock: String,
    }
}
impl Fact {
    /// Whether it says that somebody is in danger now.
    pub const fn is_danger(&self) -> bool {
        match self {
            Self::Smoke(smoke) => smoke.alarm,
            Self::Gas(gas) => gas.alarm,
            Self::CarbonMonoxide(co) => co.alarm,
            Self::Leak(leak) => leak.wet,
            Self::Fall(fall) => !matches!(fall.state, FallState::Over),
            Self::Camera(camera) => matches!(camera.seen, Seen::Fall) && camera.active,
            _ => false,
        }
    }
}
