//! The entries of the alerts that are still open, as one small file beside the journal. The
//! journal's engine opens only where it may write; a card that has become read-only must not make
//! the box forget for whom it was seeking help, nor must a card that lost it, nor a device that fills
//! the journal while somebody is on the way. Of what the journal holds, the journal counts. The file
//! must never be waited for, and never be taken for something recorded.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anju_journal::{Journal, Lane, Number, Record};
use anju_model::{AlertChange, AlertId, AlertStep, entry};
use tokio::sync::watch;

use super::recall::{ALERT_ENTRIES, EVENT_ENTRIES};

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

/// The entries that a start looks back over, in the order of their numbers: the newest of the journal
/// and, of the file, what is older than those. If the journal is not `whole`, all that it does not hold
/// of the file comes too. Blocking.
pub fn recalled(data: &Path, journal: &Journal, whole: bool) -> impl Iterator<Item = Record> {
    let mut recorded = journal.recent(ALERT_ENTRIES, EVENT_ENTRIES);
    let first = recorded.next_of(Lane::Alerts);
    let held = |record: &Record| {
        let there = journal.read_merged(record.number.seq, 1);
        there.first().is_some_and(|there| there.number == record.number)
    };
    let mut kept = kept(data);
    kept.retain(|record| {
        first.is_some_and(|first| record.number < first) || (!whole && !held(record))
    });
    kept.sort_by_key(|record| record.number);
    let (mut kept, mut recorded) = (kept.into_iter().peekable(), recorded.peekable());
    std::iter::from_fn(move || match (kept.peek(), recorded.peek()) {
        (Some(older), Some(record)) if older.number >= record.number => recorded.next(),
        (Some(_), _) => kept.next(),
        (None, _) => recorded.next(),
    })
}

/// What the file holds; what can not be read is left out.
fn kept(data: &Path) -> Vec<Record> {
    let lines = std::fs::read(data.join(FILE)).unwrap_or_default();
    let records = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let id = entry::decode(line).ok()?.id;
        let number = Number { epoch: id.epoch, seq: id.seq };
        Some(Record { number, lane: Lane::Alerts, body: line.to_vec().into() })
    });
    records.collect()
}

#[cfg(test)]
mod tests {
    use anju_journal::{Settings, Urgency};

    use super::*;

    fn body(number: Number) -> String {
        format!(
            r#"{{"id":"hz/{}/{}","type":"cn.anju.observation.motion",
            "time":"2026-11-23T21:04:05.123+08:00","data":{{"epoch":{0},"seq":{1},"boot":"b","mono_ms":1,
            "clock":"unknown","device":"m","kind":"motion","moving":true}}}}"#,
            number.epoch, number.seq
        )
        .replace('\n', "")
    }

    async fn recorded(dir: &Path, entries: usize) -> (Journal, Vec<Number>) {
        let (journal, ..) = Journal::open(dir, Settings::default()).unwrap();
        let append = |_| journal.append(Lane::Alerts, Urgency::Lazy, body).number;
        let numbers = (0..entries).map(append).collect();
        let last = journal.append(Lane::Events, Urgency::Now, body);
        tokio::time::timeout(Duration::from_secs(30), last.receipt.durable())
            .await
            .unwrap()
            .unwrap();
        (journal, numbers)
    }

    fn keep_lines(dir: &Path, numbers: &[Number]) {
        let lines: Vec<String> = numbers.iter().map(|number| body(*number)).collect();
        std::fs::write(dir.join(FILE), lines.join("\n")).unwrap();
    }

    /// Somebody accepted, and meanwhile another device told thousands of times that it is not well.
    #[tokio::test]
    async fn what_thousands_of_entries_push_out_is_still_known() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, numbers) = recorded(dir.path(), ALERT_ENTRIES + 1_000).await;
        let after = Number { seq: numbers[0].seq + 1_000_000, ..numbers[0] };
        keep_lines(dir.path(), &[numbers[1], numbers[0], numbers[4_000], after]);
        let recalled: Vec<_> = recalled(dir.path(), &journal, true)
            .filter(|record| record.lane == Lane::Alerts)
            .map(|record| record.number)
            .collect();
        let newest = numbers[1_000..].iter();
        let expected: Vec<_> = numbers[..2].iter().chain(newest).copied().collect();
        assert!(recalled == expected, "{:?} of {}", &recalled[..4], recalled.len());
        assert!(journal.close(Duration::from_secs(10)));
    }

    #[tokio::test]
    async fn what_a_journal_lost_comes_from_the_file_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, numbers) = recorded(dir.path(), 2).await;
        let lost = Number { epoch: 0, seq: 900 };
        let after = Number { seq: 1_000, ..numbers[0] };
        keep_lines(dir.path(), &[after, numbers[0], lost]);
        let all = |whole| -> Vec<_> {
            recalled(dir.path(), &journal, whole).map(|record| record.number.seq).collect()
        };
        assert_eq!(all(false), [900, 1, 2, 3, 1_000]);
        assert_eq!(all(true), [900, 1, 2, 3]);
        assert!(journal.close(Duration::from_secs(10)));
    }
}
