//! The guard itself: takes entries in the order of their numbers, lets the time between them pass,
//! and hands what the rules found to whoever answers. A tick is judged at the moment it was due,
//! never at the moment somebody came round to it, so that a live box and a replay find the same.

use std::sync::Arc;
use std::time::Duration;

use anju_model::config::Household;
use anju_model::{
    AlertChange, AlertStep, Body, BoxEvent, Entry, EntryId, Fact, Finding, Lane, Moment,
    Observation, Rule, Stamp,
};

use crate::activity::{self, Sign};
use crate::home::{Home, Means};
use crate::line::Line;
use crate::overlooked::Overlooked;
use crate::roster::{Device, Heard, Roster};
use crate::rules::{
    self, Scene, battery, fall, hazards, help, inactivity, left_home, not_up, silent, tamper,
    trouble, unguarded,
};

/// A tick waits this long for an entry that was stamped before it but comes after it.
const LATE_ENTRIES: Duration = Duration::from_secs(1);

/// No sequence of ticks is longer; each rule has a handful of stages for each device.
const MOST_TICKS: usize = 10_000;

/// The rules of one home with their memory.
#[derive(Debug, Clone)]
pub struct Guard {
    pub(crate) household: Arc<Household>,
    pub(crate) line: Line,
    pub(crate) home: Home,
    pub(crate) roster: Roster,
    pub(crate) last_sign: Option<(Moment, Observation)>,
    /// Since when no device could have seen a person.
    pub(crate) blind: Option<Moment>,
    inactivity: inactivity::State,
    not_up: not_up::State,
    left_home: left_home::State,
    unguarded: unguarded::State,
    overlooked: Overlooked,
    /// No tick is judged before this moment.
    floor: Moment,
    latest: Option<EntryId>,
    next: Option<Moment>,
}

impl Guard {
    /// A guard that knows the home but has seen nothing yet.
    pub fn new(household: Arc<Household>) -> Self {
        let mut guard = Self {
            line: Line::default(),
            home: Home::default(),
            roster: Roster::default(),
            last_sign: None,
            blind: None,
            inactivity: inactivity::State::default(),
            not_up: not_up::State::default(),
            left_home: left_home::State::default(),
            unguarded: unguarded::State::default(),
            overlooked: Overlooked::default(),
            floor: Moment::default(),
            latest: None,
            next: None,
            household,
        };
        guard.configure();
        guard
    }

    /// Takes in an entry; every entry, in the order of the numbers. First whatever was due before
    /// it is judged, then the entry.
    pub fn observe(&mut self, entry: &Entry) -> Vec<Finding> {
        let mut out = Vec::new();
        let step = self.line.step(entry);
        self.pass(step.watched, &mut out);
        let reckon_anew = self.line.arrive(step, &entry.stamp);
        self.floor = self.floor.max(step.at);
        if reckon_anew {
            self.schedule();
        }
        self.pass(step.at, &mut out);
        // Recorded alerts may reach back further than the rest of what was read back.
        if self.home.quiet.is_none() && entry.body.lane() == Lane::Events {
            self.begin(step.at, &entry.id);
        }
        self.latest = Some(entry.id.clone());
        match &entry.body {
            Body::Observation(said) => self.said(said, step.at, &entry.id, &mut out),
            Body::Alert(change) => self.recorded(change),
            Body::Box(BoxEvent::Away { until, by }) if by != AWAY_ENDED_BY_GUARD => {
                let was_out = self.out();
                if self.home.away(*until, step.at, &entry.id, &self.line) {
                    self.rearm(was_out, &entry.id, &mut out);
                }
                self.schedule();
            }
            _ => {}
        }
        out
    }

    /// Lets time pass without an entry, up to shortly before the stamp.
    ///
    /// The stamp has to be of this boot and not older than entries that were not handed to
    /// [`Guard::observe`] yet by more than a second.
    pub fn advance(&mut self, stamp: &Stamp) -> Vec<Finding> {
        let mut out = Vec::new();
        let now = self.line.estimate(stamp);
        let limit = Moment(now.0.saturating_sub(millis(LATE_ENTRIES)));
        self.pass(limit, &mut out);
        out
    }

    /// When the guard wants to judge next, on its own line of time.
    pub fn next_tick(&self) -> Option<Moment> {
        self.next.map(|due| due.max(self.floor))
    }

    /// How long after the stamp [`Guard::advance`] is wanted.
    pub fn wait(&self, stamp: &Stamp) -> Option<Duration> {
        let due = self.next_tick()?.after(LATE_ENTRIES);
        Some(due.since(self.line.estimate(stamp)))
    }

