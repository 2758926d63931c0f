//! What is remembered of one device between messages. zigbee2mqtt repeats the whole state with
//! each message, so that most fields are no news; what is news is said, and at least every quarter
//! of an hour something is, to show that the device lives.

use std::collections::BTreeMap;
use std::time::Duration;

use anju_model::Fact;
use anju_model::observation::Link;
use serde_json::{Map, Value};
use tokio::time::Instant;

/// A fact that did not change is said again after this long, as a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15 * 60);

/// Movement that goes on is said again after this long.
const MOTION_AGAIN: Duration = Duration::from_secs(60);

/// Readings that drift are said at most this often.
const READING_AGAIN: Duration = Duration::from_secs(60);

/// State of one device.
#[derive(Debug, Default)]
pub struct DeviceState {
    last: BTreeMap<&'static str, (Fact, Instant)>,
    said_at: Option<Instant>,
    online: Option<bool>,
    heard_in_connection: bool,
}

impl DeviceState {
    /// A connection, or the bridge behind it, began anew.
    pub fn connection_began(&mut self) {
        self.heard_in_connection = false;
    }

    /// Whether nothing was ever known of this device, or its bridge just began; marks it as heard.
    pub fn first_message(&mut self) -> bool {
        !std::mem::replace(&mut self.heard_in_connection, true)
    }

    /// Takes note of whether it is online; returns whether that is news. That a device is online at
    /// first is no news.
    pub fn online_changed(&mut self, online: bool) -> bool {
        let before = self.online.replace(online);
        before != Some(online) && !(before.is_none() && online)
    }

    /// Whether a fact is news.
    pub fn worth_saying(&mut self, fact: &Fact, now: Instant) -> bool {
        let worth = match self.last.get(fact.what()) {
            None => true,
            Some((before, at)) => {
                let age = now.duration_since(*at);
                match fact {
                    Fact::Motion(motion) if motion.moving && before == fact => age >= MOTION_AGAIN,
                    Fact::Link(_) => age >= SIGN_OF_LIFE,
                    Fact::Climate(_) | Fact::Air(_) | Fact::Meter(_) => {
                        before != fact && age >= READING_AGAIN
                    }
                    _ => before != fact,
                }
            }
        };
        if worth {
            self.last.insert(fact.what(), (fact.clone(), now));
        }
        worth
    }

    /// Notes that something was said.
    pub fn said_something(&mut self, now: Instant) {
        self.said_at = Some(now);
    }

    /// A link observation when nothing was said for long although the device is heard.
    pub fn sign_of_life(&mut self, fields: &Map<String, Value>, now: Instant) -> Option<Fact> {
        let quiet = self.said_at.is_none_or(|at| now.duration_since(at) >= SIGN_OF_LIFE);
        if !quiet {
            return None;
        }
        self.said_at = Some(now);
        let quality = fields.get("linkquality").and_then(Value::as_f64);
        Some(Link { quality, dbm: None }.into())
    }
}
