//! Transmitters on 433 MHz.

use serde_json::{Value, json};

use crate::home::{Home, alarm};

const ROWS: &str = r#"
[links.radio]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
dialect = "rtl433"
[[device]]
id = "pendant"
kind = "portable-alarm"
link = "radio"
address = "Generic-Remote/55034"
[[device]]
id = "bell"
kind = "doorbell"
link = "radio"
address = "Honeywell-ActivLink/a12f3"
[[device]]
id = "door"
kind = "door-contact"
link = "radio"
address = "Interlogix-Security/a55b4b"
[[device]]
id = "smoke"
kind = "smoke"
link = "radio"
address = "Smoke-GS558/25612"
"#;

const EVENTS: &str = "rtl_433/attic/events";

async fn home() -> Home {
    let mut home = Home::start(ROWS).await;
    home.leave("rtl_433/attic/availability", "online").await;
    home.observed("smoke", "online", json!({"online": true})).await;
    home
}

fn press(second: u32) -> Value {
    json!({"time": format!("2021-08-18 16:16:{second:02}"), "model": "Generic-Remote", "id": 55034,
        "cmd": 3, "tristate": "110ZZZX00010"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pendant_and_its_repeats() {
    let mut home = home().await;
    for second in 0..5 {
        home.say(EVENTS, &press(second)).await;
    }
    home.say(
        EVENTS,
        &json!({"model": "Honeywell-ActivLink", "subtype": "Doorbell", "id": "a12f3",
        "battery_ok": 1, "alert": "Normal"}),
    )
    .await;
    let mut presses = 0;
    let mut alerts = Vec::new();
    let mut rung = false;
    while !rung || alerts.is_empty() {
        let event = home.centre.next().await.json();
        match event["type"].as_str() {
            Some("cn.anju.observation.help") => presses += 1,
            Some("cn.anju.observation.bell") => rung = true,
            Some("cn.anju.alert.raised") => alerts.push(event["data"]["rule"].clone()),
            _ => {}
        }
    }
    assert_eq!((presses, alerts), (1, vec![json!("help")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_and_smoke() {
    let mut home = home().await;
    home.say(
        EVENTS,
        &json!({"time": "2021-08-18 16:16:54", "model": "Interlogix-Security",
        "subtype": "contact", "id": "a55b4b", "battery_ok": 1, "switch1": "OPEN"}),
    )
    .await;
    home.observed("door", "contact", json!({"open": true})).await;
    home.observed("door", "battery", json!({"low": false})).await;
    home.say(
        EVENTS,
        &json!({"model": "Smoke-GS558", "id": 25612, "unit": 15, "learn": 0,
        "code": "b2018f"}),
    )
    .await;
    home.observed("smoke", "smoke", json!({"alarm": true})).await;
    assert_eq!(home.raised("smoke").await, alarm("smoke"));
}
