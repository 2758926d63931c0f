//! The zigbee2mqtt dialect (zigbee2mqtt.io, "MQTT topics and messages"). A device is understood
//! from what it exposes, not from a list of models. This is a pure state machine from messages to
//! observations; it must never take a retained message for an event.

mod bridge;
mod complaints;
mod exposes;
mod state;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use anju_model::observation::{Online, Origin};
use anju_model::{DeviceId, DeviceKind, Fact, Observation};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::time::Instant;

pub use exposes::{Exposes, Property};

use super::Known;
use complaints::Complaints;
use state::DeviceState;

/// Why a message can not be understood.
#[derive(Debug, Error)]
pub enum Malformed {
    /// The topic is not UTF-8.
    #[error("the topic is not UTF-8")]
    Topic,
    /// The payload is not what this topic carries.
    #[error("the payload is not what this topic carries: {0}")]
    Payload(#[from] serde_json::Error),
    /// The payload is JSON of another shape.
    #[error("the payload is not a JSON object")]
    NotAnObject,
}

/// How a message was heard.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// Kept by the broker from before.
    pub retain: bool,
    /// How many identical messages it stands for.
    pub count: u32,
    /// When.
    pub at: Instant,
}

/// What is known of one bridge and its devices.
#[derive(Debug)]
pub struct Dialect {
    base: String,
    devices: Vec<Device>,
    /// Index into `devices` by every name a device is heard under.
    by_name: HashMap<String, usize>,
    complaints: Complaints,
}

#[derive(Debug)]
struct Device {
    origin: Origin,
    address: String,
    /// The name its topics carry now.
    topic_name: String,
    exposes: Exposes,
    state: DeviceState,
}

impl Dialect {
    /// A bridge below `base` with the configured devices.
    pub fn new(base: &str, known: &[Known]) -> Self {
        let devices: Vec<Device> = known
            .iter()
            .map(|known| Device {
                origin: known.origin.clone(),
                address: known.address.clone(),
                topic_name: known.address.clone(),
                exposes: Exposes::default(),
                state: DeviceState::default(),
            })
            .collect();
        let by_name =
            devices.iter().enumerate().map(|(index, d)| (d.address.clone(), index)).collect();
        Self { base: base.to_owned(), devices, by_name, complaints: Complaints::default() }
    }

    /// What to subscribe to.
    pub fn filters(&self) -> [String; 1] {
        [format!("{}/#", self.base)]
    }

    /// A new connection: what was said while it was down is unknown.
    pub fn connected(&mut self) {
        for device in &mut self.devices {
            device.state.connection_began();
        }
    }

    /// Turns one message into observations.
    ///
    /// # Errors
    /// [`Malformed`] if it is for us and can not be understood; nothing changes then.
    pub fn understand(
        &mut self,
        topic: &[u8],
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let topic = std::str::from_utf8(topic).map_err(|_| Malformed::Topic)?;
        let Some(rest) = topic.strip_prefix(&self.base).and_then(|rest| rest.strip_prefix('/'))
        else {
            return Ok(Vec::new());
        };
        match rest {
            "bridge/state" => Ok(self.bridge_state(bridge::state(payload)?)),
            "bridge/devices" => {
                self.learn(bridge::devices(payload)?);
                Ok(Vec::new())
            }
            _ if rest.starts_with("bridge/") => Ok(Vec::new()),
            _ => self.device_message(rest, payload, heard),
        }
    }

    fn device_message(
        &mut self,
        name: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        // Names may hold slashes, so the whole rest is tried before a suffix is cut off.
        if let Some(&index) = self.by_name.get(name) {
            return self.device_state(index, payload, heard);
        }
        if let Some(name) = name.strip_suffix("/availability")
            && let Some(&index) = self.by_name.get(name)
        {
            let online = bridge::state(payload)?;
            return Ok(self.available(index, online).into_iter().collect());
        }
        Ok(Vec::new())
    }

