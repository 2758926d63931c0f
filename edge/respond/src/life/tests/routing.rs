//! Who is told of which class, and at which hour.

use anju_model::command::Command;
use anju_model::config::{ContactRole, Hours};
use anju_model::delivery::{DeliveryState, Message};
use anju_model::observation::Origin;
use anju_model::{AlertId, Class, Delivery, DeviceKind, Outcome, Rule};

use super::home::*;
use crate::life::NoticeKind as K;
use crate::life::outlook;
use crate::life::{Action, Clip, Input, SirenPattern};

#[test]
fn a_warning_tells_the_family_first_and_more_slowly() {
    let mut home = Home::new(family());
    let actions = home.raise(finding(Rule::NotUp, Class::Warning, None, 1));
    assert_eq!(told(&actions), [("daughter", K::Call)]);
    assert_eq!(said(&actions), ["not-up"]);
    assert!(!actions.iter().any(|a| matches!(a, Action::Sound { .. })));
    assert_eq!(calls(&home.pass(1000)), [(300, "centre"), (600, "neighbour"), (900, "community")]);
}

#[test]
fn a_request_goes_to_the_community() {
    let mut home = Home::new(family());
    let actions = home.raise(finding(Rule::Other("shopping".into()), Class::Request, None, 1));
    assert_eq!(told(&actions), [("centre", K::Call)]);
    assert_eq!(calls(&home.pass(2000)), [(1800, "community")]);
}

#[test]
fn a_fault_is_told_by_day_to_those_who_repair() {
    let mut home = Home::new(family()).at_hour(23);
    let actions = home.raise(finding(Rule::DeviceLow, Class::Fault, Some("door"), 1));
    assert_eq!(steps(&actions), ["raised"]);
    assert_eq!((told(&actions), said(&actions)), (vec![], vec![]));
    let passed = home.pass(9 * 3600 + 1);
    assert_eq!(calls(&passed), [(9 * 3600, "centre")]);
    let actions: Vec<Action> = passed.into_iter().map(|(_, a)| a).collect();
    assert_eq!(said(&actions), ["device-low-battery"]);
    assert!(!actions.iter().any(|a| matches!(a, Action::Sound { .. })));
}

#[test]
fn a_fault_without_a_clock_or_a_repairer_is_told_to_the_first_of_the_family() {
    let mut home = Home::new(vec![
        contact("friend", ContactRole::Neighbour, 1),
        contact("son", ContactRole::Family, 2),
        contact("daughter", ContactRole::Family, 2),
    ]);
    let actions = home.raise(finding(Rule::Tamper, Class::Fault, Some("door"), 1));
    assert_eq!(told(&actions), [("son", K::Call)]);
}

#[test]
fn a_home_left_unguarded_is_told_at_once() {
    let mut home = Home::new(family()).at_hour(3);
    let actions = home.raise(finding(Rule::Unguarded, Class::Fault, None, 9));
    assert_eq!((steps(&actions), told(&actions)), (vec!["raised"], vec![]));
    assert_eq!(calls(&home.pass(30)), [(20, "centre")], "once it is no passing loss");
    let actions = home.raise(finding(Rule::Journal, Class::Fault, None, 2));
    assert_eq!(told(&actions), [("centre", K::Call)]);
    assert_eq!(said(&actions), ["cannot-record"]);
    // One silent device waits for the morning.
    home.raise(finding(Rule::DeviceSilent, Class::Fault, Some("door"), 3));
    assert_eq!(calls(&home.pass(600)), []);
}

#[test]
fn a_way_that_is_broken_is_told_by_day_to_the_family_too() {
    let mut home = Home::new(family()).at_hour(3);
    let broken = finding(Rule::Channel, Class::Fault, None, 4);
    assert_eq!(told(&home.raise(broken.clone())), [], "nobody is woken");
    let mut home = Home::new(family()).at_hour(10);
    let actions = home.raise(broken);
    assert_eq!(told(&actions), [("centre", K::Call), ("daughter", K::Call)]);
    assert_eq!(said(&actions), ["way-out-lost"]);
}

fn office() -> Hours {
    Hours::Weekly {
        first: anju_model::config::Weekday::Monday,
        last: anju_model::config::Weekday::Friday,
        from_minute: 510,
        to_minute: 1050,
    }
}

