//! The guard itself: takes entries in the order of their numbers, lets the time between them pass,
//! and hands what the rules found to whoever answers. A tick is judged at the moment it was due,
//! never at the moment somebody came round to it, so that a live box and a replay find the same.

use std::sync::Arc;
use std::time::Duration;

use anju_model::config::Household;
use anju_model::observation::HelpState;
use anju_model::{
    AlertChange, AlertStep, Body, BoxEvent, CLOSED_BY_ITSELF, CaughtUp, DeviceId, Entry, EntryId,
    Fact, Finding, Lane, Moment, Observation, Rule, Stamp,
};

use crate::activity::{self, Place, Sign};
use crate::home::{Home, Means};
use crate::line::{BEGINNING, Line};
use crate::overlooked::Overlooked;
use crate::roster::{Device, Heard, Roster};
use crate::rules::{
    Scene, bathroom_stay, battery, call, climate, door_at_night, fall, hazards, help, inactivity,
    left_home, lock, medication, not_up, out_of_bed, person_at_night, silent, strangers, supply,
    tamper, test_press, trouble, unguarded, vital, voice, wandering, water_running,
};

/// A tick waits this long for an entry that was stamped before it but comes after it.
const LATE_ENTRIES: Duration = Duration::from_secs(1);

/// So many ticks that change nothing end a sequence of them.
const MOST_IDLE_TICKS: u32 = 3;

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
    bathroom_stay: bathroom_stay::State,
    door_at_night: door_at_night::State,
    inactivity: inactivity::State,
    medication: medication::State,
    strangers: strangers::State,
    supply: supply::State,
    not_up: not_up::State,
    left_home: left_home::State,
    unguarded: unguarded::State,
    overlooked: Overlooked,
    /// The memory tells which devices were waited for.
    knows_who_is_waited_for: bool,
    /// How long the home was watched before what is remembered begins.
    lived_before: Duration,
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
            bathroom_stay: bathroom_stay::State::default(),
            door_at_night: door_at_night::State::default(),
            inactivity: inactivity::State::default(),
            medication: medication::State::default(),
            strangers: strangers::State::default(),
            supply: supply::State::default(),
            not_up: not_up::State::default(),
            left_home: left_home::State::default(),
            unguarded: unguarded::State::default(),
            overlooked: Overlooked::default(),
            knows_who_is_waited_for: false,
            lived_before: Duration::ZERO,
            floor: BEGINNING,
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
        if let Some(outage) = step.caught_up {
            self.catch_up(outage);
        }
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
            Body::Alert(change) => self.recorded(change, step.at, &mut out),
            Body::Box(BoxEvent::Away { until, by }) if by != AWAY_ENDED_BY_GUARD => {
                let was_out = self.out();
                if self.home.away(*until, step.at, &entry.id, &self.line) {
                    self.rearm(was_out, &entry.id, &mut out);
                }
                self.schedule();
            }
            Body::Box(
                event @ (BoxEvent::Power { .. } | BoxEvent::Network { .. } | BoxEvent::Boot { .. }),
            ) => {
                supply::observe(&mut self.supply, event, step.at, &entry.id, &mut out);
                self.schedule();
            }
            Body::Box(life @ BoxEvent::Life { .. }) => self.remember(life, step.at, &mut out),
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

    /// What was seen since this boot began was seen after the outage that came to light only now.
    fn catch_up(&mut self, outage: CaughtUp) {
        self.home.catch_up(outage);
        inactivity::catch_up(&mut self.inactivity, outage);
        bathroom_stay::catch_up(&mut self.bathroom_stay, outage);
        medication::catch_up(&mut self.medication, outage);
        strangers::catch_up(&mut self.strangers, outage);
        supply::catch_up(&mut self.supply, outage);
        self.roster.catch_up(outage);
        for at in self.last_sign.iter_mut().map(|(at, _)| at).chain(&mut self.blind) {
            *at = outage.carry(*at);
        }
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
    /// answers, because the box went down between a press and its alert, or because the
    /// configuration was another then.
    pub fn overlooked(&mut self) -> Vec<Finding> {
        let now = self.line.latest();
        if self.knows_who_is_waited_for {
            let new = self.roster.configured().iter().filter(|device| !device.waited_for);
            let since = self.line.watch(now);
            let new = new.map(|device| (device.origin.device.clone(), since)).collect();
            let mut found = Vec::new();
            self.wait_for_new_devices(new, now, &mut found);
            self.overlooked.found(found, now);
        }
        self.overlooked.take(now)
    }

    /// Devices that came with a start are waited for from then on, however long the memory is.
    fn wait_for_new_devices(
        &mut self,
        new: Vec<(DeviceId, Moment)>,
        now: Moment,
        out: &mut Vec<Finding>,
    ) {
        let Some(cause) = self.latest.clone().filter(|_| !new.is_empty()) else { return };
        let mut found_lost = false;
        for (id, watch) in new {
            let Some(device) = self.roster.named_mut(&id) else { continue };
            device.heard = Heard { watch, at: None, cause: cause.clone() };
            device.waited_for = true;
            found_lost |= std::mem::take(&mut device.silent).lost();
            self.overlooked.forget(|raise| {
                raise.rule == Rule::DeviceSilent
                    && raise.origin.as_ref().is_some_and(|origin| origin.device == id)
            });
        }
        if found_lost {
            self.devices_changed(now, &cause, out);
        }
        self.schedule();
    }

    /// Takes over a changed configuration; what is known of devices that stay is kept, and what was
    /// found of those that are gone is forgotten: whoever was told closes it.
    pub fn reconfigure(&mut self, household: Arc<Household>) -> Vec<Finding> {
        self.household = household;
        self.configure();
        let mut out = Vec::new();
        if let Some(cause) = self.latest.clone() {
            self.devices_changed(self.floor, &cause, &mut out);
            self.schedule();
        }
        out
    }

    /// Whether an announced absence lasts.
    pub const fn is_away(&self) -> bool {
        matches!(self.home.occupancy, crate::Occupancy::Away { .. })
    }

    fn test_press_every(&self) -> Option<Duration> {
        let rule = &self.household.guard.test_press;
        rule.enabled.then_some(rule.every)
    }

    /// How long this home has been watched, as far as is known.
    fn lived(&self, now: Moment) -> Duration {
        self.line.watch(now).since(BEGINNING).saturating_add(self.lived_before)
    }

    /// The same, by the latest that was judged.
    pub(crate) fn lived_so_far(&self) -> Duration {
        self.lived(self.floor)
    }

    /// The wall clock at one of the guard's moments, as far as it is known.
    pub fn wall_at(&self, at: Moment) -> Option<jiff::Timestamp> {
        self.line.wall_at(at)
    }

    fn configure(&mut self) {
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
        self.roster.configure(&household, &heard);
        self.home.configure(Means {
            several: household.persons.len() > 1,
            settle: household.guard.left_home.settle,
        });
        self.look(now);
        self.schedule();
    }

    fn begin(&mut self, now: Moment, cause: &EntryId) {
        self.home.begin(now, cause);
        let watch = self.line.watch(now);
        self.roster.begin(&Heard { watch, at: None, cause: cause.clone() });
        self.schedule();
    }

    fn scene(&self, now: Moment) -> Scene<'_> {
        Scene {
            now,
            line: &self.line,
            household: &self.household,
            home: &self.home,
            lived: self.lived(now),
        }
    }

    /// Whether silence means nothing: no device sees a person, or all that do are lost.
    fn cannot_see(&self) -> bool {
        self.blind.is_some() || !self.roster.any(|d| activity::sees_indoors(d.origin.kind))
    }

    /// Whether nobody could see a person come out of the bathroom.
    fn cannot_see_leaving(&self) -> bool {
        let elsewhere = |d: &Device| {
            activity::sees_movement(d.origin.kind) && !bathroom_stay::in_bathroom(&d.origin)
        };
        let several = self.household.persons.len() > 1;
        self.blind.is_some()
            || (!several && (!self.roster.any(elsewhere) || self.roster.all_lost(elsewhere)))
    }

    fn out(&self) -> bool {
        matches!(self.home.occupancy, crate::Occupancy::Out { .. })
    }

    /// Judges everything due up to a moment, each at its own.
    fn pass(&mut self, limit: Moment, out: &mut Vec<Finding>) {
        let mut idle = 0;
        for _ in 0..MOST_TICKS {
            let Some(due) = self.next.filter(|due| *due <= limit) else { return };
            self.floor = self.floor.max(due);
            self.tick(self.floor, out);
            self.schedule();
            // What is still due after it was judged can not be judged: time has come to its end.
            idle = if self.next == Some(due) { idle + 1 } else { 0 };
            if idle >= MOST_IDLE_TICKS {
                return;
            }
        }
    }

    fn tick(&mut self, now: Moment, out: &mut Vec<Finding>) {
        let there = self.roster.somebody_there();
        if self.home.tick(now, &self.line, there) {
            self.inactivity = inactivity::State::default();
            self.not_up = not_up::State::default();
        }
        if silent::tick(&mut self.roster, now, &self.line, out)
            && let Some(latest) = self.latest.clone()
        {
            self.devices_changed(now, &latest, out);
        }
        if let (Some(every), Some(latest)) = (self.test_press_every(), &self.latest) {
            test_press::tick(&mut self.roster, every, now, &self.line, latest, out);
        }
        let blind = self.cannot_see();
        let unseen = self.cannot_see_leaving();
        let lived = self.lived(now);
        let Self { line, household, home, inactivity, not_up, left_home, roster, .. } = self;
        let scene = Scene { now, line, household, home, lived };
        for device in roster.configured_mut() {
            out_of_bed::tick(device, &scene, blind, out);
        }
        bathroom_stay::tick(&mut self.bathroom_stay, &scene, unseen, out);
        if let Some(latest) = &self.latest {
            medication::tick(&mut self.medication, &scene, roster, latest, out);
        }
        strangers::tick(&mut self.strangers, &scene, out);
        supply::tick(&mut self.supply, &scene, out);
        voice::tick(roster, &household.guard.voice, now, out);
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
            self.test_press_every()
                .and_then(|every| test_press::due(&self.roster, every, &self.line)),
            inactivity::due(&self.inactivity, &scene, blind),
            not_up::due(&self.not_up, &scene, blind),
            left_home::due(&self.left_home, &scene),
            bathroom_stay::due(&self.bathroom_stay, &scene, self.cannot_see_leaving()),
            medication::due(&self.medication, &scene, &self.roster),
            strangers::due(&self.strangers),
            supply::due(&self.supply, &scene),
            voice::due(&self.roster, &self.household.guard.voice),
            self.roster
                .configured()
                .iter()
                .filter_map(|d| out_of_bed::due(&d.out_of_bed, &scene, blind))
                .min(),
        ]
        .into_iter()
        .flatten()
        .min();
    }

    fn said(&mut self, said: &Observation, now: Moment, cause: &EntryId, out: &mut Vec<Finding>) {
        let heard = Heard { watch: self.line.watch(now), at: Some(now), cause: cause.clone() };
        let lived = self.lived(now);
        let place = self.roster.place_of(said, &heard);
        let Self { line, household, home, roster, .. } = self;
        let scene = Scene { now, line, household, home, lived };
        let figures = &scene.household.guard;
        let Some(device) = roster.get_mut(place) else { return };
        match &said.fact {
            Fact::Smoke(_) | Fact::Gas(_) | Fact::CarbonMonoxide(_) | Fact::Leak(_) => {
                hazards::observe(&mut device.hazards, said, now, cause, out)
            }
            // Only known from a memory, which may be long over: its device's own word is waited for.
            danger if said.baseline && danger.is_danger() => {}
            Fact::Help(help) => {
                let asks = help.state == HelpState::Pressed && voice::asks(device, &figures.voice);
                if asks {
                    voice::heard(&mut device.voice, help, said, now, cause, out);
                } else {
                    help::observe(help, said, cause, out);
                }
                let watch = heard.watch;
                test_press::observe(&mut device.test_press, help, said, watch, cause, out);
            }
            Fact::Call(call) => call::observe(call, said, cause, out),
            Fact::Location(location) => {
                let state = &mut device.wandering;
                wandering::observe(state, &scene, location, said, cause, out);
            }
            Fact::Fall(_) => fall::observe(&mut device.fall, said, now, cause, out),
            Fact::Camera(camera) => {
                fall::observe(&mut device.fall, said, now, cause, out);
                let state = &mut device.person_at_night;
                person_at_night::observe(state, &scene, camera, said, cause, out);
            }
            Fact::Meter(meter) => {
                hazards::observe(&mut device.hazards, said, now, cause, out);
                let state = &mut device.water_running;
                water_running::observe(state, &figures.water, meter, said, now, cause, out);
            }
            Fact::Bed(bed) => {
                out_of_bed::observe(&mut device.out_of_bed, &scene, bed, said, cause, out);
            }
            Fact::Vital(vital) => {
                let state = &mut device.vital;
                vital::observe(state, scene.household, vital, said, now, cause, out);
            }
            Fact::Climate(climate) => {
                let state = &mut device.climate;
                climate::observe(state, &figures.climate, climate, said, now, cause, out);
            }
            Fact::Lock(lock) => {
                lock::observe(&mut device.lock, &figures.lock, lock, said, cause, out);
            }
            Fact::Medication(_) | Fact::Contact(_) => {
                medication::observe(&mut self.medication, &scene, said, cause, out);
            }
            Fact::Battery(b) => battery::observe(&mut device.battery, b, said, now, cause, out),
            Fact::Tamper(t) => tamper::observe(&mut device.tamper, t, said, cause, out),
            Fact::Trouble(t) => trouble::observe(&mut device.trouble, t, said, cause, out),
            _ => {}
        }
        let help = match &said.fact {
            Fact::Help(help) if !said.baseline => Some(help.state),
            _ => None,
        };
        let changed = silent::observe(device, said, &heard, out);
        if device.configured && (changed || device.trouble.active()) {
            let lost = changed && device.lost();
            trouble::lost_or_back(&mut device.trouble, lost, said, now, cause, out);
        }
        let mut sign = activity::sign(device, said, heard.watch);
        if sign.home == Some(false) && roster.somebody_there() {
            // Somebody else carries it.
            sign = Sign::default();
        }
        bathroom_stay::observe(&mut self.bathroom_stay, &scene, said, sign, cause, out);
        if let Some(opened) = sign.exit {
            let state = &mut self.door_at_night;
            door_at_night::observe(state, &scene, said, opened, cause, out);
        }
        if sign.exit == Some(true) {
            strangers::opened(&mut self.strangers, now);
        }
        if sign.bell {
            strangers::rang(&mut self.strangers, &said.origin, now, cause);
        }
        if sign.person == Some(Place::Indoors) {
            door_at_night::inside(&mut self.door_at_night, cause, out);
        }
        if help == Some(HelpState::Cancelled) && !said.test {
            voice::answered(&mut self.roster);
        }
        let bed = matches!(said.fact, Fact::Bed(_) | Fact::Medication(_) | Fact::Presence(_));
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
        if picture_changed || changed || bed || help.is_some() || self.next.is_none() {
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
        let sees_movement = |d: &Device| activity::sees_movement(d.origin.kind);
        self.home.sees_movement =
            self.roster.any(sees_movement) && !self.roster.all_lost(sees_movement);
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
    fn recorded(&mut self, change: &AlertChange, now: Moment, out: &mut Vec<Finding>) {
        let subject = &change.subject;
        let device = subject.device.as_ref();
        let watch = self.line.watch(now);
        match (&subject.rule, &change.step) {
            (Rule::Help | Rule::TestDue, AlertStep::Raised { .. } | AlertStep::Repeated { .. }) => {
                let Some(device) = device.and_then(|id| self.roster.named_mut(id)) else { return };
                device.test_press.recorded(subject.rule == Rule::Help, watch);
                if subject.rule == Rule::Help && !subject.test {
                    voice::recorded(&mut device.voice, now);
                }
            }
            (Rule::DeviceSilent, AlertStep::Raised { .. } | AlertStep::Closed { .. }) => {
                let lost = match &change.step {
                    AlertStep::Closed { by, .. } if by != CLOSED_BY_ITSELF => return,
                    step => matches!(step, AlertStep::Raised { .. }),
                };
                let Some(device) = device.and_then(|id| self.roster.named_mut(id)) else { return };
                if !silent::recorded(device, lost) {
                    return;
                }
                let cause = self.latest.clone();
                if let Some(cause) = cause {
                    self.devices_changed(now, &cause, out);
                }
            }
            (Rule::Inactivity | Rule::NotUp, AlertStep::Raised { .. }) => {
                // Alerts from before the first event belong to silences that may long be over.
                if self.home.quiet.as_ref().is_none_or(|quiet| quiet.seen) {
                    return;
                }
                let stages = match subject.rule {
                    Rule::NotUp => &mut self.not_up.stages,
                    _ => &mut self.inactivity.stages,
                };
                stages.recorded(subject.class);
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

mod life;
#[cfg(test)]
mod tests;
