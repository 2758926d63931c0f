//! Counts anew what the journal holds, in small steps while nobody waits. After a stop that was not
//! clean the count on the disk may be too high: removals reach the disk before the count that goes
//! with them. Each such stop would add to that, and in the end retention would spare nothing. It
//! must never hold up an entry.

use crate::engine::{Engine, EngineError, Op};
use crate::retention::payload_bytes;
use crate::types::Lane;

/// Most entries read in one step, so that an alarm never waits long behind it.
pub(crate) const STEP: usize = 512;

/// Says in the engine that a count was not finished.
const MARK: &str = "recount";

/// A count under way. Nothing may be removed meanwhile.
pub(crate) struct Recount {
    lanes: std::slice::Iter<'static, Lane>,
    lane: Option<(Lane, u64)>,
    /// The last number that is counted; what comes later is added by who appends it.
    to: u64,
    counted: [u64; 2],
    /// What was believed when it began.
    believed: [u64; 2],
}

impl Recount {
    /// Of the entries up to number `to`.
    pub fn new(to: u64, believed: [u64; 2]) -> Self {
        let mut lanes = Lane::ALL.iter();
        let lane = lanes.next().map(|lane| (*lane, 0));
        Self { lanes, lane, to, counted: [0; 2], believed }
    }

    /// One step. Gives the corrected count of what is held by now once it is finished.
    ///
    /// # Errors
    /// When the engine can not be read; the count is then given up.
    pub fn step(
        &mut self,
        engine: &dyn Engine,
        now: [u64; 2],
    ) -> Result<Option<[u64; 2]>, EngineError> {
        let Some((lane, from)) = self.lane else {
            let news = |lane: usize| now[lane].saturating_sub(self.believed[lane]);
            return Ok(Some([self.counted[0] + news(0), self.counted[1] + news(1)]));
        };
        let (mut read, mut reached) = (0, from);
        let counted = &mut self.counted[lane.index()];
        engine.range(lane, from, self.to, &mut |seq, value| {
            *counted += value.len() as u64;
            reached = seq;
            read += 1;
            read < STEP
        })?;
        self.lane = match read < STEP {
            true => self.lanes.next().map(|lane| (*lane, 0)),
            false => Some((lane, reached + 1)),
        };
        Ok(None)
    }
}

/// Whether an earlier count was not finished.
///
/// # Errors
/// When the engine can not be read.
pub(crate) fn is_due(engine: &dyn Engine) -> Result<bool, EngineError> {
    Ok(engine.meta(MARK)?.is_some_and(|mark| !mark.is_empty()))
}

/// Notes that a count is due; on the disk with the next barrier.
///
/// # Errors
/// When the engine can not be written.
pub(crate) fn begin(engine: &dyn Engine) -> Result<(), EngineError> {
    engine.apply(&[Op::Meta(MARK, b"1")])
}

/// Notes what was counted; on the disk with the next barrier.
///
/// # Errors
/// When the engine can not be written.
pub(crate) fn finish(engine: &dyn Engine, payload: [u64; 2]) -> Result<(), EngineError> {
    let payload = payload_bytes(payload);
    engine.apply(&[Op::Meta("payload", &payload), Op::Meta(MARK, b"")])
}
