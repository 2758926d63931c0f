use std::time::Duration;

use anju_model::DeviceKind;
use anju_model::observation::{Contact, Help, Leak, Motion, Smoke, Tamper};

use super::*;

fn known(id: &str, kind: DeviceKind, address: &str) -> Known {
    Known {
        origin: Origin { device: id.parse().unwrap(), kind, room: None, person: None },
        address: address.to_owned(),
    }
}

fn dialect() -> Dialect {
    Dialect::new(
        "zigbee2mqtt",
        &[
            known("sos", DeviceKind::FixedAlarm, "0x00158d0001e52fbb"),
            known("door", DeviceKind::DoorContact, "hall/front door"),
            known("pir", DeviceKind::Motion, "0x01"),
            known("smoke", DeviceKind::Smoke, "0x02"),
            known("leak", DeviceKind::WaterLeak, "0x03"),
            known("siren", DeviceKind::Siren, "0x04"),
        ],
    )
}

fn live() -> Heard {
    Heard { retain: false, count: 1, at: Instant::now() }
}

fn retained() -> Heard {
    Heard { retain: true, ..live() }
}

fn facts(dialect: &mut Dialect, topic: &str, payload: &str, heard: Heard) -> Vec<(Fact, bool)> {
    dialect
        .understand(topic.as_bytes(), payload.as_bytes(), heard)
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
    z.understand(b"zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    let said = facts(&mut z, "zigbee2mqtt/bedroom/sos", press, live());
    assert_eq!(said[0], (Help::pressed().into(), false));
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
    z.understand(b"zigbee2mqtt/bridge/devices", renamed.as_bytes(), live()).unwrap();
    let said = facts(&mut z, "zigbee2mqtt/new name", r#"{"occupancy":true}"#, live());
    assert!(said.contains(&(Motion { moving: true }.into(), true)));
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
    z.understand(b"zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    let alarm = |alarm| Fact::from(Smoke { alarm, self_test: false });
    let said = facts(&mut z, "zigbee2mqtt/smoke", r#"{"smoke":"OK"}"#, live());
    assert_eq!(said[0].0, alarm(false));
    let said = facts(&mut z, "zigbee2mqtt/smoke", r#"{"smoke":"ALARM"}"#, live());
    assert_eq!(said, [(alarm(true), false)]);
    let said = facts(&mut z, "zigbee2mqtt/0x03", r#"{"water_leak":true}"#, retained());
    assert_eq!(said, [(Leak { wet: true }.into(), true)]);
}

#[test]
fn a_closed_door_is_closed_also_when_the_bridge_described_the_contact() {
    let mut z = dialect();
    z.understand(b"zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    for closed in [true, false] {
        let payload = format!(r#"{{"contact":{closed}}}"#);
        let said = facts(&mut z, "zigbee2mqtt/hall/front door", &payload, live());
        assert!(said.iter().any(|(fact, _)| *fact == Contact { open: !closed }.into()), "{said:?}");
    }
}

#[test]
fn a_value_that_is_neither_on_nor_off_clears_no_alarm() {
    let mut z = dialect();
    z.understand(b"zigbee2mqtt/bridge/devices", DEVICES.as_bytes(), retained()).unwrap();
    facts(&mut z, "zigbee2mqtt/smoke", r#"{"smoke":"ALARM"}"#, live());
    for odd in [r#""?""#, "7", "null", "[]"] {
        let said = facts(&mut z, "zigbee2mqtt/smoke", &format!(r#"{{"smoke":{odd}}}"#), live());
        assert!(said.iter().all(|(fact, _)| !matches!(fact, Fact::Smoke(_))), "{odd}");
    }
}

#[test]
fn availability_and_the_bridge_are_told_once() {
    let mut z = dialect();
    let topic = "zigbee2mqtt/hall/front door/availability";
    let online =
        |online| move |f: &(Fact, bool)| matches!(&f.0, Fact::Online(o) if o.online == online);
    assert!(facts(&mut z, topic, r#"{"state":"online"}"#, retained()).is_empty());
    assert!(facts(&mut z, topic, "offline", live()).iter().all(online(false)));
    assert!(facts(&mut z, topic, r#"{"state":"offline"}"#, live()).is_empty());
    let back = facts(&mut z, "zigbee2mqtt/hall/front door", r#"{"contact":true}"#, live());
    assert!(online(true)(&back[0]));
    let lost = facts(&mut z, "zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#, live());
    assert_eq!(lost.len(), 6);
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
        assert!(z.understand(topic.as_bytes(), payload, live()).is_err(), "{topic}");
    }
    assert!(z.understand(b"\xff", b"{}", live()).is_err());
    assert!(z.understand(b"elsewhere/x", b"{", live()).unwrap().is_empty());
    assert!(z.understand(b"zigbee2mqtt/0x03", b"", live()).unwrap().is_empty());
    let said = facts(&mut z, "zigbee2mqtt/0x03", r#"{"water_leak":"no","battery":400}"#, live());
    assert!(said.iter().all(|(fact, _)| !matches!(fact, Fact::Leak(_))));
}

#[test]
fn a_siren_is_sounded_as_it_exposes() {
    let mut z = dialect();
    let id = "siren".parse().unwrap();
    let (topic, payload) = z.sound(&id, Some(10)).unwrap();
    assert_eq!(topic, "zigbee2mqtt/0x04/set");
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["warning"]["duration"], 10);
    let alarm = r#"[{"ieee_address":"0x04","friendly_name":"horn","definition":{"exposes":[
        {"type":"binary","property":"alarm","value_on":"ON","value_off":"OFF"}]}}]"#;
    z.understand(b"zigbee2mqtt/bridge/devices", alarm.as_bytes(), retained()).unwrap();
    let (topic, payload) = z.sound(&id, None).unwrap();
    assert_eq!(
        (topic.as_str(), &payload[..]),
        ("zigbee2mqtt/horn/set", &br#"{"alarm":"OFF"}"#[..])
    );
    assert!(z.sound(&"door".parse().unwrap(), None).is_none());
}
