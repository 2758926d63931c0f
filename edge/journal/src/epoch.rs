//! The epoch, kept outside the engine, and the mark of a clean stop.
//!
//! `DIR/epoch` and the generation before it, `DIR/epoch.old`, are one line each:
//! `anju-epoch 1 <epoch> <crc>`. `DIR/clean` is `anju-clean 1 <epoch> <next seq> <crc>`; it is
//! written after the last flush of a clean stop and removed, durably, before the first append.
//!
//! The rule, without a wall clock: an epoch on the disk is odd and a raise goes up by two. The even
//! one between is *borrowed* when the epoch cannot be written (read-only or full disk): whatever is
//! written later is above it. Only within a borrowed epoch, where nothing can be remembered from one
//! start to the next, the wall clock chooses where `seq` begins.
//! If either generation is unreadable the raise is [`LEAP`] above everything found, so that raises
//! of which no trace is left cannot be repeated; with no trace at all it starts from 2^32 for
//! each journal that was ever set aside.

use std::io;
use std::path::Path;

use crate::files;

/// How far a raise goes when a generation of the epoch file is unreadable.
const LEAP: u64 = 1 << 20;
const FILE: &str = "epoch";
const OLD: &str = "epoch.old";
const CLEAN: &str = "clean";

/// What the files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The highest epoch found.
    pub epoch: Option<u64>,
    /// A generation is there but unreadable, or the newer one is missing.
    pub damaged: bool,
    /// The clean mark: epoch and next seq.
    pub clean: Option<(u64, u64)>,
}

pub(crate) fn load(dir: &Path) -> io::Result<Stored> {
    let new = generation(dir, FILE)?;
    let old = generation(dir, OLD)?;
    let epoch = new.flatten().max(old.flatten());
    // Missing `epoch` beside an `epoch.old` is a rename cut short: the new one was never used.
    let damaged = matches!(new, Some(None)) || matches!(old, Some(None));
    let clean = files::read(dir, CLEAN)?.as_deref().and_then(parse_clean);
    Ok(Stored { epoch, damaged, clean })
}

/// `None`: no such file; `Some(None)`: unreadable.
fn generation(dir: &Path, name: &str) -> io::Result<Option<Option<u64>>> {
    Ok(files::read(dir, name)?.map(|bytes| {
        files::unseal(&bytes)?.strip_prefix("anju-epoch 1 ")?.parse().ok().filter(|e| *e > 0)
    }))
}

fn parse_clean(bytes: &[u8]) -> Option<(u64, u64)> {
    let (epoch, next) = files::unseal(bytes)?.strip_prefix("anju-clean 1 ")?.split_once(' ')?;
    Some((epoch.parse().ok()?, next.parse().ok()?))
}

/// The next epoch that may be written. `seen` is the highest in the journal's last records;
/// `journals` counts journals present and set aside.
pub(crate) fn raise(stored: &Stored, seen: Option<u64>, journals: u64) -> u64 {
    let known = stored.epoch.max(seen);
    let base = match known {
        Some(known) if stored.damaged || stored.epoch.is_none() => known.saturating_add(LEAP),
        Some(known) => known,
        None if stored.damaged || journals > 0 => (journals.max(1)) << 32,
        None => return 1,
    };
    (base.saturating_add(1)) | 1
}

/// The epoch for a start that cannot write: just below what the next start that can would take.
pub(crate) fn borrow(next: u64) -> u64 {
    next.saturating_sub(1)
}

pub(crate) fn store(dir: &Path, epoch: u64) -> io::Result<()> {
    files::replace(dir, FILE, Some(OLD), &files::seal(&format!("anju-epoch 1 {epoch}")))
}

pub(crate) fn mark_clean(dir: &Path, epoch: u64, next: u64) -> io::Result<()> {
    files::replace(dir, CLEAN, None, &files::seal(&format!("anju-clean 1 {epoch} {next}")))
}

pub(crate) fn unmark_clean(dir: &Path) -> io::Result<()> {
    files::remove(dir, CLEAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(epoch: Option<u64>, damaged: bool) -> Stored {
        Stored { epoch, damaged, clean: None }
    }

    #[test]
    fn a_raise_is_odd_and_above_what_was_borrowed() {
        assert_eq!(raise(&stored(None, false), None, 0), 1);
        for known in 1..50 {
            let next = raise(&stored(Some(known), false), Some(known), 1);
            assert!(next > known && next % 2 == 1, "{known} -> {next}");
            assert!(borrow(next) >= known && borrow(next) < next);
        }
    }

    #[test]
    fn unreadable_generations_leap() {
        assert!(raise(&stored(Some(3), true), Some(3), 1) > 3 + LEAP);
        assert!(raise(&stored(None, true), Some(9), 1) > 9 + LEAP);
        assert!(raise(&stored(None, true), None, 1) > 1 << 32);
        assert!(raise(&stored(None, true), None, 2) > raise(&stored(None, true), None, 1));
    }

    #[test]
    fn files_come_back_and_one_torn_generation_is_survived() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let dir = dir.path();
        assert_eq!(load(dir)?, stored(None, false));
        store(dir, 1)?;
        store(dir, 3)?;
        mark_clean(dir, 3, 17)?;
        assert_eq!(load(dir)?, Stored { epoch: Some(3), damaged: false, clean: Some((3, 17)) });
        unmark_clean(dir)?;
        std::fs::write(dir.join(FILE), b"anju-epoch 1 9")?;
        assert_eq!(load(dir)?, stored(Some(1), true));
        assert!(raise(&load(dir)?, None, 1) > 3);
        std::fs::write(dir.join(OLD), b"")?;
        assert_eq!(load(dir)?, stored(None, true));
        Ok(())
    }
}
