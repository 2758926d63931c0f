use std::time::Duration;

use anju_model::observation::{
    Bell, CarbonMonoxide, Contact, Fall, FallState, Gas, Gesture, Help, Leak, Link, Lock,
    Medication, MedicationState, Meter, Motion, Power, Presence, Siren, Smoke, Tamper,
};
use anju_model::{DeviceKind, Fact};
use proptest::prelude::*;

use super::*;

mod faults;

fn known(id: &str, kind: DeviceKind, address: &str) -> Known {
    Known {
        origin: Origin { device: id.parse().unwrap(), kind, room: None, person: None },
        address: address.to_owned(),
        on_watts: 15,
    }
}

fn dialect() -> Zigbee2mqtt {
    Zigbee2mqtt::new(
        "zigbee2mqtt",
        &[
            known("sos", DeviceKind::FixedAlarm, "0x00158d0001e52fbb"),
            known("door", DeviceKind::DoorContact, "hall/front door"),
            known("pir", DeviceKind::Motion, "0x01"),
            known("smoke", DeviceKind::Smoke, "0x02"),
            known("leak", DeviceKind::WaterLeak, "0x03"),
            known("siren", DeviceKind::Siren, "0x04"),
            known("plug", DeviceKind::ElectricityMeter, "plug"),
            known("tv", DeviceKind::SetTopBox, "tv"),
            known("lock", DeviceKind::DoorLock, "lock"),
            known("bell", DeviceKind::Doorbell, "bell"),
            known("pills", DeviceKind::PillBox, "pills"),
            known("radar", DeviceKind::FallDetector, "radar"),
            known("gas", DeviceKind::Gas, "gas"),
            known("climate", DeviceKind::Climate, "climate"),
            known("air", DeviceKind::AirQuality, "air"),
        ],
    )
}

fn live() -> Heard {
    Heard { retain: false, count: 1, at: Instant::now(), wall: 1_800_000_000 }
}

fn retained() -> Heard {
    Heard { retain: true, ..live() }
}

fn facts(dialect: &mut Zigbee2mqtt, topic: &str, payload: &str, heard: Heard) -> Vec<(Fact, bool)> {
    dialect
        .understand(topic, payload.as_bytes(), heard)
        .unwrap()
        .into_iter()
        .map(|said| (said.fact, said.baseline))
        .collect()
}

const DEVICES: &str = r#"[
  {"ieee_address":"0x00158d0001e52fbb","friendly_name":"bedroom/sos","definition":{"exposes":[
     {"type":"enum","name":"action","property":"action","access":1,"values":["emergency"]},
     {"type":"numeric","name":"battery","property":"battery","unit":"%"}]}},
  {"ieee_address":"broken"},
  7,
  {"ieee_address":"0x02","friendly_name":"smoke","definition":{"exposes":[
     {"type":"binary","name":"smoke","property":"smoke","value_on":"ALARM","value_off":"OK"}]}},
  {"ieee_address":"0x05","friendly_name":"hall/front door","definition":{"exposes":[
     {"type":"binary","name":"contact","property":"contact","access":1,
      "value_on":false,"value_off":true}]}},
  {"ieee_address":"0x09","friendly_name":"not ours","definition":null}
]"#;

