//! Watches the wall clock: says when times of day have to be reckoned anew, and by how much the
//! clock jumped. It must never take the slow work of NTP for a jump.

use anju_model::{BoxEvent, Clock, Moment, Stamp};
use jiff::{SignedDuration, Timestamp};

/// A clock that stays this close to its extrapolation was not set.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// What was last seen of the wall clock.
#[derive(Debug, Default)]
pub struct ClockWatch {
    anchor: Option<Anchor>,
    state: Option<Clock>,
    jump: Option<SignedDuration>,
}

/// A reading of the wall clock, from which later ones are extrapolated.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    at: Moment,
    wall: Timestamp,
    known: bool,
}

impl ClockWatch {
    /// Looks at a stamp that lies at `now`; the wall clock as far as it is known, if times of day
    /// have to be reckoned anew. A jump is measured between readings even where one of them is no
    /// time of day: by it the entries before can be placed.
    pub fn look(&mut self, now: Moment, stamp: &Stamp) -> Option<Option<Timestamp>> {
        let (wall, known) = (stamp.wall, stamp.clock != Clock::Unknown);
        if let Some(anchor) = self.anchor {
            let since = SignedDuration::try_from(now.since(anchor.at)).unwrap_or_default();
            let expected = anchor.wall.checked_add(since).unwrap_or(anchor.wall);
            let jump = wall.duration_since(expected);
            if jump.abs() <= TOLERANCE && known == anchor.known {
                return None;
            }
            self.jump = Some(jump);
        }
        self.anchor = Some(Anchor { at: now, wall, known });
        Some(known.then_some(wall))
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
        // Not known any more, and known again: the jump is told both ways.
        let told = |jump_ms, state: &str| Some(BoxEvent::Clock { jump_ms, state: state.into() });
        assert_eq!(watch.look(at(62), &stamp(0, Clock::Unknown)), Some(None));
        assert_eq!(watch.news(&stamp(0, Clock::Unknown)), told(3_538_000, "unknown"));
        assert_eq!(watch.look(at(63), &stamp(1, Clock::Unknown)), None);
        assert!(watch.look(at(64), &stamp(64, sync)).is_some());
        assert_eq!(watch.news(&stamp(64, sync)), told(62_000, "synchronised"));
    }
}
