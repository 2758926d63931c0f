//! Each path through an alert's life.

use anju_model::command::Command;
use anju_model::{AlertStep, Class, Rule};

use super::home::*;
use crate::life::NoticeKind as K;
use crate::life::{Action, Input, Repeat, SirenPattern, Stage};

#[test]
fn a_press_is_recorded_spoken_shown_and_told_at_once() {
    let mut home = Home::new(family());
    let actions = home.press();
    assert_eq!(steps(&actions), ["raised", "contacted", "contacted"]);
    assert_eq!(said(&actions), ["help-pressed", "cancel-hint"]);
    assert_eq!(told(&actions), [("daughter", K::Call), ("centre", K::Call)]);
    assert!(
        actions.iter().any(|a| matches!(a, Action::Sound { pattern: SirenPattern::Attract, .. }))
    );
    let alert = home.only();
    assert_eq!(alert.as_str(), "hz-000123/1/101");
    let Some((_, first)) = home.recorded.first() else { panic!() };
    assert_eq!(first.subject.text, "Mrs Wang's home: the 卧室报警按钮 in the bedroom was pressed");
    assert_eq!(first.subject.code, 101);
    assert_eq!(first.subject.person.as_ref().unwrap().as_str(), "wang");
}

#[test]
fn the_sentence_reads_well_in_mandarin() {
    let mut home = Home::of(household(anju_model::Language::ZhCn, family()));
    let actions = home.press();
    assert_eq!(home.recorded[0].1.subject.text, "王奶奶家：卧室的报警按钮被按下");
    let notice = notices(&actions)[0];
    assert_eq!(notice.full.title, "告警：王奶奶家");
    assert_eq!(notice.full.body, "王奶奶家：卧室的报警按钮被按下。请尽快回应。");
    assert!(!notice.discreet.body.contains("王奶奶") && !notice.discreet.body.contains("卧室"));
}

#[test]
fn steps_follow_each_other_until_somebody_accepts() {
    let mut home = Home::new(family());
    home.press();
    let passed = home.pass(400);
    assert_eq!(
        calls(&passed),
        [
            (60, "neighbour"),
            (120, "community"),
            // The round's last window, then 30 s.
            (210, "daughter"),
            (210, "centre"),
            (270, "neighbour"),
            (330, "community"),
        ]
    );
    let actions = home.accept("neighbour", Some(5));
    assert_eq!(steps(&actions), ["accepted"]);
    assert_eq!(said(&actions), ["accepted", "minutes-5"]);
    let others: Vec<_> = told(&actions);
    assert_eq!(
        others,
        [("centre", K::Accepted), ("community", K::Accepted), ("daughter", K::Accepted)]
    );
    assert!(notices(&actions)[0].full.body.contains("name of neighbour"));
    assert_eq!(calls(&home.pass(800)), []);
}

#[test]
fn rounds_never_end_and_their_pauses_grow_to_a_cap() {
    let mut home = Home::new(vec![contact("only", anju_model::config::ContactRole::Family, 1)]);
    home.press();
    let times: Vec<u64> = calls(&home.pass(6 * 3600)).iter().map(|c| c.0).collect();
    // Sixteen rounds of 60 s window and 30 s pause, then windows and 10 minutes.
    assert_eq!(times[..15], (1..=15).map(|n| n * 90).collect::<Vec<_>>());
    assert_eq!(times[15], 15 * 90 + 660);
    assert!(times[15..].windows(2).all(|w| w[1] - w[0] == 660));
    assert!(times.last().unwrap() + 660 > 6 * 3600, "silence ended the search: {times:?}");
}

#[test]
fn the_second_round_says_that_nobody_answered_yet_and_smoke_goes_on_saying_leave() {
    let mut home = Home::new(family());
    home.press();
    let passed: Vec<Action> = home.pass(211).into_iter().map(|(_, a)| a).collect();
    assert_eq!(said(&passed), ["nobody-yet"]);
    let mut home = Home::new(family());
    let actions = home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), 1));
    let Some(Action::Announce(spoken)) = actions.iter().find(|a| matches!(a, Action::Announce(_)))
    else {
        panic!()
    };
    assert_eq!(spoken.repeat, Repeat::UntilQuiet);
    assert_eq!(spoken.clips.len(), 2, "the danger and the room: {:?}", spoken.clips);
    let passed: Vec<Action> = home.pass(1000).into_iter().map(|(_, a)| a).collect();
    assert_eq!(said(&passed), [] as [&str; 0]);
}

