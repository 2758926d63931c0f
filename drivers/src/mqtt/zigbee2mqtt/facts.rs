//! What a message's properties mean for the kind of device that was configured. Pure.

use anju_model::observation::{
    Air, Battery, Bell, CarbonMonoxide, Climate, Contact, Fall, FallState, Gas, Gesture, Help,
    Leak, Medication, MedicationState, Meter, Motion, Presence, Siren, Smoke, Tamper,
};
use anju_model::{DeviceKind, Fact};
use serde_json::{Map, Value};

use super::Exposes;
use crate::mqtt::value;
use crate::mqtt::voice::calls;

/// One message of one device.
pub struct Reading<'a> {
    /// What it was configured as.
    pub kind: DeviceKind,
    /// What it exposes.
    pub exposes: &'a Exposes,
    /// The message.
    pub fields: &'a Map<String, Value>,
}

/// Properties by which a device says that it is faulty: the trouble bit of a zone (ZCL
/// 8.2.2.2.1.3), the reliability of an input (ZCL 3.14), and what makers add. Some are flags, some
/// are words.
pub const FAULTS: &[&str] = &[
    "device_fault",
    "end_of_life",
    "endoflife",
    "fault",
    "fault_alarm",
    "fault_state",
    "reliability",
    "sensor_fault",
    "trouble",
];

