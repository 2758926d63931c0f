//! Messages that could not be understood: counted, and logged at a bounded rate. The content is
//! never logged; it may be personal. A device of which ten in a row are not understood is faulty.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::observation::{Origin, Trouble};
use anju_model::{DeviceId, Observation};

use tokio::time::Instant;

use super::dialect::Malformed;

/// At most one line in this time.
const PAUSE: Duration = Duration::from_secs(60);

/// A device of which so many messages in a row are not understood is faulty.
const FAULTY: u32 = 10;

/// The count since the last line.
#[derive(Debug, Default)]
pub struct Complaints {
    unsaid: u64,
    said_at: Option<Instant>,
    in_a_row: HashMap<DeviceId, u32>,
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

    /// Takes note of whether a device's message was understood; tells when it becomes faulty, and
    /// when it is in order again.
    pub fn of(&mut self, origin: &Origin, understood: bool) -> Option<Observation> {
        if understood {
            let before = self.in_a_row.remove(&origin.device)?;
            return (before >= FAULTY).then(|| trouble(origin, false));
        }
        let count = self.in_a_row.entry(origin.device.clone()).or_default();
        *count = count.saturating_add(1);
        (*count == FAULTY).then(|| trouble(origin, true))
    }
}

fn trouble(origin: &Origin, active: bool) -> Observation {
    let reason = if active {
        "its messages can not be understood; look at what it publishes"
    } else {
        "its messages are understood again"
    };
    Observation::new(origin.clone(), Trouble { active, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use anju_model::{DeviceKind, Fact};

    use super::*;

    #[test]
    fn ten_in_a_row_are_a_fault_until_one_is_understood() {
        let device = DeviceId::new("cane").unwrap();
        let origin = Origin { device, kind: DeviceKind::SmartCane, room: None, person: None };
        let mut complaints = Complaints::default();
        let active = |said: Option<Observation>| match said?.fact {
            Fact::Trouble(trouble) => Some(trouble.active),
            _ => None,
        };
        for round in 0..2 {
            for n in 1..=25 {
                let said = active(complaints.of(&origin, false));
                assert_eq!(said, (n == 10).then_some(true), "{round} {n}");
            }
            assert_eq!(active(complaints.of(&origin, true)), Some(false));
            assert_eq!(active(complaints.of(&origin, true)), None);
            for _ in 0..9 {
                complaints.of(&origin, false);
            }
            assert_eq!(active(complaints.of(&origin, true)), None);
        }
    }
}
