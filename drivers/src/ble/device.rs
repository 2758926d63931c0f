//! One enrolled device between messages: what it said, what is news, whether it is near. Pure; time
//! is given. It must never let an old or forged message count, never make two calls of one press
//! that is repeated over the air, and never take silence of the radio for absence.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use anju_model::config::{BleAddress, BleBinding, BleProtocol};
use anju_model::observation::{Climate, Link, Online, Origin, Presence, Trouble, Vital};
use anju_model::{DeviceKind, Fact, Observation};
use tokio::time::Instant;

use super::bytes::Malformed;
use super::key::{Age, Counter, Key};
use super::meaning;
use super::object::Object;
use super::{
    beacon, blood_pressure, bthome, environment, heart_rate, hygrometer, mi_beacon, mi_scale,
    oximeter, thermometer, weight,
};
use crate::memory::{Memory, SIGN_OF_LIFE};

/// An advert with the same packet number counts as the same for so long after the last of them.
const SAME_PACKET: Duration = Duration::from_secs(30);
/// A press without a number counts as the same for so long after the last of its adverts.
const SAME_PRESS: Duration = Duration::from_secs(5);
/// So many messages in a row that can not be understood are a trouble of the device.
const BAD_IN_A_ROW: u32 = 5;
/// A trouble is over when it is understood again and was not misunderstood for so long.
const MENDED_AFTER: Duration = Duration::from_secs(60);
/// Measurements remembered, so that what a device tells again is not said again.
const SPOTS: usize = 64;
/// At most one line in the log in this time.
const LOG_PAUSE: Duration = Duration::from_secs(60);

/// Whether a device has a key.
#[derive(Debug, Clone)]
enum Lock {
    /// None is configured.
    Open,
    /// It has one.
    Key(Key),
    /// One is configured and can not be had: nothing it sends can be trusted.
    Lost,
}

/// An enrolled device.
#[derive(Debug)]
pub struct Device {
    origin: Origin,
    /// Its address.
    pub address: BleAddress,
    /// How it is understood.
    pub protocol: BleProtocol,
    key_file: Option<PathBuf>,
    lock: Lock,
    away_after: Duration,
    memory: Memory,
    /// Something was heard since the radio began to listen.
    begun: bool,
    heard: Option<Instant>,
    dbm: Option<i16>,
    present: Option<bool>,
    /// That it is near is told again when it is heard.
    anew: bool,
    lost: bool,
    unconnected: bool,
    trigger_based: bool,
    counter: Counter,
    last: Option<Last>,
    climate: Climate,
    spots: VecDeque<([u8; 7], Vital)>,
    bad: Bad,
}

/// The last advert that was acted upon.
#[derive(Debug)]
struct Last {
    mark: Mark,
    at: Instant,
}

/// What tells a repeat from news.
#[derive(Debug, PartialEq, Eq)]
enum Mark {
    /// A number of 8 bits that goes round.
    Packet(u8),
    /// The bytes themselves.
    Bytes(Vec<u8>),
}

#[derive(Debug, Default)]
struct Bad {
    in_a_row: u32,
    at: Option<Instant>,
    told: bool,
    unlogged: u64,
    logged: Option<Instant>,
}

impl Device {
    /// A device that was not heard yet.
    pub fn new(origin: Origin, binding: &BleBinding) -> Self {
        Self {
            origin,
            address: binding.address,
            protocol: binding.protocol,
            key_file: binding.key_file.clone(),
            lock: if binding.key_file.is_some() { Lock::Lost } else { Lock::Open },
            away_after: binding.away_after,
            memory: Memory::default(),
            begun: false,
            heard: None,
            dbm: None,
            present: None,
            anew: false,
            lost: false,
            unconnected: false,
            trigger_based: false,
            counter: Counter::default(),
            last: None,
            climate: Climate::default(),
            spots: VecDeque::new(),
            bad: Bad::default(),
        }
    }

    /// What its observations carry.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The file of a key that is still to be read.
    pub fn key_wanted(&self) -> Option<PathBuf> {
        self.key_file.clone().filter(|_| matches!(self.lock, Lock::Lost))
    }

