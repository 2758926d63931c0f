//! Nights and months in virtual time.

use anju_model::config::parse;
use anju_model::{Body, BoxId, Clock, Language, Stamp};
use jiff::{Timestamp, civil};
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR_LONG: Duration = Duration::from_secs(3600);

/// A home whose wall clock is known, or is not.
struct Home {
    prover: Prover,
    now: Moment,
    wall: Option<Timestamp>,
    seq: u64,
    alarm: bool,
    recorded: Vec<(Moment, Entry)>,
}

fn household(contacts: &str) -> Arc<Household> {
    let text = format!(
        "schema = 1\n[box]\nid = \"b\"\ntimezone = \"Asia/Shanghai\"\n{contacts}\
         [channels.ntfy]\nurl = \"https://ntfy.example\"\n[channels.wecom]\nkey_file = \"/k\"\n"
    );
    let parsed = parse(&text, "test");
    assert_eq!(parsed.faults, [], "{text}");
    Arc::new(parsed.household.unwrap())
}

fn family() -> Arc<Household> {
    household(
        "[[contact]]\nid = \"daughter\"\nrole = \"family\"\nntfy_topic = \"d\"\n\
         [[contact]]\nid = \"son\"\nrole = \"family\"\nntfy_topic = \"s\"\n\
         [[contact]]\nid = \"group\"\nrole = \"community\"\nchannels = [\"wecom\"]\n",
    )
}

impl Home {
    /// Begins at noon.
    fn new(household: Arc<Household>) -> Self {
        let noon = civil::date(2026, 11, 23).at(12, 0, 0, 0);
        let wall = noon.to_zoned(household.timezone.clone()).unwrap().timestamp();
        let texts = Arc::new(Texts::new(Language::En));
        let mut home = Self {
            prover: Prover::new(household, texts),
            now: Moment(1_000_000),
            wall: Some(wall),
            seq: 0,
            alarm: false,
            recorded: Vec::new(),
        };
        home.prover.set_clock(home.now, home.wall);
        home.prover.begin(home.now);
        home
    }

    fn local(&self) -> civil::DateTime {
        self.prover.civil.at(self.now).unwrap()
    }

    /// Lets time pass minute by minute; each way that is to be proved gives `result`.
    fn pass(&mut self, long: Duration, result: &dyn Fn(ChannelKind) -> Proof) -> Vec<Task> {
        let mut all = Vec::new();
        let end = self.now.after(long);
        while self.now < end {
            self.now = self.now.after(MINUTE);
            self.wall = self.wall.map(|wall| wall + jiff::SignedDuration::from_secs(60));
            self.prover.set_clock(self.now, self.wall);
            let tasks = self.prover.tick(self.now, self.alarm);
            self.take(tasks, result, &mut all);
        }
        all
    }

    /// Does what a box would do with the tasks.
    fn take(
        &mut self,
        tasks: Vec<Task>,
        result: &dyn Fn(ChannelKind) -> Proof,
        all: &mut Vec<Task>,
    ) {
        for task in tasks {
            all.push(task.clone());
            let next = match task {
                Task::Prove(kind) => self.prover.proved(self.now, kind, result(kind)),
                Task::Ask(contact) => {
                    let entry = self.record(&asking(&contact));
                    self.prover.asked(self.now, &contact, &entry)
                }
                Task::Record(event) => {
                    self.record(&event);
                    Vec::new()
                }
                Task::Notify(_) | Task::Withdraw(_) => Vec::new(),
            };
            self.take(next, result, all);
        }
    }

    fn record(&mut self, event: &BoxEvent) -> EntryId {
        self.seq += 1;
        let id = EntryId { box_id: BoxId::new("b").unwrap(), epoch: 1, seq: self.seq };
        let stamp = Stamp {
            boot: "boot".into(),
            mono_ms: self.now.0,
            wall: self.wall.unwrap_or_default(),
            clock: Clock::Synchronised,
        };
        let entry = Entry { id: id.clone(), stamp, body: Body::Box(event.clone()) };
        self.recorded.push((self.now, entry));
        id
    }