#[test]
fn contacts_are_tried_in_their_hours_and_an_alarm_with_nobody_on_duty_tries_all() {
    let mut contacts = family();
    contacts[1].hours = office();
    contacts[2].hours = office();
    let mut home = Home::new(contacts.clone()).at_hour(3);
    assert_eq!(told(&home.press()), [("daughter", K::Call)]);
    assert_eq!(calls(&home.pass(61)), [(60, "community")]);

    for contact in &mut contacts {
        contact.hours = office();
    }
    let mut home = Home::new(contacts.clone()).at_hour(3);
    assert_eq!(told(&home.press()).len(), 4, "somebody is better than nobody");
    assert_eq!(calls(&home.pass(91)).len(), 4);

    // A warning waits for them.
    let mut home = Home::new(contacts).at_hour(3);
    assert_eq!(told(&home.raise(finding(Rule::NotUp, Class::Warning, None, 1))), []);
    assert_eq!(calls(&home.pass(6 * 3600))[0], (5 * 3600 + 1800, "daughter"));
}

#[test]
fn nobody_configured_still_ticks() {
    let mut home = Home::new(Vec::new());
    home.press();
    home.pass(3600);
    assert!(home.book.next_tick().is_some());
}

#[test]
fn who_can_not_be_reached_does_not_use_up_the_window() {
    let mut home = Home::new(family());
    home.press();
    let alert = home.only();
    let report = |contact: &str, state| {
        Input::Delivered(Delivery {
            state,
            message: Message {
                alert: alert.clone(),
                contact: anju_model::ContactId::new(contact).unwrap(),
                channel: "ntfy".to_owned(),
                attempt: 1,
                detail: None,
                request: None,
            },
        })
    };
    let actions = home.input(report("daughter", DeliveryState::Failed)).actions;
    assert!(matches!(actions.as_slice(), [Action::RecordDelivery(_)]));
    home.input(report("centre", DeliveryState::Failed));
    assert_eq!(calls(&home.pass(4)), [(3, "neighbour")]);
    // A second try that is taken makes it the usual window again.
    let mut home = Home::new(family());
    home.press();
    home.input(report("daughter", DeliveryState::Failed));
    home.input(report("centre", DeliveryState::Failed));
    assert_eq!(calls(&home.pass(2)), []);
    home.input(report("centre", DeliveryState::Sent));
    assert_eq!(calls(&home.pass(60)), [(60, "neighbour")]);
    // One of two handed over: the window counts.
    let mut home = Home::new(family());
    home.press();
    home.input(report("daughter", DeliveryState::Failed));
    home.input(report("centre", DeliveryState::Sent));
    assert_eq!(calls(&home.pass(61)), [(60, "neighbour")]);
}

#[test]
fn a_warning_stands_behind_the_alarm_of_the_same_rule_and_is_closed_with_it() {
    let mut home = Home::new(family());
    home.raise(finding(Rule::Inactivity, Class::Warning, None, 1));
    let alarm = home.raise(finding(Rule::Inactivity, Class::Alarm, None, 2));
    assert_eq!(said(&alarm), ["inactivity-alarm"]);
    let calls_of_warning = home
        .pass(4000)
        .into_iter()
        .any(|(_, a)| matches!(a, Action::Notify(n) if n.class == Class::Warning));
    assert!(!calls_of_warning);
    let alert = home.book.open()[0].subject.alert.clone();
    let outcome = anju_model::Outcome::False;
    let close = anju_model::command::Command::Close { alert, outcome, note: "asleep".into() };
    let (actions, answer) = home.command("daughter", close);
    assert_eq!((steps(&actions), answer), (vec!["closed", "closed"], Ok(())));
    assert_eq!(home.book.open_count(), 0);
}

