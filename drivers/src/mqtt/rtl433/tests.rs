use std::time::Duration;

use anju_model::Fact;
use anju_model::observation::{
    Battery, Bell, Climate, Contact, Gas, Help, Leak, Motion, Online, Smoke, Tamper,
};
use proptest::prelude::*;

use crate::mqtt::dialect::{Dialect, Heard};
use crate::mqtt::testing::{dialect, live, retained, said};

const LINK: &str = r#"
[links.radio]
kind = "mqtt"
url = "mqtt://127.0.0.1"
dialect = "rtl433"
[[device]]
id = "pendant"
kind = "portable-alarm"
link = "radio"
address = "Generic-Remote/55034"
press = ["cmd=3"]
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
id = "pir"
kind = "motion"
link = "radio"
address = "Kerui-Security/862103"
[[device]]
id = "smoke"
kind = "smoke"
link = "radio"
address = "Smoke-GS558/25612"
[[device]]
id = "leak"
kind = "water-leak"
link = "radio"
address = "Govee-Water/18713"
[[device]]
id = "room"
kind = "climate"
link = "radio"
address = "Acurite-Tower/11524"
"#;

fn hear(r: &mut dyn Dialect, payload: &str, heard: Heard) -> Vec<Fact> {
    let facts = said(r, "rtl_433/attic/events", payload, heard).unwrap();
    facts.into_iter().map(|(fact, _)| fact).collect()
}

fn press(second: u32, cmd: u8) -> String {
    format!(
        r#"{{"time":"2021-08-18 16:16:{second:02}","model":"Generic-Remote","id":55034,"cmd":{cmd},
        "tristate":"110ZZZX00010","mod":"ASK","freq":433.92,"rssi":-{second}.1}}"#
    )
}

#[test]
fn the_repeats_of_a_press_are_one() {
    let mut rtl = dialect(LINK);
    let r = rtl.as_mut();
    let start = live();
    let at = |ms: u64| Heard { at: start.at + Duration::from_millis(ms), ..start };
    let pressed = |facts: &[Fact]| facts.contains(&Help::pressed().into());
    assert!(pressed(&hear(r, &press(1, 3), at(0))));
    for ms in [40, 80, 1100, 1999] {
        assert_eq!(hear(r, &press(2, 3), at(ms)), [], "{ms}");
    }
    // Somebody who goes on pressing is heard again.
    assert!(pressed(&hear(r, &press(3, 3), at(2000))));
    assert!(!pressed(&hear(r, &press(4, 1), at(5000))), "another key");
    assert!(!pressed(&hear(r, &press(5, 3), Heard { retain: true, ..at(9000) })));
}

#[test]
fn each_make_says_it_in_its_own_words() {
    let mut rtl = dialect(LINK);
    let r = rtl.as_mut();
    let low = |low| Battery { percent: None, low: Some(low), millivolts: None };
    let open = r#"{"time":"2021-08-18 16:16:54","model":"Interlogix-Security","subtype":"contact",
        "id":"a55b4b","battery_ok":1,"switch1":"OPEN","switch2":"CLOSED","raw_message":"ed3b"}"#;
    let facts = hear(r, open, live());
    assert_eq!(facts, [Contact { open: true }.into(), low(false).into()]);
    let shut = open.replace("OPEN", "CLOSED").replace(r#""battery_ok":1"#, r#""battery_ok":0"#);
    let facts = hear(r, &shut, live());
    assert_eq!(facts, [Contact { open: false }.into(), low(true).into()]);

    let bell = r#"{"model":"Honeywell-ActivLink","subtype":"Doorbell","id":"a12f3","battery_ok":1,
        "alert":"Normal","secret_knock":0,"relay":0}"#;
    assert_eq!(hear(r, bell, live())[0], Bell { rung: true }.into());

    let pir = r#"{"model":"Kerui-Security","id":862103,"cmd":10,"motion":1,"state":"motion"}"#;
    assert_eq!(hear(r, pir, live()), [Motion { moving: true }.into()]);
    let tamper = r#"{"model":"Kerui-Security","id":862103,"cmd":11,"motion":0,"tamper":1}"#;
    assert!(hear(r, tamper, live()).contains(&Tamper { tampered: true }.into()));

    let smoke = r#"{"model":"Smoke-GS558","id":25612,"unit":15,"learn":0,"code":"b2018f"}"#;
    let alarm = Fact::from(Smoke { alarm: true, self_test: false });
    assert_eq!(hear(r, smoke, live()), [alarm]);
    let learn = smoke.replace(r#""learn":0"#, r#""learn":1"#);
    assert!(!hear(r, &learn, live()).iter().any(|fact| matches!(fact, Fact::Smoke(_))));

    let wet =
        r#"{"model":"Govee-Water","id":18713,"event":"Water Leak","detect_wet":1,"code":"x"}"#;
    assert_eq!(hear(r, wet, live()), [Leak { wet: true }.into()]);
    let report = r#"{"model":"Govee-Water","id":18713,"event":"Battery Report","battery_ok":0.83}"#;
    let battery = Battery { percent: Some(83.0), low: Some(false), millivolts: None };
    assert_eq!(hear(r, report, live()), [battery.into()]);

    let room = r#"{"model":"Acurite-Tower","id":11524,"channel":"A","battery_ok":1,
        "temperature_C":21.4,"humidity":43,"mic":"CHECKSUM"}"#;
    let climate = Climate {
        celsius: Some(21.4),
        relative_humidity_percent: Some(43.0),
        ..Climate::default()
    };
    assert_eq!(hear(r, room, live())[0], climate.into());
}

