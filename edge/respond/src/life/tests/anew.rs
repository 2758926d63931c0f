//! What is felt again long after somebody attended to it, or more than that: nobody may take it for
//! the old matter.

use anju_model::command::Command;
use anju_model::{AlertId, Class, Rule};

use super::home::*;
use crate::life::NoticeKind as K;
use crate::life::{Action, Lights, SirenPattern, Stage};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn smoke(home: &mut Home, seq: u64) -> Vec<Action> {
    home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), seq))
}

fn arrive(home: &mut Home, alert: AlertId) {
    home.command("daughter", Command::Arrived { alert }).1.unwrap();
}

fn sounds(actions: &[Action], wanted: SirenPattern) -> bool {
    actions.iter().any(|a| matches!(a, Action::Sound { pattern, .. } if *pattern == wanted))
}

fn id_of(home: &Home, class: Class) -> AlertId {
    let open = home.book.open();
    open.iter().find(|a| a.subject.class == class).unwrap().subject.alert.clone()
}

#[test]
fn smoke_long_after_the_first_was_attended_to_is_an_alarm_again() {
    for restart in [false, true] {
        let mut home = Home::new(family());
        smoke(&mut home, 1);
        let alert = home.only();
        arrive(&mut home, alert);
        home.over(Rule::Smoke, Some("smoke-1"));
        home.pass(DAY);
        if restart {
            home = home.restarted();
            assert_eq!(home.resume(), []);
        }
        let actions = smoke(&mut home, 2);
        assert_eq!(steps(&actions)[..2], ["repeated", "contacted"], "restart: {restart}");
        assert!(told(&actions).contains(&("daughter", K::Call)));
        assert_eq!(said(&actions), ["smoke"]);
        assert!(sounds(&actions, SirenPattern::Evacuate));
        assert_eq!(home.stage(), Stage::Searching);
        // What begun anew outlasts a restart too.
        assert_eq!(home.restarted().stage(), Stage::Searching);
    }
}

#[test]
fn smoke_that_lasts_while_somebody_is_there_calls_nobody_again() {
    let mut home = Home::new(family());
    smoke(&mut home, 1);
    let alert = home.only();
    arrive(&mut home, alert);
    for n in 0..40 {
        home.pass(300);
        assert_eq!(told(&smoke(&mut home, 10 + n)), []);
    }
    assert_eq!(home.stage(), Stage::Arrived);
}

#[test]
fn a_detector_that_speaks_seldom_does_not_send_away_who_just_accepted() {
    let mut home = Home::new(family());
    smoke(&mut home, 1);
    home.pass(50 * 60);
    home.accept("daughter", None);
    home.pass(120);
    assert_eq!(told(&smoke(&mut home, 2)), []);
    assert_eq!(home.stage(), Stage::Accepted);
}

#[test]
fn a_floor_that_stays_wet_is_told_of_anew_only_when_it_was_dry_between() {
    let leak = |home: &mut Home, seq| {
        told(&home.raise(finding(Rule::Leak, Class::Alarm, Some("smoke-1"), seq))).len()
    };
    let mut home = Home::new(family());
    leak(&mut home, 1);
    let alert = home.only();
    arrive(&mut home, alert);
    for n in 0..12 {
        home.pass(HOUR);
        assert_eq!(leak(&mut home, 10 + n), 0, "its sign of life, {n} h later");
    }
    home.over(Rule::Leak, Some("smoke-1"));
    home.pass(HOUR);
    assert_eq!(leak(&mut home, 50), 2);
}

