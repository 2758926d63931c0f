//! Inactivity and "not up by": what a silence is, where it counts, what ends it.

use anju_model::observation::{Battery, Bell, Motion, Presence, Vital};
use anju_model::{Clock, Finding};
use jiff::SignedDuration;

use super::NOTHING;
use crate::testing::*;

/// A person seen at that time, under the defaults.
fn seen(at: &str) -> Life {
    let mut life = Life::begin(household(), at);
    life.say("pir", motion());
    life
}

/// Without the rule that judges the morning.
fn seen_no_morning(at: &str) -> Life {
    let mut home = household();
    home.guard.not_up.enabled = false;
    let mut life = Life::begin(home, at);
    life.say("pir", motion());
    life
}

#[test]
fn silence_warns_asks_alarms_and_any_sign_begins_anew() {
    let mut life = seen("2026-11-24T08:00");
    assert_eq!(life.until("2026-11-24T11:59"), NOTHING);
    assert_eq!(
        life.until("2026-11-24T21:00"),
        ["12:00 warning inactivity", "15:50 ask inactivity", "16:00 alarm inactivity"]
    );
    let Finding::Raise(raise) = &life.found[2] else { panic!() };
    assert_eq!(raise.alert_id().as_str(), "b/1/2/inactivity/alarm");
    assert_eq!(raise.since, Some(local("2026-11-24T08:00", &household().timezone)));
    assert_eq!(life.say("pir", motion()), ["21:00 over inactivity"]);
    assert_eq!(life.say("pir", motion()), NOTHING);
}

#[test]
fn what_goes_by_itself_is_no_sign_of_a_person() {
    let mut life = seen("2026-11-24T08:00");
    life.until("2026-11-24T11:00");
    life.say("pir", Battery { percent: Some(90.0), ..Battery::default() });
    life.say("pir", online(true));
    life.say("pir", anju_model::observation::Motion { moving: false });
    life.baseline("pir", motion());
    life.test("pir", motion());
    life.baseline("door", open(true));
    life.say("door", open(true));
    life.say("bell", Bell { rung: true });
    life.say("radar-less-beacon", Presence { present: true });
    assert_eq!(life.until("2026-11-24T12:01"), ["12:00 warning inactivity"]);
}

#[test]
fn a_nights_sleep_is_not_silence() {
    let mut life = seen_no_morning("2026-11-23T21:00");
    assert_eq!(life.until("2026-11-24T09:59"), NOTHING);
    // One hour in the evening, three in the morning; then four more.
    assert_eq!(
        life.until("2026-11-24T20:00"),
        ["10:00 warning inactivity", "13:50 ask inactivity", "14:00 alarm inactivity"]
    );
}

#[test]
fn silence_of_the_night_itself_counts_from_waking() {
    let mut life = seen_no_morning("2026-11-24T03:00");
    assert_eq!(life.until("2026-11-24T10:59"), NOTHING);
    assert_eq!(life.until("2026-11-24T11:01"), ["11:00 warning inactivity"]);
}

#[test]
fn silence_that_was_worth_a_warning_in_the_evening_counts_through_the_night() {
    let mut life = seen_no_morning("2026-11-23T15:30");
    assert_eq!(life.until("2026-11-24T06:59"), ["19:30 warning inactivity"]);
    // Asked as soon as the window is open, and alarmed when nobody answered.
    assert_eq!(life.until("2026-11-24T12:00"), ["07:00 ask inactivity", "07:10 alarm inactivity"]);
}

#[test]
fn silence_that_began_before_a_restart_counts_in_full_and_is_told_once() {
    let mut life = seen("2026-11-24T08:00");
    life.until("2026-11-24T11:00");
    life.restart();
    assert_eq!(life.until("2026-11-24T12:30"), ["12:00 warning inactivity"]);
    life.say("smoke", online(true));
    life.restart();
    assert_eq!(life.until("2026-11-24T17:00"), ["15:50 ask inactivity", "16:00 alarm inactivity"]);
    life.say("smoke", online(true));
    life.restart();
    assert_eq!(life.power_cut("2026-11-24T18:00"), NOTHING);
    assert_eq!(life.until("2026-11-24T21:00"), NOTHING);
}

#[test]
fn silence_over_an_outage_counts_but_the_question_comes_first() {
    let mut life = seen("2026-11-24T08:00");
    life.until("2026-11-24T09:00");
    assert_eq!(
        life.power_cut("2026-11-24T17:00"),
        ["17:00 warning inactivity", "17:00 ask inactivity"]
    );
    assert_eq!(life.until("2026-11-24T18:00"), ["17:10 alarm inactivity"]);
}

