//! Keeps the journal within its disk budget, in small steps between batches. It removes what every
//! follower has passed first, and what somebody still needs only at the hard limit: telemetry, then
//! alerts. What was needed is told as a gap.

use std::path::Path;

use crate::engine::{Engine, EngineError, Op, sort_io};
use crate::record;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::types::{Gap, Lane, Notice, Trouble};

/// Most entries removed in one step, so that an alarm never waits long behind it.
pub(crate) const STEP: usize = 128;

/// Refuses to touch the engine when the disk is nearly full.
pub(crate) fn check_space(dir: &Path, settings: &Settings) -> Result<(), EngineError> {
    let existing = dir.ancestors().find(|path| path.exists()).unwrap_or(dir);
    match rustix::fs::statvfs(existing) {
        Ok(space) if space.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) => {
            Err(Trouble::ReadOnly.into())
        }
        Ok(space) if space.f_bavail.saturating_mul(space.f_frsize) < settings.min_free_bytes => {
            Err(Trouble::DiskFull.into())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(sort_io("free space", &error.into()).into()),
    }
}

pub(crate) fn payload_bytes(payload: [u64; 2]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&payload[0].to_le_bytes());
    bytes[8..].copy_from_slice(&payload[1].to_le_bytes());
    bytes
}

/// One step; says how many entries went. Removals become durable with the next batch.
pub(crate) fn step(shared: &Shared, engine: &dyn Engine) -> Result<usize, EngineError> {
    let (mut payload, passed) = {
        let state = shared.lock();
        let of = |lane| {
            let places = state.followers.iter().filter(|(key, _)| key.lane == lane);
            places.map(|(_, place)| place.acknowledged).min().unwrap_or(u64::MAX)
        };
        (state.payload, [of(Lane::Alerts), of(Lane::Events)])
    };
    let (soft, hard) = (shared.settings.soft_payload(), shared.settings.hard_payload());
    if payload[0] + payload[1] <= soft {
        return Ok(0);
    }
    let mut left = STEP;
    for lane in [Lane::Events, Lane::Alerts] {
        let passed = passed[lane.index()];
        left -= remove(shared, engine, lane, passed, soft, left, &mut payload)?.0;
    }
    for lane in [Lane::Events, Lane::Alerts] {
        let removed = remove(shared, engine, lane, u64::MAX, hard, left, &mut payload)?;
        left -= removed.0;
        for gap in removed.1 {
            let _ = shared.notices.send(Notice::Gap(gap));
        }
    }
    shared.lock().payload = payload;
    Ok(STEP - left)
}

/// Removes the oldest entries of a lane up to number `to` until `limit` holds; says how many, and
/// which ranges, one for each epoch.
fn remove(
    shared: &Shared,
    engine: &dyn Engine,
    lane: Lane,
    to: u64,
    limit: u64,
    most: usize,
    payload: &mut [u64; 2],
) -> Result<(usize, Vec<Gap>), EngineError> {
    let mut surplus = (payload[0] + payload[1]).saturating_sub(limit);
    // Entries not yet durable are not in the engine; the newest durable one stays, for its number.
    let newest = shared.progress.borrow().durable.saturating_sub(1);
    if surplus == 0 || most == 0 {
        return Ok((0, Vec::new()));
    }
    let mut doomed = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    engine.range(lane, 0, to.min(newest), &mut |seq, value| {
        let size = value.len() as u64;
        doomed.push((seq, size));
        let epoch = record::decode(value).map_or(0, |(number, _)| number.epoch);
        match gaps.last_mut() {
            Some(gap) if gap.epoch == epoch => gap.to = seq,
            _ => gaps.push(Gap { epoch, lane: Some(lane), from: seq, to: seq }),
        }
        surplus = surplus.saturating_sub(size);
        surplus > 0 && doomed.len() < most
    })?;
    let freed: u64 = doomed.iter().map(|(_, size)| size).sum();
    payload[lane.index()] = payload[lane.index()].saturating_sub(freed);
    let bytes = payload_bytes(*payload);
    let mut ops: Vec<Op<'_>> = doomed.iter().map(|(seq, _)| Op::Remove(lane, *seq)).collect();
    ops.push(Op::Meta("payload", &bytes));
    engine.apply(&ops)?;
    Ok((doomed.len(), gaps))
}
