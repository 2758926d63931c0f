//! One message of rtl_433 as facts for the kind of device that was configured. The makes use many
//! fields for the same thing, so that it goes by meaning and not by model. It must never make an
//! alarm of a message in which nothing says alarm: most transmitters report every hour or so that
//! they live. Pure.

use anju_model::observation::{
    Battery, Bell, CarbonMonoxide, Climate, Contact, Gas, Help, Leak, Motion, Smoke, Tamper,
};
use anju_model::{DeviceKind, Fact};
use serde_json::{Map, Value};

use super::VOLATILE;
use crate::mqtt::value::{flag, number, word};
use crate::mqtt::voice::calls;

/// One message.
pub struct Frame<'a>(pub &'a Map<String, Value>);

/// Fields in which the makes say in words what happened (Govee `event`, Kerui `state`, Cavius
/// `text`, Chuango `cmd`, SimpliSafe `extradata`, X10 `event` or `remarks`).
const TOLD_IN: &[&str] =
    &["event", "state", "status", "message", "text", "cmd", "extradata", "remarks"];

/// Inputs of a transmitter with terminals, `OPEN` or `CLOSED` (Interlogix).
const SWITCHES: &[&str] = &["switch1", "switch2", "switch3", "switch4", "switch5"];

/// Words of a message that is about something else than what the detector watches.
const ASIDE: &[&str] = &[
    "battery",
    "button",
    "heartbeat",
    "learn",
    "mute",
    "pair",
    "status",
    "supervis",
    "tamper",
    "test",
    "unknown",
];

/// Words of a detector that feels nothing, or nothing any more.
const CLEAR: &[&str] =
    &["clear", "dry", "no leak", "no motion", "no smoke", "off", "ready", "restore"];

/// Fields that tell who sends and which code, and nothing of how it is. What sends only these has
/// one thing to say, and says it only when it happens (Smoke-GS558, Generic-Motion, EV1527).
const BARE: &[&str] = &[
    "model",
    "subtype",
    "type",
    "id",
    "unit",
    "channel",
    "house_code",
    "code",
    "data",
    "cmd",
    "command",
    "tristate",
    "learn",
    "mic",
    "count",
    "len",
    "num_rows",
    "rows",
    "codes",
    "raw_message",
];

/// What a detector says in flags and words when it feels what it watches.
struct Signs {
    flags: &'static [&'static str],
    words: &'static [&'static str],
}

const MOTION: Signs = Signs {
    flags: &["motion", "alarm"],
    words: &["motion", "movement", "pir", "tripped", "alarm", "zone"],
};

const SMOKE: Signs =
    Signs { flags: &["smoke", "alarm"], words: &["smoke", "fire", "heat", "alarm", "zone"] };

const MONOXIDE: Signs =
    Signs { flags: &["carbon_monoxide", "co_alarm"], words: &["carbon monoxide", "co alarm"] };

const GAS: Signs =
    Signs { flags: &["gas", "gas_alarm", "alarm"], words: &["gas", "alarm", "zone"] };

const LEAK: Signs = Signs {
    flags: &["detect_wet", "leak", "leak_detected", "leakage", "water", "alarm"],
    words: &["leak", "water", "wet", "flood", "alarm", "zone"],
};