    /// Starts anew from what was recorded.
    fn restart(&mut self) {
        let mut prover = Prover::new(self.prover.household.clone(), self.prover.texts.clone());
        for (at, entry) in &self.recorded {
            let Body::Box(event) = &entry.body else { continue };
            prover.recall(*at, entry, event);
        }
        prover.set_clock(self.now, self.wall);
        prover.begin(self.now);
        self.prover = prover;
    }
}

fn fine(_: ChannelKind) -> Proof {
    Proof::Proved
}

fn dead(_: ChannelKind) -> Proof {
    Proof::Failed("it is dead".to_owned())
}

const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

const fn days(n: u64) -> Duration {
    hours(24 * n)
}

fn proves(tasks: &[Task]) -> usize {
    tasks.iter().filter(|task| matches!(task, Task::Prove(_))).count()
}

/// Parts that broke (+) and that work again (-).
fn faults(tasks: &[Task]) -> Vec<String> {
    let fault = |task: &Task| match task {
        Task::Record(BoxEvent::Fault { part, active, .. }) => {
            Some(format!("{}{part}", if *active { '+' } else { '-' }))
        }
        _ => None,
    };
    tasks.iter().filter_map(fault).collect()
}

fn asks(tasks: &[Task]) -> Vec<String> {
    let asked = |task: &Task| match task {
        Task::Ask(contact) => Some(contact.to_string()),
        _ => None,
    };
    tasks.iter().filter_map(asked).collect()
}

#[test]
fn each_way_is_proved_once_a_night_and_not_by_day() {
    let mut home = Home::new(family());
    assert_eq!(home.pass(hours(13), &fine), [], "until one in the morning");
    let night = home.pass(hours(5), &fine);
    assert_eq!(proves(&night), 2, "ntfy and wecom: {night:?}");
    assert_eq!(home.local().hour(), 6);
    let day = home.pass(hours(19), &fine);
    assert_eq!(proves(&day), 0, "{day:?}");
    assert_eq!(proves(&home.pass(hours(5), &fine)), 2, "the next night");
    // A restart in the night proves nothing twice.
    home.restart();
    assert_eq!(proves(&home.pass(hours(18), &fine)), 0);
    assert_eq!(proves(&home.pass(hours(6), &fine)), 2);
}

#[test]
fn boxes_spread_over_the_night_and_none_begins_late() {
    let zone = jiff::tz::TimeZone::UTC;
    let mut begins = std::collections::BTreeSet::new();
    for number in 0..200 {
        let id = BoxId::new(&format!("hz-{number:06}")).unwrap();
        let first = (0..24 * 60).find(|minute| {
            let mut civil = Civil::new(zone.clone());
            let wall = civil::date(2026, 1, 1).at(0, 0, 0, 0).to_zoned(zone.clone()).unwrap();
            let wall = wall.timestamp() + jiff::SignedDuration::from_mins(*minute);
            civil.set(Moment(0), Some(wall));
            ways::Night::of(&id, &civil, Moment(0)).is_on()
        });
        let first = first.unwrap();
        assert!((120..240).contains(&first), "{id} begins at minute {first}");
        begins.insert(first);
    }
    assert!(begins.len() > 60, "{begins:?}");
}

#[test]
fn a_line_that_is_dialled_anew_is_no_fault_and_a_dead_way_is_one_until_it_works() {
    let mut home = Home::new(family());
    home.pass(hours(13), &fine);
    let blinks = std::cell::Cell::new(0);
    let twice = |_: ChannelKind| {
        blinks.set(blinks.get() + 1);
        if blinks.get() <= 4 { dead(ChannelKind::Ntfy) } else { Proof::Proved }
    };
    let night = home.pass(hours(6), &twice);
    assert_eq!(faults(&night), [] as [&str; 0], "{night:?}");
    home.pass(hours(19), &fine);

    let only_ntfy = |kind| if kind == ChannelKind::Ntfy { dead(kind) } else { Proof::Proved };
    let night = home.pass(hours(5), &only_ntfy);
    assert_eq!(faults(&night), ["+channel:ntfy-proof"]);
    let day = home.pass(hours(10), &only_ntfy);
    assert_eq!(faults(&day), [] as [&str; 0], "told once");
    assert!(proves(&day) >= 9, "it is tried again each hour");
    // Faults end with a start; what is still broken is told again soon.
    home.restart();
    assert_eq!(faults(&home.pass(hours(2), &only_ntfy)), ["+channel:ntfy-proof"]);
    assert_eq!(faults(&home.pass(hours(2), &fine)), ["-channel:ntfy-proof"]);
}

