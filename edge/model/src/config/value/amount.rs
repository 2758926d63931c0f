//! Durations, sizes and times of day as people write them.

use std::time::Duration;

use jiff::civil::Date;

use super::{Result, TimeOfDay, Wrong};
use crate::config::fault::quote;

const LONGEST_TEXT: usize = 40;

/// Reads a duration such as `90s`, `4h`, `1h30m` or `500ms`; `None` if it is not one.
pub(in crate::config) fn parse_duration(text: &str) -> Option<Duration> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return None;
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let after = rest.get(digits..)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit_ms: u64 = match after.get(..letters)? {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let part = Duration::from_millis(number.checked_mul(unit_ms)?);
        total = total.checked_add(part)?;
        rest = after.get(letters..)?;
    }
    Some(total)
}

pub(super) fn duration(text: &str, min: &str, max: &str) -> Result<Duration> {
    let mend = || format!("use {min} to {max}, with the unit ms, s, m, h or d");
    let duration = parse_duration(text)
        .ok_or_else(|| Wrong::new(format!("{} is not a duration", quote(text)), mend()))?;
    let low = parse_duration(min).unwrap_or(Duration::ZERO);
    let high = parse_duration(max).unwrap_or(Duration::MAX);
    if duration < low {
        return Err(Wrong::new(format!("{} is too short", quote(text)), mend()));
    }
    if duration > high {
        return Err(Wrong::new(format!("{} is too long", quote(text)), mend()));
    }
    Ok(duration)
}

/// Reads a size such as `512MiB`; `None` if it is not one.
pub(in crate::config) fn parse_bytes(text: &str) -> Option<u64> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let factor: u64 = match text.get(digits..)?.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

pub(super) fn bytes(text: &str, min: &str, max: &str) -> Result<u64> {
    let mend = || format!("use {min} to {max}, such as \"512MiB\"");
    let size = parse_bytes(text)
        .ok_or_else(|| Wrong::new(format!("{} is not a size", quote(text)), mend()))?;
    let range = parse_bytes(min).unwrap_or(0)..=parse_bytes(max).unwrap_or(u64::MAX);
    if !range.contains(&size) {
        return Err(Wrong::new(format!("{} is out of the range", quote(text)), mend()));
    }
    Ok(size)
}

/// Minutes since midnight of `HH:MM`; `24:00` only where the end of a day is meant.
pub(super) fn parse_minute(text: &str, end_of_day: bool) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let sound = minute < 60 && (hour < 24 || (end_of_day && hour == 24 && minute == 0));
    sound.then_some(hour * 60 + minute)
}

pub(super) fn time_of_day(text: &str) -> Result<TimeOfDay> {
    parse_minute(text, false)
        .and_then(|minute| {
            let hour = i8::try_from(minute / 60).ok()?;
            TimeOfDay::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()
        })
        .ok_or_else(|| {
            Wrong::new(
                format!("{} is not a time of day", quote(text)),
                "use HH:MM from 00:00 to 23:59, such as \"07:00\"",
            )
        })
}

/// Reads `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Result<Date> {
    let digits =
        |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    let sound = {
        let mut parts = text.split('-');
        let each =
            [4, 2, 2].into_iter().all(|count| parts.next().is_some_and(|p| digits(p, count)));
        each && parts.next().is_none()
    };
    sound.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        Wrong::new(
            format!("{} is not a date", quote(text)),
            "use YYYY-MM-DD, a day that is in the calendar, such as \"2027-03-31\"",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("90s"), Some(90_000));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("2d"), Some(172_800_000));
        for wrong in ["", "90", "s", "4 h", "-1s", "1.5h", "99999999999999999999s", "4w", "1h30"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
        assert!(duration("1s", "5s", "1h").is_err());
        assert!(duration("2h", "5s", "1h").is_err());
        assert_eq!(duration("5s", "5s", "1h"), Ok(Duration::from_secs(5)));
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("512MiB"), Some(512 << 20));
        assert_eq!(parse_bytes("1 GB"), Some(1_000_000_000));
        assert_eq!(parse_bytes("4096"), Some(4096));
        for wrong in ["", "MiB", "-1", "5 apples", "99999999999TiB"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_day() {
        assert_eq!(time_of_day("07:30").unwrap(), TimeOfDay::constant(7, 30, 0, 0));
        for wrong in ["7:30", "24:00", "12:60", "noon", "", "07:30:00", "+7:30"] {
            assert!(time_of_day(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(date("2028-02-29").unwrap(), Date::constant(2028, 2, 29));
        for wrong in [
            "2027-02-29",
            "2027-3-1",
            "31.03.2027",
            "",
            "2027-03-31T00:00",
            "+002027-03-31",
            "soon",
        ] {
            assert!(date(wrong).is_err(), "{wrong}");
        }
    }
}
