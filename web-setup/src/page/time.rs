//! Ages and moments in words.

use anju_model::Clock;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::texts::Words;
use crate::view::{Ago, Status};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Writes times as the household reads them.
pub struct Clockwork<'a> {
    words: &'a Words,
    zone: TimeZone,
    now: Timestamp,
    clock: Clock,
}

impl<'a> Clockwork<'a> {
    /// In the household's zone; one that is not known is as good as UTC.
    pub fn new(status: &Status, words: &'a Words) -> Self {
        let zone = TimeZone::get(&status.timezone).unwrap_or(TimeZone::UTC);
        Self { words, zone, now: status.now, clock: status.clock }
    }

    /// What the box's clock shows.
    pub fn as_of(&self) -> Markup {
        let shown = self.now.to_zoned(self.zone.clone());
        html! {
            @if self.clock == Clock::Unknown {
                (self.words.get("clock-unknown"))
            } @else {
                @if self.clock == Clock::Estimated { (self.words.get("clock-estimated")) " " }
                time datetime=(self.now.to_string()) { (shown.strftime("%H:%M:%S").to_string()) }
            }
        }
    }

    /// How long ago, with the moment to be had.
    pub fn ago(&self, ago: Ago) -> Markup {
        let text = self.ago_text(ago.seconds);
        html! {
            @match ago.at {
                Some(at) => time datetime=(at.to_string()) title=(self.moment(at)) { (text) },
                None => span { (text) },
            }
        }
    }

    /// How long ago.
    pub fn ago_text(&self, seconds: u64) -> String {
        match seconds {
            0..10 => self.words.get("ago-now"),
            10..MINUTE => self.words.fill("ago-seconds", [("n", seconds.into())]),
            MINUTE..HOUR => self.words.fill("ago-minutes", [("n", (seconds / MINUTE).into())]),
            HOUR..172_800 => self.words.fill("ago-hours", [("n", (seconds / HOUR).into())]),
            _ => self.words.fill("ago-days", [("n", (seconds / DAY).into())]),
        }
    }

    /// A length of time.
    pub fn length(&self, seconds: u64) -> String {
        match seconds {
            0..HOUR => self.words.fill("for-minutes", [("n", (seconds / MINUTE).into())]),
            HOUR..172_800 => self.words.fill("for-hours", [("n", (seconds / HOUR).into())]),
            _ => self.words.fill("for-days", [("n", (seconds / DAY).into())]),
        }
    }

    /// Date and time of a moment.
    pub fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }
}
