//! What must hold when the disk, the engine or the process fails at the worst moment.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anju_journal::engine::{
    Engine, EngineError, Fault, MemoryDisk, MemoryOpener, Opener, Script, ScriptedOpener,
};
use anju_journal::{
    FollowWhen, Follower, Gap, Journal, Lane, MAX_BODY, NotRecorded, Notice, Number, Opened,
    Settings, Trouble, Urgency,
};
use tokio::sync::mpsc::UnboundedReceiver;

/// A memory disk that answers to a script.
#[derive(Clone, Default)]
struct Disk {
    disk: MemoryDisk,
    script: Script,
}

impl Opener for Disk {
    fn open(&self, dir: &Path) -> Result<Arc<dyn Engine>, EngineError> {
        let inner = MemoryOpener(self.disk.clone());
        ScriptedOpener { inner, script: self.script.clone() }.open(dir)
    }
}

fn settings() -> Settings {
    Settings {
        min_free_bytes: 0,
        retry_every: Duration::from_millis(10),
        stall_after: Duration::from_millis(100),
        ..Settings::default()
    }
}

type Parts = (Journal, Opened, UnboundedReceiver<Notice>);

fn open(dir: &Path, engine: &Disk) -> Parts {
    Journal::open_with(dir, settings(), Arc::new(engine.clone())).unwrap()
}

fn body(number: Number) -> String {
    format!("entry {number}")
}

async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time")
}

async fn record(journal: &Journal, lane: Lane, count: u64) {
    let mut last = None;
    for _ in 0..count {
        last = Some(journal.append(lane, Urgency::Lazy, body));
    }
    journal.append(lane, Urgency::Now, body);
    if let Some(last) = last {
        within(last.receipt.durable()).await.unwrap();
    }
}

async fn drain(follower: &mut Follower, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.len() < count {
        seqs.extend(within(follower.next(100)).await.iter().map(|r| r.number.seq));
    }
    seqs
}

fn failed(what: &str) -> Option<Fault> {
    Some(Fault::Fail(EngineError::Trouble(Trouble::Failed(what.into()))))
}

#[tokio::test]
async fn a_backlog_is_not_skipped_while_reading_fails_or_panics() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, _, _notices) = open(dir.path(), &engine);
    record(&journal, Lane::Events, 4999).await;
    let mut follower = journal.follow("up", Lane::Events, FollowWhen::Durable).unwrap();
    for fault in [failed("EIO"), Some(Fault::Panic)] {
        engine.script.on_read(fault);
        follower.rewind_to_cursor();
        let early = tokio::time::timeout(Duration::from_millis(60), follower.next(100)).await;
        assert!(early.is_err(), "nothing can be read: {early:?}");
        engine.script.on_read(None);
        assert_eq!(drain(&mut follower, 5000).await, (1..=5000).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_backlog_is_not_skipped_while_the_engine_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, _, mut notices) = open(dir.path(), &engine);
    record(&journal, Lane::Events, 4999).await;
    let mut follower = journal.follow("up", Lane::Events, FollowWhen::Durable).unwrap();
    engine.script.on_open(failed("EIO"));
    engine.script.on_durable(failed("EIO"));
    journal.append(Lane::Events, Urgency::Now, body);
    assert!(matches!(within(notices.recv()).await, Some(Notice::Suspended(_))));
    let early = tokio::time::timeout(Duration::from_millis(60), follower.next(100)).await;
    assert!(early.is_err(), "nothing can be read: {early:?}");
    engine.script.on_durable(None);
    engine.script.on_open(None);
    assert_eq!(drain(&mut follower, 5001).await, (1..=5001).collect::<Vec<_>>());
}

/// Lets go of whoever hangs, so that a test that fails ends.
struct Unhang(Script);

impl Drop for Unhang {
    fn drop(&mut self) {
        self.0.on_read(None);
        self.0.on_durable(None);
    }
}

/// Alerts of which the first was acknowledged, then so much telemetry that memory does not reach back to it,
/// then a card that fails for good.
async fn dead_after_telemetry(dir: &Path, engine: &Disk, alerts: u64) -> (Parts, Follower) {
    let (journal, opened, mut notices) = open(dir, engine);
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    record(&journal, Lane::Alerts, alerts - 1).await;
    assert_eq!(drain(&mut follower, usize::try_from(alerts).unwrap()).await[0], 1);
    follower.ack(1);
    record(&journal, Lane::Events, 1_999).await;
    engine.script.on_open(failed("EIO"));
    engine.script.on_durable(failed("EIO"));
    journal.append(Lane::Events, Urgency::Now, body);
    while !matches!(within(notices.recv()).await, Some(Notice::Suspended(_))) {}
    ((journal, opened, notices), follower)
}

