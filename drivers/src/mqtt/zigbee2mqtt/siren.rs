//! Sirens behind zigbee2mqtt: the message that makes one sound as it exposes, and whether it obeyed.
//! A siren that publishes its alarm must confirm; one that only takes warnings (the IAS Warning
//! Device cluster) obeyed unless the bridge logs that it failed. It must never be asked to sound for
//! longer than it can.

use std::time::Duration;

use anju_model::DeviceId;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Exposes;
use crate::mqtt::dialect::Answer;

/// A siren that confirms has this long; the box asks for an answer within 10 s.
const CONFIRM: Duration = Duration::from_secs(8);

/// The bridge logs a failure within this time, or later than anybody waits.
const COMPLAIN: Duration = Duration::from_secs(2);

/// Longest sounding, seconds (IAS Warning Device).
pub const LONGEST: u16 = 1800;

/// The mode in which a warning device makes no sound.
const SILENT: &str = "stop";

/// Whether a siren publishes what it is told by this payload, so that it shows that it obeyed.
pub fn confirms(exposes: &Exposes, payload: &Value) -> bool {
    let told = |name: &str| {
        exposes.named(name).iter().any(|p| !p.published && payload.get(&p.property).is_some())
    };
    payload.get("warning").is_none() && !told("alarm") && !told("state")
}

/// The payload of `set` that makes a siren sound, or be silent.
pub fn payload(exposes: &Exposes, seconds: Option<u16>) -> Value {
    let seconds = seconds.map(|seconds| seconds.min(LONGEST));
    let warning = exposes.named("warning").first();
    if let (Some(alarm), None) = (exposes.named("alarm").first(), warning) {
        let on = alarm.value_on.clone().unwrap_or(Value::Bool(true));
        let off = alarm.value_off.clone().unwrap_or(match on {
            Value::String(_) => json!("OFF"),
            _ => json!(false),
        });
        let mut payload = Map::new();
        if let (Some(seconds), Some(duration)) =
            (seconds, exposes.named("duration").first().filter(|p| p.settable))
        {
            let minutes = duration.unit.as_deref().is_some_and(|unit| unit.starts_with("min"));
            // What is told in minutes sounds rather for too long than for too short.
            let time = if minutes { seconds.div_ceil(60) } else { seconds };
            let most = duration.value_max.unwrap_or(f64::from(LONGEST));
            payload.insert(duration.property.clone(), json!(f64::from(time).min(most) as u16));
        }
        payload.insert(alarm.property.clone(), if seconds.is_some() { on } else { off });
        return Value::Object(payload);
    }
    let mut features = Map::new();
    let takes = |name: &str| warning.is_none_or(|w| w.features.iter().any(|f| f.property == name));
    let word = |name: &str, wanted: &str| {
        let values = warning?.features.iter().find(|f| f.property == name).map(|f| &f.values)?;
        // A make that has other words gets its own last, which is its loudest.
        (!values.is_empty() && !values.iter().any(|v| v == wanted))
            .then(|| values.iter().rfind(|v| *v != SILENT).cloned())?
    };
    let mode = if seconds.is_some() {
        word("mode", "emergency").unwrap_or_else(|| "emergency".to_owned())
    } else {
        SILENT.to_owned()
    };
    features.insert("mode".into(), json!(mode));
    if takes("level") && seconds.is_some() {
        let level = word("level", "very_high").unwrap_or_else(|| "very_high".to_owned());
        features.insert("level".into(), json!(level));
    }
    if takes("strobe") {
        features.insert("strobe".into(), json!(seconds.is_some()));
    }
    if let Some(seconds) = seconds {
        features.insert("duration".into(), json!(seconds));
    }
    json!({ "warning": features })
}

/// An order whose end is not known yet.
#[derive(Debug)]
struct Pending {
    device: DeviceId,
    sounding: bool,
    confirms: bool,
    until: Instant,
}

/// The orders under way.
#[derive(Debug, Default)]
pub struct Orders {
    pending: Vec<Pending>,
    ended: Vec<Answer>,
}

impl Orders {
    /// Begins to wait; an earlier order to the same siren has ended by that.
    pub fn begin(&mut self, device: &DeviceId, sounding: bool, confirms: bool, now: Instant) {
        self.end(device, Err("another order followed".to_owned()));
        let until = now + if confirms { CONFIRM } else { COMPLAIN };
        self.pending.push(Pending { device: device.clone(), sounding, confirms, until });
    }

    fn end(&mut self, device: &DeviceId, result: Result<(), String>) {
        if let Some(at) = self.pending.iter().position(|p| p.device == *device) {
            let device = self.pending.swap_remove(at).device;
            self.ended.push(Answer { device, result });
        }
    }

    /// The siren says whether it sounds.
    pub fn says(&mut self, device: &DeviceId, sounding: bool) {
        if self.pending.iter().any(|p| p.device == *device && p.sounding == sounding) {
            self.end(device, Ok(()));
        }
    }

    /// The bridge could not make it obey. Returns whether somebody still waits to hear that.
    pub fn failed(&mut self, device: &DeviceId, reason: &str) -> bool {
        let waits = self.pending.iter().any(|p| p.device == *device);
        self.end(device, Err(reason.to_owned()));
        waits
    }

    /// Orders that have ended by now.
    pub fn answers(&mut self, now: Instant) -> Vec<Answer> {
        while let Some(at) = self.pending.iter().position(|p| p.until <= now) {
            let pending = self.pending.swap_remove(at);
            let result = if pending.confirms {
                Err("it did not confirm; look for its power and its radio link".to_owned())
            } else {
                Ok(())
            };
            self.ended.push(Answer { device: pending.device, result });
        }
        std::mem::take(&mut self.ended)
    }

    /// When the next one ends by itself.
    pub fn due(&self) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.until).min()
    }
}

#[derive(Deserialize)]
struct Logged {
    level: String,
    message: String,
}

/// Reads `bridge/logging`: the name of the device whose `set` failed, and why.
pub fn failure(payload: &[u8]) -> Option<(String, String)> {
    let logged: Logged = serde_json::from_slice(payload).ok()?;
    if logged.level != "error" || !logged.message.starts_with("Publish 'set'") {
        return None;
    }
    let (name, reason) = logged.message.split_once(" to '")?.1.split_once("' failed")?;
    let reason = reason.trim_start_matches([':', ' ']);
    Some((name.to_owned(), reason.chars().filter(|c| !c.is_control()).take(200).collect()))
}
