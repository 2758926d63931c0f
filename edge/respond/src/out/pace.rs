//! Growing pauses between tries. With jitter, so that the boxes of a whole town do not come back to
//! a server at the same moment.

use std::time::Duration;

use rand::Rng;

/// Pauses that double from a first one up to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub cap: Duration,
}

impl Pace {
    /// The pause after that many failures in a row (from 1), without jitter.
    pub fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        self.first.saturating_mul(1 << doublings).min(self.cap)
    }

    /// The same, up to a fifth shorter or longer.
    pub fn jittered(self, failures: u32) -> Duration {
        self.after(failures).mul_f64(rand::rng().random_range(0.8..1.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_stay_there() {
        let pace = Pace { first: Duration::from_secs(2), cap: Duration::from_secs(60) };
        let pauses: Vec<u64> = (1..8).map(|n| pace.after(n).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pace.after(u32::MAX), pace.cap);
        for n in 1..50 {
            let share = pace.jittered(n).as_secs_f64() / pace.after(n).as_secs_f64();
            assert!((0.8..1.2).contains(&share));
        }
    }
}