#[tokio::test]
async fn a_new_alert_passes_a_dead_disk_after_a_reconnect() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let ((journal, ..), mut follower) = dead_after_telemetry(dir.path(), &engine, 1).await;
    for _ in 0..3 {
        follower.rewind_to_cursor();
        let early = tokio::time::timeout(Duration::from_millis(30), follower.next(100)).await;
        assert!(early.is_err(), "there is no alert: {early:?}");
        let alert = journal.append(Lane::Alerts, Urgency::Now, body).number.seq;
        assert_eq!(drain(&mut follower, 1).await, [alert]);
        follower.ack(alert);
    }
}

/// Alerts that were never acknowledged are on a disk that can not be read: what is new does not
/// wait for them, and they are told once.
#[tokio::test]
async fn a_new_alert_passes_a_backlog_that_can_not_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let ((journal, _, mut notices), mut follower) =
        dead_after_telemetry(dir.path(), &engine, 5).await;
    follower.rewind_to_cursor();
    let early = tokio::time::timeout(Duration::from_millis(60), follower.next(100)).await;
    assert!(early.is_err(), "nothing can be read, and nothing is given up for nothing: {early:?}");
    let alert = journal.append(Lane::Alerts, Urgency::Now, body).number;
    for _ in 0..2 {
        assert_eq!(drain(&mut follower, 1).await, [alert.seq]);
        follower.rewind_to_cursor();
    }
    let gap = Gap { epoch: alert.epoch, lane: Some(Lane::Alerts), from: 2, to: 5 };
    assert_eq!(within(notices.recv()).await, Some(Notice::Gap(gap)));
    assert!(notices.try_recv().is_err(), "it is told once");
}

/// The same on a disk that hangs: one look waits for it, however often the connection is lost.
#[tokio::test]
async fn a_new_alert_passes_a_backlog_on_a_disk_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, _, _notices) = open(dir.path(), &engine);
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    record(&journal, Lane::Alerts, 1).await;
    record(&journal, Lane::Events, 1_999).await;
    let _ends = Unhang(engine.script.clone());
    engine.script.on_read(Some(Fault::Hang));
    engine.script.on_durable(Some(Fault::Hang));
    let alert = journal.append(Lane::Alerts, Urgency::Now, body).number.seq;
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    follower.rewind_to_cursor();
    assert_eq!(drain(&mut follower, 1).await, [alert]);
    let before = threads();
    for _ in 0..300 {
        follower.rewind_to_cursor();
        assert_eq!(drain(&mut follower, 1).await, [alert]);
    }
    assert!(threads() < before + 150, "each look leaves a thread behind");
    engine.script.on_read(None);
    engine.script.on_durable(None);
    within(async {
        // The look that hung ends first.
        follower.rewind_to_cursor();
        while drain(&mut follower, 1).await[0] != 1 {
            tokio::task::yield_now().await;
            follower.rewind_to_cursor();
        }
    })
    .await;
    follower.rewind_to_cursor();
    assert_eq!(drain(&mut follower, 3).await, [1, 2, alert]);
}

/// What waits in memory behind telemetry of which the disk knows is not overlooked.
#[tokio::test]
async fn an_alert_behind_telemetry_alone_is_given_while_the_disk_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, _, _notices) = open(dir.path(), &engine);
    record(&journal, Lane::Alerts, 0).await;
    record(&journal, Lane::Events, 1_999).await;
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    engine.script.on_durable(Some(Fault::Hang));
    let alert = journal.append(Lane::Alerts, Urgency::Now, body).number.seq;
    let _ends = Unhang(engine.script.clone());
    assert!(engine.script.wait_for_hang(Duration::from_secs(20)));
    assert_eq!(drain(&mut follower, 1).await, [1]);
    assert_eq!(drain(&mut follower, 1).await, [alert]);
    engine.script.on_durable(None);
}

