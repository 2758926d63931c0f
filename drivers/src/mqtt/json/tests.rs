use anju_model::Fact;
use anju_model::observation::{
    Bed, Fall, FallState, Help, HelpState, Location, Medication, MedicationState, Online, Vital,
};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::mqtt::dialect::{Dialect, Heard};
use crate::mqtt::testing::{dialect, live, retained, said};

const LINK: &str = r#"
[[zone]]
id = "home"
latitude = 30.19
longitude = 120.19
[links.json]
kind = "mqtt"
url = "mqtt://127.0.0.1"
dialect = "json"
base_topic = "devices"

[[device]]
id = "mattress"
kind = "mattress"
link = "json"
topic = "bed/1"
[[device.map]]
field = "bed.occupied"
pointer = "/bed"
values = { in = true, out = false, 1 = true, 0 = false }
[[device.map]]
field = "vital.heart_beats_per_minute"
pointer = "/vitals/0"
min = 20
max = 250
[[device.map]]
field = "vital.breaths_per_minute"
pointer = "/vitals/1"
scale = 0.1
min = 3
[[device.map]]
field = "online.online"
topic = "bed/1/status"
values = { online = true, offline = false }

[[device]]
id = "cane"
kind = "smart-cane"
link = "json"
topic = "cane"
[[device.map]]
field = "help.state"
pointer = "/event"
values = { sos = "pressed", cancel = "cancelled" }
[[device.map]]
field = "fall.state"
pointer = "/event"
values = { fall = "suspected", up = "over" }
[[device.map]]
field = "battery.percent"
pointer = "/volt"
scale = 100
offset = -250
min = 0
max = 100
[[device.map]]
field = "location.latitude_degrees"
pointer = "/lat"
[[device.map]]
field = "location.longitude_degrees"
pointer = "/lon"

[[device]]
id = "wheelchair"
kind = "smart-wheelchair"
link = "json"
topic = "chair"
[[device.map]]
field = "help.state"
pointer = "/sos"
values = { true = "pressed" }
when = "change"

[[device]]
id = "pendant"
kind = "portable-alarm"
link = "json"
topic = "pendant"
[[device.map]]
field = "help.state"
pointer = "/presses"
set = "pressed"
when = "change"

[[device]]
id = "button"
kind = "fixed-alarm"
link = "json"
topic = "button"
[[device.map]]
field = "help.state"
pointer = "/key"
set = "pressed"

[[device]]
id = "pills"
kind = "pill-box"
link = "json"
topic = "pills/opened"
[[device.map]]
field = "medication.state"
set = "opened"
"#;

fn hear(j: &mut dyn Dialect, topic: &str, payload: &str, heard: Heard) -> Vec<(Fact, bool)> {
    said(j, &format!("devices/{topic}"), payload, heard).unwrap()
}

fn facts(j: &mut dyn Dialect, topic: &str, payload: &str) -> Vec<Fact> {
    hear(j, topic, payload, live()).into_iter().map(|(fact, _)| fact).collect()
}

