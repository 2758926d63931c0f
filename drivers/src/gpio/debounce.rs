//! Takes the bounce out of a line: a level counts once it has stayed for a whole period. The kernel
//! does this where it can; this is for lines where it cannot, and for tests of what it does. It
//! must never report a level before the line has kept it, and never the same level twice.

use std::time::Duration;

/// A level that the line has kept for the whole period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// When it became certain: the last edge plus the period.
    pub at: Duration,
    /// Whether the line is active.
    pub active: bool,
}

/// The filter of one line. Times are offsets on one monotonic clock.
#[derive(Debug, Clone)]
pub struct Debounce {
    period: Duration,
    active: bool,
    /// When the line left the settled level, for as long as it stays away from it.
    away_since: Option<Duration>,
}

impl Debounce {
    /// A filter that starts from a known level. A period of zero lets everything through.
    pub const fn new(period: Duration, active: bool) -> Self {
        Self { period, active, away_since: None }
    }

    /// Whether it has no period.
    pub const fn passes_all(&self) -> bool {
        self.period.is_zero()
    }

    /// Takes a raw edge; gives the level that had settled before it, or, without a period, by it.
    pub fn edge(&mut self, at: Duration, active: bool) -> Option<Settled> {
        let settled = self.tick(at);
        self.away_since = (active != self.active).then_some(at);
        settled.or_else(|| if self.period.is_zero() { self.tick(at) } else { None })
    }

    /// Lets time pass; gives the level that has settled by `now`.
    pub fn tick(&mut self, now: Duration) -> Option<Settled> {
        let at = self.wake().filter(|at| *at <= now)?;
        self.away_since = None;
        self.active = !self.active;
        Some(Settled { at, active: self.active })
    }

    /// When [`Debounce::tick`] will next have something to say if no edge comes.
    pub fn wake(&self) -> Option<Duration> {
        self.away_since.map(|since| since.saturating_add(self.period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_bouncing_contact_settles_once() {
        let mut line = Debounce::new(ms(20), false);
        for (at, active) in [(0, true), (3, false), (4, true), (9, false), (11, true)] {
            assert_eq!(line.edge(ms(at), active), None);
        }
        assert_eq!(line.wake(), Some(ms(31)));
        assert_eq!(line.tick(ms(30)), None);
        assert_eq!(line.tick(ms(50)), Some(Settled { at: ms(31), active: true }));
        assert_eq!(line.tick(ms(90)), None);
    }

    #[test]
    fn a_spike_is_nothing() {
        let mut line = Debounce::new(ms(20), false);
        assert_eq!(line.edge(ms(100), true), None);
        assert_eq!(line.edge(ms(119), false), None);
        assert_eq!(line.wake(), None);
        assert_eq!(line.tick(ms(1000)), None);
    }

    #[test]
    fn an_edge_tells_what_settled_before_it() {
        let mut line = Debounce::new(ms(20), false);
        assert_eq!(line.edge(ms(0), true), None);
        assert_eq!(line.edge(ms(500), false), Some(Settled { at: ms(20), active: true }));
        assert_eq!(line.tick(ms(520)), Some(Settled { at: ms(520), active: false }));
    }

    #[test]
    fn without_a_period_every_change_passes() {
        let mut line = Debounce::new(Duration::ZERO, false);
        assert_eq!(line.edge(ms(5), true), Some(Settled { at: ms(5), active: true }));
        assert_eq!(line.edge(ms(6), true), None);
        assert_eq!(line.edge(ms(7), false), Some(Settled { at: ms(7), active: false }));
    }
}
