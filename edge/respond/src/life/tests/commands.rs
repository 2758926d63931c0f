//! What humans ask, and what the box refuses.

use anju_model::command::{Command, Request};
use anju_model::config::ChannelKind;
use anju_model::{AlertChange, AlertId, AlertStep, Class, Outcome, Rule};

use super::home::*;
use crate::life::{Action, Answer, Clip, Input, RefusedCommand, Stage};
use crate::prompts::PromptId;

fn nowhere() -> AlertId {
    AlertId::from_wire("hz-000123/1/9").unwrap()
}

#[test]
fn what_is_not_known_is_refused() {
    let mut home = Home::new(family());
    for command in [
        Command::Accept { alert: nowhere(), minutes: None },
        Command::Arrived { alert: nowhere() },
        Command::Close { alert: nowhere(), outcome: Outcome::Real, note: String::new() },
        Command::FollowUp { alert: nowhere(), note: String::new() },
    ] {
        let (actions, answer) = home.command("page", command);
        assert_eq!(answer, Err(RefusedCommand::UnknownAlert(nowhere())));
        assert_eq!(actions, []);
    }
    let (_, answer) = home.command("page", Command::Away { until: None });
    assert_eq!(answer, Err(RefusedCommand::NotAboutAnAlert("away")));
}

#[test]
fn a_closed_alert_can_be_followed_up_and_nothing_else() {
    let mut home = Home::new(family());
    home.press();
    let alert = home.only();
    let follow_up = Command::FollowUp { alert: alert.clone(), note: "well again".into() };
    let (_, answer) = home.command("social-worker", follow_up.clone());
    assert_eq!(answer, Err(RefusedCommand::StillOpen(alert.clone())));
    home.close("daughter");
    let refused =
        Err(RefusedCommand::AlreadyClosed { alert: alert.clone(), by: "daughter".into() });
    let accept = Command::Accept { alert: alert.clone(), minutes: None };
    assert_eq!(home.command("centre", accept).1, refused);
    let close =
        Command::Close { alert: alert.clone(), outcome: Outcome::Real, note: String::new() };
    assert_eq!(home.command("centre", close.clone()).1, refused);
    assert_eq!(home.command("daughter", close), (vec![], Ok(())), "the same again is no error");
    let other =
        Command::Close { alert: alert.clone(), outcome: Outcome::False, note: String::new() };
    assert_eq!(home.command("daughter", other).1, refused, "another outcome is not the same");
    let (actions, answer) = home.command("social-worker", follow_up);
    assert_eq!((steps(&actions), answer), (vec!["followed_up"], Ok(())));
    // All this holds after a restart too.
    let mut home = home.restarted();
    assert_eq!(home.book.open_count(), 0);
    let accept = Command::Accept { alert, minutes: None };
    assert_eq!(home.command("centre", accept).1, refused);
}

#[test]
fn the_same_command_is_carried_out_once() {
    let mut home = Home::new(family());
    home.press();
    let request = |id: &str, minutes| Request {
        id: id.to_owned(),
        by: "daughter".into(),
        via: "ntfy".into(),
        command: Command::Accept { alert: AlertId::from_wire("hz-000123/1/101").unwrap(), minutes },
    };
    let mut send = |r: Request| home.input(Input::Request(r));
    assert_eq!(steps(&send(request("a", Some(30))).actions), ["accepted"]);
    assert_eq!(send(request("a", Some(30))).actions, []);
    assert_eq!(send(request("b", Some(30))).actions, []);
    assert_eq!(steps(&send(request("c", Some(20))).actions), ["accepted"], "a new estimate");
    assert_eq!(send(request("d", Some(9999))).answer, Err(RefusedCommand::TooManyMinutes(9999)));
    assert_eq!(send(request("d", Some(9999))).answer, Err(RefusedCommand::TooManyMinutes(9999)));
    let long = "x".repeat(257);
    assert_eq!(send(request(&long, None)).answer, Err(RefusedCommand::IdTooLong));
}

