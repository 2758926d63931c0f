//! A camera that Frigate watches.

use serde_json::{Value, json};

use crate::home::{Home, alarm};

const ROWS: &str = r#"
[links.cameras]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
dialect = "frigate"
[[device]]
id = "hall"
kind = "camera"
link = "cameras"
address = "hall_cam"
"#;

fn event(kind: &str, label: &str, score: f64) -> Value {
    json!({"type": kind, "before": {}, "after": {"id": "1607123955.475377-mxklsc",
        "camera": "hall_cam", "label": label, "sub_label": null, "top_score": score,
        "false_positive": false, "start_time": 1607123955.475377, "end_time": null,
        "current_zones": [], "entered_zones": [], "has_snapshot": true, "stationary": false}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_comes_and_goes_and_one_falls() {
    let mut home = Home::start(ROWS).await;
    home.leave("frigate/available", "online").await;
    home.observed("hall", "online", json!({"online": true})).await;
    home.devices.publish("frigate/hall_cam/motion", "ON").await;
    home.observed("hall", "camera", json!({"seen": "motion", "active": true})).await;
    home.say("frigate/events", &event("new", "person", 0.5)).await;
    home.say("frigate/events", &event("update", "person", 0.84)).await;
    home.observed("hall", "camera", json!({"seen": "person", "active": true})).await;
    home.say("frigate/events", &event("end", "person", 0.84)).await;
    home.observed("hall", "camera", json!({"seen": "person", "active": false})).await;
    home.say("frigate/events", &event("new", "fall", 0.9)).await;
    home.observed("hall", "camera", json!({"seen": "fall", "active": true})).await;
    assert_eq!(home.raised("hall").await, alarm("fall"));
    home.devices.publish("frigate/available", "offline").await;
    home.observed("hall", "online", json!({"online": false})).await;
}