#[test]
fn a_message_that_is_taken_proves_its_way() {
    let mut home = Home::new(family());
    home.pass(hours(19), &dead);
    let message = anju_model::delivery::Message {
        alert: AlertId::from_wire("b/1/1").unwrap(),
        contact: ContactId::new("son").unwrap(),
        channel: "ntfy".to_owned(),
        attempt: 1,
        detail: None,
        request: None,
    };
    let state = |state| Delivery { state, message: message.clone() };
    assert_eq!(home.prover.delivered(home.now, &state(DeliveryState::Failed)), []);
    let tasks = home.prover.delivered(home.now, &state(DeliveryState::Sent));
    assert_eq!(faults(&tasks), ["-channel:ntfy-proof"]);
}

#[test]
fn without_a_clock_ways_are_proved_now_and_then_and_nobody_is_asked() {
    let mut home = Home::new(family());
    home.wall = None;
    home.prover.set_clock(home.now, None);
    let tasks = home.pass(days(10), &fine);
    assert!((10..=14).contains(&proves(&tasks)), "{}", proves(&tasks));
    assert_eq!(asks(&tasks), [] as [&str; 0]);
}

#[test]
fn contacts_are_asked_by_day_one_a_day_and_each_again_after_a_month() {
    let mut home = Home::new(family());
    assert_eq!(asks(&home.pass(days(2), &fine)), [] as [&str; 0]);
    home.alarm = true;
    assert_eq!(asks(&home.pass(days(2), &fine)), [] as [&str; 0], "there is an alarm");
    home.alarm = false;
    let mut asked = Vec::new();
    for _ in 0..24 * 7 {
        let tasks = home.pass(hours(1), &fine);
        for contact in asks(&tasks) {
            assert!((10..=17).contains(&home.local().hour()), "{}", home.local());
            asked.push((home.local().date(), contact.clone()));
            let notice = tasks.iter().find_map(|task| match task {
                Task::Notify(notice) => Some(notice.clone()),
                _ => None,
            });
            let notice = notice.unwrap();
            assert!(notice.test && notice.full.title.starts_with("[TEST]"), "{notice:?}");
            let wanted = contact != "group";
            assert_eq!(notice.kind.answerable(), wanted, "{notice:?}");
            if wanted {
                let answer = home.prover.answered(home.now, &notice.alert, "ntfy").unwrap();
                assert!(
                    matches!(&answer[0], Task::Record(BoxEvent::Proof { result, .. }) if result == "proved")
                );
                assert!(answer.contains(&Task::Withdraw(notice.alert.clone())));
                home.take(answer, &fine, &mut Vec::new());
                assert_eq!(home.prover.answered(home.now, &notice.alert, "ntfy"), None, "once");
            }
        }
    }
    let who: Vec<&str> = asked.iter().map(|(_, contact)| contact.as_str()).collect();
    assert_eq!(who, ["daughter", "son", "group"]);
    let dates: std::collections::BTreeSet<_> = asked.iter().map(|(date, _)| *date).collect();
    assert_eq!(dates.len(), 3, "one a day: {asked:?}");

    // What is remembered holds when the entries themselves are shed.
    let seconds = home.prover.remember(home.now);
    home.recorded.clear();
    home.record(&BoxEvent::Reach { seconds });
    home.restart();
    assert_eq!(asks(&home.pass(days(20), &fine)), [] as [&str; 0]);
    assert_eq!(asks(&home.pass(days(8), &fine)), ["daughter", "son", "group"]);
}