#[test]
fn a_later_silence_is_warned_of_and_alarmed_though_the_last_one_is_still_open() {
    for restart in [false, true] {
        let mut home = Home::new(family());
        let silence =
            |home: &mut Home, class, seq| home.raise(finding(Rule::Inactivity, class, None, seq));
        silence(&mut home, Class::Warning, 1);
        home.pass(4 * HOUR);
        silence(&mut home, Class::Alarm, 2);
        let alert = id_of(&home, Class::Alarm);
        arrive(&mut home, alert);
        assert_eq!(calls(&home.pass(HOUR)), [], "the warning goes on behind the alarm");
        home.over(Rule::Inactivity, None);
        home.pass(7 * DAY);
        if restart {
            home = home.restarted();
            assert_eq!(home.resume(), []);
        }
        let actions = silence(&mut home, Class::Warning, 3);
        assert_eq!(steps(&actions), ["raised", "contacted"]);
        assert_eq!(told(&actions), [("daughter", K::Call)]);
        home.pass(4 * HOUR);
        let actions = silence(&mut home, Class::Alarm, 4);
        assert_eq!(steps(&actions), ["repeated", "contacted", "contacted"]);
        assert_eq!(said(&actions), ["inactivity-alarm"]);
        assert!(sounds(&actions, SirenPattern::Attract));
        // And the warning waits behind it again.
        let passed = home.pass(HOUR);
        let warning = id_of(&home, Class::Warning);
        assert!(passed.iter().all(|(_, a)| !matches!(a, Action::Notify(n) if n.alert == warning)));
    }
}

#[test]
fn the_sentence_of_what_begins_anew_is_of_this_time() {
    let mut home = Home::new(family()).at_hour(9);
    let silence = |home: &mut Home, since: &str, seq| {
        let mut raise = finding(Rule::Inactivity, Class::Alarm, None, seq);
        raise.since = Some(since.parse().unwrap());
        home.raise(raise)
    };
    silence(&mut home, "2026-11-22T17:00:00Z", 1);
    let alert = home.only();
    arrive(&mut home, alert);
    home.pass(DAY);
    let actions = silence(&mut home, "2026-11-23T21:30:00Z", 2);
    let body = &notices(&actions)[0].full.body;
    assert!(body.contains("05:30") && !body.contains("01:00"), "{body}");
    let text = |home: &Home| home.book.get(&home.only()).unwrap().subject.text;
    assert_eq!(text(&home), text(&home.restarted()));
}

#[test]
fn a_warning_that_somebody_came_for_does_not_swallow_the_next() {
    let mut home = Home::new(family());
    let rings = |home: &mut Home, seq| {
        home.raise(finding(Rule::Strangers, Class::Warning, Some("door"), seq))
    };
    rings(&mut home, 1);
    let alert = home.only();
    arrive(&mut home, alert);
    home.pass(DAY);
    assert_eq!(told(&rings(&mut home, 2)), [("daughter", K::Call)]);
}

#[test]
fn alarms_that_were_told_with_others_are_no_reason_to_sound_for_ever_nor_to_be_silent_later() {
    let devices = ["smoke-1", "radar", "door", "sos-bedroom"];
    let feel = |home: &mut Home, device: &'static str, seq| {
        home.raise(finding(Rule::Smoke, Class::Alarm, Some(device), seq))
    };
    let mut home = Home::new(family());
    for (n, device) in devices.into_iter().enumerate() {
        feel(&mut home, device, 1 + n as u64);
    }
    // One after the other answers what was told; the fourth is one trouble with these.
    let ids: Vec<AlertId> = home.book.open().into_iter().map(|a| a.subject.alert).collect();
    let mut actions = Vec::new();
    for alert in ids.into_iter().take(3) {
        actions = home.command("daughter", Command::Arrived { alert }).0;
    }
    assert!(actions.contains(&Action::Hush), "{actions:?}");
    assert!(actions.contains(&Action::Lights(Lights::default())));
    home.pass(DAY);
    let actions = feel(&mut home, "sos-bedroom", 9);
    assert_eq!(steps(&actions)[..2], ["repeated", "contacted"]);
    assert!(sounds(&actions, SirenPattern::Evacuate));
}

