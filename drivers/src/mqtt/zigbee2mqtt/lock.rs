//! Locks behind zigbee2mqtt: their state, and who did what, from `action` with `action_user` and
//! `action_source_name` (operation events of the Zigbee Door Lock cluster), with `user` and `repeat`
//! (Aqara), from a property for each way to open it (Tuya), or from the last user a lock remembers. It must never name a person where the lock turned by itself.

use std::collections::BTreeMap;

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
    /// What its state property said; the bridge repeats it with each message, also when an action
    /// in that message has already made it old.
    stated: Option<bool>,
    forced: Option<bool>,
    wrong: u32,
    /// Who last opened it in each way that has a property of its own.
    opened_by: BTreeMap<&'static str, String>,
    /// What its alarm property said.
    alarm: Option<String>,
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
const BY_ITSELF: &[&str] =
    &["app", "auto", "remote", "rf", "schedule", "self", "unknown", "zigbee"];

/// Properties of Tuya's locks: who opened it in which way, as a number.
pub(super) const OPENED_BY: &[(&str, &str)] = &[
    ("unlock_fingerprint", "fingerprint"),
    ("unlock_password", "password"),
    ("unlock_card", "card"),
    ("unlock_face", "face"),
    ("unlock_hand", "hand"),
    ("unlock_eye", "eye"),
    ("unlock_finger_vein", "finger_vein"),
    ("unlock_key", "key"),
    ("unlock_temporary", "temporary"),
    ("unlock_dynamic", "dynamic"),
];

/// Who it was: the way, and the user's number where the lock tells it.
fn who(way: Option<&str>, user: Option<&Value>) -> Option<String> {
    let user = user.and_then(word).filter(|user| !user.is_empty() && user != "65535");
    // Aqara's `user_id3` is user 3.
    let user = user.map(|user| user.strip_prefix("user_id").map(str::to_owned).unwrap_or(user));
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
#[derive(Debug, PartialEq, Eq)]
enum Act<'a> {
    Turned { locked: bool, way: Option<&'a str> },
    Refused,
    Forced,
    Jammed,
}

/// Words of actions that turn nothing: Aqara's lock from inside against the key, a door that moves,
/// a user that is enrolled.
const NO_TURN: &[&str] = &[
    "reverse", "child", "door", "add", "added", "delete", "deleted", "enabled", "disabled",
    "language", "bell",
];

fn act(action: &str) -> Option<Act<'_>> {
    let has = |part: &str| action.contains(part);
    if has("forced") || has("pry") {
        return Some(Act::Forced);
    }
    if has("jam") {
        return Some(Act::Jammed);
    }
    if ["fail", "invalid", "wrong", "error", "not_match", "lockout"].iter().any(|part| has(part)) {
        // A schedule that does not allow it now is a try like a wrong code.
        return Some(Act::Refused);
    }
    if action.split('_').any(|part| NO_TURN.contains(&part)) {
        return None;
    }
    // The way stands before the word, or behind it (Tuya `unlock_card`, Aqara `lock_opened_inside`).
    let before = |word: &str| action.strip_suffix(word).and_then(|rest| rest.strip_suffix('_'));
    let behind = |word: &str| action.strip_prefix(word).and_then(|rest| rest.strip_prefix('_'));
    let way = |words: &[&str]| words.iter().find_map(|word| before(word).or_else(|| behind(word)));
    if has("unlock") {
        return Some(Act::Turned { locked: false, way: way(&["unlocked", "unlock"]) });
    }
    if action.split('_').any(|part| matches!(part, "open" | "opened")) {
        let way = way(&["lock_opened", "lock_open", "opened", "open"]).filter(|way| *way != "lock");
        return Some(Act::Turned { locked: false, way });
    }
    let locked = action.split('_').any(|part| matches!(part, "lock" | "locked"));
    locked.then(|| Act::Turned { locked: true, way: before("lock").or_else(|| before("locked")) })
}

impl LockMemory {
    /// What the lock says in one message: an act, or else its state. `live` unless the broker kept
    /// the message, `replays` if the bridge may have remembered it: an action is never remembered.
    pub fn read(
        &mut self,
        exposes: &Exposes,
        fields: &Map<String, Value>,
        live: bool,
        replays: bool,
    ) -> Option<(Fact, Weight)> {
        let text = |name: &str| exposes.word(fields, name).filter(|word| !word.is_empty());
        let state = locked(exposes, fields);
        let forced = match text("door_state") {
            Some("error_forced_open") => Some(true),
            Some("open" | "closed") => Some(false),
            _ => exposes.flag(fields, "forced"),
        };
        let stated = state.is_some() && state != self.stated;
        let turned = stated && state != self.locked;
        let pried = forced.is_some() && forced != self.forced;
        let known_before = self.locked.is_some();
        self.stated = state.or(self.stated);
        if stated {
            self.locked = state;
        }
        self.forced = forced.or(self.forced);
        let opened = self.opened(fields).filter(|_| !replays && state != Some(true));
        let alarm = text("alarm_lock").filter(|alarm| self.alarm.as_deref() != Some(*alarm));
        if let Some(alarm) = alarm {
            self.alarm = Some(short(alarm));
        }
        let alarm = alarm.filter(|_| !replays).and_then(act);
        let alarm = alarm.filter(|act| matches!(act, Act::Refused | Act::Forced));
        let act = text("action").filter(|_| live).and_then(act).or(alarm);
        let told = |name: &str| fields.get(name).filter(|user| !user.is_null());
        let user = told("action_user").or_else(|| told("user"));
        let source = text("action_source_name");
        let happened = act.is_some() || opened.is_some();
        let lock = match act {
            Some(Act::Refused) => {
                let repeats = fields.get("repeat").and_then(Value::as_u64).unwrap_or_default();
                let repeats = u32::try_from(repeats).unwrap_or_default();
                self.wrong = self.wrong.saturating_add(1).max(repeats);
                let by = who(source, user);
                Lock { locked: self.locked, by, wrong_tries: Some(self.wrong), forced: None }
            }
            Some(Act::Forced) => {
                Lock { locked: self.locked, forced: Some(true), ..Lock::default() }
            }
            Some(Act::Jammed) => {
                // A bolt that is stuck holds nothing, unless the lock says that it does.
                self.locked = Some(state.unwrap_or(false));
                Lock { locked: self.locked, ..Lock::default() }
            }
            Some(Act::Turned { locked, way }) => {
                self.wrong = 0;
                // What its state says is truer than the name of the act, if it is not the old one.
                let locked = state.filter(|_| stated).unwrap_or(locked);
                self.locked = Some(locked);
                let by = who(source.or(way), user).or(opened);
                Lock { locked: Some(locked), by, wrong_tries: None, forced: None }
            }
            None if opened.is_some() => {
                self.wrong = 0;
                self.locked = Some(false);
                Lock { locked: Some(false), by: opened, wrong_tries: None, forced: None }
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
        // What was done with it is told by no memory of a bridge.
        let weight = if happened { Weight::Event } else { Weight::News };
        Some((lock.into(), weight))
    }

    /// Who opened it, if a property that tells so has changed.
    fn opened(&mut self, fields: &Map<String, Value>) -> Option<String> {
        let mut opened = None;
        for (name, way) in OPENED_BY {
            let user = fields.get(*name).filter(|user| user.is_number()).and_then(word);
            let Some(user) = user.filter(|user| user != "0") else { continue };
            if self.opened_by.get(name) != Some(&user) {
                opened = Some(short(&format!("{way} {user}")));
                self.opened_by.insert(name, user);
            }
        }
        opened
    }
}
