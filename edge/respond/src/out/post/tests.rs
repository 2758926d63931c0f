use std::sync::Mutex;

use anju_model::delivery::DeliveryState;
use anju_model::{Class, ContactId, Rule};
use tokio::time::Instant;

use super::*;
use crate::life::{NoticeKind, Words};
use crate::out::Report;

/// What the far side does with the next messages; `Take` when nothing is left.
#[derive(Debug, Clone)]
enum Answer {
    Take(usize),
    Refuse(Refusal),
    Hang,
    Panic,
}

struct Robot {
    answers: Mutex<Vec<Answer>>,
    allowance: Option<Allowance>,
    /// One message at a time, and the next only after the journal has the one before.
    careful: bool,
    /// When each message came, and the alerts in it.
    got: Mutex<Vec<(Instant, Vec<String>)>>,
}

impl Robot {
    fn new(allowance: Option<Allowance>, mut answers: Vec<Answer>) -> Arc<Self> {
        answers.reverse();
        let answers = Mutex::new(answers);
        Arc::new(Self { answers, allowance, careful: false, got: Mutex::default() })
    }

    fn careful() -> Arc<Self> {
        let (answers, got) = Default::default();
        Arc::new(Self { answers, allowance: None, careful: true, got })
    }

    fn got(&self) -> Vec<(Instant, Vec<String>)> {
        self.got.lock().unwrap().clone()
    }
}

impl Carrier for Robot {
    fn bundle(&self, _: &Notice) -> Option<String> {
        self.allowance.map(|_| "group".to_owned())
    }

    fn allowance(&self) -> Option<Allowance> {
        self.allowance
    }

    fn at_once(&self) -> usize {
        if self.careful { 1 } else { AT_ONCE }
    }

    fn accounts(&self) -> bool {
        self.careful
    }

    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a> {
        let answer = self.answers.lock().unwrap().pop();
        Box::pin(async move {
            match answer.unwrap_or(Answer::Take(letters.len())) {
                Answer::Take(count) => {
                    let alerts = letters.iter().take(count).map(|l| l.notice.alert.to_string());
                    self.got.lock().unwrap().push((Instant::now(), alerts.collect()));
                    Ok(count)
                }
                Answer::Refuse(refusal) => Err(refusal),
                Answer::Hang => std::future::pending().await,
                Answer::Panic => panic!("a channel that fails"),
            }
        })
    }
}

fn notice(alert: u32, class: Class) -> Notice {
    let words = Words { title: String::new(), body: String::new() };
    Notice {
        alert: AlertId::from_wire(&format!("box/1/{alert}")).unwrap(),
        contact: ContactId::new("daughter").unwrap(),
        channels: vec![ChannelKind::Wecom],
        kind: NoticeKind::Call,
        class,
        rule: Rule::Help,
        test: false,
        full: words.clone(),
        discreet: words,
    }
}

