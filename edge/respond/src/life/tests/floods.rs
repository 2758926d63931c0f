//! Floods: bounded memory, and a real press in the middle gets through.

use anju_model::delivery::{DeliveryState, Message};
use anju_model::observation::Origin;
use anju_model::{Class, Delivery, DeviceId, DeviceKind, Finding, Rule};

use super::home::*;
use crate::life::NoticeKind as K;
use crate::life::{Action, Input, MAX_OPEN_PER_CLASS};

fn flood(home: &mut Home, rule: &Rule, class: Class, devices: u64) {
    for n in 0..devices {
        let mut raise = finding(rule.clone(), class, None, 1000 + n);
        raise.origin = Some(Origin {
            device: DeviceId::new(&format!("broken-{n}")).unwrap(),
            kind: DeviceKind::WaterLeak,
            room: None,
            person: None,
        });
        home.raise(raise);
    }
}

#[test]
fn a_sensor_that_shouts_a_thousand_times_is_one_alert() {
    let mut home = Home::new(family());
    let mut notices_sent = 0;
    for n in 0..1000 {
        let actions = home.raise(finding(Rule::Leak, Class::Alarm, Some("smoke-1"), 200 + n));
        notices_sent += notices(&actions).len();
    }
    assert_eq!(home.book.open_count(), 1);
    assert_eq!(notices_sent, 2);
    let actions = home.press();
    assert_eq!(steps(&actions), ["raised", "contacted", "contacted"]);
    assert_eq!(told(&actions), [("daughter", K::Call), ("centre", K::Call)]);
}

#[test]
fn open_alerts_are_bounded_and_help_is_always_taken() {
    let mut home = Home::new(family());
    flood(&mut home, &Rule::Leak, Class::Alarm, 1000);
    flood(&mut home, &Rule::Trouble, Class::Fault, 1000);
    assert_eq!(home.book.open_of_class(Class::Alarm), MAX_OPEN_PER_CLASS);
    assert_eq!(home.book.open_of_class(Class::Fault), MAX_OPEN_PER_CLASS);
    let counted: u64 = home.book.open().iter().map(|a| a.count).sum();
    assert_eq!(counted, 2000, "what is beyond is counted");
    let actions = home.press();
    assert_eq!(steps(&actions)[0], "raised");
    assert!(actions.iter().any(|a| matches!(a, Action::Announce(_))));
    assert_eq!(told(&actions).len(), 2);
}

#[test]
fn five_thousand_presses_are_handled_quickly() {
    let mut home = Home::new(family());
    flood(&mut home, &Rule::Help, Class::Alarm, 50);
    let begin = std::time::Instant::now();
    for round in 0..100 {
        flood(&mut home, &Rule::Help, Class::Alarm, 50);
        let _ = (round, home.book.next_tick());
    }
    // A press a millisecond on a debug build of a slow machine; release builds are far below.
    assert!(begin.elapsed().as_millis() < 10_000, "{:?}", begin.elapsed());
    assert_eq!(home.recorded.iter().filter(|r| r.1.step.name() == "repeated").count(), 5000);
}

#[test]
fn a_thousand_alerts_of_one_kind_are_a_few_messages() {
    let mut home = Home::new(family());
    let (mut told_of, mut spoken) = (0, 0);
    for n in 0..1000 {
        let mut raise = finding(Rule::Leak, Class::Alarm, None, 1000 + n);
        let device = DeviceId::new(&format!("broken-{n}")).unwrap();
        raise.origin =
            Some(Origin { device, kind: DeviceKind::WaterLeak, room: None, person: None });
        let actions = home.raise(raise);
        told_of += notices(&actions).len();
        spoken += said(&actions).len();
    }
    assert_eq!((told_of, spoken), (6, 3), "three alerts to two people");
    assert_eq!(told(&home.press()).len(), 2, "a press in the middle gets through");
}

#[test]
fn what_comes_and_goes_is_told_of_once_in_a_while() {
    let mut home = Home::new(family()).at_hour(10);
    let mut told_of = 0;
    for minute in 0..24 * 24 {
        let raised =
            home.raise(finding(Rule::DeviceSilent, Class::Fault, Some("door"), 10 + minute));
        told_of += notices(&raised).len();
        told_of += calls(&home.pass(120)).len();
        home.over(Rule::DeviceSilent, Some("door"));
        told_of += calls(&home.pass(30)).len();
    }
    assert!((2..=4).contains(&told_of), "{told_of} in a day");
    assert_eq!(home.recorded.iter().filter(|r| r.1.step.name() == "raised").count(), 24 * 24);
    // What stays is told of when the pause is over.
    home.raise(finding(Rule::DeviceSilent, Class::Fault, Some("door"), 9000));
    assert!(!calls(&home.pass(24 * 3600)).is_empty());
}