#[test]
fn a_mattress() {
    let mut json = dialect(LINK);
    let j = json.as_mut();
    let night = r#"{"bed":"in","vitals":[61,"142"]}"#;
    let vital = |heart, breaths| {
        let (heart_beats_per_minute, breaths_per_minute) = (heart, breaths);
        Fact::from(Vital { heart_beats_per_minute, breaths_per_minute, ..Vital::default() })
    };
    let breaths = 142.0 * 0.1;
    assert_eq!(
        facts(j, "bed/1", night),
        [Bed { occupied: true }.into(), vital(Some(61.0), Some(breaths))]
    );
    // Nobody in it: no heart is no heart beat of 0, and an unknown word is nothing.
    assert_eq!(facts(j, "bed/1", r#"{"bed":0,"vitals":[0,0]}"#), [Bed { occupied: false }.into()]);
    assert_eq!(facts(j, "bed/1", r#"{"bed":"?","vitals":null}"#), []);
    let known = hear(j, "bed/1", r#"{"bed":"in"}"#, retained());
    assert_eq!(known, [(Bed { occupied: true }.into(), true)]);
}

#[test]
fn whether_it_runs_may_be_a_bare_word() {
    let mut json = dialect(LINK);
    let j = json.as_mut();
    let lost = facts(j, "bed/1/status", "offline");
    assert!(matches!(&lost[..], [Fact::Online(Online { online: false, .. })]));
    let back = hear(j, "bed/1/status", "online", live());
    assert!(matches!(&back[..], [(Fact::Online(Online { online: true, .. }), true)]));
    assert_eq!(facts(j, "bed/1/status", "odd"), []);
    assert!(said(j, "devices/bed/1", "offline", live()).is_err());
}

#[test]
fn a_cane_calls_falls_and_walks() {
    let mut json = dialect(LINK);
    let j = json.as_mut();
    let sos = r#"{"event":"sos","volt":3.1}"#;
    let said = facts(j, "cane", sos);
    assert_eq!(said[0], Help::pressed().into());
    assert!(matches!(&said[1], Fact::Battery(b) if (b.percent.unwrap() - 60.0).abs() < 1e-9));
    assert_eq!(facts(j, "cane", sos), [Help::pressed().into()]);
    assert_eq!(hear(j, "cane", r#"{"event":"sos"}"#, retained()), []);
    let cancelled = Fact::from(Help { state: HelpState::Cancelled, ..Help::pressed() });
    assert_eq!(facts(j, "cane", r#"{"event":"cancel"}"#), [cancelled]);
    let fall = Fact::from(Fall { state: FallState::Suspected });
    assert_eq!(facts(j, "cane", r#"{"event":"fall"}"#), [fall]);
    facts(j, "cane", r#"{"lat":30.19,"lon":120.19}"#);
    let away = facts(j, "cane", r#"{"lat":30.29,"lon":120.19}"#);
    assert!(
        away.iter().any(|fact| matches!(fact,
        Fact::Location(Location { zone: Some(zone), entered: Some(false), .. }) if zone == "home"))
    );
}

#[test]
fn a_flag_that_stays_is_one_call_and_a_topic_may_be_all() {
    let mut json = dialect(LINK);
    let j = json.as_mut();
    let mut calls = |payload: &str| facts(j, "chair", payload).contains(&Help::pressed().into());
    assert!(calls(r#"{"sos":true,"n":1}"#));
    assert!(!calls(r#"{"sos":true,"n":2}"#));
    assert!(!calls(r#"{"sos":false}"#));
    assert!(calls(r#"{"sos":true}"#));
    let opened = Fact::from(Medication { state: MedicationState::Opened });
    assert_eq!(facts(json.as_mut(), "pills/opened", "{}"), [opened]);
}

#[test]
fn a_message_without_the_value_is_no_call_and_no_change() {
    let mut json = dialect(LINK);
    let calls = |json: &mut dyn Dialect, topic: &str, payloads: &[&str]| {
        let call = Fact::from(Help::pressed());
        let mut called = |payload: &&str| facts(json, topic, payload).contains(&call);
        payloads.iter().map(&mut called).collect::<Vec<_>>()
    };
    let j = json.as_mut();
    let (volt, seventeen) = (r#"{"volt":3.1}"#, r#"{"presses":17}"#);
    let said = [volt, seventeen, volt, seventeen, r#"{"presses":null}"#, seventeen];
    assert_eq!(calls(j, "pendant", &said), [false, true, false, false, false, false]);
    assert_eq!(calls(j, "pendant", &[r#"{"presses":18}"#]), [true]);
    let (sos, volt) = (r#"{"sos":true}"#, r#"{"volt":3}"#);
    assert_eq!(calls(j, "chair", &[sos, volt, sos]), [true, false, false]);
    assert_eq!(calls(j, "chair", &[r#"{"sos":false}"#, volt, sos]), [false, false, true]);
    // Nor does a fixed value stand for a place that a message lacks.
    assert_eq!(calls(j, "button", &[volt, r#"{"key":2}"#, "[]"]), [false, true, false]);
}

#[test]
fn a_new_connection_makes_no_call_of_a_flag_that_stays() {
    let mut json = dialect(LINK);
    let j = json.as_mut();
    let call = Fact::from(Help::pressed());
    assert!(facts(j, "chair", r#"{"sos":true}"#).contains(&call));
    j.connected(Instant::now());
    assert_eq!(hear(j, "chair", r#"{"sos":true}"#, retained()), []);
    assert!(!facts(j, "chair", r#"{"sos":true}"#).contains(&call));
    // Who leaves the circle while the broker is away has left it.
    facts(j, "cane", r#"{"lat":30.19,"lon":120.19}"#);
    j.connected(Instant::now());
    let away = hear(j, "cane", r#"{"lat":30.29,"lon":120.19}"#, live());
    let left = |(fact, baseline): &(Fact, bool)| {
        matches!(fact, Fact::Location(Location { entered: Some(false), .. })) && !baseline
    };
    assert!(away.iter().any(left), "{away:?}");
}

#[test]
fn only_the_topics_of_rows_are_listened_to() {
    let json = dialect(LINK);
    let topics = ["bed/1", "bed/1/status", "button", "cane", "chair", "pendant", "pills/opened"];
    assert_eq!(json.filters(), topics.map(|topic| format!("devices/{topic}")));
}

proptest! {
    #[test]
    fn no_document_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut json = dialect(LINK);
        for topic in ["bed/1", "bed/1/status", "cane", "chair", "pills/opened"] {
            let _ = json.understand(&format!("devices/{topic}"), &bytes, live());
        }
    }

    #[test]
    fn a_reading_is_in_its_range_or_absent(heart in any::<f64>()) {
        let mut json = dialect(LINK);
        let payload = serde_json::json!({"vitals": [heart]}).to_string();
        for fact in facts(json.as_mut(), "bed/1", &payload) {
            if let Fact::Vital(vital) = fact {
                let beats = vital.heart_beats_per_minute.unwrap();
                prop_assert!((20.0..=250.0).contains(&beats));
            }
        }
    }
}