#[test]
fn who_accepted_and_does_not_come_lapses_and_others_are_tried() {
    let mut home = Home::new(family());
    home.press();
    home.accept("daughter", None);
    assert_eq!(home.stage(), Stage::Accepted);
    // The household says 40 minutes; ten minutes of grace.
    let passed = home.pass(50 * 60);
    let lapse = 50 * 60;
    let actions: Vec<Action> = passed.iter().map(|(_, a)| a.clone()).collect();
    assert_eq!(passed.iter().map(|p| p.0).min(), Some(lapse));
    assert_eq!(steps(&actions), ["lapsed", "contacted"]);
    assert_eq!(told(&actions), [("daughter", K::Lapsed), ("centre", K::Call)]);
    assert!(said(&actions).contains(&"lapsed"));
    // She is left out of the first round, and tried again in the second.
    assert_eq!(
        calls(&home.pass(211)),
        [
            (lapse + 60, "neighbour"),
            (lapse + 120, "community"),
            (lapse + 210, "daughter"),
            (lapse + 210, "centre"),
        ]
    );
}

#[test]
fn a_lapse_of_the_only_contact_tries_them_again() {
    let mut home = Home::new(vec![contact("only", anju_model::config::ContactRole::Family, 1)]);
    home.press();
    home.accept("only", Some(10));
    let passed = home.pass(20 * 60);
    let actions: Vec<Action> = passed.into_iter().map(|(_, a)| a).collect();
    assert_eq!(told(&actions), [("only", K::Lapsed), ("only", K::Call)]);
}

#[test]
fn while_one_of_two_still_comes_nobody_else_is_tried() {
    let mut home = Home::new(family());
    home.press();
    home.accept("neighbour", Some(1));
    home.accept("daughter", Some(60));
    let passed: Vec<Action> = home.pass(30 * 60).into_iter().map(|(_, a)| a).collect();
    assert_eq!(steps(&passed), ["lapsed"]);
    assert_eq!(told(&passed), [("neighbour", K::Lapsed)]);
    assert_eq!(home.stage(), Stage::Accepted);
}

#[test]
fn arrival_ends_the_wait_and_only_a_human_closes() {
    let mut home = Home::new(family());
    home.press();
    home.accept("daughter", Some(10));
    let alert = home.only();
    let (actions, answer) = home.command("daughter", Command::Arrived { alert });
    assert_eq!((steps(&actions), answer), (vec!["arrived"], Ok(())));
    assert_eq!(said(&actions), ["arrived"]);
    assert_eq!(home.pass(7 * 24 * 3600), []);
    assert_eq!(home.stage(), Stage::Arrived);
    let actions = home.close("daughter");
    assert_eq!(steps(&actions), ["closed"]);
    assert_eq!(told(&actions), [("centre", K::Closed)]);
    assert_eq!(said(&actions), ["alert-closed"]);
    assert!(actions.iter().any(|a| matches!(a, Action::Withdraw { .. })));
    assert_eq!((home.book.open_count(), home.book.next_tick()), (0, None));
}

#[test]
fn a_cancel_is_told_and_still_gets_a_call_back() {
    let mut home = Home::new(family());
    home.press();
    home.pass(5);
    let actions = home.cancel("sos-bedroom");
    assert_eq!(steps(&actions), ["cancelled"]);
    assert_eq!(said(&actions), ["cancel-told"]);
    assert_eq!(told(&actions), [("centre", K::Cancelled), ("daughter", K::Cancelled)]);
    assert!(actions.contains(&Action::Hush));
    assert_eq!(home.stage(), Stage::Cancelled);
    // Cancelling again changes nothing; the others are asked to call back, for ever if need be.
    assert_eq!(home.cancel("sos-bedroom"), []);
    let passed = home.pass(24 * 3600);
    assert_eq!(calls(&passed)[..2], [(60, "neighbour"), (120, "community")]);
    let actions: Vec<Action> = passed.into_iter().map(|(_, a)| a).collect();
    assert!(notices(&actions).iter().all(|n| n.kind == K::CallBack));
    assert!(notices(&actions).len() > 100);
    assert_eq!(home.book.open_count(), 1);
}

