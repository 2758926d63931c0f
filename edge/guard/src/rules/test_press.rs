//! Guards against a button that nobody has pressed for so long that nobody knows whether it works:
//! a radio that reports its battery says nothing of its contact. A device that calls for help and
//! was not pressed for 30 days of watched time is a request, told once; pressing it, as a test or in
//! earnest, ends it. Users of such systems complain of triggers that were dead for weeks; EN 50134-7
//! asks for regular tests by the user and leaves the interval to the service; monthly is what
//! telecare services ask of their users. What is only carried (a watch, a badge) is not judged.

use std::time::Duration;

use anju_model::observation::{Help, HelpState};
use anju_model::{Class, DeviceKind, EntryId, Finding, Moment, Observation, Raise, Rule};

use super::over;
use crate::line::Line;
use crate::roster::Roster;

/// When the device was last pressed.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// On the watch line; or since when it is waited for.
    since: Moment,
    /// How long it had been untested then.
    before: Duration,
    told: bool,
}

impl State {
    /// Waited for from that moment of the watch line on.
    pub const fn since(watch: Moment) -> Self {
        Self { since: watch, before: Duration::ZERO, told: false }
    }

    /// How long it has not been pressed.
    pub fn untested(&self, watch: Moment) -> Duration {
        watch.since(self.since).saturating_add(self.before)
    }

    /// Takes note of how long it had not been pressed by an older memory.
    pub fn remember(&mut self, untested: Duration, watch: Moment) {
        let known = self.untested(watch);
        self.before = self.before.saturating_add(untested.saturating_sub(known));
    }

    /// Takes note of a recorded alert: a press, or the reminder. Alerts are read back further than
    /// presses are.
    pub fn recorded(&mut self, press: bool, watch: Moment) {
        if press {
            *self = Self::since(watch);
        } else {
            self.told = true;
        }
    }
}

/// Takes note of a press.
pub fn observe(
    state: &mut State,
    help: &Help,
    said: &Observation,
    watch: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if said.baseline || help.state != HelpState::Pressed {
        return;
    }
    let told = state.told;
    *state = State::since(watch);
    if told {
        out.push(over(Rule::TestDue, said, cause));
    }
}

/// When the next device will not have been pressed for too long.
pub fn due(roster: &Roster, every: Duration, line: &Line) -> Option<Moment> {
    let waited = roster.configured().iter().filter(|d| judged(d.origin.kind));
    let watch = waited
        .map(|d| &d.test_press)
        .filter(|state| !state.told)
        .map(|state| state.since.after(every.saturating_sub(state.before)))
        .min()?;
    Some(line.when_watched(watch))
}

/// Finds those that were not pressed for too long.
pub fn tick(
    roster: &mut Roster,
    every: Duration,
    now: Moment,
    line: &Line,
    latest: &EntryId,
    out: &mut Vec<Finding>,
) {
    let watch = line.watch(now);
    for device in roster.configured_mut() {
        let state = &mut device.test_press;
        if !judged(device.origin.kind) || state.told || state.untested(watch) < every {
            continue;
        }
        state.told = true;
        out.push(Finding::Raise(Raise {
            rule: Rule::TestDue,
            class: Class::Request,
            origin: Some(device.origin.clone()),
            cause: latest.clone(),
            direct: false,
            since: None,
            count: 1,
            test: false,
            shadow: false,
            lost: None,
            more: false,
        }));
    }
}

const fn judged(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::FixedAlarm | DeviceKind::PortableAlarm)
}
