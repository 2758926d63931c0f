//! Occupancy, the picture of the home that the rules share: somebody is at home, out, away until a
//! date, has a visitor, or nobody can tell; and since when nothing was seen of a person. A door
//! that closes with no motion after it means probably out; motion after it means in. Away ends at
//! the first motion indoors. The picture must never mute a call for help, a danger or a fall:
//! those rules do not look at it.
//!
//! Where one person lives, a closed door and a quiet home mean that this person is out. Where
//! several live, the door does not tell who left, and the one who stayed may be asleep; after a
//! visitor left, the resident may sit and rest. Then the picture says `Unsure`, and the silence
//! goes on being counted. The same holds where no motion detector could have seen the person come
//! back, or all of them are lost, or a bed or radar says that somebody is there.
//!
//! A locator that leaves the home's zone says it without a door: who lives alone is out. When it
//! comes back, the person is near and silence is counted from then, whatever absence was announced.

use std::time::Duration;

use anju_model::{CaughtUp, EntryId, Moment};
use jiff::Timestamp;

use crate::activity::{Place, Sign};
use crate::line::Line;

/// A door opened this soon after the bell lets a visitor in.
pub const BELL_TO_DOOR: Duration = Duration::from_secs(300);

/// A visitor who was not seen leaving is forgotten after this.
const LONGEST_VISIT: Duration = Duration::from_secs(4 * 3600);

/// A door closed this soon after the visitor's is still the entering.
const ENTERING: Duration = Duration::from_secs(120);

/// An announced absence that motion ended takes up again if the home is left within this.
const DEPARTURE: Duration = Duration::from_secs(3600);

/// Who is at home, as far as it can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Occupancy {
    /// Nobody can tell.
    #[default]
    Unsure,
    /// Somebody is at home.
    AtHome,
    /// Somebody is at home and has a visitor.
    Visitor,
    /// Probably nobody is at home.
    Out {
        /// Since when.
        since: Moment,
        /// The entry of the door that closed, or of the absence that was announced.
        cause: EntryId,
    },
    /// Nobody is expected at home until then.
    Away {
        /// The announced end.
        until: Timestamp,
        /// The entry that announced it.
        cause: EntryId,
    },
}

/// The last sign of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// Since when nothing was seen.
    pub since: Moment,
    /// The entry of the sign, or that from which silence is counted.
    pub cause: EntryId,
    /// Whether a person was seen at all since the guard's memory begins.
    pub seen: bool,
}

/// What the home's devices and residents allow to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Means {
    /// More than one person lives here.
    pub several: bool,
    /// No motion after a door closed means this after that time.
    pub settle: Duration,
}

/// The picture.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// Who is at home.
    pub occupancy: Occupancy,
    /// The last sign of a person; absent until the first entry.
    pub quiet: Option<Quiet>,
    /// Several live here, a door closed and nothing moved since: all may be out.
    pub all_may_be_out: bool,
    means: Means,
    /// A motion detector or radar that is not lost sees who moves inside.
    pub sees_movement: bool,
    settling: Option<Settling>,
    rang: Option<Moment>,
    visitor: Option<Moment>,
    departure: Option<Departure>,
}

#[derive(Debug, Clone)]
struct Settling {
    closed: Moment,
    /// On the watch line: nobody can say that nothing moved while the box was off.
    closed_watch: Moment,
    door: EntryId,
    with_visitor: bool,
}

#[derive(Debug, Clone)]
struct Departure {
    until: Timestamp,
    cause: EntryId,
    announced: Moment,
}

impl Departure {
    /// When the home is to be left at the latest.
    fn by(&self) -> Moment {
        self.announced.after(DEPARTURE)
    }
}

impl Home {
    /// Takes over what the configuration allows to be told.
    pub fn configure(&mut self, means: Means) {
        self.means = means;
        if means.several && matches!(self.occupancy, Occupancy::Out { .. }) {
            self.occupancy = Occupancy::Unsure;
            self.all_may_be_out = true;
        }
    }

