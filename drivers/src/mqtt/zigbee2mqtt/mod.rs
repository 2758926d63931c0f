//! The zigbee2mqtt dialect (zigbee2mqtt.io, "MQTT topics and messages"). A device is understood
//! from what it exposes, not from a list of models. This is a pure state machine from messages to
//! observations; it must never take a retained message for an event.
//!
//! A button whose press the bridge can not decode (`action` null and only `last_seen` moving) is no
//! press: a routine report looks the same. It is told as a sign of life, at most every 10 s, so that
//! whoever tests the button sees that it is heard and not understood.

mod bridge;
mod exposes;
mod facts;
mod fit;
mod light;
mod lock;
mod self_test;
mod siren;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::HashMap;
use std::time::Duration;

use anju_model::config::Announcer;
use anju_model::observation::{Help, Origin, Power};
use anju_model::{DeviceId, DeviceKind, Observation};
use serde_json::{Map, Value};
use tokio::time::Instant;

pub use exposes::{Exposes, Property};

use super::dialect::{Answer, Dialect, Heard, Malformed, Order, below};
use super::voice::{Source, Voice, Weight, weight};
use crate::driver::Action;
use facts::Reading;
use fit::Fit;
use light::Light;
use lock::LockMemory;
use self_test::SelfTest;
use siren::Orders;
use trouble::{Teller, Troubles};

/// After it started (it says so while we listen) the bridge repeats what it remembers of each device,
/// without marking it; the first message of each within this time is a base line.
const SETTLE: Duration = Duration::from_secs(20);

/// A configured device and its address at the bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What its observations carry.
    pub origin: Origin,
    /// IEEE address or friendly name, as configured.
    pub address: String,
    /// From this power on what a plug feeds counts as on, watts.
    pub on_watts: u32,
}

/// What is known of one bridge and its devices.
#[derive(Debug)]
pub struct Zigbee2mqtt {
    base: String,
    devices: Vec<Device>,
    /// Index into `devices` by every name a device is heard under.
    by_name: HashMap<String, usize>,
    /// Whether each property has a topic of its own.
    by_attribute: bool,
    /// The bridge's list came on this connection: what has no name by it is not ours.
    described: bool,
    orders: Orders,
}

#[derive(Debug)]
struct Device {
    voice: Voice,
    address: String,
    on_watts: f64,
    /// The IEEE address, once the bridge named it.
    ieee: Option<String>,
    /// The name its topics carry now.
    topic_name: String,
    exposes: Exposes,
    lock: LockMemory,
    light: Light,
    lid: Option<bool>,
    sos: Option<bool>,
    powered: Option<bool>,
    troubles: Troubles,
    fit: Fit,
    /// It showed by a message that it serves, whatever the list says.
    shows: bool,
    /// The last list said that its interview is still to begin.
    joining: bool,
    self_test: SelfTest,
}

impl Zigbee2mqtt {
    /// A bridge below `base` with the configured devices.
    pub fn new(base: &str, known: &[Known]) -> Self {
        let devices: Vec<Device> = known
            .iter()
            .map(|known| Device {
                voice: Voice::new(known.origin.clone()),
                address: known.address.clone(),
                on_watts: known.on_watts.into(),
                ieee: None,
                topic_name: known.address.clone(),
                exposes: Exposes::default(),
                lock: LockMemory::default(),
                light: Light::default(),
                lid: None,
                sos: None,
                powered: None,
                troubles: Troubles::default(),
                fit: Fit::Unsure,
                shows: false,
                joining: false,
                self_test: SelfTest::default(),
            })
            .collect();
        let by_name =
            devices.iter().enumerate().map(|(index, d)| (d.address.clone(), index)).collect();
        let orders = Orders::default();
        Self {
            base: base.to_owned(),
            devices,
            by_name,
            by_attribute: false,
            described: false,
            orders,
        }
    }