    /// Takes the key, or why there is none; returns what is to be told.
    pub fn unlock(&mut self, key: Result<Key, String>, now: Instant) -> Option<Observation> {
        match key {
            Ok(key) => {
                self.lock = Lock::Key(key);
                None
            }
            Err(reason) => {
                self.bad.at = Some(now);
                let told = std::mem::replace(&mut self.bad.told, true);
                (!told).then(|| self.say(Trouble { active: true, reason }))
            }
        }
    }

    /// The radio listens from now on: what was not heard before says nothing of absence.
    pub fn listening_began(&mut self, now: Instant) {
        self.heard = Some(now);
        self.begun = false;
    }

    /// The next reading is told whatever it is, and that it is near when it is heard.
    pub fn tell_anew(&mut self) {
        self.memory.tell_anew();
        self.anew = true;
    }

    /// Something came from its address.
    pub fn near(&mut self, dbm: Option<i16>, now: Instant) -> Vec<Observation> {
        self.heard = Some(now);
        self.dbm = dbm.or(self.dbm);
        let mut said = Vec::new();
        if std::mem::take(&mut self.lost) {
            said.push(self.say(Online { online: true, reason: None }));
        }
        let anew = std::mem::take(&mut self.anew);
        if self.tells_presence() {
            if anew {
                self.present = Some(false);
            }
            said.extend(self.presence(true));
        }
        if self.memory.quiet_for(SIGN_OF_LIFE, now) {
            said.push(self.say(Link { quality: None, dbm: self.dbm.map(f64::from) }));
        }
        if !said.is_empty() {
            self.memory.said(now);
        }
        said
    }

    /// Nothing can be heard any more; says so once.
    pub fn lost(&mut self, reason: &str) -> Option<Observation> {
        let before = std::mem::replace(&mut self.lost, true);
        let lost = Online { online: false, reason: Some(reason.to_owned()) };
        (!before).then(|| self.say(lost))
    }

    /// Connections fail again and again, for a reason, or succeed again; says so once.
    pub fn connection(&mut self, failure: Option<String>) -> Option<Observation> {
        let before = std::mem::replace(&mut self.unconnected, failure.is_some());
        let trouble = match (before, failure) {
            (false, Some(reason)) => Trouble { active: true, reason },
            (true, None) => Trouble { active: false, reason: "it is connected again".to_owned() },
            _ => return None,
        };
        Some(self.say(trouble))
    }

    /// Time passes; a carried device that was not heard for long is out of range.
    pub fn tick(&mut self, now: Instant) -> Option<Observation> {
        let silent = self.heard.is_some_and(|at| now.duration_since(at) >= self.away_after);
        if silent && self.tells_presence() { self.presence(false) } else { None }
    }

    fn presence(&mut self, present: bool) -> Option<Observation> {
        let before = self.present.replace(present);
        if before == Some(present) {
            return None;
        }
        let said = self.say(Presence { present });
        Some(if before.is_none() { said.as_baseline() } else { said })
    }

    /// Whether being heard tells where somebody is. A button that only sends when it is pressed
    /// says nothing by its silence.
    const fn tells_presence(&self) -> bool {
        match self.origin.kind {
            DeviceKind::Locator | DeviceKind::SmartBadge => true,
            DeviceKind::PortableAlarm => !self.trigger_based && self.last.is_some(),
            _ => false,
        }
    }

    /// Takes service data with a 16-bit UUID.
    pub fn service_data(&mut self, uuid: u16, data: &[u8], now: Instant) -> Vec<Observation> {
        let said = match (self.protocol, uuid) {
            (BleProtocol::BtHome, 0xfcd2) => self.bthome(data, now),
            (BleProtocol::MiBeacon, 0xfe95) => self.mi_beacon(data, now),
            (BleProtocol::Atc, 0x181a) => hygrometer::decode(self.address, data)
                .map(|read| self.levels([read.climate.into(), read.battery.into()], now)),
            (BleProtocol::MiScale, 0x181d) => {
                mi_scale::decode_v1(data).map(|read| self.weighed(read))
            }
            (BleProtocol::MiScale, 0x181b) => {
                mi_scale::decode_v2(data).map(|read| self.weighed(read))
            }
            (BleProtocol::Eddystone, 0xfeaa) => beacon::decode_eddystone(data).map(|read| {
                let beacon::Eddystone::Telemetry { battery, climate } = read else {
                    return Vec::new();
                };
                // A beacon's own temperature is that of a pocket, not of a room.
                let climate = climate.filter(|_| self.origin.kind == DeviceKind::Climate);
                let facts = [battery.map(Fact::from), climate.map(Fact::from)];
                self.levels(facts.into_iter().flatten(), now)
            }),
            _ => return Vec::new(),
        };
        self.judge(said, data, now)
    }

