//! The process that is killed: bursts of appends, receipts told on stdout once they are durable, and
//! followers that tell what they were given before they acknowledge it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use anju_journal::{Appended, FollowWhen, Journal, Lane, Notice, Settings, Urgency};

use crate::common::{Chance, body};
use crate::ledger::Ledger;

/// Most entries that a follower has given out and not acknowledged.
pub const WINDOW: usize = 32;

pub fn settings(budget: u64) -> Settings {
    Settings {
        max_bytes: budget,
        min_free_bytes: 1 << 20,
        grouped: Duration::from_millis(50),
        lazy: Duration::from_millis(300),
        ..Settings::default()
    }
}

/// Lines must not be cut by a kill between two writes.
fn tell(line: String) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub async fn run(dir: &Path, budget: u64) {
    // Ends with the test, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(1);
    });
    let (journal, opened, mut notices) = Journal::open(dir, settings(budget)).expect("open");
    assert!(opened.set_aside.is_none(), "{opened:?}");
    tell(format!("opened {} {}\n", opened.epoch, opened.durable));
    tokio::spawn(async move {
        while let Some(notice) = notices.recv().await {
            if let Notice::Gap(gap) = notice {
                tell(format!("gap {} {}\n", gap.from, gap.to));
            }
        }
    });
    for lane in Lane::ALL {
        let when = if lane == Lane::Alerts { FollowWhen::AtOnce } else { FollowWhen::Durable };
        let mut follower = journal.follow("crash", lane, when).expect("follow");
        tokio::spawn(async move {
            // Acknowledges one step late, as over a network: the window is always in flight.
            let mut before = None;
            loop {
                let records = follower.next(WINDOW / 2).await;
                let mut lines = String::new();
                for record in &records {
                    lines += &format!("got {lane} {} {}\n", record.number.epoch, record.number.seq);
                }
                tell(lines);
                if let Some(seq) = before {
                    follower.ack(seq);
                }
                before = records.last().map(|record| record.number.seq);
            }
        });
    }
    let mut chance = Chance::seeded(u64::from(std::process::id()));
    let (send, mut receive) = tokio::sync::mpsc::channel::<(Lane, Appended)>(512);
    tokio::spawn(async move {
        loop {
            for _ in 0..chance.below(200) {
                let lane = if chance.below(10) == 0 { Lane::Alerts } else { Lane::Events };
                let urgency = match (lane, chance.below(30)) {
                    (Lane::Alerts, _) | (_, 0) => Urgency::Now,
                    (_, 1..=15) => Urgency::Grouped,
                    _ => Urgency::Lazy,
                };
                let appended = journal.append(lane, urgency, body);
                if send.send((lane, appended)).await.is_err() {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    });
    while let Some((lane, appended)) = receive.recv().await {
        if appended.receipt.durable().await.is_ok() {
            tell(format!("kept {lane} {} {}\n", appended.number.epoch, appended.number.seq));
        }
    }
}

/// The process, seen from outside.
pub struct Child {
    process: std::process::Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub fn start(dir: &Path, budget: u64) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg("child")
            .arg(dir)
            .arg(budget.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Child { process, lines }
    }

    pub fn take_lines(&mut self, ledger: &mut Ledger, count: u64) {
        ledger.begin_round();
        for _ in 0..count {
            match self.lines.next() {
                Some(line) => ledger.note(&line.unwrap()),
                None => panic!("the process ended by itself: {:?}", self.process.wait()),
            }
        }
    }

    /// Kills it and takes what it had still said.
    pub fn kill(mut self, ledger: &mut Ledger) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        for line in self.lines {
            ledger.note(&line.unwrap());
        }
    }
}