#[test]
fn an_operator_who_is_no_contact_may_accept() {
    let mut home = Home::new(family());
    home.press();
    let actions = home.accept("Operator 7 of the centre", Some(15));
    assert_eq!(steps(&actions), ["accepted"]);
    assert!(notices(&actions)[0].full.body.contains("Operator 7"));
    assert!(home.pass(24 * 60).is_empty());
    assert!(!home.pass(2 * 60).is_empty(), "and lapses like anybody");
}

#[test]
fn long_words_are_shortened() {
    let mut home = Home::new(family());
    home.press();
    let alert = home.only();
    let command = Command::Close { alert, outcome: Outcome::False, note: "x".repeat(10_000) };
    let (_, answer) = home.command(&"长".repeat(5000), command);
    assert_eq!(answer, Ok(()));
    let data = serde_json::to_string(&home.recorded.last().unwrap().1).unwrap();
    assert!(data.len() < 2000, "{}", data.len());
}

fn answers(
    home: &mut Home,
    who: &str,
    answer: Answer,
    sent: Option<jiff::Timestamp>,
) -> Vec<Action> {
    let contact = anju_model::ContactId::new(who).unwrap();
    let via = ChannelKind::Sms;
    home.input(Input::Answered { contact, answer, sent, fresh: true, via }).actions
}

#[test]
fn an_answer_without_a_name_is_about_what_its_sender_was_told_of() {
    let mut home = Home::new(family()).at_hour(10);
    home.press();
    assert_eq!(steps(&answers(&mut home, "neighbour", Answer::Accept, None)), [] as [&str; 0]);
    let actions = answers(&mut home, "daughter", Answer::Accept, None);
    assert_eq!(steps(&actions), ["accepted"]);
    let minutes = actions.iter().find_map(|action| match action {
        Action::Record(AlertChange { step: AlertStep::Accepted { minutes, .. }, .. }) => *minutes,
        _ => None,
    });
    assert_eq!(minutes, Some(40), "as far away as the household says");
    assert_eq!(home.stage(), Stage::Accepted);
    let said = actions.iter().find_map(|action| match action {
        Action::Announce(said) => Some(said.clips.clone()),
        _ => None,
    });
    let daughter = Clip::Contact {
        id: anju_model::ContactId::new("daughter").unwrap(),
        otherwise: PromptId::ComingFamily,
    };
    let soon = Clip::Prompt(PromptId::Minutes40);
    assert_eq!(said.unwrap(), [Clip::Prompt(PromptId::Accepted), daughter, soon]);
    assert_eq!(steps(&answers(&mut home, "daughter", Answer::Accept, None)), [] as [&str; 0]);
    assert_eq!(steps(&answers(&mut home, "daughter", Answer::Arrived, None)), ["arrived"]);
}

