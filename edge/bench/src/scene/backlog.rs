//! A million entries that wait for the way upstream: how soon the box is there after it was killed,
//! how fast they go out beside a bare publisher, and how long an alert takes that is raised in the
//! middle. At the end every number must have come.

use std::time::{Duration, Instant};

use anju_journal::{FollowWhen, Journal, Lane, Settings, Urgency};
use anju_model::entry::decode;

use crate::failure::{Failure, Outcome};
use crate::figures::{Bound, Figure};
use crate::floor::publisher;
use crate::lab::{Home, Lab, press};
use crate::mqtt::{Arrived, Client, DEADLINE};

/// Bytes of an entry.
pub const ENTRY: usize = 256;

/// The product's in-flight window for telemetry.
pub const WINDOW: u16 = 80;

/// An entry of exactly [`ENTRY`] bytes that this version can read back.
pub fn entry(seq: u64) -> Vec<u8> {
    let mut text = format!(
        "{{\"id\":\"bk/1/{seq}\",\"type\":\"cn.anju.observation.motion\",\
         \"time\":\"2026-11-23T21:04:05.123+08:00\",\"data\":{{\"epoch\":1,\"seq\":{seq},\
         \"boot\":\"b\",\"mono_ms\":{seq},\"clock\":\"unknown\",\"device\":\"m\",\"kind\":\"motion\",\
         \"moving\":true,\"pad\":\""
    );
    let pad = ENTRY.saturating_sub(text.len() + 3);
    text.extend(std::iter::repeat_n('.', pad));
    text.push_str("\"}}");
    text.into_bytes()
}

/// Fills a data folder with entries that nobody took yet.
fn fill(home: &Home, count: usize) -> Outcome<()> {
    let sample = entry(1_000_000);
    if sample.len() != ENTRY || decode(&sample).is_err() {
        return Err(Failure::Missed(format!("the sample entry is wrong: {:?}", decode(&sample))));
    }
    let (journal, _, _) = Journal::open(&home.data, Settings::default())?;
    for lane in [Lane::Alerts, Lane::Events] {
        journal
            .follow("upstream", lane, FollowWhen::Durable)
            .map_err(crate::failure::io("the upstream cursor"))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(crate::failure::io("making a runtime"))?;
    for n in 1..=count {
        let urgency = if n % 20_000 == 0 || n == count { Urgency::Now } else { Urgency::Lazy };
        let appended = journal.append(Lane::Events, urgency, |number| entry(number.seq));
        if urgency == Urgency::Now {
            runtime.block_on(appended.receipt.durable())?;
        }
    }
    if journal.close(Duration::from_secs(20)) {
        Ok(())
    } else {
        Err(Failure::Missed("the journal did not close".into()))
    }
}

/// The entry's number, if it is one of the backlog.
fn number(arrived: &Arrived) -> Option<usize> {
    let rest = arrived.payload.strip_prefix(b"{\"id\":\"bk/1/")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |n, digit| n * 10 + usize::from(digit - b'0')))
}

/// Which entries came.
struct Came {
    missing: usize,
    numbers: Vec<bool>,
}

impl Came {
    /// Takes note; whether it was one of the backlog.
    fn note(&mut self, arrived: &Arrived) -> bool {
        let Some(number) = number(arrived) else { return false };
        if let Some(came) = self.numbers.get_mut(number) {
            self.missing -= usize::from(!std::mem::replace(came, true));
        }
        true
    }

    /// Says which did not come.
    fn tell_missing(&self) {
        let mut from = None;
        for (number, came) in self.numbers.iter().enumerate().skip(1).chain([(0, &true)]) {
            match (came, from) {
                (false, None) => from = Some(number),
                (true, Some(first)) => {
                    eprintln!("bench: entries from {first} up to before {number} did not come");
                    from = None;
                }
                _ => {}
            }
        }
    }
}

/// Measures.
pub async fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let count = lab.amount(1_000_000, 200_000);
    let window = count / 10;
    let home = Home::new(lab, "bk", &Home::zigbee("sos", "fixed-alarm"))?;
    tokio::task::block_in_place(|| fill(&home, count))?;
    let devices = Client::connect("devices-backlog", lab.port, &[]).await?;
    let mut centre = lab.centre("bk").await?;
    let mut floors = Client::connect("centre-publisher", lab.port, &[publisher::TOPIC]).await?;
    let title = |what: &str| format!("backlog of {count} entries: {what}");
    let mut start = Figure::new(title("killed, then online"), "ms", Bound::AtMost(1_000.0));
    let mut drained = Figure::new("  drained", "1/s", Bound::PartOfFloor(0.8));
    let mut alert = Figure::new("  alert raised in the middle upstream", "ms", Bound::AtMost(50.0));
    let mut lost = Figure::new("  entries lost", "entries", Bound::AtMost(0.0));
    let mut came = Came { missing: count, numbers: vec![false; count + 1] };
    for run in 0..lab.runs {
        let mut bare = lab.floor(&["publish", &lab.port.to_string(), &window.to_string()])?;
        let first = floors.next("the bare publisher's first entry").await?.at;
        let mut last = first;
        for _ in 1..window {
            last = floors.next("the bare publisher's entries").await?.at;
        }
        bare.let_go()?;
        let floor = window as f64 / last.duration_since(first).as_secs_f64();

        // What the box sent before it was killed.
        while let Some(arrived) = centre.waiting() {
            came.note(&arrived);
        }
        let began = Instant::now();
        let anju = home.start()?;
        let (mut online, mut first, mut last) = (None, None, began);
        let (mut pressed, mut answered) = (None::<Instant>, None);
        let mut taken = 0;
        while taken < window || online.is_none() || answered.is_none() {
            let arrived = centre.next("the backlog").await?;
            if came.note(&arrived) {
                taken += 1;
                first = first.or(Some(arrived.at));
                if taken <= window {
                    last = arrived.at;
                }
                if taken == window / 2 {
                    pressed = Some(Instant::now());
                    devices.say(&home.topic("sos"), press(run))?;
                }
            } else if arrived.topic.ends_with(b"/status") && arrived.has("\"online\"") {
                online = online.or(Some(arrived.at));
            } else if arrived.is_call() && pressed.is_some() {
                answered = answered.or(Some(arrived.at));
            }
        }
        let millis = |from: Instant, to: Option<Instant>| {
            to.map_or(f64::NAN, |to| to.duration_since(from).as_secs_f64() * 1e3)
        };
        start.alone(millis(began, online));
        let span = first.map_or(f64::NAN, |first| last.duration_since(first).as_secs_f64());
        drained.beside(window as f64 / span, floor);
        alert.alone(pressed.map_or(f64::NAN, |pressed| millis(pressed, answered)));
        anju.kill();
    }
    let anju = home.start()?;
    let mut last = Instant::now();
    while came.missing > 0 && last.elapsed() < DEADLINE {
        // What does not come ends this by itself.
        let Ok(arrived) = centre.next("the rest of the backlog").await else { break };
        if came.note(&arrived) {
            last = arrived.at;
        }
    }
    lost.alone(came.missing as f64);
    came.tell_missing();
    anju.stop()?;
    Ok(vec![start, drained, alert, lost])
}
