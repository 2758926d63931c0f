//! What is done when the modem does not come back by itself: look for the network again, reset it,
//! cut its power, and at last start the whole box anew. Pure: it says when to do what; whether the
//! box may be started anew is for its owner to say. It must never hurry: after a loss of signal a sound modem may need minutes, and a reset in the middle costs the
//! way that it had.
//!
//! Of ten modems of one make, two took 20 to 50 minutes to return by themselves after a loss of
//! signal; that is what the ladder is for.

use std::time::Duration;

/// One rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Disable and enable: it looks for the network anew.
    Redial,
    /// The modem's own reset.
    Reset,
    /// Its power off and on again.
    PowerCycle,
    /// The whole box.
    Reboot,
}

impl Rung {
    /// The name in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redial => "redial",
            Self::Reset => "reset",
            Self::PowerCycle => "power-cycle",
            Self::Reboot => "reboot",
        }
    }
}

/// How long the modem was away, in all, when each rung is due.
const DUE: [(Duration, Rung); 4] = [
    (Duration::from_secs(3 * 60), Rung::Redial),
    (Duration::from_secs(8 * 60), Rung::Reset),
    (Duration::from_secs(15 * 60), Rung::PowerCycle),
    (Duration::from_secs(60 * 60), Rung::Reboot),
];

/// After the last rung: all of them once more, this much later.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// Climbs while the modem is away. Times are of one monotonic clock.
#[derive(Debug, Clone, Default)]
pub struct Ladder {
    away_since: Option<Duration>,
    next: usize,
}

impl Ladder {
    /// The modem is there.
    pub fn back(&mut self) {
        *self = Self::default();
    }

    /// The modem is away at `now`; what is to be done now, if anything.
    pub fn away(&mut self, now: Duration) -> Option<Rung> {
        let since = *self.away_since.get_or_insert(now);
        let away = now.saturating_sub(since);
        let Some((due, rung)) = DUE.get(self.next).copied() else {
            let last = DUE.last().map_or(Duration::ZERO, |(due, _)| *due);
            if away >= last + AGAIN {
                *self = Self { away_since: Some(now), next: 0 };
            }
            return None;
        };
        if away < due {
            return None;
        }
        self.next += 1;
        Some(rung)
    }

    /// How long the modem has been away.
    pub fn away_for(&self, now: Duration) -> Duration {
        self.away_since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climb(ladder: &mut Ladder, minutes: std::ops::Range<u64>) -> Vec<(u64, Rung)> {
        minutes
            .filter_map(|minute| {
                ladder.away(Duration::from_secs(minute * 60)).map(|rung| (minute, rung))
            })
            .collect()
    }

    #[test]
    fn each_rung_comes_once_and_after_a_long_pause_again() {
        let climbed = climb(&mut Ladder::default(), 0..200);
        let rungs = [Rung::Redial, Rung::Reset, Rung::PowerCycle, Rung::Reboot];
        let expected: Vec<(u64, Rung)> =
            [3, 8, 15, 60, 123, 128, 135, 180].into_iter().zip(rungs.into_iter().cycle()).collect();
        assert_eq!(climbed, expected);
    }

    #[test]
    fn a_modem_that_is_back_starts_anew() {
        let mut ladder = Ladder::default();
        climb(&mut ladder, 0..10);
        ladder.back();
        assert_eq!(climb(&mut ladder, 10..14), [(13, Rung::Redial)]);
    }
}
