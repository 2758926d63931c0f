//! A locator that leaves home, and a wish to talk.

use anju_model::Fact;
use anju_model::config::Household;
use anju_model::observation::{Call, CallState, Location, Presence};

use super::NOTHING;
use crate::testing::*;
use crate::{Occupancy, Standing};

fn home(wanders: bool) -> Household {
    let mut home = household();
    home.devices.retain(|d| ["sos", "pir"].contains(&d.id.as_str()));
    home.devices.extend([device("phone"), device("talk"), device("badge")]);
    home.guard.not_up.enabled = false;
    home.guard.test_press.enabled = false;
    if wanders {
        home.persons[0].risks.push("wandering".into());
    }
    home
}

fn zone(zone: &str, entered: bool) -> Fact {
    Location { zone: Some(zone.into()), entered: Some(entered), ..Location::default() }.into()
}

fn call(state: CallState) -> Fact {
    Call { state }.into()
}

#[test]
fn who_may_lose_the_way_and_leaves_home_is_an_alarm_at_once_at_any_hour() {
    for time in ["02:00", "14:00"] {
        let mut life = Life::begin(home(true), &format!("2026-11-24T{time}"));
        life.baseline("phone", zone("home", true));
        life.say("pir", motion());
        assert_eq!(life.say("phone", zone("park", false)), NOTHING);
        let found = life.say("phone", zone("home", false));
        assert_eq!(found, [format!("{time} alarm wandering phone")]);
        assert_eq!(life.say("phone", zone("home", false)), NOTHING, "told again");
        let back = life.say("phone", zone("home", true));
        assert_eq!(back, [format!("{time} over wandering phone")]);
        assert_eq!(life.say("phone", zone("home", false)).len(), 1, "once more");
    }
}

#[test]
fn nobody_is_told_who_has_no_such_risk_or_went_with_somebody_or_is_only_out_of_range() {
    let mut life = Life::begin(home(false), "2026-11-24T14:00");
    life.say("pir", motion());
    assert_eq!(life.say("phone", zone("home", false)), NOTHING);
    let mut life = Life::begin(home(true), "2026-11-24T14:00");
    life.say("badge", Presence { present: true });
    assert_eq!(life.say("badge", Presence { present: false }), NOTHING);
    assert_eq!(life.say("badge", online(false)), ["14:00 fault device-silent badge"]);
    assert_eq!(life.test("phone", zone("home", false)), NOTHING);
    life.away(Some("2026-11-24T18:00"));
    assert_eq!(life.say("phone", zone("home", false)), NOTHING);
}

#[test]
fn of_two_persons_it_is_who_carries_the_locator() {
    for (carried_by, found) in [(Some("wang"), 1), (Some("li"), 0), (None, 1)] {
        let mut home = home(true);
        home.persons.push(person("li"));
        let mut life = Life::begin(home, "2026-11-24T14:00");
        let mut origin = origin("phone");
        origin.person = carried_by.map(|id| anju_model::PersonId::new(id).unwrap());
        let said = anju_model::Observation::new(origin, zone("home", false));
        let lines = life.record(anju_model::Body::Observation(said));
        assert_eq!(lines.len(), found, "{carried_by:?}: {lines:?}");
    }
}

#[test]
fn who_left_while_the_box_was_off_is_found_at_its_start() {
    let mut life = Life::begin(home(true), "2026-11-24T14:00");
    assert_eq!(life.baseline("phone", zone("home", false)), NOTHING, "nothing is known before");
    life.say("phone", zone("home", true));
    life.restart();
    let found = life.baseline("phone", zone("home", false));
    assert_eq!(found, ["14:00 alarm wandering phone"]);
    life.restart();
    assert_eq!(life.baseline("phone", zone("home", false)), NOTHING);
}

/// No door sensor: else the silence of an empty home is an alarm while she is at the market.
#[test]
fn a_home_left_with_the_locator_is_not_judged_for_silence_but_for_not_coming_back() {
    let mut life = Life::begin(home(false), "2026-11-24T08:00");
    life.say("pir", motion());
    life.say("phone", zone("home", false));
    assert!(matches!(life.guard.home().occupancy, Occupancy::Out { .. }));
    let standing = life.guard.home().rules;
    let left = standing.iter().find(|r| r.rule == anju_model::Rule::LeftHome).unwrap();
    assert_eq!(left.standing, Standing::Active);
    assert_eq!(life.until("2026-11-24T13:59"), NOTHING);
    assert_eq!(life.until("2026-11-24T14:01"), ["14:00 warning left-home"]);
    assert_eq!(life.say("phone", zone("home", true)), ["14:01 over left-home"]);
    // From now on silence counts again.
    assert_eq!(life.until("2026-11-24T18:02"), ["18:01 warning inactivity"]);
}

#[test]
fn who_comes_home_early_ends_an_absence_and_a_bed_in_use_says_that_somebody_else_has_it() {
    let mut life = Life::begin(home(false), "2026-11-24T08:00");
    life.say("pir", motion());
    life.away(Some("2026-11-24T20:00"));
    life.say("phone", zone("home", false));
    assert!(life.guard.is_away());
    life.until("2026-11-24T12:00");
    life.say("phone", zone("home", true));
    assert!(!life.guard.is_away());
    let mut home = home(false);
    home.devices.push(device("bed"));
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("bed", anju_model::observation::Bed { occupied: true });
    life.say("phone", zone("home", false));
    assert!(!matches!(life.guard.home().occupancy, Occupancy::Out { .. }));
}

#[test]
fn a_wish_to_talk_is_a_request_until_it_is_answered_or_taken_back() {
    for end in [CallState::Answered, CallState::Cancelled] {
        let mut life = Life::begin(home(false), "2026-11-24T14:00");
        assert_eq!(life.baseline("talk", call(CallState::Asked)), NOTHING);
        let asked = "14:00 request call talk";
        assert_eq!(life.say("talk", call(CallState::Asked)), [asked]);
        assert_eq!(life.say("talk", call(CallState::Asked)), [asked], "each press");
        assert_eq!(life.test("talk", call(end)), NOTHING);
        assert_eq!(life.say("talk", call(end)), ["14:00 over call talk"]);
        assert_eq!(life.test("talk", call(CallState::Asked)), ["14:00 request call talk test"]);
    }
}