    fn device_message(
        &mut self,
        name: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        // Names may hold slashes, so the whole rest is tried before a suffix is cut off.
        if let Some(index) =
            self.by_name.get(name).copied().or_else(|| self.introduced(name, payload))
        {
            // An empty payload clears a retained message.
            if payload.is_empty() {
                return Ok(Vec::new());
            }
            let Value::Object(fields) = serde_json::from_slice(payload)? else {
                return Err(Malformed::NotAnObject);
            };
            return Ok(self.device_state(index, &fields, heard));
        }
        let Some((name, last)) = name.rsplit_once('/') else { return Ok(Vec::new()) };
        let Some(&index) = self.by_name.get(name) else { return Ok(Vec::new()) };
        if last == "availability" {
            if payload.is_empty() {
                return Ok(Vec::new());
            }
            let online = bridge::state(payload)?;
            let said = self.devices.get_mut(index).and_then(|device| {
                device.voice.reach(Source::Own, online, "zigbee2mqtt says it is unavailable")
            });
            return Ok(said.into_iter().collect());
        }
        if self.by_attribute && !matches!(last, "set" | "get") {
            let value = serde_json::from_slice(payload)
                .unwrap_or_else(|_| String::from_utf8_lossy(payload).into_owned().into());
            let fields = Map::from_iter([(last.to_owned(), value)]);
            return Ok(self.device_state(index, &fields, heard));
        }
        Ok(Vec::new())
    }

    /// A device that says itself which it is, as with `include_device_information`, where the
    /// bridge's list never comes.
    fn introduced(&mut self, name: &str, payload: &[u8]) -> Option<usize> {
        if self.described {
            return None;
        }
        let ieee = bridge::introduces(payload)?;
        let index = self.devices.iter().position(|device| device.address == ieee)?;
        self.by_name.insert(name.to_owned(), index);
        let device = self.devices.get_mut(index)?;
        (device.ieee, device.topic_name) = (Some(ieee), name.to_owned());
        Some(index)
    }

    fn device_state(
        &mut self,
        index: usize,
        fields: &Map<String, Value>,
        heard: Heard,
    ) -> Vec<Observation> {
        let Some(device) = self.devices.get_mut(index) else { return Vec::new() };
        if device.voice.origin.kind == DeviceKind::Siren
            && !heard.retain
            && let Some(sounding) = device.exposes.flag(fields, "alarm")
        {
            self.orders.says(&device.voice.origin.device, sounding);
        }
        if device.voice.origin.kind == DeviceKind::Siren
            && let Some(on) = device.exposes.flag(fields, "state")
        {
            if !heard.retain {
                self.orders.says(&device.voice.origin.device, on);
            }
            device.light.says(on, heard.at);
        }
        device.understand(fields, heard)
    }

    fn bridge_state(&mut self, online: bool, heard: Heard) -> Vec<Observation> {
        let mut said = Vec::new();
        for device in &mut self.devices {
            let reason = "zigbee2mqtt is not running";
            said.extend(device.voice.reach(Source::Bridge, online, reason));
            if online && !heard.retain {
                device.voice.began(heard.at, SETTLE);
            }
        }
        said
    }

    /// Learns names and abilities. A device is the one that has the configured name or address
    /// now; if none has, it is the one that had it before it was renamed.
    fn learn(&mut self, described: &[bridge::Described<'_>], heard: Heard) -> Vec<Observation> {
        self.described = true;
        let mut by_ieee = HashMap::new();
        let mut by_name = HashMap::new();
        for (at, found) in described.iter().enumerate() {
            by_ieee.insert(found.ieee_address.to_lowercase(), at);
            by_name.insert(found.friendly_name.as_str(), at);
        }
        self.by_name.clear();
        let mut said = Vec::new();
        for (index, device) in self.devices.iter_mut().enumerate() {
            let found = by_name
                .get(device.address.as_str())
                .or_else(|| by_ieee.get(&device.address))
                .or_else(|| by_ieee.get(device.ieee.as_ref()?))
                .and_then(|at| described.get(*at));
            if let Some(found) = found {
                said.extend(device.described(found, heard));
                if device.voice.origin.kind == DeviceKind::Siren
                    && !device.exposes.named("state").is_empty()
                {
                    device.light.ask();
                }
                self.by_name.insert(found.friendly_name.clone(), index);
            }
            // A group of sirens is in no list of devices.
            if found.is_some() || device.voice.origin.kind != DeviceKind::Siren {
                let reason = "zigbee2mqtt does not know it; pair it, or check its address";
                said.extend(device.voice.reach(Source::Known, found.is_some(), reason));
            }
        }
        // What is configured is heard too, unless another device has that name now.
        for (index, device) in self.devices.iter().enumerate() {
            self.by_name.entry(device.address.clone()).or_insert(index);
        }
        said
    }

    fn left(&mut self, ieee: &str) -> Vec<Observation> {
        let ieee = ieee.to_lowercase();
        let mut said = Vec::new();
        for device in &mut self.devices {
            if device.ieee.as_ref() == Some(&ieee) || device.address == ieee {
                let reason = "it left the Zigbee network; pair it again";
                said.extend(device.voice.reach(Source::Known, false, reason));
            }
        }
        said
    }

    fn logged(&mut self, payload: &[u8], at: Instant) -> Vec<Observation> {
        let Some((name, reason)) = siren::failure(payload) else { return Vec::new() };
        let Some(device) = self.by_name.get(&name).and_then(|at| self.devices.get_mut(*at)) else {
            return Vec::new();
        };
        let reason = format!("zigbee2mqtt could not make it obey: {reason}");
        self.orders.failed(&device.voice.origin.device, &reason);
        device.light.fails(at);
        let told = device.troubles.take(Teller::Order, Some(reason));
        told.map(|told| Observation::new(device.voice.origin.clone(), told)).into_iter().collect()
    }
}

impl Dialect for Zigbee2mqtt {
    fn filters(&self) -> Vec<String> {
        vec![format!("{}/#", self.base)]
    }

