//! The loop of a wired alarm with a change-over contact: one throw is closed at rest, the other
//! when it signals, each on a line of its own. In order, exactly one is closed. With a cut cable
//! none is, with a shorted one both are; either is trouble and never an alarm by itself. The alarm
//! line is watched beside this as if it were alone, so that supervision can never hide an alarm.

use std::sync::Arc;
use std::time::Duration;

use anju_model::Observation;
use anju_model::observation::{Origin, Trouble};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::lines::{LineError, Lines, Wiring};
use super::opening::{self, Opening, Say};

/// A contact on its way from one throw to the other touches neither, or with a worn spring both.
/// What lasts this long is the cable.
pub const LASTS: Duration = Duration::from_secs(2);
/// How often the level is compared with what the edges told.
const LOOK: Duration = Duration::from_secs(15);

/// How the cable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    /// In order.
    Sound,
    /// Neither throw is closed.
    Cut,
    /// Both are.
    Shorted,
}

impl Cable {
    /// From the two throws.
    pub const fn of(alarm_closed: bool, rest_closed: bool) -> Self {
        match (alarm_closed, rest_closed) {
            (false, false) => Self::Cut,
            (true, true) => Self::Shorted,
            _ => Self::Sound,
        }
    }

    fn trouble(self) -> Trouble {
        let (active, reason) = match self {
            Self::Sound => (false, "the alarm's cable is in order again"),
            Self::Cut => (true, "the alarm's cable is cut or came off; mend it: it can not signal"),
            Self::Shorted => (true, "the alarm's cable is shorted; look for a crushed place"),
        };
        Trouble { active, reason: reason.to_owned() }
    }
}

/// What is known of a loop. Times are offsets on one clock.
#[derive(Debug)]
pub struct Supervision {
    told: Cable,
    /// What the throws say now, and since when, where that is not what was told.
    seen: Option<(Cable, Duration)>,
}

impl Default for Supervision {
    /// A loop that counts as sound until it lasts otherwise.
    fn default() -> Self {
        Self { told: Cable::Sound, seen: None }
    }
}

impl Supervision {
    /// Takes the levels of both throws.
    pub fn levels(&mut self, now: Duration, cable: Cable) {
        self.seen = match self.seen {
            _ if cable == self.told => None,
            Some((seen, since)) if seen == cable => Some((seen, since)),
            _ => Some((cable, now)),
        };
    }

    /// Lets time pass; gives what is to be told.
    pub fn tick(&mut self, now: Duration) -> Option<Cable> {
        let (cable, since) = self.seen?;
        if now < since + LASTS {
            return None;
        }
        self.seen = None;
        self.told = cable;
        Some(cable)
    }

    /// When [`Supervision::tick`] has something to say.
    pub fn wake(&self) -> Option<Duration> {
        self.seen.map(|(_, since)| since + LASTS)
    }
}

/// The task of the throw that is closed at rest.
pub struct Supervise {
    /// Who hands the line out.
    pub lines: Arc<dyn Lines>,
    /// The device.
    pub origin: Origin,
    /// The line of this throw.
    pub wiring: Wiring,
    /// Whether the other throw is closed, from its own task; `None` until it has its line.
    pub alarm: watch::Receiver<Option<bool>>,
    /// Where it is told.
    pub say: Say,
    /// Cancelled at the end.
    pub stop: CancellationToken,
}

impl Supervise {
    /// Watches until told to stop.
    ///
    /// # Errors
    /// When the chip can not be had or was lost.
    pub async fn run(mut self) -> Result<(), LineError> {
        let mut opening = Opening::quiet(self.origin.clone());
        let taken = opening::input(&mut opening, &self.lines, &self.wiring, &self.say, &self.stop);
        let Some(mut line) = taken.await? else { return Ok(()) };
        let mut rest = line.closed()?;
        let mut supervision = Supervision::default();
        loop {
            let now = self.lines.now();
            if let Some(alarm) = *self.alarm.borrow_and_update() {
                supervision.levels(now, Cable::of(alarm, rest));
            }
            if let Some(cable) = supervision.tick(now) {
                let said = Observation::new(self.origin.clone(), cable.trouble());
                // The box stops when nobody listens; `stop` says so too.
                let _ = self.say.send(said).await;
            }
            let until = supervision.wake().map_or(LOOK, |wake| wake.saturating_sub(now).min(LOOK));
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                edge = line.edge() => rest = edge?.closed,
                Ok(()) = self.alarm.changed() => {}
                () = tokio::time::sleep(until) => rest = line.closed()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_press_is_no_trouble_and_a_cut_is_told_once() {
        let mut supervision = Supervision::default();
        // Between the throws for a moment.
        supervision.levels(s(1), Cable::of(false, false));
        supervision.levels(s(2), Cable::of(true, false));
        assert_eq!((supervision.wake(), supervision.tick(s(60))), (None, None));
        supervision.levels(s(61), Cable::of(false, false));
        supervision.levels(s(62), Cable::of(false, false));
        assert_eq!(supervision.tick(s(62)), None);
        assert_eq!(supervision.wake(), Some(s(63)));
        assert_eq!(supervision.tick(s(63)), Some(Cable::Cut));
        assert_eq!(supervision.tick(s(90)), None);
        supervision.levels(s(91), Cable::of(true, true));
        assert_eq!(supervision.tick(s(93)), Some(Cable::Shorted));
        supervision.levels(s(94), Cable::of(false, true));
        assert_eq!(supervision.tick(s(96)), Some(Cable::Sound));
    }
}