#[tokio::test]
async fn an_oversized_body_is_never_called_durable() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _, mut notices) = open(dir.path(), &Disk::default());
    let big = journal.append(Lane::Alerts, Urgency::Now, |_| vec![7; MAX_BODY + 1]);
    let next = journal.append(Lane::Alerts, Urgency::Now, |_| vec![7; MAX_BODY]);
    within(next.receipt.durable()).await.unwrap();
    assert_eq!(within(big.receipt.durable()).await, Err(NotRecorded::TooLarge));
    let Some(Notice::Gap(gap)) = within(notices.recv()).await else { panic!("no gap") };
    assert!(gap.covers(big.number, Lane::Alerts));
    assert_eq!(journal.tail(10).len(), 1);
}

/// An alert left before it was durable and was acknowledged; the power went; new entries took the
/// same seqs in a new epoch; the process died. They must still be delivered.
#[tokio::test]
async fn a_cursor_ahead_of_the_disk_never_hides_entries_of_the_next_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, _, _n) = open(dir.path(), &engine);
    record(&journal, Lane::Alerts, 4).await;
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    for _ in 0..3 {
        journal.append(Lane::Alerts, Urgency::Lazy, body);
    }
    assert_eq!(drain(&mut follower, 8).await.last(), Some(&8));
    follower.ack(8);
    let until = Instant::now() + Duration::from_secs(10);
    while journal.stats().durable < 5 && Instant::now() < until {
        tokio::task::yield_now().await;
    }
    engine.disk.crash(0);
    let (journal, opened, _n) = open(dir.path(), &engine);
    assert_eq!(opened.durable, 5);
    record(&journal, Lane::Alerts, 5).await;
    journal.close(Duration::from_secs(5));
    let (journal, _, _n) = open(dir.path(), &engine);
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    assert_eq!(drain(&mut follower, 6).await, (6..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_hanging_disk_is_told_by_receipts_and_notices_and_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, _, mut notices) = open(dir.path(), &engine);
    let mut alerts = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    engine.script.on_durable(Some(Fault::Hang));
    let first = journal.append(Lane::Alerts, Urgency::Now, body);
    assert!(engine.script.wait_for_hang(Duration::from_secs(20)));
    assert_eq!(drain(&mut alerts, 1).await, [1]);
    assert_eq!(
        within(first.receipt.durable()).await,
        Err(NotRecorded::Suspended(Trouble::Stalled))
    );
    assert_eq!(within(notices.recv()).await, Some(Notice::Suspended(Trouble::Stalled)));
    let began = Instant::now();
    for _ in 0..100_000 {
        journal.append(Lane::Events, Urgency::Now, body);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "appending waits: {:?}", began.elapsed());
    assert!(journal.stats().waiting <= settings().queue_entries);
    let last = journal.append(Lane::Alerts, Urgency::Now, body);
    assert!(!journal.close(Duration::from_millis(50)), "nothing can be flushed");
    engine.script.on_durable(None);
    within(async {
        while !matches!(notices.recv().await, Some(Notice::Resumed)) {}
        while last.receipt.durable().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A start without a usable disk, then the disk comes back: nothing that was recorded before is
/// skipped, counted wrongly or numbered again.
#[tokio::test]
async fn a_start_without_the_disk_joins_the_journal_later() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Disk::default();
    let (journal, before, _n) = open(dir.path(), &engine);
    record(&journal, Lane::Events, 99).await;
    let mut follower = journal.follow("up", Lane::Events, FollowWhen::Durable).unwrap();
    assert_eq!(drain(&mut follower, 40).await.len().min(40), 40);
    follower.ack(40);
    let bytes = journal.stats().payload_bytes;
    assert!(journal.close(Duration::from_secs(5)));

    engine.script.on_open(Some(Fault::Fail(EngineError::Trouble(Trouble::ReadOnly))));
    let (journal, opened, mut notices) = open(dir.path(), &engine);
    assert!(opened.epoch > before.epoch && !opened.recording.is_active());
    let mut follower = journal.follow("up", Lane::Events, FollowWhen::Durable).unwrap();
    let meanwhile = journal.append(Lane::Events, Urgency::Now, body);
    assert!(meanwhile.number > Number { epoch: before.epoch, seq: 100 });
    engine.script.on_open(None);
    while within(notices.recv()).await != Some(Notice::Resumed) {}
    within(async { while meanwhile.receipt.durable().await.is_err() {} }).await;
    let after = journal.append(Lane::Events, Urgency::Now, body);
    assert!(after.number > meanwhile.number);
    let mut expected: Vec<u64> = (41..=100).collect();
    expected.extend([meanwhile.number.seq, after.number.seq]);
    assert_eq!(drain(&mut follower, 62).await, expected);
    within(after.receipt.durable()).await.unwrap();
    assert!(journal.stats().payload_bytes > bytes);
    assert!(journal.close(Duration::from_secs(5)));
    let (_, again, _n) = open(dir.path(), &engine);
    assert!(again.epoch >= after.number.epoch && again.durable == after.number.seq);
}

#[tokio::test]
async fn each_way_of_failing_suspends_and_resumes() {
    let broken = || Some(Fault::Fail(EngineError::Broken("a page".into())));
    let faults = [failed("EIO"), failed("fsync"), Some(Fault::Panic), broken()];
    for (at, fault) in faults.into_iter().enumerate() {
        for apply in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let engine = Disk::default();
            let (journal, _, mut notices) = open(dir.path(), &engine);
            let kept = journal.append(Lane::Events, Urgency::Now, body);
            within(kept.receipt.durable()).await.unwrap();
            let set = |fault| {
                if apply { engine.script.on_apply(fault) } else { engine.script.on_durable(fault) }
            };
            // Opening again fails as well, so that the fault is seen once, whatever the timing.
            engine.script.on_open(failed("away"));
            set(fault.clone());
            let hit = journal.append(Lane::Alerts, Urgency::Now, body);
            let error = within(hit.receipt.durable()).await;
            assert!(matches!(error, Err(NotRecorded::Suspended(_))), "{at} {apply}: {error:?}");
            set(None);
            engine.script.on_open(None);
            while within(notices.recv()).await != Some(Notice::Resumed) {}
            let later = journal.append(Lane::Events, Urgency::Now, body);
            within(later.receipt.durable()).await.unwrap();
            within(hit.receipt.durable()).await.unwrap();
            assert_eq!(
                journal.tail(10).iter().map(|r| r.number.seq).collect::<Vec<_>>(),
                [1, 2, 3]
            );
        }
    }
}

#[tokio::test]
async fn a_build_that_panics_uses_no_number() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _, _n) = open(dir.path(), &Disk::default());
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        journal.append(Lane::Events, Urgency::Now, |_| -> Vec<u8> { panic!("in build") })
    }));
    assert!(result.is_err());
    let next = journal.append(Lane::Events, Urgency::Now, body);
    assert_eq!(next.number.seq, 1);
    within(next.receipt.durable()).await.unwrap();
}

