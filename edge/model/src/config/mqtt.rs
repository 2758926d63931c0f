//! How devices are found behind a broker, by its dialect, and the zones that locators tell of.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::observation::Form;

/// A circle on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Identifier; `home` for the home itself.
    pub id: String,
    /// WGS 84, degrees north.
    pub latitude: f64,
    /// WGS 84, degrees east.
    pub longitude: f64,
    /// Metres.
    pub radius: f64,
}

/// A device that zigbee2mqtt paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttBinding {
    /// IEEE address (`0x…`, lower case) or friendly name.
    pub address: String,
    /// From this power on, in watts, what a plug feeds counts as on.
    pub on_watts: u32,
}

/// A camera that Frigate watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrigateBinding {
    /// Frigate's name of the camera.
    pub camera: String,
    /// What people are told from.
    pub source: FrigateSource,
    /// Least score of a tracked object, per cent.
    pub min_score: u8,
    /// Frigate's zones that count; empty if the whole picture does.
    pub zones: Vec<String>,
}

/// What Frigate tells people from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrigateSource {
    /// `events`: tracked objects.
    Events,
    /// `reviews`: review items of Frigate 0.14 and newer.
    Reviews,
}

/// A phone or tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTracksBinding {
    /// `USER/DEVICE`, as in its topic.
    pub address: String,
    /// A position older than this on arrival does not count.
    pub fix_within: Duration,
}

/// A 433 or 868 MHz device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtl433Binding {
    /// The decoder's name of the model.
    pub model: String,
    /// The device's id as text.
    pub id: String,
    /// Fields and values that a press must hold.
    pub press: Vec<(String, String)>,
}

/// Whatever publishes JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonBinding {
    /// Its own topic, below the link's base topic.
    pub topic: String,
    /// What its messages mean.
    pub rows: Vec<JsonRow>,
}

/// One field of a device's messages and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonRow {
    /// The topic, below the link's base topic.
    pub topic: String,
    /// JSON pointer; empty for the whole payload.
    pub pointer: String,
    /// The `what` of the fact.
    pub what: String,
    /// The field of the fact.
    pub field: String,
    /// What the field may hold.
    pub form: Form,
    /// Where its value comes from.
    pub source: JsonSource,
    /// Whether only a change counts.
    pub on_change: bool,
}

/// Where a row's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonSource {
    /// It is fixed.
    Fixed(Value),
    /// The device's words mean these.
    Words(BTreeMap<String, Value>),
    /// The device's value as it is, numbers scaled and kept in their range.
    Plain {
        /// Factor.
        scale: f64,
        /// Added after that.
        offset: f64,
        /// Smaller numbers are no reading.
        min: Option<f64>,
        /// Larger numbers are no reading.
        max: Option<f64>,
    },
}
