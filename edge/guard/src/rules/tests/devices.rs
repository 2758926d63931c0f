//! Devices that are silent, low, opened or broken, and a home that is unguarded by that.

use anju_model::observation::{Battery, Help, Tamper, Trouble};
use anju_model::{Finding, Lost, Rule};

use super::NOTHING;
use crate::testing::*;

/// With the devices' own limits: 24 h for the button, 25 h for the rest.
fn home() -> anju_model::config::Household {
    let mut home = household();
    for device in &mut home.devices {
        device.heard_within = None;
    }
    home.devices.truncate(2);
    home.guard.inactivity.enabled = false;
    home.guard.not_up.enabled = false;
    home
}

#[test]
fn a_silent_button_is_a_fault_after_a_day_and_the_rest_an_hour_later() {
    let mut life = Life::begin(home(), "2026-11-24T08:00");
    life.say("sos", Battery { percent: Some(80.0), ..Battery::default() });
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-25T07:59"), NOTHING);
    assert_eq!(
        life.until("2026-11-27T08:00"),
        [
            "08:00 fault device-silent sos",
            "08:00 fault unguarded",
            "09:00 fault device-silent pir",
            "09:00 fault unguarded"
        ]
    );
    // A home that could not call, and then could not see either.
    let lost: Vec<_> = life
        .found
        .iter()
        .filter_map(|finding| match finding {
            Finding::Raise(raise) if raise.rule == Rule::Unguarded => {
                Some((raise.lost, raise.more))
            }
            _ => None,
        })
        .collect();
    assert_eq!(lost, [(Some(Lost::Calls), false), (Some(Lost::Devices), true)]);
    let Finding::Raise(raise) = &life.found[0] else { panic!() };
    assert_eq!(raise.alert_id().as_str(), "b/1/2/device-silent/fault/sos");
    assert_eq!(
        life.say("sos", Battery { percent: Some(80.0), ..Battery::default() }),
        ["08:00 over device-silent sos"]
    );
    assert_eq!(life.say("pir", motion()), ["08:00 over device-silent pir", "08:00 over unguarded"]);
}

#[test]
fn what_a_broker_kept_is_not_being_heard() {
    let mut life = Life::begin(home(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.until("2026-11-24T20:00");
    life.baseline("sos", Battery { percent: Some(80.0), ..Battery::default() });
    life.baseline("sos", online(true));
    assert_eq!(
        life.until("2026-11-25T08:30"),
        ["08:00 fault device-silent sos", "08:00 fault unguarded"]
    );
    assert_eq!(life.baseline("sos", online(true)), NOTHING);
}

#[test]
fn a_driver_says_lost_and_back() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    assert_eq!(life.say("smoke", online(false)), ["08:00 fault device-silent smoke"]);
    assert_eq!(life.say("smoke", online(false)), NOTHING);
    life.restart();
    assert_eq!(life.baseline("smoke", online(false)), NOTHING);
    assert_eq!(life.baseline("smoke", online(true)), ["08:00 over device-silent smoke"]);
}

#[test]
fn time_without_the_box_is_not_a_devices_silence() {
    let mut life = Life::begin(home(), "2026-11-24T08:00");
    life.say("sos", Help::pressed());
    life.say("pir", motion());
    life.until("2026-11-24T20:00");
    life.say("pir", motion());
    assert_eq!(life.power_cut("2026-11-26T20:00"), NOTHING);
    assert_eq!(life.until("2026-11-27T07:59"), NOTHING);
    assert_eq!(life.until("2026-11-27T08:01").len(), 2);
}

#[test]
fn a_wire_is_not_waited_for_unless_told() {
    let mut home = home();
    let wired = anju_model::config::GpioBinding {
        pin: 17,
        active: anju_model::config::ActiveLevel::Low,
        bias: anju_model::config::Bias::PullUp,
        debounce: std::time::Duration::from_millis(30),
        contact: anju_model::config::ButtonContact::NormallyOpen,
        loop_pin: None,
        per_pulse: None,
    };
    for device in &mut home.devices {
        device.binding = anju_model::config::Binding::Gpio(wired.clone());
    }
    home.devices[1].heard_within = Some(HOUR);
    let mut life = Life::begin(home, "2026-11-24T08:00");
    assert_eq!(
        life.until("2026-12-24T08:00"),
        ["09:00 fault device-silent pir", "09:00 fault unguarded"]
    );
}

#[test]
fn a_home_that_can_not_see_is_unguarded_and_judges_nobody() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.until("2026-11-24T10:00");
    assert_eq!(
        life.say("pir", online(false)),
        ["10:00 fault device-silent pir", "10:00 fault unguarded"]
    );
    assert!(life.guard.home().unguarded);
    assert_eq!(life.until("2026-11-24T20:00"), NOTHING);
    // Two hours of silence before, and from now on again.
    assert_eq!(
        life.say("pir", online(true)),
        ["20:00 over device-silent pir", "20:00 over unguarded"]
    );
    assert_eq!(life.until("2026-11-24T21:59"), NOTHING);
    assert_eq!(life.until("2026-11-24T22:01"), ["22:00 warning inactivity"]);
}

