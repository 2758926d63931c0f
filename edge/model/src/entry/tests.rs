use super::*;
use crate::alert::Subject;
use crate::observation::{Help, Origin};
use crate::{AlertId, AlertStep, Class, DeviceId, DeviceKind, Rule};

fn stamp() -> Stamp {
    Stamp {
        boot: "b1".into(),
        mono_ms: 61234,
        wall: "2026-11-23T13:04:05.123Z".parse().unwrap(),
        clock: Clock::Synchronised,
    }
}

fn box_id() -> BoxId {
    BoxId::new("hz-000123").unwrap()
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn round_trip(body: Body) -> Value {
    let bytes = encode(&box_id(), 3, 4711, &stamp(), &zone(), &body).unwrap();
    let entry = decode(&bytes).unwrap();
    assert_eq!(entry.body, body);
    assert_eq!(entry.stamp, stamp());
    assert_eq!(entry.id.to_string(), "hz-000123/3/4711");
    serde_json::from_slice(&bytes).unwrap()
}

fn subject() -> Subject {
    Subject {
        alert: AlertId::from_wire("hz-000123/3/4710").unwrap(),
        class: Class::Alarm,
        rule: Rule::Help,
        device: Some(DeviceId::new("sos-bedroom").unwrap()),
        kind: Some(DeviceKind::FixedAlarm),
        room: None,
        person: None,
        code: 101,
        test: false,
        text: "王奶奶家：卧室的报警按钮被按下".into(),
    }
}

#[test]
fn an_alert_looks_as_the_contract_says() {
    let json = round_trip(Body::Alert(AlertChange {
        subject: subject(),
        step: AlertStep::Raised { since: None },
    }));
    assert_eq!(
        json,
        serde_json::json!({
            "specversion":"1.0","id":"hz-000123/3/4711","source":"/boxes/hz-000123",
            "type":"cn.anju.alert.raised","time":"2026-11-23T21:04:05.123+08:00",
            "datacontenttype":"application/json",
            "data":{"epoch":3,"seq":4711,"boot":"b1","mono_ms":61234,"clock":"synchronised",
                "alert":"hz-000123/3/4710","class":"alarm","rule":"help","device":"sos-bedroom",
                "kind":"fixed-alarm","person":"unknown","code":101,"test":false,
                "text":"王奶奶家：卧室的报警按钮被按下"}
        })
    );
}

#[test]
fn every_step_round_trips() {
    let steps = [
        AlertStep::Repeated { count: Some(4), entry: Some("hz-000123/3/1".into()), anew: true },
        AlertStep::Announced { by: "speaker".into() },
        AlertStep::Contacted {
            contact: Some("daughter".parse().unwrap()),
            channels: vec!["ntfy".into()],
            plan_step: 1,
            round: 2,
        },
        AlertStep::Accepted { by: "daughter".into(), minutes: Some(40), via: "ntfy".into() },
        AlertStep::Arrived { by: "daughter".into(), via: "upstream".into() },
        AlertStep::Lapsed { by: "daughter".into() },
        AlertStep::Cancelled { by: "sos-bedroom".into() },
        AlertStep::Closed {
            by: "op".into(),
            outcome: Some(crate::Outcome::False),
            note: "sat on it".into(),
        },
        AlertStep::FollowedUp { by: "op".into(), note: String::new() },
    ];
    for step in steps {
        round_trip(Body::Alert(AlertChange { subject: subject(), step }));
    }
}

#[test]
fn observations_and_box_events_round_trip() {
    let origin = Origin {
        device: DeviceId::new("d").unwrap(),
        kind: DeviceKind::FixedAlarm,
        room: None,
        person: None,
    };
    round_trip(Body::Observation(Observation::new(origin, Help::pressed())));
    round_trip(Body::Box(BoxEvent::Gap {
        of_epoch: 2,
        from: 3,
        to: 9,
        reason: "retention".into(),
    }));
    round_trip(Body::Box(BoxEvent::Away { until: None, by: "op".into() }));
}

#[test]
fn other_versions_survive() {
    let bytes = br#"{"specversion":"1.0","id":"b/1/2","source":"/boxes/b","type":"cn.anju.weather.rain",
        "time":"2026-11-23T21:04:05+08:00","data":{"boot":"x","mono_ms":1,"clock":"unknown","new":[1]}}"#;
    let entry = decode(bytes).unwrap();
    assert_eq!(entry.body, Body::Unknown { event_type: "cn.anju.weather.rain".into() });
}

#[test]
fn words_of_other_versions_leave_an_alert_an_alert() {
    let decoded = |kind: &str, data: &str| {
        let text = format!(
            "{{\"specversion\":\"1.0\",\"id\":\"b/1/2\",\"source\":\"/boxes/b\",\"type\":\"cn.anju.{kind}\",\
             \"time\":\"2026-11-23T21:04:05+08:00\",\
             \"data\":{{\"boot\":\"x\",\"mono_ms\":1,\"clock\":\"unknown\",{data}}}}}"
        );
        decode(text.as_bytes()).unwrap().body
    };
    let subject = r#""alert":"b/1/1","class":"catastrophe","rule":"lifted","device":"arm","kind":"robot","person":"unknown","code":101"#;
    let Body::Alert(raised) = decoded("alert.raised", subject) else { panic!() };
    assert_eq!((raised.subject.class, raised.subject.kind), (Class::Alarm, None));
    let closed = format!(r#"{subject},"by":"centre","outcome":"moved","note":7"#);
    let Body::Alert(closed) = decoded("alert.closed", &closed) else { panic!() };
    let (by, note) = ("centre".to_owned(), String::new());
    assert_eq!(closed.step, AlertStep::Closed { by, outcome: None, note });
    let fall = r#""device":"arm","kind":"robot","state":"tumbled""#;
    let event_type = "cn.anju.observation.fall".to_owned();
    assert_eq!(decoded("observation.fall", fall), Body::Unknown { event_type });
}

#[test]
fn what_is_not_an_entry_is_an_error() {
    for wrong in ["", "{}", "[]", "\u{0}", r#"{"id":"b/1/2","type":"x","time":"now","data":{}}"#] {
        assert!(decode(wrong.as_bytes()).is_err(), "{wrong}");
    }
}
