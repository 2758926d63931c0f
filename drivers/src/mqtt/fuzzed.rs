//! What fuzzers feed the dialects: messages, one a line, each with a topic up to the first blank and
//! its payload; a line that begins with `!` is a retained one. What must hold whatever they are is
//! checked by panicking. Nothing of the product calls these.

use anju_model::Fact;
use anju_model::config::{Link, parse};
use tokio::time::Instant;

use super::dialect::Heard;

const HEAD: &str = "schema = 1\n[box]\nid = \"hz-1\"\n[[person]]\nid = \"wang\"\n\
    [[zone]]\nid = \"home\"\nlatitude = 30.19\nlongitude = 120.19\n";

/// Devices on one link of a dialect: kind and what follows `link`.
fn feed(dialect: &str, devices: &[(&str, &str)], bytes: &[u8]) {
    let mut text = format!(
        "{HEAD}[links.it]\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1\"\ndialect = \"{dialect}\"\n"
    );
    for (at, (kind, rest)) in devices.iter().enumerate() {
        text += &format!("[[device]]\nid = \"d{at}\"\nkind = \"{kind}\"\nlink = \"it\"\n{rest}\n");
    }
    let Some(home) = parse(&text, "fuzz").household else { return };
    assert_eq!(home.devices.len(), devices.len(), "the fuzzed home is not sound");
    let Some(Link::Mqtt(link)) = home.links.values().next() else { return };
    let mut dialect = super::dialect(link, &home.devices, &home.zones);
    let at = Instant::now();
    dialect.connected(at);
    for line in bytes.split(|byte| *byte == b'\n') {
        let (retain, line) = match line.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (topic, payload) = line.split_at(end);
        let Ok(topic) = std::str::from_utf8(topic) else { continue };
        let heard = Heard { retain, count: 1, at, wall: 1_800_000_000 };
        let payload = payload.get(1..).unwrap_or_default();
        let Ok(said) = dialect.understand(topic, payload, heard) else { continue };
        assert!(said.len() <= 64 * devices.len(), "{} facts of one message", said.len());
        for observation in said {
            let event = matches!(
                observation.fact,
                Fact::Help(_) | Fact::Bell(_) | Fact::Medication(_) | Fact::Call(_)
            );
            assert!(!(retain && event), "an event of a retained message");
            assert!(home.devices.iter().any(|device| device.id == observation.origin.device));
            let written = serde_json::to_value(&observation);
            let sound = written.is_ok_and(|value| {
                value.as_object().is_some_and(|o| o.values().all(|v| !v.is_null()))
            });
            assert!(sound, "{observation:?} holds what is no value");
        }
    }
    let _ = dialect.answers(at);
}

/// Messages of a zigbee2mqtt bridge.
pub fn zigbee2mqtt(bytes: &[u8]) {
    let devices = [
        ("fixed-alarm", "address = \"sos\""),
        ("door-contact", "address = \"0x00158d0001e52fbb\""),
        ("smoke", "address = \"kitchen/smoke\""),
        ("siren", "address = \"siren\""),
        ("door-lock", "address = \"lock\""),
        ("pill-box", "address = \"pills\""),
        ("set-top-box", "address = \"tv\""),
        ("electricity-meter", "address = \"plug\""),
        ("fall-detector", "address = \"radar\""),
        ("doorbell", "address = \"bell\""),
    ];
    feed("zigbee2mqtt", &devices, bytes);
}

/// Messages of Frigate.
pub fn frigate(bytes: &[u8]) {
    let devices = [
        ("camera", "address = \"hall\"\nzones = [\"door\"]"),
        ("camera", "address = \"yard\"\nsource = \"reviews\""),
    ];
    feed("frigate", &devices, bytes);
}

/// Messages of OwnTracks phones.
pub fn owntracks(bytes: &[u8]) {
    feed("owntracks", &[("locator", "address = \"wang/phone\"")], bytes);
}

/// Messages of rtl_433.
pub fn rtl433(bytes: &[u8]) {
    let devices = [
        ("portable-alarm", "address = \"Generic-Remote/55034\"\npress = [\"cmd=3\"]"),
        ("door-contact", "address = \"Interlogix-Security/a55b4b\""),
        ("motion", "address = \"Kerui-Security/862103\""),
        ("smoke", "address = \"Smoke-GS558/25612\""),
        ("climate", "address = \"Acurite-Tower/11524\""),
    ];
    feed("rtl433", &devices, bytes);
}

/// Messages of devices that publish JSON of their own.
pub fn json(bytes: &[u8]) {
    let devices = [
        (
            "mattress",
            "topic = \"bed\"\n[[device.map]]\nfield = \"bed.occupied\"\npointer = \"/bed\"\n\
             values = { in = true, out = false }\n[[device.map]]\n\
             field = \"vital.heart_beats_per_minute\"\npointer = \"/vitals/0\"\nscale = 0.1\n\
             [[device.map]]\nfield = \"online.online\"\ntopic = \"bed/status\"\n\
             values = { online = true, offline = false }",
        ),
        (
            "smart-cane",
            "topic = \"cane\"\n[[device.map]]\nfield = \"help.state\"\npointer = \"/event\"\n\
             values = { sos = \"pressed\" }\nwhen = \"change\"\n[[device.map]]\n\
             field = \"location.latitude_degrees\"\npointer = \"/lat\"\n[[device.map]]\n\
             field = \"location.longitude_degrees\"\npointer = \"/lon\"\n[[device.map]]\n\
             field = \"vital.steps\"\npointer = \"/steps\"",
        ),
    ];
    feed("json", &devices, bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// A dialect's target and its seeds.
    type Seeded = (fn(&[u8]), &'static [u8]);

    const SEEDED: [Seeded; 4] = [
        (super::frigate, include_bytes!("../../fuzz/corpus/frigate/messages")),
        (super::owntracks, include_bytes!("../../fuzz/corpus/owntracks/messages")),
        (super::rtl433, include_bytes!("../../fuzz/corpus/rtl433/messages")),
        (super::json, include_bytes!("../../fuzz/corpus/json/messages")),
    ];

    proptest! {
        #[test]
        fn seeds_with_broken_bytes_are_survived(
            breaks in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            for (target, seeds) in SEEDED {
                let mut bytes = seeds.to_vec();
                for (at, byte) in &breaks {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                target(&bytes);
                target(&bytes[cut.index(bytes.len())..]);
            }
            super::zigbee2mqtt(b"!zigbee2mqtt/bridge/state online\nzigbee2mqtt/sos {\"action\":\"on\"}");
        }
    }
}
