//! Watches the wall clock: says when times of day have to be reckoned anew, and by how much the
//! clock jumped. It must never take the slow work of NTP for a jump.

use anju_model::{BoxEvent, Clock, Moment, Stamp};
use jiff::{SignedDuration, Timestamp};

/// A clock that stays this close to its extrapolation was not set.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// What was last known of the wall clock.
#[derive(Debug, Default)]
pub struct ClockWatch {
    anchor: Option<(Moment, Option<Timestamp>)>,
    state: Option<Clock>,
    jump: Option<SignedDuration>,
}

impl ClockWatch {
    /// Looks at a stamp that lies at `now`; the wall clock as far as it is known, if times of day
    /// have to be reckoned anew.
    pub fn look(&mut self, now: Moment, stamp: &Stamp) -> Option<Option<Timestamp>> {
        let wall = (stamp.clock != Clock::Unknown).then_some(stamp.wall);
        let expected = self.anchor.map(|(at, wall)| {
            let since = SignedDuration::try_from(now.since(at)).unwrap_or_default();
            wall.and_then(|wall| wall.checked_add(since).ok())
        });
        let jump = match (expected.flatten(), wall) {
            (Some(expected), Some(wall)) => Some(wall.duration_since(expected)),
            _ => None,
        };
        let steady = match (expected, wall) {
            (Some(None), None) => true,
            _ => jump.is_some_and(|jump| jump.abs() <= TOLERANCE),
        };
        if steady {
            return None;
        }
        if self.anchor.is_some() {
            self.jump = Some(jump.unwrap_or_default());
        }
        self.anchor = Some((now, wall));
        Some(wall)
    }

    /// What is to be recorded of the clock: it jumped, or became known or unknown.
    pub fn news(&mut self, stamp: &Stamp) -> Option<BoxEvent> {
        let before = self.state.replace(stamp.clock);
        let turned = before.is_some_and(|before| before != stamp.clock);
        let jump = self.jump.take();
        if !turned && jump.is_none() {
            return None;
        }
        let jump = jump.unwrap_or_default().as_millis();
        Some(BoxEvent::Clock {
            jump_ms: i64::try_from(jump).unwrap_or(if jump < 0 { i64::MIN } else { i64::MAX }),
            state: match stamp.clock {
                Clock::Synchronised => "synchronised",
                Clock::Estimated => "estimated",
                Clock::Unknown => "unknown",
            }
            .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(second: i64, clock: Clock) -> Stamp {
        let wall = Timestamp::from_second(1_800_000_000 + second).unwrap();
        Stamp { boot: "b".into(), mono_ms: 0, wall, clock }
    }

    #[test]
    fn a_clock_that_goes_on_is_no_news_and_one_that_jumps_is() {
        let mut watch = ClockWatch::default();
        let at = |s: u64| Moment(s * 1000);
        let sync = Clock::Synchronised;
        assert!(watch.look(at(0), &stamp(0, sync)).is_some(), "at first it has to be told");
        assert_eq!(watch.news(&stamp(0, sync)), None);
        assert_eq!(watch.look(at(60), &stamp(60, sync)), None);
        assert!(watch.look(at(61), &stamp(-3539, sync)).is_some());
        let news = watch.news(&stamp(-3539, sync));
        let jumped = BoxEvent::Clock { jump_ms: -3_600_000, state: "synchronised".into() };
        assert_eq!(news, Some(jumped));
        assert_eq!(watch.news(&stamp(-3538, sync)), None);
        // Not known any more, and known again.
        assert_eq!(watch.look(at(62), &stamp(0, Clock::Unknown)), Some(None));
        assert!(
            matches!(watch.news(&stamp(0, Clock::Unknown)), Some(BoxEvent::Clock { state, .. }) if state == "unknown")
        );
        assert_eq!(watch.look(at(63), &stamp(0, Clock::Unknown)), None);
        assert!(watch.look(at(64), &stamp(64, sync)).is_some());
        assert!(watch.news(&stamp(64, sync)).is_some());
    }
}
