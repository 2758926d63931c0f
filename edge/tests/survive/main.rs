//! The real daemon under what a home does to it: killed, without power, without a centre, with a
//! centre that misbehaves, on a bad disk, under a wrong clock, fed with rubbish. What was told as
//! recorded is never lost, and an alarm is always spoken and forwarded.
//!
//! `ANJU_ROUNDS` sets the rounds of the tests of chance; `ANJU_SEED` repeats one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../common/chance.rs"]
mod chance;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/loop_disk.rs"]
mod loop_disk;

mod away;
mod clock;
mod crash;
mod disk;
mod ledger;
mod rubbish;
mod scripted;
mod stuck;
mod tls;
mod watchdog;
mod wire;