#[test]
fn a_press_after_a_cancel_calls_for_help_again() {
    let mut home = Home::new(family());
    home.press();
    home.cancel("sos-bedroom");
    let actions = home.press();
    assert_eq!(steps(&actions), ["repeated", "contacted", "contacted"]);
    assert_eq!(told(&actions), [("daughter", K::Call), ("centre", K::Call)]);
    assert!(actions.iter().any(|a| matches!(a, Action::Sound { .. })));
    assert_eq!(home.stage(), Stage::Searching);
}

#[test]
fn pressing_again_is_counted_answered_and_never_a_cancel() {
    let mut home = Home::new(family());
    home.press();
    let actions = home.press();
    assert_eq!(steps(&actions), ["repeated"]);
    assert_eq!(said(&actions), ["help-again"]);
    assert_eq!(told(&actions), []);
    let Some(AlertStep::Repeated { entry, count, .. }) =
        home.recorded.last().map(|r| r.1.step.clone())
    else {
        panic!()
    };
    assert_eq!((entry.as_deref(), count), (Some("hz-000123/1/102"), None));
    assert_eq!(home.book.get(&home.only()).unwrap().count, 2);
}

#[test]
fn a_press_after_acceptance_starts_the_search_again_and_tells_who_accepted() {
    let mut contacts = family();
    contacts[0].step = Some(2);
    let mut home = Home::new(contacts);
    home.press();
    home.pass(70);
    home.accept("daughter", Some(40));
    let actions = home.press();
    assert_eq!(steps(&actions), ["repeated", "contacted"]);
    assert_eq!(told(&actions), [("centre", K::Call), ("daughter", K::Again)]);
    assert_eq!(said(&actions), ["help-pressed", "cancel-hint"]);
    assert_eq!(home.stage(), Stage::Searching);
    // A press after arrival as well: who was there may have left.
    let alert = home.only();
    home.command("daughter", Command::Arrived { alert }).1.unwrap();
    assert_eq!(steps(&home.press()), ["repeated", "contacted"]);
}

#[test]
fn a_detector_that_repeats_itself_does_not_start_the_search_again() {
    let mut home = Home::new(family());
    home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), 1));
    home.accept("daughter", None);
    let actions = home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), 2));
    assert_eq!((steps(&actions), told(&actions)), (vec!["repeated"], vec![]));
}

#[test]
fn what_ends_by_itself_is_told_but_an_alarm_stays_open() {
    let mut home = Home::new(family());
    home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), 1));
    let actions = home.over(Rule::Smoke, Some("smoke-1"));
    assert_eq!(steps(&actions), [] as [&str; 0]);
    let all = ["centre", "community", "daughter", "neighbour"].map(|who| (who, K::Over));
    assert_eq!(told(&actions), all);
    assert_eq!(told(&home.over(Rule::Smoke, Some("smoke-1"))), [], "a flapping detector");
    assert_eq!(home.stage(), Stage::Searching);
    // What is less than an alarm is closed by it.
    home.raise(finding(Rule::NotUp, Class::Warning, None, 5));
    let actions = home.over(Rule::NotUp, None);
    assert_eq!(steps(&actions), ["closed"]);
    assert_eq!(told(&actions), [("daughter", K::Closed)]);
}

#[test]
fn an_outage_that_comes_to_light_makes_nobody_late_who_accepted_after_it() {
    let hours = std::time::Duration::from_secs(10 * 3600);
    for (began, lapsed) in [(0, false), (60_000, true)] {
        let began = anju_model::Moment(began);
        let outage = anju_model::CaughtUp { began, by: hours };
        let mut home = Home::new(family());
        home.pass(1);
        home.press();
        home.pass(1);
        home.accept("daughter", Some(20));
        home.pass(300);
        home.book.catch_up(outage);
        home.now = home.now.after(hours);
        let passed: Vec<_> = home.pass(60).into_iter().map(|(_, action)| action).collect();
        assert_eq!(steps(&passed).contains(&"lapsed"), lapsed, "{:?}", steps(&passed));
        let passed: Vec<_> = home.pass(25 * 60).into_iter().map(|(_, action)| action).collect();
        assert_eq!(steps(&passed).contains(&"lapsed"), !lapsed, "{:?}", steps(&passed));
    }
}

