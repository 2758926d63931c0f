use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::engine::{Fault, MemoryDisk, MemoryOpener, Script, ScriptedOpener};
use crate::*;

fn body(number: Number) -> String {
    format!("entry {number}")
}

/// An engine whose first opening finds it broken by panicking, as sled may.
struct BrokenOnce(AtomicBool);

impl engine::Opener for BrokenOnce {
    fn open(&self, dir: &Path) -> Result<Arc<dyn engine::Engine>, engine::EngineError> {
        assert!(!self.0.swap(false, Ordering::SeqCst), "broken");
        engine::SledOpener.open(dir)
    }
}

fn settings() -> Settings {
    Settings { min_free_bytes: 0, retry_every: Duration::from_millis(10), ..Settings::default() }
}

fn bodies(records: &[Record]) -> Vec<u64> {
    for record in records {
        assert_eq!(record.body, body(record.number).as_bytes());
    }
    records.iter().map(|record| record.number.seq).collect()
}

async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time")
}

#[tokio::test]
async fn what_is_durable_is_there_after_a_clean_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, opened, _) = Journal::open(dir.path(), settings()).unwrap();
    assert!(opened.clean && opened.tail_lost.is_empty());
    let first = journal.append(Lane::Events, Urgency::Lazy, body);
    let second = journal.append(Lane::Alerts, Urgency::Now, body);
    within(second.receipt.durable()).await.unwrap();
    within(first.receipt.durable()).await.unwrap();
    assert!(journal.close(Duration::from_secs(5)));
    let (journal, opened, _) = Journal::open(dir.path(), settings()).unwrap();
    assert!(opened.clean);
    assert!(opened.epoch > first.number.epoch, "a start without a disk may have been between");
    assert_eq!((opened.durable, opened.lost), (2, None));
    assert_eq!(bodies(&journal.read_merged(0, 10)), [1, 2]);
    assert_eq!(journal.append(Lane::Events, Urgency::Now, body).number.seq, 3);
    assert!(journal.close(Duration::from_secs(5)));
}

#[tokio::test]
async fn an_unclean_stop_raises_the_epoch_and_names_the_lost_tail() {
    let dir = tempfile::tempdir().unwrap();
    let disk = MemoryDisk::default();
    let open = || {
        Journal::open_with(dir.path(), settings(), Arc::new(MemoryOpener(disk.clone()))).unwrap()
    };
    let (journal, opened, _notices) = open();
    let durable = journal.append(Lane::Events, Urgency::Now, body);
    within(durable.receipt.durable()).await.unwrap();
    let lost = journal.append(Lane::Alerts, Urgency::Lazy, body);
    disk.crash(0);
    let (journal, again, _notices) = open();
    assert!(again.epoch > opened.epoch && !again.clean);
    let [gap] = again.tail_lost[..] else { panic!("{again:?}") };
    assert!(gap.covers(lost.number, Lane::Alerts) && !gap.covers(durable.number, Lane::Events));
    let next = journal.append(Lane::Events, Urgency::Now, body).number;
    assert_eq!((next.epoch, next.seq), (again.epoch, 2));
}

#[tokio::test]
async fn a_follower_at_once_sees_alerts_before_the_disk_does() {
    let dir = tempfile::tempdir().unwrap();
    let script = Script::default();
    let opener = ScriptedOpener { inner: MemoryOpener::default(), script: script.clone() };
    let (journal, _, mut notices) =
        Journal::open_with(dir.path(), settings(), Arc::new(opener)).unwrap();
    let mut alerts = journal.follow("upstream", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    let mut events = journal.follow("upstream", Lane::Events, FollowWhen::Durable).unwrap();
    script.on_durable(Some(Fault::Fail(engine::EngineError::Trouble(Trouble::DiskFull))));
    let event = journal.append(Lane::Events, Urgency::Now, body);
    let alert = journal.append(Lane::Alerts, Urgency::Now, body);
    assert_eq!(bodies(&within(alerts.next(10)).await), [2]);
    assert!(matches!(
        within(alert.receipt.durable()).await,
        Err(NotRecorded::Suspended(Trouble::DiskFull))
    ));
    assert_eq!(within(notices.recv()).await, Some(Notice::Suspended(Trouble::DiskFull)));
    assert!(events.try_next(10).await.is_empty());
    script.on_durable(None);
    assert_eq!(within(notices.recv()).await, Some(Notice::Resumed));
    within(event.receipt.durable()).await.unwrap();
    assert_eq!(bodies(&within(events.next(10)).await), [1]);
}

#[tokio::test]
async fn an_engine_that_panics_or_hangs_never_holds_up_an_append() {
    let dir = tempfile::tempdir().unwrap();
    let script = Script::default();
    let opener = ScriptedOpener { inner: MemoryOpener::default(), script: script.clone() };
    let (journal, _, mut notices) =
        Journal::open_with(dir.path(), settings(), Arc::new(opener)).unwrap();
    script.on_apply(Some(Fault::Panic));
    let appended = journal.append(Lane::Alerts, Urgency::Now, body);
    assert!(within(appended.receipt.durable()).await.is_err());
    assert!(matches!(within(notices.recv()).await, Some(Notice::Suspended(_))));
    script.on_apply(None);
    within(async {
        while appended.receipt.durable().await.is_err() {
            notices.recv().await;
        }
    })
    .await;
    script.on_apply(Some(Fault::Hang));
    journal.append(Lane::Alerts, Urgency::Now, body);
    assert!(script.wait_for_hang(Duration::from_secs(20)));
    for _ in 0..1000 {
        journal.append(Lane::Events, Urgency::Now, body);
    }
    assert_eq!(journal.stats().last, 1002);
    script.on_apply(None);
}

#[tokio::test]
async fn cursors_survive_and_are_held_back_to_what_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let disk = MemoryDisk::default();
    let open = || {
        Journal::open_with(dir.path(), settings(), Arc::new(MemoryOpener(disk.clone()))).unwrap()
    };
    let (journal, _, _notices) = open();
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    let durable = journal.append(Lane::Alerts, Urgency::Now, body);
    within(durable.receipt.durable()).await.unwrap();
    journal.append(Lane::Alerts, Urgency::Lazy, body);
    assert_eq!(bodies(&within(follower.next(10)).await), [1, 2]);
    follower.ack(2);
    disk.crash(0);
    let (journal, _, _notices) = open();
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    // Number 2 was acknowledged but lost; the new number 2 of the new epoch must not be skipped.
    journal.append(Lane::Alerts, Urgency::Now, body);
    assert_eq!(bodies(&within(follower.next(10)).await), [2]);
}

