use std::time::Duration;

use anju_model::Fact;
use anju_model::observation::{Battery, Location, Online};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::mqtt::dialect::{Dialect, Heard, Malformed};
use crate::mqtt::testing::{WALL, dialect, live, retained, said};

const LINK: &str = r#"
[[zone]]
id = "home"
latitude = 30.19
longitude = 120.19
radius = 150
[links.phones]
kind = "mqtt"
url = "mqtt://127.0.0.1"
dialect = "owntracks"
[[device]]
id = "phone"
kind = "locator"
link = "phones"
address = "wang/phone"
"#;

/// A position that many metres north of home, as the booklet shows one.
fn location(metres: f64, acc: f64, tst: i64) -> String {
    let lat = 30.19 + metres / 111_195.0;
    format!(
        r#"{{"_type":"location","acc":{acc},"alt":13,"batt":64,"bs":1,"conn":"m","created_at":{tst},
        "lat":{lat},"lon":120.19,"m":1,"t":"u","tid":"ne","tst":{tst},"vac":3,"vel":0}}"#
    )
}

fn zones(facts: &[(Fact, bool)]) -> Vec<(String, bool, bool)> {
    let crossed = facts.iter().filter_map(|(fact, baseline)| match fact {
        Fact::Location(Location { zone: Some(zone), entered: Some(entered), .. }) => {
            Some((zone.clone(), *entered, *baseline))
        }
        _ => None,
    });
    crossed.collect()
}

fn hear(o: &mut dyn Dialect, payload: &str, heard: Heard) -> Vec<(Fact, bool)> {
    said(o, "owntracks/wang/phone", payload, heard).unwrap()
}

fn home(entered: bool, baseline: bool) -> Vec<(String, bool, bool)> {
    vec![("home".to_owned(), entered, baseline)]
}

#[test]
fn home_is_left_and_entered() {
    let mut owntracks = dialect(LINK);
    let o = owntracks.as_mut();
    let first = hear(o, &location(5.0, 12.0, WALL), live());
    assert_eq!(zones(&first), home(true, true));
    let battery = Battery { percent: Some(64.0), ..Battery::default() };
    assert!(first.contains(&(battery.into(), false)), "{first:?}");
    assert!(first.iter().any(|(fact, _)| matches!(fact, Fact::Location(l) if l.zone.is_none())));
    assert_eq!(zones(&hear(o, &location(160.0, 12.0, WALL + 1), live())), []);
    assert_eq!(zones(&hear(o, &location(400.0, 12.0, WALL + 2), live())), home(false, false));
    assert_eq!(zones(&hear(o, &location(20.0, 12.0, WALL + 3), live())), home(true, false));
}

#[test]
fn stale_early_and_inaccurate_positions_do_not_count() {
    let mut owntracks = dialect(LINK);
    let o = owntracks.as_mut();
    hear(o, &location(5.0, 12.0, WALL - 60), live());
    for (what, payload) in [
        ("inaccurate", location(4000.0, 3900.0, WALL)),
        ("of this morning", location(4000.0, 9.0, WALL - 3 * 3600)),
        ("older than the last", location(4000.0, 9.0, WALL - 61)),
        ("of tomorrow", location(4000.0, 9.0, WALL + 86_400)),
        ("without a time", location(4000.0, 9.0, WALL).replace("tst", "xst")),
        ("nowhere", location(4000.0, 9.0, WALL).replace("120.19", "720.19")),
        ("null", location(4000.0, 9.0, WALL).replace("120.19", "null")),
    ] {
        assert_eq!(zones(&hear(o, &payload, live())), [], "{what}");
    }
    assert_eq!(zones(&hear(o, &location(4000.0, 9.0, WALL), live())), home(false, false));
}

#[test]
fn a_box_without_a_clock_judges_by_the_order_alone() {
    let mut owntracks = dialect(LINK);
    let o = owntracks.as_mut();
    let unset = Heard { wall: 60, ..live() };
    assert_eq!(zones(&hear(o, &location(5.0, 12.0, WALL), unset)), home(true, true));
    assert_eq!(zones(&hear(o, &location(900.0, 12.0, WALL - 5), unset)), []);
    assert_eq!(zones(&hear(o, &location(900.0, 12.0, WALL + 5), unset)), home(false, false));
}

fn transition(event: &str, desc: &str, metres: f64, tst: i64) -> String {
    let lat = 30.19 + metres / 111_195.0;
    format!(
        r#"{{"_type":"transition","event":"{event}","desc":"{desc}","lat":{lat},"lon":120.19,
        "acc":26,"tst":{tst},"wtst":1439112133,"tid":"21","t":"c"}}"#
    )
}

