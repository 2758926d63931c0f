//! Help, falls and dangers: found at once, whatever the home looks like.

use anju_model::observation::{Camera, Fall, FallState, Gas, Help, Leak, Meter, Seen, Smoke};
use anju_model::{Class, Finding};

use super::NOTHING;
use crate::testing::*;

const START: &str = "2026-11-24T12:00";

fn smoke(alarm: bool) -> Smoke {
    Smoke { alarm, self_test: false }
}

#[test]
fn each_press_is_an_alarm_of_its_own_entry_and_none_a_cancel() {
    let mut life = Life::begin(household(), START);
    assert_eq!(life.say("sos", Help::pressed()), ["12:00 alarm help sos"]);
    assert_eq!(life.say("sos", Help::pressed()), ["12:00 alarm help sos"]);
    assert_eq!(life.say("sos", Help::cancelled()), ["12:00 cancel sos"]);
    assert_eq!(life.say("nobody-configured-this", Help::pressed()).len(), 1);
    let Finding::Raise(raise) = &life.found[0] else { panic!() };
    assert_eq!(raise.alert_id().as_str(), "b/1/2");
    assert!(raise.direct && !raise.shadow && raise.class == Class::Alarm);
}

#[test]
fn a_press_known_only_at_start_is_old_and_one_under_test_is_a_test() {
    let mut life = Life::begin(household(), START);
    assert_eq!(life.baseline("sos", Help::pressed()), NOTHING);
    assert_eq!(life.test("sos", Help::pressed()), ["12:00 alarm help sos test"]);
    life.test("sos", Help::cancelled());
    assert!(matches!(life.found.last(), Some(Finding::Cancel { test: true, .. })));
}

#[test]
fn merged_presses_carry_their_count() {
    let mut life = Life::begin(household(), START);
    let mut said = anju_model::Observation::new(origin("sos"), Help::pressed());
    said.count = 7;
    life.record(anju_model::Body::Observation(said));
    let Finding::Raise(raise) = &life.found[0] else { panic!() };
    assert_eq!(raise.count, 7);
}

#[test]
fn away_and_out_mute_no_help_danger_or_fall() {
    let mut life = Life::begin(household(), START);
    life.away(Some("2026-12-24T12:00"));
    assert_eq!(life.say("sos", Help::pressed()), ["12:00 alarm help sos"]);
    life.away(Some("2026-12-24T12:00"));
    assert_eq!(life.say("smoke", smoke(true)), ["12:00 alarm smoke smoke"]);
    let fallen = Fall { state: FallState::Confirmed };
    assert_eq!(life.say("radar", fallen), ["12:00 alarm fall radar"]);
}

#[test]
fn a_danger_that_began_while_nobody_listened_is_one() {
    let mut life = Life::begin(household(), START);
    // What was never heard otherwise may be long over.
    assert_eq!(life.baseline("leak", Leak { wet: true }), NOTHING);
    assert_eq!(life.baseline("smoke", smoke(false)), NOTHING);
    assert_eq!(life.baseline("smoke", smoke(true)), ["12:00 alarm smoke smoke"]);
    assert_eq!(life.baseline("smoke", smoke(true)), NOTHING, "it is known by now");
    life.say("smoke", smoke(false));
    let tested = Smoke { alarm: true, self_test: true };
    assert_eq!(life.baseline("smoke", tested), NOTHING, "nor does anybody test it now");
}

#[test]
fn a_danger_repeats_only_after_a_while_and_is_over_when_clear() {
    let mut life = Life::begin(household(), START);
    assert_eq!(life.say("smoke", smoke(true)), ["12:00 alarm smoke smoke"]);
    for _ in 0..4 {
        life.pass(MINUTE);
        assert_eq!(life.say("smoke", smoke(true)), NOTHING);
    }
    life.pass(MINUTE);
    assert_eq!(life.say("smoke", smoke(true)), ["12:05 alarm smoke smoke"]);
    assert_eq!(life.say("smoke", smoke(false)), ["12:05 over smoke smoke"]);
    assert_eq!(life.say("smoke", smoke(false)), NOTHING);
    assert_eq!(life.say("smoke", smoke(true)), ["12:05 alarm smoke smoke"]);
}

#[test]
fn a_danger_known_from_memory_is_none_and_a_restart_does_not_raise_one_twice() {
    let mut life = Life::begin(household(), START);
    assert_eq!(life.baseline("smoke", smoke(true)), NOTHING);
    assert_eq!(life.baseline("radar", Fall { state: FallState::Confirmed }), NOTHING);
    assert_eq!(life.say("smoke", smoke(true)), ["12:00 alarm smoke smoke"]);
    life.restart();
    assert_eq!(life.baseline("smoke", smoke(true)), NOTHING);
    assert_eq!(life.baseline("smoke", smoke(false)), ["12:00 over smoke smoke"]);
}

#[test]
fn a_detectors_test_is_a_test_and_hides_no_danger() {
    let mut life = Life::begin(household(), START);
    let pressed = Smoke { alarm: true, self_test: true };
    assert_eq!(life.say("smoke", pressed.clone()), ["12:00 alarm smoke smoke test"]);
    assert_eq!(life.say("smoke", pressed.clone()), NOTHING);
    assert_eq!(life.say("smoke", smoke(true)), ["12:00 alarm smoke smoke"]);
    assert_eq!(life.say("smoke", pressed), NOTHING);
    assert_eq!(life.test("smoke", smoke(true)), NOTHING);
}

#[test]
fn water_is_an_alarm_and_a_meters_slow_loss_a_warning() {
    let mut life = Life::begin(household(), START);
    assert_eq!(life.say("leak", Leak { wet: true }), ["12:00 alarm leak leak"]);
    let loss = Meter { leak: Some(true), ..Meter::default() };
    assert_eq!(life.say("water", loss.clone()), ["12:00 warning leak water"]);
    assert_eq!(life.say("water", loss), NOTHING);
    let gas = Gas { alarm: true, percent_lel: None, self_test: false };
    assert_eq!(life.say("gas", gas), ["12:00 alarm gas gas"]);
}

#[test]
fn a_fall_is_told_when_suspected_and_again_when_sure() {
    let mut life = Life::begin(household(), START);
    let fall = |state| Fall { state };
    assert_eq!(life.say("radar", fall(FallState::Over)), NOTHING);
    assert_eq!(life.say("radar", fall(FallState::Suspected)), ["12:00 alarm fall radar"]);
    assert_eq!(life.say("radar", fall(FallState::Suspected)), NOTHING);
    assert_eq!(life.say("radar", fall(FallState::Confirmed)), ["12:00 alarm fall radar"]);
    assert_eq!(life.say("radar", fall(FallState::Suspected)), NOTHING);
    life.pass(5 * MINUTE);
    assert_eq!(life.say("radar", fall(FallState::Confirmed)), ["12:05 alarm fall radar"]);
    assert_eq!(life.say("radar", fall(FallState::Over)), ["12:05 over fall radar"]);
    let seen = |active| Camera { seen: Seen::Fall, active };
    assert_eq!(life.say("camera", seen(true)), ["12:05 alarm fall camera"]);
    assert_eq!(life.say("camera", seen(false)), ["12:05 over fall camera"]);
}
