//! The process is killed, the power is cut, the disk is full or read-only: nothing that was
//! acknowledged is lost, nothing is numbered twice, alerts go on.
//!
//! A program of its own (no test harness), because it starts itself again as the process that is
//! killed. `ANJU_ROUNDS` sets the number of rounds of each test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

mod child;
#[path = "../common/mod.rs"]
mod common;
mod disk;
mod ledger;
#[path = "../../../tests/common/loop_disk.rs"]
mod loop_disk;

use std::process::ExitCode;

use child::Child;
use common::{Chance, rounds};
use ledger::Ledger;
use loop_disk::Disk;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, dir, budget] = &arguments[..]
        && word == "child"
    {
        child::run(dir.as_ref(), budget.parse().expect("bytes"));
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--list") {
        println!("0 tests, 0 benchmarks");
        return ExitCode::SUCCESS;
    }
    // An argument picks one of them.
    let wanted = |name: &str| match &arguments[..] {
        [_, word] if !word.starts_with('-') => word == name,
        _ => true,
    };
    if wanted("kill") {
        killed_processes_lose_nothing();
    }
    if wanted("power") && loop_disk::missing().is_none() {
        power_cuts_lose_nothing();
        disk::a_full_disk_stops_no_alert();
        disk::a_read_only_disk_stops_no_alert();
    }
    ExitCode::SUCCESS
}

/// `kill -9` at random moments under load, on one journal, round after round.
fn killed_processes_lose_nothing() {
    let mut chance = Chance::new("kill -9");
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::default();
    let count = rounds(5);
    for _ in 0..count {
        let mut child = Child::start(dir.path(), 1 << 30);
        child.take_lines(&mut ledger, 100 + chance.below(3000));
        child.kill(&mut ledger);
        ledger.verify(dir.path(), 1 << 30);
    }
    ledger.verify_all_delivered(dir.path(), 1 << 30);
    println!("kill -9: {count} rounds, {ledger}");
    assert!(ledger.acknowledged() > count as u64, "the test did nothing");
}

/// The file system is shut down without writing its log, as a power cut does, during bursts and
/// retention.
fn power_cuts_lose_nothing() {
    let mut chance = Chance::new("power cut");
    let budget = 6 << 20;
    let mut disk = Disk::new(192);
    let mut ledger = Ledger::default();
    ledger.power_fails = true;
    let count = rounds(3);
    for _ in 0..count {
        let mut child = Child::start(&disk.data(), budget);
        child.take_lines(&mut ledger, 2000 + chance.below(20_000));
        disk.cut_power();
        child.kill(&mut ledger);
        disk.back_again("rw");
        ledger.verify(&disk.data(), budget);
    }
    println!("power cut: {count} rounds, {ledger}");
    assert!(ledger.acknowledged() > count as u64, "the test did nothing");
}