    /// Takes manufacturer data.
    pub fn manufacturer_data(
        &mut self,
        company: u16,
        data: &[u8],
        now: Instant,
    ) -> Vec<Observation> {
        if (self.protocol, company) != (BleProtocol::IBeacon, 0x004c) {
            return Vec::new();
        }
        let said = beacon::decode_ibeacon(data).map(|_| Vec::new());
        self.judge(said, data, now)
    }

    /// Takes a value that a connected device sent or was asked for.
    pub fn value(&mut self, characteristic: u16, data: &[u8], now: Instant) -> Vec<Observation> {
        let said = match characteristic {
            0x2a37 => heart_rate::decode(data).map(|read| self.levels([read.vital().into()], now)),
            0x2a35 => blood_pressure::decode(data).map(|read| self.spot(read.taken, read.vital())),
            0x2a5e => oximeter::decode_spot(data).map(|read| {
                let said = self.spot(read.taken, read.vital());
                said.into_iter()
                    .map(|said| if read.stored { said.as_baseline() } else { said })
                    .collect()
            }),
            0x2a5f => oximeter::decode_continuous(data)
                .map(|read| self.levels([read.vital().into()], now)),
            0x2a9d => weight::decode_weight(data).map(|read| self.spot(read.taken, read.vital())),
            0x2a9c => {
                weight::decode_composition(data).map(|read| self.spot(read.taken, read.vital()))
            }
            0x2a1c => thermometer::decode(data).map(|read| self.spot(read.taken, read.vital())),
            0x2a6e => environment::decode_temperature(data).map(|read| {
                self.climate.celsius = read.celsius;
                self.room(now)
            }),
            0x2a6f => environment::decode_humidity(data).map(|read| {
                self.climate.relative_humidity_percent = read.relative_humidity_percent;
                self.room(now)
            }),
            0x2a19 => {
                environment::decode_battery(data).map(|battery| self.levels([battery.into()], now))
            }
            _ => return Vec::new(),
        };
        self.judge(said, data, now)
    }

    fn key(&self) -> Result<Option<&Key>, Malformed> {
        match &self.lock {
            Lock::Open => Ok(None),
            Lock::Key(key) => Ok(Some(key)),
            Lock::Lost => Err(Malformed::NoKey),
        }
    }

    fn bthome(&mut self, data: &[u8], now: Instant) -> Result<Vec<Observation>, Malformed> {
        let advert = bthome::decode(self.address, self.key()?, data)?;
        self.trigger_based = advert.trigger_based;
        let fresh = match (advert.counter, advert.packet) {
            (Some(counter), _) => self.counted(counter, now)?,
            (None, Some(packet)) => self.fresh(Mark::Packet(packet), SAME_PACKET, now),
            (None, None) => self.fresh(Mark::Bytes(data.to_vec()), SAME_PRESS, now),
        };
        if advert.counter.is_some() {
            self.last = Some(Last { mark: Mark::Bytes(Vec::new()), at: now });
        }
        Ok(self.objects(&advert.objects, fresh, now))
    }

    fn mi_beacon(&mut self, data: &[u8], now: Instant) -> Result<Vec<Observation>, Malformed> {
        let advert = mi_beacon::decode(self.address, self.key()?, data)?;
        if advert.objects.is_empty() {
            return Ok(Vec::new());
        }
        let fresh = if advert.encrypted {
            self.counted(advert.counter, now)?
        } else {
            let [number, ..] = advert.counter.to_le_bytes();
            self.fresh(Mark::Packet(number), SAME_PACKET, now)
        };
        Ok(self.objects(&advert.objects, fresh, now))
    }

    /// Whether an authentic message is news, by its counter.
    fn counted(&mut self, counter: u32, now: Instant) -> Result<bool, Malformed> {
        match self.counter.take(counter, now) {
            Age::New => Ok(true),
            Age::Repeated => Ok(false),
            Age::Old => Err(Malformed::Replayed),
        }
    }

