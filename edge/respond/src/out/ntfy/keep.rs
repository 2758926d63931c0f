//! Keeps the ledger on disk, for its owner only. Written behind: no message ever waits for it, and
//! a disk that can not be written costs only the buttons' life over a restart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;

/// Largest file that is read, in bytes: 2000 tokens take less than half of it.
const MOST_BYTES: u64 = 1024 * 1024;
/// When writing is tried again after it failed.
const AGAIN: Duration = Duration::from_secs(30);

/// The ledger with its file.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    ledger: Mutex<Ledger>,
    changed: Notify,
    began: Instant,
}

impl Keeper {
    /// Reads the file, or begins anew.
    pub(super) fn open(path: PathBuf) -> Self {
        let ledger = match read(&path) {
            Ok(bytes) => Ledger::load(&bytes).unwrap_or_else(|| {
                tracing::warn!("the file of answers that are out is broken; begun anew");
                Ledger::new()
            }),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the file of answers that are out can not be read");
                }
                Ledger::new()
            }
        };
        let keeper = Self {
            path,
            ledger: Mutex::new(ledger),
            changed: Notify::new(),
            began: Instant::now(),
        };
        keeper.changed.notify_one();
        keeper
    }

    /// Time since it was opened, for the ledger.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Looks something up.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes something; it is written soon.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let done = change(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
        done
    }

    async fn write(self: &Arc<Self>) -> io::Result<()> {
        let bytes = self.look(Ledger::save);
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || write_whole(&path, &bytes)).await?
    }
}

/// Writes whatever changed until it is told to stop, and once more then.
pub(super) async fn run(keeper: Arc<Keeper>, stop: CancellationToken) {
    let mut failed = false;
    loop {
        let pause = if failed { AGAIN } else { Duration::from_secs(24 * 3600) };
        tokio::select! {
            () = keeper.changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => break,
        }
        let written = keeper.write().await;
        if let (Err(error), false) = (&written, failed) {
            tracing::warn!(%error, "answers that are out can not be kept over a restart");
        }
        failed = written.is_err();
    }
    if keeper.write().await.is_err() {
        tracing::warn!("answers that are out could not be kept for the next start");
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MOST_BYTES {
        return Err(io::Error::other("the file is far too long"));
    }
    fs::read(path)
}

/// Replaces a file as a whole: whoever reads it finds the old or the new one.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
