//! How many messages a far side takes in a time. Part of it is kept for alarms, so that small
//! things never use up what an alarm needs, and a little of that for dangers that leave no time, so
//! that a flood of presses never uses up what smoke needs. Pure: times are offsets on one clock.

use std::time::Duration;

use anju_model::Class;

use super::outbox::Gravity;

/// At most `burst` messages at once, and one more each `every`: in any time `t` no more than
/// `burst + t / every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Messages at once.
    pub burst: u32,
    /// Time until one more may go.
    pub every: Duration,
}

/// Share of the burst that only alarms may use.
const FOR_ALARMS: f64 = 0.5;

/// Share of the burst that only dangers may use that leave no time.
const FOR_GRAVEST: f64 = 0.25;

/// What is left of an allowance.
#[derive(Debug)]
pub(super) struct Bucket {
    allowance: Allowance,
    left: f64,
    at: Duration,
}

impl Bucket {
    pub(super) fn new(allowance: Allowance, now: Duration) -> Self {
        Self { allowance, left: f64::from(allowance.burst), at: now }
    }

    pub(super) const fn allowance(&self) -> Allowance {
        self.allowance
    }

    fn refill(&mut self, now: Duration) {
        let every = self.allowance.every.as_secs_f64().max(0.001);
        let gained = now.saturating_sub(self.at).as_secs_f64() / every;
        self.left = (self.left + gained).min(f64::from(self.allowance.burst));
        self.at = now;
    }

    fn needed(&self, gravity: Gravity) -> f64 {
        let kept = match gravity {
            Gravity { gravest: true, .. } => 0.0,
            Gravity { class: Class::Alarm, .. } => FOR_GRAVEST,
            _ => FOR_ALARMS,
        };
        1.0 + (f64::from(self.allowance.burst) * kept).floor()
    }

    /// How long a message has to wait; zero if it may go.
    pub(super) fn wait(&mut self, now: Duration, gravity: Gravity) -> Duration {
        self.refill(now);
        let short = self.needed(gravity) - self.left;
        // A thousandth of a message is no reason to wait.
        if short <= 0.001 { Duration::ZERO } else { self.allowance.every.mul_f64(short) }
    }

    /// A message goes.
    pub(super) fn take(&mut self) {
        self.left = (self.left - 1.0).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROBOT: Allowance = Allowance { burst: 9, every: Duration::from_secs(6) };

    #[test]
    fn small_things_leave_half_for_alarms_and_these_a_little_for_the_gravest() {
        let mut bucket = Bucket::new(ROBOT, Duration::ZERO);
        let mut gone = 0;
        while bucket.wait(Duration::ZERO, SMALL).is_zero() {
            bucket.take();
            gone += 1;
        }
        assert_eq!(gone, 5);
        while bucket.wait(Duration::ZERO, ALARM).is_zero() {
            bucket.take();
            gone += 1;
        }
        assert_eq!(gone, 7);
        while bucket.wait(Duration::ZERO, SMOKE).is_zero() {
            bucket.take();
            gone += 1;
        }
        assert_eq!(gone, 9);
        let wait = bucket.wait(Duration::ZERO, SMOKE);
        assert!(wait > Duration::from_secs(5) && wait <= Duration::from_secs(6), "{wait:?}");
        assert!(bucket.wait(wait, SMOKE).is_zero());
    }

    const SMALL: Gravity = Gravity { class: Class::Fault, gravest: false };
    const ALARM: Gravity = Gravity { class: Class::Alarm, gravest: false };
    const SMOKE: Gravity = Gravity { class: Class::Alarm, gravest: true };

    proptest! {
        /// Robots of chat groups take 20 messages in any minute.
        #[test]
        fn never_more_than_twenty_in_a_minute(
            asked in prop::collection::vec((0_u64..4000, 0_usize..3), 1..300)
        ) {
            let (mut bucket, mut now) = (Bucket::new(ROBOT, Duration::ZERO), 0);
            let mut sent: Vec<u64> = Vec::new();
            for (pause, gravity) in asked {
                now += pause;
                if bucket.wait(Duration::from_millis(now), [SMALL, ALARM, SMOKE][gravity]).is_zero() {
                    bucket.take();
                    sent.push(now);
                }
            }
            for from in &sent {
                let within = sent.iter().filter(|at| (*from..from + 60_000).contains(at)).count();
                prop_assert!(within <= 20, "{within}");
            }
        }
    }
}