impl Reading<'_> {
    fn flag(&self, name: &str) -> Option<bool> {
        self.exposes.flag(self.fields, name)
    }

    fn number(&self, name: &str, unit: &str) -> Option<f64> {
        self.exposes.number(self.fields, name, unit)
    }

    /// Whether it says that it tests itself; `None` if it does not say.
    pub fn self_test(&self) -> Option<bool> {
        match (self.flag("test"), self.flag("self_test")) {
            (None, None) => None,
            (test, own) => Some(test == Some(true) || own == Some(true)),
        }
    }

    /// All that it states, but locks and what needs a memory. `self_test`: what it feels is a test.
    pub fn facts(&self, self_test: bool) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        facts.extend(self.action());
        self.dangers(self_test, &mut facts);
        self.people(&mut facts);
        facts.extend(self.exposes.open(self.fields).map(|open| Contact { open }.into()));
        facts.extend(self.flag("tamper").map(|tampered| Tamper { tampered }.into()));
        if self.kind == DeviceKind::Siren {
            facts.extend(self.flag("alarm").map(|sounding| Siren { sounding }.into()));
        }
        facts.extend(self.battery().map(Fact::from));
        facts.extend(self.climate().map(Fact::from));
        facts.extend(self.air().map(Fact::from));
        if self.kind == DeviceKind::ElectricityMeter {
            facts.extend(self.meter().map(Fact::from));
        }
        facts
    }

    /// Its own word on whether it is faulty, for each property that tells it: what is wrong, or that
    /// nothing is.
    pub fn faults(&self) -> Vec<(&'static str, Option<String>)> {
        let one = |name: &'static str| Some((name, self.fault(name)?.then(|| self.blames(name))));
        FAULTS.iter().filter_map(|name| one(name)).collect()
    }

    fn fault(&self, name: &str) -> Option<bool> {
        let named = self.exposes.named(name);
        let number = self.fields.get(name).is_some_and(Value::is_number);
        // A number that is not exposed as a flag is a code of its maker.
        if number && named.iter().all(|property| property.value_on.is_none()) {
            return None;
        }
        if let Some(fault) = self.exposes.flag(self.fields, name) {
            return Some(fault);
        }
        match self.exposes.word(self.fields, name)?.to_ascii_lowercase().as_str() {
            "no_fault_detected" | "none" | "normal" | "clear" | "expires_soon" => Some(false),
            "" => None,
            _ if name == "reliability" => Some(true),
            word => (word.contains("fault") || word == "expired").then_some(true),
        }
    }

    fn blames(&self, name: &str) -> String {
        let word = self.exposes.word(self.fields, name).map(value::short);
        let word = word.map(|word| format!(": {word}")).unwrap_or_default();
        format!("it says that it is faulty (`{name}`{word}); look at it, or replace it")
    }

    /// What was done with it: each non-empty action is one event.
    fn action(&self) -> Option<Fact> {
        let action =
            self.exposes.word(self.fields, "action").filter(|action| !action.is_empty())?;
        match self.kind {
            kind if calls(kind) => self.action_help(action).map(Fact::from),
            DeviceKind::Doorbell => (!released(action)).then(|| Bell { rung: true }.into()),
            _ => None,
        }
    }

    fn dangers(&self, self_test: bool, facts: &mut Vec<Fact>) {
        if let Some(alarm) = self.flag("smoke") {
            facts.push(Smoke { alarm, self_test }.into());
        }
        if let Some(alarm) = self.flag("gas") {
            // Aqara has a density, Tuya a value, each of the lower explosive limit.
            let percent_lel = self
                .number("gas_density", "%LEL")
                .or_else(|| self.number("gas_value", "%LEL"))
                .or_else(|| self.number("lel", "%LEL"))
                .or_else(|| self.number("lel", "%"));
            facts.push(Gas { alarm, percent_lel, self_test }.into());
        }
        let ppm = self.number("co", "ppm");
        if let Some(alarm) = self.flag("carbon_monoxide") {
            facts.push(CarbonMonoxide { alarm, ppm, self_test }.into());
        }
        facts.extend(self.flag("water_leak").map(|wet| Leak { wet }.into()));
    }

    fn people(&self, facts: &mut Vec<Fact>) {
        let radar = self.kind == DeviceKind::FallDetector;
        let presence = self.flag("presence");
        facts.extend(presence.map(|present| Presence { present }.into()));
        match self.flag("occupancy") {
            // A radar's occupancy is that somebody is there, also when nobody moves.
            Some(present) if radar && presence.is_none() => {
                facts.push(Presence { present }.into());
            }
            Some(moving) if !radar => facts.push(Motion { moving }.into()),
            _ => {}
        }
        if self.kind == DeviceKind::Motion && self.flag("occupancy").is_none() {
            facts.extend(self.flag("vibration").map(|moving| Motion { moving }.into()));
        }
        facts.extend(self.fall().map(|state| Fall { state }.into()));
    }

    fn fall(&self) -> Option<FallState> {
        match self.exposes.word(self.fields, "fall_down_status") {
            Some("fall") => return Some(FallState::Confirmed),
            Some("maybe_fall") => return Some(FallState::Suspected),
            Some("none") => return Some(FallState::Over),
            _ => {}
        }
        let fallen = self.flag("fall").or_else(|| self.flag("fall_detected"))?;
        Some(if fallen { FallState::Suspected } else { FallState::Over })
    }

    fn battery(&self) -> Option<Battery> {
        let level = self.exposes.word(self.fields, "battery_state");
        let low = self.flag("battery_low").or(match level {
            Some("low") => Some(true),
            Some("medium" | "high") => Some(false),
            _ => None,
        });
        let percent = self.number("battery", "%").filter(|p| (0.0..=100.0).contains(p));
        (percent.is_some() || low.is_some()).then(|| Battery {
            percent,
            low,
            // The voltage of a mains plug has the same name, in volts.
            millivolts: self.number("voltage", "mV").filter(|mv| (500.0..20_000.0).contains(mv)),
        })
    }

    /// Only where the sensor stands in the room's air: a contact tells the warmth of its chip.
    fn climate(&self) -> Option<Climate> {
        use DeviceKind::{AirQuality, Climate as Thermometer, FallDetector, Gas, Motion, Smoke};
        if !matches!(self.kind, Thermometer | AirQuality | Motion | FallDetector | Smoke | Gas) {
            return None;
        }
        let celsius = self.exposes.numbers(self.fields, "temperature");
        let celsius = celsius.first().map(|(degrees, unit)| match unit {
            Some("°F") => (degrees - 32.0) / 1.8,
            _ => *degrees,
        });
        let climate = Climate {
            celsius: celsius.filter(|c| (-60.0..=150.0).contains(c)),
            relative_humidity_percent: self
                .number("humidity", "%")
                .filter(|percent| (0.0..=100.0).contains(percent)),
            hectopascals: self.number("pressure", "hPa"),
            // Before version 2 `illuminance` was no lux.
            lux: self
                .number("illuminance_lux", "lx")
                .or_else(|| self.number("illuminance", "lx"))
                .filter(|lux| *lux >= 0.0),
        };
        (climate != Climate::default()).then_some(climate)
    }

    fn air(&self) -> Option<Air> {
        let amount = |name: &str, unit: &str| self.number(name, unit).filter(|n| *n >= 0.0);
        let air = Air {
            pm1_micrograms_per_cubic_metre: amount("pm1", "µg/m³"),
            pm2_5_micrograms_per_cubic_metre: amount("pm25", "µg/m³"),
            pm10_micrograms_per_cubic_metre: amount("pm10", "µg/m³"),
            co2_ppm: amount("co2", "ppm"),
            voc_ppb: amount("voc", "ppb").or_else(|| Some(amount("voc", "ppm")? * 1e3)),
            formaldehyde_milligrams_per_cubic_metre: amount("formaldehyd", "mg/m³")
                .or_else(|| amount("hcho", "mg/m³")),
        };
        (air != Air::default()).then_some(air)
    }

    /// Sums of all endpoints: several sockets of one strip are one consumer to us.
    fn meter(&self) -> Option<Meter> {
        let sum = |name: &str, kilo: &str| {
            let all = self.exposes.numbers(self.fields, name);
            let one =
                |(n, unit): &(f64, Option<&str>)| if *unit == Some(kilo) { n * 1e3 } else { *n };
            (!all.is_empty()).then(|| all.iter().map(one).sum::<f64>())
        };
        // Energy is in kilowatt hours unless it says otherwise.
        let energy = self.exposes.numbers(self.fields, "energy");
        let watt_hours = |(n, unit): &(f64, Option<&str>)| match unit {
            Some("Wh") => *n,
            _ => n * 1e3,
        };
        let amperes = self.exposes.numbers(self.fields, "current");
        let meter = Meter {
            energy_watt_hours: (!energy.is_empty()).then(|| energy.iter().map(watt_hours).sum()),
            power_watts: sum("power", "kW"),
            voltage_volts: self.number("voltage", "V"),
            current_amperes: (!amperes.is_empty()).then(|| {
                let one = |(n, unit): &(f64, Option<&str>)| match unit {
                    Some("mA") => n / 1e3,
                    _ => *n,
                };
                amperes.iter().map(one).sum()
            }),
            supply_on: self.flag("state"),
            ..Meter::default()
        };
        (meter != Meter::default()).then_some(meter)
    }

    /// What a plug feeds now, watts.
    pub fn watts(&self) -> Option<f64> {
        self.meter()?.power_watts
    }

    /// The radio link, 0 to 255.
    pub fn quality(&self) -> Option<f64> {
        self.fields.get("linkquality").and_then(value::number)
    }

    /// The state of a lid: a contact, or a sensor that feels it shaken.
    pub fn lid(&self) -> Option<bool> {
        self.exposes.open(self.fields).or_else(|| self.flag("vibration"))
    }

    /// A help flag that some buttons have in place of an action.
    pub fn sos(&self) -> Option<bool> {
        self.flag("sos").filter(|_| calls(self.kind))
    }
}

