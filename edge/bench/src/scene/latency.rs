//! From a press on zigbee2mqtt's topic to the alert at the centre, 20 times a second, beside the
//! echo that records first. Both get their presses in turns of one second.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::figures::{Bound, Figure, percentile};
use crate::floor::echo;
use crate::lab::{Home, Lab, press, settle};
use crate::mqtt::{Arrived, Client};

/// Between two presses.
const PACE: Duration = Duration::from_millis(50);

/// Presses in one turn.
const TURN: usize = 20;

/// Measures.
pub async fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let devices = Client::connect("devices-latency", lab.port, &[]).await?;
    let mut centre = lab.centre("lat").await?;
    let mut echoed = Client::connect("centre-echo", lab.port, &[echo::ALERTS]).await?;
    let file = lab.dir.path().join("echo");
    let (port, path) = (lab.port.to_string(), file.to_string_lossy().into_owned());
    let _echo = lab.floor(&["echo", &port, &path])?;
    let buttons = Home::zigbee("sos", "fixed-alarm");
    let home = Home::new(lab, "lat", &buttons)?;
    let anju = home.start()?;
    home.press_until_heard(&devices, &mut centre, "sos", PACE).await?;
    settle(&mut centre).await;
    let mut pressed = Pressed::new();
    let topic = home.topic("sos");
    // Both warm up alike.
    pressed.turn(&devices, &mut echoed, echo::PRESSES, |_| true).await?;
    pressed.turn(&devices, &mut centre, &topic, Arrived::is_call).await?;
    let rows = [("p50", 0.5), ("p99", 0.99)];
    let mut figures = rows.map(|(name, _)| {
        let name = format!("press to alert upstream at 20/s, {name}");
        Figure::new(name, "ms", Bound::TimesFloor(2.0))
    });
    for _ in 0..lab.runs {
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..lab.amount(8, 2) {
            floor.extend(pressed.turn(&devices, &mut echoed, echo::PRESSES, |_| true).await?);
            ours.extend(pressed.turn(&devices, &mut centre, &topic, Arrived::is_call).await?);
        }
        for (figure, (_, part)) in figures.iter_mut().zip(rows) {
            figure.beside(percentile(&mut ours, part), percentile(&mut floor, part));
        }
    }
    anju.stop()?;
    let [p50, p99] = figures;
    let rivals = [
        p50.judged("  p50 below Home Assistant's recorded one", Bound::AtMost(3.0)),
        p99.judged("  p99 below Node-RED's recorded one", Bound::AtMost(7.1)),
        p99.judged("  p99 below Home Assistant's recorded one", Bound::AtMost(45.5)),
    ];
    Ok([p50, p99].into_iter().chain(rivals).collect())
}

/// Presses so far, so that no two in a row are alike.
pub struct Pressed(usize);

impl Pressed {
    /// None yet.
    pub const fn new() -> Self {
        Self(0)
    }

    /// One turn of presses, and how long each took to be seen, milliseconds. Presses and alerts
    /// come in the same order, so the n-th alert is that of the n-th press. An alert that came
    /// before its press, or one too many, would shift all that follow: then nothing was measured.
    pub async fn turn(
        &mut self,
        devices: &Client,
        centre: &mut Client,
        topic: &str,
        fits: impl Fn(&Arrived) -> bool,
    ) -> Outcome<Vec<f64>> {
        settle(centre).await;
        let mut sent = Vec::with_capacity(TURN);
        let mut seen = Vec::with_capacity(TURN);
        let mut pace = tokio::time::interval(PACE);
        while seen.len() < TURN {
            tokio::select! {
                biased;
                arrived = centre.next("the alert of a press"), if seen.len() < sent.len() => {
                    let arrived = arrived?;
                    if fits(&arrived) {
                        seen.push(arrived.at);
                    }
                }
                _ = pace.tick(), if sent.len() < TURN => {
                    sent.push(Instant::now());
                    devices.say(topic, press(self.0))?;
                    self.0 += 1;
                }
            }
        }
        // Not into the next turn's first press; and whatever comes now belongs to no press.
        pace.tick().await;
        let mut stray = 0;
        while let Some(arrived) = centre.waiting() {
            stray += usize::from(fits(&arrived));
        }
        let early = sent.iter().zip(&seen).filter(|(sent, seen)| seen < sent).count();
        if stray + early > 0 {
            return Err(Failure::Missed(format!(
                "the alerts of {topic} do not pair with its presses: {early} came before theirs, \
                 {stray} belong to none"
            )));
        }
        Ok(sent.iter().zip(&seen).map(|(s, a)| a.duration_since(*s).as_secs_f64() * 1e3).collect())
    }
}