    /// Silence is counted from the first entry until a person is seen.
    pub fn begin(&mut self, now: Moment, cause: &EntryId) {
        self.quiet = Some(Quiet { since: now, cause: cause.clone(), seen: false });
    }

    /// Whether rules about a person at home have something to judge.
    pub const fn judges_presence(&self) -> bool {
        !matches!(self.occupancy, Occupancy::Out { .. } | Occupancy::Away { .. })
    }

    /// Takes in what was seen; true if it was a sign of a person.
    pub fn see(&mut self, sign: Sign, now: Moment, cause: &EntryId, line: &Line) -> bool {
        if sign.bell {
            self.rang = Some(now);
        }
        if sign.person.is_some() {
            self.quiet = Some(Quiet { since: now, cause: cause.clone(), seen: true });
        }
        match sign.exit {
            Some(true) => self.opened(now),
            Some(false) => self.closed(now, cause, line),
            None => {}
        }
        match sign.home {
            Some(true) => self.came_near(),
            Some(false) => self.carried_out(now, cause),
            None => {}
        }
        if sign.person == Some(Place::Indoors) {
            self.inside(now);
        }
        sign.person.is_some()
    }

    fn inside(&mut self, now: Moment) {
        self.settling = None;
        self.all_may_be_out = false;
        if let Occupancy::Away { .. } = self.occupancy
            && self.departure.as_ref().is_some_and(|d| d.by() < now)
        {
            self.departure = None;
        }
        self.occupancy = match self.visitor {
            Some(_) => Occupancy::Visitor,
            None => Occupancy::AtHome,
        };
    }

    fn came_near(&mut self) {
        self.all_may_be_out = false;
        self.departure = None;
        if !self.judges_presence() {
            self.occupancy = Occupancy::Unsure;
        }
    }

    fn carried_out(&mut self, now: Moment, cause: &EntryId) {
        if self.means.several || !self.judges_presence() {
            return;
        }
        self.settling = None;
        self.visitor = None;
        self.occupancy = match self.departure.take().filter(|departure| now <= departure.by()) {
            Some(Departure { until, cause, .. }) => Occupancy::Away { until, cause },
            None => Occupancy::Out { since: now, cause: cause.clone() },
        };
    }

    fn opened(&mut self, now: Moment) {
        self.settling = None;
        if !self.sees_movement && matches!(self.occupancy, Occupancy::Out { .. }) {
            // Nobody could see who comes in.
            self.occupancy = Occupancy::Unsure;
        }
        let let_in = self.rang.take().is_some_and(|rang| now.since(rang) <= BELL_TO_DOOR);
        let at_home = matches!(self.occupancy, Occupancy::AtHome | Occupancy::Unsure);
        if let_in && at_home && !self.all_may_be_out {
            self.visitor = Some(now);
            self.occupancy = Occupancy::Visitor;
        }
    }

    fn closed(&mut self, now: Moment, cause: &EntryId, line: &Line) {
        if !self.judges_presence() {
            return;
        }
        let visitor = self.visitor.filter(|came| now.since(*came) > ENTERING);
        if visitor.is_some() {
            self.visitor = None;
            self.occupancy = Occupancy::Unsure;
        }
        self.settling = Some(Settling {
            closed: now,
            closed_watch: line.watch(now),
            door: cause.clone(),
            with_visitor: visitor.is_some() || self.visitor.is_some(),
        });
    }

    /// The household said that nobody will be at home until then, or (`None`) that somebody is;
    /// true if silence is judged anew by that.
    pub fn away(
        &mut self,
        until: Option<Timestamp>,
        now: Moment,
        cause: &EntryId,
        line: &Line,
    ) -> bool {
        self.departure = None;
        let past = |until: Timestamp| line.moment_at(until).is_some_and(|end| end <= now);
        match until.filter(|until| !past(*until)) {
            Some(until) => {
                self.settling = None;
                self.visitor = None;
                self.all_may_be_out = false;
                self.departure = Some(Departure { until, cause: cause.clone(), announced: now });
                self.occupancy = Occupancy::Away { until, cause: cause.clone() };
                true
            }
            None => {
                let was_away = matches!(self.occupancy, Occupancy::Away { .. });
                if was_away {
                    self.return_expected(now, cause.clone());
                }
                was_away
            }
        }
    }

