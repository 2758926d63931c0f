//! The guard's line of time: where an entry lies, which civil time that is, and how much of the
//! time before it nobody was watching. Everything here follows from entries alone, so that a
//! replay sees the same moments; a stamp without an entry only estimates and must never change it.

use std::sync::Arc;
use std::time::Duration;

use anju_model::{Body, BoxEvent, CaughtUp, Clock, Entry, Moment, Stamp, Timeline};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// A wall clock that stays within this of its extrapolation was not set.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// A shorter time without the box does not begin a new watch.
const LONGEST_BLINK: Duration = Duration::from_secs(600);

/// Where the line begins: what is remembered of the time before has room on it.
pub const BEGINNING: Moment = Moment(366 * 86_400_000);

/// How an entry moved the line.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Up to here time passed under watch and under the clock known before.
    pub watched: Moment,
    /// Where the entry lies.
    pub at: Moment,
    /// An outage that the entry brought to light.
    pub caught_up: Option<CaughtUp>,
}

/// The line with its clock.
#[derive(Debug, Clone)]
pub struct Line {
    timeline: Timeline,
    last: Option<Last>,
    anchor: Option<(Moment, Timestamp)>,
    unwatched: Duration,
    watching_since: Moment,
    stopped: bool,
}

#[derive(Debug, Clone)]
struct Last {
    boot: Arc<str>,
    mono_ms: u64,
    at: Moment,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            timeline: Timeline::beginning_at(BEGINNING),
            last: None,
            anchor: None,
            unwatched: Duration::ZERO,
            watching_since: BEGINNING,
            stopped: false,
        }
    }
}

impl Line {
    /// Places an entry. The clock is still the old one until [`Line::arrive`].
    pub fn step(&mut self, entry: &Entry) -> Step {
        let at = self.timeline.place(&entry.stamp);
        let back = matches!(entry.body, Body::Box(BoxEvent::Boot { .. })) && self.stopped;
        self.stopped = matches!(entry.body, Body::Box(BoxEvent::Stop { .. }));
        let watched = match &self.last {
            None => at,
            Some(last) if last.boot != entry.stamp.boot || back => last.at,
            Some(last) => self.within_boot(last, entry.stamp.mono_ms).min(at),
        };
        // An entry stamped before its predecessor is placed with it and tells nothing new.
        let late = self
            .last
            .as_ref()
            .is_some_and(|l| l.boot == entry.stamp.boot && l.mono_ms > entry.stamp.mono_ms);
        if !late {
            let boot = entry.stamp.boot.clone();
            self.last = Some(Last { boot, mono_ms: entry.stamp.mono_ms, at });
        }
        Step { watched, at, caught_up: self.timeline.caught_up() }
    }

    fn within_boot(&self, last: &Last, mono_ms: u64) -> Moment {
        last.at.after(Duration::from_millis(mono_ms.saturating_sub(last.mono_ms)))
    }

    /// Takes over what the entry says of the clock; true if times of day have to be reckoned anew.
    pub fn arrive(&mut self, step: Step, stamp: &Stamp) -> bool {
        let leap = step.at.since(step.watched);
        self.unwatched = self.unwatched.saturating_add(leap);
        let before = step.caught_up.map_or(Duration::ZERO, |outage| outage.by);
        if let Some(outage) = step.caught_up.filter(|_| before >= LONGEST_BLINK) {
            // It was before this boot, and the box has watched since that began.
            self.watching_since = self.watching_since.max(outage.began).after(before);
        }
        if leap.saturating_sub(before) >= LONGEST_BLINK {
            self.watching_since = step.at;
        }
        let said = (stamp.clock != Clock::Unknown).then_some(stamp.wall);
        let expected = self.wall_at(step.at);
        let steady = match (said, expected) {
            (None, None) => self.anchor.is_none(),
            (Some(said), Some(expected)) => {
                said.duration_since(expected).unsigned_abs() <= CLOCK_TOLERANCE
            }
            _ => false,
        };
        if !steady {
            self.anchor = said.map(|wall| (step.at, wall));
        }
        !steady || !leap.is_zero()
    }

    /// Where a stamp without an entry lies, never later than the next entry will.
    pub fn estimate(&self, stamp: &Stamp) -> Moment {
        match &self.last {
            None => BEGINNING,
            Some(last) if last.boot != stamp.boot || self.stopped => self.timeline.latest(),
            Some(last) => self.within_boot(last, stamp.mono_ms).max(self.timeline.latest()),
        }
    }

    /// The latest entry's moment.
    pub const fn latest(&self) -> Moment {
        self.timeline.latest()
    }

    /// Whether times of day are known.
    pub const fn clock_known(&self) -> bool {
        self.anchor.is_some()
    }

    /// Since when the box watches without a longer interruption.
    pub const fn watching_since(&self) -> Moment {
        self.watching_since
    }

    /// The same moment on a line that stands still while the box does not watch.
    pub fn watch(&self, at: Moment) -> Moment {
        Moment::default().after(at.since(Moment::default()).saturating_sub(self.unwatched))
    }

    /// The moment at which the watch line reaches `watch`, if the box goes on watching.
    pub fn when_watched(&self, watch: Moment) -> Moment {
        watch.after(self.unwatched)
    }

    /// The wall clock at a moment, by what is known of it now.
    pub fn wall_at(&self, at: Moment) -> Option<Timestamp> {
        let (anchor, wall) = self.anchor?;
        let shift = if at >= anchor {
            SignedDuration::try_from(at.since(anchor)).ok()?
        } else {
            -SignedDuration::try_from(anchor.since(at)).ok()?
        };
        wall.checked_add(shift).ok()
    }

    /// The moment of a wall clock time, by what is known of it now; zero for times further back.
    pub fn moment_at(&self, wall: Timestamp) -> Option<Moment> {
        let (anchor, at) = self.anchor?;
        let shift = wall.duration_since(at);
        let size = shift.unsigned_abs();
        Some(if shift.is_negative() {
            Moment::default().after(anchor.since(Moment::default()).saturating_sub(size))
        } else {
            anchor.after(size)
        })
    }

    /// Local civil time at a moment.
    pub fn civil_at(&self, at: Moment, zone: &TimeZone) -> Option<Zoned> {
        self.wall_at(at).map(|wall| wall.to_zoned(zone.clone()))
    }
}
