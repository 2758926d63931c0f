//! From real bytes on a real broker to the alert upstream, its acceptance, and what is left after
//! the box was killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeMap;

use common::{Box_, Broker, Peer};
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::{Value, json};

const PRESS: &str = "zigbee2mqtt/sos-button";

fn press(n: u32) -> String {
    json!({"action": "emergency", "battery": null, "linkquality": n}).to_string()
}

/// Waits until the box hears its devices.
async fn heard(zigbee: &Peer, centre: &mut Peer) {
    zigbee
        .publish_with(
            "zigbee2mqtt/0x00158d0001e52fbb",
            true,
            json!({"contact": true}).to_string(),
            PublishProperties::default(),
        )
        .await;
    centre.event("cn.anju.observation.contact").await;
}

fn command(name: &str, id: &str, data: &Value) -> String {
    let time = jiff::Timestamp::now().to_string();
    let kind = format!("cn.anju.command.{name}");
    json!({"specversion": "1.0", "id": id, "type": kind, "source": "/centre", "time": time,
        "data": data})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_spoken_accepted_and_closed() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#", "reply/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    heard(&devices, &mut centre).await;

    devices.publish(PRESS, press(1)).await;
    let raised = centre.event("cn.anju.alert.raised").await;
    assert_eq!(raised["data"]["class"], "alarm");
    assert_eq!(raised["data"]["rule"], "help");
    assert_eq!(raised["data"]["device"], "sos");
    assert_eq!(raised["data"]["code"], 101);
    assert!(raised["data"]["text"].as_str().unwrap().contains("王奶奶"));
    let alert = raised["data"]["alert"].clone();
    let announced = centre.event("cn.anju.alert.announced").await;
    assert_eq!(announced["data"]["alert"], alert);
    assert_eq!(announced["data"]["by"], "speaker");

    let topic = "anju/1/hz-test/commands";
    let properties = PublishProperties {
        response_topic: Some("reply/7".into()),
        correlation_data: Some("c7".into()),
        ..PublishProperties::default()
    };
    let accept = command("accept", "c-1", &json!({"by": "operator", "alert": alert, "minutes": 9}));
    centre.publish_with(topic, false, accept, properties.clone()).await;
    let mut accepted = None;
    let mut reply = None;
    while accepted.is_none() || reply.is_none() {
        let got = centre.next().await;
        if got.topic == "reply/7" {
            assert_eq!(
                got.properties.as_ref().unwrap().correlation_data.as_deref(),
                Some(&b"c7"[..])
            );
            reply = Some(got.json());
        } else if got.json()["type"] == "cn.anju.alert.accepted" {
            accepted = Some(got.json());
        }
    }
    assert_eq!(reply.unwrap(), json!({"id": "c-1", "ok": true, "error": null}));
    let accepted = accepted.unwrap();
    assert_eq!(
        (&accepted["data"]["by"], &accepted["data"]["minutes"]),
        (&json!("operator"), &json!(9))
    );

    let unknown = command("accept", "c-2", &json!({"by": "operator", "alert": "hz-test/9/9"}));
    centre.publish_with(topic, false, unknown, properties.clone()).await;
    let refused = centre.until(|got| got.topic == "reply/7").await.json();
    assert_eq!(refused["ok"], false);
    assert!(refused["error"].as_str().unwrap().contains("hz-test/9/9"));

    let (closed, _) = anju.anju(&["close", alert.as_str().unwrap(), "--outcome", "test"]);
    assert!(closed);
    let closed = centre.event("cn.anju.alert.closed").await;
    assert_eq!(closed["data"]["outcome"], "test");
    assert!(anju.stop() < std::time::Duration::from_secs(2));
    let offline = centre.until(|got| got.topic.ends_with("/status")).await;
    assert_eq!(offline.json()["state"], "offline");
    let (exported, export) = anju.anju(&["journal", "export"]);
    assert!(exported);
    let file = anju.dir.path().join("export.jsonl");
    std::fs::write(&file, export).unwrap();
    let replayed = std::process::Command::new(env!("CARGO_BIN_EXE_anju"))
        .args(["replay", "--json"])
        .arg(&file)
        .arg("--config")
        .arg(anju.dir.path().join("anju.toml"))
        .output()
        .unwrap();
    assert!(replayed.status.success() && replayed.stderr.is_empty());
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!((&replayed["alert"], &replayed["rule"]), (&alert, &json!("help")));
    let spoken = std::fs::read_dir(anju.dir.path().join("wav")).unwrap();
    assert!(spoken.flatten().any(|file| file.metadata().unwrap().len() > 4_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_recorded_is_lost_when_the_centre_is_away_and_the_box_is_killed() {
    let (zigbee, mut upstream) = (Broker::start(), Broker::start());
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    {
        let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        anju.start();
        heard(&devices, &mut centre).await;
    }
    upstream.stop();
    for n in 0..5 {
        devices.publish(PRESS, press(n)).await;
        // A press is durable once it can be read back.
        let deadline = std::time::Instant::now() + common::DEADLINE;
        loop {
            let (ok, export) = anju.anju(&["journal", "export"]);
            let told = export.matches("cn.anju.alert.raised").count()
                + export.matches("cn.anju.alert.repeated").count();
            if ok && told > n as usize {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "press {n} is not in {export}");
        }
    }
    anju.kill();
    upstream.restart();
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    anju.start();
    let mut alerts = Vec::new();
    let mut seen: BTreeMap<(u64, u64), Value> = BTreeMap::new();
    while alerts.len() < 5 {
        let got = centre.next().await;
        let event = got.json();
        let Some(kind) = event["type"].as_str() else { continue };
        let number =
            (event["data"]["epoch"].as_u64().unwrap(), event["data"]["seq"].as_u64().unwrap());
        let again = seen.insert(number, event.clone());
        assert!(again.is_none_or(|before| before == event), "one id, one body");
        if ["cn.anju.alert.raised", "cn.anju.alert.repeated"].contains(&kind) {
            alerts.push(event);
        }
    }
    let first = alerts[0]["data"]["alert"].clone();
    assert!(alerts.iter().all(|event| event["data"]["alert"] == first));
    // The search for help goes on: the same alert is still open after the restart.
    let status = centre.until(|got| got.topic.ends_with("/status")).await.json();
    assert_eq!(status["open_alerts"], 1);
}
