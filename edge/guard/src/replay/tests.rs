use super::*;
use crate::testing::*;
use anju_model::DeviceKind;
use anju_model::observation::{Help, Smoke};

#[test]
fn a_replay_finds_the_recorded_alerts_and_says_what_differs() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.say("sos", Help::pressed());
    life.record_alerts(0);
    life.say("sos", Help::pressed());
    let before = life.found.len();
    life.until("2026-11-24T12:30");
    life.record_alerts(before);
    let replayed = replay(life.entries.clone(), life.guard.household.clone());
    let ids: Vec<_> = replayed.found.iter().map(|a| a.alert.to_string()).collect();
    assert_eq!(ids, ["b/1/3", "b/1/5/inactivity/warning"]);
    assert_eq!(replayed.found[0].repeats, 1);
    assert_eq!(replayed.recorded[1].since, replayed.found[1].since);
    assert_eq!(replayed.only_found().count() + replayed.only_recorded().count(), 0);

    let mut slower = household();
    slower.guard.inactivity.warn_after = 6 * HOUR;
    let replayed = replay(life.entries.clone(), Arc::new(slower));
    assert_eq!(replayed.only_recorded().count(), 1);
    assert_eq!(replayed.only_found().count(), 0);
}

#[test]
fn after_a_human_closed_an_alert_the_next_finding_opens_another() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("sos", Help::pressed());
    life.record_alerts(0);
    let Body::Alert(change) = life.entries.last().unwrap().body.clone() else { panic!() };
    assert_eq!(change.subject.kind, Some(DeviceKind::FixedAlarm));
    let step = AlertStep::Closed { by: "op".into(), outcome: None, note: String::new() };
    life.record(Body::Alert(AlertChange { step, ..change }));
    life.say("sos", Help::pressed());
    life.test("smoke", Smoke { alarm: true, self_test: false });
    life.say("smoke", Smoke { alarm: true, self_test: false });
    let replayed = replay(life.entries.clone(), life.guard.household.clone());
    assert_eq!(replayed.found.len(), 4, "a test and a real alarm of one device are two");
}

#[test]
fn the_box_s_own_parts_are_replayed_like_the_home() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    let mut faults = Faults::default();
    // As the box does: what follows from an entry is found after the guard judged it.
    let mut tell = |life: &mut Life, part: &str, active: bool| {
        let event = BoxEvent::Fault { part: part.into(), active, reason: String::new() };
        life.record(Body::Box(event.clone()));
        let before = life.found.len();
        life.found.extend(faults.take(&life.entries.last().unwrap().id, &event));
        life.record_alerts(before);
    };
    tell(&mut life, "channel:speaker", true);
    tell(&mut life, "configuration", true);
    tell(&mut life, "page", true);
    life.say("sos", Help::pressed());
    let help = life.found.len() - 1;
    life.record_alerts(help);
    tell(&mut life, "channel:speaker", false);
    tell(&mut life, "channel:speaker", true);
    let replayed = replay(life.entries.clone(), life.guard.household.clone());
    let rules: Vec<_> = replayed.found.iter().map(|a| a.rule.as_str()).collect();
    assert_eq!(rules, ["channel", "configuration", "trouble", "help", "channel"]);
    assert_eq!(replayed.only_found().count() + replayed.only_recorded().count(), 0);
}