#[test]
fn the_apps_own_circles_are_told_and_ours_are_judged() {
    let mut owntracks = dialect(LINK);
    let o = owntracks.as_mut();
    let event = |o: &mut dyn Dialect, payload: &str, heard| {
        zones(&said(o, "owntracks/wang/phone/event", payload, heard).unwrap())
    };
    hear(o, &location(5.0, 12.0, WALL - 9), live());
    assert_eq!(event(o, &transition("leave", "Home", 160.0, WALL), retained()), []);
    assert_eq!(event(o, &transition("leave", "Home", 160.0, WALL), live()), home(false, false));
    // The position follows and says nothing else.
    assert_eq!(zones(&hear(o, &location(162.0, 12.0, WALL), live())), []);
    assert_eq!(event(o, &transition("enter", "home", 9000.0, WALL + 1), live()), []);
    let park = vec![("Park".to_owned(), true, false)];
    assert_eq!(event(o, &transition("enter", "Park", 9000.0, WALL + 2), live()), park);
    assert_eq!(event(o, &transition("enter", "Park", 9000.0, WALL - 7200), live()), []);
    assert!(said(o, "owntracks/wang/phone/event", r#"{"_type":"transition"}"#, live()).is_err());
}

#[test]
fn a_phone_is_lost_when_it_stays_away_after_its_connection_broke() {
    let near = LINK.replace("[[device]]", "[[device]]\nheard_within = \"10m\"");
    for (text, minutes) in [(LINK, 30), (near.as_str(), 10)] {
        let mut owntracks = dialect(text);
        let o = owntracks.as_mut();
        let (lwt, start) = (r#"{"_type":"lwt","tst":1800000000}"#, Instant::now());
        let at = |minute: u64| Heard { at: start + Duration::from_secs(60 * minute), ..live() };
        assert_eq!(hear(o, lwt, retained()), []);
        assert_eq!(o.due(), None, "a will that was kept says nothing of now");
        hear(o, &location(5.0, 12.0, WALL), at(0));
        // It changes networks, and speaks before long.
        for minute in 1..4 {
            assert_eq!(hear(o, lwt, at(minute)), []);
            assert_eq!(o.due(), Some(at(1 + minutes).at), "the wait goes on");
        }
        let here = hear(o, &location(5.0, 12.0, WALL + 240), at(4));
        assert!(!here.iter().any(|(fact, _)| matches!(fact, Fact::Online(_))), "{here:?}");
        assert_eq!((o.due(), o.due_news(at(600).at)), (None, vec![]));
        // It stays away, also over another connection to the broker.
        assert_eq!(hear(o, lwt, at(600)), []);
        o.connected(at(601).at);
        assert_eq!(hear(o, &location(5.0, 12.0, WALL), Heard { retain: true, ..at(601) }).len(), 2);
        assert_eq!(o.due_news(at(599 + minutes).at), []);
        let lost = o.due_news(at(600 + minutes).at);
        assert!(matches!(&lost[..], [o] if matches!(&o.fact, Fact::Online(o) if !o.online)));
        assert_eq!(hear(o, lwt, at(700)), []);
        assert_eq!((o.due(), o.due_news(at(900).at)), (None, vec![]), "told once");
        let back = hear(o, &location(5.0, 12.0, WALL + 300), at(901));
        let online = |fact: &Fact| matches!(fact, Fact::Online(Online { online: true, .. }));
        assert!(back.iter().any(|(fact, _)| online(fact)));
    }
}

#[test]
fn an_encrypted_payload_and_other_kinds() {
    let mut owntracks = dialect(LINK);
    let o = owntracks.as_mut();
    let secret = r#"{"_type":"encrypted","data":"n2yyzYzgFvM="}"#;
    let error = said(o, "owntracks/wang/phone", secret, live()).unwrap_err();
    assert!(matches!(error, Malformed::Encrypted));
    let waypoint = r#"{"_type":"waypoint","desc":"Home","lat":1,"lon":2,"rad":50,"tst":1}"#;
    assert_eq!(zones(&hear(o, waypoint, live())), []);
    assert_eq!(said(o, "owntracks/li/phone", "{", live()).unwrap(), []);
    assert!(said(o, "owntracks/wang/phone", "[]", live()).is_err());
}

proptest! {
    #[test]
    fn crossings_take_turns(walk in prop::collection::vec((0.0..600.0f64, 1.0..200.0f64), 1..40)) {
        let mut owntracks = dialect(LINK);
        let mut last = None;
        for (at, (metres, acc)) in walk.into_iter().enumerate() {
            let tst = WALL + i64::try_from(at).unwrap();
            for (_, entered, baseline) in
                zones(&hear(owntracks.as_mut(), &location(metres, acc, tst), live()))
            {
                prop_assert_ne!(last, Some(entered));
                prop_assert_eq!(baseline, last.is_none());
                last = Some(entered);
            }
        }
    }
}
