//! What a device says of its own faults, and what the bridge's list says of whether it can serve.

use anju_model::DeviceKind::*;
use serde_json::json;

use super::*;

/// Whether something is wrong, of each trouble told, and whether as a base line.
fn troubles(said: &[(Fact, bool)]) -> Vec<(bool, bool)> {
    let trouble = said.iter().filter_map(|(fact, baseline)| match fact {
        Fact::Trouble(trouble) => Some((trouble.active, *baseline)),
        _ => None,
    });
    trouble.collect()
}

fn reason(said: &[(Fact, bool)]) -> String {
    let reason = said.iter().find_map(|(fact, _)| match fact {
        Fact::Trouble(trouble) => Some(trouble.reason.clone()),
        _ => None,
    });
    reason.unwrap_or_default()
}

fn one(kind: DeviceKind) -> Zigbee2mqtt {
    Zigbee2mqtt::new("zigbee2mqtt", &[known("it", kind, "0x0a")])
}

fn exposed(name: &str) -> Value {
    json!({"type": "binary", "name": name, "property": name, "access": 1,
        "value_on": true, "value_off": false})
}

/// The list with one device, whose other fields are these.
fn list(rest: Value) -> String {
    let mut device = json!({"ieee_address": "0x0A", "friendly_name": "it"});
    device.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    json!([device]).to_string()
}

fn listed(names: &[&str]) -> String {
    let exposes: Vec<Value> = names.iter().map(|name| exposed(name)).collect();
    list(json!({"definition": {"exposes": exposes}}))
}

const LIST: &str = "zigbee2mqtt/bridge/devices";
const IT: &str = "zigbee2mqtt/it";

