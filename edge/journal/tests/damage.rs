//! Bytes are broken on purpose: the journal opens or is set aside, what it still gives is true, and
//! new entries are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anju_journal::{Journal, Lane, Settings, Urgency};
use common::{Chance, body, rounds, verify};

fn settings() -> Settings {
    Settings {
        min_free_bytes: 0,
        retry_every: Duration::from_millis(20),
        open_within: Duration::from_secs(20),
        ..Settings::default()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Flips, zeroes or cuts; says what.
fn damage(dir: &Path, chance: &mut Chance) -> String {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let db = dir.join("db");
    let path = match chance.below(5) {
        0 => files[chance.below(files.len() as u64) as usize].clone(),
        _ => db,
    };
    let mut bytes = fs::read(&path).unwrap();
    let len = bytes.len() as u64;
    let at = chance.below(len) as usize;
    let what = match chance.below(4) {
        0 => {
            let end = (at + 1 + chance.below(4096) as usize).min(bytes.len());
            bytes[at..end].fill(0);
            "zeroed from"
        }
        1 => {
            bytes.truncate(at);
            "cut at"
        }
        _ => {
            for _ in 0..=chance.below(40) {
                let at = chance.below(len) as usize;
                bytes[at] ^= 1 << chance.below(8);
            }
            "bits flipped, the first near"
        }
    };
    fs::write(&path, bytes).unwrap();
    format!("{}: {what} {at} of {len}", path.file_name().unwrap().to_string_lossy())
}

#[tokio::test]
async fn broken_bytes_never_stop_the_journal() {
    let mut chance = Chance::new("damage");
    let sound = tempfile::tempdir().unwrap();
    let unclean = tempfile::tempdir().unwrap();
    let (journal, _, _) = Journal::open(sound.path(), settings()).unwrap();
    for index in 0..3000 {
        let lane = if index % 10 == 0 { Lane::Alerts } else { Lane::Events };
        journal.append(lane, Urgency::Lazy, body);
    }
    journal.append(Lane::Alerts, Urgency::Now, body).receipt.durable().await.unwrap();
    copy(sound.path(), unclean.path());
    assert!(journal.close(Duration::from_secs(10)));
    let (mut aside, mut kept) = (0, 0);
    let count = rounds(24);
    for round in 0..count {
        let dir = tempfile::tempdir().unwrap();
        copy(if round % 2 == 0 { sound.path() } else { unclean.path() }, dir.path());
        let what = damage(&dir.path().join("journal"), &mut chance);
        let (journal, opened, mut notices) = Journal::open(dir.path(), settings()).unwrap();
        assert!(opened.recording.is_active(), "{what}: {opened:?}");
        match &opened.set_aside {
            Some(moved) => {
                aside += 1;
                assert!(moved.path.join("db").exists(), "{what}");
                assert!(opened.epoch > 1, "{what}");
            }
            None => {
                let records = journal.read_merged(0, 10_000);
                verify(&records);
                kept += records.len();
            }
        }
        // New entries are kept, if need be after the journal found out that it is broken.
        let appended: Vec<_> =
            (0..300).map(|_| journal.append(Lane::Alerts, Urgency::Now, body)).collect();
        let last = &appended[299];
        let wait = async {
            while last.receipt.durable().await.is_err() {
                notices.recv().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect(&what);
        let records = journal.recent(300, 0).collect::<Vec<_>>();
        verify(&records);
        assert_eq!(records.len(), 300, "{what}");
        assert_eq!(records[299].number, last.number, "{what}");
        assert!(journal.close(Duration::from_secs(20)), "{what}");
    }
    println!("damage: {count} rounds, {aside} set aside, {kept} entries read and all true");
}
