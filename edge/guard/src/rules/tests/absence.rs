//! Left home and not back, away until a date, several residents.

use anju_model::Finding;
use anju_model::observation::{Bell, Presence};

use super::NOTHING;
use crate::testing::*;
use crate::{Occupancy, Standing, Why};

fn left(at: &str) -> Life {
    left_from(household(), at)
}

fn left_from(home: anju_model::config::Household, at: &str) -> Life {
    let mut life = Life::begin(home, at);
    life.say("pir", motion());
    life.pass(MINUTE);
    life.say("door", open(true));
    life.say("door", open(false));
    life
}

#[test]
fn a_closed_door_and_no_motion_is_out_and_six_hours_a_warning() {
    let mut life = left("2026-11-24T08:00");
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
    life.pass(16 * MINUTE);
    assert!(matches!(life.guard.home().occupancy, Occupancy::Out { .. }));
    assert_eq!(
        life.until("2026-11-24T21:00"),
        ["14:01 warning left-home", "20:01 alarm left-home"]
    );
    let Finding::Raise(raise) = &life.found[0] else { panic!() };
    assert_eq!(raise.alert_id().as_str(), "b/1/4/left-home/warning");
    // Somebody looks in: the door alone ends nothing.
    assert_eq!(life.say("door", open(true)), NOTHING);
    assert_eq!(life.say("pir", motion()), ["21:00 over left-home"]);
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
}

#[test]
fn motion_after_the_door_means_in() {
    let mut life = left("2026-11-24T08:00");
    life.pass(14 * MINUTE);
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-24T12:16"), ["12:15 warning inactivity"]);
}

#[test]
fn somebody_whom_a_radar_sees_is_not_out() {
    let mut home = household();
    home.devices.push(device("radar"));
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("radar", Presence { present: true });
    life.say("door", open(true));
    life.say("door", open(false));
    life.pass(HOUR);
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
}

#[test]
fn a_leaving_visitor_does_not_take_the_resident_along() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.say("bell", Bell { rung: true });
    life.pass(MINUTE);
    life.say("door", open(true));
    life.say("door", open(false));
    life.say("pir", motion());
    assert_eq!(life.guard.home().occupancy, Occupancy::Visitor);
    life.pass(HOUR);
    life.say("door", open(true));
    life.say("door", open(false));
    life.pass(HOUR);
    assert_eq!(life.guard.home().occupancy, Occupancy::Unsure);
    // The silence goes on being counted.
    assert_eq!(life.until("2026-11-24T13:02"), ["13:01 warning inactivity"]);
}

#[test]
fn where_all_that_sees_movement_is_lost_a_closed_door_tells_nothing() {
    use anju_model::observation::Meter;
    let mut home = household();
    home.devices.push(device("power"));
    let mut life = Life::begin(home, "2026-11-24T08:00");
    let meter = || Meter { power_watts: Some(60.0), ..Meter::default() };
    let lost = ["08:00 fault device-silent pir"];
    life.say("power", meter());
    life.say("pir", motion());
    assert_eq!(life.say("pir", online(false)), lost);
    life.say("door", open(true));
    life.say("door", open(false));
    life.pass(16 * MINUTE);
    assert_eq!(life.guard.home().occupancy, Occupancy::Unsure);
    let rules = life.guard.home().rules;
    let left_home = rules.iter().find(|r| r.rule == anju_model::Rule::LeftHome).unwrap();
    assert_eq!(left_home.standing, Standing::Limited(Why::DevicesLost));
    life.say("power", meter());
    assert_eq!(life.until("2026-11-24T12:01"), ["12:00 warning inactivity"]);
    // Heard again, it tells as before.
    life.say("pir", motion());
    life.say("door", open(true));
    life.say("door", open(false));
    life.pass(16 * MINUTE);
    assert!(matches!(life.guard.home().occupancy, Occupancy::Out { .. }));
    // Lost while nobody is at home: whoever opens the door may have come in.
    life.say("pir", online(false));
    assert!(matches!(life.guard.home().occupancy, Occupancy::Out { .. }));
    life.say("door", open(true));
    life.say("door", open(false));
    life.pass(16 * MINUTE);
    assert_eq!(life.guard.home().occupancy, Occupancy::Unsure);
}

#[test]
fn an_inner_door_leads_nowhere() {
    let mut home = household();
    home.devices.push(device("fridge-door"));
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("fridge-door", open(true));
    life.say("fridge-door", open(false));
    life.pass(HOUR);
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
}

