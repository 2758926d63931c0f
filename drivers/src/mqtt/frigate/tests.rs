use anju_model::Fact;
use anju_model::observation::{Camera, Online, Seen};
use proptest::prelude::*;

use crate::mqtt::dialect::Dialect;
use crate::mqtt::testing::{dialect, live, retained, said};

const LINK: &str = r#"
[links.cameras]
kind = "mqtt"
url = "mqtt://127.0.0.1"
dialect = "frigate"
[[device]]
id = "hall"
kind = "camera"
link = "cameras"
address = "hall"
zones = ["door"]
[[device]]
id = "yard"
kind = "camera"
link = "cameras"
address = "yard"
source = "reviews"
"#;

/// As the documentation of Frigate shows an event, with what differs filled in.
fn event(kind: &str, id: &str, label: &str, score: f64, zones: &str, wrong: bool) -> String {
    format!(
        r#"{{"type":"{kind}","before":{{"id":"{id}","camera":"hall","frame_time":1607123961.837752,
        "snapshot_time":1607123961.837752,"label":"{label}","sub_label":["X",0.99],
        "top_score":0.9,"false_positive":false,"start_time":1607123955.475377,"end_time":null,
        "score":0.7890625,"box":[424,500,536,712],"area":23744,"ratio":2.113207,
        "region":[264,450,667,853],"current_zones":["door"],"entered_zones":["door"],
        "thumbnail":null,"has_snapshot":false,"has_clip":false,"stationary":false}},
        "after":{{"id":"{id}","camera":"hall","frame_time":1607123962.082975,"label":"{label}",
        "sub_label":null,"top_score":{score},"false_positive":{wrong},
        "start_time":1607123955.475377,"end_time":null,"score":0.87109375,
        "box":[432,496,544,854],"current_zones":[{zones}],"entered_zones":["door"],
        "has_snapshot":true,"stationary":false,"path_data":[[[0.4,0.5],1607123961.8]]}}}}"#
    )
}

fn seen(dialect: &mut dyn Dialect, topic: &str, payload: &str) -> Vec<(Seen, bool)> {
    let facts = said(dialect, &format!("frigate/{topic}"), payload, live()).unwrap();
    let camera = facts.into_iter().filter_map(|(fact, _)| match fact {
        Fact::Camera(Camera { seen, active }) => Some((seen, active)),
        _ => None,
    });
    camera.collect()
}

const DOOR: &str = r#""door""#;

#[test]
fn a_person_is_there_from_the_first_object_that_counts_to_the_last() {
    let mut frigate = dialect(LINK);
    let f = frigate.as_mut();
    let person = |kind: &str, id: &str| event(kind, id, "person", 0.9, DOOR, false);
    assert_eq!(seen(f, "events", &event("new", "1-a", "person", 0.6, DOOR, false)), []);
    assert_eq!(seen(f, "events", &event("new", "1-a", "person", 0.9, DOOR, true)), []);
    assert_eq!(seen(f, "events", &event("update", "1-a", "person", 0.9, "", false)), []);
    assert_eq!(seen(f, "events", &event("new", "9-z", "dog", 0.9, DOOR, false)), []);
    assert_eq!(seen(f, "events", &person("update", "1-a")), [(Seen::Person, true)]);
    assert_eq!(seen(f, "events", &person("new", "2-b")), []);
    assert_eq!(seen(f, "events", &person("end", "1-a")), []);
    assert_eq!(seen(f, "events", &person("end", "2-b")), [(Seen::Person, false)]);
    // One that Frigate became sure of only at its end was there all the same.
    let both = [(Seen::Person, true), (Seen::Person, false)];
    assert_eq!(seen(f, "events", &person("end", "3-c")), both);
    let fall = event("new", "4-d", "fall", 0.95, DOOR, false);
    assert_eq!(seen(f, "events", &fall), [(Seen::Fall, true)]);
}

#[test]
fn reviews_tell_people_of_the_cameras_that_want_them() {
    let mut frigate = dialect(LINK);
    let f = frigate.as_mut();
    let review = |kind: &str, objects: &str| {
        format!(
            r#"{{"type":"{kind}","before":{{"id":"r1","camera":"yard","severity":"detection"}},
            "after":{{"id":"r1","camera":"yard","start_time":1718987129.308396,"end_time":null,
            "severity":"alert","thumb_path":"/media/x.webp","data":{{"detections":["1-a"],
            "objects":[{objects}],"sub_labels":[],"zones":["steps"],"audio":[]}}}}}}"#
        )
    };
    assert_eq!(seen(f, "reviews", &review("new", r#""car""#)), []);
    let verified = review("update", r#""car","person-verified""#);
    assert_eq!(seen(f, "reviews", &verified), [(Seen::Person, true)]);
    let end = review("end", r#""car","person""#);
    assert_eq!(seen(f, "reviews", &end), [(Seen::Person, false)]);
    let other = review("new", r#""person""#).replace("yard", "hall");
    assert_eq!(seen(f, "reviews", &other), []);
}

#[test]
fn movement_and_availability() {
    let mut frigate = dialect(LINK);
    let f = frigate.as_mut();
    assert_eq!(seen(f, "hall/motion", "ON"), [(Seen::Motion, true)]);
    assert_eq!(seen(f, "hall/motion", "OFF"), [(Seen::Motion, false)]);
    assert_eq!(seen(f, "attic/motion", "ON"), []);
    let person = event("new", "1-a", "person", 0.9, DOOR, false);
    assert_eq!(seen(f, "events", &person), [(Seen::Person, true)]);
    let lost = said(f, "frigate/available", "offline", live()).unwrap();
    let gone = Camera { seen: Seen::Person, active: false };
    assert_eq!(lost[0], (gone.into(), true));
    let online = |said: &[(Fact, bool)], wanted| {
        said.iter()
            .filter(|(f, _)| matches!(f, Fact::Online(Online { online, .. }) if *online == wanted))
            .count()
    };
    assert_eq!(online(&lost, false), 2);
    assert_eq!(online(&said(f, "frigate/available", "online", live()).unwrap(), true), 2);
    let picture = said(f, "frigate/hall/status/detect", "offline", live()).unwrap();
    assert_eq!(online(&picture, false), 1);
}

#[test]
fn what_was_kept_is_no_event_and_what_is_odd_no_panic() {
    let mut frigate = dialect(LINK);
    let f = frigate.as_mut();
    let person = event("new", "1-a", "person", 0.9, DOOR, false);
    assert_eq!(said(f, "frigate/events", &person, retained()).unwrap(), []);
    for (topic, payload) in [
        ("frigate/events", "{}"),
        ("frigate/events", r#"{"type":"new","after":{"id":1}}"#),
        ("frigate/reviews", "[]"),
        ("frigate/hall/motion", "maybe"),
        ("frigate/available", "7"),
    ] {
        assert!(said(f, topic, payload, live()).is_err(), "{topic} {payload}");
    }
    assert!(f.filters().iter().all(|filter| !filter.contains("snapshot")));
}

proptest! {
    #[test]
    fn the_last_one_gone_ends_it(ids in prop::collection::vec(0u8..6, 1..60)) {
        let mut frigate = dialect(LINK);
        let mut there = std::collections::BTreeSet::new();
        let mut active = false;
        for id in ids {
            let kind = if there.remove(&id) { "end" } else { there.insert(id); "new" };
            let event = event(kind, &id.to_string(), "person", 0.9, DOOR, false);
            if let Some((_, now)) = seen(frigate.as_mut(), "events", &event).last() {
                active = *now;
            }
            prop_assert_eq!(active, !there.is_empty());
        }
    }
}