#[test]
fn gas_that_is_gone_and_was_attended_to_holds_back_no_siren() {
    let mut home = Home::new(family());
    home.raise(finding(Rule::Gas, Class::Alarm, Some("smoke-1"), 1));
    let alert = home.only();
    arrive(&mut home, alert);
    home.pass(DAY);
    assert!(sounds(&home.press(), SirenPattern::WithoutSpark), "nobody said that it is gone");
    home.over(Rule::Gas, Some("smoke-1"));
    home.pass(HOUR);
    let help = id_of_rule(&home, &Rule::Help);
    arrive(&mut home, help);
    assert!(sounds(&home.press(), SirenPattern::Attract));
}

fn id_of_rule(home: &Home, rule: &Rule) -> AlertId {
    let open = home.book.open();
    open.iter().find(|a| a.subject.rule == *rule).unwrap().subject.alert.clone()
}

fn fault(rule: Rule, seq: u64, more: bool) -> anju_model::Raise {
    let mut raise = finding(rule, Class::Fault, None, seq);
    raise.more = more;
    raise
}

#[test]
fn a_battery_that_ends_is_told_though_its_wear_is_being_seen_to() {
    for accepted in [false, true] {
        let mut home = Home::new(family()).at_hour(10);
        home.raise(fault(Rule::BoxBattery, 1, false));
        home.pass(HOUR);
        if accepted {
            home.accept("community", None);
        }
        home.pass(12 * HOUR);
        let actions = home.raise(fault(Rule::BoxBattery, 2, true));
        assert_eq!(steps(&actions)[..2], ["repeated", "contacted"], "accepted: {accepted}");
        assert_eq!(said(&actions), ["box-battery"]);
    }
}

#[test]
fn parts_that_break_at_once_are_told_together() {
    let mut home = Home::new(family()).at_hour(10);
    assert!(!told(&home.raise(fault(Rule::Journal, 1, false))).is_empty());
    assert_eq!(told(&home.raise(fault(Rule::Journal, 2, true))), []);
    assert_eq!(calls(&home.pass(20 * 60)), []);
}

#[test]
fn a_battery_that_is_low_again_within_the_hour_is_told_again_and_one_that_flaps_seldom() {
    let mut home = Home::new(family()).at_hour(10);
    home.raise(fault(Rule::BoxBattery, 1, false));
    home.over(Rule::BoxBattery, None);
    home.pass(50 * 60);
    let actions = home.raise(fault(Rule::BoxBattery, 2, false));
    assert_eq!(steps(&actions)[..2], ["raised", "contacted"]);
    assert_eq!(said(&actions), ["box-battery"]);
    let mut told_of = 0;
    for minute in 0..24 * 60 {
        home.over(Rule::BoxBattery, None);
        told_of += notices(&home.raise(fault(Rule::BoxBattery, 10 + minute, false))).len();
        told_of += calls(&home.pass(60)).len();
    }
    assert!((12..=30 * 2).contains(&told_of), "{told_of} in a day");
}

#[test]
fn a_part_that_flaps_beside_a_broken_one_does_not_flood() {
    for (rule, most) in [(Rule::Channel, 10), (Rule::BoxBattery, 60)] {
        let mut home = Home::new(family()).at_hour(10);
        home.raise(fault(rule.clone(), 1, false));
        let mut told_of = 0;
        for minute in 0..24 * 60 {
            told_of += notices(&home.raise(fault(rule.clone(), 10 + minute, true))).len();
            told_of += calls(&home.pass(60)).len();
        }
        assert!((2..=most).contains(&told_of), "{rule}: {told_of} in a day");
    }
}

#[test]
fn each_loss_of_power_is_said() {
    let mut home = Home::new(family()).at_hour(10);
    for n in 0..4 {
        let actions = home.raise(fault(Rule::MainsLost, 1 + n, false));
        assert_eq!(said(&actions), ["power-lost"], "{n}");
        home.pass(300);
        home.over(Rule::MainsLost, None);
        home.pass(300);
    }
}