#[test]
fn a_press_is_heard_before_and_after_the_bridge_described_the_button() {
    let mut z = dialect();
    let press = r#"{"action":"emergency","battery":null,"linkquality":90}"#;
    let said = facts(&mut z, "zigbee2mqtt/0x00158d0001e52fbb", press, live());
    assert_eq!(said[0], (Help::pressed().into(), false));
    z.understand("zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    let said = facts(&mut z, "zigbee2mqtt/bedroom/sos", press, live());
    assert_eq!(said[0], (Help::pressed().into(), false));
}

#[test]
fn a_name_that_no_list_told_yet_is_early_until_it_came() {
    let mut z = dialect();
    let early = |z: &Zigbee2mqtt, rest: &str| z.is_early(&format!("zigbee2mqtt/{rest}"));
    z.connected(Instant::now());
    assert!(early(&z, "bedroom/sos") && early(&z, "not ours"));
    for known in ["0x00158d0001e52fbb", "0x00158d0001e52fbb/availability", "bridge/state"] {
        assert!(!early(&z, known), "{known}");
    }
    z.understand("zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    assert!(!early(&z, "bedroom/sos") && !early(&z, "not ours"));
    // It may have another name after a time without a connection.
    z.connected(Instant::now());
    assert!(early(&z, "bathroom/sos") && !early(&z, "bedroom/sos"));
}

#[test]
fn a_device_may_say_itself_which_it_is() {
    let mut z = dialect();
    let press = r#"{"action":"emergency","device":{"ieeeAddr":"0x00158D0001E52FBB"}}"#;
    let said = facts(&mut z, "zigbee2mqtt/bedroom/sos", press, live());
    assert_eq!(said[0], (Help::pressed().into(), false));
    assert_eq!(facts(&mut z, "zigbee2mqtt/other", r#"{"device":{"ieeeAddr":"0x1"}}"#, live()), []);
}

#[test]
fn a_retained_press_and_an_empty_action_are_no_press() {
    let mut z = dialect();
    let topic = "zigbee2mqtt/0x00158d0001e52fbb";
    for (payload, heard) in [
        (r#"{"action":"emergency"}"#, retained()),
        (r#"{"action":""}"#, live()),
        (r#"{"action":null}"#, live()),
    ] {
        let said = facts(&mut z, topic, payload, heard);
        assert!(!said.iter().any(|(fact, _)| matches!(fact, Fact::Help(_))), "{payload}");
    }
}

#[test]
fn a_rename_is_followed_by_the_ieee_address() {
    let mut z = dialect();
    let renamed = r#"[{"ieee_address":"0x01","friendly_name":"new name","definition":null}]"#;
    z.understand("zigbee2mqtt/bridge/devices", renamed.as_bytes(), live()).unwrap();
    let said = facts(&mut z, "zigbee2mqtt/new name", r#"{"occupancy":true}"#, live());
    assert!(said.contains(&(Motion { moving: true }.into(), false)));
}

#[test]
fn the_first_state_is_a_base_line_and_only_changes_follow() {
    let mut z = dialect();
    let topic = "zigbee2mqtt/hall/front door";
    let open = r#"{"contact":false,"tamper":false}"#;
    let said = facts(&mut z, topic, open, retained());
    assert!(said.contains(&(Contact { open: true }.into(), true)));
    assert!(said.contains(&(Tamper { tampered: false }.into(), true)));
    let said = facts(&mut z, topic, r#"{"contact":true,"tamper":false}"#, live());
    assert_eq!(said, [(Contact { open: false }.into(), false)]);
    assert!(facts(&mut z, topic, r#"{"contact":true,"tamper":false}"#, live()).is_empty());
}

#[test]
fn the_devices_own_values_count() {
    let mut z = dialect();
    z.understand("zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    let alarm = |alarm| Fact::from(Smoke { alarm, self_test: false });
    let said = facts(&mut z, "zigbee2mqtt/smoke", r#"{"smoke":"OK"}"#, live());
    assert_eq!(said[0].0, alarm(false));
    let said = facts(&mut z, "zigbee2mqtt/smoke", r#"{"smoke":"ALARM"}"#, live());
    assert_eq!(said, [(alarm(true), false)]);
    let said = facts(&mut z, "zigbee2mqtt/0x03", r#"{"water_leak":true}"#, retained());
    assert_eq!(said, [(Leak { wet: true }.into(), true)]);
}

#[test]
fn a_remembered_danger_does_not_hold_back_the_detectors_own_word() {
    let mut z = dialect();
    z.understand("zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    let topic = "zigbee2mqtt/smoke";
    let alarm = |alarm| Fact::from(Smoke { alarm, self_test: false });
    for _ in 0..2 {
        let said = facts(&mut z, topic, r#"{"smoke":"ALARM"}"#, retained());
        assert_eq!(said, [(alarm(true), true)]);
    }
    // As the first after a connection, which else would be a base line.
    z.connected(Instant::now());
    let said = facts(&mut z, topic, r#"{"smoke":"ALARM"}"#, live());
    assert_eq!(said, [(alarm(true), false)]);
}

#[test]
fn a_closed_door_is_closed_also_when_the_bridge_described_the_contact() {
    let mut z = dialect();
    z.understand("zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    for closed in [true, false] {
        let payload = format!(r#"{{"contact":{closed}}}"#);
        let said = facts(&mut z, "zigbee2mqtt/hall/front door", &payload, live());
        assert!(said.iter().any(|(fact, _)| *fact == Contact { open: !closed }.into()), "{said:?}");
    }
}

#[test]
fn a_value_that_is_neither_on_nor_off_clears_no_alarm() {
    let mut z = dialect();
    z.understand("zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    facts(&mut z, "zigbee2mqtt/smoke", r#"{"smoke":"ALARM"}"#, live());
    for odd in [r#""?""#, "7", "null", "[]"] {
        let said = facts(&mut z, "zigbee2mqtt/smoke", &format!(r#"{{"smoke":{odd}}}"#), live());
        assert!(said.iter().all(|(fact, _)| !matches!(fact, Fact::Smoke(_))), "{odd}");
    }
}

fn reached(said: &[(Fact, bool)]) -> Vec<(bool, bool)> {
    let online = said.iter().filter_map(|(fact, baseline)| match fact {
        Fact::Online(online) => Some((online.online, *baseline)),
        _ => None,
    });
    online.collect()
}

#[test]
fn availability_and_the_bridge_are_told_once() {
    let mut z = dialect();
    let door = "zigbee2mqtt/hall/front door";
    let topic = "zigbee2mqtt/hall/front door/availability";
    let online = r#"{"state":"online"}"#;
    // That it can be reached is known, not heard.
    assert_eq!(reached(&facts(&mut z, topic, online, retained())), [(true, true)]);
    assert_eq!(reached(&facts(&mut z, topic, "offline", live())), [(false, false)]);
    assert!(facts(&mut z, topic, r#"{"state":"offline"}"#, live()).is_empty());
    assert_eq!(reached(&facts(&mut z, door, r#"{"contact":true}"#, live())), [(true, false)]);
    // The bridge comes and goes; a device that is unavailable stays so.
    let radar = "zigbee2mqtt/radar/availability";
    assert_eq!(reached(&facts(&mut z, radar, "offline", live())), [(false, false)]);
    let lost = facts(&mut z, "zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#, live());
    assert_eq!(lost.len(), z.devices.len() - 1);
    let back = facts(&mut z, "zigbee2mqtt/bridge/state", "online", live());
    assert_eq!(reached(&back).len(), z.devices.len() - 1);
    assert!(reached(&back).iter().all(|said| *said == (true, true)));
    assert!(facts(&mut z, "zigbee2mqtt/bridge/state", online, retained()).is_empty());
}

#[test]
fn what_a_bridge_remembered_is_a_base_line_and_no_sign_of_life() {
    let mut z = dialect();
    z.connected(Instant::now());
    facts(&mut z, "zigbee2mqtt/bridge/state", "online", live());
    let soon = live();
    let late = Heard { at: soon.at + SETTLE + SETTLE, ..soon };
    let open = r#"{"contact":false,"linkquality":80}"#;
    let said = facts(&mut z, "zigbee2mqtt/hall/front door", open, soon);
    assert_eq!(said, [(Contact { open: true }.into(), true)]);
    let said = facts(&mut z, "zigbee2mqtt/hall/front door", r#"{"contact":true}"#, soon);
    assert_eq!(said, [(Contact { open: false }.into(), false)]);
    // One that speaks later speaks of now.
    let said = facts(&mut z, "zigbee2mqtt/0x01", r#"{"occupancy":true}"#, late);
    assert_eq!(said, [(Motion { moving: true }.into(), false)]);
    // A danger is a danger, and a press a press, whenever they come.
    let press = facts(&mut z, "zigbee2mqtt/0x00158d0001e52fbb", r#"{"action":"on"}"#, soon);
    assert_eq!(press, [(Help::pressed().into(), false)]);
}

#[test]
fn a_rename_is_followed_also_if_the_name_was_configured() {
    let mut z = dialect();
    let list = |name: &str| format!(r#"[{{"ieee_address":"0x77","friendly_name":"{name}"}}]"#);
    facts(&mut z, "zigbee2mqtt/bridge/devices", &list("bell"), retained());
    let said = facts(&mut z, "zigbee2mqtt/bridge/devices", &list("front/bell"), live());
    assert!(reached(&said).is_empty(), "{said:?}");
    let said = facts(&mut z, "zigbee2mqtt/front/bell", r#"{"action":"pressed"}"#, live());
    assert_eq!(said[0], (Bell { rung: true }.into(), false));
    // A new one that takes the configured name is the one that is meant.
    let both = r#"[{"ieee_address":"0x77","friendly_name":"old"},
        {"ieee_address":"0x78","friendly_name":"bell"}]"#;
    facts(&mut z, "zigbee2mqtt/bridge/devices", both, live());
    assert!(facts(&mut z, "zigbee2mqtt/old", r#"{"action":"pressed"}"#, live()).is_empty());
    let said = facts(&mut z, "zigbee2mqtt/bell", r#"{"action":"pressed"}"#, live());
    assert_eq!(said[0].0, Bell { rung: true }.into());
}

#[test]
fn a_device_that_the_bridge_does_not_know_is_lost_until_it_is_heard() {
    let mut z = dialect();
    let said = facts(&mut z, "zigbee2mqtt/bridge/devices", DEVICES, retained());
    let lost = reached(&said).iter().filter(|(online, _)| !online).count();
    // Known are the button, the door and the smoke detector; a siren may be a group.
    assert_eq!(lost, z.devices.len() - 4);
    let said = facts(&mut z, "zigbee2mqtt/bell", r#"{"action":"pressed"}"#, live());
    assert_eq!(said[0].0, Bell { rung: true }.into());
    assert_eq!(reached(&said), [(true, false)]);
    let left = r#"{"type":"device_leave","data":{"ieee_address":"0x02","friendly_name":"smoke"}}"#;
    let said = facts(&mut z, "zigbee2mqtt/bridge/event", left, live());
    assert_eq!(reached(&said), [(false, false)]);
}

#[test]
fn a_press_that_is_not_decoded_is_a_sign_of_life_each_time() {
    let mut z = dialect();
    let start = live();
    let mut said = Vec::new();
    for second in [0, 30, 31, 60] {
        let payload = format!(r#"{{"action":null,"linkquality":90,"last_seen":{second}}}"#);
        let heard = Heard { at: start.at + Duration::from_secs(second), ..start };
        said.push(facts(&mut z, "zigbee2mqtt/0x00158d0001e52fbb", &payload, heard).len());
    }
    assert_eq!(said, [1, 1, 0, 1]);
}

#[test]
fn a_press_is_the_first_thing_said() {
    let mut z = dialect();
    let topic = "zigbee2mqtt/0x00158d0001e52fbb";
    facts(&mut z, &format!("{topic}/availability"), "offline", live());
    let payload = r#"{"battery":55,"linkquality":9,"tamper":true,"action":"hold"}"#;
    let said = facts(&mut z, topic, payload, live());
    let help = Help { gesture: Some(Gesture::Long), ..Help::pressed() };
    assert_eq!(said[0], (help.into(), false));
    assert!(said.len() >= 4);
}

#[test]
fn an_sos_flag_is_one_press_while_it_lasts() {
    let mut z = dialect();
    let topic = "zigbee2mqtt/0x00158d0001e52fbb";
    let mut presses = |payload: &str, heard| {
        let said = facts(&mut z, topic, payload, heard);
        said.iter().filter(|(fact, _)| matches!(fact, Fact::Help(_))).count()
    };
    assert_eq!(presses(r#"{"sos":true}"#, retained()), 0);
    assert_eq!(presses(r#"{"sos":true,"battery":9}"#, live()), 1);
    assert_eq!(presses(r#"{"sos":true,"battery":8}"#, live()), 0);
    assert_eq!(presses(r#"{"sos":false}"#, live()), 0);
    assert_eq!(presses(r#"{"sos":"true"}"#, live()), 1);
    // It stays over a new connection, also where the broker kept it.
    z.connected(Instant::now());
    let mut presses = |payload: &str, heard| {
        let said = facts(&mut z, "zigbee2mqtt/bedroom/sos", payload, heard);
        said.iter().filter(|(fact, _)| *fact == Help::pressed().into()).count()
    };
    assert_eq!(presses(r#"{"sos":true}"#, retained()), 0);
    assert_eq!(presses(r#"{"sos":true,"battery":7}"#, live()), 0);
}

#[test]
fn gas_and_carbon_monoxide_are_apart() {
    let mut z = dialect();
    let both = r#"{"gas":false,"carbon_monoxide":true,"co":120,"test":false}"#;
    let said = facts(&mut z, "zigbee2mqtt/gas", both, live());
    let gas = Gas { alarm: false, percent_lel: None, self_test: false };
    let co = CarbonMonoxide { alarm: true, ppm: Some(120.0), self_test: false };
    assert_eq!(said, [(gas.into(), false), (co.into(), false)]);
}

#[test]
fn a_self_test_that_is_never_taken_back_hides_no_gas() {
    let start = live();
    let at = |seconds: u64| Heard { at: start.at + Duration::from_secs(seconds), ..start };
    let gas = |alarm, self_test| Fact::from(Gas { alarm, percent_lel: None, self_test });
    let testing = r#"{"gas":false,"self_test":true}"#;
    let felt = r#"{"gas":true,"self_test":true}"#;
    for (seconds, test) in [(30, true), (299, true), (600, false), (7200, false)] {
        let mut z = dialect();
        let topic = "zigbee2mqtt/gas";
        assert_eq!(facts(&mut z, topic, testing, at(0)), [(gas(false, true), false)]);
        // A broker that restarts makes no new test of it.
        z.connected(at(1).at);
        let said = facts(&mut z, topic, felt, at(seconds));
        assert_eq!(said, [(gas(true, test), false)], "{seconds}");
    }
    let mut z = dialect();
    let mut hear = |payload, heard| facts(&mut z, "zigbee2mqtt/gas", payload, heard).remove(0).0;
    hear(testing, at(0));
    assert_eq!(hear(felt, at(600)), gas(true, false));
    assert_eq!(hear(felt, at(660)), gas(true, false), "and so it stays");
    hear(r#"{"gas":false,"self_test":false}"#, at(700));
    assert_eq!(hear(felt, at(1000)), gas(true, true), "the next test is one");
    // One that was remembered is of any age.
    let mut z = dialect();
    facts(&mut z, "zigbee2mqtt/gas", testing, retained());
    let said = facts(&mut z, "zigbee2mqtt/gas", felt, live());
    assert_eq!(said, [(gas(true, false), false)]);
}

#[test]
fn a_plug_is_a_meter_and_what_it_feeds_is_on_or_off() {
    let mut z = dialect();
    let plug = r#"{"state":"ON","power":"61.5","energy":12.25,"voltage":231,"current":0.27}"#;
    let said = facts(&mut z, "zigbee2mqtt/plug", plug, live());
    let meter = Meter {
        energy_watt_hours: Some(12_250.0),
        power_watts: Some(61.5),
        voltage_volts: Some(231.0),
        current_amperes: Some(0.27),
        supply_on: Some(true),
        ..Meter::default()
    };
    assert_eq!(said, [(meter.into(), false)]);
    let mut on = Vec::new();
    for watts in [60.0, 9.0, 3.0, 9.0, 14.0, 16.0] {
        let said = facts(&mut z, "zigbee2mqtt/tv", &format!(r#"{{"power":{watts}}}"#), live());
        on.extend(said.into_iter().filter(|(fact, _)| matches!(fact, Fact::Power(_))));
    }
    let power = |on| (Power { on }.into(), false);
    assert_eq!(on, [power(true), power(false), power(true)]);
}

#[test]
fn endpoints_have_properties_of_their_own() {
    let mut z = dialect();
    let strip = r#"[{"ieee_address":"0x55","friendly_name":"plug","definition":{"exposes":[
        {"type":"numeric","name":"power","property":"power_l1","endpoint":"l1","unit":"W"},
        {"type":"numeric","name":"power","property":"power_l2","endpoint":"l2","unit":"kW"},
        {"type":"switch","features":[{"type":"binary","name":"state","property":"state_l1",
          "value_on":"ON","value_off":"OFF","endpoint":"l1"}]}]}}]"#;
    facts(&mut z, "zigbee2mqtt/bridge/devices", strip, live());
    let payload = r#"{"power_l1":40,"power_l2":0.1,"power":7,"state_l1":"OFF"}"#;
    let said = facts(&mut z, "zigbee2mqtt/plug", payload, live());
    let meter = said.iter().find_map(|(fact, _)| match fact {
        Fact::Meter(meter) => Some(meter.clone()),
        _ => None,
    });
    let meter = meter.unwrap();
    assert_eq!((meter.power_watts, meter.supply_on), (Some(140.0), Some(false)));
}

fn lock_said(z: &mut Zigbee2mqtt, payload: &str, heard: Heard) -> Vec<(Lock, bool)> {
    let said = facts(z, "zigbee2mqtt/lock", payload, heard);
    let lock = said.into_iter().filter_map(|(fact, baseline)| match fact {
        Fact::Lock(lock) => Some((lock, baseline)),
        _ => None,
    });
    lock.collect()
}

#[test]
fn a_lock_tells_who_and_wrong_tries() {
    let mut z = dialect();
    let z = &mut z;
    let locked = r#"{"state":"LOCK","lock_state":"locked","battery":80}"#;
    let known = Lock { locked: Some(true), ..Lock::default() };
    assert_eq!(lock_said(z, locked, retained()), [(known, true)]);
    assert_eq!(lock_said(z, locked, live()), []);
    let wrong = r#"{"state":"LOCK","lock_state":"locked","action":"unlock_failure_invalid_pin_or_id",
        "action_user":65535,"action_source":0,"action_source_name":"keypad"}"#;
    for tries in 1..=3 {
        let said = lock_said(z, wrong, live());
        assert_eq!(said[0].0.wrong_tries, Some(tries));
        assert_eq!(said[0].0.by.as_deref(), Some("keypad"));
        assert_eq!(said[0].0.locked, Some(true));
    }
    let unlock = r#"{"state":"UNLOCK","lock_state":"unlocked","action":"unlock","action_user":3,
        "action_source":0,"action_source_name":"keypad"}"#;
    let said = lock_said(z, unlock, live());
    let by = Lock { locked: Some(false), by: Some("keypad 3".into()), ..Lock::default() };
    assert_eq!(said, [(by, false)]);
    assert_eq!(lock_said(z, wrong, live())[0].0.wrong_tries, Some(1));
    let auto = r#"{"state":"LOCK","lock_state":"locked","action":"auto_lock"}"#;
    let by_itself = Lock { locked: Some(true), ..Lock::default() };
    assert_eq!(lock_said(z, auto, live()), [(by_itself, false)]);
    let key = lock_said(z, r#"{"action":"key_unlock"}"#, live());
    assert_eq!(key[0].0.by.as_deref(), Some("key"));
    let forced = lock_said(z, r#"{"door_state":"error_forced_open"}"#, live());
    assert_eq!(forced[0].0.forced, Some(true));
}

#[test]
fn a_lock_that_opens_is_open_in_whatever_words_it_says_so() {
    let state = |payload: &str| {
        let said = lock_said(&mut dialect(), payload, live());
        said.into_iter().next().map(|(lock, _)| (lock.locked, lock.by))
    };
    let by = |who: &str| Some(who.to_owned());
    for (payload, locked, who) in [
        (r#"{"action":"lock_opened","state":"UNLOCK","reverse":"UNLOCK"}"#, false, None),
        (r#"{"action":"lock_opened"}"#, false, None),
        (r#"{"action":"lock_opened_inside","state":"UNLOCK"}"#, false, by("inside")),
        (r#"{"action":"lock_opened_outside"}"#, false, by("outside")),
        (r#"{"action":"finger_open","user":"user_id3"}"#, false, by("finger 3")),
        (r#"{"action":"password_open","user":null}"#, false, by("password")),
        (r#"{"action":"unlock_fingerprint"}"#, false, by("fingerprint")),
        (r#"{"action":"unlock_card","action_user":7}"#, false, by("card 7")),
        (r#"{"unlock_fingerprint":4}"#, false, by("fingerprint 4")),
        (r#"{"action":"locked","state":"LOCK"}"#, true, None),
        (r#"{"action":"manual_lock"}"#, true, by("manual")),
        (r#"{"action":"lock_jam"}"#, false, None),
        (r#"{"action":"lock_jam","state":"LOCK"}"#, true, None),
        // The lock's own word on its state is truer than the name of an act.
        (r#"{"action":"unlock","state":"LOCK"}"#, true, None),
        (r#"{"action":"reverse_lock","state":"UNLOCK","reverse":"LOCK"}"#, false, None),
    ] {
        assert_eq!(state(payload), Some((Some(locked), who)), "{payload}");
    }
    for nothing in
        ["reverse_lock", "reverse_lock_cancel", "finger_add", "ring_bell", "door_closed", "unknown"]
    {
        assert_eq!(state(&format!(r#"{{"action":"{nothing}"}}"#)), None, "{nothing}");
    }
}

#[test]
fn a_finger_that_is_not_known_is_a_wrong_try() {
    let mut z = dialect();
    let mut tries = |payload: &str| lock_said(&mut z, payload, live())[0].0.wrong_tries;
    assert_eq!(tries(r#"{"action":"finger_not_match","repeat":1}"#), Some(1));
    assert_eq!(tries(r#"{"action":"password_not_match","repeat":null}"#), Some(2));
    assert_eq!(tries(r#"{"action":"finger_not_match","repeat":5}"#), Some(5));
    assert_eq!(tries(r#"{"alarm_lock":"wrong_password"}"#), Some(6));
    assert_eq!(tries(r#"{"action":"finger_open","user":"user_id1"}"#), None);
    assert_eq!(tries(r#"{"action":"finger_not_match"}"#), Some(1));
}

#[test]
fn an_act_makes_the_state_beside_it_old() {
    let mut z = dialect();
    let z = &mut z;
    lock_said(z, r#"{"state":"LOCK","battery":80}"#, retained());
    // The bridge adds what it knew, and learns of the bolt a little later.
    let said = lock_said(z, r#"{"state":"LOCK","action":"keypad_unlock"}"#, live());
    assert_eq!((said[0].0.locked, said[0].0.by.as_deref()), (Some(false), Some("keypad")));
    assert_eq!(lock_said(z, r#"{"state":"LOCK","battery":79}"#, live()), []);
    assert_eq!(lock_said(z, r#"{"state":"UNLOCK"}"#, live()), []);
    let shut = Lock { locked: Some(true), ..Lock::default() };
    assert_eq!(lock_said(z, r#"{"state":"LOCK"}"#, live()), [(shut, false)]);
    // Who opened it last is repeated with each message, and was so once only.
    let opened = r#"{"state":"UNLOCK","unlock_card":2,"battery":79}"#;
    assert_eq!(lock_said(z, opened, live())[0].0.by.as_deref(), Some("card 2"));
    assert_eq!(lock_said(z, &opened.replace("79", "78"), live()), []);
}

#[test]
fn of_a_keypad_only_the_key_for_help_calls() {
    let mut z = dialect();
    let list = |values: &str| {
        format!(
            r#"[{{"ieee_address":"0x00158d0001e52fbb","friendly_name":"keys","definition":{{
            "exposes":[{{"type":"enum","name":"action","property":"action","access":1,
            "values":[{values}]}}]}}}}]"#
        )
    };
    let mut helped = |values: &str, action: &str| {
        facts(&mut z, "zigbee2mqtt/bridge/devices", &list(values), retained());
        let said =
            facts(&mut z, "zigbee2mqtt/keys", &format!(r#"{{"action":"{action}"}}"#), live());
        said.into_iter().find_map(|(fact, _)| match fact {
            Fact::Help(help) => Some(help),
            _ => None,
        })
    };
    let keypad = r#""disarm","arm_day_zones","arm_night_zones","arm_all_zones","exit_delay","panic",
        "emergency""#;
    for key in
        ["disarm", "arm_all_zones", "arm_day_zones", "exit_delay", "not_ready", "invalid_code"]
    {
        assert_eq!(helped(keypad, key), None, "{key}");
    }
    for key in ["panic", "emergency", "emergency_double"] {
        let help = helped(keypad, key).unwrap();
        assert_eq!(Help { gesture: None, ..help }, Help::pressed(), "{key}");
    }
    assert_eq!(helped(keypad, "emergency_release"), None);
    assert_eq!(helped(keypad, "cancel"), Some(Help::cancelled()));
    // A remote or button without such a key calls with any, and never by letting go.
    let remote = r#""on","off","brightness_move_up","brightness_stop""#;
    assert_eq!(helped(remote, "on"), Some(Help::pressed()));
    assert_eq!(helped(remote, "brightness_stop"), None);
    for press in ["single", "double", "long", "0_single", "toggle", "anything"] {
        assert!(helped(r#""single","double","long""#, press).is_some(), "{press}");
        assert!(helped("", press).is_some(), "{press}");
    }
    assert_eq!(helped("", "hold_release"), None);
}

#[test]
fn the_lower_explosive_limit_is_read_however_it_is_written() {
    for (name, unit) in [
        ("gas_density", "%LEL"),
        ("gas_density", "% LEL"),
        ("gas_value", "LEL"),
        ("gas_value", "%lel"),
        ("lel", "%"),
    ] {
        let mut z = dialect();
        let list = format!(
            r#"[{{"ieee_address":"0x66","friendly_name":"gas","definition":{{"exposes":[
            {{"type":"numeric","name":"{name}","property":"{name}","unit":"{unit}"}}]}}}}]"#
        );
        facts(&mut z, "zigbee2mqtt/bridge/devices", &list, retained());
        let payload = format!(r#"{{"gas":true,"{name}":12}}"#);
        let said = facts(&mut z, "zigbee2mqtt/gas", &payload, live());
        let gas = Gas { alarm: true, percent_lel: Some(12.0), self_test: false };
        assert_eq!(said[0], (gas.into(), false), "{name} {unit}");
    }
}

#[test]
fn volatile_compounds_in_ppm_are_a_thousand_times_as_many_ppb() {
    let mut z = dialect();
    let list = r#"[{"ieee_address":"0x67","friendly_name":"air","definition":{"exposes":[
        {"type":"numeric","name":"voc","property":"voc","unit":"ppm"}]}}]"#;
    facts(&mut z, "zigbee2mqtt/bridge/devices", list, retained());
    let said = facts(&mut z, "zigbee2mqtt/air", r#"{"voc":0.5}"#, live());
    assert!(matches!(&said[0].0, Fact::Air(air) if air.voc_ppb == Some(500.0)), "{said:?}");
}

#[test]
fn after_a_reconnection_of_ours_what_is_live_happens_now() {
    let mut z = dialect();
    z.connected(Instant::now());
    facts(&mut z, "zigbee2mqtt/bridge/state", r#"{"state":"online"}"#, retained());
    let said = facts(&mut z, "zigbee2mqtt/hall/front door", r#"{"contact":false}"#, live());
    assert_eq!(said, [(Contact { open: true }.into(), false)]);
    let forced = lock_said(&mut z, r#"{"door_state":"error_forced_open"}"#, live());
    assert_eq!((forced[0].0.forced, forced[0].1), (Some(true), false));
    // When the bridge itself began anew, its memory is a base line, and an action never is one.
    facts(&mut z, "zigbee2mqtt/bridge/state", r#"{"state":"online"}"#, live());
    let lock = lock_said(&mut z, r#"{"state":"UNLOCK","unlock_card":2}"#, live());
    assert_eq!((lock[0].0.locked, lock[0].0.by.as_deref(), lock[0].1), (Some(false), None, true));
    facts(&mut z, "zigbee2mqtt/bridge/state", r#"{"state":"online"}"#, live());
    let forced = lock_said(&mut z, r#"{"action":"lock_forced"}"#, live());
    assert_eq!((forced[0].0.forced, forced[0].1), (Some(true), false));
}

#[test]
fn a_lid_a_bell_and_a_radar() {
    let mut z = dialect();
    let opened = Fact::from(Medication { state: MedicationState::Opened });
    let lid = "zigbee2mqtt/pills";
    assert_eq!(facts(&mut z, lid, r#"{"contact":true}"#, retained()).len(), 1);
    assert_eq!(facts(&mut z, lid, r#"{"contact":false}"#, live())[0], (opened.clone(), false));
    let again = facts(&mut z, lid, r#"{"contact":false,"battery":50}"#, live());
    assert!(!again.iter().any(|(fact, _)| *fact == opened));
    facts(&mut z, lid, r#"{"contact":true}"#, live());
    assert_eq!(facts(&mut z, lid, r#"{"vibration":true}"#, live())[0].0, opened);

    let said = facts(&mut z, "zigbee2mqtt/radar", r#"{"occupancy":true}"#, live());
    assert_eq!(said[0].0, Presence { present: true }.into());
    for (word, state) in [
        ("maybe_fall", FallState::Suspected),
        ("fall", FallState::Confirmed),
        ("none", FallState::Over),
    ] {
        let payload = format!(r#"{{"presence":true,"fall_down_status":"{word}"}}"#);
        let said = facts(&mut z, "zigbee2mqtt/radar", &payload, live());
        assert!(said.contains(&(Fall { state }.into(), false)), "{said:?}");
    }
}

#[test]
fn the_warmth_of_a_chip_is_not_the_rooms() {
    let mut z = dialect();
    let door = facts(&mut z, "zigbee2mqtt/hall/front door", r#"{"temperature":31}"#, live());
    assert!(door.iter().all(|(fact, _)| !matches!(fact, Fact::Climate(_))));
    let room = r#"{"temperature":"19.5","humidity":44,"pressure":1013}"#;
    let Fact::Climate(climate) = &facts(&mut z, "zigbee2mqtt/climate", room, live())[0].0 else {
        panic!("no climate")
    };
    assert_eq!(climate.celsius, Some(19.5));
    let air = r#"{"co2":900,"pm25":12,"voc":150,"formaldehyd":0.03}"#;
    let Fact::Air(air) = &facts(&mut z, "zigbee2mqtt/air", air, live())[0].0 else {
        panic!("no air")
    };
    assert_eq!((air.co2_ppm, air.voc_ppb), (Some(900.0), Some(150.0)));
}

#[test]
fn properties_may_have_topics_of_their_own() {
    let mut z = dialect();
    assert!(facts(&mut z, "zigbee2mqtt/0x03/water_leak", "true", live()).is_empty());
    let info = r#"{"version":"2.6.0","config":{"advanced":{"output":"attribute"}}}"#;
    facts(&mut z, "zigbee2mqtt/bridge/info", info, retained());
    let said = facts(&mut z, "zigbee2mqtt/0x03/water_leak", "true", live());
    assert_eq!(said[0], (Leak { wet: true }.into(), false));
    let said = facts(&mut z, "zigbee2mqtt/0x00158d0001e52fbb/action", "emergency", live());
    assert_eq!(said[0], (Help::pressed().into(), false));
}

#[test]
fn a_list_of_three_hundred_devices_is_read() {
    let filler = "x".repeat(1500);
    let one = |n: u32| {
        format!(
            r#"{{"ieee_address":"0x{n:016x}","friendly_name":"room/{n}","definition":{{
            "description":"{filler}","exposes":[{{"type":"binary","name":"water_leak",
            "property":"water_leak","value_on":"WET","value_off":"DRY"}}]}}}}"#
        )
    };
    let list = format!("[{}]", (0..300).map(one).collect::<Vec<_>>().join(","));
    assert!(list.len() > 450_000);
    let mut z = Zigbee2mqtt::new(
        "zigbee2mqtt",
        &[known("leak", DeviceKind::WaterLeak, &format!("0x{:016x}", 299))],
    );
    z.understand("zigbee2mqtt/bridge/devices", list.as_bytes(), retained()).unwrap();
    let said = facts(&mut z, "zigbee2mqtt/room/299", r#"{"water_leak":"WET"}"#, live());
    assert_eq!(said[0].0, Leak { wet: true }.into());
}

#[test]
fn a_device_that_repeats_itself_shows_life_every_quarter_of_an_hour() {
    let mut z = dialect();
    let start = Instant::now();
    let mut said = 0;
    for minute in 0..60u64 {
        let at = start + Duration::from_secs(60 * minute);
        let heard = Heard { at, ..live() };
        said += facts(&mut z, "zigbee2mqtt/0x03", r#"{"water_leak":false}"#, heard).len();
    }
    assert_eq!(said, 4);
}

#[test]
fn what_is_malformed_is_an_error_and_changes_nothing() {
    let mut z = dialect();
    for (topic, payload) in [
        ("zigbee2mqtt/0x03", &b"\xff\xfe"[..]),
        ("zigbee2mqtt/0x03", b"[]"),
        ("zigbee2mqtt/0x03", b"{"),
        ("zigbee2mqtt/bridge/devices", b"{}"),
        ("zigbee2mqtt/bridge/state", b"{\"state\":\"odd\"}"),
        ("zigbee2mqtt/0x03/availability", b"7"),
    ] {
        assert!(z.understand(topic, payload, live()).is_err(), "{topic}");
    }
    assert!(z.understand("elsewhere/x", b"{", live()).unwrap().is_empty());
    assert!(z.understand("zigbee2mqtt/0x03", b"", live()).unwrap().is_empty());
    let said = facts(&mut z, "zigbee2mqtt/0x03", r#"{"water_leak":"no","battery":400}"#, live());
    assert!(said.iter().all(|(fact, _)| !matches!(fact, Fact::Leak(_))));
}

fn sounded(z: &mut Zigbee2mqtt, seconds: Option<u16>) -> (String, Value) {
    let action = seconds.map_or(Action::Hush, |seconds| Action::Sound { seconds });
    let order = z.order(&"siren".parse().unwrap(), &action, Instant::now()).unwrap();
    (order.topic, serde_json::from_slice(&order.payload).unwrap())
}

#[test]
fn a_siren_is_sounded_as_it_exposes() {
    let mut z = dialect();
    let (topic, payload) = sounded(&mut z, Some(10));
    assert_eq!(topic, "zigbee2mqtt/0x04/set");
    assert_eq!(payload["warning"]["duration"], 10);
    let alarm = r#"[{"ieee_address":"0x04","friendly_name":"horn","definition":{"exposes":[
        {"type":"binary","name":"alarm","property":"alarm","value_on":"ON","value_off":"OFF"},
        {"type":"numeric","name":"duration","property":"duration","access":7,"value_max":180}]}}]"#;
    z.understand("zigbee2mqtt/bridge/devices", alarm.as_bytes(), retained()).unwrap();
    let (topic, payload) = sounded(&mut z, Some(600));
    assert_eq!(topic, "zigbee2mqtt/horn/set");
    assert_eq!(payload, serde_json::json!({"duration": 180, "alarm": "ON"}));
    assert_eq!(sounded(&mut z, None).1, serde_json::json!({"alarm": "OFF"}));
    assert!(z.order(&"door".parse().unwrap(), &Action::Hush, Instant::now()).is_none());
}

#[test]
fn a_siren_obeyed_only_if_it_says_so_or_nobody_complains() {
    let mut z = dialect();
    let now = Instant::now();
    let id = "siren".parse().unwrap();
    let sound = Action::Sound { seconds: 30 };
    // A warning device says nothing; no complaint is an answer.
    z.order(&id, &sound, now).unwrap();
    assert_eq!(z.answers(now), []);
    let due = z.due().unwrap();
    assert!(z.answers(due)[0].result.is_ok());
    z.order(&id, &sound, now).unwrap();
    let failed = r#"{"level":"error","namespace":"z2m",
        "message":"Publish 'set' 'warning' to '0x04' failed: 'Error: timed out after 10000ms'"}"#;
    let said = facts(&mut z, "zigbee2mqtt/bridge/logging", failed, live());
    assert!(matches!(&said[0].0, Fact::Trouble(trouble) if trouble.active));
    let answers = z.answers(now);
    assert!(answers[0].result.as_ref().unwrap_err().contains("timed out"));
    let said = facts(&mut z, "zigbee2mqtt/0x04", r#"{"linkquality":80}"#, live());
    assert!(matches!(&said[0].0, Fact::Trouble(trouble) if !trouble.active));
    // One that publishes its alarm must confirm.
    let alarm = r#"[{"ieee_address":"0x04","friendly_name":"0x04","definition":{"exposes":[
        {"type":"binary","name":"alarm","property":"alarm","value_on":true,"value_off":false}]}}]"#;
    facts(&mut z, "zigbee2mqtt/bridge/devices", alarm, retained());
    z.order(&id, &sound, now).unwrap();
    let said = facts(&mut z, "zigbee2mqtt/0x04", r#"{"alarm":true}"#, live());
    assert_eq!(said[0].0, Siren { sounding: true }.into());
    assert!(z.answers(now)[0].result.is_ok());
    z.order(&id, &Action::Hush, now).unwrap();
    let due = z.due().unwrap();
    assert!(z.answers(due)[0].result.is_err());
}

#[test]
fn quality_alone_is_said_once_in_a_while() {
    let mut z = dialect();
    let said = facts(&mut z, "zigbee2mqtt/0x01", r#"{"linkquality":77}"#, live());
    assert_eq!(said, [(Link { quality: Some(77.0), dbm: None }.into(), false)]);
    assert!(facts(&mut z, "zigbee2mqtt/0x01", r#"{"linkquality":70}"#, live()).is_empty());
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        Just(Value::from("emergency")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
}

const NAMES: &[&str] = &[
    "action",
    "sos",
    "contact",
    "occupancy",
    "presence",
    "smoke",
    "gas",
    "carbon_monoxide",
    "water_leak",
    "tamper",
    "vibration",
    "battery",
    "battery_low",
    "voltage",
    "linkquality",
    "temperature",
    "humidity",
    "illuminance",
    "pm25",
    "voc",
    "co2",
    "state",
    "lock_state",
    "alarm",
    "power",
    "energy",
    "current",
    "action_user",
    "action_source_name",
    "fall_down_status",
    "test",
    "fault",
    "reliability",
    "trouble",
    "opening_state",
];

proptest! {
    #[test]
    fn whatever_fields_hold_retained_ones_are_base_lines_and_no_events(
        fields in prop::collection::btree_map(prop::sample::select(NAMES), any_value(), 0..12),
        device in 0usize..15,
    ) {
        let mut z = dialect();
        let topic = format!("zigbee2mqtt/{}", z.devices[device].address);
        let payload = serde_json::to_vec(&fields).unwrap();
        for said in z.understand(&topic, &payload, retained()).unwrap() {
            prop_assert!(said.baseline);
            prop_assert!(!matches!(said.fact, Fact::Help(_) | Fact::Bell(_)));
        }
        for said in z.understand(&topic, &payload, live()).unwrap() {
            let data = serde_json::to_value(&said).unwrap();
            prop_assert!(!data.to_string().contains("null"), "{data}");
        }
    }

    #[test]
    fn no_bytes_break_it(topic in "[a-z0-9/]{0,24}", payload in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut z = dialect();
        for topic in [format!("zigbee2mqtt/{topic}"), "zigbee2mqtt/bridge/devices".to_owned()] {
            let _ = z.understand(&topic, &payload, live());
        }
    }
}