    fn heard_on(&self, _: &str) -> Vec<Origin> {
        self.devices.iter().map(|device| device.voice.origin.clone()).collect()
    }

    fn is_early(&self, topic: &str) -> bool {
        let Some(rest) = below(&self.base, topic) else { return false };
        let known = |name: &str| self.by_name.contains_key(name);
        let whose = known(rest) || rest.rsplit_once('/').is_some_and(|(name, _)| known(name));
        !self.described && !whose && !rest.starts_with("bridge/")
    }

    fn connected(&mut self, _: Instant) {
        // A device may have been renamed meanwhile.
        self.described = false;
        for device in &mut self.devices {
            // The bridge repeats nothing for our sake; only what the broker kept is marked as kept.
            device.voice.connected();
            device.light.connected();
        }
    }

    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let Some(rest) = below(&self.base, topic) else { return Ok(Vec::new()) };
        match rest {
            _ if rest.starts_with("bridge/") && payload.is_empty() => Ok(Vec::new()),
            "bridge/state" => Ok(self.bridge_state(bridge::state(payload)?, heard)),
            "bridge/devices" => Ok(self.learn(&bridge::devices(payload)?, heard)),
            "bridge/info" => {
                self.by_attribute = bridge::by_attribute(payload)?;
                Ok(Vec::new())
            }
            "bridge/event" if !heard.retain => match bridge::left(payload)? {
                Some(ieee) => Ok(self.left(&ieee)),
                None => Ok(Vec::new()),
            },
            "bridge/logging" if !heard.retain => Ok(self.logged(payload, heard.at)),
            _ if rest.starts_with("bridge/") => Ok(Vec::new()),
            _ => self.device_message(rest, payload, heard),
        }
    }

    fn voice(&mut self, device: &DeviceId) -> Option<&mut Voice> {
        let mut voices = self.devices.iter_mut().map(|one| &mut one.voice);
        voices.find(|voice| voice.origin.device == *device)
    }

    fn order(&mut self, device: &DeviceId, action: &Action, now: Instant) -> Option<Order> {
        let known = self.devices.iter_mut().find(|known| known.voice.origin.device == *device)?;
        if known.voice.origin.kind != DeviceKind::Siren {
            return None;
        }
        // What is switched on and off rather than told to sound.
        let switched = light::payload(&known.exposes, true).is_some() && !known.sounds();
        let (payload, on) = match action {
            Action::Sound { seconds } => (siren::payload(&known.exposes, Some(*seconds)), true),
            Action::Flash { seconds, with: Announcer::Strobe } => {
                (light::strobe(&known.exposes, Some(*seconds))?, true)
            }
            Action::Flash { seconds, with: Announcer::Light } => {
                light::payload(&known.exposes, true)?;
                let time = Duration::from_secs((*seconds).min(siren::LONGEST).into());
                let on = known.light.flash(now, time);
                (light::payload(&known.exposes, on)?, on)
            }
            Action::Hush => match known.light.end(now) {
                Some(on) => (light::payload(&known.exposes, on)?, on),
                None if switched => {
                    self.orders.begin(device, false, false, now);
                    return Some(known.question(&self.base));
                }
                None => (siren::payload(&known.exposes, None), false),
            },
            Action::Hold => {
                known.light.hold();
                self.orders.begin(device, false, false, now);
                return Some(known.question(&self.base));
            }
            Action::TellAnew => return None,
        };
        // One that is said to be lost must show that it is not.
        let confirms = siren::confirms(&known.exposes, &payload) || known.voice.lost();
        self.orders.begin(device, on, confirms, now);
        Some(known.set(&self.base, &payload))
    }

