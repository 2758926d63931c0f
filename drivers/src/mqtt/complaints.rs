//! Messages that could not be understood: counted, and logged at a bounded rate. The content is
//! never logged; it may be personal.

use std::time::Duration;

use tokio::time::Instant;

use super::dialect::Malformed;

/// At most one line in this time.
const PAUSE: Duration = Duration::from_secs(60);

/// The count since the last line.
#[derive(Debug, Default)]
pub struct Complaints {
    unsaid: u64,
    said_at: Option<Instant>,
}

impl Complaints {
    /// Counts one, and logs a line if it is time.
    pub fn count(&mut self, driver: &str, topic: &[u8], error: &Malformed, now: Instant) {
        self.unsaid += 1;
        if self.said_at.is_some_and(|at| now.saturating_duration_since(at) < PAUSE) {
            return;
        }
        let topic: String = String::from_utf8_lossy(topic).chars().take(120).collect();
        tracing::warn!(driver, topic, count = self.unsaid, %error, "message not understood");
        self.said_at = Some(now);
        self.unsaid = 0;
    }
}
