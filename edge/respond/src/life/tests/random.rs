//! Random lives: whatever happens, in whatever order.

use anju_model::command::{Command, Request};
use anju_model::config::Contact;
use anju_model::{AlertId, Class, Moment, Outcome, Rule};
use proptest::prelude::*;

use super::home::*;
use crate::life::{Action, Input, Stage};

#[derive(Debug, Clone)]
enum Event {
    Raise { rule: usize, class: Class, device: Option<&'static str>, test: bool },
    Over { rule: usize, device: Option<&'static str> },
    Cancel(&'static str),
    Accept { pick: usize, by: usize, minutes: Option<u32> },
    Arrived { pick: usize, by: usize },
    Close { pick: usize, by: usize },
    Pass(u64),
    Restart,
}

const PEOPLE: [&str; 5] = ["daughter", "centre", "neighbour", "community", "Operator 7"];

fn device() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("sos-bedroom")), Just(Some("radar")), Just(Some("smoke-1"))]
}

fn event() -> impl Strategy<Value = Event> {
    let class = prop_oneof![
        4 => Just(Class::Alarm),
        1 => Just(Class::Warning),
        1 => Just(Class::Request),
        1 => Just(Class::Fault)
    ];
    let minutes = prop_oneof![Just(None), (0_u32..90).prop_map(Some)];
    prop_oneof![
        4 => (0..Rule::KNOWN.len(), class, device(), any::<bool>())
            .prop_map(|(rule, class, device, test)| Event::Raise { rule, class, device, test }),
        1 => (0..Rule::KNOWN.len(), device()).prop_map(|(rule, device)| Event::Over { rule, device }),
        1 => prop_oneof![Just("sos-bedroom"), Just("radar")].prop_map(Event::Cancel),
        3 => (0_usize..8, 0..PEOPLE.len(), minutes)
            .prop_map(|(pick, by, minutes)| Event::Accept { pick, by, minutes }),
        1 => (0_usize..8, 0..PEOPLE.len()).prop_map(|(pick, by)| Event::Arrived { pick, by }),
        1 => (0_usize..8, 0..PEOPLE.len()).prop_map(|(pick, by)| Event::Close { pick, by }),
        4 => (1_u64..4000).prop_map(Event::Pass),
        1 => Just(Event::Restart),
    ]
}

fn pick(home: &Home, n: usize) -> Option<AlertId> {
    let open = home.book.open();
    (!open.is_empty()).then(|| open[n % open.len()].subject.alert.clone())
}

fn ask(home: &mut Home, by: usize, command: Command) -> Vec<Action> {
    home.command(PEOPLE[by], command).0
}

fn play(home: &mut Home, event: &Event, seq: u64) -> Vec<Action> {
    match event {
        Event::Raise { rule, class, device, test } => {
            let mut raise = finding(Rule::KNOWN[*rule].clone(), *class, *device, seq);
            raise.test = *test;
            home.raise(raise)
        }
        Event::Over { rule, device } => home.over(Rule::KNOWN[*rule].clone(), *device),
        Event::Cancel(device) => home.cancel(device),
        Event::Accept { pick: n, by, minutes } => pick(home, *n).map_or_else(Vec::new, |alert| {
            ask(home, *by, Command::Accept { alert, minutes: *minutes })
        }),
        Event::Arrived { pick: n, by } => {
            pick(home, *n).map_or_else(Vec::new, |alert| ask(home, *by, Command::Arrived { alert }))
        }
        Event::Close { pick: n, by } => pick(home, *n).map_or_else(Vec::new, |alert| {
            let (outcome, note) = (Outcome::Real, String::new());
            ask(home, *by, Command::Close { alert, outcome, note })
        }),
        Event::Pass(seconds) => home.pass(*seconds).into_iter().map(|(_, a)| a).collect(),
        Event::Restart => {
            *home = home.restarted();
            home.resume()
        }
    }
}

fn check(home: &Home, actions: &[Action]) {
    for view in home.book.open() {
        let searching = matches!(view.stage, Stage::Searching | Stage::Cancelled);
        if view.subject.class == Class::Alarm && searching {
            let next = view.next.expect("an open alarm that nobody accepted has no next tick");
            assert!(home.book.next_tick().expect("some tick") <= next);
        }
        if view.stage == Stage::Accepted {
            assert!(view.next.is_some(), "who accepted is never looked after: {view:?}");
        }
    }
    // Nobody is called about an alert while somebody comes or is there.
    let mut helped: std::collections::HashSet<&AlertId> = std::collections::HashSet::new();
    for action in actions {
        let Action::Record(change) = action else { continue };
        match change.step.name() {
            "accepted" | "arrived" => {
                helped.insert(&change.subject.alert);
            }
            "contacted" => assert!(!helped.contains(&change.subject.alert), "{actions:?}"),
            _ => {
                helped.remove(&change.subject.alert);
            }
        }
    }
}

