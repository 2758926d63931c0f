//! The retained status: whether the box is there, and how far its journal is.

use serde::Serialize;

/// What the will and a clean stop say.
pub const OFFLINE: &str = r#"{"state":"offline"}"#;

/// The status of a box that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Always `online`.
    pub state: &'static str,
    /// Version of the program.
    pub version: String,
    /// The journal's epoch.
    pub epoch: u64,
    /// The last number given.
    pub seq: u64,
    /// Now, RFC 3339.
    pub time: String,
    /// Alerts that are not closed.
    pub open_alerts: u64,
}

/// Asked at each heartbeat.
pub trait StatusSource: Send + Sync + 'static {
    /// The status now.
    fn status(&self) -> Status;
}