    /// Takes in an entry that was recorded before this start. What is found is not handed out,
    /// because it was answered then; see [`Guard::overlooked`] for what was not.
    pub fn recall(&mut self, entry: &Entry) {
        let found = self.observe(entry);
        self.overlooked.note(entry, found, self.line.latest());
    }

    /// After the last [`Guard::recall`]: what the recorded entries lead to but no recorded alert
    /// answers, because the box went down between a press and its alert.
    pub fn overlooked(&mut self) -> Vec<Finding> {
        self.overlooked.take(self.line.latest())
    }

    /// Takes over a changed configuration; what is known of devices that stay is kept. What was
    /// found of devices that are gone is over.
    pub fn reconfigure(&mut self, household: Arc<Household>) -> Vec<Finding> {
        self.household = household;
        let gone = self.configure();
        let mut out = Vec::new();
        if let Some(cause) = self.latest.clone() {
            for device in &gone {
                let ended = device.open_faults().into_iter();
                out.extend(ended.map(|rule| Finding::Over {
                    rule,
                    origin: Some(device.origin.clone()),
                    cause: cause.clone(),
                }));
            }
            self.devices_changed(self.floor, &cause, &mut out);
            self.schedule();
        }
        out
    }

    /// The wall clock at one of the guard's moments, as far as it is known.
    pub fn wall_at(&self, at: Moment) -> Option<jiff::Timestamp> {
        self.line.wall_at(at)
    }

    fn configure(&mut self) -> Vec<Device> {
        let now = self.floor;
        let household = self.household.clone();
        let heard = Heard {
            watch: self.line.watch(now),
            at: None,
            cause: self.latest.clone().unwrap_or_else(|| EntryId {
                box_id: household.box_id.clone(),
                epoch: 0,
                seq: 0,
            }),
        };
        let gone = self.roster.configure(&household, &heard);
        self.home.configure(Means {
            sees_movement: self.roster.any(|d| activity::sees_movement(d.origin.kind)),
            several: household.persons.len() > 1,
            settle: household.guard.left_home.settle,
        });
        self.look(now);
        self.schedule();
        gone
    }

    fn begin(&mut self, now: Moment, cause: &EntryId) {
        self.home.begin(now, cause);
        let watch = self.line.watch(now);
        self.roster.begin(&Heard { watch, at: None, cause: cause.clone() });
        self.schedule();
    }

