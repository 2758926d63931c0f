//! Vital signs, medication, the climate of rooms.

use anju_model::config::Household;
use anju_model::observation::{Climate, Contact, Medication, MedicationState, Vital};

use super::NOTHING;
use crate::testing::*;

fn home(devices: &[&str]) -> Household {
    let mut home = household();
    home.devices.extend(devices.iter().map(|id| device(id)));
    home.guard.inactivity.enabled = false;
    home.guard.not_up.enabled = false;
    home.guard.test_press.enabled = false;
    home
}

fn oxygen(percent: f64) -> Vital {
    Vital { spo2_percent: Some(percent), ..Vital::default() }
}

#[test]
fn a_second_reading_confirms_and_one_in_range_ends_the_suspicion() {
    let mut life = Life::begin(home(&["oximeter"]), "2026-11-24T09:00");
    assert_eq!(life.say("oximeter", oxygen(88.0)), NOTHING);
    life.pass(MINUTE);
    assert_eq!(life.say("oximeter", oxygen(88.0)), NOTHING, "it has not lasted yet");
    assert_eq!(life.say("oximeter", oxygen(95.0)), NOTHING);
    life.pass(2 * MINUTE);
    assert_eq!(life.say("oximeter", oxygen(91.0)), NOTHING);
    life.pass(2 * MINUTE);
    assert_eq!(life.say("oximeter", oxygen(91.0)), ["09:05 warning vital oximeter"]);
    life.pass(MINUTE);
    assert_eq!(life.say("oximeter", oxygen(90.0)), NOTHING);
    assert_eq!(life.say("oximeter", oxygen(93.0)), ["09:06 over vital oximeter"]);
}

#[test]
fn no_finger_no_watch_and_no_reading_are_no_body() {
    let mut life = Life::begin(home(&["oximeter", "watch"]), "2026-11-24T09:00");
    let odd = [
        oxygen(0.0),
        oxygen(f64::NAN),
        oxygen(-5.0),
        Vital { worn: Some(false), heart_beats_per_minute: Some(20.0), ..Vital::default() },
        Vital { heart_beats_per_minute: Some(0.0), ..Vital::default() },
        Vital::default(),
    ];
    for _ in 0..5 {
        for reading in &odd {
            assert_eq!(life.say("watch", reading.clone()), NOTHING);
        }
        life.pass(5 * MINUTE);
    }
    // Taken off in between: the readings do not confirm each other.
    let slow = Vital { heart_beats_per_minute: Some(30.0), ..Vital::default() };
    life.say("watch", slow.clone());
    life.pass(5 * MINUTE);
    life.say("watch", Vital { worn: Some(false), ..Vital::default() });
    assert_eq!(life.say("watch", slow), NOTHING);
}

#[test]
fn a_person_may_have_a_range_of_their_own_and_days_apart_confirm_nothing() {
    let mut own = home(&["oximeter", "cuff"]);
    own.persons[0].vital.spo2_low = Some(86);
    let mut life = Life::begin(own, "2026-11-24T09:00");
    let high = || Vital { systolic_mmhg: Some(185.0), ..Vital::default() };
    for _ in 0..3 {
        life.say("oximeter", oxygen(87.0));
        life.pass(5 * MINUTE);
    }
    assert_eq!(life.say("cuff", high()), NOTHING);
    life.pass(24 * HOUR);
    assert_eq!(life.say("cuff", high()), NOTHING);
    life.pass(5 * MINUTE);
    assert_eq!(life.say("cuff", high()), ["09:20 warning vital cuff"]);
}

#[test]
fn breathing_that_stopped_twice_is_an_alarm() {
    let mut life = Life::begin(home(&["bed"]), "2026-11-24T02:00");
    let apnoea = |stopped| Vital { apnoea: Some(stopped), ..Vital::default() };
    assert_eq!(life.say("bed", apnoea(true)), NOTHING);
    life.pass(std::time::Duration::from_secs(15));
    assert_eq!(life.say("bed", apnoea(true)), ["02:00 alarm vital bed"]);
    assert_eq!(life.say("bed", apnoea(false)), ["02:00 over vital bed"]);
}

fn celsius(celsius: f64) -> Climate {
    Climate { celsius: Some(celsius), ..Climate::default() }
}

#[test]
fn a_room_that_stays_hot_is_a_warning_and_hotter_an_alarm() {
    let mut life = Life::begin(home(&["thermo"]), "2026-07-24T12:00");
    let mut found = Vec::new();
    for degrees in [33.0, 33.0, 36.0, 36.0, 34.5, 31.5, 30.9] {
        found.extend(life.say("thermo", celsius(degrees)));
        life.pass(HOUR);
    }
    assert_eq!(
        found,
        ["13:00 warning heat thermo", "15:00 alarm heat thermo", "18:00 over heat thermo"]
    );
}

