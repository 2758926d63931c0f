//! rtl_433 (its `-F mqtt` output, `events`): pendants, bells, contacts, detectors and thermometers on
//! 433 and 868 MHz. Nothing is acknowledged on the air, so that each transmission is sent several
//! times; the same content within 2 s is one. It must never take a supervision report for a press.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anju_model::config::Rtl433Binding;
use anju_model::observation::{
    Battery, Bell, CarbonMonoxide, Climate, Contact, Gas, Help, Leak, Motion, Origin, Smoke, Tamper,
};
use anju_model::{DeviceId, DeviceKind, Fact, Observation};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::dialect::{Dialect, Heard, Malformed};
use super::value::{flag, number, word};
use super::voice::{Source, Voice, calls, weight};

/// Repeats of one transmission come within this time.
const REPEATS: Duration = Duration::from_secs(2);

/// Contents remembered of one device.
const MOST_CONTENTS: usize = 8;

/// Receivers remembered.
const MOST_HOSTS: usize = 16;

/// Fields that differ between repeats of one transmission.
const VOLATILE: &[&str] =
    &["time", "mod", "freq", "freq1", "freq2", "rssi", "snr", "noise", "protocol", "description"];

#[derive(Debug)]
struct Transmitter {
    voice: Voice,
    binding: Rtl433Binding,
    recent: VecDeque<(String, Instant)>,
}

/// All configured transmitters.
#[derive(Debug)]
pub struct Rtl433 {
    base: String,
    transmitters: Vec<Transmitter>,
    /// The receivers, and which of them run.
    hosts: BTreeMap<String, bool>,
}

