//! What a device exposes, and what its properties mean to us (zigbee2mqtt.io, "Exposes"). The
//! values that mean "on" are the device's own; where it did not say, the documented ones hold.

use std::collections::BTreeMap;

use anju_model::observation::{
    Air, Battery, CarbonMonoxide, Climate, Contact, Fall, FallState, Gas, Gesture, Help, Leak,
    Link, Meter, Motion, Presence, Smoke, Tamper,
};
use anju_model::{DeviceKind, Fact};
use serde_json::{Map, Value, json};

/// One exposed property.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Property {
    /// The value that means "on", for binary properties.
    pub value_on: Option<Value>,
    /// The value that means "off".
    pub value_off: Option<Value>,
    /// Features of a composite property.
    pub features: Vec<String>,
}

/// All properties of a device by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposes {
    properties: BTreeMap<String, Property>,
}

/// Exposes nest: a specific type holds features. Deeper ones are not read.
const DEEPEST: usize = 4;

/// Most properties kept for one device.
const MOST_PROPERTIES: usize = 256;

impl Exposes {
    /// Reads the `exposes` list of a device's definition.
    pub fn read(list: &[Value]) -> Self {
        let mut exposes = Self::default();
        exposes.add(list, 0);
        exposes
    }

    fn add(&mut self, list: &[Value], depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for item in list {
            let features = item.get("features").and_then(Value::as_array);
            if let Some(name) = item.get("property").and_then(Value::as_str)
                && self.properties.len() < MOST_PROPERTIES
            {
                let names = features.into_iter().flatten();
                let property = Property {
                    value_on: item.get("value_on").cloned(),
                    value_off: item.get("value_off").cloned(),
                    features: names
                        .filter_map(|f| f.get("property").and_then(Value::as_str))
                        .map(str::to_owned)
                        .collect(),
                };
                self.properties.insert(name.to_owned(), property);
            }
            if let Some(features) = features
                && item.get("type").and_then(Value::as_str) != Some("composite")
            {
                self.add(features, depth + 1);
            }
        }
    }

    /// Whether a property of the message is on; `None` if it is absent or null, or not a value the
    /// property can have.
    fn on(&self, fields: &Map<String, Value>, name: &str) -> Option<bool> {
        let value = fields.get(name).filter(|value| !value.is_null())?;
        if let Some(property) = self.properties.get(name) {
            if property.value_on.as_ref() == Some(value) {
                return Some(true);
            }
            if property.value_off.as_ref() == Some(value) {
                return Some(false);
            }
        }
        match value {
            Value::Bool(on) => Some(*on),
            Value::String(text) if text.eq_ignore_ascii_case("on") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("off") => Some(false),
            _ => None,
        }
    }

