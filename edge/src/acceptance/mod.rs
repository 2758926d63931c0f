//! Acceptance: each device is made to do what it is there for, and the box says whether that
//! reached it, up to the alert that follows. While it runs, the device is under test: what it says
//! and what follows from that carries `test`, so that nobody is called. Devices are taken one after
//! another. It must never put a device under test that nobody asked for, nor keep one there longer
//! than its step: a press on any other device, and on this one afterwards, is real.
//!
//! Pure: it gets facts and moments and answers with effects.

mod steps;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anju_model::config::Household;
use anju_model::observation::Origin;
use anju_model::{
    AlertChange, AlertId, AlertStep, BoxEvent, DeviceId, DeviceKind, Fact, Moment, Observation,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use anju_edge::ask::Acceptance as Ask;
use steps::{Expect, Step};
pub use view::Report;

/// Why it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// No such device.
    #[error("there is no device {0}; `anju acceptance list` names them")]
    Unknown(DeviceId),
    /// It runs or waits already.
    #[error("the acceptance of {0} already runs or waits; `anju acceptance stop` ends it")]
    Already(DeviceId),
    /// Nothing to accept.
    #[error("the configuration has no device")]
    NoDevice,
}

/// How a device's acceptance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All was seen.
    Passed,
    /// The device was lost or said that it is broken, or only a part was seen in time.
    Failed,
    /// Nothing was seen in time.
    TimedOut,
    /// Somebody, or a restart, ended it.
    Stopped,
}

impl Outcome {
    /// The name in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::TimedOut => "timed-out",
            Outcome::Stopped => "stopped",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::TimedOut, Self::Stopped]
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write this.
    Record(Box<BoxEvent>),
    /// The siren shall sound shortly.
    Sound(DeviceId),
    /// The device shall tell its next reading, even where it is no news.
    TellAnew(DeviceId),
    /// Close the alert as a test.
    Close(AlertId),
}

#[derive(Debug, Clone)]
struct Running {
    origin: Origin,
    step: Step,
    by: String,
    until: Moment,
    met: BTreeSet<Expect>,
    alerts: Vec<AlertId>,
}

/// The acceptance of the home's devices.
#[derive(Debug, Clone, Default)]
pub struct Acceptance {
    devices: Vec<(Origin, String)>,
    /// Those that blink rather than sound.
    lights: BTreeSet<DeviceId>,
    running: Option<Running>,
    waiting: VecDeque<(Origin, String)>,
    /// The device before, still sounding, with the alerts that its test raised.
    settling: Option<(DeviceId, Moment)>,
    results: BTreeMap<DeviceId, (Outcome, Moment)>,
}

/// How long the siren sounds.
pub const SIREN_SECONDS: u16 = 2;

impl Acceptance {
    /// The acceptance of a home's devices.
    pub fn new(household: &Household) -> Self {
        Self { devices: devices(household), lights: lights(household), ..Self::default() }
    }

    /// Takes a changed configuration; a device that is gone or became another kind is not accepted
    /// any more.
    pub fn configure(&mut self, household: &Household, now: Moment) -> Vec<Effect> {
        self.devices = devices(household);
        self.lights = lights(household);
        let devices = std::mem::take(&mut self.devices);
        let known = |origin: &Origin| devices.iter().any(|(d, _)| same(d, origin));
        self.waiting.retain(|(origin, _)| known(origin));
        self.results.retain(|id, _| devices.iter().any(|(d, _)| d.device == *id));
        let gone = self.running.as_ref().is_some_and(|running| !known(&running.origin));
        self.devices = devices;
        if gone { self.end(Outcome::Stopped, now) } else { Vec::new() }
    }

    /// Takes a recorded event back, in the order of the journal.
    pub fn recall(&mut self, event: &BoxEvent, at: Moment) {
        let BoxEvent::Acceptance { device, result, .. } = event else { return };
        let Some((origin, _)) = self.devices.iter().find(|(d, _)| d.device.as_str() == device)
        else {
            return;
        };
        // Begun and not ended: the box went down in between.
        let outcome = Outcome::from_name(result).unwrap_or(Outcome::Stopped);
        self.results.insert(origin.device.clone(), (outcome, at));
    }

    /// Whether what a device says now is a test.
    pub fn under_test(&self, device: &DeviceId, now: Moment) -> bool {
        let runs = self
            .running
            .as_ref()
            .is_some_and(|running| running.origin.device == *device && now < running.until);
        let settles =
            self.settling.as_ref().is_some_and(|(id, until)| id == device && now < *until);
        runs || settles
    }

    /// Takes a device, or all of them.
    ///
    /// # Errors
    /// [`Refused`] says why nothing was begun.
    pub fn start(
        &mut self,
        device: Option<&DeviceId>,
        by: &str,
        now: Moment,
    ) -> Result<Vec<Effect>, Refused> {
        let wanted: Vec<Origin> = match device {
            None => self.devices.iter().map(|(origin, _)| origin.clone()).collect(),
            Some(id) => {
                let found = self.devices.iter().find(|(origin, _)| origin.device == *id);
                vec![found.ok_or_else(|| Refused::Unknown(id.clone()))?.0.clone()]
            }
        };
        let busy = |origin: &Origin| {
            self.running.as_ref().is_some_and(|r| r.origin.device == origin.device)
                || self.waiting.iter().any(|(w, _)| w.device == origin.device)
        };
        let fresh: Vec<Origin> = wanted.iter().filter(|origin| !busy(origin)).cloned().collect();
        match (fresh.is_empty(), wanted.first()) {
            (true, Some(origin)) => return Err(Refused::Already(origin.device.clone())),
            (true, None) => return Err(Refused::NoDevice),
            (false, _) => {}
        }
        self.waiting.extend(fresh.into_iter().map(|origin| (origin, by.to_owned())));
        Ok(if self.running.is_none() { self.next(now) } else { Vec::new() })
    }