/// One message.
struct Frame<'a>(&'a Map<String, Value>);

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
            || (quiet && self.flag(&["supervised", "restore"]) == Some(true))
    }

    fn matches(&self, press: &[(String, String)]) -> bool {
        press.iter().all(|(field, value)| self.0.get(field).and_then(word).as_ref() == Some(value))
    }

    /// Whether a door is open, as the makes say it.
    fn open(&self) -> Option<bool> {
        if let Some(open) = self.flag(&["contact_open", "reed_open", "opened", "open"]) {
            return Some(open);
        }
        if let Some(closed) = self.flag(&["closed"]) {
            return Some(!closed);
        }
        let words: Vec<String> =
            ["state", "switch1", "switch2", "switch3", "switch4", "switch5", "event", "contact"]
                .iter()
                .map(|name| self.text(name))
                .collect();
        let is = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        if is(&["open", "opened"]) {
            return Some(true);
        }
        is(&["closed", "close"]).then_some(false)
    }

    /// Whether a detector that may only ever send when it feels something does.
    fn alarm(&self, names: &[&str]) -> Option<bool> {
        self.flag(names).or_else(|| (!self.routine()).then_some(true))
    }

    fn facts(&self, kind: DeviceKind, press: &[(String, String)]) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        let pressed = !self.routine() && self.matches(press);
        match kind {
            kind if calls(kind) && pressed => facts.push(Help::pressed().into()),
            DeviceKind::Doorbell if pressed => facts.push(Bell { rung: true }.into()),
            DeviceKind::DoorContact | DeviceKind::PillBox => {
                facts.extend(self.open().map(|open| Contact { open }.into()));
            }
            DeviceKind::Motion => {
                let moving = self.alarm(&["motion", "alarm"]);
                facts.extend(moving.map(|moving| Motion { moving }.into()));
            }
            DeviceKind::Smoke => {
                let alarm = self.alarm(&["smoke", "alarm"]);
                facts.extend(alarm.map(|alarm| Smoke { alarm, self_test: false }.into()));
            }
            DeviceKind::Gas => {
                if let Some(alarm) = self.flag(&["carbon_monoxide", "co_alarm"]) {
                    facts.push(CarbonMonoxide { alarm, ppm: None, self_test: false }.into());
                } else if let Some(alarm) = self.alarm(&["gas", "alarm"]) {
                    facts.push(Gas { alarm, percent_lel: None, self_test: false }.into());
                }
            }
            DeviceKind::WaterLeak => {
                let wet = self.alarm(&["detect_wet", "leak", "water", "alarm"]);
                facts.extend(wet.map(|wet| Leak { wet }.into()));
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

impl Transmitter {
    /// Whether the same content came just before.
    fn repeats(&mut self, fields: &Map<String, Value>, now: Instant) -> bool {
        self.recent.retain(|(_, at)| now.saturating_duration_since(*at) < REPEATS);
        let kept = fields.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
        let content: String = kept.map(|(name, value)| format!("{name}={value};")).collect();
        if self.recent.iter().any(|(before, _)| *before == content) {
            return true;
        }
        if self.recent.len() >= MOST_CONTENTS {
            self.recent.pop_front();
        }
        self.recent.push_back((content, now));
        false
    }
}

impl Rtl433 {
    /// Transmitters heard by the receivers below `base`.
    pub fn new(base: &str, devices: Vec<(Origin, Rtl433Binding)>) -> Self {
        let transmitter = |(origin, binding)| Transmitter {
            voice: Voice::new(origin),
            binding,
            recent: VecDeque::new(),
        };
        let transmitters = devices.into_iter().map(transmitter).collect();
        Self { base: base.to_owned(), transmitters, hosts: BTreeMap::new() }
    }

    /// One receiver that runs is enough.
    fn available(&mut self, host: &str, online: bool) -> Vec<Observation> {
        if self.hosts.len() < MOST_HOSTS || self.hosts.contains_key(host) {
            self.hosts.insert(host.to_owned(), online);
        }
        let any = self.hosts.values().any(|online| *online);
        let reason = "rtl_433 is not running";
        let reach = |t: &mut Transmitter| t.voice.reach(Source::Bridge, any, reason);
        self.transmitters.iter_mut().filter_map(reach).collect()
    }
}

impl Dialect for Rtl433 {
    fn filters(&self) -> Vec<String> {
        ["+/events", "+/availability"].map(|topic| format!("{}/{topic}", self.base)).to_vec()
    }

    fn voice(&mut self, device: &DeviceId) -> Option<&mut Voice> {
        let mut voices = self.transmitters.iter_mut().map(|one| &mut one.voice);
        voices.find(|voice| voice.origin.device == *device)
    }

    fn connected(&mut self, now: Instant) {
        for transmitter in &mut self.transmitters {
            transmitter.voice.began(now, Duration::ZERO);
        }
    }

    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let rest = topic.strip_prefix(&self.base).and_then(|rest| rest.strip_prefix('/'));
        let Some((host, last)) = rest.and_then(|rest| rest.rsplit_once('/')) else {
            return Ok(Vec::new());
        };
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        match last {
            "availability" => match payload {
                b"online" => Ok(self.available(host, true)),
                b"offline" => Ok(self.available(host, false)),
                _ => Err(Malformed::Value("unknown availability".to_owned())),
            },
            "events" => {
                let Value::Object(fields) = serde_json::from_slice(payload)? else {
                    return Err(Malformed::NotAnObject);
                };
                let model = fields.get("model").and_then(Value::as_str);
                let id = fields.get("id").and_then(word);
                let (Some(model), Some(id)) = (model, id) else { return Ok(Vec::new()) };
                let ours = |t: &&mut Transmitter| t.binding.model == model && t.binding.id == id;
                let Some(transmitter) = self.transmitters.iter_mut().find(ours) else {
                    return Ok(Vec::new());
                };
                if !heard.retain && transmitter.repeats(&fields, heard.at) {
                    return Ok(Vec::new());
                }
                let kind = transmitter.voice.origin.kind;
                let facts = Frame(&fields).facts(kind, &transmitter.binding.press);
                let facts = facts.into_iter().map(|fact| (fact.clone(), weight(&fact))).collect();
                Ok(transmitter.voice.hear(facts, None, heard))
            }
            _ => Ok(Vec::new()),
        }
    }
}