#[tokio::test]
async fn a_full_queue_sheds_telemetry_before_alerts() {
    let dir = tempfile::tempdir().unwrap();
    let script = Script::default();
    let opener = ScriptedOpener { inner: MemoryOpener::default(), script: script.clone() };
    let settings = Settings { queue_entries: 4, ..settings() };
    let (journal, _, mut notices) =
        Journal::open_with(dir.path(), settings, Arc::new(opener)).unwrap();
    script.on_durable(Some(Fault::Fail(engine::EngineError::Trouble(Trouble::DiskFull))));
    let first = journal.append(Lane::Alerts, Urgency::Now, body);
    assert!(within(first.receipt.durable()).await.is_err());
    let mut receipts = Vec::new();
    for lane in [Lane::Events, Lane::Events, Lane::Alerts, Lane::Alerts, Lane::Alerts] {
        receipts.push(journal.append(lane, Urgency::Now, body));
    }
    let mut shed = Vec::new();
    while shed.len() < 2 {
        if let Some(Notice::Gap(gap)) = within(notices.recv()).await {
            shed.push((gap.from, gap.to, gap.lane));
        }
    }
    assert_eq!(shed, [(2, 2, Some(Lane::Events)), (3, 3, Some(Lane::Events))]);
    script.on_durable(None);
    while within(notices.recv()).await != Some(Notice::Resumed) {}
    within(receipts[4].receipt.durable()).await.unwrap();
    assert_eq!(within(receipts[0].receipt.durable()).await, Err(NotRecorded::Shed));
    assert_eq!(bodies(&journal.read_merged(0, 10)), [1, 4, 5, 6]);
}

#[tokio::test]
async fn retention_spares_what_followers_need_until_the_hard_limit() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { max_bytes: 24_000, ..settings() };
    let (journal, _, mut notices) =
        Journal::open_with(dir.path(), settings, Arc::new(MemoryOpener::default())).unwrap();
    let mut events = journal.follow("up", Lane::Events, FollowWhen::Durable).unwrap();
    let _alerts = journal.follow("up", Lane::Alerts, FollowWhen::Durable).unwrap();
    let filled = |n: Number| format!("{n} {}", "x".repeat(480));
    for _ in 0..10 {
        journal.append(Lane::Alerts, Urgency::Lazy, filled);
    }
    let mut last = journal.append(Lane::Events, Urgency::Now, filled);
    events.ack(0);
    for _ in 0..30 {
        last = journal.append(Lane::Events, Urgency::Now, filled);
        within(last.receipt.durable()).await.unwrap();
    }
    let gap = within(notices.recv()).await;
    let Some(Notice::Gap(gap)) = gap else { panic!("{gap:?}") };
    assert_eq!((gap.lane, gap.from), (Some(Lane::Events), 11));
    // The step after the last batch may still be running.
    assert!(journal.stats().payload_bytes <= 10_000 + 520);
    assert_eq!(journal.recent(100, 0).count(), 10);
    assert_eq!(journal.tail(1)[0].number, last.number);
}