#[test]
fn a_detector_that_says_that_it_is_faulty_is_in_trouble_until_it_says_otherwise() {
    for (kind, bad, good) in [
        (
            Smoke,
            r#"{"smoke":false,"reliability":"process_error"}"#,
            r#"{"smoke":false,"reliability":"no_fault_detected"}"#,
        ),
        (Smoke, r#"{"smoke":false,"fault_alarm":true}"#, r#"{"smoke":false,"fault_alarm":false}"#),
        (
            Gas,
            r#"{"carbon_monoxide":false,"device_fault":true}"#,
            r#"{"carbon_monoxide":false,"device_fault":false}"#,
        ),
        (Gas, r#"{"gas":false,"fault":"serious_fault"}"#, r#"{"gas":false,"fault":"none"}"#),
        (Smoke, r#"{"fault_state":"short_circuit_fault"}"#, r#"{"fault_state":"normal"}"#),
        (WaterLeak, r#"{"trouble":true}"#, r#"{"trouble":false}"#),
    ] {
        let mut z = one(kind);
        let said = facts(&mut z, "zigbee2mqtt/0x0a", bad, live());
        assert_eq!(troubles(&said), [(true, false)], "{bad}");
        assert!(reason(&said).contains("it says that it is faulty"), "{said:?}");
        assert_eq!(troubles(&facts(&mut z, "zigbee2mqtt/0x0a", bad, live())), [], "once");
        // A message that does not speak of it changes nothing.
        let other = facts(&mut z, "zigbee2mqtt/0x0a", r#"{"battery":50}"#, live());
        assert_eq!(troubles(&other), []);
        let said = facts(&mut z, "zigbee2mqtt/0x0a", good, live());
        assert_eq!(troubles(&said), [(false, false)], "{good}");
    }
}

#[test]
fn what_is_no_fault_is_no_trouble() {
    for quiet in [
        r#"{"fault":false}"#,
        r#"{"fault":null}"#,
        r#"{"fault":0}"#,
        r#"{"fault":"surge_alarm"}"#,
        r#"{"fault":7}"#,
        r#"{"reliability":""}"#,
        r#"{"trouble":[]}"#,
    ] {
        let mut z = one(Smoke);
        assert_eq!(troubles(&facts(&mut z, "zigbee2mqtt/0x0a", quiet, live())), [], "{quiet}");
    }
    // What a broker kept of it is known, and is told as that.
    let mut z = one(Smoke);
    let said = facts(&mut z, "zigbee2mqtt/0x0a", r#"{"fault":true}"#, retained());
    assert_eq!(troubles(&said), [(true, true)]);
}

#[test]
fn an_order_that_failed_and_a_fault_do_not_end_each_other() {
    let mut z = one(Siren);
    let failed = r#"{"level":"error","message":"Publish 'set' 'warning' to '0x0a' failed: 'x'"}"#;
    let mut say = |topic: &str, payload: &str| troubles(&facts(&mut z, topic, payload, live()));
    assert_eq!(say("zigbee2mqtt/0x0a", r#"{"fault":true}"#), [(true, false)]);
    assert_eq!(say("zigbee2mqtt/bridge/logging", failed), [(true, false)]);
    // It is heard again, and still faulty.
    assert_eq!(say("zigbee2mqtt/0x0a", r#"{"fault":true}"#), [(true, false)]);
    assert_eq!(say("zigbee2mqtt/bridge/logging", failed), [(true, false)]);
    assert_eq!(say("zigbee2mqtt/0x0a", r#"{"fault":false}"#), [(true, false), (false, false)]);
}

#[test]
fn a_device_that_lacks_what_its_kind_needs_is_told_and_so_is_its_end() {
    let mut z = one(Smoke);
    let said = facts(&mut z, LIST, &listed(&["contact", "battery", "linkquality"]), retained());
    assert_eq!(troubles(&said), [(true, true)]);
    let reason = reason(&said);
    assert_eq!(reason, "zigbee2mqtt says it has no `smoke`; check kind or address");
    assert_eq!(troubles(&facts(&mut z, LIST, &listed(&["contact"]), live())), []);
    // What it says does not make a smoke detector of it.
    assert_eq!(troubles(&facts(&mut z, IT, r#"{"contact":true}"#, live())), []);
    let said = facts(&mut z, LIST, &listed(&["smoke"]), live());
    assert_eq!(troubles(&said), [(false, true)]);
}

#[test]
fn a_device_that_the_bridge_does_not_serve_is_told() {
    let sound = listed(&["smoke"]);
    for (rest, mend) in [
        (json!({"disabled": true, "definition": {"exposes": [exposed("smoke")]}}), "enable it"),
        (json!({"definition": null, "interview_state": "FAILED"}), "interview it again"),
        (json!({"definition": null, "interview_completed": false}), "interview it again"),
    ] {
        let mut z = one(Smoke);
        let said = facts(&mut z, LIST, &list(rest.clone()), live());
        assert_eq!(troubles(&said), [(true, true)], "{rest}");
        assert!(reason(&said).contains(mend), "{said:?}");
        assert_eq!(troubles(&facts(&mut z, LIST, &sound, live())), [(false, true)], "{rest}");
    }
    // Enabled again, whatever it is.
    let mut z = one(Smoke);
    facts(&mut z, LIST, &list(json!({"disabled": true})), live());
    assert_eq!(troubles(&facts(&mut z, LIST, &list(json!({})), live())), [(false, true)]);
    // Who joins is interviewed at once; whose interview was broken off never is.
    let pending = list(json!({"definition": null, "interview_state": "PENDING"}));
    let mut z = one(Smoke);
    assert_eq!(troubles(&facts(&mut z, LIST, &pending, live())), []);
    assert_eq!(troubles(&facts(&mut z, LIST, &pending, live())), [(true, true)]);
    assert_eq!(troubles(&facts(&mut one(Smoke), LIST, &pending, retained())), [(true, true)]);
    assert_eq!(troubles(&facts(&mut z, LIST, &list(json!({})), live())), [], "no news of it");
    // One that is heard after all was understood.
    assert_eq!(troubles(&facts(&mut z, IT, r#"{"smoke":false}"#, live())), [(false, false)]);
}

/// What decides nothing is no reason to find fault.
#[test]
fn where_the_list_leaves_a_doubt_there_is_no_trouble() {
    for rest in [
        json!({}),
        json!({"definition": null}),
        json!({"definition": null, "interview_state": "IN_PROGRESS", "interview_completed": false}),
        json!({"definition": null, "interview_completed": false, "interviewing": true}),
        json!({"definition": null, "interview_state": "SUCCESSFUL", "interview_completed": true}),
        json!({"definition": {"exposes": []}}),
        json!({"definition": {"exposes": [exposed("linkquality"), exposed("battery")]}}),
        json!({"definition": {"exposes": 7}, "disabled": "yes"}),
    ] {
        let said = facts(&mut one(Smoke), LIST, &list(rest.clone()), live());
        assert_eq!(troubles(&said), [], "{rest}");
    }
    // Nor is a device that does what nobody exposed, though a list comes again.
    let mut z = one(Smoke);
    assert_eq!(facts(&mut z, IT, r#"{"smoke":false}"#, live()), []);
    facts(&mut z, LIST, &list(json!({})), live());
    facts(&mut z, IT, r#"{"smoke":false}"#, live());
    assert!(!troubles(&facts(&mut z, LIST, &listed(&["contact"]), live())).contains(&(true, true)));
    // A group is in no list of devices.
    let said = facts(&mut one(Siren), LIST, "[]", live());
    assert_eq!(troubles(&said), []);
}

#[test]
fn whatever_can_serve_is_no_trouble() {
    for (kind, able) in [
        (FixedAlarm, &["action", "sos"][..]),
        (PortableAlarm, &["action", "sos"]),
        (Motion, &["occupancy", "presence", "vibration", "occupancy_alarm_1"]),
        (ElectricityMeter, &["power", "energy", "current", "state"]),
        (SetTopBox, &["power"]),
        (FallDetector, &["presence", "occupancy", "fall_down_status", "fall"]),
        (DoorContact, &["contact", "opening_state", "contact_alarm_1"]),
        (DoorLock, &["state", "lock_state", "action", "unlock_fingerprint"]),
        (Doorbell, &["action"]),
        (Siren, &["alarm", "warning", "state"]),
        (PillBox, &["contact", "vibration", "opening_state"]),
        (DeviceKind::Smoke, &["smoke", "smoke_alarm_1"]),
        (Gas, &["gas", "carbon_monoxide", "gas_alarm_1", "carbon_monoxide_alarm_1"]),
        (WaterLeak, &["water_leak", "water_leak_alarm_1"]),
        (Climate, &["temperature", "humidity", "pressure", "illuminance"]),
        (AirQuality, &["co2", "pm25", "voc", "formaldehyd", "hcho", "pm10", "pm1"]),
    ] {
        for name in able {
            let said = facts(&mut one(kind), LIST, &listed(&[name, "identify"]), live());
            // That nothing is wrong is told once: an earlier run may have told of something.
            assert_eq!(troubles(&said), [(false, true)], "{kind:?} {name}");
        }
        let said = facts(&mut one(kind), LIST, &listed(&["identify", "battery"]), live());
        assert_eq!(troubles(&said), [(true, true)], "{kind:?}");
    }
}

#[test]
fn a_faulty_device_is_not_told_to_be_in_order_by_the_list() {
    let mut z = one(Smoke);
    let both = listed(&["smoke", "fault_alarm"]);
    assert_eq!(troubles(&facts(&mut z, LIST, &both, retained())), []);
    let said = facts(&mut z, IT, r#"{"fault_alarm":true}"#, live());
    assert_eq!(troubles(&said), [(true, false)]);
    assert_eq!(troubles(&facts(&mut z, LIST, &both, live())), []);
    z.connected(Instant::now());
    assert_eq!(troubles(&facts(&mut z, LIST, &both, retained())), []);
    let said = facts(&mut z, IT, r#"{"fault_alarm":false}"#, live());
    assert_eq!(troubles(&said), [(false, false)]);
}

#[test]
fn a_handle_of_three_positions_is_open_when_tilted() {
    let handle = list(json!({"definition": {"exposes": [{"type": "enum", "name": "opening_state",
        "property": "opening_state", "access": 1, "values": ["open", "closed", "tilted"]}]}}));
    let mut z = one(DoorContact);
    facts(&mut z, LIST, &handle, retained());
    for (word, open) in [("open", true), ("closed", false), ("tilted", true)] {
        let payload = json!({"opening_state": word}).to_string();
        let said = facts(&mut z, IT, &payload, live());
        assert_eq!(said, [(Contact { open }.into(), false)], "{word}");
    }
    // A latch that touches while the sash is tilted keeps no window shut.
    let said = facts(&mut z, IT, r#"{"contact":true,"opening_state":"closed"}"#, live());
    assert_eq!(said, [(Contact { open: false }.into(), false)]);
    let said = facts(&mut z, IT, r#"{"contact":true,"opening_state":"tilted"}"#, live());
    assert_eq!(said, [(Contact { open: true }.into(), false)]);
    for odd in [r#"{"opening_state":"?"}"#, r#"{"opening_state":null}"#] {
        let said = facts(&mut z, IT, odd, live());
        assert!(said.iter().all(|(fact, _)| !matches!(fact, Fact::Contact(_))), "{odd}");
    }
}

#[test]
fn of_two_alarm_bits_the_first_is_the_danger() {
    let mut z = one(WaterLeak);
    let bits = listed(&["water_leak_alarm_1", "water_leak_alarm_2"]);
    facts(&mut z, LIST, &bits, retained());
    for (first, second) in [(false, true), (true, false)] {
        let said = json!({"water_leak_alarm_1": first, "water_leak_alarm_2": second}).to_string();
        let said = facts(&mut z, IT, &said, live());
        assert_eq!(said, [(Leak { wet: first }.into(), false)]);
    }
    let mut z = one(DoorContact);
    facts(&mut z, LIST, &listed(&["contact_alarm_1", "contact_alarm_2"]), retained());
    let said = facts(&mut z, IT, r#"{"contact_alarm_1":false,"contact_alarm_2":true}"#, live());
    assert_eq!(said, [(Contact { open: true }.into(), false)]);
}

/// The siren of Develco and frient, which never says whether it sounds.
#[test]
fn a_siren_that_does_not_publish_its_alarm_need_not_confirm() {
    let sound = Action::Sound { seconds: 90 };
    for (access, confirms) in [(2, false), (1, true), (3, true), (7, true)] {
        for (name, on) in [("alarm", "START"), ("state", "ON")] {
            let mut z = Zigbee2mqtt::new("zigbee2mqtt", &[known("siren", Siren, "0x0a")]);
            let exposes = json!([{"type": "binary", "name": name, "property": name,
                "access": access, "value_on": on, "value_off": "OFF"}]);
            facts(&mut z, LIST, &list(json!({"definition": {"exposes": exposes}})), retained());
            let payload = match name {
                "alarm" => siren::payload(&z.devices[0].exposes, Some(90)),
                _ => json!({"state": "ON"}),
            };
            assert_eq!(siren::confirms(&z.devices[0].exposes, &payload), confirms, "{name}");
            let now = Instant::now();
            if name == "alarm" {
                z.order(&"siren".parse().unwrap(), &sound, now).unwrap();
                let due = z.due().unwrap();
                assert_eq!(z.answers(due)[0].result.is_ok(), !confirms, "{access}");
            }
        }
    }
}

#[test]
fn a_siren_is_told_the_time_in_its_unit_and_a_mode_that_it_has() {
    let alarm = |unit: &str, most: u16| {
        json!([{"type": "binary", "name": "alarm", "property": "alarm", "access": 3,
            "value_on": "ON", "value_off": "OFF"}, {"type": "numeric", "name": "duration",
            "property": "duration", "access": 3, "unit": unit, "value_max": most}])
    };
    let warning = |modes: &[&str]| {
        json!([{"type": "composite", "name": "warning", "property": "warning", "access": 2,
            "features": [{"type": "enum", "name": "mode", "property": "mode", "access": 2,
            "values": modes}]}])
    };
    let ordered = |exposes: Value, seconds: Option<u16>| {
        let mut z = Zigbee2mqtt::new("zigbee2mqtt", &[known("siren", Siren, "0x0a")]);
        facts(&mut z, LIST, &list(json!({"definition": {"exposes": exposes}})), retained());
        sounded(&mut z, seconds).1
    };
    for (unit, most, seconds, told) in [
        ("min", 60, 90, 2),
        ("min", 60, 20, 1),
        ("min", 10, 1800, 10),
        ("minutes", 60, 120, 2),
        ("s", 380, 90, 90),
        ("s", 380, 900, 380),
        ("sec", 300, 90, 90),
    ] {
        let order = ordered(alarm(unit, most), Some(seconds));
        assert_eq!(order["duration"], told, "{seconds} s in {unit}");
    }
    for (modes, told) in [
        (&["stop", "burglar"][..], "burglar"),
        (&["burglar", "stop"], "burglar"),
        (&["stop", "burglar", "fire", "emergency", "police_panic"], "emergency"),
        (&[], "emergency"),
        (&["stop"], "emergency"),
    ] {
        assert_eq!(ordered(warning(modes), Some(9))["warning"]["mode"], told, "{modes:?}");
        assert_eq!(ordered(warning(modes), None)["warning"]["mode"], "stop", "{modes:?}");
    }
}