/// A lid that was opened.
pub fn lid_opened() -> Fact {
    Medication { state: MedicationState::Opened }.into()
}

/// Words of the keys that call for help on a keypad or remote of several keys.
const CALLING: &[&str] = &["emergency", "panic", "sos"];

/// Whether an action tells the end of another.
fn released(action: &str) -> bool {
    action.contains("release") || action == "stop" || action.ends_with("_stop")
}

impl Reading<'_> {
    /// Whether it exposes a key of its own to call for help: its other keys then do not.
    fn keypad(&self) -> bool {
        let values = self.exposes.named("action").iter().flat_map(|property| &property.values);
        let mut values = values.map(|value| value.to_ascii_lowercase());
        values.any(|value| CALLING.iter().any(|word| value.contains(word)))
    }

    /// What an action of a help button means. Every action that is not a release or a cancel calls
    /// for help: a button of unknown make must not be mute. Of a keypad only the key for it does,
    /// and to disarm the home is not to call the help off.
    fn action_help(&self, action: &str) -> Option<Help> {
        let action = action.to_ascii_lowercase();
        if released(&action) {
            return None;
        }
        if action.contains("cancel") {
            return Some(Help::cancelled());
        }
        if self.keypad() && !CALLING.iter().any(|word| action.contains(word)) {
            return None;
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
}
