//! A household to test with, and short ways to write what happens in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anju_model::command::{Command, Request};
use anju_model::config::{
    Binding, ChannelKind, Channels, Contact, ContactRole, Device, Guard, Hours, Household,
    JournalLimits, MqttBinding, Person, Speaker, Web,
};
use anju_model::observation::Origin;
use anju_model::{
    AlertChange, AlertId, BoxId, Class, ContactId, DeviceId, DeviceKind, EntryId, Finding,
    Language, LinkId, Moment, Outcome, PersonId, Raise, RoomId, Rule,
};

use crate::life::{Action, Book, Handled, Input, Notice, NoticeKind, RefusedCommand, Stage};
use crate::texts::Texts;

pub fn contact(id: &str, role: ContactRole, step: u32) -> Contact {
    Contact {
        id: ContactId::new(id).unwrap(),
        name: format!("name of {id}"),
        role,
        phone: None,
        channels: vec![ChannelKind::Ntfy],
        window: Duration::from_secs(60),
        step: Some(step),
        hours: Hours::Always,
        minutes_away: None,
        ntfy_topic: Some(format!("topic-{id}")),
        mail: None,
    }
}

fn device(id: &str, kind: DeviceKind, name: &str, room: &str) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        kind,
        name: name.to_owned(),
        room: Some(RoomId::new(room).unwrap()),
        person: None,
        link: LinkId::new("zigbee").unwrap(),
        binding: Binding::Mqtt(MqttBinding { address: id.to_owned(), on_watts: 15 }),
        heard_within: None,
        announces: None,
    }
}

pub fn household(language: Language, contacts: Vec<Contact>) -> Household {
    Household {
        box_id: BoxId::new("hz-000123").unwrap(),
        language,
        timezone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
        service: None,
        persons: vec![Person {
            id: PersonId::new("wang").unwrap(),
            name: if language == Language::ZhCn { "王奶奶" } else { "Mrs Wang" }.to_owned(),
            risks: Vec::new(),
            vital: anju_model::config::OwnRange::default(),
        }],
        zones: Vec::new(),
        contacts,
        channels: Channels::default(),
        links: BTreeMap::new(),
        devices: vec![
            device("sos-bedroom", DeviceKind::FixedAlarm, "卧室报警按钮", "bedroom"),
            device("radar", DeviceKind::FallDetector, "", "bathroom"),
            device("smoke-1", DeviceKind::Smoke, "", "kitchen"),
            device("door", DeviceKind::DoorContact, "", "hall"),
        ],
        guard: Guard::default(),
        upstream: None,
        web: Web::default(),
        speaker: Speaker::default(),
        case: None,
        modem: anju_model::config::Modem::default(),
        journal: JournalLimits::default(),
    }
}

/// Daughter and centre at once, then the neighbour, then the community.
pub fn family() -> Vec<Contact> {
    let mut daughter = contact("daughter", ContactRole::Family, 1);
    daughter.minutes_away = Some(40);
    vec![
        daughter,
        contact("centre", ContactRole::Centre, 1),
        contact("neighbour", ContactRole::Neighbour, 2),
        contact("community", ContactRole::Community, 3),
    ]
}

pub fn origin(id: &str) -> Origin {
    let (kind, room) = match id {
        "radar" => (DeviceKind::FallDetector, "bathroom"),
        "smoke-1" => (DeviceKind::Smoke, "kitchen"),
        "door" => (DeviceKind::DoorContact, "hall"),
        _ => (DeviceKind::FixedAlarm, "bedroom"),
    };
    Origin {
        device: DeviceId::new(id).unwrap(),
        kind,
        room: Some(RoomId::new(room).unwrap()),
        person: None,
    }
}

pub fn entry(seq: u64) -> EntryId {
    EntryId { box_id: BoxId::new("hz-000123").unwrap(), epoch: 1, seq }
}

pub fn finding(rule: Rule, class: Class, device: Option<&str>, seq: u64) -> Raise {
    Raise {
        rule,
        class,
        origin: device.map(origin),
        cause: entry(seq),
        direct: true,
        since: None,
        count: 1,
        test: false,
        shadow: false,
        lost: None,
        more: false,
    }
}

/// A book with a clock of its own and what it recorded.
pub struct Home {
    pub book: Book,
    pub now: Moment,
    pub recorded: Vec<(Moment, AlertChange)>,
    pub household: Arc<Household>,
    seq: u64,
    pub wall: Option<jiff::Timestamp>,
}

impl Home {
    pub fn new(contacts: Vec<Contact>) -> Self {
        Self::of(household(Language::En, contacts))
    }

    pub fn of(household: Household) -> Self {
        let household = Arc::new(household);
        let texts = Arc::new(Texts::new(household.language));
        let book = Book::new(household.clone(), texts);
        let recorded = Vec::new();
        Self { book, now: Moment(0), recorded, household, seq: 100, wall: None }
    }

    /// Sets the wall clock, in the household's civil time of 2026-11-23 (a Monday).
    pub fn at_hour(mut self, hour: i8) -> Self {
        let civil = jiff::civil::date(2026, 11, 23).at(hour, 0, 0, 0);
        let wall = civil.to_zoned(self.household.timezone.clone()).unwrap().timestamp();
        self.wall = Some(wall);
        self.book.set_clock(self.now, Some(wall));
        self
    }

