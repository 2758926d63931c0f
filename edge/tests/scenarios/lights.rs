//! Lights that announce for who hears badly: a lamp and a plug behind zigbee2mqtt, played by a peer
//! that does as it is told and says so.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::Broker;
use crate::home::{Home, alarm};

const ROWS: &str = r#"
[links.zigbee]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
dialect = "zigbee2mqtt"
[[device]]
id = "sos"
kind = "fixed-alarm"
link = "zigbee"
address = "sos"
[[device]]
id = "stove"
kind = "gas"
link = "zigbee"
address = "stove"
[[device]]
id = "lamp"
kind = "siren"
link = "zigbee"
address = "lamp"
announce = "light"
[[device]]
id = "plug"
kind = "siren"
link = "zigbee"
address = "plug"
announce = "light"
"#;

/// What the bridge says of its devices, shortened from zigbee2mqtt.
fn described() -> Value {
    let state = json!({"type": "binary", "name": "state", "property": "state", "access": 7,
        "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE"});
    let brightness = json!({"type": "numeric", "name": "brightness", "property": "brightness",
        "access": 7, "value_max": 254});
    json!([
        {"ieee_address": "0x01", "friendly_name": "sos", "definition": null},
        {"ieee_address": "0x02", "friendly_name": "stove", "definition": null},
        {"ieee_address": "0x03", "friendly_name": "lamp", "definition": {"exposes":
            [{"type": "light", "features": [state, brightness]}]}},
        {"ieee_address": "0x04", "friendly_name": "plug", "definition": {"exposes":
            [{"type": "switch", "features": [state]}]}},
    ])
}

/// What the lamp and the plug are told, each obeying, until the lamp was told so often.
async fn obey(home: &mut Home, times: usize) -> (Vec<String>, Vec<String>) {
    let (mut lamp, mut plug) = (Vec::new(), Vec::new());
    while lamp.len() < times {
        let (name, state) = told(home).await;
        if name == "lamp" { lamp.push(state) } else { plug.push(state) }
    }
    (lamp, plug)
}

/// The next order to switch, which is obeyed.
async fn told(home: &mut Home) -> (String, String) {
    loop {
        let got = home.devices.next().await;
        let (name, what) = got.topic.strip_prefix("zigbee2mqtt/").unwrap().split_once('/').unwrap();
        if what == "set" {
            let set = got.json();
            assert_eq!(set.get("transition").is_some(), name == "lamp", "{set}");
            let state = set["state"].as_str().unwrap().to_owned();
            home.say(&format!("zigbee2mqtt/{name}"), &json!({"state": state})).await;
            return (name.to_owned(), state);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lights_blink_until_somebody_comes_and_are_left_alone_in_gas() {
    let listens = ["zigbee2mqtt/+/set", "zigbee2mqtt/+/get"];
    let mut home = Home::at(Broker::start(), ROWS, &listens).await;
    home.leave("zigbee2mqtt/bridge/devices", &described().to_string()).await;
    // The box asks how they are before it ever switches them.
    for name in ["lamp", "plug"] {
        let question = home.devices.next().await;
        assert_eq!(question.topic, format!("zigbee2mqtt/{name}/get"));
        assert_eq!(question.json(), json!({"state": ""}));
        let state = if name == "lamp" { "OFF" } else { "ON" };
        home.say(&format!("zigbee2mqtt/{name}"), &json!({"state": state})).await;
    }

    // What came before this was heard.
    home.say("zigbee2mqtt/stove", &json!({"gas": false})).await;
    home.observed("stove", "gas", json!({"alarm": false})).await;
    // Its acceptance is that it blinks; it is put back by itself.
    let (begun, _) = home.anju.anju(&["acceptance", "start", "lamp"]);
    assert!(begun);
    let (blinks, _) = obey(&mut home, 3).await;
    assert_eq!(blinks, ["ON", "OFF", "OFF"]);
    let passed = home.find(|event| {
        event["type"] == "cn.anju.box.acceptance" && event["data"]["result"] == "passed"
    });
    assert_eq!(passed.await["data"]["device"], "lamp");

    let began = Instant::now();
    home.say("zigbee2mqtt/sos", &json!({"action": "emergency"})).await;
    let (first, _) = told(&mut home).await;
    println!("press to the first order of a light ({first}): {:?}", began.elapsed());
    let (mut lamp, mut plug) = obey(&mut home, 4).await;
    if first == "lamp" {
        lamp.insert(0, "ON".into())
    } else {
        plug.insert(0, "OFF".into())
    }
    // Each begins with what is seen at once.
    assert_eq!(lamp[..4], ["ON", "OFF", "ON", "OFF"]);
    assert_eq!(plug[..3], ["OFF", "ON", "OFF"]);
    let about_a_second = began.elapsed() > Duration::from_millis(2900);
    assert!(about_a_second, "it blinks too fast: {:?}", began.elapsed());
    assert_eq!(home.raised("sos").await, alarm("help"));
    let by = |event: &Value, by: &str| {
        (event["type"] == "cn.anju.alert.announced" && event["data"]["by"] == by)
            .then(|| event["data"]["alert"].as_str().unwrap().to_owned())
    };
    let announced = home.find(|event| by(event, "light-lamp").is_some()).await;
    let id = by(&announced, "light-lamp").unwrap();

    // Somebody comes: both are put back as they were, and told nothing more.
    assert!(home.anju.anju(&["accept", &id, "--by", "daughter"]).0);
    home.find(|event| event["type"] == "cn.anju.alert.accepted").await;
    let (mut lamp, mut plug) = (String::new(), String::new());
    // No order for two and a half blinks is the end of it.
    let quiet = Duration::from_millis(2500);
    while let Ok((name, state)) = tokio::time::timeout(quiet, told(&mut home)).await {
        *(if name == "lamp" { &mut lamp } else { &mut plug }) = state;
    }
    assert_eq!((lamp.as_str(), plug.as_str()), ("OFF", "ON"));

    // Gas: whoever presses then, no switch is moved.
    assert!(home.anju.anju(&["close", &id, "--outcome", "real"]).0);
    home.say("zigbee2mqtt/stove", &json!({"gas": true})).await;
    assert_eq!(home.raised("stove").await, alarm("gas"));
    home.say("zigbee2mqtt/sos", &json!({"action": "emergency", "linkquality": 3})).await;
    assert_eq!(home.raised("sos").await, alarm("help"));
    home.find(|event| by(event, "speaker").is_some_and(|of| of != id)).await;
    let gas = tokio::time::timeout(quiet, told(&mut home)).await;
    assert!(gas.is_err(), "switched in gas: {gas:?}");
}