    /// Whether a message without a counter is news. Each repeat prolongs the wait.
    fn fresh(&mut self, mark: Mark, same: Duration, now: Instant) -> bool {
        let repeated = self
            .last
            .as_ref()
            .is_some_and(|last| last.mark == mark && now.duration_since(last.at) < same);
        self.last = Some(Last { mark, at: now });
        !repeated
    }

    fn objects(&mut self, objects: &[Object], fresh: bool, now: Instant) -> Vec<Observation> {
        let facts = meaning::facts(self.origin.kind, objects);
        let (acts, levels): (Vec<Fact>, Vec<Fact>) = facts.into_iter().partition(meaning::is_act);
        let mut said = Vec::new();
        if fresh {
            said.extend(acts.into_iter().map(|act| self.say(act)));
        }
        said.extend(self.levels(levels, now));
        said
    }

    /// Levels, of which those are told that are news. The first are a base line, save from what
    /// sends only when something happens.
    fn levels(&mut self, facts: impl IntoIterator<Item = Fact>, now: Instant) -> Vec<Observation> {
        let first = !std::mem::replace(&mut self.begun, true);
        let baseline = first && !self.trigger_based;
        let mut said = Vec::new();
        for fact in facts {
            if self.memory.news(&fact, now) {
                let level = self.say(fact);
                said.push(if baseline { level.as_first() } else { level });
            }
        }
        if !said.is_empty() {
            self.memory.said(now);
        }
        said
    }

    /// Temperature and humidity come one by one and are told together.
    fn room(&mut self, now: Instant) -> Vec<Observation> {
        if self.climate == Climate::default() {
            return Vec::new();
        }
        self.levels([self.climate.clone().into()], now)
    }

    fn weighed(&mut self, weighing: Option<weight::Weighing>) -> Vec<Observation> {
        weighing.map(|read| self.spot(read.taken, read.vital())).unwrap_or_default()
    }

    /// A single measurement: told once, however often the device repeats it.
    fn spot(&mut self, taken: Option<[u8; 7]>, vital: Vital) -> Vec<Observation> {
        let nothing =
            vital == Vital::default() || vital == Vital { worn: vital.worn, ..Vital::default() };
        if nothing {
            return Vec::new();
        }
        if let Some(taken) = taken {
            let spot = (taken, vital.clone());
            if self.spots.contains(&spot) {
                return Vec::new();
            }
            if self.spots.len() >= SPOTS {
                self.spots.pop_front();
            }
            self.spots.push_back(spot);
        }
        vec![self.say(vital)]
    }

    /// Counts what was not understood and tells of it when it lasts.
    fn judge(
        &mut self,
        said: Result<Vec<Observation>, Malformed>,
        data: &[u8],
        now: Instant,
    ) -> Vec<Observation> {
        match said {
            Ok(mut said) => {
                self.bad.in_a_row = 0;
                let quiet = self.bad.at.is_none_or(|at| now.duration_since(at) >= MENDED_AFTER);
                if self.bad.told && quiet {
                    self.bad.told = false;
                    let reason = "it is understood again".to_owned();
                    said.push(self.say(Trouble { active: false, reason }));
                }
                said
            }
            Err(error) => {
                self.bad.in_a_row = self.bad.in_a_row.saturating_add(1);
                self.bad.at = Some(now);
                self.complain(error, data, now);
                if self.bad.in_a_row < BAD_IN_A_ROW || self.bad.told {
                    return Vec::new();
                }
                self.bad.told = true;
                let reason = format!("what it sends is not understood: {error}");
                vec![self.say(Trouble { active: true, reason })]
            }
        }
    }

    fn complain(&mut self, error: Malformed, data: &[u8], now: Instant) {
        self.bad.unlogged += 1;
        if self.bad.logged.is_some_and(|at| now.duration_since(at) < LOG_PAUSE) {
            return;
        }
        let count = std::mem::take(&mut self.bad.unlogged);
        self.bad.logged = Some(now);
        let device = self.origin.device.as_str();
        tracing::warn!(device, count, bytes = ?data.get(..40).unwrap_or(data), %error, "not understood");
    }

    fn say(&self, fact: impl Into<Fact>) -> Observation {
        Observation::new(self.origin.clone(), fact)
    }
}