#[test]
fn a_clock_a_year_forward_or_back_changes_no_duration() {
    for year in [366, -366] {
        let mut life = seen("2026-11-24T08:00");
        life.until("2026-11-24T10:00");
        life.wrong = SignedDuration::from_hours(24 * year);
        assert_eq!(life.say("smoke", online(true)), NOTHING);
        assert_eq!(life.until("2026-11-24T12:01"), ["12:00 warning inactivity"]);
        life.wrong = SignedDuration::ZERO;
        assert_eq!(life.say("smoke", online(true)), NOTHING);
        assert_eq!(
            life.until("2026-11-24T16:01"),
            ["15:50 ask inactivity", "16:00 alarm inactivity"]
        );
    }
}

#[test]
fn without_a_clock_durations_count_longer_by_the_night() {
    let mut life = Life::begin(household(), "2026-11-23T22:00");
    life.clock = Clock::Unknown;
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-24T10:59"), NOTHING);
    assert_eq!(life.until("2026-11-24T11:01"), ["11:00 warning inactivity"]);
    // The clock becomes known: the silence began at 22:00, so it is three hours old.
    let mut life = Life::begin(household(), "2026-11-23T22:00");
    life.clock = Clock::Unknown;
    life.say("pir", motion());
    life.until("2026-11-24T09:00");
    life.clock = Clock::Synchronised;
    assert_eq!(life.say("smoke", online(true)), NOTHING);
    assert_eq!(
        life.until("2026-11-24T11:01"),
        ["10:00 warning not-up", "11:00 warning inactivity"]
    );
}

#[test]
fn days_of_23_and_25_hours_are_reckoned_by_the_clock_on_the_wall() {
    // Berlin: 2026-03-29 loses the hour after 02:00, 2026-10-25 has it twice.
    for (evening, before, after) in [
        ("2026-03-28T21:00", "2026-03-29T09:59", "2026-03-29T10:01"),
        ("2026-10-24T21:00", "2026-10-25T09:59", "2026-10-25T10:01"),
    ] {
        let mut home = household();
        home.timezone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        home.guard.not_up.enabled = false;
        let mut life = Life::begin(home, evening);
        life.say("pir", motion());
        assert_eq!(life.until(before), NOTHING);
        assert_eq!(life.until(after), ["10:00 warning inactivity"]);
    }
}

#[test]
fn another_zone_moves_the_window() {
    let mut life = seen_no_morning("2026-11-23T21:00");
    let mut home = household();
    home.guard.not_up.enabled = false;
    // Two hours east of Shanghai the night began at 20:00 of the old clock.
    home.timezone = jiff::tz::TimeZone::get("Australia/Brisbane").unwrap();
    life.guard.reconfigure(std::sync::Arc::new(home));
    assert_eq!(life.until("2026-11-24T08:59"), NOTHING);
    assert_eq!(life.until("2026-11-24T09:01"), ["09:00 warning inactivity"]);
}

#[test]
fn a_rule_on_trial_only_records() {
    let mut home = household();
    home.guard.inactivity.shadow = true;
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("pir", motion());
    assert_eq!(
        life.until("2026-11-24T17:00"),
        ["12:00 warning inactivity shadow", "16:00 alarm inactivity shadow"]
    );
    assert_eq!(life.say("pir", motion()), NOTHING);
}

#[test]
fn a_home_that_sees_nobody_inside_judges_no_silence() {
    let mut home = household();
    home.devices.retain(|d| d.id.as_str() != "pir");
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("door", open(true));
    assert_eq!(life.until("2026-11-26T08:00"), NOTHING);
}

#[test]
fn not_up_by_ten_is_a_warning_once() {
    let mut life = seen("2026-11-23T21:30");
    assert_eq!(life.until("2026-11-24T10:01"), ["10:00 warning not-up"]);
    assert_eq!(life.say("pir", motion()), ["10:01 over not-up"]);
    let Finding::Raise(raise) = &life.found[0] else { panic!() };
    assert_eq!(raise.alert_id().as_str(), "b/1/2/not-up/warning");
}

#[test]
fn up_is_whoever_was_seen_since_the_night_ended() {
    for (sign, found) in [("2026-11-24T03:59", 1), ("2026-11-24T04:01", 0)] {
        let mut life = seen("2026-11-23T21:30");
        life.until(sign);
        life.say("pir", motion());
        assert_eq!(life.until("2026-11-24T10:01").len(), found, "{sign}");
    }
}

#[test]
fn not_up_needs_somebody_at_home_and_a_clock() {
    // Out since the evening.
    let mut life = seen("2026-11-23T18:00");
    life.say("door", open(true));
    life.say("door", open(false));
    assert_eq!(
        life.until("2026-11-24T10:30"),
        ["00:00 warning left-home", "06:00 alarm left-home"]
    );
    // Nobody ever seen.
    let mut life = Life::begin(household(), "2026-11-24T09:00");
    assert_eq!(life.until("2026-11-24T10:30"), NOTHING);
    // No clock.
    let mut life = Life::begin(household(), "2026-11-23T23:00");
    life.clock = Clock::Unknown;
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-24T10:30"), NOTHING);
}