#[test]
fn tests_are_marked_everywhere_and_never_hide_a_real_press() {
    let mut home = Home::new(family());
    let mut raise = finding(Rule::Help, Class::Alarm, Some("sos-bedroom"), 1);
    raise.test = true;
    let actions = home.raise(raise);
    assert!(home.recorded[0].1.subject.text.starts_with("[TEST] "));
    assert_eq!(told(&actions), [], "nobody is called about a test");
    assert!(!actions.iter().any(|a| matches!(a, Action::Sound { .. })), "no siren for a test");
    assert_eq!(said(&actions)[0], "test");
    assert_eq!(steps(&home.press())[0], "raised", "a real press is an alert of its own");
    assert_eq!(home.book.open_count(), 2);
    // A cancel made as a test takes back the test only.
    let (origin, cause) = (origin("sos-bedroom"), entry(7));
    let cancel = anju_model::Finding::Cancel { origin, cause, test: true };
    home.input(Input::Finding(cancel));
    let stages: Vec<_> = home.book.open().iter().map(|a| (a.subject.test, a.stage)).collect();
    assert!(stages.contains(&(false, crate::life::Stage::Searching)), "{stages:?}");
    // The test closes by itself, the real one stays.
    home.pass(601);
    assert_eq!(home.book.open_count(), 1);
    assert!(!home.book.open()[0].subject.test);
}

#[test]
fn while_there_may_be_gas_no_relay_is_switched() {
    let mut home = Home::new(family());
    let sound = |actions: &[Action]| {
        actions.iter().find_map(|a| match a {
            Action::Sound { pattern, .. } => Some(*pattern),
            _ => None,
        })
    };
    let smoke = home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), 1));
    assert_eq!(sound(&smoke), Some(SirenPattern::Evacuate));
    let gas = home.raise(finding(Rule::Gas, Class::Alarm, Some("smoke-1"), 2));
    assert_eq!(sound(&gas), Some(SirenPattern::WithoutSpark));
    assert_eq!(sound(&home.press()), None);
}

#[test]
fn a_power_cut_is_said_at_once_and_its_end_too() {
    let mut home = Home::new(family()).at_hour(3);
    let actions = home.raise(finding(Rule::MainsLost, Class::Fault, None, 1));
    assert_eq!((said(&actions), told(&actions)), (vec!["power-lost"], vec![]));
    assert_eq!(said(&home.over(Rule::MainsLost, None)), ["power-back"]);
}

#[test]
fn the_shadow_calls_nobody() {
    let mut home = Home::new(family());
    let mut raise = finding(Rule::Inactivity, Class::Alarm, None, 1);
    raise.shadow = true;
    let actions = home.raise(raise);
    assert!(matches!(actions.as_slice(), [Action::RecordBox(_)]), "{actions:?}");
    assert_eq!(home.book.open_count(), 0);
}

#[test]
fn a_question_is_asked_and_taken_back() {
    let mut home = Home::new(family());
    let ask = anju_model::Finding::Ask { rule: Rule::Inactivity, cause: entry(1) };
    let actions = home.input(Input::Finding(ask)).actions;
    assert_eq!(said(&actions), ["inactivity-question"]);
    assert_eq!(told(&actions), []);
    assert!(matches!(home.over(Rule::Inactivity, None).as_slice(), [Action::Quiet { .. }]));
}

#[test]
fn a_call_that_was_heard_is_asked_about_and_taken_back_by_a_cancel() {
    let mut home = Home::new(family());
    let ask = anju_model::Finding::Ask { rule: Rule::Help, cause: entry(1) };
    for _ in 0..2 {
        let actions = home.input(Input::Finding(ask.clone())).actions;
        assert_eq!((said(&actions), told(&actions)), (vec!["voice-question"], vec![]));
    }
    let cancel =
        |test| anju_model::Finding::Cancel { origin: origin("sos"), cause: entry(2), test };
    assert_eq!(home.input(Input::Finding(cancel(true))).actions, []);
    let actions = home.input(Input::Finding(cancel(false))).actions;
    assert_eq!((said(&actions), told(&actions)), (vec!["help-cancelled"], vec![]));
    assert_eq!(home.input(Input::Finding(cancel(false))).actions, []);
}

/// Whether a cancel of a device takes back the fall that is open.
fn takes_back(home: &mut Home, origin: Origin) -> bool {
    let cancel = anju_model::Finding::Cancel { origin, cause: entry(9), test: false };
    let cancelled = steps(&home.input(Input::Finding(cancel)).actions).contains(&"cancelled");
    assert_eq!(cancelled, home.stage() == crate::life::Stage::Cancelled);
    cancelled
}

