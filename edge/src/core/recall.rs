//! Rebuilds what was known before the start from recorded entries. Nothing is raised or sent here.

use anju_guard::Guard;
use anju_journal::Record;
use anju_model::{Body, Clock, Timeline, entry};
use anju_respond::life::Book;
use anju_respond::life::proof::Prover;
use jiff::Timestamp;

use super::board::Board;
use super::carried_out::CarriedOut;
use super::recorder::Recorder;
use crate::acceptance::Acceptance;

/// How many alert entries are read back: far more than the open alerts of any home have.
pub const ALERT_ENTRIES: usize = 5_000;

/// How many other entries are read back: some days of a home.
pub const EVENT_ENTRIES: usize = 10_000;

#[allow(clippy::too_many_arguments, reason = "each part takes back what is its own")]
/// Gives recorded entries, oldest first, to the guard, the book, the board and the acceptance.
/// Returns the newest time by a clock that was known.
pub fn recall(
    records: impl Iterator<Item = Record>,
    line: &mut Timeline,
    guard: &mut Guard,
    book: &mut Book,
    board: &mut Board,
    acceptance: &mut Acceptance,
    prover: &mut Prover,
    recorder: &mut Recorder,
    carried_out: &mut CarriedOut,
) -> Option<Timestamp> {
    let (mut unreadable, mut newest) = (0u64, None);
    for record in records {
        let Ok(entry) = entry::decode(&record.body) else {
            unreadable += 1;
            continue;
        };
        if entry.stamp.clock != Clock::Unknown {
            newest = newest.max(Some(entry.stamp.wall));
        }
        let at = line.place(&entry.stamp);
        if let Some(outage) = line.caught_up() {
            book.catch_up(outage);
        }
        guard.recall(&entry);
        board.recall(&entry, at);
        match &entry.body {
            Body::Alert(change) => {
                book.recall(at, change);
                recorder.recall(change, &record.body);
            }
            Body::Box(event) => {
                acceptance.recall(event, at);
                prover.recall(at, &entry, event);
                carried_out.recall(event);
            }
            Body::Delivery(delivery) => book.recall_delivery(delivery),
            _ => {}
        }
    }
    if unreadable > 0 {
        tracing::warn!(unreadable, "recorded entries could not be read back");
    }
    newest
}
