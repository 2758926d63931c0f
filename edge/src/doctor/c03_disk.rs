//! The disk below the data folder: there, writable, with room for the journal, and not worn out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Case, Finding, ok, problem};

/// What should stay free beside the journal, in bytes.
const SPARE: u64 = 64 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let looked = tokio::task::spawn_blocking(move || look(&case)).await;
    looked.unwrap_or_else(|_| vec![problem("", "it could not be looked at", "see the log")])
}

fn look(case: &Case) -> Vec<Finding> {
    let data = &case.data;
    let Some(folder) = existing(data) else {
        let what = format!("{} can not be found", data.display());
        return vec![problem("", what, "mount the disk")];
    };
    let mut found = Vec::new();
    let access = rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK);
    let at = folder.display();
    match access {
        Ok(()) if folder == *data => found.push(ok("", format!("{at} can be written"))),
        Ok(()) => {
            let missing = data.display();
            found.push(ok("", format!("{missing} is not there yet; the daemon makes it")));
        }
        Err(rustix::io::Errno::ROFS) => found.push(problem(
            "",
            format!("{at} is mounted read-only, as a failing card is"),
            "save the data folder, then replace the card or disk",
        )),
        Err(error) => found.push(problem(
            "",
            format!("{at} can not be written: {error}"),
            "run this as the daemon's user (`sudo -u anju anju doctor`), or give it the folder",
        )),
    }
    found.push(room(case, &folder));
    found
}

fn room(case: &Case, folder: &Path) -> Finding {
    let stat = match rustix::fs::statvfs(folder) {
        Ok(stat) => stat,
        Err(error) => {
            let what = format!("free room can not be told: {error}");
            return problem("", what, "see the log of the disk with `dmesg`");
        }
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let most = case.household.as_ref().map_or(512 * MIB, |home| home.journal.max_bytes);
    let used = size_of(&case.data);
    let needed = most.saturating_sub(used) + SPARE;
    let told = format!(
        "{} MiB free; the journal has {} MiB and may grow to {} MiB",
        free / MIB,
        used / MIB,
        most / MIB
    );
    if free < needed {
        return problem("", told, "free some room, or set a smaller [journal] max_bytes");
    }
    if stat.f_files > 0 && stat.f_favail < 100 {
        return problem("", "no file can be made any more", "remove files; there are too many");
    }
    ok("", told)
}

/// The folder, or the nearest one above it that is there.
fn existing(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned)
}

/// Bytes in the files of a folder and the folders in it.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().take(10_000).map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
