//! The household's civil time on the box's line of time. Where the clock is not known it says so
//! and never guesses.

use anju_model::Moment;
use anju_model::config::Hours;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// First hour of the day in which faults are told.
pub const DAY_BEGINS: i8 = 8;
/// The hour from which faults wait for the next day.
pub const DAY_ENDS: i8 = 20;

/// How often something that waits for a time of day is looked at again, in milliseconds. The clock
/// may be set in between, so a long timer would be wrong.
const LOOK_EVERY_MS: u64 = 60_000;

/// A wall clock that stays this close to its expected course was not set.
const DRIFT: SignedDuration = SignedDuration::from_secs(2);

/// Civil time.
#[derive(Debug, Clone)]
pub(super) struct Civil {
    zone: TimeZone,
    anchor: Option<(Moment, Timestamp)>,
}

impl Civil {
    pub(super) const fn new(zone: TimeZone) -> Self {
        Self { zone, anchor: None }
    }

    pub(super) fn set_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Says what the wall clock shows at a moment, or that nobody knows. Returns whether times of
    /// day moved by that.
    pub(super) fn set(&mut self, now: Moment, wall: Option<Timestamp>) -> bool {
        let moved = match (self.wall_at(now), wall) {
            (None, None) => false,
            (Some(before), Some(wall)) => wall.duration_since(before).abs() > DRIFT,
            _ => true,
        };
        self.anchor = wall.map(|wall| (now, wall));
        moved
    }

    /// The wall clock at a moment.
    pub(super) fn wall_at(&self, now: Moment) -> Option<Timestamp> {
        let (anchor, wall) = self.anchor?;
        let since = SignedDuration::try_from(now.since(anchor)).ok()?;
        let before = SignedDuration::try_from(anchor.since(now)).ok()?;
        wall.checked_add(since).ok()?.checked_sub(before).ok()
    }

    /// Local civil time at a moment.
    pub(super) fn at(&self, now: Moment) -> Option<civil::DateTime> {
        self.wall_at(now).map(|wall| self.zone.to_datetime(wall))
    }

    /// Whether it is day; unknown counts as day, so that nothing waits for a clock.
    pub(super) fn is_day(&self, now: Moment) -> bool {
        self.at(now).is_none_or(|t| (DAY_BEGINS..DAY_ENDS).contains(&t.hour()))
    }

    /// Whether these hours are on; unknown counts as on.
    pub(super) fn within(&self, hours: &Hours, now: Moment) -> bool {
        self.at(now).is_none_or(|t| contains(hours, t))
    }

    /// Hours and minutes of a time stamp.
    pub(super) fn clock_time(&self, time: Timestamp) -> String {
        let local = self.zone.to_datetime(time);
        format!("{:02}:{:02}", local.hour(), local.minute())
    }
}

/// When to look again at something that waits for a time of day.
pub(super) const fn look_again(now: Moment) -> Moment {
    Moment((now.0 / LOOK_EVERY_MS).saturating_add(1).saturating_mul(LOOK_EVERY_MS))
}

fn contains(hours: &Hours, t: civil::DateTime) -> bool {
    let Hours::Weekly { first, last, from_minute, to_minute } = hours else { return true };
    let minute = u16::try_from(i32::from(t.hour()) * 60 + i32::from(t.minute())).unwrap_or(0);
    let on = |day: civil::Weekday| day_between(*first, *last, day);
    if from_minute <= to_minute {
        on(t.date().weekday()) && (*from_minute..*to_minute).contains(&minute)
    } else {
        // Over midnight: the morning belongs to the day before.
        let yesterday = t.date().weekday().previous();
        (on(t.date().weekday()) && minute >= *from_minute) || (on(yesterday) && minute < *to_minute)
    }
}

fn day_between(first: civil::Weekday, last: civil::Weekday, day: civil::Weekday) -> bool {
    let (f, l, d) =
        (first.to_monday_zero_offset(), last.to_monday_zero_offset(), day.to_monday_zero_offset());
    if f <= l { (f..=l).contains(&d) } else { d >= f || d <= l }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Weekday;

    fn weekly(first: Weekday, last: Weekday, from: u16, to: u16) -> Hours {
        Hours::Weekly { first, last, from_minute: from, to_minute: to }
    }

    fn at(day: i8, hour: i8, minute: i8) -> civil::DateTime {
        // 2026-11-23 is a Monday.
        civil::date(2026, 11, 22 + day).at(hour, minute, 0, 0)
    }

    #[test]
    fn hours_hold_to_the_minute() {
        let office = weekly(Weekday::Monday, Weekday::Friday, 510, 1050);
        assert!(!contains(&office, at(1, 8, 29)));
        assert!(contains(&office, at(1, 8, 30)));
        assert!(contains(&office, at(5, 17, 29)));
        assert!(!contains(&office, at(5, 17, 30)));
        assert!(!contains(&office, at(6, 12, 0)));
        assert!(contains(&Hours::Always, at(7, 3, 0)));
    }

    #[test]
    fn hours_over_midnight_belong_to_the_evening() {
        let night = weekly(Weekday::Friday, Weekday::Saturday, 22 * 60, 6 * 60);
        assert!(contains(&night, at(5, 23, 0)));
        assert!(contains(&night, at(6, 5, 59)));
        assert!(contains(&night, at(7, 5, 0)), "Sunday morning belongs to Saturday's night");
        assert!(!contains(&night, at(7, 23, 0)));
        assert!(!contains(&night, at(5, 5, 0)));
    }

    #[test]
    fn weeks_may_wrap() {
        let wrap = weekly(Weekday::Saturday, Weekday::Monday, 0, 1440);
        assert!(contains(&wrap, at(7, 0, 0)) && contains(&wrap, at(1, 23, 59)));
        assert!(!contains(&wrap, at(3, 12, 0)));
    }

    #[test]
    fn civil_time_follows_the_anchor_both_ways() {
        let mut civil = Civil::new(TimeZone::fixed(jiff::tz::offset(8)));
        assert!(civil.at(Moment(5)).is_none() && civil.is_day(Moment(5)));
        let wall: Timestamp = "2026-11-23T19:59:00+08:00".parse().unwrap();
        assert!(civil.set(Moment(60_000), Some(wall)));
        assert!(civil.is_day(Moment(60_000)));
        assert!(!civil.is_day(Moment(120_000)));
        assert_eq!(civil.at(Moment(0)).unwrap().minute(), 58);
        let later = wall + SignedDuration::from_secs(61);
        assert!(!civil.set(Moment(120_000), Some(later)), "a clock that goes on as it should");
        assert!(civil.set(Moment(120_000), Some(wall)));
        assert!(civil.set(Moment(130_000), None) && !civil.set(Moment(130_000), None));
    }
}