/// A device of somebody in a room, and a home of that many persons in which a radar felt a fall.
fn fell(persons: &[&str], whom: Option<&str>) -> Home {
    let mut household = household(anju_model::Language::En, family());
    let usual = household.persons[0].clone();
    let named = |id: &&str| anju_model::config::Person {
        id: anju_model::PersonId::new(id).unwrap(),
        ..usual.clone()
    };
    household.persons = persons.iter().map(named).collect();
    let mut home = Home::of(household);
    let mut raise = finding(Rule::Fall, Class::Alarm, Some("radar"), 1);
    if let Some(origin) = &mut raise.origin {
        origin.person = whom.map(|id| anju_model::PersonId::new(id).unwrap());
    }
    home.raise(raise);
    home
}

fn of(kind: DeviceKind, person: Option<&str>, room: &str) -> Origin {
    Origin {
        kind,
        room: Some(anju_model::RoomId::new(room).unwrap()),
        person: person.map(|id| anju_model::PersonId::new(id).unwrap()),
        ..origin("another")
    }
}

#[test]
fn a_fall_is_taken_back_by_whom_it_is_about_and_by_nobody_else() {
    let button = |person, room| of(DeviceKind::FixedAlarm, person, room);
    let one = || fell(&["wang"], None);
    assert!(takes_back(&mut one(), button(None, "bedroom")), "who lives alone, anywhere");
    assert!(takes_back(&mut one(), origin("radar")), "the device itself");
    assert!(takes_back(&mut fell(&[], None), button(None, "bedroom")), "nobody is named");
    let two = |whom| fell(&["wang", "li"], whom);
    assert!(takes_back(&mut two(Some("wang")), button(Some("wang"), "kitchen")));
    assert!(!takes_back(&mut two(Some("wang")), button(Some("li"), "bathroom")), "her cane");
    assert!(!takes_back(&mut two(Some("wang")), button(None, "bedroom")));
    assert!(!takes_back(&mut two(None), button(Some("li"), "bedroom")));
    assert!(takes_back(&mut two(None), button(Some("li"), "bathroom")), "beside the radar");
}

#[test]
fn a_no_that_a_microphone_hears_takes_back_only_while_the_box_asks() {
    let ear = || of(DeviceKind::VoiceAlarm, None, "kitchen");
    let mut home = fell(&["wang"], None);
    assert!(!takes_back(&mut home, ear()));
    home.input(Input::Finding(anju_model::Finding::Ask { rule: Rule::Help, cause: entry(2) }));
    assert!(takes_back(&mut home, ear()));
}

#[test]
fn a_wish_to_talk_tells_the_family_first_and_again_whenever_it_is_asked_anew() {
    let mut home = Home::new(family()).at_hour(3);
    let asked = || finding(Rule::Call, Class::Request, Some("sos-bedroom"), 1);
    let actions = home.raise(asked());
    assert_eq!(told(&actions), [("daughter", K::Call)], "at any hour");
    assert_eq!(said(&actions), ["contact-trying"]);
    assert!(!actions.iter().any(|a| matches!(a, Action::Sound { .. })));
    let body = &notices(&actions)[0].full.body;
    assert!(body.contains("please call the home back"), "{body}");
    home.accept("daughter", None);
    assert_eq!(told(&home.raise(asked()))[0], ("daughter", K::Call), "she presses again");
    assert_eq!(steps(&home.over(Rule::Call, Some("sos-bedroom"))), ["closed"]);
    assert_eq!(told(&home.raise(asked())), [("daughter", K::Call)], "and soon after");
}

#[test]
fn a_household_without_steps_has_the_usual_plan() {
    let near = |id: &str, minutes| {
        let mut contact = contact(id, ContactRole::Neighbour, 1);
        (contact.step, contact.minutes_away) = (None, minutes);
        contact
    };
    let mut daughter = contact("daughter", ContactRole::Family, 1);
    let mut son = contact("son", ContactRole::Family, 1);
    let mut centre = contact("centre", ContactRole::Centre, 1);
    for contact in [&mut daughter, &mut son, &mut centre] {
        contact.step = None;
    }
    let far = near("far", Some(16));
    let contacts =
        vec![far, near("next-door", Some(2)), daughter, near("above", Some(15)), centre, son];
    let mut home = Home::new(contacts);
    assert_eq!(told(&home.press()), [("daughter", K::Call), ("centre", K::Call)]);
    let passed = home.pass(185);
    assert_eq!(calls(&passed), [(60, "next-door"), (60, "above"), (120, "far"), (180, "son")]);
}

