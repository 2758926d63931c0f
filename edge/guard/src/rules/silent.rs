//! Guards against a device that is no longer there: its battery died, it fell behind a cupboard,
//! its radio lost the way. Users of such systems complain that dead sensors were shown alive for
//! weeks. A device is lost when its driver says so, or when it was not heard for its configured
//! `heard_within`, else 24 h for what calls for help (EN 50134-2:2017: a radio trigger reports at
//! least every 24 h), 6 h for what runs on mains and reports by itself, and 25 h for the rest (an hourly
//! or daily report and some room); what is heard only when it is used is not waited for. It is a fault,
//! found once, over when the device is heard again. A base line known at start is not being heard:
//! a broker repeats what it kept from a dead device. A wired contact says nothing while all is well,
//! so it is only waited for if the configuration says how long. Time in which the box itself was off
//! does not count.

use anju_model::{Class, Fact, Finding, Moment, Observation, Raise, Rule};

use super::{direct, over};
use crate::line::Line;
use crate::roster::{Device, Heard, Roster};

/// Whether a device is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Heard, or not yet waited for long enough.
    #[default]
    Heard,
    /// Lost by its driver's word, or not heard for too long.
    Lost,
}

impl State {
    /// Whether it is lost.
    pub const fn lost(self) -> bool {
        matches!(self, State::Lost)
    }
}

/// Takes note that a device said something; true if it was lost or found by that.
pub fn observe(
    device: &mut Device,
    said: &Observation,
    heard: &Heard,
    out: &mut Vec<Finding>,
) -> bool {
    device.waited_for = true;
    let offline = matches!(&said.fact, Fact::Online(online) if !online.online);
    let before = device.silent;
    if offline {
        device.silent = State::Lost;
        if !before.lost() && device.configured {
            let mut raise = direct(Rule::DeviceSilent, Class::Fault, said, &heard.cause);
            // Who is lost during a test is lost.
            raise.test = false;
            out.push(Finding::Raise(raise));
        }
        return !before.lost();
    }
    if said.baseline {
        // What a broker kept may say that a device is back, not that it was heard just now.
        let back = matches!(said.fact, Fact::Online(_));
        let overdue =
            device.heard_within.is_some_and(|limit| device.heard.watch.after(limit) <= heard.watch);
        if !back || overdue {
            return false;
        }
    } else {
        device.heard = heard.clone();
    }
    device.silent = State::Heard;
    if before.lost() && device.configured {
        out.push(over(Rule::DeviceSilent, said, &heard.cause));
    }
    before.lost()
}

/// When the next device will have been silent for too long.
pub fn due(roster: &Roster, line: &Line) -> Option<Moment> {
    let devices = roster.configured().iter().filter(|d| !d.lost());
    let watch = devices.filter_map(|d| Some(d.heard.watch.after(d.heard_within?))).min()?;
    Some(line.when_watched(watch))
}

/// Finds those that have been silent for too long; true if there are any.
pub fn tick(roster: &mut Roster, now: Moment, line: &Line, out: &mut Vec<Finding>) -> bool {
    let watch = line.watch(now);
    let mut found = false;
    for device in roster.configured_mut() {
        let Some(limit) = device.heard_within else { continue };
        if device.lost() || device.heard.watch.after(limit) > watch {
            continue;
        }
        device.silent = State::Lost;
        found = true;
        out.push(Finding::Raise(Raise {
            rule: Rule::DeviceSilent,
            class: Class::Fault,
            origin: Some(device.origin.clone()),
            cause: device.heard.cause.clone(),
            direct: false,
            since: device.heard.at.and_then(|at| line.wall_at(at)),
            count: 1,
            test: false,
            shadow: false,
            lost: None,
            more: false,
        }));
    }
    found
}

/// Takes note of an alert recorded before this memory begins, or of its end: a device not heard
/// since then is not found lost a second time. True if it was lost or found by that.
pub fn recorded(device: &mut Device, lost: bool) -> bool {
    device.waited_for = true;
    if device.heard.at.is_some() {
        return false;
    }
    let before =
        std::mem::replace(&mut device.silent, if lost { State::Lost } else { State::Heard });
    before.lost() != lost
}