fn smoke(alarm: bool) -> Fact {
    Smoke { alarm, self_test: false }.into()
}

fn gas(alarm: bool) -> Fact {
    Gas { alarm, percent_lel: None, self_test: false }.into()
}

/// What a device of a kind says of what it watches, and nothing of its battery.
fn watched(kind: &str, model: &str, fields: &str) -> Vec<Fact> {
    let link = format!(
        r#"
        [links.radio]
        kind = "mqtt"
        url = "mqtt://127.0.0.1"
        dialect = "rtl433"
        [[device]]
        id = "one"
        kind = "{kind}"
        link = "radio"
        address = "{model}/77"
        "#
    );
    let payload = format!(r#"{{"time":"2021-08-18 16:16:54","model":"{model}","id":77,{fields}}}"#);
    let facts = hear(dialect(&link).as_mut(), &payload, live());
    let aside = |fact: &Fact| matches!(fact, Fact::Battery(_) | Fact::Tamper(_) | Fact::Link(_));
    facts.into_iter().filter(|fact| !aside(fact)).collect()
}

const SHUT: &str = r#""switch1":"CLOSED","switch2":"CLOSED","switch3":"CLOSED","switch4":"CLOSED",
    "switch5":"CLOSED","battery_ok":1,"raw_message":"d8eb36""#;

#[test]
fn a_supervision_report_is_no_alarm_and_no_press() {
    let dsc = |closed: u8, event: u8| {
        format!(
            r#""closed":{closed},"event":{event},"tamper":0,"battery_ok":1,"xactivity":1,
            "xtamper1":0,"xtamper2":0,"exception":0,"esn":"00004d","status":2,"mic":"CRC""#
        )
    };
    let clear: [(&str, Fact); 4] = [
        ("smoke", smoke(false)),
        ("motion", Motion { moving: false }.into()),
        ("water-leak", Leak { wet: false }.into()),
        ("gas", gas(false)),
    ];
    for (kind, clear) in clear {
        assert_eq!(
            watched(kind, "DSC-Security", &dsc(1, 0)),
            std::slice::from_ref(&clear),
            "{kind}"
        );
        assert_eq!(
            watched(kind, "Interlogix-Security", SHUT),
            std::slice::from_ref(&clear),
            "{kind}"
        );
        // What says nothing of how it is but its battery says nothing.
        assert_eq!(watched(kind, "Any", r#""battery_ok":1,"tamper":0"#), [], "{kind}");
        assert_ne!(watched(kind, "DSC-Security", &dsc(0, 1)), [clear], "{kind}");
    }
    assert_eq!(watched("portable-alarm", "DSC-Security", &dsc(1, 0)), []);
    assert_eq!(watched("portable-alarm", "DSC-Security", &dsc(1, 1)), [Help::pressed().into()]);
    assert_eq!(watched("doorbell", "DSC-Security", &dsc(1, 0)), []);
}

#[test]
fn an_open_input_of_a_detector_is_its_alarm() {
    let smoke = Fact::from(Smoke { alarm: true, self_test: false });
    let open = SHUT.replacen("CLOSED", "OPEN", 1);
    assert_eq!(watched("smoke", "Interlogix-Security", &open), std::slice::from_ref(&smoke));
    assert_eq!(watched("motion", "Interlogix-Security", &open), [Motion { moving: true }.into()]);
    let dsc = r#""closed":0,"event":1,"tamper":0,"battery_ok":1"#;
    assert_eq!(watched("smoke", "DSC-Security", dsc), std::slice::from_ref(&smoke));
    assert_eq!(watched("water-leak", "DSC-Security", dsc), [Leak { wet: true }.into()]);
    // Honeywell and Visonic have a bit of their own.
    let honeywell = r#""channel":8,"event":4,"state":"closed","contact_open":0,"reed_open":0,
        "alarm":0,"tamper":0,"battery_ok":1,"heartbeat":1"#;
    let clear = Fact::from(Smoke { alarm: false, self_test: false });
    assert_eq!(watched("smoke", "Honeywell-Security", honeywell), std::slice::from_ref(&clear));
    let alarm = honeywell.replace(r#""alarm":0"#, r#""alarm":1"#).replace(":4", ":16");
    assert_eq!(watched("smoke", "Honeywell-Security", &alarm), std::slice::from_ref(&smoke));
    let visonic = r#""tamper":0,"alarm":0,"battery_ok":1,"else":1,"restore":0,"supervised":1"#;
    assert_eq!(watched("smoke", "Visonic-Powercode", visonic), [clear]);
}

#[test]
fn the_first_loop_of_a_honeywell_detector_is_its_alarm() {
    // As rtl_433's honeywell.c tells it: the third loop, `alarm`, is in each message.
    let loops = |event: u8, open: u8, reed: u8, heartbeat: u8| {
        format!(
            r#""channel":8,"event":{event},"state":"{}","contact_open":{open},"reed_open":{reed},
            "alarm":0,"tamper":0,"battery_ok":1,"heartbeat":{heartbeat}"#,
            if open + reed > 0 { "open" } else { "closed" }
        )
    };
    for (kind, alarm, clear) in [
        ("smoke", smoke(true), smoke(false)),
        ("gas", gas(true), gas(false)),
        ("water-leak", Leak { wet: true }.into(), Leak { wet: false }.into()),
        ("motion", Motion { moving: true }.into(), Motion { moving: false }.into()),
    ] {
        let said = |fields: String| watched(kind, "Honeywell-Security", &fields);
        assert_eq!(said(loops(0x80, 1, 0, 0)), std::slice::from_ref(&alarm), "{kind}");
        assert_eq!(said(loops(0x84, 1, 0, 1)), [alarm], "{kind}: it still is when it says so");
        let clear = std::slice::from_ref(&clear);
        assert_eq!(said(loops(0x04, 0, 0, 1)), clear, "{kind}: a heartbeat");
        assert_eq!(said(loops(0x00, 0, 0, 0)), clear, "{kind}: over");
        assert_eq!(said(loops(0x20, 0, 1, 0)), clear, "{kind}: a detector has no magnet");
    }
}

#[test]
fn a_contact_says_it_in_words_of_its_own() {
    let said = |word: &str, state: u8| {
        let fields = format!(r#""seq":1,"state":{state},"extradata":"{word}""#);
        watched("door-contact", "SimpliSafe-Sensor", &fields)
    };
    assert_eq!(said("Contact Open", 1), [Contact { open: true }.into()]);
    assert_eq!(said("Contact Closed", 2), [Contact { open: false }.into()]);
    assert_eq!(said("Alarm Off", 3), []);
    for (state, open) in [("DOOR/WINDOW OPEN", true), ("DS10A DOOR/WINDOW CLOSED", false)] {
        let fields = format!(r#""code":"a5","state":"{state}""#);
        let facts = watched("door-contact", "X10-Security", &fields);
        assert_eq!(facts, [Contact { open }.into()], "{state}");
    }
    // Visonic's MCT-302 says it as its alarm.
    for (alarm, open) in [(1, true), (0, false)] {
        let fields = format!(
            r#""tamper":0,"alarm":{alarm},"battery_ok":1,"else":1,"restore":0,"supervised":0"#
        );
        let facts = watched("door-contact", "Visonic-Powercode", &fields);
        assert_eq!(facts, [Contact { open }.into()], "{alarm}");
    }
}

#[test]
fn the_words_of_a_detector_count() {
    let leak = |fields: &str| watched("water-leak", "Govee-Water", fields);
    for aside in ["Button Press", "Battery Report", "Heartbeat", "Unknown"] {
        assert_eq!(leak(&format!(r#""event":"{aside}","code":"1b""#)), [], "{aside}");
    }
    let dry = r#""event":"Button Press","detect_wet":0,"code":"1b""#;
    assert_eq!(leak(dry), [Leak { wet: false }.into()]);
    // Before it had `detect_wet`.
    assert_eq!(leak(r#""event":"Water Leak","code":"1b""#), [Leak { wet: true }.into()]);
    assert_eq!(leak(r#""alarm":0,"channel":1,"battery_ok":1"#), [Leak { wet: false }.into()]);
    let smoke = |fields: &str| {
        let said = watched("smoke", "Cavius-Security", fields);
        said.iter().any(|fact| *fact == Smoke { alarm: true, self_test: false }.into())
    };
    assert!(smoke(r#""battery_ok":1,"net_id":1,"message":32,"text":"Fire alarm""#));
    for aside in ["Test alarm", "Alarm muted", "Battery low", "Pairing", "Unknown"] {
        assert!(!smoke(&format!(r#""net_id":1,"message":64,"text":"{aside}""#)), "{aside}");
    }
    assert!(smoke(r#""cmd":"24H Zone","cmd_id":11"#));
    assert!(!smoke(r#""cmd":"Low Battery","cmd_id":13"#));
    let motion = |fields: &str| watched("motion", "Any", fields);
    let moving = |moving| [Fact::from(Motion { moving })];
    assert_eq!(motion(r#""code":"0c","event":"MS10A MOTION TRIPPED""#), moving(true));
    assert_eq!(motion(r#""code":"8c","event":"MS10A MOTION READY""#), moving(false));
    assert_eq!(motion(r#""subtype":"PIR-Motion","battery_ok":1,"alert":"Normal""#), moving(true));
    assert_eq!(motion(r#""cmd":15,"state":"battery","battery_ok":0"#), []);
    // What can say one thing only says it by sending.
    assert_eq!(motion(r#""code":"800a2""#), moving(true));
}

#[test]
fn a_receiver_that_stops_takes_its_transmitters_with_it() {
    let mut rtl = dialect(LINK);
    let r = rtl.as_mut();
    let mut reach = |host: &str, word: &str| {
        let facts = said(r, &format!("rtl_433/{host}/availability"), word, live()).unwrap();
        let online = facts.into_iter().filter_map(|(fact, _)| match fact {
            Fact::Online(Online { online, .. }) => Some(online),
            _ => None,
        });
        online.collect::<Vec<_>>()
    };
    assert_eq!(reach("attic", "online"), [true; 7]);
    assert_eq!(reach("cellar", "online"), [] as [bool; 0]);
    assert_eq!(reach("attic", "offline"), [] as [bool; 0]);
    assert_eq!(reach("cellar", "offline"), [false; 7]);
}

#[test]
fn strangers_are_passed_over_and_odd_input_is_an_error() {
    let mut rtl = dialect(LINK);
    let r = rtl.as_mut();
    assert_eq!(hear(r, r#"{"model":"Generic-Remote","id":55035,"cmd":3}"#, live()), []);
    assert_eq!(hear(r, r#"{"model":7}"#, live()), []);
    assert_eq!(hear(r, "", retained()), []);
    for payload in ["[]", "{", "\u{0}", "7"] {
        assert!(said(r, "rtl_433/attic/events", payload, live()).is_err(), "{payload}");
    }
}

proptest! {
    #[test]
    fn whatever_a_field_holds_nothing_breaks(
        field in prop::sample::select(vec!["battery_ok", "tamper", "motion", "alarm", "cmd", "learn"]),
        value in prop_oneof![
            Just("null".to_owned()), any::<f64>().prop_map(|n| format!("{n:?}")),
            "[a-z]{0,5}".prop_map(|w| format!("\"{w}\"")), Just("[[]]".to_owned()),
        ],
    ) {
        let mut rtl = dialect(LINK);
        for (model, id) in [("Kerui-Security", "862103"), ("Generic-Remote", "55034")] {
            let payload = format!(r#"{{"model":"{model}","id":{id},"{field}":{value}}}"#);
            let _ = said(rtl.as_mut(), "rtl_433/attic/events", &payload, live());
        }
    }
}
