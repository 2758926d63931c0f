//! Nights, the bathroom, the bed, the door: rules about habits, and their trial.

use std::time::Duration;

use anju_model::config::Household;
use anju_model::observation::{Bed, Bell, Camera, Lock, Presence, Seen};
use anju_model::{Clock, Fact};

use super::NOTHING;
use crate::testing::*;
use crate::{Standing, Why};

/// All live at once; other rules about silence are off.
fn home(devices: &[&str]) -> Household {
    let mut home = household();
    home.devices.extend(devices.iter().map(|id| device(id)));
    let guard = &mut home.guard;
    guard.inactivity.enabled = false;
    guard.not_up.enabled = false;
    guard.left_home.enabled = false;
    guard.test_press.enabled = false;
    for trial in [
        &mut guard.door_at_night.trial,
        &mut guard.bathroom_stay.trial,
        &mut guard.out_of_bed.trial,
        &mut guard.strangers.trial,
    ] {
        *trial = Duration::ZERO;
    }
    home
}

fn bed(occupied: bool) -> Fact {
    Bed { occupied }.into()
}

fn present(present: bool) -> Fact {
    Presence { present }.into()
}

#[test]
fn a_door_at_night_is_a_warning_and_for_who_wanders_an_alarm() {
    for (time, wanders, found) in [
        ("22:59", false, &[][..]),
        ("23:00", false, &["warning door-at-night door"][..]),
        ("04:59", true, &["alarm door-at-night door"][..]),
        ("05:00", true, &[][..]),
    ] {
        let mut home = home(&[]);
        if wanders {
            home.persons[0].risks.push("wandering".into());
        }
        let mut life = Life::begin(home, &format!("2026-11-24T{time}"));
        life.say("pir", motion());
        let expected: Vec<String> = found.iter().map(|found| format!("{time} {found}")).collect();
        assert_eq!(life.say("door", open(true)), expected, "{time}");
        assert_eq!(life.say("pir", motion()), NOTHING, "the door is still open");
        life.say("door", open(false));
        let over = life.say("pir", motion());
        assert_eq!(over.len(), found.len(), "{over:?}");
    }
}

#[test]
fn who_comes_home_late_and_whose_clock_is_unknown_opens_no_door_at_night() {
    let mut life = Life::begin(home(&[]), "2026-11-24T20:00");
    life.say("pir", motion());
    life.say("door", open(true));
    life.say("door", open(false));
    life.until("2026-11-24T23:30");
    assert_eq!(life.say("door", open(true)), NOTHING);
    let mut life = Life::begin(home(&[]), "2026-11-24T23:30");
    life.clock = Clock::Unknown;
    life.say("pir", motion());
    assert_eq!(life.say("door", open(true)), NOTHING);
    // An opening that was known at start, or made as a test, is none.
    let mut life = Life::begin(home(&[]), "2026-11-24T23:30");
    assert_eq!(life.baseline("door", open(true)), NOTHING);
    assert_eq!(life.test("door", open(false)), NOTHING);
    assert_eq!(life.test("door", open(true)), NOTHING);
}

#[test]
fn nobody_seen_to_come_out_of_the_bathroom() {
    let mut life = Life::begin(home(&["bath-pir"]), "2026-11-24T08:00");
    life.say("pir", motion());
    life.say("bath-pir", motion());
    life.pass(30 * MINUTE);
    // Moving in there is staying there.
    life.say("bath-pir", motion());
    assert_eq!(
        life.until("2026-11-24T13:00"),
        ["09:00 warning bathroom-stay bath-pir", "12:00 alarm bathroom-stay bath-pir"]
    );
    assert_eq!(life.say("pir", motion()), ["13:00 over bathroom-stay bath-pir"]);
    assert_eq!(life.until("2026-11-24T20:00"), NOTHING);
}

#[test]
fn a_bathroom_without_another_detector_is_not_judged() {
    let mut home = home(&["bath-pir"]);
    home.devices.retain(|d| d.id.as_str() != "pir");
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("bath-pir", motion());
    assert_eq!(life.until("2026-11-24T20:00"), NOTHING);
}

#[test]
fn of_several_only_a_radar_in_the_bathroom_is_believed() {
    let mut two = home(&["bath-pir", "bath-radar"]);
    two.persons.push(person("li"));
    let mut life = Life::begin(two, "2026-11-24T08:00");
    life.say("bath-pir", motion());
    assert_eq!(life.until("2026-11-24T10:00"), NOTHING);
    life.say("bath-radar", present(true));
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-24T11:01"), ["11:00 warning bathroom-stay bath-radar"]);
    assert_eq!(life.say("bath-radar", present(false)), ["11:01 over bathroom-stay bath-radar"]);
}

#[test]
fn out_of_bed_and_not_back() {
    let mut life = Life::begin(home(&["bed"]), "2026-11-24T22:00");
    life.say("bed", bed(true));
    life.until("2026-11-25T02:00");
    life.say("bed", bed(false));
    life.until("2026-11-25T02:20");
    life.say("pir", motion());
    assert_eq!(
        life.until("2026-11-25T04:00"),
        ["02:30 warning out-of-bed bed", "03:20 alarm out-of-bed bed"]
    );
    assert_eq!(life.say("bed", bed(true)), ["04:00 over out-of-bed bed"]);
    // Back in time.
    life.say("bed", bed(false));
    life.pass(20 * MINUTE);
    life.say("bed", bed(true));
    // Up for the day, and moving about.
    life.until("2026-11-25T05:45");
    life.say("bed", bed(false));
    for minute in [15, 45, 59] {
        life.until(&format!("2026-11-25T06:{minute}"));
        life.say("pir", motion());
    }
    assert_eq!(life.until("2026-11-25T07:30"), NOTHING);
}

