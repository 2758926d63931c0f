//! 5,000 presses of 50 buttons at full speed: how fast all of them are upstream as alerts, and
//! whether every one is recorded and none is lost.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::figures::{Bound, Figure};
use crate::floor::echo;
use crate::lab::{Home, Lab, press, settle};
use crate::mqtt::{Arrived, Client};
use crate::process::cpu_seconds;

const BUTTONS: usize = 50;
const PRESSES: usize = 5_000;

/// Measures.
pub async fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let devices = Client::connect("devices-burst", lab.port, &[]).await?;
    let mut centre = lab.centre("burst").await?;
    let mut echoed = Client::connect("centre-echo-burst", lab.port, &[echo::ALERTS]).await?;
    let file = lab.dir.path().join("echo-burst");
    let (port, path) = (lab.port.to_string(), file.to_string_lossy().into_owned());
    let echo = lab.floor(&["echo", &port, &path])?;
    let buttons: String =
        (0..BUTTONS).map(|n| Home::zigbee(&format!("sos-{n}"), "fixed-alarm")).collect();
    let home = Home::new(lab, "burst", &buttons)?;
    let anju = home.start()?;
    home.press_until_heard(&devices, &mut centre, "sos-0", Duration::from_millis(100)).await?;
    settle(&mut centre).await;
    let recorded_before = presses_in(&home.export()?);
    let topics: Vec<String> = (0..BUTTONS).map(|n| home.topic(&format!("sos-{n}"))).collect();
    let mut rate =
        Figure::new("5,000 presses of 50 buttons: alerts upstream", "1/s", Bound::AtLeast(3_000.0));
    let mut cost = Figure::new("  processor time of the box", "us/press", Bound::Told);
    let mut durable = Figure::new("  until all entries are upstream", "ms", Bound::Told);
    let mut lost = Figure::new("  presses lost of those sent", "presses", Bound::AtMost(0.0));
    let mut seen = Seen::default();
    for _ in 0..lab.runs {
        let began = Instant::now();
        for n in 0..PRESSES {
            devices.say(echo::PRESSES, press(n))?;
        }
        let mut last = began;
        for _ in 0..PRESSES {
            last = echoed.next("an echo of the burst").await?.at;
        }
        let floor = PRESSES as f64 / last.duration_since(began).as_secs_f64();

        let cpu = cpu_seconds(anju.pid())?;
        seen.begin();
        let began = Instant::now();
        for n in 0..PRESSES {
            // Each button's payload differs from the one before it: nothing is merged.
            devices.say(topics.get(n % BUTTONS).map_or("", |t| t), press(n / BUTTONS))?;
        }
        let mut last_call = began;
        while seen.calls < PRESSES {
            let arrived = centre.next("an alert of the burst").await?;
            if seen.note(&arrived) {
                last_call = arrived.at;
            }
        }
        rate.beside(PRESSES as f64 / last_call.duration_since(began).as_secs_f64(), floor);
        let mut last = last_call;
        while seen.helps < PRESSES {
            let arrived = centre.next("a press of the burst as an event").await?;
            seen.note(&arrived);
            last = arrived.at;
        }
        durable.alone(last.duration_since(began).as_secs_f64() * 1e3);
        cost.alone((cpu_seconds(anju.pid())? - cpu) * 1e6 / PRESSES as f64);
    }
    let recorded = presses_in(&home.export()?) - recorded_before;
    lost.alone((PRESSES * lab.runs) as f64 - recorded as f64);
    if seen.twice > 0 {
        return Err(Failure::Missed(format!(
            "{} entries came twice without a restart",
            seen.twice
        )));
    }
    anju.stop()?;
    drop(echo);
    let rival = rate.judged("  more than Home Assistant's recorded 520/s", Bound::AtLeast(520.0));
    Ok(vec![rate, rival, lost, durable, cost])
}

/// How many presses a journal holds.
fn presses_in(export: &str) -> usize {
    export.lines().filter(|line| line.contains("\"cn.anju.observation.help\"")).count()
}

/// What came upstream.
#[derive(Default)]
struct Seen {
    calls: usize,
    helps: usize,
    twice: usize,
    ids: HashSet<Vec<u8>>,
}

impl Seen {
    fn begin(&mut self) {
        self.calls = 0;
        self.helps = 0;
        self.ids.clear();
    }

    /// Takes note; whether it was a call.
    fn note(&mut self, arrived: &Arrived) -> bool {
        let call = arrived.is_call();
        let help = !call && arrived.has("\"cn.anju.observation.help\"");
        if (call || help) && !self.ids.insert(id(&arrived.payload)) {
            self.twice += 1;
            return false;
        }
        self.calls += usize::from(call);
        self.helps += usize::from(help);
        call
    }
}

/// The event's id, which stands near its beginning.
fn id(payload: &[u8]) -> Vec<u8> {
    let key = b"\"id\":\"";
    let start = payload.windows(key.len()).position(|window| window == key).unwrap_or(0);
    payload.iter().skip(start + key.len()).take_while(|byte| **byte != b'"').copied().collect()
}
