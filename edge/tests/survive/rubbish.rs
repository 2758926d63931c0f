//! Random, truncated, oversized and non-UTF-8 input on every link of the real daemon, and the
//! committed corpora besides: it lives, does not grow, raises nothing, and hears its devices.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::chance::{Chance, rounds};
use crate::common::{Box_, Broker, Peer};
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
