//! Locks behind zigbee2mqtt: their state, and who did what, from `action` with `action_user` and
//! `action_source_name` (operation events of the Zigbee Door Lock cluster) or from the last user a
//! lock remembers. It must never name a person where the lock turned by itself.

use anju_model::Fact;
use anju_model::observation::Lock;
use serde_json::{Map, Value};

use super::Exposes;
use crate::mqtt::value::{short, word};
use crate::mqtt::voice::Weight;

/// What one lock said before.
#[derive(Debug, Default)]
pub struct LockMemory {
    locked: Option<bool>,
    forced: Option<bool>,
    wrong: u32,
}

fn locked(exposes: &Exposes, fields: &Map<String, Value>) -> Option<bool> {
    match exposes.word(fields, "lock_state") {
        Some("locked") => return Some(true),
        Some("unlocked" | "not_fully_locked") => return Some(false),
        _ => {}
    }
    match exposes.word(fields, "state") {
        Some("LOCK") => Some(true),
        Some("UNLOCK") => Some(false),
        _ => exposes.flag(fields, "state"),
    }
}

/// Ways to turn a lock that show nobody at the door.
const BY_ITSELF: &[&str] = &["auto", "schedule", "rf", "self", "remote", "zigbee", "unknown"];

/// Who it was: the way, and the user's number where the lock tells it.
fn who(way: Option<&str>, user: Option<&Value>) -> Option<String> {
    let user = user.and_then(word).filter(|user| !user.is_empty() && user != "65535");
    let way = way.filter(|way| !way.is_empty());
    match (way, user) {
        (Some(way), _) if BY_ITSELF.contains(&way) => None,
        (Some(way), Some(user)) => Some(short(&format!("{way} {user}"))),
        (Some(way), None) => Some(short(way)),
        (None, Some(user)) => Some(short(&user)),
        (None, None) => None,
    }
}

/// What an action is, and the way that its name tells.
enum Act<'a> {
    Turned { locked: bool, way: Option<&'a str> },
    Refused,
    Forced,
}

fn act(action: &str) -> Option<Act<'_>> {
    let has = |part: &str| action.contains(part);
    if has("failure") || has("invalid") || has("wrong") || has("error") {
        // A schedule that does not allow it now is a try like a wrong code.
        return Some(Act::Refused);
    }
    if has("forced") || has("pry") {
        return Some(Act::Forced);
    }
    let way = |suffix: &str| action.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('_'));
    if has("unlock") {
        return Some(Act::Turned { locked: false, way: way("unlock") });
    }
    has("lock").then(|| Act::Turned { locked: true, way: way("lock") })
}

impl LockMemory {
    /// The lock's facts in one message, at most one of an act and one of its state.
    pub fn read(
        &mut self,
        exposes: &Exposes,
        fields: &Map<String, Value>,
        live: bool,
    ) -> Option<(Fact, Weight)> {
        let text = |name: &str| exposes.word(fields, name).filter(|word| !word.is_empty());
        let state = locked(exposes, fields);
        let forced = match text("door_state") {
            Some("error_forced_open") => Some(true),
            Some("open" | "closed") => Some(false),
            _ => exposes.flag(fields, "forced"),
        };
        let turned = state.is_some() && state != self.locked;
        let pried = forced.is_some() && forced != self.forced;
        let known_before = self.locked.is_some();
        self.locked = state.or(self.locked);
        self.forced = forced.or(self.forced);
        let act = text("action").filter(|_| live).and_then(act);
        let user = fields.get("action_user");
        let source = text("action_source_name");
        let lock = match act {
            Some(Act::Refused) => {
                self.wrong = self.wrong.saturating_add(1);
                let by = who(source, user);
                Lock { locked: self.locked, by, wrong_tries: Some(self.wrong), forced: None }
            }
            Some(Act::Forced) => {
                Lock { locked: self.locked, forced: Some(true), ..Lock::default() }
            }
            Some(Act::Turned { locked, way }) => {
                self.wrong = 0;
                self.locked = Some(locked);
                let by = who(source.or(way), user);
                Lock { locked: Some(locked), by, wrong_tries: None, forced: None }
            }
            None if turned || pried => {
                // Some locks keep the last user in their state in place of an event.
                let last = if self.locked == Some(true) { "lock" } else { "unlock" };
                let by = who(
                    text(&format!("last_{last}_source")),
                    fields.get(&format!("last_{last}_user")),
                );
                let by = by.filter(|_| live && turned && known_before);
                Lock { locked: self.locked, by, wrong_tries: None, forced: self.forced }
            }
            None => return None,
        };
        Some((lock.into(), Weight::News))
    }
}
