//! From a device's bytes on its real wire, through the real daemon, to its observation, the alert
//! where one is due, and its acceptance. One module holds one link or one kind of trouble.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod page;