#[test]
fn low_batteries_are_told_once_and_over_when_changed() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    let percent = |p| Battery { percent: Some(p), ..Battery::default() };
    let low = |low| Battery { low: Some(low), ..Battery::default() };
    assert_eq!(life.say("pir", percent(15.0)), NOTHING);
    assert_eq!(life.say("pir", percent(14.0)), ["08:00 fault device-low pir"]);
    assert_eq!(life.say("pir", percent(18.0)), NOTHING);
    assert_eq!(life.say("pir", percent(12.0)), NOTHING);
    assert_eq!(life.say("pir", percent(100.0)), ["08:00 over device-low pir"]);
    assert_eq!(life.baseline("sos", low(true)), ["08:00 fault device-low sos"]);
    life.restart();
    assert_eq!(life.baseline("sos", low(true)), NOTHING);
    assert_eq!(life.say("sos", low(false)), ["08:00 over device-low sos"]);
}

#[test]
fn opened_and_broken_devices_are_told_once() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    let tampered = |tampered| Tamper { tampered };
    let broken = |active| Trouble { active, reason: "stuck".into() };
    assert_eq!(life.say("door", tampered(false)), NOTHING);
    assert_eq!(life.say("door", tampered(true)), ["08:00 fault tamper door"]);
    assert_eq!(life.say("door", tampered(true)), NOTHING);
    assert_eq!(life.say("door", tampered(false)), ["08:00 over tamper door"]);
    assert_eq!(life.say("sos", broken(true)), ["08:00 fault trouble sos"]);
    assert_eq!(life.say("sos", broken(true)), NOTHING);
    assert_eq!(life.say("sos", broken(false)), ["08:00 over trouble sos"]);
}

#[test]
fn a_carried_button_counts_only_where_there_is_no_other() {
    let mut with = household();
    with.devices.push(device("badge"));
    let mut life = Life::begin(with, "2026-11-24T08:00");
    assert_eq!(life.say("badge", online(false)), ["08:00 fault device-silent badge"]);
    let mut only = household();
    only.devices.retain(|d| d.id.as_str() != "sos");
    only.devices.push(device("badge"));
    let mut life = Life::begin(only, "2026-11-24T08:00");
    assert_eq!(
        life.say("badge", online(false)),
        ["08:00 fault device-silent badge", "08:00 fault unguarded"]
    );
}

#[test]
fn a_home_whose_devices_are_all_lost_is_unguarded() {
    let mut home = household();
    home.devices.retain(|d| matches!(d.id.as_str(), "door" | "smoke"));
    let mut life = Life::begin(home, "2026-11-24T08:00");
    assert_eq!(life.say("door", online(false)), ["08:00 fault device-silent door"]);
    assert_eq!(
        life.say("smoke", online(false)),
        ["08:00 fault device-silent smoke", "08:00 fault unguarded"]
    );
    assert_eq!(
        life.say("door", open(true)),
        ["08:00 over device-silent door", "08:00 over unguarded"]
    );
}

#[test]
fn devices_that_were_never_heard_have_alerts_of_their_own() {
    let mut life = Life::begin(home(), "2026-11-24T08:00");
    life.until("2026-11-26T08:00");
    let ids: Vec<String> = life
        .found
        .iter()
        .filter_map(|f| match f {
            Finding::Raise(raise) if !raise.more => Some(raise.alert_id().as_str().to_owned()),
            _ => None,
        })
        .collect();
    let different: std::collections::HashSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), different.len()), (3, 3), "{ids:?}");
}