#[test]
fn away_mutes_the_rules_about_presence_until_motion() {
    let mut life = left("2026-11-24T08:00");
    life.pass(HOUR);
    assert_eq!(life.away(Some("2026-11-30T18:00")), NOTHING);
    assert_eq!(life.until("2026-11-26T12:00"), NOTHING);
    assert!(matches!(life.guard.home().occupancy, Occupancy::Away { .. }));
    life.say("pir", motion());
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
    assert_eq!(life.until("2026-11-26T16:01"), ["16:00 warning inactivity"]);
}

#[test]
fn away_takes_up_again_when_the_packing_person_leaves_within_the_hour() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.away(Some("2026-11-30T18:00"));
    life.pass(10 * MINUTE);
    life.say("pir", motion());
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
    life.pass(10 * MINUTE);
    life.say("door", open(true));
    life.say("door", open(false));
    assert_eq!(life.until("2026-11-30T17:00"), NOTHING);
    assert!(matches!(life.guard.home().occupancy, Occupancy::Away { .. }));
}

#[test]
fn from_the_announced_date_on_somebody_is_waited_for() {
    let mut life = left("2026-11-24T08:00");
    life.away(Some("2026-11-26T12:00"));
    assert_eq!(life.until("2026-11-26T17:59"), NOTHING);
    assert_eq!(life.until("2026-11-26T18:01"), ["18:00 warning left-home"]);
    let Finding::Raise(raise) = &life.found[0] else { panic!() };
    assert_eq!(raise.alert_id().as_str(), "b/1/5/left-home/warning");
}

#[test]
fn saying_back_ends_away_and_a_date_in_the_past_begins_none() {
    let mut life = left("2026-11-24T08:00");
    life.away(Some("2026-11-30T12:00"));
    life.pass(HOUR);
    life.away(None);
    assert!(!matches!(life.guard.home().occupancy, Occupancy::Away { .. }));
    life.away(Some("2026-11-20T12:00"));
    assert!(!matches!(life.guard.home().occupancy, Occupancy::Away { .. }));
}

#[test]
fn announcing_an_absence_ends_what_was_told_about_silence() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-24T12:01"), ["12:00 warning inactivity"]);
    assert_eq!(life.away(Some("2026-11-30T12:00")), ["12:01 over inactivity"]);
}

#[test]
fn of_several_residents_a_door_does_not_tell_who_left() {
    let mut home = household();
    home.persons.push(person("li"));
    home.guard.not_up.enabled = false;
    let mut life = left_from(home, "2026-11-24T08:00");
    life.pass(HOUR);
    assert_eq!(life.guard.home().occupancy, Occupancy::Unsure);
    let rules = life.guard.home().rules;
    let of = |name: &str| rules.iter().find(|r| r.rule.as_str() == name).unwrap().standing;
    assert_eq!(of("left-home"), Standing::Off(Why::SeveralPersons));
    assert_eq!(of("inactivity"), Standing::Limited(Why::Together));
    assert_eq!(of("smoke"), Standing::Active);
    // All may be out: the longer figures of "left home", on the silence of all.
    assert_eq!(
        life.until("2026-11-24T20:30"),
        ["14:01 warning inactivity", "19:51 ask inactivity", "20:01 alarm inactivity"]
    );
}

#[test]
fn a_restart_in_the_middle_of_an_absence_changes_nothing() {
    let mut life = left("2026-11-24T08:00");
    life.pass(5 * MINUTE);
    life.restart();
    assert_eq!(life.until("2026-11-24T14:30"), ["14:01 warning left-home"]);
    life.say("smoke", online(true));
    life.restart();
    assert_eq!(life.until("2026-11-24T20:30"), ["20:01 alarm left-home"]);
}

#[test]
fn a_door_that_closed_before_an_outage_settles_only_under_watch() {
    let mut life = left("2026-11-24T08:00");
    life.pass(5 * MINUTE);
    life.say("smoke", online(true));
    life.power_cut("2026-11-24T10:00");
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
    life.until("2026-11-24T10:09");
    assert_eq!(life.guard.home().occupancy, Occupancy::AtHome);
    life.until("2026-11-24T10:12");
    assert!(matches!(life.guard.home().occupancy, Occupancy::Out { .. }));
}