    /// The facts that a device of `kind` states with a message.
    pub fn facts(&self, kind: DeviceKind, fields: &Map<String, Value>) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(help) = self.help(kind, fields) {
            facts.push(help.into());
        }
        let mut binary = |name: &str, make: fn(bool) -> Fact| {
            if let Some(on) = self.on(fields, name) {
                facts.push(make(on));
            }
        };
        binary("smoke", |alarm| Smoke { alarm, self_test: false }.into());
        binary("gas", |alarm| Gas { alarm, percent_lel: None, self_test: false }.into());
        binary("carbon_monoxide", |alarm| {
            CarbonMonoxide { alarm, ppm: None, self_test: false }.into()
        });
        binary("water_leak", |wet| Leak { wet }.into());
        binary("occupancy", |moving| Motion { moving }.into());
        binary("presence", |present| Presence { present }.into());
        binary("tamper", |tampered| Tamper { tampered }.into());
        binary("fall", |fallen| {
            Fall { state: if fallen { FallState::Suspected } else { FallState::Over } }.into()
        });
        if let Some(open) = self.open(fields) {
            facts.push(Contact { open }.into());
        }
        self.readings(fields, &mut facts);
        facts
    }

    /// zigbee2mqtt: `contact` true means closed, so that its exposed "on" value, `false`, is the
    /// open door. Values of other types mean what the device exposes.
    fn open(&self, fields: &Map<String, Value>) -> Option<bool> {
        match fields.get("contact")? {
            Value::Bool(closed) => Some(!closed),
            _ => self.on(fields, "contact"),
        }
    }

    fn help(&self, kind: DeviceKind, fields: &Map<String, Value>) -> Option<Help> {
        let calls = matches!(
            kind,
            DeviceKind::FixedAlarm
                | DeviceKind::PortableAlarm
                | DeviceKind::SmartBadge
                | DeviceKind::SmartCane
                | DeviceKind::SmartWheelchair
        );
        if !calls {
            return None;
        }
        if let Some(action) = fields.get("action").and_then(Value::as_str) {
            return action_help(action);
        }
        (self.on(fields, "sos") == Some(true)).then(Help::pressed)
    }

    fn readings(&self, fields: &Map<String, Value>, facts: &mut Vec<Fact>) {
        let number = |name: &str| fields.get(name).and_then(Value::as_f64);
        let battery = Battery {
            percent: number("battery").filter(|percent| (0.0..=100.0).contains(percent)),
            low: self.on(fields, "battery_low"),
            // The voltage of a mains plug has the same name, in volts.
            millivolts: number("voltage")
                .filter(|_| fields.contains_key("battery") || fields.contains_key("battery_low")),
        };
        if battery.percent.is_some() || battery.low.is_some() {
            facts.push(battery.into());
        }
        let climate = Climate {
            celsius: number("temperature"),
            relative_humidity_percent: number("humidity"),
            hectopascals: number("pressure"),
            lux: number("illuminance"),
        };
        if climate != Climate::default() {
            facts.push(climate.into());
        }
        let air = Air {
            pm2_5_micrograms_per_cubic_metre: number("pm25"),
            pm10_micrograms_per_cubic_metre: number("pm10"),
            co2_ppm: number("co2"),
            voc_ppb: number("voc"),
            formaldehyde_milligrams_per_cubic_metre: number("formaldehyd"),
            ..Air::default()
        };
        if air != Air::default() {
            facts.push(air.into());
        }
        let meter = Meter {
            energy_watt_hours: number("energy").map(|kwh| kwh * 1000.0),
            power_watts: number("power"),
            ..Meter::default()
        };
        if meter != Meter::default() {
            facts.push(meter.into());
        }
        if let Some(quality) = number("linkquality") {
            facts.push(Link { quality: Some(quality), dbm: None }.into());
        }
    }

    /// The payload of `set` that makes a siren sound, or be silent.
    pub fn sound_payload(&self, seconds: Option<u16>) -> Value {
        if self.properties.contains_key("alarm") && !self.properties.contains_key("warning") {
            let property = self.properties.get("alarm").and_then(|p| p.value_on.as_ref());
            let on = property.cloned().unwrap_or(Value::Bool(true));
            let off = if on.is_string() { json!("OFF") } else { json!(false) };
            return json!({"alarm": if seconds.is_some() { on } else { off }});
        }
        match seconds {
            Some(seconds) => json!({"warning":
                {"mode": "emergency", "level": "very_high", "strobe": true, "duration": seconds}}),
            None => json!({"warning": {"mode": "stop", "strobe": false}}),
        }
    }
}

/// What an action of a help button means. Every action that is not a release or a cancel calls for
/// help: a button of unknown make must not be mute.
fn action_help(action: &str) -> Option<Help> {
    if action.is_empty() || action.contains("release") {
        return None;
    }
    if action.contains("cancel") || action.starts_with("disarm") {
        return Some(Help::cancelled());
    }
    let gesture = if action.contains("double") {
        Some(Gesture::Double)
    } else if action.contains("triple") {
        Some(Gesture::Triple)
    } else if action.contains("hold") || action.contains("long") {
        Some(Gesture::Long)
    } else if action.contains("single") {
        Some(Gesture::Short)
    } else {
        None
    };
    Some(Help { gesture, ..Help::pressed() })
}