#[test]
fn a_button_that_was_not_pressed_for_a_month_is_asked_for() {
    let mut home = home();
    for device in &mut home.devices {
        device.heard_within = Some(400 * 24 * HOUR);
    }
    let mut life = Life::begin(home, "2026-11-01T08:00");
    assert_eq!(life.until("2026-12-01T07:59"), NOTHING);
    assert_eq!(life.until("2026-12-01T08:01"), ["08:00 request test-due sos"]);
    assert_eq!(
        life.test("sos", Help::pressed()),
        ["08:01 alarm help sos test", "08:01 over test-due sos"]
    );
    assert_eq!(life.until("2026-12-31T08:00"), NOTHING);
    // Its memory lasts longer than what is read back at a start.
    life.record_life();
    life.restart_with_the_last(1);
    assert_eq!(life.until("2026-12-31T08:02"), ["08:01 request test-due sos"]);
}

#[test]
fn a_device_that_is_lost_again_and_again_is_faulty() {
    let mut home = household();
    home.guard.inactivity.enabled = false;
    let mut life = Life::begin(home, "2026-11-24T08:00");
    for round in 0..5 {
        let found = life.say("smoke", online(false));
        let faulty = found.iter().any(|line| line.ends_with("fault trouble smoke"));
        assert_eq!(faulty, round == 4, "{found:?}");
        life.pass(MINUTE);
        assert_eq!(life.say("smoke", online(true)).len(), 1);
        life.pass(HOUR);
    }
    assert_eq!(life.pass(20 * HOUR), NOTHING);
    assert_eq!(life.say("smoke", online(true)), NOTHING);
    life.pass(5 * HOUR);
    assert_eq!(life.say("smoke", online(true)), ["14:05 over trouble smoke"]);
}

const DAY: std::time::Duration = std::time::Duration::from_secs(86400);

fn charge(percent: f64) -> Battery {
    Battery { percent: Some(percent), ..Battery::default() }
}

/// Lives on, a report each half day; on which day the battery was found low, and at which charge.
fn until_low(life: &mut Life, days: u32, charge_on: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    for half in 0..2 * days {
        life.pass(DAY / 2);
        let day = f64::from(half) / 2.0;
        let found = life.say("sos", charge(charge_on(day)));
        if found.iter().any(|line| line.ends_with("fault device-low sos")) {
            return Some((day, charge_on(day)));
        }
    }
    None
}

#[test]
fn the_end_of_a_battery_is_told_28_days_ahead() {
    for per_day in [0.8, 1.0, 1.7, 2.5] {
        let mut life = Life::begin(household(), "2026-03-24T08:00");
        // Nights are cold, and the sensor is not exact.
        let noisy = |day: f64| {
            let night = if day.fract() == 0.0 { 4.0 } else { 0.0 };
            (100.0 - per_day * day - night + (day * 7.3).sin()).clamp(0.0, 100.0)
        };
        let (day, percent) = until_low(&mut life, 120, noisy).unwrap();
        let end = (100.0 - 5.0) / per_day;
        let notice = end - day;
        assert!((28.0..36.0).contains(&notice) || day <= 15.0, "{per_day}: {notice} at {percent}");
        // A new one ends it.
        assert_eq!(life.say("sos", charge(98.0)).len(), 1);
    }
}

#[test]
fn no_end_is_predicted_of_what_hardly_falls_or_is_charged() {
    let mut life = Life::begin(household(), "2026-03-24T08:00");
    assert_eq!(until_low(&mut life, 200, |day| 100.0 - 0.15 * day), None);
    let mut life = Life::begin(household(), "2026-03-24T08:00");
    assert_eq!(until_low(&mut life, 60, |day| 90.0 - 20.0 * (day % 3.0)), None);
    let mut life = Life::begin(household(), "2026-03-24T08:00");
    assert_eq!(until_low(&mut life, 90, |day| if day < 60.0 { 100.0 } else { 75.0 }), None);
    let mut life = Life::begin(household(), "2026-03-24T08:00");
    let cold = |day: f64| if day < 40.0 { 90.0 } else { 84.0 + (day % 2.0) };
    assert_eq!(until_low(&mut life, 80, cold), None);
}

#[test]
fn a_restart_forgets_no_trend() {
    let mut life = Life::begin(household(), "2026-03-24T08:00");
    let falls = |day: f64| 100.0 - day;
    assert_eq!(until_low(&mut life, 50, falls), None);
    life.record_life();
    life.restart_with_the_last(1);
    let (day, _) = until_low(&mut life, 60, |day| falls(day + 50.0)).unwrap();
    assert!((13.0..17.0).contains(&day), "{day}");
}
