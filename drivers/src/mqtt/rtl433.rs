//! rtl_433 (its `-F mqtt` output, `events`): pendants, bells, contacts, detectors and thermometers on
//! 433 and 868 MHz. Nothing is acknowledged on the air, so that each transmission is sent several
//! times; the same content within 2 s is one. It must never take a supervision report for a press.

mod frame;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anju_model::config::Rtl433Binding;
use anju_model::observation::Origin;
use anju_model::{DeviceId, Observation};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::dialect::{Dialect, Heard, Malformed, below};
use super::value::word;
use super::voice::{Source, Voice, weight};
use frame::Frame;

/// Repeats of one transmission come within this time.
const REPEATS: Duration = Duration::from_secs(2);

/// Contents remembered of one device.
const MOST_CONTENTS: usize = 8;

/// Receivers remembered.
const MOST_HOSTS: usize = 16;

/// Fields of the reception, which differ between repeats of one transmission.
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

    fn heard_on(&self, _: &str) -> Vec<Origin> {
        self.transmitters.iter().map(|transmitter| transmitter.voice.origin.clone()).collect()
    }

    fn connected(&mut self, _: Instant) {
        // The broker keeps the word of each receiver.
        self.hosts.clear();
        for transmitter in &mut self.transmitters {
            transmitter.voice.connected();
        }
    }

    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let rest = below(&self.base, topic);
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
