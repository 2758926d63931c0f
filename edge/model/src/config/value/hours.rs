//! Hours of the week: `always`, or days and times such as `mon-fri 08:30-17:30`.

use super::amount::parse_minute;
use super::{Result, Wrong};
use crate::config::fault::quote;
use crate::config::{Hours, Weekday};

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn day(text: &str) -> Option<Weekday> {
    DAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

fn parse(text: &str) -> Option<Hours> {
    let mut parts = text.split_ascii_whitespace();
    let (days, times) = match (parts.next()?, parts.next(), parts.next()) {
        ("always", None, None) => return Some(Hours::Always),
        ("daily", Some(times), None) => ("mon-sun", times),
        (days, Some(times), None) => (days, times),
        _ => return None,
    };
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (from, to) = times.split_once('-')?;
    let hours = Hours::Weekly {
        first: day(first)?,
        last: day(last)?,
        from_minute: parse_minute(from, false)?,
        to_minute: parse_minute(to, true)?,
    };
    match hours {
        Hours::Weekly { from_minute, to_minute, .. } if from_minute == to_minute => None,
        sound => Some(sound),
    }
}

pub(super) fn hours(text: &str) -> Result<Hours> {
    parse(text).ok_or_else(|| {
        Wrong::new(
            format!("{} are not hours of the week", quote(text)),
            "use \"always\", or days (mon tue wed thu fri sat sun) and times such as \"mon-fri \
             08:30-17:30\"",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times() {
        assert_eq!(parse("always"), Some(Hours::Always));
        let weekly = |first, last, from_minute, to_minute| {
            Some(Hours::Weekly { first, last, from_minute, to_minute })
        };
        assert_eq!(
            parse("mon-fri 08:30-17:30"),
            weekly(Weekday::Monday, Weekday::Friday, 510, 1050)
        );
        assert_eq!(parse("sat 00:00-24:00"), weekly(Weekday::Saturday, Weekday::Saturday, 0, 1440));
        assert_eq!(
            parse("fri-mon 22:00-06:00"),
            weekly(Weekday::Friday, Weekday::Monday, 1320, 360)
        );
        assert_eq!(parse("daily 08:00-20:00"), weekly(Weekday::Monday, Weekday::Sunday, 480, 1200));
        for wrong in
            ["", "never", "mon", "mon 8-9", "mon 08:00-08:00", "always 08:00-09:00", "a b c d"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