/// What the format says of a folder with five entries, and what is found on the next start.
async fn reopened_as(format: &[u8]) -> (Opened, u64, String) {
    let dir = tempfile::tempdir().unwrap();
    let (journal, ..) = Journal::open(dir.path(), settings()).unwrap();
    record(&journal, Lane::Events, 4).await;
    assert!(journal.close(Duration::from_secs(10)));
    drop(journal);
    std::fs::write(dir.path().join("format"), format).unwrap();
    let (journal, opened, _) = Journal::open(dir.path(), settings()).unwrap();
    record(&journal, Lane::Events, 1).await;
    let durable = journal.stats().durable;
    assert!(journal.close(Duration::from_secs(10)));
    let format = std::fs::read_to_string(dir.path().join("format")).unwrap();
    (opened, durable, format)
}

#[tokio::test]
async fn a_damaged_format_costs_nothing_and_a_later_one_no_guard() {
    for damaged in [&b""[..], b"\xff\x00journal", b"anju-jpurnal 1\n", b"anju-journal x"] {
        let (opened, durable, format) = reopened_as(damaged).await;
        assert!(opened.set_aside.is_none() && opened.clean, "{damaged:?}");
        assert!(opened.durable == 5 && durable > 5);
        assert_eq!(format, "anju-journal 1\n");
    }
    // As after an update that was taken back.
    let (opened, durable, format) = reopened_as(b"anju-journal 2\n").await;
    let aside = opened.set_aside.expect("it can not be read");
    assert!(aside.reason.contains("later version"), "{}", aside.reason);
    assert!(opened.durable == 0 && durable > 0);
    assert_eq!(format, "anju-journal 1\n");
}

#[test]
fn a_journal_of_a_later_version_that_runs_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, ..) = Journal::open(dir.path(), settings()).unwrap();
    std::fs::write(dir.path().join("format"), "anju-journal 2\n").unwrap();
    let refused = Journal::open(dir.path(), settings());
    assert!(matches!(refused, Err(anju_journal::OpenError::Locked(_))));
    drop(journal);
}
