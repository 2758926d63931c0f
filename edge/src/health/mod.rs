//! The box's own health: mains and battery, temperature, wear of its storage. It reads what the
//! kernel shows under `/sys` and tells changes as events and faults; it must never guess what the
//! kernel does not show, and a file that can not be read is a thing that the box does not have.

mod battery;
pub mod case;
mod storage;
#[cfg(test)]
mod tests;
mod thermal;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anju_model::BoxEvent;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::core::Message;

/// How often it looks. Mains has to be noticed well within the minute after which it is told.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks between two reports of the figures: six hours.
const LOOKS_BETWEEN_FIGURES: u32 = 6 * 360;

/// Looks after which a state that flickers is believed.
const BELIEVED_AFTER: u8 = 2;

/// What was told.
#[derive(Debug)]
pub struct Health {
    root: PathBuf,
    mains: Option<bool>,
    mains_seen: u8,
    battery_seen: bool,
    broken: BTreeSet<&'static str>,
    looks: u32,
}

impl Health {
    /// Looks below `root`, which is `/sys` on a box and a folder in tests.
    pub const fn new(root: PathBuf) -> Self {
        Self {
            root,
            mains: None,
            mains_seen: 0,
            battery_seen: false,
            broken: BTreeSet::new(),
            looks: 0,
        }
    }

    /// Looks once; what changed.
    pub fn look(&mut self) -> Vec<BoxEvent> {
        let mut events = Vec::new();
        let supply = battery::read(&self.root);
        self.mains(supply.mains, &mut events);
        let on_battery = self.mains == Some(false);
        let battery = supply.battery.as_ref();
        self.battery_seen |= battery.is_some();
        let missing = self.battery_seen && battery.is_none();
        let because = "the box's battery is gone; put it back";
        self.fault("battery:missing", missing, because.into(), &mut events);
        if let Some(battery) = battery {
            let worn = battery.worn();
            self.fault("battery:worn", worn, battery.budget_in_words(), &mut events);
            let low = on_battery && battery.low(self.broken.contains("battery:low"));
            self.fault("battery:low", low, battery.rest_in_words(), &mut events);
        }
        let celsius = thermal::hottest(&self.root);
        if let Some(celsius) = celsius {
            let (hot, cold) = ("temperature:hot", "temperature:cold");
            let is_hot = thermal::is_hot(celsius, self.broken.contains(hot));
            let is_cold = thermal::is_cold(celsius, self.broken.contains(cold));
            let words = |what: &str| format!("the box is at {celsius:.0} degrees Celsius: {what}");
            self.fault(hot, is_hot, words("give it air and shade"), &mut events);
            self.fault(cold, is_cold, words("bring it into a warm room"), &mut events);
        }
        let storage = storage::read(&self.root);
        let wear = storage.wear_in_words();
        self.fault("storage:wear", wear.is_some(), wear.unwrap_or_default(), &mut events);
        if self.looks.is_multiple_of(LOOKS_BETWEEN_FIGURES) {
            let tenths = celsius.map(|celsius| rounded(celsius * 10.0));
            events.push(BoxEvent::Health {
                battery_percent: battery.and_then(|b| b.percent),
                battery_minutes: battery.and_then(battery::Battery::minutes_left),
                battery_milliwatt_hours: battery.and_then(|b| b.full_milliwatt_hours),
                decicelsius: tenths,
                storage_used_percent: storage.used_percent,
                written_bytes: storage.written_bytes,
            });
        }
        self.looks = self.looks.wrapping_add(1);
        events
    }

    /// Mains that come and go within seconds are looked at twice.
    fn mains(&mut self, mains: Option<bool>, events: &mut Vec<BoxEvent>) {
        let Some(now) = mains.filter(|now| Some(*now) != self.mains) else {
            self.mains_seen = 0;
            return;
        };
        self.mains_seen += 1;
        // That there is mains at the start is no news.
        let quiet = self.mains.is_none() && now;
        if quiet || self.mains_seen >= BELIEVED_AFTER {
            self.mains = Some(now);
            self.mains_seen = 0;
            if !quiet {
                events.push(BoxEvent::Power { mains: now });
            }
        }
    }

    fn fault(
        &mut self,
        part: &'static str,
        broken: bool,
        reason: String,
        events: &mut Vec<BoxEvent>,
    ) {
        let changed = if broken { self.broken.insert(part) } else { self.broken.remove(part) };
        if changed {
            let reason = if broken { reason } else { "it is in order again".to_owned() };
            events.push(BoxEvent::Fault { part: part.to_owned(), active: broken, reason });
        }
    }
}

/// Rounds to a whole number; values of sensors are far from the limits.
#[allow(clippy::cast_possible_truncation, reason = "clamped to what fits")]
fn rounded(value: f64) -> i64 {
    value.clamp(-1e9, 1e9).round() as i64
}

/// Looks again and again, and tells the core, until stopped.
pub async fn run(root: PathBuf, messages: mpsc::Sender<Message>, stop: CancellationToken) {
    let mut health = Health::new(root);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        // A driver of the kernel may block.
        let looked = tokio::task::spawn_blocking(move || {
            let events = health.look();
            (health, events)
        });
        let Ok((looked, events)) = looked.await else { return };
        health = looked;
        for event in events {
            if messages.send(Message::Box(event)).await.is_err() {
                return;
            }
        }
    }
}

/// A file of one line.
fn line(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

/// A file with a number.
pub fn number(path: &Path) -> Option<i64> {
    line(path)?.parse().ok()
}

/// The folders in a folder, by name.
pub fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.sort();
    folders
}
