//! Random, truncated, oversized and non-UTF-8 input on every link of the real daemon, and the
//! committed corpora besides: it lives, does not grow, raises nothing, and hears its devices.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_serial::{SerialPort, SerialStream};

use crate::chance::{Chance, rounds};
use crate::common::{Box_, Broker, Got, Peer};
use crate::wire::memory;

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

/// By these an alarm is told.
const ALARMS: [&str; 6] = ["action", "smoke", "fall", "gas", "carbon_monoxide", "water_leak"];

/// Memory that caches and buffers of this much traffic may take, KiB.
const ROOM: u64 = 48 * 1024;

fn corpus(path: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).collect();
    files.sort();
    files.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Breaks a message in one of several ways.
fn spoil(chance: &mut Chance, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match chance.below(5) {
        0 => bytes.truncate(chance.below(bytes.len() as u64) as usize),
        1 => bytes.extend(chance.bytes(200)),
        2 => bytes = chance.bytes(300),
        3 => bytes = bytes.repeat(1 + chance.below(200) as usize),
        _ => {
            for _ in 0..=chance.below(9) {
                let at = chance.below(bytes.len() as u64) as usize;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = chance.next() as u8;
                }
            }
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_from_a_broker_is_passed_over() {
    let mut chance = Chance::new("rubbish from a broker");
    for version in ["5", "3.1.1"] {
        let (zigbee, upstream) = (Broker::start(), Broker::start());
        let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        let mut anju = Box_::new(zigbee.port, upstream.port);
        let path = anju.dir.path().join("anju.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let dialect = "dialect = \"zigbee2mqtt\"";
        let config = config.replacen(dialect, &format!("{dialect}\nversion = \"{version}\""), 1);
        std::fs::write(path, config).unwrap();
        anju.start_seen(&mut centre).await;
        devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
        centre.event("cn.anju.observation.contact").await;
        let before = memory(anju.pid());
        let lines: Vec<Vec<u8>> = corpus("../drivers/fuzz/corpus/zigbee2mqtt")
            .iter()
            .flat_map(|file| file.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect();
        let topics = [
            DOOR,
            "zigbee2mqtt/smoke-kitchen",
            "zigbee2mqtt/bridge/devices",
            "zigbee2mqtt/bridge/state",
            "zigbee2mqtt/smoke-kitchen/availability",
            "zigbee2mqtt/bridge/info",
            "zigbee2mqtt/else",
        ];
        for _ in 0..600 * rounds(1).min(50) {
            let line = &lines[chance.below(lines.len() as u64) as usize];
            let payload = spoil(&mut chance, line.get(1..).unwrap_or_default());
            // What still says that there is danger is an alarm.
            let text = String::from_utf8_lossy(&payload);
            if ALARMS.iter().any(|name| text.contains(name)) {
                continue;
            }
            let topic = topics[chance.below(topics.len() as u64) as usize];
            devices.publish(topic, payload).await;
        }
        // Larger than the client takes, kept by the broker, so that it comes at each connection.
        let huge = "zigbee2mqtt/bridge/devices";
        devices
            .publish_with(huge, true, "[".to_owned() + &"0,".repeat(5 << 20), Default::default())
            .await;
        devices.publish(DOOR, vec![b'{'; 4 << 20]).await;
        let press = json!({"action": "emergency", "linkquality": version}).to_string();
        devices.publish(PRESS, press).await;
        // A device of which nothing is understood is a fault; anything graver is made up.
        let raised = loop {
            let raised = centre.event("cn.anju.alert.raised").await;
            if raised["data"]["class"] != "fault" {
                break raised;
            }
        };
        assert_eq!(raised["data"]["rule"], "help", "an alarm out of rubbish: {raised}");
        // From the beginning, with the large one in its way.
        anju.kill();
        anju.start_seen(&mut centre).await;
        let press = json!({"action": "emergency", "linkquality": format!("again {version}")});
        devices.publish(PRESS, press.to_string()).await;
        centre.event("cn.anju.alert.repeated").await;
        let after = memory(anju.pid());
        println!("MQTT {version}: from {before} to {after} KiB");
        assert!(after < before + ROOM, "it grew from {before} to {after} KiB");
        devices.publish_with(huge, true, String::new(), Default::default()).await;
        assert!(anju.stop() < Duration::from_secs(2));
    }
}

/// The links of a bus with a meter and of devices that talk by themselves; `protocol`, and a frame of
/// it that is no alarm, in hexadecimal.
const WIRES: [(&str, &str); 6] = [
    ("dlt645", "FE FE 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16"),
    (
        "cjt188",
        "FE FE 68 10 26 13 06 07 00 33 78 81 16 1F 90 04 00 68 00 00 2C 00 00 00 00 2C \
                00 00 00 00 00 00 00 00 00 73 16",
    ),
    ("radar", "53 59 80 01 00 01 01 2F 54 43"),
    ("ld2410", "F4 F3 F2 F1 0D 00 02 AA 00 00 00 00 00 00 37 00 00 55 00 F8 F7 F6 F5"),
    (
        "pms5003",
        "42 4D 00 1C 00 29 00 3E 00 46 00 1F 00 2E 00 3C 19 EC 07 BF 01 69 00 36 00 08 00 00 91 00 \
                 04 E5",
    ),
    ("voice", "A5 FA 00 81 07 00 27 FB"),
];

fn hex(text: &str) -> Vec<u8> {
    let bytes = text.split_ascii_whitespace();
    bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn wire_rows(protocol: &str) -> String {
    let (kind, more) = match protocol {
        "dlt645" => ("electricity-meter", "address = \"123456789012\"\npoll = \"5s\"\n"),
        "cjt188" => ("water-meter", "address = \"78330007061326\"\npoll = \"5s\"\n"),
        "pms5003" => ("air-quality", ""),
        "voice" => ("voice-alarm", "words = [\"1=help:救命\"]\n"),
        _ => ("fall-detector", ""),
    };
    format!(
        "[links.{protocol}]\nkind = \"serial\"\npath = \"PORT-{protocol}\"\nbaud = 9600\n[[device]]\n\
         id = \"{protocol}\"\nkind = \"{kind}\"\nlink = \"{protocol}\"\nprotocol = \"{protocol}\"\n{more}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_serial_wires_is_passed_over() {
    let mut chance = Chance::new("rubbish on serial wires");
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let mut wires = Vec::new();
    anju.configure(|mut config| {
        for (protocol, frame) in WIRES {
            let (device, port) = SerialStream::pair().unwrap();
            config +=
                &wire_rows(protocol).replace(&format!("PORT-{protocol}"), &port.name().unwrap());
            wires.push((device, port, hex(frame)));
        }
        config
    });
    anju.start_seen(&mut centre).await;
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    let before = memory(anju.pid());
    let mut written = 0;
    for _ in 0..400 * rounds(1).min(50) {
        for (device, _, frame) in &mut wires {
            let bytes = spoil(&mut chance, frame);
            // What nobody reads is more than a wire holds: a daemon that waits between two tries to
            // open a port does not stop this test.
            if let Ok(count) = device.try_write(&bytes) {
                written += count;
            }
        }
        tokio::task::yield_now().await;
    }
    devices.publish(PRESS, r#"{"action":"emergency"}"#).await;
    let raised = loop {
        let raised = centre.event("cn.anju.alert.raised").await;
        if raised["data"]["class"] != "fault" {
            break raised;
        }
    };
    assert_eq!(raised["data"]["rule"], "help", "an alarm out of rubbish: {raised}");
    // They are heard as before.
    let ends = [
        (2, "radar", "presence", "53 59 80 01 00 01 00 2E 54 43"),
        (
            3,
            "ld2410",
            "motion",
            "F4 F3 F2 F1 0D 00 02 AA 03 46 00 34 00 00 3C 00 00 55 00 F8 F7 F6 F5",
        ),
    ];
    for (wire, device, what, frame) in ends {
        AsyncWriteExt::write_all(&mut wires[wire].0, &hex(frame)).await.unwrap();
        let kind = format!("cn.anju.observation.{what}");
        let says = |got: &Got| {
            let event = got.json();
            event["type"] == kind && event["data"]["device"] == device
        };
        centre.until(says).await;
    }
    let after = memory(anju.pid());
    println!("serial wires: {written} bytes, from {before} to {after} KiB");
    assert!(after < before + ROOM, "it grew from {before} to {after} KiB");
    assert!(anju.stop() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_the_control_socket_is_answered_or_hung_up_on() {
    let mut chance = Chance::new("rubbish on the control socket");
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    let before = memory(anju.pid());
    let seeds = corpus("fuzz/corpus/control");
    let socket = anju.data().join("control.sock");
    let mut idle = Vec::new();
    for round in 0..300 * rounds(1).min(50) {
        let seed = &seeds[chance.below(seeds.len() as u64) as usize];
        let line = match round % 3 {
            0 => seed.clone(),
            1 => spoil(&mut chance, seed),
            _ => vec![b'x'; 100_000],
        };
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may hang up before it has all.
        let _ = stream.write_all(&line);
        if round % 50 == 0 {
            // Somebody who never ends the line.
            idle.push(stream);
        }
    }
    let (ok, _) = anju.anju(&["journal", "stats"]);
    assert!(ok);
    devices.publish(PRESS, r#"{"action":"emergency"}"#).await;
    let raised = centre.event("cn.anju.alert.raised").await;
    assert_eq!(raised["data"]["rule"], "help");
    let after = memory(anju.pid());
    assert!(after < before + ROOM, "it grew from {before} to {after} KiB");
    drop(idle);
}

/// The file that systemd gives it, and what a hand or a dying card makes of it: the daemon starts
/// with what is sound, or with the last good copy, and the alarm works.
#[tokio::test(flavor = "multi_thread")]
async fn a_spoiled_configuration_never_leaves_the_home_unguarded() {
    let mut chance = Chance::new("a spoiled configuration");
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let path = anju.dir.path().join("anju.toml");
    let good = std::fs::read(&path).unwrap();
    anju.start();
    devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    devices.publish(PRESS, r#"{"action":"emergency"}"#).await;
    centre.event("cn.anju.alert.raised").await;
    assert!(anju.stop() < Duration::from_secs(2));
    let texts: [Vec<u8>; 4] =
        [Vec::new(), b"\xff\xfe\x00".to_vec(), chance.bytes(5000), good[..7].to_vec()];
    for (n, text) in texts.into_iter().enumerate() {
        std::fs::write(&path, text).unwrap();
        anju.start_seen(&mut centre).await;
        let press = json!({"action": "emergency", "linkquality": n}).to_string();
        devices.publish(PRESS, press).await;
        centre.event("cn.anju.alert.repeated").await;
        assert!(anju.stop() < Duration::from_secs(2));
    }
    std::fs::remove_file(&path).unwrap();
    anju.start_seen(&mut centre).await;
    devices.publish(PRESS, r#"{"action":"emergency","linkquality":"gone"}"#).await;
    centre.event("cn.anju.alert.repeated").await;
    assert!(anju.stop() < Duration::from_secs(2));
}