#[test]
fn an_open_alert_does_not_keep_the_box_awake() {
    let mut home = Home::new(family()).at_hour(10);
    home.press();
    let wall = home.wall.unwrap();
    for second in 1..30 {
        let now = home.now.after(std::time::Duration::from_secs(second));
        home.book.set_clock(now, Some(wall + std::time::Duration::from_secs(second)));
        assert!(home.book.next_tick().unwrap() > now, "a clock that goes on is no reason to look");
    }
}

fn lose(home: &mut Home, devices: std::ops::Range<u64>) -> Vec<Action> {
    let lost = devices.flat_map(|n| {
        let mut raise = finding(Rule::DeviceSilent, Class::Fault, None, 1000 + n);
        raise.origin = Some(sensor(n));
        home.raise(raise)
    });
    lost.collect()
}

fn find(home: &mut Home, devices: std::ops::Range<u64>) -> Vec<Action> {
    let found = devices.flat_map(|n| {
        let (rule, origin) = (Rule::DeviceSilent, Some(sensor(n)));
        let cause = entry(5000 + n);
        home.now = home.now.after(std::time::Duration::from_millis(1));
        let over = Input::Finding(Finding::Over { rule, origin, cause });
        let mut actions = home.input(over).actions;
        actions.extend(home.pass(0).into_iter().map(|(_, action)| action));
        actions
    });
    found.collect()
}

fn sensor(n: u64) -> Origin {
    let device = DeviceId::new(&format!("sensor-{n}")).unwrap();
    Origin { device, kind: DeviceKind::Motion, room: None, person: None }
}

#[test]
fn a_bridge_that_starts_anew_is_told_to_nobody() {
    for settled in [6, 15] {
        let mut home = Home::new(family()).at_hour(10);
        let mut actions = lose(&mut home, 0..40);
        actions.extend(home.raise(finding(Rule::Unguarded, Class::Fault, None, 1)));
        assert_eq!(steps(&actions), ["raised"; 41], "it is known at once");
        actions.extend(home.pass(settled / 2).into_iter().map(|(_, a)| a));
        assert_eq!(told(&home.press()), [("daughter", K::Call), ("centre", K::Call)]);
        actions.extend(home.pass(settled / 2).into_iter().map(|(_, a)| a));
        actions.extend(home.over(Rule::Unguarded, None));
        actions.extend(find(&mut home, 0..40));
        actions.extend(home.pass(50).into_iter().map(|(_, a)| a));
        assert_eq!((told(&actions), said(&actions)), (vec![], vec![]));
    }
}

#[test]
fn a_long_loss_is_a_few_messages_and_so_is_its_end() {
    let mut home = Home::new(family()).at_hour(10);
    lose(&mut home, 0..40);
    assert_eq!(calls(&home.pass(300)), [(90, "centre"); 3]);
    let end = find(&mut home, 0..40);
    assert_eq!(told(&end), [("centre", K::Closed); 3]);
    assert_eq!(steps(&end), ["closed"; 40]);
    assert_eq!(calls(&home.pass(24 * 3600)), []);
}

#[test]
fn what_stays_lost_when_the_others_are_back_is_told_in_the_end() {
    let mut home = Home::new(family()).at_hour(8);
    lose(&mut home, 0..40);
    home.pass(100);
    assert_eq!(told(&find(&mut home, 0..38)), [("centre", K::Closed); 3]);
    assert_eq!(calls(&home.pass(1000)), [(700, "centre"); 2]);
    // What was never told counts for nothing.
    let mut home = Home::new(family()).at_hour(8);
    lose(&mut home, 0..3);
    home.pass(10);
    find(&mut home, 0..3);
    lose(&mut home, 3..4);
    assert_eq!(calls(&home.pass(600)), [(100, "centre")]);
}

#[test]
fn that_more_is_lost_does_not_begin_the_wait_anew() {
    let mut home = Home::new(family()).at_hour(3);
    home.raise(finding(Rule::Unguarded, Class::Fault, None, 1));
    home.pass(15);
    let more = anju_model::Raise { more: true, ..finding(Rule::Unguarded, Class::Fault, None, 2) };
    home.raise(more.clone());
    assert_eq!(calls(&home.pass(10)), [(20, "centre")]);
    home.raise(anju_model::Raise { cause: entry(3), ..more });
    assert_eq!(home.book.open_count(), 1);
}

#[test]
fn who_could_not_be_told_of_a_fault_is_not_told_of_its_end() {
    for (state, ends) in [(DeliveryState::Failed, 0), (DeliveryState::Sent, 1)] {
        let mut home = Home::new(family()).at_hour(10);
        home.raise(finding(Rule::Tamper, Class::Fault, Some("door"), 1));
        let message = Message {
            alert: home.only(),
            contact: anju_model::ContactId::new("centre").unwrap(),
            channel: "ntfy".to_owned(),
            attempt: 1,
            detail: None,
            request: None,
        };
        home.input(Input::Delivered(Delivery { state, message }));
        assert_eq!(told(&home.over(Rule::Tamper, Some("door"))).len(), ends);
    }
}
