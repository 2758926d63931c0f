//! Every kind of device behind zigbee2mqtt, with the payloads that its documentation shows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Box_, Broker, Peer};
use crate::home::{Home, alarm};

fn rows(kind: &str) -> String {
    format!(
        "[links.zigbee]\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:PORT\"\n\
         dialect = \"zigbee2mqtt\"\n[[device]]\nid = \"it\"\nkind = \"{kind}\"\nroom = \"hall\"\n\
         link = \"zigbee\"\naddress = \"hall/it\"\n"
    )
}

const TOPIC: &str = "zigbee2mqtt/hall/it";

/// A home with one device, heard once: first what the broker kept of it, then itself.
async fn home(kind: &str, quiet: Value) -> Home {
    let mut home = Home::start(&rows(kind)).await;
    let mut kept = quiet.clone();
    kept["linkquality"] = json!(100);
    kept["battery"] = json!(87);
    home.leave("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#).await;
    home.leave(TOPIC, &kept.to_string()).await;
    let known = home.observed("it", "battery", json!({"percent": 87.0})).await;
    assert_eq!(known["baseline"], true);
    // The first live message may still be the bridge's memory.
    kept["linkquality"] = json!(101);
    home.say(TOPIC, &kept).await;
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_alarm_and_an_empty_action_after_it() {
    let mut home = home("fixed-alarm", json!({})).await;
    home.say(TOPIC, &json!({"action": "emergency", "battery": null, "linkquality": 90})).await;
    home.observed("it", "help", json!({"state": "pressed"})).await;
    home.say(TOPIC, &json!({"action": "", "battery": null, "linkquality": 90})).await;
    assert_eq!(home.raised("it").await, alarm("help"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portable_alarm_pressed_thrice_at_once() {
    let mut home = home("portable-alarm", json!({})).await;
    for _ in 0..3 {
        home.say(TOPIC, &json!({"action": "single", "linkquality": 90})).await;
    }
    let first = home.observed("it", "help", json!({"gesture": "short"})).await;
    assert_eq!(first.get("count"), None);
    assert_eq!(home.raised("it").await, alarm("help"));
    home.observed("it", "help", json!({"gesture": "short", "count": 2})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_motion_sensor_moves_and_is_still() {
    let mut home = home("motion", json!({"occupancy": false})).await;
    home.say(TOPIC, &json!({"occupancy": true, "illuminance": 7})).await;
    home.observed("it", "motion", json!({"moving": true})).await;
    home.say(TOPIC, &json!({"occupancy": false, "illuminance": 7})).await;
    home.observed("it", "motion", json!({"moving": false})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plug_as_meter() {
    let mut home = home("electricity-meter", json!({"state": "ON"})).await;
    home.say(TOPIC, &json!({"state": "ON", "power": 1830, "energy": 12.5, "voltage": 229})).await;
    let fields = json!({"power_watts": 1830.0, "energy_watt_hours": 12500.0});
    home.observed("it", "meter", fields).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_television_behind_a_plug() {
    let mut home = home("set-top-box", json!({"power": 1.5})).await;
    home.say(TOPIC, &json!({"power": 84.2})).await;
    home.observed("it", "power", json!({"on": true})).await;
    home.say(TOPIC, &json!({"power": 1.4})).await;
    home.observed("it", "power", json!({"on": false})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_radar_feels_a_fall() {
    let mut home = home("fall-detector", json!({"presence": false})).await;
    home.say(TOPIC, &json!({"presence": true, "fall_down_status": "none"})).await;
    home.observed("it", "presence", json!({"present": true})).await;
    home.say(TOPIC, &json!({"presence": true, "fall_down_status": "fall"})).await;
    home.observed("it", "fall", json!({"state": "confirmed"})).await;
    assert_eq!(home.raised("it").await, alarm("fall"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_the_bridge_described() {
    let mut home = home("door-contact", json!({"contact": true})).await;
    let list = json!([{"ieee_address": "0x00158d0001e52fbb", "friendly_name": "hall/it",
        "definition": {"exposes": [{"type": "binary", "name": "contact", "property": "contact",
        "access": 1, "value_on": false, "value_off": true}]}}]);
    home.leave("zigbee2mqtt/bridge/devices", &list.to_string()).await;
    home.say(TOPIC, &json!({"contact": false, "battery": 91, "tamper": true})).await;
    home.observed("it", "contact", json!({"open": true})).await;
    home.observed("it", "tamper", json!({"tampered": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_with_a_user_and_wrong_tries() {
    let mut home = home("door-lock", json!({"state": "LOCK", "lock_state": "locked"})).await;
    let act = |action: &str, state: &str, user: u32| {
        json!({"action": action, "action_source_name": "keypad", "action_user": user,
            "state": state, "lock_state": if state == "LOCK" { "locked" } else { "unlocked" }})
    };
    for linkquality in 0..3 {
        let mut wrong = act("unlock_failure_invalid_pin_or_id", "LOCK", 65535);
        wrong["linkquality"] = json!(linkquality);
        home.say(TOPIC, &wrong).await;
    }
    home.observed("it", "lock", json!({"wrong_tries": 3, "locked": true})).await;
    home.say(TOPIC, &act("unlock", "UNLOCK", 4)).await;
    home.observed("it", "lock", json!({"locked": false, "by": "keypad 4"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doorbell() {
    let mut home = home("doorbell", json!({})).await;
    home.say(TOPIC, &json!({"action": "pressed"})).await;
    home.observed("it", "bell", json!({"rung": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_siren_obeys_and_says_so() {
    let rows = rows("siren")
        + "[[device]]\nid = \"smoke\"\nkind = \"smoke\"\nlink = \"zigbee\"\naddress = \"smoke\"\n";
    let broker = crate::common::Broker::start();
    let mut home = Home::at(broker, &rows, &["zigbee2mqtt/hall/it/set"]).await;
    let list = json!([{"ieee_address": "0x04", "friendly_name": "hall/it", "definition": {"exposes":
        [{"type": "binary", "name": "alarm", "property": "alarm", "value_on": "ON",
        "value_off": "OFF"}, {"type": "numeric", "name": "duration", "property": "duration",
        "access": 7, "value_max": 1800}]}},
        {"ieee_address": "0x05", "friendly_name": "smoke", "definition": null}]);
    home.leave("zigbee2mqtt/bridge/devices", &list.to_string()).await;
    home.observed("smoke", "online", json!({"online": true})).await;
    home.say("zigbee2mqtt/smoke", &json!({"smoke": true})).await;
    assert_eq!(home.raised("smoke").await, alarm("smoke"));
    let set = home.devices.next().await.json();
    assert_eq!(set["alarm"], "ON");
    assert!(set["duration"].as_u64().unwrap() > 0);
    home.say(TOPIC, &json!({"alarm": "ON"})).await;
    home.observed("it", "siren", json!({"sounding": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pill_box_by_its_lid() {
    let mut home = home("pill-box", json!({"contact": true})).await;
    home.say(TOPIC, &json!({"contact": false})).await;
    home.observed("it", "medication", json!({"state": "opened"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn smoke_gas_carbon_monoxide_and_water() {
    for (kind, quiet, felt, what, fields, rule) in [
        ("smoke", json!({"smoke": false}), json!({"smoke": true}), "smoke", "alarm", "smoke"),
        ("gas", json!({"gas": false}), json!({"gas": true}), "gas", "alarm", "gas"),
        (
            "gas",
            json!({"gas": false, "carbon_monoxide": false}),
            json!({"gas": false, "carbon_monoxide": true, "co": 90}),
            "carbon_monoxide",
            "alarm",
            "carbon-monoxide",
        ),
        (
            "water-leak",
            json!({"water_leak": false}),
            json!({"water_leak": true}),
            "leak",
            "wet",
            "leak",
        ),
    ] {
        let mut home = home(kind, quiet).await;
        home.say(TOPIC, &felt).await;
        home.observed("it", what, json!({fields: true})).await;
        assert_eq!(home.raised("it").await, alarm(rule), "{felt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detector_that_says_that_it_is_faulty() {
    let mut home = home("smoke", json!({"smoke": false})).await;
    home.say(TOPIC, &json!({"smoke": false, "reliability": "process_error"})).await;
    home.observed("it", "trouble", json!({"active": true})).await;
    assert_eq!(home.raised("it").await, json!({"rule": "trouble", "class": "fault"}));
    home.say(TOPIC, &json!({"smoke": false, "reliability": "no_fault_detected"})).await;
    home.observed("it", "trouble", json!({"active": false})).await;
}

/// The address is another device's; who runs the box mends that while it is off.
#[tokio::test(flavor = "multi_thread")]
async fn a_smoke_detector_that_is_a_contact() {
    let mut home = home("smoke", json!({})).await;
    let list = |name: &str| {
        json!([{"ieee_address": "0x05", "friendly_name": "hall/it", "disabled": false,
            "interview_state": "SUCCESSFUL", "definition": {"exposes": [{"type": "binary",
            "name": name, "property": name, "access": 1, "value_on": true, "value_off": false}]}}])
        .to_string()
    };
    home.leave("zigbee2mqtt/bridge/devices", &list("contact")).await;
    let told = home.observed("it", "trouble", json!({"active": true, "baseline": true})).await;
    assert_eq!(told["reason"], "zigbee2mqtt says it has no `smoke`; check kind or address");
    assert_eq!(home.raised("it").await, json!({"rule": "trouble", "class": "fault"}));
    home.anju.kill();
    home.leave("zigbee2mqtt/bridge/devices", &list("smoke")).await;
    home.anju.start();
    home.observed("it", "trouble", json!({"active": false})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_kept_is_no_alarm_and_the_devices_own_word_is_one() {
    let rows = rows("smoke")
        + "[[device]]\nid = \"sos\"\nkind = \"fixed-alarm\"\nlink = \"zigbee\"\naddress = \"sos\"\n";
    let broker = crate::common::Broker::start();
    let early = crate::common::Peer::connect("early", broker.port, &[]).await;
    let kept = |payload: &str| (payload.to_owned(), Default::default());
    let (press, properties) = kept(r#"{"action":"emergency","battery":40}"#);
    early.publish_with("zigbee2mqtt/sos", true, press, properties).await;
    let (smoke, properties) = kept(r#"{"smoke":true,"battery":50}"#);
    early.publish_with(TOPIC, true, smoke, properties).await;
    let mut home = Home::at(broker, &rows, &[]).await;
    let smoke = home.observed("it", "smoke", json!({"alarm": true})).await;
    assert_eq!(smoke["baseline"], true);
    home.observed("it", "battery", json!({"percent": 50.0})).await;
    home.observed("sos", "battery", json!({"percent": 40.0})).await;
    let export = home.exported();
    assert!(!export.contains("cn.anju.alert.raised"), "{export}");
    assert!(!export.contains("cn.anju.observation.help"), "{export}");
    home.say(TOPIC, &json!({"smoke": true, "battery": 50, "linkquality": 91})).await;
    assert_eq!(home.raised("it").await, alarm("smoke"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_air_of_a_room() {
    let mut home_climate = home("climate", json!({})).await;
    home_climate.say(TOPIC, &json!({"temperature": 19.5, "humidity": 44})).await;
    let fields = json!({"celsius": 19.5, "relative_humidity_percent": 44.0});
    home_climate.observed("it", "climate", fields).await;
    let mut home_air = home("air-quality", json!({})).await;
    home_air.say(TOPIC, &json!({"co2": 1450, "pm25": 18, "voc": 210, "formaldehyd": 0.02})).await;
    let fields = json!({"co2_ppm": 1450.0, "pm2_5_micrograms_per_cubic_metre": 18.0});
    home_air.observed("it", "air", fields).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_stops_and_a_broker_that_restarts() {
    let mut home = home("fixed-alarm", json!({})).await;
    home.say("zigbee2mqtt/bridge/state", &json!({"state": "offline"})).await;
    home.observed("it", "online", json!({"online": false})).await;
    home.say("zigbee2mqtt/bridge/state", &json!({"state": "online"})).await;
    home.observed("it", "online", json!({"online": true, "baseline": true})).await;
    home.broker.restart();
    // Nothing was kept over the restart; the box is heard to be back by its subscription alone.
    let press = json!({"action": "emergency"});
    let mut n = 0;
    let pressed = loop {
        n += 1;
        let mut press = press.clone();
        press["n"] = json!(n);
        home.say(TOPIC, &press).await;
        let wait = home.observed("it", "help", json!({"state": "pressed"}));
        if let Ok(said) = tokio::time::timeout(std::time::Duration::from_millis(500), wait).await {
            break said;
        }
        assert!(n < 60, "the box does not come back to its broker");
    };
    assert_eq!(pressed["kind"], "fixed-alarm");
}

/// The broker kept the press, and sends it before it sends the list in which the button's name is.
#[tokio::test(flavor = "multi_thread")]
async fn a_press_while_the_box_was_down_comes_before_its_name_is_known() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.configure(|config| config.replace("sos-button", "0x00158d0000000001"));
    let list = json!([{"ieee_address": "0x00158d0000000001", "friendly_name": "SOS button",
        "definition": {"exposes": [{"type": "enum", "name": "action", "property": "action",
            "access": 1, "values": ["emergency"]}]}}]);
    let kept = |text: String| {
        devices.publish_with("zigbee2mqtt/bridge/devices", true, text, Default::default())
    };
    kept(list.to_string()).await;
    let press = |n: u32| {
        let press = json!({"action": "emergency", "linkquality": n}).to_string();
        devices.publish("zigbee2mqtt/SOS button", press)
    };
    anju.start_seen(&mut centre).await;
    press(1).await;
    // The devices that are not in the list are faults of their own. What is not yet in the journal
    // would be raised anew.
    let help = |data: &Value| data["rule"] == "help";
    let raised = anju.until_recorded("cn.anju.alert.raised", help).await;
    anju.kill();
    press(2).await;
    anju.start();
    let again = centre.until(|got| {
        let event = got.json();
        event["type"] == "cn.anju.alert.repeated" && help(&event["data"])
    });
    let again = again.await.json();
    assert_eq!(again["data"]["alert"], raised["alert"]);
    assert!(anju.stop() < Duration::from_secs(2));
}