impl Frame<'_> {
    fn flag(&self, names: &[&str]) -> Option<bool> {
        let found: Vec<bool> =
            names.iter().filter_map(|name| self.0.get(*name).and_then(flag)).collect();
        (!found.is_empty()).then(|| found.contains(&true))
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(number)
    }

    fn text(&self, name: &str) -> String {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase()
    }

    /// A report that shows only that the transmitter lives.
    fn routine(&self) -> bool {
        let event = self.text("event");
        let quiet = self.flag(&["alarm", "alert", "motion", "panic"]) == Some(false);
        self.flag(&["heartbeat", "learn"]) == Some(true)
            || ["battery", "heartbeat", "supervis", "status"].iter().any(|w| event.contains(w))
            || self.text("state") == "battery"
            // DSC sets the bit when something happened, and else reports how it is.
            || self.number("event") == Some(0.0)
            || (quiet && self.flag(&["supervised", "restore"]) == Some(true))
    }

    /// Whether it is the press that was configured; without one, every message that is no report.
    fn pressed(&self, press: &[(String, String)]) -> bool {
        let holds = |(field, value): &(String, String)| {
            self.0.get(field).and_then(word).as_ref() == Some(value)
        };
        let named = press.iter().any(|(field, _)| field == "event");
        press.iter().all(holds) && (named || !self.routine())
    }

    /// Whether a door is open, as the makes say it.
    fn open(&self) -> Option<bool> {
        if let Some(open) = self.flag(&["contact_open", "reed_open", "opened", "open"]) {
            return Some(open);
        }
        if let Some(closed) = self.flag(&["closed"]) {
            return Some(!closed);
        }
        // SimpliSafe has it in `extradata`, as `Contact Open`.
        let words = ["state", "event", "contact", "extradata"].iter().chain(SWITCHES);
        let words: Vec<String> = words.map(|name| self.text(name)).collect();
        // X10's say which: `door/window open`.
        let words: Vec<&str> =
            words.iter().map(|text| text.rsplit(' ').next().unwrap_or_default()).collect();
        let is = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        if is(&["open", "opened"]) {
            return Some(true);
        }
        if is(&["closed", "close"]) {
            return Some(false);
        }
        // Visonic's decoder was written on a door contact: its alarm is the magnet that is away.
        self.flag(&["alarm"])
    }

    /// What its words say: that it feels something, or that it does not. A message about something
    /// else says neither.
    fn told(&self, words: &[&str]) -> Option<bool> {
        let told: Vec<String> = TOLD_IN.iter().map(|name| self.text(name)).collect();
        let holds = |parts: &[&str]| told.iter().any(|text| parts.iter().any(|p| text.contains(p)));
        if holds(ASIDE) {
            return None;
        }
        if holds(CLEAR) {
            return Some(false);
        }
        holds(words).then_some(true)
    }

    /// Whether it says nothing of how it is.
    fn bare(&self) -> bool {
        let known =
            |name: &String| BARE.contains(&name.as_str()) || VOLATILE.contains(&name.as_str());
        self.0.keys().all(known) && !self.0.get("cmd").is_some_and(Value::is_string)
    }

    /// Whether a detector feels something: by its flag or Honeywell's first loop, else by its words,
    /// else by its input (open is alarm), else because it sends at all and could say nothing else.
    ///
    /// Honeywell's and 2GIG's 345 MHz transmitters have three loops (rtl_433's `honeywell.c`:
    /// `contact_open` 0x80, `reed_open` 0x20, `alarm` 0x10), all of them told in each message, and
    /// many detectors are wired to the first: that the third is quiet must not silence it. The second
    /// is the magnet of a door contact, which a detector lacks.
    fn alarm(&self, signs: &Signs) -> Option<bool> {
        let flag = self.flag(signs.flags);
        if flag == Some(true) || self.flag(&["contact_open"]) == Some(true) {
            return Some(true);
        }
        flag.or_else(|| self.told(signs.words))
            .or_else(|| self.open())
            .or_else(|| (self.bare() && !self.routine()).then_some(true))
    }

    /// Honeywell's PIR sends only when somebody moves, with the fields of the maker's bells.
    fn moving(&self) -> Option<bool> {
        if self.text("subtype") == "pir-motion" {
            return Some(true);
        }
        self.alarm(&MOTION)
    }

    /// What the message says, for a device of this kind.
    pub fn facts(&self, kind: DeviceKind, press: &[(String, String)]) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        match kind {
            kind if calls(kind) && self.pressed(press) => facts.push(Help::pressed().into()),
            DeviceKind::Doorbell if self.pressed(press) => facts.push(Bell { rung: true }.into()),
            DeviceKind::DoorContact | DeviceKind::PillBox => {
                facts.extend(self.open().map(|open| Contact { open }.into()));
            }
            DeviceKind::Motion => {
                facts.extend(self.moving().map(|moving| Motion { moving }.into()));
            }
            DeviceKind::Smoke => {
                let alarm = self.alarm(&SMOKE);
                facts.extend(alarm.map(|alarm| Smoke { alarm, self_test: false }.into()));
            }
            DeviceKind::Gas => {
                let monoxide = self
                    .flag(MONOXIDE.flags)
                    .or_else(|| self.told(MONOXIDE.words).filter(|on| *on));
                if let Some(alarm) = monoxide {
                    facts.push(CarbonMonoxide { alarm, ppm: None, self_test: false }.into());
                } else if let Some(alarm) = self.alarm(&GAS) {
                    facts.push(Gas { alarm, percent_lel: None, self_test: false }.into());
                }
            }
            DeviceKind::WaterLeak => {
                facts.extend(self.alarm(&LEAK).map(|wet| Leak { wet }.into()));
            }
            DeviceKind::Climate => facts.extend(self.climate().map(Fact::from)),
            _ => {}
        }
        facts.extend(self.flag(&["tamper"]).map(|tampered| Tamper { tampered }.into()));
        if let Some(ok) = self.number("battery_ok").filter(|ok| (0.0..=1.0).contains(ok)) {
            // Between the two it is a measured charge.
            let percent = (ok > 0.0 && ok < 1.0).then_some((ok * 100.0).round());
            let low = Some(ok < 0.1);
            facts.push(Battery { percent, low, millivolts: None }.into());
        }
        facts
    }

    fn climate(&self) -> Option<Climate> {
        let fahrenheit = self.number("temperature_F").map(|f| (f - 32.0) / 1.8);
        let celsius = self.number("temperature_C").or(fahrenheit);
        let climate = Climate {
            celsius: celsius.filter(|c| (-60.0..=150.0).contains(c)),
            relative_humidity_percent: self
                .number("humidity")
                .filter(|percent| (0.0..=100.0).contains(percent)),
            hectopascals: self.number("pressure_hPa"),
            lux: self.number("light_lux"),
        };
        (climate != Climate::default()).then_some(climate)
    }
}
