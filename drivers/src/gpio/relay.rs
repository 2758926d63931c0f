//! A relay that switches something loud. It must never stay on for longer than it was asked to, nor
//! for longer than its own limit, whoever asks and however often time is looked at late.

use std::time::Duration;

/// Longest time a siren sounds for one request, the same as Zigbee's warning devices have: a
/// neighbourhood must not hear one all night.
pub const LONGEST: Duration = Duration::from_secs(1800);

/// The timer of one relay. Times are offsets on one monotonic clock.
#[derive(Debug, Clone)]
pub struct Relay {
    longest: Duration,
    until: Option<Duration>,
}

impl Relay {
    /// A relay that is off.
    pub const fn new(longest: Duration) -> Self {
        Self { longest, until: None }
    }

    /// Whether it is on.
    pub const fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// Switches on for a time, cut to the limit; a request while it is on starts the time anew.
    /// A time of nothing switches off. Returns whether it is on.
    pub fn sound(&mut self, now: Duration, time: Duration) -> bool {
        let time = time.min(self.longest);
        self.until = (!time.is_zero()).then(|| now.saturating_add(time));
        self.is_on()
    }

    /// Switches off. Returns whether it was on.
    pub fn stop(&mut self) -> bool {
        self.until.take().is_some()
    }

    /// Lets time pass. Returns whether it went off.
    pub fn tick(&mut self, now: Duration) -> bool {
        self.until.is_some_and(|until| until <= now) && self.stop()
    }

    /// When it goes off by itself.
    pub const fn wake(&self) -> Option<Duration> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn it_goes_off_by_itself() {
        let mut relay = Relay::new(s(60));
        assert!(relay.sound(s(10), s(5)));
        assert!(!relay.tick(s(14)));
        assert!(relay.is_on());
        assert!(relay.tick(s(15)));
        assert!(!relay.is_on());
        assert!(!relay.tick(s(16)));
    }

    #[test]
    fn the_limit_holds_whatever_is_asked() {
        let mut relay = Relay::new(s(60));
        relay.sound(s(0), Duration::MAX);
        assert_eq!(relay.wake(), Some(s(60)));
        relay.sound(s(50), s(20));
        assert_eq!(relay.wake(), Some(s(70)));
        assert!(relay.stop());
        assert!(!relay.stop());
        assert!(!relay.sound(s(80), s(0)));
    }
}
