use anju_model::observation::{Motion, Origin};
use anju_model::{DeviceKind, Fact, Observation};
use futures::future::BoxFuture;

use super::*;
use crate::driver::{Claim, Context, DriverError};

/// What a test driver does at each start.
enum Habit {
    Panics,
    Blocks,
    FailsTimes(u32),
    /// Waits for a device that does not answer, says at most that it is lost, and fails.
    WaitsFor(Duration),
    /// Reports without pause, and obeys.
    Floods,
    Works,
}

struct TestDriver {
    name: &'static str,
    habit: Habit,
    starts: watch::Sender<u32>,
    claims: Vec<Claim>,
}

impl TestDriver {
    fn new(name: &'static str, habit: Habit) -> Arc<Self> {
        let claims = vec![Claim::Radio(name.to_owned())];
        Arc::new(Self { name, habit, starts: watch::Sender::new(0), claims })
    }

    fn origin(&self) -> Origin {
        Origin {
            device: self.name.parse().unwrap(),
            kind: DeviceKind::Motion,
            room: None,
            person: None,
        }
    }
}

impl Driver for TestDriver {
    fn name(&self) -> &str {
        self.name
    }

    fn devices(&self) -> Vec<Origin> {
        vec![self.origin()]
    }

    fn claims(&self) -> Vec<Claim> {
        self.claims.clone()
    }

    fn run(self: Arc<Self>, mut context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let start = *self.starts.borrow();
            self.starts.send_modify(|starts| *starts += 1);
            match self.habit {
                Habit::Panics => panic!("as it always does"),
                Habit::Blocks => {
                    // Blocks its own thread for longer than the test lasts.
                    std::thread::park_timeout(Duration::from_secs(60));
                    std::thread::park_timeout(Duration::from_secs(60));
                }
                Habit::FailsTimes(times) if start < times => {
                    let reason = "unplugged".to_owned();
                    return Err(DriverError::Link { link: "test".into(), reason });
                }
                Habit::WaitsFor(time) => {
                    tokio::time::sleep(time).await;
                    let reason = "says nothing any more".to_owned();
                    return Err(DriverError::Link { link: "test".into(), reason });
                }
                Habit::FailsTimes(_) | Habit::Floods | Habit::Works => {}
            }
            context.report(Observation::new(self.origin(), Motion { moving: true })).await?;
            let origin = self.origin();
            let (stop, flood) = (context.stop.clone(), matches!(self.habit, Habit::Floods));
            loop {
                if flood {
                    context
                        .report(Observation::new(origin.clone(), Motion { moving: true }))
                        .await?;
                }
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    Some(command) = context.commands.recv() => {
                        let _ = command.done.send(Ok(()));
                    }
                    () = std::future::ready(()), if flood => {}
                }
            }
        })
    }
}

fn limits() -> Limits {
    Limits {
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(20),
        failures_to_offline: 2,
        healthy_heard: Duration::from_millis(100),
        healthy_silent: Duration::from_secs(60),
        blocked_after: Duration::from_millis(300),
    }
}