    /// An announced absence ended without anybody seen: from now on somebody is waited for.
    fn return_expected(&mut self, now: Moment, cause: EntryId) {
        let seen = self.quiet.as_ref().is_some_and(|q| q.seen);
        self.quiet = Some(Quiet { since: now, cause: cause.clone(), seen });
        self.departure = None;
        self.occupancy = if self.means.several || !self.sees_movement {
            Occupancy::Unsure
        } else {
            Occupancy::Out { since: now, cause }
        };
    }

    fn settled_at(&self, line: &Line) -> Option<Moment> {
        let settling = self.settling.as_ref()?;
        Some(line.when_watched(settling.closed_watch.after(self.means.settle)))
    }

    /// When the picture changes by itself.
    pub fn due(&self, line: &Line) -> Option<Moment> {
        let settled = self.settled_at(line);
        let ended = match &self.occupancy {
            Occupancy::Away { until, .. } => line.moment_at(*until),
            _ => None,
        };
        let forgotten = self.visitor.map(|came| came.after(LONGEST_VISIT));
        [settled, ended, forgotten].into_iter().flatten().min()
    }

    /// Lets time pass; true if silence is now counted from another entry.
    pub fn tick(&mut self, now: Moment, line: &Line, somebody_there: bool) -> bool {
        if self.visitor.is_some_and(|came| came.after(LONGEST_VISIT) <= now) {
            self.visitor = None;
            if self.occupancy == Occupancy::Visitor {
                self.occupancy = Occupancy::AtHome;
            }
        }
        if self.settled_at(line).is_some_and(|at| at <= now)
            && let Some(settled) = self.settling.take()
        {
            self.settle(settled, somebody_there);
        }
        if let Occupancy::Away { until, cause } = &self.occupancy
            && line.moment_at(*until).is_some_and(|end| end <= now)
        {
            let cause = cause.clone();
            self.return_expected(now, cause);
            return true;
        }
        false
    }

    fn settle(&mut self, settled: Settling, somebody_there: bool) {
        if somebody_there {
            return;
        }
        if let Some(departure) = self.departure.take()
            && settled.closed <= departure.by()
        {
            self.occupancy =
                Occupancy::Away { until: departure.until, cause: departure.cause.clone() };
            return;
        }
        if self.means.several {
            self.occupancy = Occupancy::Unsure;
            self.all_may_be_out = true;
        } else if settled.with_visitor || !self.sees_movement {
            self.occupancy = Occupancy::Unsure;
        } else {
            self.occupancy = Occupancy::Out { since: settled.closed, cause: settled.door };
        }
    }

    /// An outage that came to light was before all that this boot saw.
    pub fn catch_up(&mut self, outage: CaughtUp) {
        let since = match &mut self.occupancy {
            Occupancy::Out { since, .. } => Some(since),
            _ => None,
        };
        let moments = since
            .into_iter()
            .chain(self.quiet.as_mut().map(|quiet| &mut quiet.since))
            .chain(self.settling.as_mut().map(|settling| &mut settling.closed))
            .chain(self.departure.as_mut().map(|departure| &mut departure.announced))
            .chain(&mut self.rang)
            .chain(&mut self.visitor);
        for at in moments {
            *at = outage.carry(*at);
        }
    }

    /// Time in which no device could have seen a person is not silence.
    pub fn excuse(&mut self, blind: Duration, now: Moment) {
        if let Some(quiet) = &mut self.quiet {
            quiet.since = quiet.since.after(blind).min(now);
        }
    }
}