    /// Ends what runs and forgets what waits.
    pub fn stop(&mut self, now: Moment) -> Vec<Effect> {
        self.waiting.clear();
        self.end(Outcome::Stopped, now)
    }

    /// Looks at what a device said.
    pub fn observe(&mut self, said: &Observation, now: Moment) -> Vec<Effect> {
        let Some(running) = self.running.as_mut() else { return Vec::new() };
        if running.origin.device != said.origin.device || said.baseline {
            return Vec::new();
        }
        let broken = match &said.fact {
            Fact::Online(online) => !online.online,
            Fact::Trouble(trouble) => trouble.active,
            _ => false,
        };
        if broken {
            return self.end(Outcome::Failed, now);
        }
        let met = running.step.expects.iter().filter(|expect| expect.met_by(&said.fact));
        running.met.extend(met);
        self.end_if_complete(now)
    }

    /// Looks at a step of an alert.
    pub fn alert(&mut self, change: &AlertChange, now: Moment) -> Vec<Effect> {
        let Some(running) = self.running.as_mut() else { return Vec::new() };
        let subject = &change.subject;
        let own = subject.test && subject.device.as_ref() == Some(&running.origin.device);
        let begins = matches!(change.step, AlertStep::Raised { .. } | AlertStep::Repeated { .. });
        if !own || !begins || !running.step.alerts.contains(&subject.rule) {
            return Vec::new();
        }
        running.met.insert(Expect::Alert);
        if !running.alerts.contains(&subject.alert) {
            running.alerts.push(subject.alert.clone());
        }
        self.end_if_complete(now)
    }

    /// The device obeyed, or did not.
    pub fn obeyed(&mut self, device: &DeviceId, obeyed: bool, now: Moment) -> Vec<Effect> {
        let Some(running) = self.running.as_mut() else { return Vec::new() };
        if running.origin.device != *device {
            return Vec::new();
        }
        if !obeyed {
            return self.end(Outcome::Failed, now);
        }
        running.met.insert(Expect::Sounding);
        self.end_if_complete(now)
    }

    /// When [`Acceptance::tick`] is wanted.
    pub fn next_tick(&self) -> Option<Moment> {
        self.running.as_ref().map(|running| running.until)
    }

    /// Ends a step whose time is over.
    pub fn tick(&mut self, now: Moment) -> Vec<Effect> {
        let Some(running) = self.running.as_ref().filter(|r| r.until <= now) else {
            return Vec::new();
        };
        let seen = !running.met.is_empty();
        self.end(if seen { Outcome::Failed } else { Outcome::TimedOut }, now)
    }

    fn end_if_complete(&mut self, now: Moment) -> Vec<Effect> {
        let complete = self
            .running
            .as_ref()
            .is_some_and(|r| r.step.expects.iter().all(|expect| r.met.contains(expect)));
        if complete { self.end(Outcome::Passed, now) } else { Vec::new() }
    }

    fn end(&mut self, outcome: Outcome, now: Moment) -> Vec<Effect> {
        let Some(running) = self.running.take() else { return Vec::new() };
        let id = running.origin.device.clone();
        // What was never seen does not sound.
        let sounds = !running.met.is_empty();
        self.settling = sounds.then(|| (id.clone(), now.after(running.step.settles)));
        self.results.insert(id, (outcome, now));
        let mut effects = vec![Effect::Record(event(&running, outcome.as_str()).into())];
        effects.extend(running.alerts.into_iter().map(Effect::Close));
        effects.extend(self.next(now));
        effects
    }

    fn next(&mut self, now: Moment) -> Vec<Effect> {
        let Some((origin, by)) = self.waiting.pop_front() else { return Vec::new() };
        let step = steps::of(origin.kind);
        let order = if origin.kind == DeviceKind::Siren {
            Some(Effect::Sound(origin.device.clone()))
        } else if step.expects.iter().any(|expect| expect.is_reading()) {
            Some(Effect::TellAnew(origin.device.clone()))
        } else {
            None
        };
        let until = now.after(step.within);
        let (met, alerts) = (BTreeSet::new(), Vec::new());
        let running = Running { origin, step, by, until, met, alerts };
        let begun = Effect::Record(event(&running, "started").into());
        self.running = Some(running);
        std::iter::once(begun).chain(order).collect()
    }
}

fn lights(household: &Household) -> BTreeSet<DeviceId> {
    let lights = household.devices.iter().filter(|device| device.announces.is_some());
    lights.map(|device| device.id.clone()).collect()
}

fn devices(household: &Household) -> Vec<(Origin, String)> {
    household.devices.iter().map(|device| (device.origin(), device.name.clone())).collect()
}

fn same(a: &Origin, b: &Origin) -> bool {
    a.device == b.device && a.kind == b.kind
}

fn event(running: &Running, result: &str) -> BoxEvent {
    let named = |met: bool| {
        let expects = running.step.expects.iter();
        let chosen = expects.filter(|expect| running.met.contains(expect) == met);
        chosen.map(|expect| expect.name().to_owned()).collect()
    };
    BoxEvent::Acceptance {
        device: running.origin.device.to_string(),
        kind: running.origin.kind.to_string(),
        result: result.to_owned(),
        met: named(true),
        missing: named(false),
        by: running.by.clone(),
    }
}
