//! Guards against a box that works on but can not for long, or whom nobody hears: mains away, no link
//! that reaches anything, or the centre out of reach. Mains is told after 1 minute (the Easyalarm's
//! figure; units listed by UL tell it within 180 s) and a part of a minute that differs from box to
//! box, so that a town does not call at once. Network and centre are told as lost after 10 minutes
//! (telecare hubs check each path every 10 minutes). "The network is down" is said only when no link
//! reaches anything, or the centre is lost and nobody knows of the links; a centre that is lost while
//! links reach others is told as that. All are faults of the home, each found once and over when it
//! is back; the home itself is told of the power at once, because it is dark.

use std::time::Duration;

use anju_model::{BoxEvent, CaughtUp, Class, EntryId, Finding, Moment, Rule};

use super::{Scene, absence};

/// The way to the centre.
const UPSTREAM: &str = "upstream";

/// All links together.
const UPLINKS: &str = "uplinks";

/// What is away.
#[derive(Debug, Clone, Default)]
pub struct State {
    mains: Lost,
    network: Lost,
    centre: Lost,
    /// The centre was said not to be reached.
    without_centre: bool,
    /// Whether any link reaches anything, where that is known.
    uplinks: Option<bool>,
}

#[derive(Debug, Clone, Default)]
struct Lost {
    since: Option<(Moment, EntryId)>,
    told: bool,
}

impl Lost {
    fn set(
        &mut self,
        there: bool,
        rule: Rule,
        now: Moment,
        cause: &EntryId,
        out: &mut Vec<Finding>,
    ) {
        if !there {
            self.since.get_or_insert_with(|| (now, cause.clone()));
            return;
        }
        self.since = None;
        if std::mem::take(&mut self.told) {
            out.push(Finding::Over { rule, origin: None, cause: cause.clone() });
        }
    }

    fn due(&self, after: Duration) -> Option<Moment> {
        self.since.as_ref().filter(|_| !self.told).map(|(since, _)| since.after(after))
    }
}

/// Looks at an event of the box.
pub fn observe(
    state: &mut State,
    event: &BoxEvent,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    match event {
        BoxEvent::Power { mains } => state.mains.set(*mains, Rule::MainsLost, now, cause, out),
        BoxEvent::Network { link, up, .. } if link == UPSTREAM => {
            state.without_centre = !up;
            state.weigh(now, cause, out);
        }
        BoxEvent::Network { link, up, .. } if link == UPLINKS => {
            state.uplinks = Some(*up);
            state.weigh(now, cause, out);
        }
        // What is known of the links is told anew after a start.
        BoxEvent::Boot { .. } => {
            state.uplinks = None;
            state.weigh(now, cause, out);
        }
        _ => {}
    }
}

impl State {
    /// Tells a network that is down from a centre that is.
    fn weigh(&mut self, now: Moment, cause: &EntryId, out: &mut Vec<Finding>) {
        let (network, centre) = match self.uplinks {
            Some(true) => (false, self.without_centre),
            Some(false) => (true, false),
            None => (self.without_centre, false),
        };
        self.network.set(!network, Rule::NetworkLost, now, cause, out);
        self.centre.set(!centre, Rule::CentreLost, now, cause, out);
    }
}

/// An outage that came to light was before what this boot saw go away.
pub fn catch_up(state: &mut State, outage: CaughtUp) {
    for lost in [&mut state.mains, &mut state.network, &mut state.centre] {
        if let Some((since, _)) = &mut lost.since {
            *since = outage.carry(*since);
        }
    }
}

/// The part of a minute by which this box waits longer than others.
fn spread(box_id: &str) -> Duration {
    // FNV-1a: the same on every version and machine, so that a replay finds the same.
    let hash = box_id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    Duration::from_millis(hash % 60_000)
}

/// How long mains, and any way out, may be away.
fn waits(scene: &Scene) -> [Duration; 2] {
    let rule = &scene.household.guard.supply;
    let mains = rule.mains_after.saturating_add(spread(scene.household.box_id.as_str()));
    [mains, rule.network_after]
}

/// When it wants to judge next.
pub fn due(state: &State, scene: &Scene) -> Option<Moment> {
    let [mains, network] = waits(scene);
    let due = [state.mains.due(mains), state.network.due(network), state.centre.due(network)];
    due.into_iter().flatten().min()
}

/// Judges.
pub fn tick(state: &mut State, scene: &Scene, out: &mut Vec<Finding>) {
    let [mains, network] = waits(scene);
    for (lost, rule, after) in [
        (&mut state.mains, Rule::MainsLost, mains),
        (&mut state.network, Rule::NetworkLost, network),
        (&mut state.centre, Rule::CentreLost, network),
    ] {
        if lost.due(after).is_some_and(|due| due <= scene.now)
            && let Some((since, cause)) = &lost.since
        {
            lost.told = true;
            let raise = absence(rule, Class::Fault, cause, *since, scene.line);
            out.push(Finding::Raise(raise));
        }
    }
}
