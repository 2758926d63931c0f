//! Every kind of device on the air, from its bytes through the real Bluetooth daemon and the real
//! box to what the centre sees. Runs inside the lab (`drivers/lab/test.sh`); elsewhere it says that
//! it was skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../drivers/tests/common/air.rs"]
mod air;
mod common;

use air::Air;
use common::{Box_, Broker, DEADLINE, Peer};
use serde_json::{Value, json};

const ROWS: &str = r#"
[links.radio]
kind = "ble"
[[device]]
id = "pendant"
kind = "portable-alarm"
link = "radio"
address = "F1:00:00:00:00:20"
key_file = "KEY"
[[device]]
id = "locator"
kind = "locator"
link = "radio"
address = "F1:00:00:00:00:21"
[[device]]
id = "badge"
kind = "smart-badge"
link = "radio"
protocol = "bthome"
address = "F1:00:00:00:00:22"
[[device]]
id = "cane"
kind = "smart-cane"
link = "radio"
address = "F1:00:00:00:00:23"
[[device]]
id = "chair"
kind = "smart-wheelchair"
link = "radio"
address = "F1:00:00:00:00:24"
[[device]]
id = "scale"
kind = "body-scale"
link = "radio"
protocol = "miscale"
address = "F1:00:00:00:00:25"
[[device]]
id = "climate"
kind = "climate"
link = "radio"
protocol = "bthome"
address = "F1:00:00:00:00:26"
[[device]]
id = "watch"
kind = "smart-watch"
link = "radio"
address = "F1:00:00:00:00:01"
[[device]]
id = "cuff"
kind = "blood-pressure"
link = "radio"
address = "F1:00:00:00:00:02"
[[device]]
id = "finger"
kind = "oximeter"
link = "radio"
address = "F1:00:00:00:00:03"
[[device]]
id = "band"
kind = "smart-band"
link = "radio"
address = "F1:00:00:00:00:04"
"#;
const KEY: &str = "231d39c1d7cc1ab1aee224cd096db932";

/// What the centre sees.
struct Centre {
    peer: Peer,
    unread: Vec<Value>,
}

