//! A full and a read-only disk under the journal.

use std::time::Duration;

use anju_journal::{
    FollowWhen, Journal, Lane, NotRecorded, Notice, Recording, Settings, Trouble, Urgency,
};

use crate::common::{body, verify};
use crate::loop_disk::Disk;

fn settings(min_free_bytes: u64) -> Settings {
    Settings { min_free_bytes, retry_every: Duration::from_millis(20), ..Settings::default() }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn within<T: Send>(wait: impl Future<Output = T> + Send) -> T {
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("in time")
}

/// With the reserve of the settings, and without one: sled itself then runs into the end.
pub fn a_full_disk_stops_no_alert() {
    for reserve in [8 << 20, 0] {
        let disk = Disk::new(48);
        let (journal, _, mut notices) = Journal::open(&disk.data(), settings(reserve)).unwrap();
        let before = journal.append(Lane::Alerts, Urgency::Now, body);
        within(before.receipt.durable()).unwrap();
        let filler = disk.fill();
        let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
        // Enough that the preallocated part of the engine's file does not suffice.
        let full = |result| matches!(result, Err(NotRecorded::Suspended(_)));
        let mut hit = None;
        for _ in 0..60_000 {
            let appended = journal.append(Lane::Events, Urgency::Grouped, body);
            if appended.number.seq % 1000 == 0 {
                let alert = journal.append(Lane::Alerts, Urgency::Now, body);
                if full(within(alert.receipt.durable())) {
                    hit = Some(alert);
                    break;
                }
            }
        }
        let hit = hit.expect("a full disk is noticed");
        let mut seen = false;
        while !seen {
            let records = within(follower.next(100));
            seen = records.iter().any(|record| record.number == hit.number);
        }
        assert!(matches!(journal.stats().recording, Recording::Suspended(_)));
        assert!(!within(async { journal.read_merged(0, 10) }).is_empty() || reserve == 0);
        std::fs::remove_file(&filler).unwrap();
        within(async {
            while !matches!(notices.recv().await, Some(Notice::Resumed)) {}
            while hit.receipt.durable().await.is_err() {
                tokio::task::yield_now().await;
            }
        });
        assert!(journal.close(Duration::from_secs(20)));
        let (journal, opened, _) = Journal::open(&disk.data(), settings(reserve)).unwrap();
        assert!(opened.clean && opened.set_aside.is_none(), "{opened:?}");
        let records = journal.read_merged(0, 100_000);
        verify(&records);
        assert_eq!(records.len() as u64, opened.durable, "nothing is missing");
        assert!(journal.close(Duration::from_secs(20)));
        println!("full disk, reserve {reserve}: alerts went on, {} entries kept", records.len());
    }
}

pub fn a_read_only_disk_stops_no_alert() {
    let mut disk = Disk::new(48);
    let (journal, before, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    let kept = journal.append(Lane::Alerts, Urgency::Now, body);
    within(kept.receipt.durable()).unwrap();
    assert!(journal.close(Duration::from_secs(20)));
    disk.back_again("ro");
    let (journal, opened, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    assert_eq!(opened.recording, Recording::Suspended(Trouble::ReadOnly));
    assert!(opened.set_aside.is_none() && opened.epoch > before.epoch);
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    let alert = journal.append(Lane::Alerts, Urgency::Now, body);
    assert_eq!(within(follower.next(10)).first().map(|r| r.number), Some(alert.number));
    follower.ack(alert.number.seq);
    assert!(within(alert.receipt.durable()).is_err());
    // However fast numbers were given, a start that follows at once repeats none.
    let mut last = alert.number;
    for _ in 0..20_000 {
        last = journal.append(Lane::Events, Urgency::Now, body).number;
    }
    journal.close(Duration::from_secs(20));
    drop((follower, journal));
    let (journal, _, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    let next = journal.append(Lane::Events, Urgency::Now, body).number;
    assert!(next > last, "{last:?}, then {next:?}");
    journal.close(Duration::from_secs(20));
    drop(journal);
    disk.back_again("rw");
    let (journal, opened, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    assert!(opened.set_aside.is_none() && opened.recording.is_active());
    assert_eq!(journal.read_merged(0, 10).len(), 1);
    assert!(journal.close(Duration::from_secs(20)));
    println!("read-only disk: alerts went on, nothing set aside");
}
