//! Times of day on the line of time: the waking window, and how much of a silence counts in it.
//! It must never assume that a day has 24 hours, nor that the clock is known.

use std::time::Duration;

use anju_model::Moment;
use anju_model::config::{InactivityRule, TimeOfDay};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::line::Line;

/// No figure reaches further ahead than this many days.
const LONGEST_LOOK_AHEAD_DAYS: u32 = 400;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// When a time of day comes on a date (after a gap in the zone, the first moment after it).
pub fn at(date: Date, time: TimeOfDay, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
}

/// The date after.
pub fn next(date: Date) -> Option<Date> {
    date.tomorrow().ok()
}

/// Whether a time of day lies between two, which may be over midnight.
pub fn within(time: TimeOfDay, from: TimeOfDay, to: TimeOfDay) -> bool {
    if from <= to { from <= time && time < to } else { time >= from || time < to }
}

/// The next moment after `from` at which it is that time of day; none without a clock.
pub fn next_at(from: Moment, time: TimeOfDay, line: &Line, zone: &TimeZone) -> Option<Moment> {
    let date = line.civil_at(from, zone)?.date();
    let on = |date| line.moment_at(at(date, time, zone)?);
    let today = on(date)?;
    if today > from { Some(today) } else { on(next(date)?) }
}

/// The part of the day in which silence counts.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    wake: TimeOfDay,
    sleep: TimeOfDay,
    /// Silence of this length before the night is not explained by sleep.
    unexplained: Duration,
}

impl Window {
    /// The window of the inactivity rule.
    pub const fn of(rule: &InactivityRule) -> Self {
        Self { wake: rule.wake, sleep: rule.sleep, unexplained: rule.warn_after }
    }

    /// The night's length by the figures alone.
    pub fn night(self) -> Duration {
        let awake = self.sleep.duration_since(self.wake);
        let awake = if awake.is_negative() || awake.is_zero() {
            DAY.saturating_sub(awake.unsigned_abs())
        } else {
            awake.unsigned_abs()
        };
        DAY.saturating_sub(awake)
    }

    /// When a silence that began at `since` has counted for `figure`.
    ///
    /// Only time within the window counts, and only there the moment can lie. The night is taken
    /// for sleep and left out, unless the silence had lasted `warn_after` before that night: then
    /// it was no going to bed, and the night counts in full. Without a clock nobody knows when it
    /// is night, so one night's length is added to the figure.
    pub fn reached(self, since: Moment, figure: Duration, line: &Line, zone: &TimeZone) -> Moment {
        self.on_the_clock(since, figure, line, zone)
            .unwrap_or_else(|| since.after(figure.saturating_add(self.night())))
    }

    fn on_the_clock(
        self,
        since: Moment,
        figure: Duration,
        line: &Line,
        zone: &TimeZone,
    ) -> Option<Moment> {
        let began = line.wall_at(since)?;
        if self.night().is_zero() {
            return Some(since.after(figure));
        }
        // A window that crosses midnight may have opened the day before.
        let mut date = began.to_zoned(zone.clone()).date().checked_sub(1.day()).ok()?;
        let mut counted = Duration::ZERO;
        let mut last_end: Option<Timestamp> = None;
        for _ in 0..LONGEST_LOOK_AHEAD_DAYS {
            let opens = at(date, self.wake, zone)?;
            let closing = if self.sleep > self.wake { date } else { next(date)? };
            let closes = at(closing, self.sleep, zone)?;
            date = next(date)?;
            if closes <= began {
                continue;
            }
            if let Some(end) = last_end
                && counted >= self.unexplained
            {
                counted = counted.saturating_add(between(end, opens));
                if counted >= figure {
                    return line.moment_at(opens);
                }
            }
            let start = opens.max(began);
            let left = figure.saturating_sub(counted);
            let open_for = between(start, closes);
            if left <= open_for {
                return Some(line.moment_at(start)?.after(left));
            }
            counted = counted.saturating_add(open_for);
            last_end = Some(closes);
        }
        None
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
