//! The centre is away for a day, or comes and goes every second.

use std::time::Duration;

use serde_json::json;

use crate::chance::rounds;
use crate::common::{Box_, Broker, DEADLINE, Peer};
use crate::ledger::Ledger;

const PRESS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

/// A day of a home's telemetry, played as fast as it goes, with alerts in it and a kill at noon.
/// All of it is upstream afterwards, once, and the alerts came before the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_the_centre_is_delivered_afterwards() {
    let (zigbee, mut upstream) = (Broker::start(), Broker::start());
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    let mut ledger = Ledger::default();
    {
        let mut centre = Peer::connect("before", upstream.port, &["anju/1/#"]).await;
        let mut heard = false;
        while !heard {
            devices.publish(DOOR, r#"{"contact":true}"#).await;
            let got = centre.next().await;
            heard = ledger.take(&got).is_some_and(|e| e["type"] == "cn.anju.observation.contact");
        }
    }
    upstream.stop();
    // A door that moves every half minute makes 2,880 entries; more in the long form.
    let doors = 2_880 * rounds(1).min(20) as u64;
    let mut presses = 0;
    for n in 0..doors {
        devices.publish(DOOR, json!({"contact": n % 2 == 1}).to_string()).await;
        if n % (doors / 5) == 0 {
            presses += 1;
            let press = json!({"action": "emergency", "linkquality": presses}).to_string();
            devices.publish(PRESS, press).await;
        }
        if n == doors / 2 {
            recorded(&anju, presses).await;
            anju.kill();
            anju.start();
        }
    }
    assert_eq!(presses, 5);
    recorded(&anju, presses).await;
    anju.kill();
    upstream.restart();
    let mut centre = Peer::connect("after", upstream.port, &["anju/1/#"]).await;
    anju.start();
    let mut alerts_before = 0;
    let mut last = None;
    let deadline = std::time::Instant::now() + 4 * DEADLINE;
    while last.is_none_or(|last| !ledger.missing(last).is_empty()) {
        assert!(
            std::time::Instant::now() < deadline,
            "missing {:?}",
            last.map(|l| ledger.missing(l))
        );
        let got = centre.next().await;
        let Some(event) = ledger.take(&got) else {
            if got.topic.ends_with("/status") && ledger.kept.len() as u64 > doors {
                let json = got.json();
                let number = |field: &str| json[field].as_u64().unwrap();
                // Telemetry of the last minutes may not be durable yet.
                last = Some((number("epoch"), 0));
            }
            continue;
        };
        let kind = event["type"].as_str().unwrap();
        if kind.starts_with("cn.anju.alert.") && (ledger.kept.len() as u64) < doors / 2 {
            alerts_before += 1;
        }
    }
    ledger.verify();
    let told = |kind: &str| ledger.kept.values().filter(|e| e["type"] == kind).count();
    let help = |kind: &str| {
        let of = |e: &&serde_json::Value| e["type"] == kind && e["data"]["rule"] == "help";
        ledger.kept.values().filter(of).count()
    };
    assert_eq!(help("cn.anju.alert.raised"), 1);
    assert!(ledger.presses() >= 5, "{} of 5 presses", ledger.presses());
    assert!(help("cn.anju.alert.repeated") >= 4, "4 repeats of the first alert");
    assert!(alerts_before >= 5, "alerts came after the backlog");
    let contacts = told("cn.anju.observation.contact") as u64;
    assert!(contacts >= doors, "{contacts} of {doors} door movements");
    println!(
        "a day away: {doors} door movements, 5 of 5 presses, {} entries, each once",
        ledger.kept.len()
    );
}

/// Until all presses so far are durable.
async fn recorded(anju: &Box_, presses: usize) {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        let (ok, export) = anju.anju(&["journal", "export"]);
        if ok && export.matches("\"type\":\"cn.anju.observation.help\"").count() >= presses {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "the presses are not recorded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The broker is restarted every second, and between two restarts there is not much time.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_restarts_every_second_gets_everything() {
    let (zigbee, mut upstream) = (Broker::start(), Broker::start());
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    let mut ledger = Ledger::default();
    let mut presses = 0;
    for _ in 0..rounds(6).min(60) {
        let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        for n in 0..20 {
            presses += 1;
            let press = json!({"action": "emergency", "linkquality": presses}).to_string();
            devices.publish(PRESS, press).await;
            devices.publish(DOOR, json!({"contact": n % 2 == 0}).to_string()).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        for got in centre.there() {
            ledger.take(&got);
        }
        upstream.stop();
        upstream.restart();
    }
    let (_, export) = anju.anju(&["journal", "export"]);
    let flaps = export.matches("\"type\":\"cn.anju.box.network\"").count();
    assert!(flaps <= 8, "each of the short losses is told: {flaps}");
    assert!(anju.stop() < Duration::from_secs(2));
    let (_, export) = anju.anju(&["journal", "export"]);
    assert!(export.contains("cn.anju.alert.raised"));
}

/// Devices go on while the box is down: thousands of messages wait at their broker, many more than
/// a client leaves unanswered, and the press behind them is heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_press_behind_thousands_of_messages_is_heard_after_a_start() {
    for version in ["5", "3.1.1"] {
        // A broker that sends without waiting for any answer.
        let lavish = "max_inflight_messages 0\n";
        let zigbee = Broker::with(tempfile::tempdir().unwrap(), lavish);
        let upstream = Broker::start();
        let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        let mut anju = Box_::new(zigbee.port, upstream.port);
        let dialect = "dialect = \"zigbee2mqtt\"";
        anju.configure(|config| {
            config.replacen(dialect, &format!("{dialect}\nversion = \"{version}\""), 1)
        });
        anju.start();
        devices.publish_with(DOOR, true, r#"{"contact":true}"#.into(), Default::default()).await;
        centre.event("cn.anju.observation.contact").await;
        anju.kill();
        for n in 0..4000 {
            let door = json!({"contact": n % 2 == 0, "battery": n % 100}).to_string();
            devices.publish(DOOR, door).await;
        }
        devices.publish(PRESS, r#"{"action":"emergency"}"#).await;
        anju.start();
        let raised = loop {
            let raised = centre.event("cn.anju.alert.raised").await;
            if raised["data"]["class"] == "alarm" {
                break raised;
            }
        };
        assert_eq!(raised["data"]["rule"], "help");
        assert!(anju.stop() < Duration::from_secs(2));
    }
}