#[test]
fn a_box_that_slept_through_the_morning_watches_before_it_says_not_up() {
    let mut life = seen("2026-11-23T21:30");
    life.until("2026-11-23T23:00");
    assert_eq!(life.power_cut("2026-11-24T10:30"), ["10:30 warning inactivity"]);
    assert_eq!(life.until("2026-11-24T10:59"), NOTHING);
    assert_eq!(life.until("2026-11-24T11:01"), ["11:00 warning not-up"]);
}

#[test]
fn a_detector_that_is_stuck_hides_no_silence() {
    let mut life = Life::begin(household(), "2026-11-24T07:00");
    life.say("pir", Motion { moving: false });
    for time in ["08:00", "08:30", "09:00", "09:30", "10:00", "11:00", "12:00", "13:00"] {
        life.until(&format!("2026-11-24T{time}"));
        life.say("pir", motion());
    }
    // It has said without a break since 08:00 that something moves: believed for two hours.
    assert_eq!(life.until("2026-11-24T13:31"), ["13:30 warning inactivity"]);
    life.say("pir", Motion { moving: false });
    assert_eq!(life.say("pir", motion()), ["13:31 over inactivity"]);
}

#[test]
fn a_detector_that_never_says_still_is_believed() {
    let mut life = Life::begin(household(), "2026-11-24T07:00");
    for hour in 8..14 {
        life.until(&format!("2026-11-24T{hour:02}:00"));
        life.say("pir", motion());
    }
    assert_eq!(life.until("2026-11-24T16:59"), NOTHING);
}

#[test]
fn who_measures_is_awake_but_a_repeated_reading_is_nobody() {
    let mut life = seen("2026-11-24T08:00");
    life.until("2026-11-24T10:00");
    let reading = Vital { systolic_mmhg: Some(131.0), ..Vital::default() };
    life.say("cuff", reading.clone());
    life.until("2026-11-24T11:00");
    life.say("cuff", reading);
    life.say("watch-like", Vital { heart_beats_per_minute: Some(60.0), ..Vital::default() });
    assert_eq!(life.until("2026-11-24T14:01"), ["14:00 warning inactivity"]);
}

/// A box without a battery for its clock restores the time that it saved last, and is told how late
/// it is a while after it has begun.
fn without_a_clock_of_its_own(life: &mut Life, until: &str) -> Vec<String> {
    let before = life.stamp().wall;
    life.clock = Clock::Estimated;
    life.wrong = before.duration_since(local(until, &household().timezone));
    life.power_cut(until)
}

fn synchronised(life: &mut Life, at: &str) -> Vec<String> {
    let mut found = life.until(at);
    life.clock = Clock::Synchronised;
    life.wrong = SignedDuration::ZERO;
    found.extend(life.say("smoke", online(true)));
    found
}

#[test]
fn an_outage_that_comes_to_light_late_counts_as_silence_all_the_same() {
    let mut life = seen("2026-11-23T20:00");
    life.until("2026-11-23T20:30");
    assert_eq!(without_a_clock_of_its_own(&mut life, "2026-11-24T06:30"), NOTHING);
    assert_eq!(synchronised(&mut life, "2026-11-24T06:31"), NOTHING);
    assert_eq!(
        life.until("2026-11-24T13:01"),
        [
            // Two hours in the evening, two in the morning.
            "09:00 warning inactivity",
            "10:00 warning not-up",
            "12:50 ask inactivity",
            "13:00 alarm inactivity"
        ]
    );
    let since = local("2026-11-23T20:00", &household().timezone);
    assert!(life.found.iter().all(|f| !matches!(f, Finding::Raise(r) if r.since != Some(since))));
    let replayed = crate::replay(life.entries.clone(), life.guard.household.clone());
    assert_eq!(replayed.found.len(), 0, "what is due after the last entry is not replayed");
}

#[test]
fn who_was_seen_before_an_outage_came_to_light_was_seen_after_it() {
    for clock in [Clock::Estimated, Clock::Unknown] {
        let mut life = seen("2026-11-23T20:00");
        life.until("2026-11-23T20:30");
        without_a_clock_of_its_own(&mut life, "2026-11-24T06:30");
        life.clock = clock;
        life.until("2026-11-24T08:00");
        life.say("pir", motion());
        // The way out is back two hours after the power.
        assert_eq!(synchronised(&mut life, "2026-11-24T08:30"), NOTHING, "{clock:?}");
        life.restart();
        assert_eq!(life.until("2026-11-24T12:01"), ["12:00 warning inactivity"], "{clock:?}");
        let Some(Finding::Raise(raise)) = life.found.last() else { panic!() };
        assert_eq!(raise.since, Some(local("2026-11-24T08:00", &household().timezone)));
    }
}