#[test]
fn what_is_open_about_a_device_that_is_taken_away_is_closed_but_no_alarm() {
    let mut home = Home::new(family());
    home.raise(finding(Rule::Heat, Class::Warning, Some("radar"), 1));
    home.raise(finding(Rule::DeviceLow, Class::Fault, Some("radar"), 2));
    home.raise(finding(Rule::Fall, Class::Alarm, Some("radar"), 3));
    home.raise(finding(Rule::Heat, Class::Warning, Some("door"), 4));
    home.raise(finding(Rule::NotUp, Class::Warning, None, 5));
    home.raise(finding(Rule::Heat, Class::Warning, Some("never-configured"), 6));
    let mut household = (*home.household).clone();
    household.devices.retain(|d| d.id.as_str() != "radar");
    let household = std::sync::Arc::new(household);
    let texts = std::sync::Arc::new(crate::texts::Texts::new(household.language));
    let actions = home.book.configure(home.now, household.clone(), texts.clone());
    assert_eq!(steps(&actions), ["closed", "closed"]);
    assert!(
        told(&actions).iter().all(|(_, kind)| *kind == K::Closed),
        "nothing is said to be normal"
    );
    let open: Vec<_> = home.book.open().into_iter().map(|a| a.subject.rule).collect();
    assert_eq!(open.len(), 4);
    assert!(open.contains(&Rule::Fall) && !open.contains(&Rule::DeviceLow));
    assert_eq!(steps(&home.book.configure(home.now, household, texts)), [] as [&str; 0]);
}

#[test]
fn announced_is_recorded_when_it_was_heard_and_once() {
    let mut home = Home::new(family());
    home.press();
    let alert = home.only();
    let heard = |by: &str| Input::Announced { alert: alert.clone(), by: by.to_owned() };
    assert_eq!(steps(&home.input(heard("speaker")).actions), ["announced"]);
    assert_eq!(home.input(heard("speaker")).actions, []);
    assert_eq!(steps(&home.input(heard("siren")).actions), ["announced"]);
    assert_eq!(home.book.get(&alert).unwrap().announced_by, ["siren", "speaker"]);
}

#[test]
fn the_siren_stops_by_itself_but_not_for_smoke() {
    let mut home = Home::new(family());
    home.press();
    let hush = home.pass(3600).into_iter().find(|(_, a)| *a == Action::Hush);
    assert_eq!(hush, Some((300, Action::Hush)));
    home.raise(finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), 1));
    assert!(home.pass(3600).into_iter().all(|(_, a)| a != Action::Hush));
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut home = Home::new(family());
    home.press();
    home.pass(70);
    // Down for half a minute, in the neighbour's window.
    let mut home = home.restarted();
    home.now = home.now.after(std::time::Duration::from_secs(30));
    let actions = home.resume();
    assert_eq!(said(&actions), ["help-pressed", "cancel-hint"]);
    assert!(actions.iter().any(|a| matches!(a, Action::Sound { .. })));
    assert_eq!(steps(&actions), [] as [&str; 0]);
    // Nothing says that the neighbour's message was handed over, so it is sent again.
    assert_eq!(told(&actions), [("neighbour", K::Call)]);
    assert_eq!(calls(&home.pass(100)), [(120, "community")]);
}

#[test]
fn a_restart_between_two_contacts_of_a_step_skips_none() {
    let mut home = Home::new(family());
    home.press();
    home.recorded.truncate(2);
    let mut home = home.restarted();
    let actions = home.resume();
    assert_eq!(steps(&actions), ["contacted"]);
    assert_eq!(told(&actions), [("daughter", K::Call), ("centre", K::Call)]);
}

#[test]
fn a_restart_after_acceptance_calls_nobody() {
    let mut home = Home::new(family());
    home.press();
    home.accept("daughter", Some(30));
    let mut home = home.restarted();
    assert_eq!(home.resume(), []);
    assert_eq!(home.pass(39 * 60), []);
    assert!(!home.pass(120).is_empty(), "the lapse is not forgotten");
}