    fn keep(&mut self, actions: Vec<Action>) -> Vec<Action> {
        for action in &actions {
            if let Action::Record(change) = action {
                self.recorded.push((self.now, change.clone()));
            }
        }
        actions
    }

    pub fn input(&mut self, input: Input) -> Handled {
        let handled = self.book.handle(self.now, input);
        self.keep(handled.actions.clone());
        handled
    }

    pub fn raise(&mut self, raise: Raise) -> Vec<Action> {
        self.input(Input::Finding(Finding::Raise(raise))).actions
    }

    pub fn press(&mut self) -> Vec<Action> {
        self.seq += 1;
        self.raise(finding(Rule::Help, Class::Alarm, Some("sos-bedroom"), self.seq))
    }

    pub fn cancel(&mut self, device: &str) -> Vec<Action> {
        self.seq += 1;
        let (origin, cause) = (origin(device), entry(self.seq));
        self.input(Input::Finding(Finding::Cancel { origin, cause, test: false })).actions
    }

    pub fn over(&mut self, rule: Rule, device: Option<&str>) -> Vec<Action> {
        self.seq += 1;
        let (origin, cause) = (device.map(origin), entry(self.seq));
        self.input(Input::Finding(Finding::Over { rule, origin, cause })).actions
    }

    pub fn command(
        &mut self,
        by: &str,
        command: Command,
    ) -> (Vec<Action>, Result<(), RefusedCommand>) {
        self.seq += 1;
        let request = Request {
            id: format!("request-{}", self.seq),
            by: by.to_owned(),
            via: "page".to_owned(),
            command,
        };
        let handled = self.input(Input::Request(request));
        (handled.actions, handled.answer)
    }

    pub fn accept(&mut self, by: &str, minutes: Option<u32>) -> Vec<Action> {
        let alert = self.only();
        let (actions, answer) = self.command(by, Command::Accept { alert, minutes });
        assert_eq!(answer, Ok(()));
        actions
    }

    pub fn close(&mut self, by: &str) -> Vec<Action> {
        let alert = self.only();
        let command = Command::Close { alert, outcome: Outcome::Real, note: String::new() };
        let (actions, answer) = self.command(by, command);
        assert_eq!(answer, Ok(()));
        actions
    }

    /// Lets time pass, ticking whenever the book asks for it.
    pub fn pass(&mut self, seconds: u64) -> Vec<(u64, Action)> {
        let end = self.now.after(Duration::from_secs(seconds));
        let mut all = Vec::new();
        let mut ticks = 0;
        while let Some(next) = self.book.next_tick().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            let actions = self.book.tick(self.now);
            let at = self.now.0 / 1000;
            all.extend(self.keep(actions).into_iter().map(|a| (at, a)));
            ticks += 1;
            assert!(ticks < 200_000, "the book asks for ticks without end");
        }
        self.now = end;
        all
    }

    /// The one open alert.
    pub fn only(&self) -> AlertId {
        let open = self.book.open();
        assert_eq!(open.len(), 1, "{open:?}");
        open[0].subject.alert.clone()
    }

    pub fn stage(&self) -> Stage {
        self.book.get(&self.only()).unwrap().stage
    }

    /// The same book after a restart, from what was recorded.
    pub fn restarted(&self) -> Self {
        let texts = Arc::new(Texts::new(self.household.language));
        let mut book = Book::new(self.household.clone(), texts);
        for (at, change) in &self.recorded {
            book.recall(*at, change);
        }
        book.set_clock(Moment(0), self.wall);
        Self {
            book,
            now: self.now,
            recorded: self.recorded.clone(),
            household: self.household.clone(),
            seq: self.seq + 1000,
            wall: self.wall,
        }
    }

    pub fn resume(&mut self) -> Vec<Action> {
        let actions = self.book.resume(self.now);
        self.keep(actions)
    }
}

/// Names of the steps recorded.
pub fn steps(actions: &[Action]) -> Vec<&'static str> {
    actions
        .iter()
        .filter_map(|a| match a {
            Action::Record(change) => Some(change.step.name()),
            _ => None,
        })
        .collect()
}

pub fn notices(actions: &[Action]) -> Vec<&Notice> {
    actions
        .iter()
        .filter_map(|a| match a {
            Action::Notify(notice) => Some(notice),
            _ => None,
        })
        .collect()
}

/// Who is told what.
pub fn told(actions: &[Action]) -> Vec<(&str, NoticeKind)> {
    notices(actions).into_iter().map(|n| (n.contact.as_str(), n.kind)).collect()
}

/// Who is called when, in seconds.
pub fn calls(timed: &[(u64, Action)]) -> Vec<(u64, &str)> {
    timed
        .iter()
        .filter_map(|(at, a)| match a {
            Action::Notify(n) if n.kind.answerable() => Some((*at, n.contact.as_str())),
            _ => None,
        })
        .collect()
}

/// The prompts said, by id.
pub fn said(actions: &[Action]) -> Vec<&'static str> {
    use crate::life::Clip;
    actions
        .iter()
        .filter_map(|a| match a {
            Action::Announce(said) => Some(&said.clips),
            _ => None,
        })
        .flatten()
        .filter_map(|clip| match clip {
            Clip::Prompt(id) => Some(id.as_str()),
            _ => None,
        })
        .collect()
}
