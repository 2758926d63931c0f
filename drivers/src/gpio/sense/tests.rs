//! What the inputs say, from edges alone.

use anju_model::observation::HelpState;

use super::*;
use ButtonContact::{NormallyClosed, NormallyOpen};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn input(role: Role, contact: ButtonContact, closed: bool) -> (Input, Vec<Said>) {
    Input::new(role, contact, ms(20), InputTimings::default(), closed, Duration::ZERO)
}

const fn edge(at: u64, closed: bool) -> Edge {
    Edge { at: ms(at), closed, lost: false }
}

fn help(state: HelpState, gesture: Option<Presses>) -> Said {
    Said::event(Help { state, gesture, phrase: None })
}

#[test]
fn a_help_press_is_told_when_it_settles_and_cancelled_by_a_hold() {
    let (mut button, found) = input(Role::Help, NormallyOpen, false);
    assert_eq!(found, []);
    assert_eq!(button.edge(edge(100, true)), []);
    assert_eq!(button.wake(), Some(ms(120)));
    assert_eq!(button.tick(ms(120)), [help(HelpState::Pressed, None)]);
    assert_eq!(button.tick(ms(3119)), [], "long is no news about a help button");
    assert_eq!(button.tick(ms(3120)), [help(HelpState::Cancelled, None)]);
    assert_eq!(button.edge(edge(3500, false)), []);
    assert_eq!(button.tick(ms(9000)), []);
}

#[test]
fn each_press_of_a_run_is_told_with_its_place() {
    let (mut button, _) = input(Role::Help, NormallyClosed, true);
    let mut said = Vec::new();
    for press in 0..4 {
        said.extend(button.edge(edge(1000 + press * 200, false)));
        said.extend(button.edge(edge(1100 + press * 200, true)));
    }
    said.extend(button.tick(ms(9000)));
    let run = [None, Some(Presses::Double), Some(Presses::Triple), Some(Presses::Triple)];
    assert_eq!(said, run.map(|gesture| help(HelpState::Pressed, gesture)));
}

#[test]
fn a_help_button_found_down_is_only_told_as_stuck() {
    let (mut button, found) = input(Role::Help, NormallyOpen, true);
    assert_eq!(found, []);
    assert_eq!(button.tick(ms(59_999)), []);
    let stuck = button.tick(ms(60_000));
    assert!(matches!(&stuck[..], [Said { fact: Fact::Trouble(t), .. }] if t.active), "{stuck:?}");
    let freed = [button.edge(edge(61_000, false)), button.tick(ms(61_020))].concat();
    assert!(matches!(&freed[..], [Said { fact: Fact::Trouble(t), .. }] if !t.active), "{freed:?}");
}

#[test]
fn a_kernel_that_lost_edges_still_gives_the_press() {
    let (mut button, _) =
        Input::new(Role::Help, NormallyOpen, ms(0), InputTimings::default(), false, ms(0));
    let said = button.edge(Edge { at: ms(500), closed: false, lost: true });
    assert_eq!(said, [help(HelpState::Pressed, None)]);
    let said = button.edge(Edge { at: ms(900), closed: true, lost: true });
    assert_eq!(said, [help(HelpState::Pressed, None)], "exactly one press for one edge");
}

#[test]
fn a_door_at_the_start_is_a_base_line() {
    let (mut door, found) = input(Role::Door, NormallyOpen, true);
    assert_eq!(found, [Said { fact: Contact { open: false }.into(), baseline: true }]);
    let opened = [door.edge(edge(100, false)), door.tick(ms(120))].concat();
    assert_eq!(opened, [Said::event(Contact { open: true })]);
}

#[test]
fn danger_at_the_start_is_danger_and_rest_is_not() {
    let (_, found) = input(Role::Smoke, NormallyClosed, true);
    assert!(found[0].baseline);
    let (_, found) = input(Role::Smoke, NormallyClosed, false);
    assert_eq!(found, [Said::event(Smoke { alarm: true, self_test: false })]);
    let (_, found) = input(Role::Leak, NormallyOpen, true);
    assert_eq!(found, [Said::event(Leak { wet: true })]);
    let (_, found) = input(Role::Gas, NormallyOpen, true);
    assert!(matches!(
        found[..],
        [Said { fact: Fact::Gas(Gas { alarm: true, .. }), baseline: false }]
    ));
}

#[test]
fn a_line_that_never_rests_is_a_trouble_and_no_press() {
    let (mut button, _) = input(Role::Help, NormallyOpen, false);
    let mut said: Vec<Said> =
        (0..500).flat_map(|n| button.edge(edge(n * 10, n % 2 == 0))).collect();
    said.extend(button.tick(ms(60_000)));
    let troubles: Vec<bool> = said
        .iter()
        .map(|s| if let Fact::Trouble(t) = &s.fact { t.active } else { panic!("{s:?}") })
        .collect();
    assert_eq!(troubles, [true, false]);
}

#[test]
fn a_call_button_and_a_bell_speak_for_themselves() {
    let (mut call, _) = input(Role::Call, NormallyOpen, false);
    let said = [call.edge(edge(0, true)), call.tick(ms(5000))].concat();
    assert_eq!(
        said,
        [CallState::Asked, CallState::Cancelled].map(|state| Said::event(Call { state }))
    );
    let (mut bell, _) = input(Role::Bell, NormallyOpen, false);
    let said = [bell.edge(edge(0, true)), bell.tick(ms(5000))].concat();
    assert_eq!(said, [Said::event(Bell { rung: true })]);
}