    fn scene(&self, now: Moment) -> Scene<'_> {
        Scene { now, line: &self.line, household: &self.household, home: &self.home }
    }

    /// Whether silence means nothing: no device sees a person, or all that do are lost.
    fn cannot_see(&self) -> bool {
        self.blind.is_some() || !self.roster.any(|d| activity::sees_indoors(d.origin.kind))
    }

    fn out(&self) -> bool {
        matches!(self.home.occupancy, crate::Occupancy::Out { .. })
    }

    /// Judges everything due up to a moment, each at its own.
    fn pass(&mut self, limit: Moment, out: &mut Vec<Finding>) {
        for _ in 0..MOST_TICKS {
            let Some(due) = self.next.filter(|due| *due <= limit) else { return };
            self.floor = self.floor.max(due);
            self.tick(self.floor, out);
            self.schedule();
        }
    }

    fn tick(&mut self, now: Moment, out: &mut Vec<Finding>) {
        let blind = self.cannot_see();
        let there = self.roster.somebody_there();
        if self.home.tick(now, &self.line, blind, there) {
            self.inactivity = inactivity::State::default();
            self.not_up = not_up::State::default();
        }
        if silent::tick(&mut self.roster, now, &self.line, out)
            && let Some(latest) = self.latest.clone()
        {
            self.devices_changed(now, &latest, out);
        }
        let blind = self.cannot_see();
        let Self { line, household, home, inactivity, not_up, left_home, .. } = self;
        let scene = Scene { now, line, household, home };
        inactivity::tick(inactivity, &scene, blind, out);
        not_up::tick(not_up, &scene, blind, out);
        left_home::tick(left_home, &scene, out);
    }

    fn schedule(&mut self) {
        if self.home.quiet.is_none() {
            // Nothing can be waited for before there was anything.
            self.next = None;
            return;
        }
        let scene = self.scene(self.floor);
        let blind = self.cannot_see();
        self.next = [
            self.home.due(&self.line),
            silent::due(&self.roster, &self.line),
            inactivity::due(&self.inactivity, &scene, blind),
            not_up::due(&self.not_up, &scene, blind),
            left_home::due(&self.left_home, &scene),
        ]
        .into_iter()
        .flatten()
        .min();
    }

    fn said(&mut self, said: &Observation, now: Moment, cause: &EntryId, out: &mut Vec<Finding>) {
        let heard = Heard { watch: self.line.watch(now), at: Some(now), cause: cause.clone() };
        let place = self.roster.place_of(said, &heard);
        let Some(device) = self.roster.get_mut(place) else { return };
        match &said.fact {
            Fact::Help(help) => help::observe(help, said, cause, out),
            Fact::Fall(_) | Fact::Camera(_) => {
                fall::observe(&mut device.fall, said, now, cause, out);
            }
            Fact::Smoke(_)
            | Fact::Gas(_)
            | Fact::CarbonMonoxide(_)
            | Fact::Leak(_)
            | Fact::Meter(_) => hazards::observe(&mut device.hazards, said, now, cause, out),
            Fact::Battery(b) => battery::observe(&mut device.battery, b, said, cause, out),
            Fact::Tamper(t) => tamper::observe(&mut device.tamper, t, said, cause, out),
            Fact::Trouble(t) => trouble::observe(&mut device.trouble, t, said, cause, out),
            _ => {}
        }
        let changed = silent::observe(device, said, &heard, out);
        let sign = activity::sign(device, said, heard.watch);
        if changed {
            self.devices_changed(now, cause, out);
        }
        let picture_changed = sign != Sign::default();
        if picture_changed {
            let was_out = self.out();
            if self.home.see(sign, now, cause, &self.line) {
                self.last_sign = Some((now, said.clone()));
                self.rearm(was_out, cause, out);
            }
        }
        if picture_changed || changed || self.next.is_none() {
            self.schedule();
        }
    }

    /// A sign of a person, or an announced absence, ends what was found about silence.
    fn rearm(&mut self, was_out: bool, cause: &EntryId, out: &mut Vec<Finding>) {
        inactivity::rearm(&mut self.inactivity, &self.household.guard.inactivity, cause, out);
        not_up::rearm(&mut self.not_up, cause, out);
        if was_out && !self.out() {
            left_home::rearm(&mut self.left_home, cause, out);
        }
    }

    fn devices_changed(&mut self, now: Moment, cause: &EntryId, out: &mut Vec<Finding>) {
        self.look(now);
        unguarded::judge(&mut self.unguarded, &self.roster, now, &self.line, cause, out);
    }

    /// Sees whether any device could see a person.
    fn look(&mut self, now: Moment) {
        match (self.blind, unguarded::blind(&self.roster)) {
            (None, true) => self.blind = Some(now),
            (Some(since), false) => {
                self.blind = None;
                self.home.excuse(now.since(since), now);
            }
            _ => {}
        }
    }

    /// Where the memory begins in the middle of a silence (older entries were shed), the recorded
    /// alerts tell how far its rules had gone.
    fn recorded(&mut self, change: &AlertChange) {
        if !matches!(change.step, AlertStep::Raised { .. }) {
            return;
        }
        // Alerts from before the first event belong to silences that may long be over.
        let Some(quiet) = &self.home.quiet else { return };
        let (subject, seen) = (&change.subject, quiet.seen);
        match &subject.rule {
            Rule::Inactivity if !seen => self.inactivity.stages.recorded(subject.class),
            Rule::NotUp if !seen => self.not_up.stages.recorded(subject.class),
            Rule::DeviceSilent => {
                let device = subject.device.as_ref();
                if let Some(device) = device.and_then(|id| self.roster.named_mut(id)) {
                    silent::recorded(device);
                }
            }
            _ => return,
        }
        self.schedule();
    }

    /// Whether the home is unguarded.
    pub(crate) const fn is_unguarded(&self) -> bool {
        self.unguarded.found()
    }
}

/// An `away` entry by this name only records that the guard saw the absence end, and changes
/// nothing.
pub const AWAY_ENDED_BY_GUARD: &str = "guard";

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The rules that this crate judges; alerts of others are the box's own.
pub fn judged(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::Help
            | Rule::Fall
            | Rule::Smoke
            | Rule::Gas
            | Rule::CarbonMonoxide
            | Rule::Leak
            | Rule::Inactivity
            | Rule::NotUp
            | Rule::LeftHome
            | Rule::DeviceSilent
            | Rule::DeviceLow
            | Rule::Tamper
            | Rule::Trouble
    ) || rule.as_str() == rules::unguarded::NAME
}

#[cfg(test)]
mod tests;
