//! What the guard must know for longer than entries are read back at a start: how long the home was
//! watched, how old a silence is, whether somebody is away, since when a device is waited for. It is
//! recorded now and then and taken over by a memory that begins later. It must change nothing for a
//! guard that saw the whole itself, or a replay would differ from the life.

use std::collections::BTreeMap;
use std::time::Duration;

use anju_model::{BoxEvent, DeviceId, EntryId, Finding, Moment, OldHome, Rule, Stamp};

use super::{Guard, inactivity, left_home, not_up};
use crate::Occupancy;
use crate::activity;
use crate::home::{Home, Quiet};
use crate::roster::Device;

/// A device that was heard within this is heard again in what is read back.
const LONG_UNHEARD: Duration = Duration::from_secs(3600);

/// What is recorded is rounded to it.
const SECOND: Duration = Duration::from_secs(1);

impl Guard {
    /// What has to be remembered for longer than entries are read back, to be recorded now and
    /// then.
    pub fn life(&self, stamp: &Stamp) -> BoxEvent {
        let now = self.line.estimate(stamp);
        let watch = self.line.watch(now);
        let devices = || self.roster.configured().iter();
        let id = |device: &Device| device.origin.device.to_string();
        let batteries: BTreeMap<_, _> =
            devices().filter_map(|d| Some((id(d), d.battery.oldest(now)?))).collect();
        let unheard = |d: &Device| {
            let since = watch.since(d.heard.watch);
            let long = d.heard.at.is_none() || since >= LONG_UNHEARD;
            long.then(|| (id(d), since.as_secs()))
        };
        BoxEvent::Life {
            watched_seconds: self.lived(now).as_secs(),
            untested_seconds: devices()
                .filter(|d| activity::calls_for_help(d.origin.kind))
                .map(|d| (id(d), d.test_press.untested(watch).as_secs()))
                .collect(),
            batteries: (!batteries.is_empty()).then_some(batteries),
            unheard_seconds: Some(devices().filter_map(unheard).collect()),
            home: old(&self.home, now).map(Box::new),
        }
    }

    /// Takes over what was recorded.
    pub(super) fn remember(&mut self, life: &BoxEvent, now: Moment, out: &mut Vec<Finding>) {
        let BoxEvent::Life { watched_seconds, untested_seconds, batteries, unheard_seconds, home } =
            life
        else {
            return;
        };
        let watched = Duration::from_secs(*watched_seconds).saturating_sub(self.lived(now));
        self.lived_before = self.lived_before.saturating_add(watched);
        let watch = self.line.watch(now);
        let seconds = |of: &u64| Duration::from_secs(*of);
        for (id, untested) in untested_seconds {
            if let Some(device) = self.named_mut(id) {
                device.test_press.remember(seconds(untested), watch);
            }
        }
        for (id, old) in batteries.iter().flatten() {
            if let Some(device) = self.named_mut(id) {
                device.battery.remember(*old, now);
            }
        }
        let mut new = Vec::new();
        self.knows_who_is_waited_for |= unheard_seconds.is_some();
        for (id, unheard) in unheard_seconds.iter().flatten() {
            let since = ago(watch, *unheard);
            let Some(device) = self.named_mut(id).filter(|device| device.heard.at.is_none()) else {
                continue;
            };
            if !device.waited_for && since > device.heard.watch.after(SECOND) {
                new.push((device.origin.device.clone(), since));
            } else {
                device.waited_for = true;
                device.heard.watch = device.heard.watch.min(since);
            }
        }
        self.wait_for_new_devices(new, now, out);
        // Whoever recorded it had watched for longer than is known here.
        if let Some(home) = home.as_ref().filter(|_| !watched.is_zero()) {
            self.take_over(home, now);
        }
        self.schedule();
    }

    fn named_mut(&mut self, id: &str) -> Option<&mut Device> {
        self.roster.named_mut(&DeviceId::new(id).ok()?)
    }

    fn take_over(&mut self, old: &OldHome, now: Moment) {
        let Ok(cause) = old.quiet_entry.parse::<EntryId>() else { return };
        // The same sign was seen here.
        if self.home.quiet.as_ref().is_none_or(|quiet| quiet.cause != cause) {
            let since = ago(now, old.quiet_seconds);
            self.home.quiet = Some(Quiet { since, cause, seen: old.seen });
            // They are found anew, as of the silence that it was.
            self.inactivity = inactivity::State::default();
            self.not_up = not_up::State::default();
            self.overlooked.forget(|raise| matches!(raise.rule, Rule::Inactivity | Rule::NotUp));
        }
        if let Some(occupancy) = occupancy(old, now).filter(|told| !same(told, &self.home)) {
            self.home.occupancy = occupancy;
            self.left_home = left_home::State::default();
            self.overlooked.forget(|raise| raise.rule == Rule::LeftHome);
        }
        self.home.all_may_be_out = old.all_may_be_out;
    }
}

/// The moment that many seconds before.
const fn ago(now: Moment, seconds: u64) -> Moment {
    Moment(now.0.saturating_sub(seconds.saturating_mul(1000)))
}

fn old(home: &Home, now: Moment) -> Option<OldHome> {
    let quiet = home.quiet.as_ref()?;
    let (occupancy, cause, out, until) = match &home.occupancy {
        Occupancy::Unsure => ("unsure", None, None, None),
        Occupancy::AtHome => ("at-home", None, None, None),
        Occupancy::Visitor => ("visitor", None, None, None),
        Occupancy::Out { since, cause } => ("out", Some(cause), Some(*since), None),
        Occupancy::Away { until, cause } => ("away", Some(cause), None, Some(*until)),
    };
    Some(OldHome {
        quiet_seconds: now.since(quiet.since).as_secs(),
        quiet_entry: quiet.cause.to_string(),
        seen: quiet.seen,
        occupancy: occupancy.to_owned(),
        all_may_be_out: home.all_may_be_out,
        entry: cause.map(ToString::to_string),
        out_seconds: out.map(|since| now.since(since).as_secs()),
        until,
    })
}

fn occupancy(old: &OldHome, now: Moment) -> Option<Occupancy> {
    let cause = || old.entry.as_ref()?.parse().ok();
    Some(match old.occupancy.as_str() {
        "unsure" => Occupancy::Unsure,
        "at-home" => Occupancy::AtHome,
        "visitor" => Occupancy::Visitor,
        "out" => Occupancy::Out { since: ago(now, old.out_seconds?), cause: cause()? },
        "away" => Occupancy::Away { until: old.until?, cause: cause()? },
        _ => return None,
    })
}

/// Whether the home knows that already, and better than to the second.
fn same(told: &Occupancy, home: &Home) -> bool {
    match (told, &home.occupancy) {
        (Occupancy::Out { cause, .. }, Occupancy::Out { cause: known, .. }) => cause == known,
        (told, known) => told == known,
    }
}