struct Bench {
    post: Post,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Bench {
    fn new(robot: &Arc<Robot>) -> Self {
        let (tell, reports) = mpsc::unbounded_channel();
        let post = Post::start(ChannelKind::Wecom, &tell);
        post.set_carrier(Some(robot.clone()));
        Self { post, reports }
    }

    /// The next report of a delivery: state, try, alert.
    async fn delivery(&mut self) -> (DeliveryState, u32, String) {
        loop {
            if let Report::Delivery(said) = self.reports.recv().await.unwrap() {
                return (said.state, said.message.attempt, said.message.alert.to_string());
            }
        }
    }

    async fn broken(&mut self) -> Option<String> {
        loop {
            if let Report::Health(health) = self.reports.recv().await.unwrap() {
                return health.broken;
            }
        }
    }
}

const ROBOT: Option<Allowance> = Some(Allowance { burst: 9, every: Duration::from_secs(6) });

#[tokio::test(start_paused = true)]
async fn a_flood_goes_in_few_messages_and_a_real_alarm_gets_through_at_once() {
    let robot = Robot::new(ROBOT, Vec::new());
    let mut bench = Bench::new(&robot);
    let began = Instant::now();
    for n in 0..900 {
        bench.post.send(&notice(n, Class::Fault));
        if n % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    bench.post.send(&notice(5000, Class::Alarm));
    while bench.delivery().await.2 != "box/1/5000" {}
    assert!(began.elapsed() < Duration::from_secs(31), "{:?}", began.elapsed());
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 901 {
        let got = robot.got();
        told = got.into_iter().flat_map(|(_, alerts)| alerts).collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let times: Vec<Instant> = robot.got().into_iter().map(|(at, _)| at).collect();
    for from in &times {
        let minute = *from..*from + Duration::from_secs(60);
        assert!(times.iter().filter(|at| minute.contains(at)).count() <= 20);
    }
}

#[tokio::test(start_paused = true)]
async fn smoke_is_told_at_once_after_a_flood_of_presses() {
    let robot = Robot::new(ROBOT, Vec::new());
    let mut bench = Bench::new(&robot);
    for n in 0..58 {
        bench.post.send(&notice(n, Class::Alarm));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    bench.post.send(&Notice { rule: Rule::Smoke, ..notice(5000, Class::Alarm) });
    while bench.delivery().await.2 != "box/1/5000" {}
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    let got = robot.got();
    let message = got.iter().find(|(_, alerts)| alerts.contains(&"box/1/5000".into())).unwrap();
    assert_eq!(message.1[0], "box/1/5000", "the gravest is named first");
    assert!(message.1.len() > 1, "and the presses that waited go with it");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_fails_or_panics_is_tried_again() {
    let refuse = |refusal: Refusal| Answer::Refuse(refusal);
    let answers =
        vec![Answer::Hang, Answer::Panic, refuse(Refusal::later("busy")), Answer::Take(1)];
    let robot = Robot::new(None, answers);
    let mut bench = Bench::new(&robot);
    let began = Instant::now();
    bench.post.send(&notice(1, Class::Alarm));
    for attempt in 1..=3 {
        assert_eq!(bench.delivery().await, (DeliveryState::Failed, attempt, "box/1/1".into()));
    }
    assert_eq!(bench.delivery().await, (DeliveryState::Sent, 4, "box/1/1".into()));
    assert!(began.elapsed() < CARRIED_WITHIN + Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_has_to_rest_is_left_alone_and_then_tells_all() {
    let pause = Duration::from_secs(600);
    let wait = Refusal::Wait { why: "blocked".into(), pause };
    let robot = Robot::new(ROBOT, vec![Answer::Refuse(wait)]);
    let mut bench = Bench::new(&robot);
    let began = Instant::now();
    bench.post.send(&notice(1, Class::Alarm));
    assert_eq!(bench.broken().await, Some("blocked".into()));
    bench.post.send(&notice(2, Class::Alarm));
    bench.post.send(&notice(3, Class::Fault));
    assert_eq!(bench.broken().await, None);
    assert!(began.elapsed() >= pause);
    assert_eq!(robot.got().len(), 1, "all in one message");
    assert_eq!(robot.got()[0].1.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_did_not_fit_goes_next() {
    let robot = Robot::new(ROBOT, vec![Answer::Hang, Answer::Take(1), Answer::Take(2)]);
    let mut bench = Bench::new(&robot);
    for alert in 1..=4 {
        bench.post.send(&notice(alert, Class::Fault));
    }
    let mut sent = std::collections::BTreeSet::new();
    while sent.len() < 4 {
        let (state, _, alert) = bench.delivery().await;
        if state == DeliveryState::Sent {
            assert!(sent.insert(alert), "each once");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_served_is_no_fault_of_the_channel_and_is_not_repeated() {
    let unfit = Answer::Refuse(Refusal::Unfit("no address".into()));
    let never = Answer::Refuse(Refusal::Never("wrong key".into()));
    let robot = Robot::new(None, vec![unfit, never]);
    let mut bench = Bench::new(&robot);
    bench.post.send(&notice(1, Class::Alarm));
    assert_eq!(bench.delivery().await.0, DeliveryState::Failed);
    bench.post.send(&notice(2, Class::Alarm));
    assert_eq!(bench.broken().await, Some("wrong key".into()));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(robot.got().is_empty() && bench.reports.is_empty());
}

#[tokio::test(start_paused = true)]
async fn letters_go_by_the_new_carrier_or_are_told_as_failed_without_one() {
    let first = Robot::new(None, vec![Answer::Refuse(Refusal::later("down")); 1000]);
    let mut bench = Bench::new(&first);
    bench.post.send(&notice(1, Class::Alarm));
    assert_eq!(bench.delivery().await.0, DeliveryState::Failed);
    let second = Robot::new(None, Vec::new());
    bench.post.set_carrier(Some(second.clone()));
    while bench.delivery().await.0 != DeliveryState::Sent {}
    assert_eq!(second.got().len(), 1);

    bench.post.set_carrier(Some(first));
    bench.post.send(&notice(2, Class::Alarm));
    assert_eq!(bench.delivery().await.0, DeliveryState::Failed);
    bench.post.set_carrier(None);
    bench.post.send(&notice(3, Class::Alarm));
    let mut failed = vec![bench.delivery().await.2, bench.delivery().await.2];
    failed.sort();
    assert_eq!(failed, ["box/1/2", "box/1/3"]);
    bench.post.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_next_goes_only_when_the_journal_has_the_one_before_or_is_broken() {
    let robot = Robot::careful();
    let mut bench = Bench::new(&robot);
    for alert in 1..=3 {
        bench.post.send(&notice(alert, Class::Fault));
    }
    let Some(Report::Accounted { delivery, recorded }) = bench.reports.recv().await else {
        panic!("the first is accounted for")
    };
    assert_eq!(delivery.state, DeliveryState::Sent);
    tokio::time::sleep(RECORDED_WITHIN / 2).await;
    assert_eq!(robot.got().len(), 1);
    bench.post.send(&notice(5000, Class::Alarm));
    recorded.send(()).unwrap();
    // The alarm overtakes; nobody says that it was recorded.
    let Some(Report::Accounted { delivery, recorded }) = bench.reports.recv().await else {
        panic!("the second is accounted for")
    };
    assert_eq!(delivery.message.alert.as_str(), "box/1/5000");
    let began = Instant::now();
    assert!(matches!(bench.reports.recv().await, Some(Report::Accounted { .. })));
    assert_eq!(began.elapsed(), RECORDED_WITHIN);
    drop(recorded);
}
