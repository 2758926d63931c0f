//! The newest entries of both lanes, oldest first, read in small chunks: what a start looks back
//! over must never stand in memory all at once.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::batcher::guarded;
use crate::shared::Shared;
use crate::types::{Lane, Number, Record};

/// Entries of a lane read at once.
const CHUNK: usize = 64;

/// Gives recorded entries in the order of their numbers. Blocking; durable ones only.
pub struct Recent {
    shared: Arc<Shared>,
    /// The last number that was durable at the beginning.
    to: u64,
    lanes: [Ahead; 2],
}

/// How far one lane was read.
struct Ahead {
    lane: Lane,
    /// The next number to read; `None` when all is read.
    from: Option<u64>,
    records: VecDeque<Record>,
}

impl Recent {
    pub(crate) fn new(shared: Arc<Shared>, alerts: usize, events: usize) -> Self {
        let to = shared.progress.borrow().durable;
        let lanes = [(Lane::Alerts, alerts), (Lane::Events, events)].map(|(lane, most)| Ahead {
            lane,
            from: first_of(&shared, lane, to, most),
            records: VecDeque::new(),
        });
        Self { shared, to, lanes }
    }

    /// The number of the next entry of a lane.
    pub fn next_of(&mut self, lane: Lane) -> Option<Number> {
        let ahead = &mut self.lanes[lane.index()];
        ahead.peek(&self.shared, self.to)?;
        ahead.records.front().map(|record| record.number)
    }
}

/// The number of the `most`-th newest entry of a lane, or of its oldest.
fn first_of(shared: &Shared, lane: Lane, to: u64, most: usize) -> Option<u64> {
    let engine = shared.current_engine()?;
    let (mut first, mut seen) = (None, 0);
    if most == 0 {
        return None;
    }
    let looked = guarded(|| {
        engine.range_back(lane, to, &mut |seq, _| {
            first = Some(seq);
            seen += 1;
            seen < most
        })
    });
    if let Err(error) = looked {
        tracing::warn!(%error, %lane, "the journal could not be read");
    }
    first
}

impl Ahead {
    /// The number of its next entry.
    fn peek(&mut self, shared: &Shared, to: u64) -> Option<u64> {
        while let (true, Some(from)) = (self.records.is_empty(), self.from) {
            let chunk = shared.read(self.lane, from, to, CHUNK);
            if let Some(error) = &chunk.failed {
                // One lane that can not be read must not hide the other.
                tracing::warn!(%error, lane = %self.lane, "the journal could not be read");
            }
            let ended = chunk.failed.is_some() || chunk.reached >= to;
            self.from = (!ended).then(|| chunk.reached + 1);
            self.records.extend(chunk.records);
        }
        self.records.front().map(|record| record.number.seq)
    }
}

impl Iterator for Recent {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let [alerts, events] = &mut self.lanes;
        let next = match (alerts.peek(&self.shared, self.to), events.peek(&self.shared, self.to)) {
            (Some(alert), Some(event)) if event < alert => events,
            (Some(_), _) => alerts,
            (None, _) => events,
        };
        next.records.pop_front()
    }
}