/// What a book does later, without what is only said or shown.
fn later(home: &mut Home) -> Vec<(u64, Action)> {
    home.pass(5 * 3600)
        .into_iter()
        .filter(|(_, a)| {
            matches!(a, Action::Record(_) | Action::Notify(_) | Action::Withdraw { .. })
        })
        .collect()
}

fn contacts(hours: u8) -> Vec<Contact> {
    let mut contacts = family();
    contacts.truncate(usize::from(hours % 5));
    contacts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_life_panics_or_is_forgotten(
        events in prop::collection::vec(event(), 1..40),
        size in 0_u8..5,
        clock in any::<bool>(),
    ) {
        let mut home = Home::new(contacts(size));
        if clock {
            home = home.at_hour(6);
        }
        for (n, event) in events.iter().enumerate() {
            let actions = play(&mut home, event, n as u64);
            check(&home, &actions);
            let dialled = actions.iter().any(|a| matches!(a, Action::Notify(n)
                if !home.household.contacts.iter().any(|c| c.id == n.contact)));
            prop_assert!(!dialled, "somebody outside the household was told");
        }
    }

    #[test]
    fn what_is_felt_later_is_never_swallowed(
        events in prop::collection::vec(event(), 0..30),
        rule in 0..Rule::KNOWN.len(),
        class in prop_oneof![Just(Class::Alarm), Just(Class::Warning)],
        device in device(),
        restart in any::<bool>(),
    ) {
        let mut home = Home::new(family());
        for (n, event) in events.iter().enumerate() {
            play(&mut home, event, n as u64);
        }
        home.pass(4 * 3600);
        if restart {
            home = home.restarted();
            home.resume();
        }
        let graver = class == Class::Warning
            && home.book.open().iter().any(|a| {
                let s = &a.subject;
                let same = s.rule == Rule::KNOWN[rule] && s.device.as_ref().map(|d| d.as_str()) == device;
                let searching = matches!(a.stage, Stage::Searching | Stage::Cancelled);
                same && s.class == Class::Alarm && !s.test && searching
            });
        let raised = home.raise(finding(Rule::KNOWN[rule].clone(), class, device, 900));
        let open = home.book.open();
        let it = open.iter().find(|a| {
            let s = &a.subject;
            (s.rule.clone(), s.class, s.test) == (Rule::KNOWN[rule].clone(), class, false)
                && s.device.as_ref().map(|d| d.as_str()) == device
        });
        let it = it.unwrap().subject.alert.clone();
        // A warning is held for half an hour, and its rounds are an hour apart in the end.
        let later = home.pass(2 * 3600);
        let told = raised.iter().chain(later.iter().map(|(_, a)| a)).any(|action| {
            matches!(action, Action::Notify(n) if n.alert == it && n.kind.answerable())
        });
        let comes = home.book.get(&it).is_some_and(|a| a.stage == Stage::Accepted);
        prop_assert!(told || graver || comes);
    }

    #[test]
    fn a_restart_at_any_point_changes_nothing_that_follows(
        events in prop::collection::vec(event(), 1..30),
        clock in any::<bool>(),
    ) {
        let mut home = Home::new(family());
        if clock {
            home = home.at_hour(6);
        }
        for (n, event) in events.iter().enumerate() {
            play(&mut home, event, n as u64);
        }
        let mut restarted = home.restarted();
        // What resuming itself does is what was due at that moment anyway, said and sent again.
        let resumed = restarted.resume();
        prop_assert_eq!(steps(&resumed), Vec::<&str>::new());
        prop_assert_eq!(later(&mut home), later(&mut restarted));
    }

    #[test]
    fn any_bytes_as_names_are_survived(by in ".{0,300}", via in ".{0,300}", id in ".{0,300}", note in ".{0,700}") {
        let mut home = Home::new(family());
        home.press();
        let alert = home.only();
        for command in [
            Command::Accept { alert: alert.clone(), minutes: Some(u32::MAX) },
            Command::Accept { alert: alert.clone(), minutes: None },
            Command::Close { alert: alert.clone(), outcome: Outcome::False, note },
        ] {
            let request = Request { id: format!("{id}{}", command.name()), by: by.clone(), via: via.clone(), command };
            let _ = home.book.handle(Moment(5), Input::Request(request));
        }
        let _ = home.book.tick(Moment(u64::MAX));
    }
}