#[test]
fn an_empty_bed_by_day_or_known_at_start_is_nothing() {
    let mut life = Life::begin(home(&["bed"]), "2026-11-24T12:00");
    life.say("bed", bed(true));
    life.say("bed", bed(false));
    life.until("2026-11-24T23:00");
    life.baseline("bed", bed(true));
    life.baseline("bed", bed(false));
    life.test("bed", bed(true));
    life.test("bed", bed(false));
    assert_eq!(life.until("2026-11-25T05:00"), NOTHING);
}

#[test]
fn a_rule_on_trial_records_until_the_homes_own_two_weeks() {
    let mut home = home(&[]);
    home.guard.door_at_night.trial = 14 * 24 * HOUR;
    let mut life = Life::begin(home, "2026-11-01T23:30");
    life.say("pir", motion());
    assert_eq!(life.say("door", open(true)), ["23:30 warning door-at-night door shadow"]);
    let standing = |life: &Life| {
        let rules = life.guard.home().rules;
        rules.iter().find(|r| r.rule.as_str() == "door-at-night").unwrap().standing
    };
    assert_eq!(standing(&life), Standing::Limited(Why::Shadow));
    // What was lived is not forgotten when only the newest entries are read back.
    life.until("2026-11-14T23:00");
    life.record_life();
    life.restart_with_the_last(1);
    life.say("door", open(false));
    life.say("pir", motion());
    life.until("2026-11-15T23:29");
    assert_eq!(life.say("door", open(true)), ["23:29 warning door-at-night door shadow"]);
    life.say("door", open(false));
    life.say("pir", motion());
    life.until("2026-11-15T23:50");
    assert_eq!(life.say("door", open(true)), ["23:50 warning door-at-night door"]);
    assert_eq!(standing(&life), Standing::Active);
    // Time without the box is not lived.
    let mut home = household();
    home.guard.left_home.enabled = false;
    let mut life = Life::begin(home, "2026-11-01T12:00");
    life.power_cut("2026-12-01T23:30");
    life.say("pir", motion());
    assert_eq!(life.say("door", open(true)), ["23:30 warning door-at-night door shadow"]);
}

#[test]
fn who_rings_again_and_again_and_is_not_let_in() {
    let ring = || Bell { rung: true };
    let mut life = Life::begin(home(&[]), "2026-11-24T09:00");
    life.say("bell", ring());
    life.pass(MINUTE);
    life.say("bell", ring());
    life.until("2026-11-24T10:00");
    life.say("bell", ring());
    life.until("2026-11-24T11:00");
    // Let in: no stranger.
    life.say("bell", ring());
    life.pass(MINUTE);
    life.say("door", open(true));
    assert_eq!(life.until("2026-11-24T15:00"), NOTHING);
    life.say("bell", ring());
    assert_eq!(life.until("2026-11-24T15:10"), ["15:05 warning strangers bell"]);
    life.say("bell", ring());
    assert_eq!(life.until("2026-11-25T15:20"), NOTHING);
}

#[test]
fn a_lock_forced_or_tried() {
    let mut life = Life::begin(home(&["lock"]), "2026-11-24T09:00");
    let tries = |n| Lock { wrong_tries: Some(n), ..Lock::default() };
    assert_eq!(life.say("lock", tries(2)), NOTHING);
    assert_eq!(life.say("lock", tries(3)), ["09:00 warning lock-tries lock"]);
    assert_eq!(life.say("lock", tries(3)), NOTHING);
    assert_eq!(life.say("lock", tries(4)), ["09:00 warning lock-tries lock"]);
    let opened = Lock { locked: Some(false), by: Some("wang".into()), ..Lock::default() };
    assert_eq!(life.say("lock", opened), ["09:00 over lock-tries lock"]);
    let forced = |forced| Lock { forced: Some(forced), ..Lock::default() };
    assert_eq!(life.say("lock", forced(true)), ["09:00 alarm lock-forced lock"]);
    assert_eq!(life.say("lock", forced(true)), NOTHING);
    assert_eq!(life.say("lock", forced(false)), ["09:00 over lock-forced lock"]);
}

#[test]
fn a_camera_tells_of_persons_at_night_only_where_it_was_asked_to() {
    let person = |active| Camera { seen: Seen::Person, active };
    let mut life = Life::begin(home(&[]), "2026-11-24T23:30");
    assert_eq!(life.say("camera", person(true)), NOTHING);
    let mut asked = home(&[]);
    asked.guard.person_at_night.enabled = true;
    let mut life = Life::begin(asked, "2026-11-24T22:30");
    assert_eq!(life.say("camera", person(true)), NOTHING);
    life.until("2026-11-24T23:30");
    assert_eq!(life.say("camera", person(true)), ["23:30 warning person-at-night camera"]);
    assert_eq!(life.say("camera", person(true)), NOTHING);
    assert_eq!(life.say("camera", person(false)), ["23:30 over person-at-night camera"]);
}
