use std::sync::Mutex;

use anju_drivers::gpio::lines::{InputLine, OutputLine};
use anju_model::config::{Household, parse};
use anju_model::{Clock, Moment, Stamp};
use futures::StreamExt;
use tokio::sync::mpsc;
use zbus::{MessageStream, message::Type};

use super::*;
use crate::core::{Board, Picture};

#[path = "../../modem/tests/lab/mod.rs"]
mod lab;

fn household() -> Arc<Household> {
    let text = "schema = 1\n[box]\nid = \"b\"\n[modem]\npower_pin = 26\n";
    Arc::new(parse(text, "test").household.unwrap())
}

fn view(home: &Arc<Household>) -> View {
    let (boot, wall) = ("b".into(), jiff::Timestamp::UNIX_EPOCH);
    let picture = Picture {
        household: home.clone(),
        stamp: Stamp { boot, mono_ms: 0, wall, clock: Clock::Unknown },
        now: Moment(0),
        guard_now: Moment(0),
        guarding_since: Moment(0),
        home: anju_guard::Guard::new(home.clone()).home(),
        board: Board::default(),
    };
    View { open: Vec::new(), picture: Some(Arc::new(picture)) }
}

/// Lines that tell when they are switched.
struct Told(mpsc::UnboundedSender<(u32, bool)>);

struct Line(u32, mpsc::UnboundedSender<(u32, bool)>);

impl Lines for Told {
    fn input(&self, _: &Wiring) -> Result<Box<dyn InputLine>, LineError> {
        unreachable!("no input is wanted")
    }

    fn output(&self, wiring: &Wiring) -> Result<Box<dyn OutputLine>, LineError> {
        Ok(Box::new(Line(wiring.line, self.0.clone())))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn resolve(&self, chip: &Path) -> PathBuf {
        chip.to_owned()
    }
}

impl OutputLine for Line {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        self.1.send((self.0, on)).unwrap();
        Ok(())
    }

    fn is_on(&self) -> Result<bool, LineError> {
        Ok(false)
    }
}

#[tokio::test(start_paused = true)]
async fn the_power_is_cut_for_ten_seconds_where_there_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let (core, view_rx) = watch::channel(View::default());
    let (tell, mut told) = mpsc::unbounded_channel();
    let lines = Arc::new(Told(tell));
    let rescue = Rescue { lines, ..Rescue::new(view_rx, folder.path()) };
    assert_eq!(rescue.cut_power().await, Ok(false), "no configuration, no line");
    core.send_replace(view(&household()));
    rescue.climb(Rung::PowerCycle);
    assert_eq!(told.recv().await, Some((26, true)));
    let began = tokio::time::Instant::now();
    assert_eq!(told.recv().await, Some((26, false)));
    assert_eq!(began.elapsed(), CUT_FOR);
}

/// Stands in for systemd-logind: counts how often it is asked to start the machine anew.
async fn logind(bus: &Bus) -> Arc<Mutex<u32>> {
    let bus = bus.connect().await.unwrap();
    bus.request_name("org.freedesktop.login1").await.unwrap();
    let mut calls = MessageStream::from(&bus);
    let asked = Arc::new(Mutex::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        while let Some(Ok(call)) = calls.next().await {
            let header = call.header();
            if header.message_type() == Type::MethodCall {
                assert_eq!(header.member().map(|m| m.as_str()), Some("Reboot"));
                *counted.lock().unwrap() += 1;
                bus.reply(&header, &()).await.unwrap();
            }
        }
    });
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn the_box_starts_anew_at_most_once_a_day_and_never_in_an_alarm() {
    let lab = lab::Lab::new();
    let bus = Bus::At(lab.address.clone());
    let asked = logind(&bus).await;
    let folder = tempfile::tempdir().unwrap();
    let (core, view_rx) = watch::channel(View::default());
    let rescue = Rescue { bus, ..Rescue::new(view_rx.clone(), folder.path()) };
    let (hour, day) = (Duration::from_secs(3600), REBOOT_EVERY);

    let alert = serde_json::json!({
        "alert": "b/1/1", "class": "alarm", "rule": "help", "person": "unknown", "code": 101,
    });
    let subject: anju_model::Subject = serde_json::from_value(alert).unwrap();
    core.send_modify(|view| view.open.push(open(subject)));
    assert!(rescue.start_anew(hour).await.unwrap_err().contains("alarm"));
    core.send_modify(|view| view.open.clear());

    rescue.start_anew(hour).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), 1);
    // After that start, and still within the day.
    let again = Rescue { bus: rescue.bus.clone(), ..Rescue::new(view_rx.clone(), folder.path()) };
    assert!(again.start_anew(hour).await.is_err());
    assert_eq!(*asked.lock().unwrap(), 1);
    again.start_anew(day).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), 2);

    // Where the mark can not be left, the box would start again and again.
    let nowhere = Rescue { mark: "/proc/nothing".into(), ..again };
    assert!(nowhere.start_anew(day).await.is_err());
    assert_eq!(*asked.lock().unwrap(), 2);
}

fn open(subject: anju_model::Subject) -> anju_respond::life::AlertView {
    anju_respond::life::AlertView {
        subject,
        stage: anju_respond::life::Stage::Searching,
        raised: Moment(0),
        searching_since: Moment(0),
        count: 1,
        told: Vec::new(),
        round: 1,
        helpers: Vec::new(),
        announced_by: Vec::new(),
        next: None,
    }
}