async fn next(reports: &mut mpsc::Receiver<Report>) -> Observation {
    tokio::time::timeout(Duration::from_secs(20), reports.recv())
        .await
        .expect("a report in time")
        .expect("the fleet lives")
        .observation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_driver_that_panics_or_blocks_stops_nobody_else() {
    let (tx, mut reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    fleet.start(TestDriver::new("panics", Habit::Panics)).unwrap();
    fleet.start(TestDriver::new("blocks", Habit::Blocks)).unwrap();
    fleet.start(TestDriver::new("works", Habit::Works)).unwrap();
    let mut moved = false;
    let mut lost = HashSet::new();
    while !(moved && lost.len() == 2) {
        let said = next(&mut reports).await;
        match said.fact {
            Fact::Motion(_) => moved = said.origin.device.as_str() == "works",
            Fact::Online(online) => {
                assert!(!online.online);
                lost.insert(said.origin.device.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
    let works: DeviceId = "works".parse().unwrap();
    fleet.commander().ask(&works, Action::Hush).await.unwrap();
    let stopping = tokio::time::timeout(Duration::from_secs(5), fleet.stop_all());
    stopping.await.expect("stopping waits for nobody who blocks");
}

#[tokio::test]
async fn threads_that_hang_do_not_grow_in_number() {
    let (tx, mut reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    let driver = TestDriver::new("blocks", Habit::Blocks);
    fleet.start(driver.clone()).unwrap();
    let Fact::Online(online) = next(&mut reports).await.fact else { panic!("it is lost") };
    assert!(!online.online, "told with the first that hangs");
    let mut started = driver.starts.subscribe();
    let mut starts = async |count: u32| {
        let _ = started.wait_for(|starts| *starts >= count).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(20), starts(3)).await.expect("it is tried again");
    let fourth = tokio::time::timeout(10 * limits().blocked_after, starts(4)).await;
    assert!(fourth.is_err(), "three hang already");
    fleet.stop_all().await;
}

#[tokio::test]
async fn a_device_is_told_lost_once_and_back_once() {
    let (tx, mut reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    fleet.start(TestDriver::new("flaky", Habit::FailsTimes(5))).unwrap();
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(next(&mut reports).await.fact);
    }
    assert!(
        matches!(&said[0], Fact::Online(o) if !o.online && o.reason.as_deref() == Some("test: unplugged"))
    );
    assert!(matches!(&said[1], Fact::Online(o) if o.online));
    assert!(matches!(&said[2], Fact::Motion(_)));
    fleet.stop_all().await;
}

#[tokio::test]
async fn a_driver_that_waits_long_before_it_fails_loses_its_device_once() {
    let (tx, mut reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    // Longer than what counts as healthy where something is heard.
    let driver = TestDriver::new("hangs", Habit::WaitsFor(2 * limits().healthy_heard));
    fleet.start(driver.clone()).unwrap();
    let said = next(&mut reports).await.fact;
    assert!(
        matches!(&said, Fact::Online(o) if !o.online && o.reason.as_deref() == Some("test: says nothing any more"))
    );
    assert!(*driver.starts.borrow() >= limits().failures_to_offline);
    let mut starts = driver.starts.subscribe();
    let goes_on = starts.wait_for(|starts| *starts >= limits().failures_to_offline + 3);
    tokio::time::timeout(Duration::from_secs(20), goes_on).await.expect("it is tried").unwrap();
    assert!(reports.try_recv().is_err(), "told once");
    fleet.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_reports_without_pause_still_obeys_and_stops() {
    let (tx, mut reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    fleet.start(TestDriver::new("floods", Habit::Floods)).unwrap();
    next(&mut reports).await;
    // A box that takes them more slowly than they come, so that there is always one more.
    let drain = tokio::spawn(async move {
        while reports.recv().await.is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let floods: DeviceId = "floods".parse().unwrap();
    for _ in 0..3 {
        fleet.commander().ask(&floods, Action::Hush).await.unwrap();
    }
    let stopping = tokio::time::timeout(Duration::from_secs(20), fleet.stop_all());
    stopping.await.expect("it stops");
    drop(fleet);
    drain.await.unwrap();
}

#[tokio::test]
async fn two_drivers_never_share_a_port() {
    let (tx, _reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    let claim = || vec![Claim::SerialPort("/dev/ttyS0".into())];
    let with = |name| {
        Arc::new(TestDriver {
            name,
            habit: Habit::Works,
            starts: watch::Sender::new(0),
            claims: claim(),
        })
    };
    fleet.start(with("first")).unwrap();
    let conflict = fleet.start(with("second")).unwrap_err();
    assert!(conflict.to_string().contains("first") && conflict.to_string().contains("/dev/ttyS0"));
    assert!(fleet.stop("first").await);
    fleet.start(with("second")).unwrap();
    fleet.stop_all().await;
}

#[tokio::test]
async fn only_what_changed_is_started_anew() {
    let (tx, mut reports) = mpsc::channel(16);
    let mut fleet = Fleet::new(tx, limits());
    let drivers = ["stays", "changes", "goes"].map(|name| TestDriver::new(name, Habit::Works));
    let [stays, changes, _] = drivers.clone();
    let as_wanted = |driver: &Arc<TestDriver>, form: &str| -> (Arc<dyn Driver>, String) {
        (driver.clone(), form.to_owned())
    };
    let first = drivers.iter().map(|driver| as_wanted(driver, "1")).collect();
    assert!(fleet.become_these(first).await.is_empty());
    for _ in 0..3 {
        next(&mut reports).await;
    }
    let new = TestDriver::new("new", Habit::Works);
    let then = vec![as_wanted(&stays, "1"), as_wanted(&changes, "2"), as_wanted(&new, "1")];
    assert!(fleet.become_these(then).await.is_empty());
    let heard = [next(&mut reports).await, next(&mut reports).await];
    let heard: HashSet<String> = heard.iter().map(|said| said.origin.device.to_string()).collect();
    assert_eq!(heard, HashSet::from(["changes".to_owned(), "new".to_owned()]));
    assert_eq!(fleet.names(), ["changes", "new", "stays"]);
    assert_eq!(*stays.starts.borrow(), 1, "who did not change goes on");
    assert_eq!(*changes.starts.borrow(), 2);
    fleet.stop_all().await;
}

use std::collections::HashSet;