    fn device_state(
        &mut self,
        index: usize,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        // An empty payload clears a retained message.
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        let value: Value = serde_json::from_slice(payload)?;
        let Value::Object(fields) = value else { return Err(Malformed::NotAnObject) };
        let Some(device) = self.devices.get_mut(index) else { return Ok(Vec::new()) };
        Ok(device.understand(&fields, heard))
    }

    fn available(&mut self, index: usize, online: bool) -> Option<Observation> {
        let device = self.devices.get_mut(index)?;
        device.state.online_changed(online).then(|| {
            let reason = (!online).then(|| "zigbee2mqtt says it is unavailable".to_owned());
            Observation::new(device.origin.clone(), Online { online, reason })
        })
    }

    fn bridge_state(&mut self, online: bool) -> Vec<Observation> {
        let mut said = Vec::new();
        for device in &mut self.devices {
            if device.state.online_changed(online) {
                let reason = (!online).then(|| "zigbee2mqtt is not running".to_owned());
                said.push(Observation::new(device.origin.clone(), Online { online, reason }));
            }
            if online {
                // zigbee2mqtt repeats what it remembers when it starts.
                device.state.connection_began();
            }
        }
        said
    }

    /// Learns names and abilities; a device that was renamed is followed by its IEEE address.
    fn learn(&mut self, described: Vec<bridge::Described>) {
        self.by_name.clear();
        for (index, device) in self.devices.iter_mut().enumerate() {
            self.by_name.insert(device.address.clone(), index);
            let found = described.iter().find(|described| {
                described.ieee_address == device.address
                    || described.friendly_name == device.address
            });
            if let Some(found) = found {
                device.topic_name.clone_from(&found.friendly_name);
                device.exposes = found.exposes.clone();
                self.by_name.insert(found.friendly_name.clone(), index);
            }
        }
    }

    /// The message that makes a siren sound for some seconds, or be silent. `None` if the device
    /// is not a siren.
    pub fn sound(&self, device: &DeviceId, seconds: Option<u16>) -> Option<(String, Vec<u8>)> {
        let device = self.devices.iter().find(|known| known.origin.device == *device)?;
        if device.origin.kind != DeviceKind::Siren {
            return None;
        }
        let payload = device.exposes.sound_payload(seconds);
        Some((format!("{}/{}/set", self.base, device.topic_name), payload.to_string().into_bytes()))
    }

    /// Logs a message that could not be understood, at a bounded rate and without its content.
    pub fn complain(&mut self, driver: &str, topic: &[u8], error: &Malformed, now: Instant) {
        self.complaints.count(driver, topic, error, now);
    }
}

impl Device {
    fn understand(&mut self, fields: &Map<String, Value>, heard: Heard) -> Vec<Observation> {
        let facts = self.exposes.facts(self.origin.kind, fields);
        let first = self.state.first_message();
        let mut said = Vec::new();
        for fact in facts {
            let event = matches!(fact, Fact::Help(_) | Fact::Bell(_));
            if event {
                if heard.retain {
                    continue;
                }
                let mut observation = Observation::new(self.origin.clone(), fact);
                observation.count = heard.count.max(1);
                said.push(observation);
            } else if self.state.worth_saying(&fact, heard.at) {
                let baseline = heard.retain || first;
                let mut observation = Observation::new(self.origin.clone(), fact);
                observation.baseline = baseline;
                said.push(observation);
            }
        }
        if !heard.retain {
            if self.state.online_changed(true) {
                let back = Online { online: true, reason: None };
                said.insert(0, Observation::new(self.origin.clone(), back));
            }
            if said.is_empty()
                && let Some(fact) = self.state.sign_of_life(fields, heard.at)
            {
                said.push(Observation::new(self.origin.clone(), fact));
            } else if !said.is_empty() {
                self.state.said_something(heard.at);
            }
        }
        said
    }
}
