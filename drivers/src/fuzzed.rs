//! What the fuzzers and the replay of their corpora feed: one function for each decoder of bytes
//! from a wire, most of them in the `fuzzed` of their link. Each takes any bytes; it checks what
//! must hold whatever they are, and fails by panicking. Nothing of the product calls these. A new
//! decoder adds a function, a line in [`TARGETS`], a file in `fuzz/fuzz_targets` with its `[[bin]]`,
//! and some seeds in `fuzz/corpus`.

use std::fmt::Debug;

use anju_model::config::Announcer;
use anju_model::observation::Origin;
use anju_model::{DeviceId, DeviceKind};
use tokio::time::Instant;

use crate::driver::Action;
use crate::mqtt::zigbee2mqtt::{Known, Zigbee2mqtt};
use crate::mqtt::{Dialect, Heard};
use crate::serial::dlt645::{self, Address, Item, Request};
use crate::serial::stream::{Framed, Stream};
use crate::{ble, i2c, mqtt, net, serial};

/// A target: its name, which is also the name of its corpus, and what it feeds.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("arp", net::fuzzed::arp),
    ("ble_advert", ble::fuzzed::advert),
    ("ble_value", ble::fuzzed::value),
    ("cec", net::fuzzed::cec),
    ("cjt188", serial::fuzzed::cjt188),
    ("dlt645", dlt645),
    ("frigate", mqtt::fuzzed::frigate),
    ("json", mqtt::fuzzed::json),
    ("ld2410", serial::talker::fuzzed::ld2410),
    ("mbus", serial::fuzzed::mbus),
    ("mdns", net::fuzzed::mdns),
    ("modbus", serial::fuzzed::modbus),
    ("onvif", net::fuzzed::onvif),
    ("owntracks", mqtt::fuzzed::owntracks),
    ("pms5003", serial::talker::fuzzed::pms5003),
    ("radar", serial::talker::fuzzed::radar),
    ("rtl433", mqtt::fuzzed::rtl433),
    ("sensirion", i2c::fuzzed::sensirion),
    ("voice", serial::talker::fuzzed::voice),
    ("wyoming", net::fuzzed::wyoming),
    ("zigbee2mqtt", zigbee2mqtt),
];

/// A stream of bytes on a serial bus: cut into single bytes it gives the same frames as in one
/// piece, and no more than a frame is held.
fn frames<F: Framed + PartialEq + Debug>(bytes: &[u8]) -> Vec<F> {
    let mut stream = Stream::<F>::default();
    let mut whole = stream.feed(bytes);
    whole.extend(stream.finish());
    let mut stream = Stream::<F>::default();
    let mut pieces = Vec::new();
    for byte in bytes {
        pieces.extend(stream.feed(std::slice::from_ref(byte)));
        assert!(stream.held() <= F::LONGEST, "{} bytes held", stream.held());
    }
    pieces.extend(stream.finish());
    assert_eq!(whole, pieces, "frames depend on how the bytes are cut");
    whole.into_iter().flatten().collect()
}

/// Frames of DL/T 645: whatever one says is an answer or none.
pub fn dlt645(bytes: &[u8]) {
    for frame in frames::<dlt645::Frame>(bytes) {
        for item in Item::ALL {
            for request in [Request::Read(item), Request::ReadNext(item, 1), Request::ReadAddress] {
                for address in [frame.address, Address::WILDCARD] {
                    let answer = dlt645::answer(&frame, address, request);
                    if let Ok(dlt645::Answer::Data { payload, .. }) = answer
                        && let Ok(value) = item.value(&payload)
                    {
                        assert!(value.in_units().is_finite());
                    }
                }
            }
        }
    }
}

/// Messages of a zigbee2mqtt bridge, one a line. The first byte of a line says the topic: `S` the
/// bridge's state, `D` its devices, `A` and `B` availabilities, `R` a retained message of a device,
/// `T` a topic of its own up to the first blank, anything else the message of some device.
pub fn zigbee2mqtt(bytes: &[u8]) {
    const KINDS: [(&str, DeviceKind); 4] = [
        ("sos", DeviceKind::FixedAlarm),
        ("0x00158d0001e52fbb", DeviceKind::DoorContact),
        ("kitchen/smoke", DeviceKind::Smoke),
        ("siren", DeviceKind::Siren),
    ];
    let known: Vec<Known> = KINDS
        .into_iter()
        .enumerate()
        .filter_map(|(index, (address, kind))| {
            let device = DeviceId::new(&format!("device-{index}")).ok()?;
            let origin = Origin { device, kind, room: None, person: None };
            Some(Known { origin, address: address.to_owned(), on_watts: 5 })
        })
        .collect();
    let mut dialect = Zigbee2mqtt::new("zigbee2mqtt", &known);
    let at = Instant::now();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let Some((&first, rest)) = line.split_first() else { continue };
        let (address, _) = KINDS[number % KINDS.len()];
        let own;
        let (topic, payload) = match first {
            b'S' => ("zigbee2mqtt/bridge/state".as_bytes(), rest),
            b'D' => ("zigbee2mqtt/bridge/devices".as_bytes(), rest),
            b'A' => ("zigbee2mqtt/sos/availability".as_bytes(), rest),
            b'B' => ("zigbee2mqtt/kitchen/smoke/availability".as_bytes(), rest),
            b'T' => {
                let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
                let (topic, payload) = rest.split_at(end);
                (topic, payload.get(1..).unwrap_or_default())
            }
            _ => {
                own = format!("zigbee2mqtt/{address}");
                (own.as_bytes(), rest)
            }
        };
        let retain = first == b'R';
        let Ok(topic) = std::str::from_utf8(topic) else { continue };
        let heard = Heard { retain, count: 1, at, wall: 1_795_000_000 };
        let said = dialect.understand(topic, payload, heard).unwrap_or_default();
        assert!(said.len() <= 64, "{} facts of one message", said.len());
        for observation in said {
            let device = &observation.origin.device;
            assert!(known.iter().any(|known| known.origin.device == *device));
            assert!(serde_json::to_vec(&observation).is_ok());
        }
    }
    for known in &known {
        for action in [
            Action::Sound { seconds: 5 },
            Action::Flash { seconds: 5, with: Announcer::Light },
            Action::Flash { seconds: 5, with: Announcer::Strobe },
            Action::Hold,
            Action::Hush,
        ] {
            let _ = dialect.order(&known.origin.device, &action, at);
            let _ = dialect.due_orders(at + std::time::Duration::from_secs(1));
        }
    }
    let _ = dialect.answers(at);
}
