//! What is measured. Each scene sets up its own home and gives its figures.

pub mod air;
pub mod appends;
pub mod backlog;
pub mod burst;
pub mod home;
pub mod latency;
pub mod memory;
pub mod start;
