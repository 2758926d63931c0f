//! What the killed processes said, and whether the journal keeps its word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anju_journal::{FollowWhen, Journal, Lane, Number, Record};

use crate::child::{WINDOW, settings};
use crate::common::verify;

#[derive(Default)]
pub struct Ledger {
    /// Numbers called durable.
    kept: BTreeMap<Number, Lane>,
    /// Numbers that a follower was given.
    given: BTreeSet<(Lane, Number)>,
    /// The last one given in this round.
    last: BTreeMap<Lane, Number>,
    repeated: BTreeMap<Lane, usize>,
    most_repeated: usize,
    epoch: u64,
    gaps: u64,
    /// Acknowledged entries that retention removed since.
    removed: usize,
    /// Forced cursors may be a second old.
    pub power_fails: bool,
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} entries acknowledged and all there but {} that retention removed, {} given, \
             at most {} given again, {} gaps told",
            self.kept.len(),
            self.removed,
            self.given.len(),
            self.most_repeated,
            self.gaps
        )
    }
}

impl Ledger {
    pub fn acknowledged(&self) -> u64 {
        self.kept.len() as u64
    }

    pub fn begin_round(&mut self) {
        self.last.clear();
        self.repeated.clear();
    }

    pub fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let lane = |word: &str| *Lane::ALL.iter().find(|lane| lane.name() == word).unwrap();
        let number = |epoch: &str, seq: &str| Number {
            epoch: epoch.parse().unwrap(),
            seq: seq.parse().unwrap(),
        };
        match words[..] {
            ["opened", epoch, _] => {
                let epoch = epoch.parse().unwrap();
                assert!(epoch >= self.epoch, "epoch {epoch} after {}", self.epoch);
                self.epoch = epoch;
            }
            ["kept", lane_name, epoch, seq] => {
                let number = number(epoch, seq);
                let old = self.kept.insert(number, lane(lane_name));
                assert!(old.is_none(), "{number} was given twice");
            }
            ["got", lane_name, epoch, seq] => {
                let (lane, number) = (lane(lane_name), number(epoch, seq));
                let last = self.last.insert(lane, number);
                assert!(last.is_none_or(|last| last < number), "{number} after {last:?}");
                if !self.given.insert((lane, number)) {
                    let repeated = self.repeated.entry(lane).or_default();
                    *repeated += 1;
                    // A cursor survives a kill at once, a power cut only when it was forced.
                    let bound = if self.power_fails { usize::MAX } else { WINDOW };
                    assert!(*repeated <= bound, "{repeated} entries of {lane} given again");
                    self.most_repeated = self.most_repeated.max(*repeated);
                }
            }
            ["gap", ..] => self.gaps += 1,
            _ => panic!("a line cut short: {line:?}"),
        }
    }

    fn open(&mut self, dir: &Path, budget: u64) -> Journal {
        let (journal, opened, _) = Journal::open(dir, settings(budget)).unwrap();
        assert!(opened.set_aside.is_none(), "{opened:?}");
        assert!(opened.recording.is_active(), "{opened:?}");
        assert!(opened.epoch > self.epoch || opened.clean, "{opened:?}");
        self.epoch = self.epoch.max(opened.epoch);
        journal
    }

    /// Everything acknowledged is there, or older than what retention left in its lane.
    pub fn verify(&mut self, dir: &Path, budget: u64) {
        let journal = self.open(dir, budget);
        let records = all(&journal);
        verify(&records);
        let numbers: BTreeSet<(Lane, Number)> =
            records.iter().map(|record| (record.lane, record.number)).collect();
        let mut removed = 0;
        for lane in Lane::ALL {
            let first = records.iter().find(|record| record.lane == lane).map(|r| r.number);
            for (number, _) in self.kept.iter().filter(|(_, own)| **own == lane) {
                if first.is_none_or(|first| *number < first) {
                    removed += 1;
                } else {
                    assert!(numbers.contains(&(lane, *number)), "{lane} {number} is lost");
                }
            }
        }
        // What is really there, not what is believed to be.
        let held: usize = records.iter().map(|record| record.body.len()).sum();
        let soft = settings(budget).soft_payload();
        assert!(removed == 0 || held as u64 > soft / 2, "removed without need: {held} of {soft}");
        self.removed = removed;
        assert_eq!(journal.stats().corrupt, 0);
        assert!(journal.close(Duration::from_secs(10)));
    }

    /// Without retention: every entry in the journal is given to its follower sooner or later.
    pub fn verify_all_delivered(&mut self, dir: &Path, budget: u64) {
        let journal = self.open(dir, budget);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        self.begin_round();
        for lane in Lane::ALL {
            let mut follower = journal.follow("crash", lane, FollowWhen::Durable).unwrap();
            runtime.block_on(async {
                loop {
                    let records =
                        tokio::time::timeout(Duration::from_millis(300), follower.next(64));
                    let Ok(records) = records.await else { break };
                    for Record { number, .. } in records {
                        self.note(&format!("got {lane} {} {}", number.epoch, number.seq));
                    }
                }
            });
        }
        for record in all(&journal) {
            assert!(
                self.given.contains(&(record.lane, record.number)),
                "{} was never given",
                record.number
            );
        }
        assert!(journal.close(Duration::from_secs(10)));
    }
}

fn all(journal: &Journal) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let from = records.last().map_or(0, |record| record.number.seq + 1);
        let more = journal.read_merged(from, 5000);
        if more.is_empty() {
            return records;
        }
        records.extend(more);
    }
}
