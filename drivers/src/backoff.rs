//! Growing pauses between tries, with jitter so that a town of boxes does not come back at once.

use std::time::Duration;

use rand::Rng;

/// An endless iterator of pauses: doubling from `first` to `most`, each shortened by up to a half.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses from `first` to `most`.
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// Begins again with the shortest pause.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.next;
        self.next = (pause * 2).min(self.most);
        Some(pause.mul_f64(rand::rng().random_range(0.5..=1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_limit_and_begin_again() {
        let mut pauses = Backoff::new(Duration::from_secs(1), Duration::from_secs(8));
        for most in [1, 2, 4, 8, 8] {
            let pause = pauses.next().unwrap();
            let most = Duration::from_secs(most);
            assert!(pause <= most && pause >= most / 2, "{pause:?} {most:?}");
        }
        pauses.reset();
        assert!(pauses.next().unwrap() <= Duration::from_secs(1));
    }
}
