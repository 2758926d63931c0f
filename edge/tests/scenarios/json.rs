//! Devices that publish JSON of their own, added by rows of the configuration alone.

use serde_json::json;

use crate::home::{Home, alarm};

const ROWS: &str = r#"
[[zone]]
id = "home"
latitude = 30.19
longitude = 120.19
[links.json]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
version = "3.1.1"
dialect = "json"
[[device]]
id = "mattress"
kind = "mattress"
link = "json"
topic = "bed/1"
[[device.map]]
field = "bed.occupied"
pointer = "/bed"
values = { in = true, out = false }
[[device.map]]
field = "vital.breaths_per_minute"
pointer = "/breath"
min = 3
[[device]]
id = "strap"
kind = "bed-strap"
link = "json"
topic = "strap"
[[device.map]]
field = "bed.occupied"
pointer = "/occupied"
[[device]]
id = "cane"
kind = "smart-cane"
link = "json"
topic = "cane"
[[device.map]]
field = "help.state"
pointer = "/event"
values = { sos = "pressed" }
[[device.map]]
field = "fall.state"
pointer = "/event"
values = { fall = "suspected" }
[[device]]
id = "chair"
kind = "smart-wheelchair"
link = "json"
topic = "chair"
[[device.map]]
field = "bed.occupied"
pointer = "/seat"
[[device.map]]
field = "fall.state"
pointer = "/tipped"
values = { true = "suspected", false = "over" }
[[device]]
id = "pills"
kind = "pill-box"
link = "json"
topic = "pills"
[[device.map]]
field = "medication.state"
pointer = "/dose"
values = { taken = "taken", missed = "missed" }
"#;

/// A home that hears its devices.
async fn home() -> Home {
    let mut home = Home::start(ROWS).await;
    home.leave("strap", r#"{"occupied":false}"#).await;
    home.observed("strap", "bed", json!({"occupied": false, "baseline": true})).await;
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mattress_a_strap_and_a_pill_box() {
    let mut home = home().await;
    home.say("bed/1", &json!({"bed": "in", "breath": 14.5})).await;
    home.observed("mattress", "bed", json!({"occupied": true})).await;
    home.observed("mattress", "vital", json!({"breaths_per_minute": 14.5})).await;
    home.say("strap", &json!({"occupied": true})).await;
    home.observed("strap", "bed", json!({"occupied": true})).await;
    home.say("pills", &json!({"dose": "missed"})).await;
    home.observed("pills", "medication", json!({"state": "missed"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cane_calls_for_help() {
    let mut home = home().await;
    home.devices.publish("cane", "{ broken").await;
    home.say("cane", &json!({"event": "sos"})).await;
    home.observed("cane", "help", json!({"state": "pressed"})).await;
    assert_eq!(home.raised("cane").await, alarm("help"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wheelchair_tips_over() {
    let mut home = home().await;
    home.say("chair", &json!({"seat": true, "tipped": false})).await;
    home.observed("chair", "bed", json!({"occupied": true})).await;
    home.say("chair", &json!({"seat": true, "tipped": true})).await;
    home.observed("chair", "fall", json!({"state": "suspected"})).await;
    assert_eq!(home.raised("chair").await, alarm("fall"));
}