impl Centre {
    async fn find(&mut self, what: &str, device: &str, fields: &Value) -> Value {
        let fits = |event: &Value| {
            let data = &event["data"];
            event["type"] == what
                && data["device"] == device
                && fields.as_object().unwrap().iter().all(|(key, value)| data[key] == *value)
        };
        if let Some(at) = self.unread.iter().position(&fits) {
            return self.unread.remove(at);
        }
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                let Ok(event) = serde_json::from_slice::<Value>(&self.peer.next().await.payload)
                else {
                    continue;
                };
                if fits(&event) {
                    return event;
                }
                self.unread.push(event);
            }
        })
        .await;
        found.unwrap_or_else(|_| panic!("no {what} {fields} of {device} among {:#?}", self.unread))
    }

    async fn observed(&mut self, device: &str, what: &str, fields: Value) {
        self.find(&format!("cn.anju.observation.{what}"), device, &fields).await;
    }

    async fn raised(&mut self, device: &str, rule: &str) {
        let fields = json!({"rule": rule, "class": "alarm"});
        self.find("cn.anju.alert.raised", device, &fields).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_on_the_air_reaches_the_centre() {
    if common::outside_the_lab() {
        return;
    }
    let mut air = Air::start();
    let upstream = Broker::start();
    let peer = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut centre = Centre { peer, unread: Vec::new() };
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("pendant.key");
    std::fs::write(&key, KEY).unwrap();
    let mut anju = Box_::of(&ROWS.replace("KEY", key.to_str().unwrap()), upstream.port);
    anju.start();

    for wearable in ["01", "02", "03", "04"] {
        air.tell(&format!("worn F1:00:00:00:00:{wearable}"));
    }
    air.tell(&format!("locked F1:00:00:00:00:20 {KEY} 7 01643a01"));
    air.tell("maker F1:00:00:00:00:21 004C 0215E2C56DB5DFFB48D2B060D0F5A71096E000010203C5");
    air.tell("plain F1:00:00:00:00:22 4400013a01");
    air.tell("plain F1:00:00:00:00:23 44000121013a003a01");
    air.tell("plain F1:00:00:00:00:24 44000123013a01");
    air.tell("service F1:00:00:00:00:25 181B 0226B20705040F0201AC018642");
    air.tell("plain F1:00:00:00:00:26 4002CA0903BF13");
    air.tell("plain F1:00:00:00:00:27 4400013a01");
    air.tell("heart 16485401EC02");
    air.tell("cuff 16780050005D00EA070604081E0048000000");
    air.tell("finger 0062005F00");
    air.tell("pulse 0064");

    centre.observed("pendant", "help", json!({"state": "pressed", "gesture": "short"})).await;
    centre.raised("pendant", "help").await;
    centre.observed("pendant", "battery", json!({"percent": 100.0})).await;
    centre.observed("locator", "presence", json!({"present": true, "baseline": true})).await;
    centre.observed("badge", "presence", json!({"present": true})).await;
    centre.raised("badge", "help").await;
    centre.observed("cane", "fall", json!({"state": "suspected"})).await;
    centre.raised("cane", "fall").await;
    centre.observed("cane", "motion", json!({"moving": true})).await;
    centre.observed("chair", "bed", json!({"occupied": true})).await;
    centre.raised("chair", "help").await;
    centre.observed("scale", "vital", json!({"weight_kilograms": 85.15})).await;
    let room = json!({"celsius": 25.06, "relative_humidity_percent": 50.55});
    centre.observed("climate", "climate", room).await;
    centre.observed("climate", "link", json!({})).await;
    centre.observed("watch", "vital", json!({"heart_beats_per_minute": 72.0, "worn": true})).await;
    centre.observed("watch", "battery", json!({"percent": 87.0})).await;
    let pressure = json!({"systolic_mmhg": 120.0, "diastolic_mmhg": 80.0, "mean_mmhg": 93.0,
        "heart_beats_per_minute": 72.0});
    centre.observed("cuff", "vital", pressure).await;
    centre.observed("finger", "vital", json!({"spo2_percent": 98.0})).await;
    centre.observed("band", "vital", json!({"heart_beats_per_minute": 100.0})).await;

    // Each is accepted by what it says next.
    let next: [(&str, String); 11] = [
        ("pendant", format!("locked F1:00:00:00:00:20 {KEY} 8 01633a01")),
        (
            "locator",
            "maker F1:00:00:00:00:21 004C 0215E2C56DB5DFFB48D2B060D0F5A71096E000010203C5".into(),
        ),
        ("badge", "plain F1:00:00:00:00:22 4400023a00".into()),
        ("cane", "plain F1:00:00:00:00:23 44000221003a013a00".into()),
        ("chair", "plain F1:00:00:00:00:24 44000223003a00".into()),
        ("scale", "service F1:00:00:00:00:25 181B 0226B20705040F0202AC018642".into()),
        ("climate", "plain F1:00:00:00:00:26 4002CB0903C013".into()),
        ("watch", "heart 165A5401EC02".into()),
        ("cuff", "cuff 16780050005D00EA070604081E0148000000".into()),
        ("finger", "finger 0060005F00".into()),
        ("band", "pulse 0078".into()),
    ];
    for (device, says) in next {
        if device == "chair" {
            // Somebody gets up first, so that sitting down is news.
            air.tell(&says);
            centre.observed("chair", "bed", json!({"occupied": false})).await;
        }
        let says = match device {
            "chair" => "plain F1:00:00:00:00:24 44000323013a00".to_owned(),
            _ => says,
        };
        anju.acceptance_passes(device, &mut centre.peer, || async { air.tell(&says) }).await;
        println!("{device} is accepted");
    }

    // The same is in the box's own journal; nobody else was ever named in it.
    let (ok, export) = anju.anju(&["journal", "export"]);
    assert!(ok, "{export}");
    let presses = export.lines().filter(|line| line.contains("observation.help")).count();
    assert_eq!(presses, 5, "pendant twice, badge, chair, cane; never the stranger");
    anju.stop();
}