#[tokio::test]
async fn recent_entries_come_in_the_order_of_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let opener = Arc::new(MemoryOpener::default());
    let (journal, _, _) = Journal::open_with(dir.path(), settings(), opener).unwrap();
    assert_eq!(journal.recent(5, 5).count(), 0);
    // Runs of either lane, longer and shorter than what is read at once.
    let lanes = |n: u64| if (n / 150).is_multiple_of(2) { Lane::Events } else { Lane::Alerts };
    let mut last = journal.append(lanes(1), Urgency::Now, body);
    for n in 2..=700 {
        last = journal.append(lanes(n), Urgency::Now, body);
    }
    within(last.receipt.durable()).await.unwrap();
    let newest = |lane: Lane, most| (1..=700).rev().filter(move |n| lanes(*n) == lane).take(most);
    for (alerts, events) in [(0, 3), (64, 65), (100, 400), (1000, 1000)] {
        let mut expected: Vec<u64> =
            newest(Lane::Alerts, alerts).chain(newest(Lane::Events, events)).collect();
        expected.sort_unstable();
        let found: Vec<u64> = journal.recent(alerts, events).map(|r| r.number.seq).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_broken_journal_is_set_aside_and_a_locked_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, opened, _) = Journal::open(dir.path(), settings()).unwrap();
    let appended = journal.append(Lane::Alerts, Urgency::Now, body);
    within(appended.receipt.durable()).await.unwrap();
    assert!(matches!(Journal::open(dir.path(), settings()), Err(OpenError::Locked(_))));
    assert!(journal.close(Duration::from_secs(5)));
    let opener = Arc::new(BrokenOnce(AtomicBool::new(true)));
    let (journal, again, _) = Journal::open_with(dir.path(), settings(), opener).unwrap();
    assert!(
        again.set_aside.as_ref().is_some_and(|aside| aside.path.join("db").exists())
            && again.epoch > opened.epoch
    );
    let appended = journal.append(Lane::Alerts, Urgency::Now, body);
    within(appended.receipt.durable()).await.unwrap();
    assert!(journal.close(Duration::from_secs(5)));
}

/// The card forgot what it had called written; the box did not stop cleanly.
#[tokio::test]
async fn what_a_disk_lost_after_an_unclean_stop_is_told() {
    for (whole, followed) in [(false, true), (false, false), (true, true), (true, false)] {
        let dir = tempfile::tempdir().unwrap();
        // The first start ever may leave nothing.
        let (journal, _, _) = Journal::open(dir.path(), settings()).unwrap();
        assert!(journal.close(Duration::from_secs(5)));
        let (journal, opened, _) = Journal::open(dir.path(), settings()).unwrap();
        assert_eq!(opened.lost, None);
        for _ in 0..5 {
            let appended = journal.append(Lane::Events, Urgency::Now, body);
            within(appended.receipt.durable()).await.unwrap();
        }
        if followed {
            let mut up = journal.follow("up", Lane::Events, FollowWhen::Durable).unwrap();
            assert_eq!(within(up.next(8)).await.len(), 5);
            up.ack(5);
        }
        assert!(journal.close(Duration::from_secs(5)));
        std::fs::remove_file(dir.path().join("clean")).unwrap();
        let journal = dir.path().join("journal");
        if whole {
            std::fs::remove_dir_all(journal).unwrap();
        } else {
            let len = std::fs::metadata(journal.join("db")).unwrap().len();
            std::fs::write(journal.join("db"), vec![0; usize::try_from(len).unwrap()]).unwrap();
        }
        let (journal, opened, _) = Journal::open(dir.path(), settings()).unwrap();
        let told = opened.lost == Some(if followed { 5 } else { 0 });
        assert!(told || opened.set_aside.is_some(), "{whole} {followed}: {opened:?}");
        assert!(journal.close(Duration::from_secs(5)));
    }
}

/// A card hangs while a place is written: neither the acknowledgement nor the next alert waits.
#[tokio::test]
async fn an_acknowledgement_never_waits_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _, _notices) =
        Journal::open_with(dir.path(), settings(), Arc::new(MemoryOpener::default())).unwrap();
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    let place = |journal: &Journal| {
        let key = cursor::Key::new("up", Lane::Alerts).unwrap();
        journal.shared.lock().followers[&key].file.clone().unwrap()
    };
    let file = place(&journal);
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (holds, is_held) = std::sync::mpsc::channel();
    let disk = std::thread::spawn(move || {
        let _hangs = file.lock().unwrap();
        holds.send(()).unwrap();
        let _ = held.recv();
    });
    is_held.recv().unwrap();
    for round in 1..=3 {
        journal.append(Lane::Alerts, Urgency::Now, body);
        assert_eq!(bodies(&within(follower.next(10)).await), [round]);
        follower = within(tokio::task::spawn_blocking(move || {
            follower.ack(round);
            follower
        }))
        .await
        .unwrap();
    }
    drop(let_go);
    disk.join().unwrap();
    assert!(journal.close(Duration::from_secs(10)));
    let key = cursor::Key::new("up", Lane::Alerts).unwrap();
    let (_, at) = cursor::CursorFile::open(&cursor::folder(dir.path()), &key).unwrap();
    assert_eq!(at.map(|(_, seq)| seq), Some(3));
}
