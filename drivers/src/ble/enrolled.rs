//! All enrolled devices of one radio, and what the radio hears at all. Pure; time is given. What
//! comes from an address that is not enrolled must never become an observation.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use anju_model::config::BleAddress;
use anju_model::observation::Origin;
use anju_model::{DeviceId, Observation};
use tokio::time::Instant;

use super::device::Device;
use super::key::Key;

/// So many other senders make a neighbourhood in which silence means a deaf radio.
const NEIGHBOURS: usize = 3;
/// Most senders remembered.
const MOST_SENDERS: usize = 256;

/// One message of a device, by its 16-bit number.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    /// It is there.
    Near,
    /// Service data.
    Service(u16, &'a [u8]),
    /// Manufacturer data.
    Manufacturer(u16, &'a [u8]),
    /// The value of a characteristic of a connected device.
    Value(u16, &'a [u8]),
}

/// The devices of one radio.
#[derive(Debug)]
pub struct Enrolled {
    devices: HashMap<BleAddress, Device>,
    senders: HashSet<BleAddress>,
    heard: Option<Instant>,
    deaf: bool,
}

impl Enrolled {
    /// These devices; of two with one address the first counts.
    pub fn new(devices: impl IntoIterator<Item = Device>) -> Self {
        let mut by_address = HashMap::new();
        for device in devices {
            by_address.entry(device.address).or_insert(device);
        }
        Self { devices: by_address, senders: HashSet::new(), heard: None, deaf: false }
    }

    /// What their observations carry.
    pub fn origins(&self) -> Vec<Origin> {
        self.devices.values().map(|device| device.origin().clone()).collect()
    }

    /// The devices that need a connection.
    pub fn to_connect(&self) -> Vec<BleAddress> {
        let connecting = self.devices.values().filter(|device| device.protocol.connects());
        connecting.map(|device| device.address).collect()
    }

    /// Reads the keys that are still missing with `read`; returns what is to be told.
    pub fn unlock(
        &mut self,
        now: Instant,
        read: impl Fn(&std::path::Path) -> Result<Key, String>,
    ) -> Vec<Observation> {
        let locked = self.devices.values_mut();
        locked
            .filter_map(|device| {
                let file = device.key_wanted()?;
                device.unlock(read(&file), now)
            })
            .collect()
    }

    /// The radio listens from now on.
    pub fn listening_began(&mut self, now: Instant) {
        self.heard = Some(now);
        for device in self.devices.values_mut() {
            device.listening_began(now);
        }
    }

    /// Something came from an address, perhaps with its strength.
    pub fn heard(
        &mut self,
        from: BleAddress,
        dbm: Option<i16>,
        said: Said<'_>,
        now: Instant,
    ) -> Vec<Observation> {
        self.heard = Some(now);
        self.deaf = false;
        if self.senders.len() < MOST_SENDERS {
            self.senders.insert(from);
        }
        let Some(device) = self.devices.get_mut(&from) else { return Vec::new() };
        let meant = match said {
            Said::Near => Vec::new(),
            Said::Service(uuid, data) => device.service_data(uuid, data, now),
            Said::Manufacturer(company, data) => device.manufacturer_data(company, data, now),
            Said::Value(characteristic, data) => device.value(characteristic, data, now),
        };
        let mut told = device.near(dbm, now);
        told.extend(meant);
        told
    }

    /// These devices tell their next reading whatever it is. Gives those that need a connection.
    pub fn tell_anew(&mut self, devices: &BTreeSet<DeviceId>) -> Vec<BleAddress> {
        let asked = self.devices.values_mut().filter(|d| devices.contains(&d.origin().device));
        let connected = asked.filter_map(|device| {
            device.tell_anew();
            device.protocol.connects().then_some(device.address)
        });
        connected.collect()
    }

    /// Time passes.
    pub fn tick(&mut self, now: Instant) -> Vec<Observation> {
        self.devices.values_mut().filter_map(|device| device.tick(now)).collect()
    }

    /// How long nothing at all was heard.
    pub fn silence(&self, now: Instant) -> Duration {
        self.heard.map_or(Duration::ZERO, |at| now.duration_since(at))
    }

    /// Tells that the radio is deaf, once, if there are neighbours whom it used to hear. A lonely
    /// house is silent by itself; there each device's own limit counts.
    pub fn deaf(&mut self, reason: &str) -> Vec<Observation> {
        let strangers = self.senders.iter().filter(|from| !self.devices.contains_key(from)).count();
        if self.deaf || strangers < NEIGHBOURS {
            return Vec::new();
        }
        self.deaf = true;
        self.devices.values_mut().filter_map(|device| device.lost(reason)).collect()
    }

    /// A device that can not be connected, or is again.
    pub fn connection(
        &mut self,
        address: BleAddress,
        failure: Option<String>,
    ) -> Option<Observation> {
        self.devices.get_mut(&address)?.connection(failure)
    }
}
