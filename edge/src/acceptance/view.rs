//! What the page and the command line see of the acceptance: for each device what is to be done,
//! in both languages, and how it stands.

use std::collections::BTreeMap;

use anju_model::{DeviceId, DeviceKind, Language, Moment, RoomId};
use anju_respond::texts::Texts;
use serde::Serialize;

use super::{Acceptance, Outcome, steps};

/// How the acceptance stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The device that is under test now.
    pub running: Option<DeviceId>,
    /// Seconds that are left for it.
    pub seconds_left: Option<u64>,
    /// Those that come after it.
    pub waiting: Vec<DeviceId>,
    /// Every device in the order of the configuration.
    pub devices: Vec<Row>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Which.
    pub device: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// The name people use.
    pub name: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// What is to be done, by language.
    pub instruction: BTreeMap<&'static str, String>,
    /// What has to be seen.
    pub expects: Vec<&'static str>,
    /// What was seen, while it is under test.
    pub met: Vec<&'static str>,
    /// Seconds for it.
    pub within_seconds: u64,
    /// How it ended last.
    pub result: Option<Outcome>,
}

impl Acceptance {
    /// How it stands.
    pub fn report(&self, now: Moment) -> Report {
        let texts = Language::ALL.map(|language| (language, Texts::new(language)));
        let running = self.running.as_ref();
        Report {
            running: running.map(|r| r.origin.device.clone()),
            seconds_left: running.map(|r| r.until.since(now).as_secs()),
            waiting: self.waiting.iter().map(|(origin, _)| origin.device.clone()).collect(),
            devices: self
                .devices
                .iter()
                .map(|(origin, name)| {
                    let step = steps::of(origin.kind);
                    let met = running.filter(|r| r.origin.device == origin.device);
                    Row {
                        device: origin.device.clone(),
                        kind: origin.kind,
                        name: name.clone(),
                        room: origin.room.clone(),
                        instruction: texts
                            .iter()
                            .map(|(language, texts)| {
                                let light = self.lights.contains(&origin.device);
                                (language.tag(), instruction(texts, origin.kind, light))
                            })
                            .collect(),
                        expects: step.expects.iter().map(|expect| expect.name()).collect(),
                        met: met.into_iter().flat_map(|r| &r.met).map(|e| e.name()).collect(),
                        within_seconds: step.within.as_secs(),
                        result: self.results.get(&origin.device).map(|(outcome, _)| *outcome),
                    }
                })
                .collect(),
        }
    }
}

fn instruction(texts: &Texts, kind: DeviceKind, light: bool) -> String {
    if light {
        return texts.get("acceptance-light");
    }
    texts.get(&format!("acceptance-{kind}"))
}
