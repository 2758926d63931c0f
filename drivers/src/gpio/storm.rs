//! Notices a line that never rests: a cable next to a motor, a corroded contact, an input without a
//! pull resistor. It must never take away from what a button tells; it only says that somebody
//! should look at the wire.

use std::time::Duration;

/// Edges a second that no hand makes: thirty is fifteen presses.
const EDGES: u32 = 30;
/// So many such seconds in a row are a storm.
const SECONDS: u32 = 3;
/// The storm is over after this long without an edge.
const CALM: Duration = Duration::from_secs(10);

/// The watch over one line. Times are offsets on one monotonic clock.
#[derive(Debug, Clone, Default)]
pub struct Storm {
    second: Duration,
    edges: u32,
    stormy: u32,
    last: Duration,
    told: bool,
}

impl Storm {
    /// Counts an edge; `true` when a storm has just been recognised.
    pub fn edge(&mut self, at: Duration) -> bool {
        let passed = at.saturating_sub(self.second);
        if passed >= Duration::from_secs(1) {
            let unbroken = passed < Duration::from_secs(2);
            self.stormy = if unbroken && self.edges >= EDGES { self.stormy + 1 } else { 0 };
            self.second = at;
            self.edges = 0;
        }
        self.edges = self.edges.saturating_add(1);
        self.last = at;
        let begins = self.stormy >= SECONDS && !self.told;
        self.told |= begins;
        begins
    }

    /// Lets time pass; `true` when a storm has just ended.
    pub fn tick(&mut self, now: Duration) -> bool {
        let ends = self.wake().is_some_and(|at| at <= now);
        if ends {
            *self = Self::default();
        }
        ends
    }

    /// When a storm ends if no edge comes.
    pub fn wake(&self) -> Option<Duration> {
        self.told.then(|| self.last.saturating_add(CALM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_beside_a_motor_is_told_once_until_it_rests() {
        let mut storm = Storm::default();
        let told: Vec<u64> =
            (0..1000).map(|n| n * 10).filter(|ms| storm.edge(Duration::from_millis(*ms))).collect();
        assert_eq!(told, [3000]);
        assert!(!storm.tick(Duration::from_millis(9990 + 9999)));
        assert!(storm.tick(Duration::from_millis(9990 + 10_000)));
        assert_eq!(storm.wake(), None);
    }

    #[test]
    fn a_frightened_hand_is_no_storm() {
        let mut storm = Storm::default();
        // Twelve presses a second for a minute.
        assert!((0..1440).all(|n| !storm.edge(Duration::from_millis(n * 1000 / 24))));
        // A bouncing contact now and then.
        for minute in 2..60 {
            let at = Duration::from_secs(minute * 60);
            assert!((0..200).all(|n| !storm.edge(at + Duration::from_millis(n))));
        }
    }
}
