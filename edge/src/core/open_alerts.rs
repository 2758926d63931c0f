//! The entries of the alerts that are still open, as one small file beside the journal. The
//! journal's engine opens only where it may write; a card that has become read-only must not make
//! the box forget for whom it was seeking help, nor must a card that lost it. The file is read at
//! such starts only: what counts is the journal. It must never be waited for, and never be taken for
//! something recorded.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anju_journal::{Journal, Lane, Number, Record};
use anju_model::{AlertChange, AlertId, AlertStep, entry};
use tokio::sync::watch;

/// The file in the data folder: an entry's JSON a line.
const FILE: &str = "open-alerts.jsonl";

/// Entries kept of one alert besides its first. Who presses a hundred times is sought help for
/// once.
const NEWEST: usize = 128;

/// The card is written at most this often.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// Follows the alerts. The file is written by a task of its own.
#[derive(Debug)]
pub struct OpenAlerts {
    open: BTreeMap<AlertId, Kept>,
    file: watch::Sender<Vec<u8>>,
}

#[derive(Debug)]
struct Kept {
    first: Vec<u8>,
    newest: VecDeque<Vec<u8>>,
}

impl OpenAlerts {
    /// Begins to keep the file in `data`; inside a tokio runtime.
    pub fn start(data: &Path) -> Self {
        let (file, changes) = watch::channel(Vec::new());
        tokio::spawn(keep(data.to_owned(), changes));
        Self { open: BTreeMap::new(), file }
    }

    /// Takes a change of an alert, with the bytes of its entry.
    pub fn note(&mut self, change: &AlertChange, bytes: &[u8]) {
        let id = &change.subject.alert;
        match &change.step {
            AlertStep::Closed { .. } => {
                self.open.remove(id);
            }
            AlertStep::FollowedUp { .. } => return,
            _ => match self.open.get_mut(id) {
                Some(kept) => {
                    if kept.newest.len() == NEWEST {
                        kept.newest.pop_front();
                    }
                    kept.newest.push_back(bytes.to_owned());
                }
                None => {
                    let kept = Kept { first: bytes.to_owned(), newest: VecDeque::new() };
                    self.open.insert(id.clone(), kept);
                }
            },
        }
        // A repeat changes nothing that a start would do, unless help is sought anew.
        if !matches!(
            change.step,
            AlertStep::Repeated { anew: false, .. } | AlertStep::Announced { .. }
        ) {
            self.file.send_replace(self.lines());
        }
    }

    fn lines(&self) -> Vec<u8> {
        let entries =
            self.open.values().flat_map(|kept| [&kept.first].into_iter().chain(&kept.newest));
        let mut lines = Vec::new();
        for entry in entries {
            lines.extend_from_slice(entry);
            lines.push(b'\n');
        }
        lines
    }
}

/// Writes the file whenever it changed, until nobody changes it any more.
async fn keep(data: PathBuf, mut changes: watch::Receiver<Vec<u8>>) {
    while changes.changed().await.is_ok() {
        let lines = changes.borrow_and_update().clone();
        let data = data.clone();
        let written = tokio::task::spawn_blocking(move || {
            anju_journal::replace_file(&data, FILE, None, &lines)
        });
        // A disk that takes no writes is told by the journal.
        if let Ok(Err(error)) = written.await {
            tracing::debug!(%error, "the open alerts can not be kept beside the journal");
        }
        tokio::time::sleep(WRITTEN_EVERY).await;
    }
}

/// What the file holds and the journal does not, oldest first; what can not be read is left out.
/// Blocking.
pub fn missing(data: &Path, journal: &Journal) -> Vec<Record> {
    let lines = std::fs::read(data.join(FILE)).unwrap_or_default();
    let records = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let id = entry::decode(line).ok()?.id;
        let number = Number { epoch: id.epoch, seq: id.seq };
        Some(Record { number, lane: Lane::Alerts, body: line.to_vec().into() })
    });
    let held = |record: &Record| {
        let there = journal.read_merged(record.number.seq, 1);
        there.first().is_some_and(|there| there.number == record.number)
    };
    let mut records: Vec<Record> = records.filter(|record| !held(record)).collect();
    records.sort_by_key(|record| record.number);
    records
}
