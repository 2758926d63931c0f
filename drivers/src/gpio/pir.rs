//! A passive infrared sensor: pulses in, motion and stillness out. One told motion stands for all
//! pulses until the room has been quiet for a hold-off. It must never take the pulses of a sensor
//! that is warming up for a person, because motion ends "away", and never let a sensor whose output
//! hangs stand for a person who moves for ever.

use std::time::Duration;

/// The times of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PirTimings {
    /// Pulses this soon after the start are the sensor's own.
    pub warm_up: Duration,
    /// Quiet this long is stillness.
    pub hold_off: Duration,
    /// An output that stays active this long hangs.
    pub hangs: Duration,
}

impl Default for PirTimings {
    /// Warm-up 60 s (the HC-SR501's data sheet: up to a minute of false pulses after power-up),
    /// hold-off 30 s, hanging after 4 h (a module's own pulse lasts at most some minutes; in 4 h
    /// even a person who never leaves the room is still once).
    fn default() -> Self {
        Self {
            warm_up: Duration::from_secs(60),
            hold_off: Duration::from_secs(30),
            hangs: Duration::from_secs(4 * 3600),
        }
    }
}

/// What a sensor tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PirEvent {
    /// Something moves.
    Moving,
    /// Nothing has moved for the hold-off.
    Still,
    /// The output hangs.
    Hangs,
    /// The output moves again.
    Freed,
}

/// One sensor. Times are offsets on one monotonic clock.
#[derive(Debug, Clone)]
pub struct Pir {
    timings: PirTimings,
    warm: Duration,
    /// The output, and since when it has been so.
    active: bool,
    since: Duration,
    moving: bool,
    hangs: bool,
}

impl Pir {
    /// A sensor whose output at `at`, its start, is known.
    pub const fn new(timings: PirTimings, active: bool, at: Duration) -> Self {
        let warm = at.saturating_add(timings.warm_up);
        Self { timings, warm, active, since: at, moving: false, hangs: false }
    }

    /// Whether motion was told last.
    pub const fn moving(&self) -> bool {
        self.moving
    }

    /// Takes a settled edge.
    pub fn edge(&mut self, at: Duration, active: bool) -> Vec<PirEvent> {
        let mut events = self.tick(at);
        if active == self.active {
            return events;
        }
        self.active = active;
        self.since = at;
        if active && !self.moving && at >= self.warm {
            self.moving = true;
            events.push(PirEvent::Moving);
        }
        if !active && self.hangs {
            self.hangs = false;
            events.push(PirEvent::Freed);
        }
        events
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Duration) -> Vec<PirEvent> {
        let mut events = Vec::new();
        if self.wake().is_none_or(|at| at > now) {
            return events;
        }
        if self.active {
            self.hangs = true;
            events.push(PirEvent::Hangs);
            // From here on nobody is known to move.
        }
        if self.moving {
            self.moving = false;
            events.push(PirEvent::Still);
        }
        events
    }

    /// When [`Pir::tick`] will next have something to say if no edge comes.
    pub fn wake(&self) -> Option<Duration> {
        let after = match (self.active, self.moving, self.hangs) {
            (true, _, false) => self.timings.hangs,
            (false, true, _) => self.timings.hold_off,
            _ => return None,
        };
        Some(self.since.saturating_add(after))
    }
}

#[cfg(test)]
mod tests {
    use super::PirEvent::{Freed, Hangs, Moving, Still};
    use super::*;

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn warm() -> Pir {
        let mut pir = Pir::new(PirTimings::default(), false, s(0));
        assert!(pir.tick(s(60)).is_empty());
        pir
    }

    #[test]
    fn pulses_within_the_hold_off_are_one_motion() {
        let mut pir = warm();
        assert_eq!(pir.edge(s(100), true), [Moving]);
        assert_eq!(pir.edge(s(103), false), []);
        assert_eq!(pir.edge(s(132), true), []);
        assert_eq!(pir.edge(s(135), false), []);
        assert_eq!(pir.wake(), Some(s(165)));
        assert_eq!(pir.tick(s(164)), []);
        assert_eq!(pir.tick(s(165)), [Still]);
        assert_eq!(pir.tick(s(900)), []);
        assert_eq!(pir.edge(s(1000), true), [Moving]);
    }

    #[test]
    fn a_late_look_tells_stillness_before_the_next_motion() {
        let mut pir = warm();
        pir.edge(s(100), true);
        pir.edge(s(101), false);
        assert_eq!(pir.edge(s(500), true), [Still, Moving]);
    }

    #[test]
    fn warming_up_is_not_a_person() {
        let mut pir = Pir::new(PirTimings::default(), true, s(1000));
        assert_eq!(pir.edge(s(1005), false), []);
        assert_eq!(pir.edge(s(1059), true), []);
        assert_eq!(pir.edge(s(1062), false), []);
        assert_eq!(pir.wake(), None);
        assert_eq!(pir.edge(s(1063), true), [Moving]);
    }

    #[test]
    fn a_hanging_output_is_no_person_for_ever() {
        let mut pir = warm();
        pir.edge(s(100), true);
        assert_eq!(pir.wake(), Some(s(100 + 4 * 3600)));
        assert_eq!(pir.tick(s(100 + 4 * 3600)), [Hangs, Still]);
        assert_eq!(pir.wake(), None);
        assert_eq!(pir.edge(s(90_000), false), [Freed]);
        assert_eq!(pir.edge(s(90_001), true), [Moving]);
    }
}