#[test]
fn who_does_not_answer_is_a_fault_until_they_do() {
    let mut home = Home::new(family());
    let tasks = home.pass(days(6), &fine);
    assert_eq!(asks(&tasks), ["daughter", "son", "group"]);
    let silent = ["+channel:contact:daughter", "+channel:contact:son"];
    assert_eq!(faults(&tasks), silent, "and nobody waits for a group's robot");
    let again = home.pass(days(7), &fine);
    assert_eq!(asks(&again), ["daughter", "son"], "after a week");
    // Any answer counts, to an alert too.
    let daughter = ContactId::new("daughter").unwrap();
    let tasks = home.prover.answered_by(home.now, &daughter, ChannelKind::Ntfy);
    assert_eq!(faults(&tasks), ["-channel:contact:daughter"]);
    let tasks = home.prover.configure(
        home.now,
        household("[[contact]]\nid = \"daughter\"\nrole = \"family\"\nntfy_topic = \"d\"\n"),
        home.prover.texts.clone(),
    );
    assert_eq!(faults(&tasks), ["-channel:contact:son"]);
}

#[test]
fn somebody_can_have_all_proved_at_once_and_hears_of_the_first_failure() {
    let mut home = Home::new(family());
    let tasks = home.prover.prove_all(home.now);
    let mut all = Vec::new();
    home.take(tasks, &dead, &mut all);
    assert_eq!(faults(&all), ["+channel:ntfy-proof", "+channel:wecom-proof"]);
    assert!(home.prover.ask(&ContactId::new("nobody").unwrap()).is_err());
    assert_eq!(home.prover.proved(home.now, ChannelKind::Mail, Proof::Proved), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever fails and whenever it restarts: nobody is asked by night, no way is left unproved
    /// for two days, and no fault is told twice.
    #[test]
    fn whatever_happens_nobody_is_woken(
        steps in prop::collection::vec((1_u64..40, any::<bool>(), any::<bool>(), 0_u8..4), 1..20)
    ) {
        let mut home = Home::new(family());
        let mut broken = std::collections::BTreeSet::new();
        for (long, good, alarm, restart) in steps {
            home.alarm = alarm;
            if restart == 0 {
                home.restart();
                broken.clear();
            }
            for _ in 0..long {
                let tasks = home.pass(hours(1), &|kind| if good { fine(kind) } else { dead(kind) });
                if !asks(&tasks).is_empty() {
                    prop_assert!(!alarm && (10..=17).contains(&home.local().hour()));
                }
                for fault in faults(&tasks) {
                    let part = fault[1..].to_owned();
                    let new = if fault.starts_with('+') {
                        broken.insert(part)
                    } else {
                        broken.remove(&part)
                    };
                    prop_assert!(new, "{fault} twice");
                }
            }
        }
        for _ in 0..50 {
            home.pass(hours(1), &fine);
        }
        prop_assert!(home.prover.ways.values().all(|way| !way.is_broken()));
    }
}

#[test]
fn another_card_is_proved_at_once_and_asked_about_in_some_days() {
    let texted = "[[contact]]\nid = \"neighbour\"\nrole = \"neighbour\"\nphone = \
                  \"+8613800000000\"\nchannels = [\"sms\"]\n";
    let pushed = "[[contact]]\nid = \"daughter\"\nrole = \"family\"\nntfy_topic = \"d\"\n";
    let mut home = Home::new(household(&format!("{texted}{pushed}")));
    let fine = |_: ChannelKind| Proof::Proved;
    home.prover.card(home.now, "8986");
    home.pass(4 * 24 * HOUR_LONG, &fine);
    for contact in ["neighbour", "daughter"] {
        let contact = ContactId::new(contact).unwrap();
        home.prover.answered_by(home.now, &contact, ChannelKind::Sms);
    }
    let is_proof = |task: &Task| matches!(task, Task::Prove(ChannelKind::Sms));
    home.prover.card(home.now, "8986");
    assert!(!home.pass(HOUR_LONG, &fine).iter().any(is_proof), "it is the same card");
    home.prover.card(home.now, "8985");
    assert!(home.pass(2 * MINUTE, &fine).iter().any(is_proof));
    let asked: Vec<Task> = home.pass(6 * 24 * HOUR_LONG, &fine);
    let asked: Vec<&str> = asked
        .iter()
        .filter_map(|task| match task {
            Task::Ask(contact) => Some(contact.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["neighbour"]);
}
