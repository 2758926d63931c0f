//! Watches the wall clock: says when times of day have to be reckoned anew, and by how much the
//! clock jumped, and what it can not measure. It must never take the slow work of NTP for a jump.

use std::time::Duration;

use anju_model::{BoxEvent, Clock, Moment, Stamp};
use anju_respond::life::Input;
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
    mono_ms: u64,
    wall: Timestamp,
    known: bool,
}

impl ClockWatch {
    /// Looks at a stamp that lies at `now`; the wall clock as far as it is known, if times of day
    /// have to be reckoned anew. A jump is measured between readings even where one of them is no
    /// time of day: by it the entries before can be placed. It is measured by the clock that never
    /// jumps, not on the line of time, which takes in an outage when the wall clock tells of it.
    pub fn look(&mut self, now: Moment, stamp: &Stamp) -> Option<Option<Timestamp>> {
        let (wall, mono_ms) = (stamp.wall, stamp.mono_ms);
        let known = stamp.clock != Clock::Unknown;
        if let Some(anchor) = self.anchor {
            let passed = Duration::from_millis(mono_ms.saturating_sub(anchor.mono_ms));
            let jump = wall.duration_since(later(anchor.wall, passed));
            let jumped = jump.abs() > TOLERANCE || known != anchor.known;
            let off_the_line = wall.duration_since(later(anchor.wall, now.since(anchor.at)));
            if !jumped && off_the_line.abs() <= TOLERANCE {
                return None;
            }
            if jumped {
                self.jump = Some(jump);
            }
        }
        self.anchor = Some(Anchor { at: now, mono_ms, wall, known });
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

fn later(wall: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| wall.checked_add(by).ok()).unwrap_or(wall)
}

/// By a clock that nobody has set, nobody can say whether an answer was sent before an alert; one
/// that comes just now is then taken as sent just now.
pub fn doubt_time(input: &mut Input, clock: Clock) {
    if let Input::Answered { sent, fresh: true, .. } = input
        && clock != Clock::Synchronised
    {
        *sent = None;
    }
}

#[cfg(test)]
mod tests {
    use anju_model::ContactId;
    use anju_model::config::ChannelKind;
    use anju_respond::life::Answer;

    use super::*;

    #[test]
    fn an_answer_that_comes_now_is_not_measured_by_a_clock_that_nobody_set() {
        let believed = |fresh, clock| {
            let mut input = Input::Answered {
                contact: ContactId::new("daughter").unwrap(),
                answer: Answer::Accept,
                sent: Some(Timestamp::UNIX_EPOCH),
                fresh,
                via: ChannelKind::Sms,
            };
            doubt_time(&mut input, clock);
            matches!(input, Input::Answered { sent: Some(_), .. })
        };
        assert!(believed(true, Clock::Synchronised));
        for clock in [Clock::Estimated, Clock::Unknown] {
            assert!(!believed(true, clock));
            assert!(believed(false, clock), "what has lain somewhere has only its time");
        }
    }

    fn stamp(mono_s: u64, second: i64, clock: Clock) -> Stamp {
        let wall = Timestamp::from_second(1_800_000_000 + second).unwrap();
        Stamp { boot: "b".into(), mono_ms: mono_s * 1000, wall, clock }
    }

    fn told(jump_ms: i64, state: &str) -> Option<BoxEvent> {
        Some(BoxEvent::Clock { jump_ms, state: state.into() })
    }

    fn at(second: u64) -> Moment {
        Moment(second * 1000)
    }

    #[test]
    fn a_clock_that_goes_on_is_no_news_and_one_that_jumps_is() {
        let mut watch = ClockWatch::default();
        let sync = Clock::Synchronised;
        assert!(watch.look(at(0), &stamp(0, 0, sync)).is_some(), "at first it has to be told");
        assert_eq!(watch.news(&stamp(0, 0, sync)), None);
        assert_eq!(watch.look(at(60), &stamp(60, 60, sync)), None);
        assert!(watch.look(at(61), &stamp(61, -3539, sync)).is_some());
        assert_eq!(watch.news(&stamp(61, -3539, sync)), told(-3_600_000, "synchronised"));
        assert_eq!(watch.news(&stamp(62, -3538, sync)), None);
        // Not known any more, and known again: the jump is told both ways.
        assert_eq!(watch.look(at(62), &stamp(62, 0, Clock::Unknown)), Some(None));
        assert_eq!(watch.news(&stamp(62, 0, Clock::Unknown)), told(3_538_000, "unknown"));
        assert_eq!(watch.look(at(63), &stamp(63, 1, Clock::Unknown)), None);
        assert!(watch.look(at(64), &stamp(64, 64, sync)).is_some());
        assert_eq!(watch.news(&stamp(64, 64, sync)), told(62_000, "synchronised"));
    }

    #[test]
    fn a_jump_that_tells_of_an_outage_is_told_in_full() {
        for before in [Clock::Estimated, Clock::Unknown] {
            let mut watch = ClockWatch::default();
            watch.look(at(10), &stamp(5, 11, before));
            watch.news(&stamp(5, 11, before));
            // The line of time takes in the outage with the jump.
            let (now, synchronised) = (at(36_070), stamp(65, 36_071, Clock::Synchronised));
            assert_eq!(watch.look(now, &synchronised), Some(Some(synchronised.wall)));
            assert_eq!(watch.news(&synchronised), told(36_000_000, "synchronised"), "{before:?}");
            assert_eq!(watch.look(at(36_080), &stamp(75, 36_081, Clock::Synchronised)), None);
        }
    }
}
