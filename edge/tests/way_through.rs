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

fn lines(text: &[u8]) -> Vec<Value> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// What of a raised alert a replay has to give again.
fn judgement(alert: &Value) -> Value {
    let of = |key: &str| alert[key].clone();
    json!({"alert": of("alert"), "rule": of("rule"), "class": of("class"), "device": of("device"),
        "test": of("test"), "since": of("since")})
}

/// Every exported entry is as the printed reference says.
fn all_fit_their_schemas(export: &[u8]) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/pages/events");
    let mut known = BTreeMap::new();
    for entry in lines(export) {
        let kind = entry["type"].as_str().unwrap().to_owned();
        let validator = known.entry(kind.clone()).or_insert_with(|| {
            let text = std::fs::read(format!("{folder}/{kind}.schema.json")).unwrap();
            jsonschema::validator_for(&serde_json::from_slice(&text).unwrap()).unwrap()
        });
        let wrong: Vec<String> = validator.iter_errors(&entry).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{entry}: {wrong:?}");
    }
    assert!(known.len() > 8, "few kinds of entries were tried: {:?}", known.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_spoken_accepted_and_closed() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#", "reply/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    // Two of the box's own parts do not work: a key that nobody knows, and a page whose port a broker
    // has.
    anju.configure(|config| {
        let config = config.replace("[speaker]", "[speaker]\nvolumen = 5");
        config.replace(&format!(":{}\"", anju.web), &format!(":{}\"", zigbee.port))
    });
    anju.start();
    heard(&devices, &mut centre).await;

    devices.publish(PRESS, press(1)).await;
    // What is broken was found first and may be told later than what devices said.
    let mut raised = centre.event("cn.anju.alert.raised").await;
    while raised["data"]["class"] == "fault" {
        raised = centre.event("cn.anju.alert.raised").await;
    }
    assert_eq!(raised["data"]["class"], "alarm");
    assert_eq!(raised["data"]["rule"], "help");
    assert_eq!(raised["data"]["device"], "sos");
    assert_eq!(raised["data"]["code"], 101);
    assert!(raised["data"]["text"].as_str().unwrap().contains("王奶奶"));
    let alert = raised["data"]["alert"].clone();
    let mut announced = centre.event("cn.anju.alert.announced").await;
    while announced["data"]["class"] == "fault" {
        announced = centre.event("cn.anju.alert.announced").await;
    }
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
    let raised = |entry: &Value| entry["type"] == "cn.anju.alert.raised";
    let recorded: Vec<Value> = lines(&std::fs::read(&file).unwrap())
        .iter()
        .filter(|entry| raised(entry))
        .map(|entry| judgement(&entry["data"]))
        .collect();
    let replayed: Vec<Value> = lines(&replayed.stdout).iter().map(judgement).collect();
    assert_eq!(replayed, recorded, "a replay gives the recorded alerts again");
    let of = |rule: &str| recorded.iter().filter(|alert| alert["rule"] == rule).count();
    assert_eq!((of("help"), of("configuration"), of("trouble")), (1, 1, 1), "{recorded:?}");
    assert!(recorded.iter().any(|one| one["alert"] == alert));
    all_fit_their_schemas(&std::fs::read(&file).unwrap());
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

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_memory_is_exported_too_and_a_restart_that_is_needed_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.configure(|config| {
        config.replace("id = \"hz-test\"", "id = \"hz-test\"\nlanguage = \"en\"")
    });
    std::fs::create_dir(anju.data()).unwrap();
    std::fs::set_permissions(anju.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
    anju.start();
    heard(&devices, &mut centre).await;

    // Readings go to the disk after two minutes, longer than is waited for here.
    let door = "zigbee2mqtt/0x00158d0001e52fbb";
    devices.publish(door, json!({"contact": true, "battery": 61}).to_string()).await;
    let charge =
        anju.until_recorded("cn.anju.observation.battery", |data| data["percent"] == 61.0).await;
    assert_eq!(charge["device"], "door");

    // What holds who lives here is for nobody else to read.
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&anju.data()), 0o700);
    for file in ["epoch", "last-good.toml"] {
        assert_eq!(mode(&anju.data().join(file)), 0o600, "{file}");
    }

    // The daemon's language, whatever file the command line finds.
    let (planned, plan) = anju.anju(&["plan", "--config", "/nowhere/anju.toml"]);
    assert!(planned && plan.contains("at once"), "{plan}");

    let (tailed, tail) = anju.anju(&["journal", "tail", "--json", "-n", "3"]);
    assert!(tailed && lines(tail.as_bytes()).len() == 3, "{tail}");
    let fields = |figures: &str| -> Vec<String> {
        lines(figures.as_bytes())[0].as_object().unwrap().keys().cloned().collect()
    };
    let (_, beside) = anju.anju(&["journal", "stats", "--json"]);

    anju.configure(|config| config.replace("hz-test", "hz-other"));
    anju.reload();
    let told = |data: &Value| data["part"] == "configuration";
    let fault = anju.until_recorded("cn.anju.box.fault", told).await;
    assert!(fault["reason"].as_str().unwrap().contains("[box] id"), "{fault}");
    anju.configure(|config| config.replace("hz-other", "hz-test"));
    anju.reload();
    let by_itself = |data: &Value| data["rule"] == "configuration";
    anju.until_recorded("cn.anju.alert.closed", by_itself).await;

    anju.stop();
    let (_, alone) = anju.anju(&["journal", "stats", "--json"]);
    assert_eq!(fields(&beside), fields(&alone));
    let (exported, export) = anju.anju(&["journal", "export", "--json"]);
    assert!(exported && lines(export.as_bytes()).len() > 5);
}
