//! Acceptance through the real daemon: a press under test raises its alert with `test` and calls
//! nobody, and a press on another device in the middle of it is real.

use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::{Value, json};

use super::common::{Box_, Broker, Peer};

const SOS: &str = "zigbee2mqtt/sos-button";
const DOOR: &str = "zigbee2mqtt/0x00158d0001e52fbb";

fn press(linkquality: u8) -> String {
    json!({"action": "emergency", "battery": null, "linkquality": linkquality}).to_string()
}

/// Waits until the box hears its devices: what the broker kept comes as a base line.
async fn ready(devices: &Peer, centre: &mut Peer) {
    let state = json!({"contact": true}).to_string();
    devices.publish_with(DOOR, true, state, PublishProperties::default()).await;
    centre.event("cn.anju.observation.contact").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_accepted_and_a_press_elsewhere_is_real() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    ready(&devices, &mut centre).await;

    let passed = anju
        .acceptance_passes("door", &mut centre, || async {
            // The first word of a device after a start is a base line.
            devices.publish(DOOR, json!({"contact": true, "linkquality": 3}).to_string()).await;
            devices.publish(DOOR, json!({"contact": false}).to_string()).await;
            devices.publish(DOOR, json!({"contact": true}).to_string()).await;
        })
        .await;
    assert_eq!(passed["data"]["met"], json!(["open", "closed"]));

    // The smoke detector is under test when the button is pressed: that is a real alarm.
    let (begun, report) = anju.anju(&["acceptance", "start", "smoke", "--json"]);
    assert!(begun);
    let report: Value = serde_json::from_str(&report).unwrap();
    let row = &report["devices"][2];
    assert_eq!(row["instruction"]["en"], "Press the test button for five seconds.");
    devices.publish(SOS, press(2)).await;
    let real = centre.event("cn.anju.alert.raised").await;
    assert_eq!((&real["data"]["rule"], &real["data"]["test"]), (&json!("help"), &json!(false)));
    devices.publish("zigbee2mqtt/smoke-kitchen", json!({"smoke": false}).to_string()).await;
    devices.publish("zigbee2mqtt/smoke-kitchen", json!({"smoke": true}).to_string()).await;
    let test = centre.event("cn.anju.alert.raised").await;
    assert_eq!((&test["data"]["rule"], &test["data"]["test"]), (&json!("smoke"), &json!(true)));
    let closed = centre.event("cn.anju.alert.closed").await;
    assert_eq!(
        (&closed["data"]["alert"], &closed["data"]["outcome"]),
        (&test["data"]["alert"], &json!("test"))
    );
    let (refused, _) = anju.anju(&["acceptance", "start", "nowhere"]);
    assert!(!refused);
    let (asked, status) = anju.anju(&["acceptance", "status", "--json"]);
    assert!(asked);
    let status: Value = serde_json::from_str(&status).unwrap();
    let results: Vec<&Value> =
        status["devices"].as_array().unwrap().iter().map(|row| &row["result"]).collect();
    assert_eq!(results, [&Value::Null, &json!("passed"), &json!("passed")]);
}
