//! Whether somebody can be tried at every minute of the week.

use crate::config::Hours;

const DAY: usize = 1440;
const WEEK: usize = 7 * DAY;
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The first minute of the week that nobody covers: day, hour, minute.
pub(super) fn uncovered<'h>(
    all: impl Iterator<Item = &'h Hours>,
) -> Option<(&'static str, usize, usize)> {
    let mut covered = vec![false; WEEK];
    for hours in all {
        let Hours::Weekly { first, last, from_minute, to_minute } = hours else { return None };
        let index =
            |day: &jiff::civil::Weekday| usize::from(day.to_monday_zero_offset().unsigned_abs());
        let days = (index(last) + 7 - index(first)) % 7;
        let (from, to) = (usize::from(*from_minute), usize::from(*to_minute));
        let length = if from < to { to - from } else { DAY - from + to };
        for day in (0..=days).map(|n| (index(first) + n) % 7) {
            for minute in (0..length).map(|n| (day * DAY + from + n) % WEEK) {
                if let Some(slot) = covered.get_mut(minute) {
                    *slot = true;
                }
            }
        }
    }
    let free = covered.iter().position(|slot| !slot)?;
    Some((DAYS.get(free / DAY)?, free % DAY / 60, free % 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Weekday;

    fn weekly(first: Weekday, last: Weekday, from_minute: u16, to_minute: u16) -> Hours {
        Hours::Weekly { first, last, from_minute, to_minute }
    }

    #[test]
    fn gaps_are_found_to_the_minute() {
        use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday};
        assert_eq!(uncovered([&Hours::Always].into_iter()), None);
        assert_eq!(uncovered([].into_iter()), Some(("Monday", 0, 0)));
        let work = weekly(Monday, Friday, 510, 1050);
        let nights = weekly(Sunday, Friday, 1050, 510);
        assert_eq!(uncovered([&work, &nights].into_iter()), Some(("Saturday", 8, 30)));
        let weekend = weekly(Saturday, Sunday, 510, 1050);
        assert_eq!(uncovered([&work, &nights, &weekend].into_iter()), Some(("Saturday", 17, 30)));
        let every = weekly(Monday, Sunday, 1050, 510);
        assert_eq!(uncovered([&work, &weekend, &every].into_iter()), None);
    }
}