    fn owner(&self, topic: &str) -> Option<&Origin> {
        let name = below(&self.base, topic)?;
        Some(&self.devices.get(*self.by_name.get(name)?)?.voice.origin)
    }

    fn answers(&mut self, now: Instant) -> Vec<Answer> {
        self.orders.answers(now)
    }

    fn due_orders(&mut self, now: Instant) -> Vec<Order> {
        let mut due = Vec::new();
        for device in &mut self.devices {
            if device.light.asks() {
                due.push(device.question(&self.base));
            }
            let step = device.light.step(now);
            let payload = step.and_then(|on| light::payload(&device.exposes, on));
            due.extend(payload.map(|payload| device.set(&self.base, &payload)));
        }
        due
    }

    fn due(&self) -> Option<Instant> {
        let lights = self.devices.iter().filter_map(|device| device.light.due(Instant::now()));
        lights.chain(self.orders.due()).min()
    }
}

impl Device {
    /// Whether it takes orders to sound.
    fn sounds(&self) -> bool {
        let has = |name: &str| !self.exposes.named(name).is_empty();
        !self.exposes.known() || has("warning") || has("alarm")
    }

    fn set(&self, base: &str, payload: &Value) -> Order {
        self.order(base, "set", payload)
    }

    /// Asks how it is.
    fn question(&self, base: &str) -> Order {
        self.order(base, "get", &light::question(&self.exposes))
    }

    fn order(&self, base: &str, what: &str, payload: &Value) -> Order {
        Order {
            topic: format!("{base}/{}/{what}", self.topic_name),
            payload: payload.to_string().into_bytes(),
        }
    }

    fn understand(&mut self, fields: &Map<String, Value>, heard: Heard) -> Vec<Observation> {
        let kind = self.voice.origin.kind;
        let reading = Reading { kind, exposes: &self.exposes, fields };
        let replays = self.voice.replays(heard);
        let self_test = self.self_test.counts(reading.self_test(), replays, heard.at);
        let mut facts: Vec<_> =
            reading.facts(self_test).into_iter().map(|f| (weight(&f), f)).collect();
        // What calls for help comes first, whatever else the message says.
        facts.sort_by_key(|(weight, _)| *weight != Weight::Event);
        let mut facts: Vec<_> = facts.into_iter().map(|(weight, fact)| (fact, weight)).collect();
        if let Some(sos) = reading.sos() {
            // A flag that stays is one press; the bridge repeats it with every message. One that
            // was only remembered is none, and must not hide the next; nor is one that was told
            // already told again because it was remembered too.
            if sos && !replays && self.sos != Some(true) {
                facts.insert(0, (Help::pressed().into(), Weight::Event));
            }
            if !sos || !replays {
                self.sos = Some(sos);
            }
        }
        match kind {
            DeviceKind::DoorLock => {
                facts.extend(self.lock.read(&self.exposes, fields, !heard.retain, replays));
            }
            DeviceKind::PillBox => {
                let lid = reading.lid();
                // A shaken box says so only while it is shaken.
                let was_open = self.lid.unwrap_or(self.exposes.open(fields).is_some());
                if lid == Some(true) && !was_open && !replays {
                    facts.insert(0, (facts::lid_opened(), Weight::Event));
                }
                self.lid = lid.or(self.lid);
            }
            DeviceKind::SetTopBox => {
                let watts = reading.watts();
                self.powered = watts.and_then(|watts| self.powered(watts)).or(self.powered);
                if let (Some(on), Some(_)) = (self.powered, watts) {
                    facts.push((Power { on }.into(), Weight::State));
                }
            }
            _ => {}
        }
        let quality = reading.quality();
        let told = self.faults(fields, replays, heard);
        facts.extend(told.into_iter().map(|told| (told.into(), Weight::News)));
        self.voice.hear(facts, quality, heard)
    }

    /// Whether what a plug feeds is on; nothing new between half of the limit and the limit.
    fn powered(&self, watts: f64) -> Option<bool> {
        if watts >= self.on_watts {
            Some(true)
        } else if watts < self.on_watts / 2.0 {
            Some(false)
        } else {
            None
        }
    }
}