#[test]
fn a_danger_to_life_is_told_to_everybody_at_once() {
    for rule in [Rule::Smoke, Rule::Gas, Rule::CarbonMonoxide] {
        let mut home = Home::new(family()).at_hour(3);
        let actions = home.raise(finding(rule, Class::Alarm, Some("smoke-1"), 1));
        assert_eq!(told(&actions).len(), 4);
    }
}

#[test]
fn what_would_happen_is_what_happens() {
    let mut contacts = family();
    contacts[2].hours = office();
    let household = household(anju_model::Language::En, contacts.clone());
    let at = jiff::civil::date(2026, 11, 23).at(3, 0, 0, 0);
    let outlook = outlook::outlook(&household, &Rule::Help, Class::Alarm, at);
    let mut home = Home::new(contacts).at_hour(3);
    let first = home.press();
    let mut happened: Vec<(u64, String)> =
        told(&first).iter().map(|(who, _)| (0, (*who).to_owned())).collect();
    let hour = home.pass(3600);
    happened.extend(calls(&hour).iter().map(|(at, who)| (*at, (*who).to_owned())));
    let would: Vec<(u64, String)> =
        outlook.iter().map(|try_| (try_.after.as_secs(), try_.contact.to_string())).collect();
    assert!(!would.is_empty() && would.len() < happened.len(), "each is shown once");
    assert!(would.iter().all(|w| happened.contains(w)), "{would:?} {happened:?}");
    assert!(would.iter().all(|(_, who)| who != "neighbour"), "not on duty at three");
}

#[test]
fn lights_show_each_alarm_that_nobody_took_on_and_are_not_switched_in_gas() {
    let mut home = Home::new(family());
    let shown = |actions: &[Action]| -> Vec<(bool, bool)> {
        let lights = actions.iter().filter_map(|action| match action {
            Action::Lights(lights) => Some((lights.alert.is_some(), lights.may_spark)),
            _ => None,
        });
        lights.collect()
    };
    let leak = home.raise(finding(Rule::Leak, Class::Warning, Some("leak"), 1));
    assert_eq!(shown(&leak), []);
    let door = home.raise(finding(Rule::DoorAtNight, Class::Alarm, Some("door"), 2));
    assert_eq!(shown(&door), [(true, true)]);
    let gas = home.raise(finding(Rule::Gas, Class::Alarm, Some("gas"), 3));
    assert_eq!(shown(&gas), [(true, false)]);
    let open = home.book.open();
    let of =
        |rule: Rule| open.iter().find(|a| a.subject.rule == rule).unwrap().subject.alert.clone();
    let (door, gas) = (of(Rule::DoorAtNight), of(Rule::Gas));
    let accept = |alert: &AlertId| Command::Accept { alert: alert.clone(), minutes: None };
    let (actions, _) = home.command("daughter", accept(&door));
    assert_eq!(shown(&actions), [(true, false)], "the other alarm now");
    let (actions, _) = home.command("daughter", accept(&gas));
    assert_eq!(shown(&actions), [(false, false)]);
    let (outcome, note) = (Outcome::Real, String::new());
    let close = Command::Close { alert: gas, outcome, note };
    let (actions, _) = home.command("daughter", close);
    assert_eq!(shown(&actions), [(false, true)]);
}

#[test]
fn an_alarm_says_whose_it_is() {
    let mut home = Home::new(family());
    let mut press = finding(Rule::Help, Class::Alarm, Some("sos"), 1);
    press.origin.as_mut().unwrap().person = Some("wang".parse().unwrap());
    let clips = home.raise(press).into_iter().find_map(|action| match action {
        Action::Announce(said) => Some(said.clips),
        _ => None,
    });
    assert_eq!(clips.unwrap().last(), Some(&Clip::Person("wang".parse().unwrap())));
}
