//! What the fuzzers feed: a talk of one device, as adverts or as values of a connection. See
//! [`crate::fuzzed`].

use std::time::Duration;

use anju_model::config::{BleAddress, BleBinding, BleProtocol};
use anju_model::observation::{Origin, Vital};
use anju_model::{DeviceId, DeviceKind, Fact, Observation};
use tokio::time::Instant;

use super::device::Device;
use super::key::Key;

const ADDRESS: BleAddress = BleAddress::new([0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5]);
const KEY: &str = "231d39c1d7cc1ab1aee224cd096db932";
const KINDS: [DeviceKind; 4] =
    [DeviceKind::PortableAlarm, DeviceKind::SmartCane, DeviceKind::Climate, DeviceKind::BodyScale];
const UUIDS: [u16; 6] = [0xfcd2, 0xfe95, 0x181a, 0x181d, 0x181b, 0xfeaa];
const CHARACTERISTICS: [u16; 10] =
    [0x2a37, 0x2a35, 0x2a5e, 0x2a5f, 0x2a9d, 0x2a9c, 0x2a1c, 0x2a6e, 0x2a6f, 0x2a19];

fn device(which: u8) -> Option<Device> {
    let which = usize::from(which);
    let protocol = BleProtocol::ALL.get(which % BleProtocol::ALL.len())?;
    let origin = Origin {
        device: DeviceId::new("one").ok()?,
        kind: *KINDS.get(which / BleProtocol::ALL.len() % KINDS.len())?,
        room: None,
        person: None,
    };
    let binding = BleBinding {
        address: ADDRESS,
        protocol: *protocol,
        key_file: (which >= 128).then(|| "/key".into()),
        away_after: Duration::from_secs(180),
    };
    let mut device = Device::new(origin, &binding);
    if which >= 128 {
        let key = Key::parse(KEY).map_err(|error| error.to_string());
        assert_eq!(device.unlock(key, Instant::now()), None);
    }
    Some(device)
}

/// Adverts of one device. The first byte says which; then each advert is a byte that says what it
/// carries, its length and its bytes.
pub fn advert(bytes: &[u8]) {
    talk(bytes, |device, what, data, now| match UUIDS.get(usize::from(what) % 7) {
        Some(uuid) => device.service_data(*uuid, data, now),
        None => device.manufacturer_data(0x004c, data, now),
    });
}

/// Values of one connected device, in the same form.
pub fn value(bytes: &[u8]) {
    talk(bytes, |device, what, data, now| {
        let characteristic = CHARACTERISTICS.get(usize::from(what) % CHARACTERISTICS.len());
        characteristic.map(|uuid| device.value(*uuid, data, now)).unwrap_or_default()
    });
}

fn talk(bytes: &[u8], say: impl Fn(&mut Device, u8, &[u8], Instant) -> Vec<Observation>) {
    let Some((which, mut rest)) = bytes.split_first() else { return };
    let Some(mut device) = device(*which) else { return };
    let start = Instant::now();
    device.listening_began(start);
    let mut second = 0;
    while let [what, length, tail @ ..] = rest {
        let (data, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        second += 1;
        let now = start + Duration::from_secs(second);
        let said = say(&mut device, *what, data, now);
        assert!(said.len() <= data.len() + 2, "more is told than was sent");
        // Sent again at once it says nothing that would be acted upon twice.
        let again = say(&mut device, *what, data, now);
        for said in said.iter().chain(&again) {
            if let Fact::Vital(vital) = &said.fact {
                assert!(sane(vital), "{vital:?}");
            }
        }
        let act = |said: &Observation| matches!(said.fact, Fact::Help(_) | Fact::Fall(_));
        assert!(!again.iter().any(act), "one press, two calls");
    }
}

/// Whether somebody can have these vital signs.
pub(super) fn sane(vital: &Vital) -> bool {
    let within = |value: Option<f64>, least: f64, most: f64| {
        value.is_none_or(|value| (least..=most).contains(&value))
    };
    within(vital.heart_beats_per_minute, 1.0, 300.0)
        && within(vital.spo2_percent, 1.0, 100.0)
        && within(vital.systolic_mmhg, 10.0, 400.0)
        && within(vital.diastolic_mmhg, 10.0, 400.0)
        && within(vital.mean_mmhg, 10.0, 400.0)
        && within(vital.body_celsius, 25.0, 45.0)
        && within(vital.weight_kilograms, 0.0, 500.0)
        && within(vital.fat_percent, 0.0, 100.0)
        && (vital.worn != Some(false) || vital.heart_beats_per_minute.is_none())
}
