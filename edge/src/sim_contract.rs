//! The end of the SIM card's contract: without it no text, call or mobile data leaves any more, and
//! nothing else tells of that day ahead. It is told by day 28 and 7 days ahead (as a battery's end is),
//! and once it is over; each of the three anew. It must never judge by a clock that was never set, nor
//! tell the same again because the box started anew.

use std::time::Duration;

use anju_model::config::Household;
use anju_model::{BoxEvent, Rule};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::core::{Message, Picture, View};

/// How often the day is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How near the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Within 28 days.
    Weeks,
    /// Within 7 days.
    Days,
    /// It is over.
    Over,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Weeks, Self::Days, Self::Over];

    /// The part of the box that is broken meanwhile.
    const fn part(self) -> &'static str {
        match self {
            Self::Weeks => "sim-contract:28-days",
            Self::Days => "sim-contract:7-days",
            Self::Over => "sim-contract:over",
        }
    }

    /// The first day of it, for a contract that ends with a day.
    fn begins(self, ends: Date) -> Date {
        match self {
            Self::Weeks => ends.saturating_sub(28.days()),
            Self::Days => ends.saturating_sub(7.days()),
            Self::Over => ends.saturating_add(1.day()),
        }
    }

    /// How it is on a day, if there is anything to tell.
    fn on(today: Date, ends: Date) -> Option<Self> {
        Self::ALL.into_iter().rfind(|stage| stage.begins(ends) <= today)
    }

    fn in_words(self, ends: Date) -> String {
        let state = match self {
            Self::Weeks | Self::Days => "ends",
            Self::Over => "has ended",
        };
        format!(
            "the contract of the modem's SIM card {state}, its last day is {ends}; renew it, then set \
             contract_ends in [modem]"
        )
    }
}

fn fault(stage: Stage, active: bool, reason: String) -> BoxEvent {
    BoxEvent::Fault { part: stage.part().to_owned(), active, reason }
}

/// What was told.
#[derive(Debug, Default)]
struct Told {
    /// The stage, and the contract's end that it was told of; `None` before the first look.
    stage: Option<Option<(Stage, Date)>>,
}

impl Told {
    /// Looks once. `open` is the day on which the alert that stands open from before this start was
    /// raised, if one does.
    fn look(&mut self, today: Date, ends: Option<Date>, open: Option<Date>) -> Vec<BoxEvent> {
        let now = ends.and_then(|ends| Some((Stage::on(today, ends)?, ends)));
        let before = self.stage.replace(now);
        if before == Some(now) {
            return Vec::new();
        }
        let mut events = Vec::new();
        let was = match before {
            Some(was) => was.map(|(stage, _)| stage),
            // What is open was told then; which stage that was does not matter.
            None => open.map(|_| Stage::Weeks),
        };
        let told_already = before.is_none()
            && now.is_some_and(|(stage, ends)| open.is_some_and(|day| day >= stage.begins(ends)));
        if let Some(was) = was.filter(|_| !told_already) {
            events.push(fault(was, false, "another day has come, or another contract".to_owned()));
        }
        if let Some((stage, ends)) = now.filter(|_| !told_already) {
            events.push(fault(stage, true, stage.in_words(ends)));
        }
        events
    }
}

/// The day on which the open alert of the contract was raised.
fn open(view: &View, picture: &Picture, now: Timestamp) -> Option<Date> {
    let alert = view.open.iter().find(|alert| alert.subject.rule == Rule::SimContract)?;
    let raised = now.checked_sub(picture.now.since(alert.raised)).ok()?;
    Some(day(raised, &picture.household))
}

fn day(at: Timestamp, household: &Household) -> Date {
    at.to_zoned(household.timezone.clone()).date()
}

/// Looks until stopped, and tells the core.
pub async fn run(
    core: watch::Receiver<View>,
    clocks: Clocks,
    messages: mpsc::Sender<Message>,
    stop: CancellationToken,
) {
    let mut told = Told::default();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        let Some(now) = clocks.trusted() else { continue };
        let events = {
            let view = core.borrow();
            let Some(picture) = &view.picture else { continue };
            let home = &picture.household;
            told.look(day(now, home), home.modem.contract_ends, open(&view, picture, now))
        };
        for event in events {
            if messages.send(Message::Box(event)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: Date = Date::constant(2027, 3, 31);

    fn told(events: Vec<BoxEvent>) -> Vec<String> {
        let line = |event: BoxEvent| match event {
            BoxEvent::Fault { part, active, .. } => {
                format!("{}{}", if active { "+" } else { "-" }, &part["sim-contract:".len()..])
            }
            other => panic!("{other:?}"),
        };
        events.into_iter().map(line).collect()
    }

    /// What is told each day from one to another, without the days that tell nothing.
    fn days(of: &mut Told, from: Date, to: Date) -> Vec<String> {
        from.series(1.day())
            .take_while(|day| *day <= to)
            .flat_map(|day| told(of.look(day, Some(ENDS), None)).into_iter().map(move |t| (day, t)))
            .map(|(day, told)| format!("{day} {told}"))
            .collect()
    }

    #[test]
    fn each_stage_is_told_once() {
        let found =
            days(&mut Told::default(), Date::constant(2027, 1, 1), Date::constant(2027, 6, 1));
        let expected = [
            "2027-03-03 +28-days",
            "2027-03-24 -28-days",
            "2027-03-24 +7-days",
            "2027-04-01 -7-days",
            "2027-04-01 +over",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_new_contract_ends_it() {
        let mut of = Told::default();
        let day = Date::constant(2027, 4, 5);
        assert_eq!(told(of.look(day, Some(ENDS), None)), ["+over"]);
        let renewed = Date::constant(2028, 3, 31);
        assert_eq!(told(of.look(day, Some(renewed), Some(day))), ["-over"]);
        assert_eq!(told(of.look(day, None, None)), Vec::<String>::new());
    }

    #[test]
    fn a_start_tells_nothing_again_and_nothing_too_little() {
        let look =
            |day: Date, open: Option<Date>| told(Told::default().look(day, Some(ENDS), open));
        let (early, late) = (Date::constant(2027, 3, 5), Date::constant(2027, 3, 25));
        assert_eq!(look(early, Some(early)), Vec::<String>::new(), "it stands open");
        assert_eq!(look(late, Some(early)), ["-28-days", "+7-days"], "the box was off on that day");
        assert_eq!(look(late, None), ["+7-days"]);
        // The date was set anew while the box was off.
        let renewed =
            told(Told::default().look(late, Some(Date::constant(2028, 3, 31)), Some(early)));
        assert_eq!(renewed, ["-28-days"]);
        assert_eq!(told(Told::default().look(late, None, None)), Vec::<String>::new());
    }

    #[test]
    fn the_last_day_is_still_covered() {
        assert_eq!(Stage::on(ENDS, ENDS), Some(Stage::Days));
        assert_eq!(Stage::on(ENDS.tomorrow().unwrap(), ENDS), Some(Stage::Over));
        assert_eq!(Stage::on(Date::MIN, ENDS), None);
        assert_eq!(
            Stage::on(Date::MAX, Date::MAX),
            Some(Stage::Over),
            "no day after the last of all"
        );
    }
}
