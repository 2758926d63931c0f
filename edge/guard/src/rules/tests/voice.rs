//! A call that a microphone heard: asked about twice, and taken for one unless somebody says no.

use std::time::Duration;

use anju_model::config::Household;
use anju_model::observation::{Help, HelpState};
use anju_model::{Class, Finding};
use proptest::prelude::*;

use super::NOTHING;
use crate::testing::*;

const START: &str = "2026-11-24T12:00";
const SECOND: Duration = Duration::from_secs(1);

fn home() -> Household {
    let mut home = household();
    home.devices.push(device("ear"));
    home
}

fn call() -> Help {
    Help { state: HelpState::Pressed, gesture: None, phrase: Some("救命".to_owned()) }
}

fn no() -> Help {
    Help { state: HelpState::Cancelled, gesture: None, phrase: Some("不用".to_owned()) }
}

#[test]
fn silence_is_a_call_after_two_questions() {
    let mut life = Life::begin(home(), START);
    assert_eq!(life.say("ear", call()), ["12:00 ask help"]);
    assert_eq!(life.pass(14 * SECOND), NOTHING);
    assert_eq!(life.pass(3 * SECOND), ["12:00 ask help"]);
    assert_eq!(life.pass(12 * SECOND), NOTHING);
    assert_eq!(life.pass(3 * SECOND), ["12:00 alarm help ear"]);
    assert_eq!(life.pass(HOUR), NOTHING);
    let Some(Finding::Raise(raise)) = life.found.last() else { panic!() };
    assert_eq!((raise.alert_id().as_str(), raise.class), ("b/1/2", Class::Alarm));
}

#[test]
fn a_second_call_is_not_asked_about() {
    let mut life = Life::begin(home(), START);
    life.say("ear", call());
    life.pass(5 * SECOND);
    assert_eq!(life.say("ear", call()), ["12:00 alarm help ear"]);
    assert_eq!(life.pass(5 * MINUTE), NOTHING);
    assert_eq!(life.say("ear", call()), ["12:05 alarm help ear"]);
    life.pass(11 * MINUTE);
    assert_eq!(life.say("ear", call()), ["12:16 ask help"]);
    // Two that came as one message.
    life.say("ear", no());
    let mut both = anju_model::Observation::new(origin("ear"), call());
    both.count = 2;
    let found = life.record(anju_model::Body::Observation(both));
    assert_eq!(found, ["12:16 alarm help ear"]);
}

#[test]
fn only_no_and_a_cancel_end_the_question() {
    let mut life = Life::begin(home(), START);
    for (device, answer) in [("ear", no()), ("sos", Help::cancelled())] {
        life.say("ear", call());
        life.pass(20 * SECOND);
        assert_eq!(life.say(device, answer).len(), 1);
        assert_eq!(life.pass(MINUTE), NOTHING);
    }
    // Life in the home is no answer, nor is a cancel that was only tried.
    life.say("ear", call());
    life.say("pir", motion());
    life.test("sos", Help::cancelled());
    assert_eq!(life.pass(31 * SECOND).last().unwrap(), "12:03 alarm help ear");
}

#[test]
fn buttons_and_tests_are_never_asked_about() {
    let mut life = Life::begin(home(), START);
    assert_eq!(life.say("sos", Help::pressed()), ["12:00 alarm help sos"]);
    assert_eq!(life.test("ear", call()), ["12:00 alarm help ear test"]);
    assert_eq!(life.baseline("ear", call()), NOTHING);
    assert_eq!(life.pass(MINUTE), NOTHING);
    let mut home = home();
    home.guard.voice.answer_within = Duration::ZERO;
    let mut life = Life::begin(home, START);
    assert_eq!(life.say("ear", call()), ["12:00 alarm help ear"]);
    // Whoever is not configured can not be waited for.
    let mut life = Life::begin(household(), START);
    assert_eq!(life.say("ear", call()), ["12:00 alarm help ear"]);
}

#[test]
fn a_box_that_was_off_meanwhile_calls_when_it_is_back() {
    let mut life = Life::begin(home(), START);
    life.say("ear", call());
    life.pass(10 * SECOND);
    assert_eq!(life.power_cut("2026-11-24T12:10"), ["12:10 alarm help ear"]);
    let mut life = Life::begin(home(), START);
    life.say("ear", call());
    life.restart();
    assert_eq!(life.pass(40 * SECOND).last().unwrap(), "12:00 alarm help ear");
    life.record_alerts(0);
    life.restart();
    assert_eq!(life.pass(MINUTE), NOTHING, "not twice");
}

proptest! {
    /// Whatever else happens: a call without a "no" after it is an alarm within 31 s.
    #[test]
    fn no_call_is_lost(steps in prop::collection::vec((0u8..5, 0u64..40), 1..40)) {
        let mut life = Life::begin(home(), START);
        let (mut open, mut waited) = (false, 0);
        for (what, seconds) in steps {
            let before = life.found.len();
            match what {
                0 | 1 => { life.say("ear", call()); }
                2 => { life.say("pir", motion()); }
                3 => { life.say("ear", no()); open = false; }
                _ => life.restart(),
            }
            if what < 2 && !open {
                (open, waited) = (true, 0);
            }
            life.pass(Duration::from_secs(seconds));
            waited += seconds;
            let alarms = |found: &[Finding]| found.iter().any(|f| matches!(f, Finding::Raise(_)));
            if alarms(&life.found[before..]) {
                open = false;
            }
            prop_assert!(!open || waited <= 31, "{waited} s");
        }
    }
}