#[test]
fn cold_counts_in_rooms_only_and_only_while_it_is_read() {
    let mut life = Life::begin(home(&["thermo", "balcony"]), "2026-01-24T00:00");
    let mut found = Vec::new();
    for _ in 0..4 {
        found.extend(life.say("balcony", celsius(-5.0)));
        found.extend(life.say("thermo", celsius(85.0)));
        life.pass(HOUR);
    }
    assert_eq!(found, NOTHING);
    // Two readings half a day apart are not half a day of cold.
    life.say("thermo", celsius(11.0));
    life.pass(12 * HOUR);
    assert_eq!(life.say("thermo", celsius(11.0)), NOTHING);
    life.pass(HOUR);
    assert_eq!(life.say("thermo", celsius(11.0)), ["17:00 warning cold thermo"]);
}

fn with_doses() -> Household {
    let mut home = home(&["pills"]);
    let at = |hour| anju_model::config::TimeOfDay::constant(hour, 0, 0, 0);
    home.guard.medication.times = vec![at(8), at(20)];
    home
}

#[test]
fn a_dose_that_was_not_taken_in_its_time() {
    let mut life = Life::begin(with_doses(), "2026-11-24T06:00");
    life.until("2026-11-24T07:10");
    life.say("pills", Contact { open: true });
    assert_eq!(life.until("2026-11-24T20:59"), NOTHING);
    assert_eq!(life.until("2026-11-25T06:00"), ["21:00 warning medication pills"]);
    let taken = Medication { state: MedicationState::Taken };
    assert_eq!(life.say("pills", taken), ["06:00 over medication pills"]);
    // Too early for the dose at eight.
    assert_eq!(life.until("2026-11-25T09:01"), ["09:00 warning medication pills"]);
    life.say("smoke", online(true));
    life.restart();
    assert_eq!(life.until("2026-11-25T20:00"), NOTHING, "told once over a restart");
}

#[test]
fn one_opening_is_one_dose() {
    // Opened at these times; which doses, of those at 08:00 and 09:00, were missed.
    for (opened, missed) in [
        (&["08:02"][..], &["10:00"][..]),
        (&["08:02", "08:05"], &["10:00"]),
        (&["08:02", "08:58"], &[]),
        (&["08:31", "09:00"], &[]),
        (&["07:30", "08:10"], &[]),
        (&["07:00", "10:00"], &[]),
        (&[], &["09:00", "10:00"]),
    ] {
        let mut home = home(&["pills"]);
        let at = |hour| anju_model::config::TimeOfDay::constant(hour, 0, 0, 0);
        home.guard.medication.times = vec![at(8), at(9)];
        let mut life = Life::begin(home, "2026-11-24T06:00");
        let mut found = Vec::new();
        for time in opened {
            found.extend(life.until(&format!("2026-11-24T{time}")));
            life.say("pills", Contact { open: true });
        }
        found.extend(life.until("2026-11-24T12:00"));
        let due: Vec<String> =
            missed.iter().map(|at| format!("{at} warning medication pills")).collect();
        assert_eq!(found, due, "{opened:?}");
    }
}

#[test]
fn a_partners_box_is_not_hers_and_the_two_boxes_of_one_person_count_together() {
    for (persons, owners, missed) in [
        (&["wang"][..], [None, None], &[][..]),
        (&["wang", "li"], [None, None], &["21:00 warning medication pills"]),
        (&["wang", "li"], [Some("wang"), Some("li")], &["21:00 warning medication pills"]),
        (&["wang", "li"], [Some("wang"), Some("wang")], &[]),
    ] {
        let mut home = with_doses();
        home.persons = persons.iter().map(|id| person(id)).collect();
        let mut second = device("pills");
        second.id = anju_model::DeviceId::new("his-pills").unwrap();
        home.devices.push(second);
        let person = |id| anju_model::PersonId::new(id).unwrap();
        let boxes = home.devices.iter_mut().filter(|d| d.kind == anju_model::DeviceKind::PillBox);
        for (device, owner) in boxes.zip(owners) {
            device.person = owner.map(person);
        }
        let his = home.devices.last().unwrap().origin();
        let mut life = Life::begin(home, "2026-11-24T15:00");
        assert_eq!(life.until("2026-11-24T20:05"), NOTHING);
        let open = anju_model::Observation::new(his, Contact { open: true });
        life.record(anju_model::Body::Observation(open));
        assert_eq!(life.until("2026-11-24T22:00"), missed, "{persons:?} {owners:?}");
    }
}

#[test]
fn a_dose_is_not_waited_for_while_away_or_while_the_box_was_off() {
    let mut life = Life::begin(with_doses(), "2026-11-24T10:00");
    life.away(Some("2026-11-26T12:00"));
    assert_eq!(life.until("2026-11-26T11:00"), NOTHING);
    let mut life = Life::begin(with_doses(), "2026-11-24T10:00");
    assert_eq!(life.power_cut("2026-11-24T19:30"), NOTHING);
    assert_eq!(life.until("2026-11-25T08:59"), NOTHING);
    assert_eq!(life.until("2026-11-25T09:01"), ["09:00 warning medication pills"]);
}

#[test]
fn a_pill_box_with_its_own_schedule_is_believed() {
    let mut life = Life::begin(home(&["pills"]), "2026-11-24T10:00");
    let said = |state| Medication { state };
    let missed = life.say("pills", said(MedicationState::Missed));
    assert_eq!(missed, ["10:00 warning medication pills"]);
    assert_eq!(life.say("pills", said(MedicationState::Opened)), ["10:00 over medication pills"]);
}
