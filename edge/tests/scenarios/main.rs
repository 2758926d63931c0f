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
#[path = "../../modem/tests/lab/mod.rs"]
mod modem_lab;
#[path = "../../respond/tests/ntfy/phone.rs"]
mod phone;
#[path = "../../respond/tests/ntfy/server.rs"]
#[allow(dead_code, reason = "the channel's own tests use more of it")]
mod push_server;
#[path = "../../uplinks/tests/lab/mod.rs"]
mod uplinks_lab;

#[path = "../../respond/tests/channels/sink.rs"]
#[allow(dead_code, reason = "the channels' own tests use more of it")]
mod mail_server;
#[path = "../../respond/tests/channels/servers.rs"]
#[allow(dead_code, reason = "the channels' own tests use more of it")]
mod robots;

/// Longest wait of the servers that stand in for those of others.
const LIMIT: std::time::Duration = common::DEADLINE;

mod acceptance;
mod brokers;
mod catalogue;
mod commands;
mod contract;
mod doctor;
mod escalation;
mod frigate;
mod gateway;
mod home;
mod json;
mod kinds;
mod lights;
mod links;
mod names;
mod net;
mod owntracks;
mod page;
mod plan;
mod proofs;
mod push;
mod readme;
mod rtl433;
mod satellites;
mod serial;
mod sms;
mod speech;
mod voice;
mod ways_out;
mod wire;
mod zigbee;