#[test]
fn who_answers_too_late_is_told_once_that_it_is_over() {
    use crate::life::NoticeKind as K;
    let mut contacts = family();
    contacts.iter_mut().for_each(|c| c.channels.push(ChannelKind::Sms));
    let mut home = Home::new(contacts).at_hour(10);
    home.press();
    home.pass(61);
    let alert = home.only();
    home.accept("daughter", None);
    home.close("daughter");
    let mut pressed = |id: &str, by: &str, via: &str| {
        let command = Command::Accept { alert: alert.clone(), minutes: None };
        let (by, via) = (by.to_owned(), via.to_owned());
        let handled = home.input(Input::Request(Request { id: id.into(), by, via, command }));
        let closed = RefusedCommand::AlreadyClosed { alert: alert.clone(), by: "daughter".into() };
        assert_eq!(handled.answer, Err(closed));
        handled.actions
    };
    let actions = pressed("a", "neighbour", "ntfy");
    assert_eq!(told(&actions), [("neighbour", K::Late)]);
    let late = notices(&actions)[0];
    assert_eq!(late.channels, [ChannelKind::Ntfy]);
    assert!(late.full.body.contains("need not set out"), "{:?}", late.full);
    assert_eq!(pressed("b", "neighbour", "ntfy"), []);
    assert_eq!(pressed("c", "Operator 7", "page"), []);
    assert_eq!(told(&answers(&mut home, "neighbour", Answer::Accept, None)), []);
    // A text names no alert; whoever was not told of it means something else.
    let actions = answers(&mut home, "centre", Answer::Arrived, None);
    assert_eq!((told(&actions), steps(&actions)), (vec![("centre", K::Late)], vec![]));
    assert_eq!(notices(&actions)[0].channels, [ChannelKind::Sms]);
    assert_eq!(answers(&mut home, "centre", Answer::Accept, None), []);
    assert_eq!(answers(&mut home, "community", Answer::Accept, None), []);
    home.pass(25 * 3600);
    assert_eq!(answers(&mut home, "daughter", Answer::Accept, None), []);
}

#[test]
fn an_old_answer_says_nothing_about_a_new_alert() {
    let mut home = Home::new(family()).at_hour(10);
    home.pass(3600);
    home.press();
    let raised = home.wall.unwrap() + std::time::Duration::from_secs(3600);
    let before = raised - std::time::Duration::from_secs(600);
    assert_eq!(
        steps(&answers(&mut home, "daughter", Answer::Accept, Some(before))),
        [] as [&str; 0]
    );
    let after = raised + std::time::Duration::from_secs(20);
    assert_eq!(steps(&answers(&mut home, "daughter", Answer::Accept, Some(after))), ["accepted"]);
}

#[test]
fn an_answer_counts_though_the_clock_is_far_from_it() {
    let mut home = Home::new(family()).at_hour(10);
    let truth = home.wall.unwrap();
    let ahead = truth + std::time::Duration::from_secs(365 * 24 * 3600);
    home.book.set_clock(home.now, Some(ahead));
    home.press();
    let sent = Some(truth + std::time::Duration::from_secs(20));
    let lain = Input::Answered {
        contact: anju_model::ContactId::new("daughter").unwrap(),
        answer: Answer::Accept,
        sent,
        fresh: false,
        via: ChannelKind::Sms,
    };
    assert_eq!(steps(&home.input(lain).actions), [] as [&str; 0], "it may be of long ago");
    assert_eq!(steps(&answers(&mut home, "daughter", Answer::Accept, sent)), ["accepted"]);
}

#[test]
fn an_answer_to_the_first_alarm_says_nothing_about_the_next_of_the_same_kind() {
    let mut home = Home::new(family()).at_hour(10);
    let smoke = |seq| finding(Rule::Smoke, Class::Alarm, Some("smoke-1"), seq);
    home.raise(smoke(1));
    answers(&mut home, "daughter", Answer::Arrived, None);
    home.pass(24 * 3600);
    home.raise(smoke(2));
    let old = home.wall.map(|wall| wall + std::time::Duration::from_secs(3600));
    assert_eq!(steps(&answers(&mut home, "daughter", Answer::Accept, old)), [] as [&str; 0]);
    assert_eq!(home.stage(), Stage::Searching);
}

#[test]
fn an_answer_that_lay_somewhere_counts_only_by_its_time() {
    let mut home = Home::new(family());
    home.press();
    let contact = anju_model::ContactId::new("daughter").unwrap();
    let sent = Some("2026-11-25T06:00:00Z".parse().unwrap());
    let mut stored = |fresh| {
        let (contact, via) = (contact.clone(), ChannelKind::Sms);
        let answer = Answer::Accept;
        steps(&home.input(Input::Answered { contact, answer, sent, fresh, via }).actions).len()
    };
    // The box does not know the time.
    assert_eq!(stored(false), 0);
    assert_eq!(stored(true), 1);
}
