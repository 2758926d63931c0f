//! Every kind of device on a wire, from the lines of a real kernel (its simulator, gpio-sim) through
//! the real box to what the centre sees, each with its acceptance; the count of a meter over a
//! restart; the switch at the box's own case. Runs inside the lab (`drivers/lab/test.sh`); elsewhere
//! it says that it was skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
#[path = "scenarios/home.rs"]
#[allow(dead_code, reason = "the scenarios use more of it")]
mod home;

use common::{Broker, DEADLINE};
use gpiosim::{Bank, Sim};
use home::{Home, alarm};
use serde_json::Value;

/// Kind, what is seen of it, and the alarm that follows. Each stands at the line of its place here.
const WIRED: [(&str, &str, &str, Option<&str>); 12] = [
    ("fixed-alarm", "help", r#"{"state": "pressed"}"#, Some("help")),
    ("one-touch-speaker", "call", r#"{"state": "asked"}"#, None),
    ("doorbell", "bell", r#"{"rung": true}"#, None),
    ("smoke", "smoke", r#"{"alarm": true}"#, Some("smoke")),
    ("gas", "gas", r#"{"alarm": true}"#, Some("gas")),
    ("water-leak", "leak", r#"{"wet": true}"#, Some("leak")),
    ("bed-strap", "bed", r#"{"occupied": true}"#, None),
    ("door-contact", "contact", r#"{"open": true}"#, None),
    ("pill-box", "medication", r#"{"state": "opened"}"#, None),
    ("water-meter", "meter", r#"{"volume_litres": 10.0}"#, None),
    ("electricity-meter", "meter", r#"{"energy_watt_hours": 100.0}"#, None),
    ("siren", "siren", r#"{"sounding": true}"#, None),
];
/// Contacts that are closed while all is well.
const CLOSED_AT_REST: [&str; 2] = ["door-contact", "pill-box"];
const CASE: u32 = 12;
const PIR: u32 = 13;
const WATER: u32 = 9;

fn rows(chip: &str) -> String {
    let mut rows = format!(
        "[case]\nchip = {chip:?}\npin = {CASE}\n[links.pins]\nkind = \"gpio\"\nchip = {chip:?}\n\
         [[device]]\nid = \"motion\"\nkind = \"motion\"\nlink = \"pins\"\npin = {PIR}\n"
    );
    for (pin, (kind, ..)) in WIRED.iter().enumerate() {
        let per_pulse = match *kind {
            "water-meter" => "litres_per_pulse = 10",
            "electricity-meter" => "watt_hours_per_pulse = 100",
            _ => "",
        };
        rows += &format!(
            "[[device]]\nid = \"{kind}\"\nkind = \"{kind}\"\nlink = \"pins\"\npin = {pin}\n\
             {per_pulse}\n"
        );
    }
    rows
}

struct Lines<'s>(&'s Sim);

impl Lines<'_> {
    /// Closes a contact to ground for as long as a hand does, or opens it for that long.
    async fn act(&self, pin: u32, kind: &str) {
        let chip = &self.0.chips()[0];
        let rests = CLOSED_AT_REST.contains(&kind);
        for closed in [!rests, rests] {
            if closed {
                chip.pulldown(pin).unwrap();
            } else {
                chip.pullup(pin).unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    }
}

async fn case(home: &mut Home, step: &str) {
    let kind = format!("cn.anju.alert.{step}");
    let fits = |event: &Value| event["type"] == kind && event["data"]["rule"] == "case-opened";
    tokio::time::timeout(DEADLINE, home.find(fits)).await.expect("the case is told");
}

async fn seen(home: &mut Home, fits: impl Fn(&Value) -> bool) -> Value {
    let event = tokio::time::timeout(DEADLINE, home.find(fits)).await;
    event.expect("it is told in time")["data"].clone()
}

async fn accepted(home: &mut Home, lines: &Lines<'_>, pin: u32, kind: &str) {
    home.accept(kind, 3 * DEADLINE, async || lines.act(pin, kind).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_on_a_wire_reaches_the_centre_and_is_accepted() {
    if common::outside_the_lab() {
        return;
    }
    let sim = gpiosim::builder().with_bank(&Bank::new(16, "anju-kit")).live().unwrap();
    let chip = sim.chips()[0].dev_path().display().to_string();
    for (pin, (kind, ..)) in (0..).zip(WIRED) {
        if CLOSED_AT_REST.contains(&kind) {
            sim.chips()[0].pulldown(pin).unwrap();
        }
    }
    let lines = Lines(&sim);
    let mut home = Home::at(Broker::start(), &rows(&chip), &[]).await;

    // A simulated line is pulled up once it is held: a switch that is open.
    case(&mut home, "raised").await;
    sim.chips()[0].pulldown(CASE).unwrap();
    case(&mut home, "closed").await;

    for (pin, (kind, what, fields, rule)) in (0..).zip(WIRED) {
        if CLOSED_AT_REST.contains(&kind) {
            sim.chips()[0].pulldown(pin).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        // A siren obeys only, and a count is told at its first pulse and then once a minute.
        if rule.is_some() {
            lines.act(pin, kind).await;
        }
        if let Some(rule) = rule {
            assert_eq!(home.raised(kind).await, alarm(rule));
        }
        accepted(&mut home, &lines, pin, kind).await;
        home.observed(kind, what, serde_json::from_str(fields).unwrap()).await;
        println!("{kind} is accepted");
    }

    // What is not told yet is told when the box stops, and the count goes on from there.
    for _ in 0..3 {
        lines.act(WATER, "water-meter").await;
    }
    home.anju.stop();
    home.anju.start();
    let counted = |event: &Value, litres: f64, baseline: bool| {
        let data = &event["data"];
        data["device"] == "water-meter"
            && data["volume_litres"].as_f64().is_some_and(|volume| volume >= litres)
            && (data["baseline"] == true) == baseline
    };
    let before = seen(&mut home, |event| counted(event, 40.0, true)).await;
    let before = before["volume_litres"].as_f64().unwrap();
    accepted(&mut home, &lines, WATER, "water-meter").await;
    let after = seen(&mut home, |event| counted(event, before + 10.0, false)).await;
    assert_eq!(after["volume_litres"], before + 10.0, "the first pulse after the restart");

    // A sensor that warms up tells nothing for a minute.
    home.begin_acceptance("motion").await;
    let ended = tokio::time::timeout(4 * DEADLINE, async {
        loop {
            sim.chips()[0].pullup(PIR).unwrap();
            if let Some(ended) = home.acceptance_ended("motion").await {
                return ended;
            }
            sim.chips()[0].pulldown(PIR).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    assert_eq!(ended.await.unwrap()["result"], "passed");
}
