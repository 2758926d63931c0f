//! A relay that switches something loud, or a light that blinks. It must never stay on for longer
//! than it was asked to, nor for longer than its own limit, whoever asks and however often time is
//! looked at late; save a light that is held, since switching would spark.

use std::time::Duration;

/// Longest time a siren sounds for one request, the same as Zigbee's warning devices have: a
/// neighbourhood must not hear one all night.
pub const LONGEST: Duration = Duration::from_secs(1800);

/// How long a blinking light is on, and then off: well below the three flashes a second that can
/// bring on a seizure (WCAG 2.2, 2.3.1), and easy on a relay.
pub const HALF: Duration = Duration::from_secs(1);

/// The timer of one relay. Times are offsets on one monotonic clock.
#[derive(Debug, Clone)]
pub struct Relay {
    longest: Duration,
    until: Option<Duration>,
    /// Since when it blinks.
    blinks: Option<Duration>,
    /// It stays as it is, on or off.
    held: Option<bool>,
}

impl Relay {
    /// A relay that is off.
    pub const fn new(longest: Duration) -> Self {
        Self { longest, until: None, blinks: None, held: None }
    }

    /// Whether it does what it was asked to, blinking among it.
    pub const fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// Whether current flows.
    pub fn level(&self, now: Duration) -> bool {
        if let Some(held) = self.held {
            return held;
        }
        let lit = |begun| Self::phase(begun, now).is_multiple_of(2);
        self.until.is_some() && self.blinks.is_none_or(lit)
    }

    const fn phase(begun: Duration, now: Duration) -> u128 {
        now.saturating_sub(begun).as_millis() / HALF.as_millis()
    }

    /// Blinks for a time, cut to the limit.
    pub fn flash(&mut self, now: Duration, time: Duration) {
        let begun = self.blinks.filter(|_| self.is_on() && self.held.is_none());
        self.sound(now, time);
        self.blinks = Some(begun.unwrap_or(now)).filter(|_| self.is_on());
    }

    /// Stays as it is, on or off.
    pub fn hold(&mut self, now: Duration) {
        self.held = Some(self.level(now));
        (self.until, self.blinks) = (None, None);
    }

    /// Switches on for a time, cut to the limit; a request while it is on starts the time anew.
    /// A time of nothing switches off. Returns whether it is on.
    pub fn sound(&mut self, now: Duration, time: Duration) -> bool {
        let time = time.min(self.longest);
        (self.blinks, self.held) = (None, None);
        self.until = (!time.is_zero()).then(|| now.saturating_add(time));
        self.is_on()
    }

    /// Switches off. Returns whether it was on.
    pub fn stop(&mut self) -> bool {
        (self.blinks, self.held) = (None, None);
        self.until.take().is_some()
    }

    /// Lets time pass. Returns whether it went off.
    pub fn tick(&mut self, now: Duration) -> bool {
        self.until.is_some_and(|until| until <= now) && self.stop()
    }

    /// When it is next switched by itself.
    pub fn wake(&self, now: Duration) -> Option<Duration> {
        let half = u32::try_from(HALF.as_millis()).unwrap_or(u32::MAX);
        let next = |begun: Duration| {
            let phases = u32::try_from(Self::phase(begun, now)).unwrap_or(u32::MAX);
            begun + Duration::from_millis(half.into()) * (phases.saturating_add(1))
        };
        self.until.map(|until| self.blinks.map_or(until, |begun| next(begun).min(until)))
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
        assert_eq!(relay.wake(s(0)), Some(s(60)));
        relay.sound(s(50), s(20));
        assert_eq!(relay.wake(s(50)), Some(s(70)));
        assert!(relay.stop());
        assert!(!relay.stop());
        assert!(!relay.sound(s(80), s(0)));
    }

    #[test]
    fn a_light_blinks_is_held_and_goes_off() {
        let mut relay = Relay::new(s(60));
        relay.flash(s(10), s(5));
        let levels: Vec<bool> = (10..16).map(|at| relay.level(s(at))).collect();
        assert_eq!(levels, [true, false, true, false, true, false]);
        assert_eq!((relay.wake(s(10)), relay.wake(s(14))), (Some(s(11)), Some(s(15))));
        relay.hold(s(12));
        assert!(relay.level(s(100)) && !relay.is_on() && relay.wake(s(12)).is_none());
        relay.stop();
        assert!(!relay.level(s(100)));
        relay.flash(s(100), s(5));
        assert!(relay.tick(s(105)) && !relay.level(s(106)));
    }
}
