//! Commands from upstream: CloudEvents of type `cn.anju.command.<name>`. Nothing is carried out
//! that is retained, expired, old, unknown or malformed, and each refusal says why. Pure parsing;
//! whether an act fits the alert is for the alert's life to say.

use std::time::Duration;

use anju_model::command::{Command, Request};
use anju_model::{Clock, Stamp};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// A command older than this is refused, when the clock is known.
pub const OLDEST: Duration = Duration::from_secs(5 * 60);

/// A command from further in the future than this is refused, when the clock is synchronised. One
/// that was carried over a time without power is behind by that time, and what the centre asks for
/// then comes from its future.
const MOST_AHEAD: Duration = Duration::from_secs(5 * 60);

/// Longest id, in bytes.
const MAX_ID: usize = 200;

/// Longest text to speak, in characters.
const MAX_SPEECH: usize = 500;

const PREFIX: &str = "cn.anju.command.";

/// Why a command is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Kept by the broker from before.
    #[error("a retained command is never carried out; publish it without retain")]
    Retained,
    /// Not a CloudEvents object with the fields of a command.
    #[error("not a command: {0}")]
    Malformed(String),
    /// Another version's command, or none.
    #[error("unknown command {0}")]
    Unknown(String),
    /// Its `expires` has passed.
    #[error("it expired at {0}")]
    Expired(Timestamp),
    /// Its `time` is too long ago, or ahead.
    #[error("its time {0} is more than 5 minutes from the box's clock")]
    NotNow(Timestamp),
}

/// A command that could not be read far enough, with its id if it had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For the reply.
    pub id: Option<String>,
    /// Why.
    pub refusal: Refusal,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    r#type: String,
    time: Timestamp,
    #[serde(default)]
    data: Map<String, Value>,
}

#[derive(Deserialize)]
struct Common {
    by: String,
    #[serde(default)]
    expires: Option<Timestamp>,
}

/// Reads a command. While the clock is unknown its age can not be judged.
///
/// # Errors
/// [`Refused`] says why it is not carried out.
pub fn parse(payload: &[u8], retained: bool, now: &Stamp) -> Result<Request, Refused> {
    let refused = |id: Option<&str>, refusal| Refused { id: id.map(str::to_owned), refusal };
    let malformed = |id: Option<&str>, why: String| refused(id, Refusal::Malformed(why));
    let envelope: Envelope = serde_json::from_slice(payload).map_err(|error| {
        let id = serde_json::from_slice::<Value>(payload).ok();
        let id = id.as_ref().and_then(|v| v.get("id")).and_then(Value::as_str);
        malformed(id.filter(|id| fits(id)), error.to_string())
    })?;
    if !fits(&envelope.id) {
        return Err(malformed(None, "its id is empty, too long or has control characters".into()));
    }
    let id = Some(envelope.id.as_str());
    if retained {
        return Err(refused(id, Refusal::Retained));
    }
    let name = envelope
        .r#type
        .strip_prefix(PREFIX)
        .filter(|name| Command::NAMES.contains(name))
        .ok_or_else(|| refused(id, Refusal::Unknown(envelope.r#type.chars().take(80).collect())))?;
    let mut data = envelope.data;
    let common = Common::deserialize(&data).map_err(|error| malformed(id, error.to_string()))?;
    if now.clock != Clock::Unknown {
        if let Some(expires) = common.expires.filter(|expires| *expires < now.wall) {
            return Err(refused(id, Refusal::Expired(expires)));
        }
        let age = now.wall.duration_since(envelope.time);
        let (oldest, ahead) = (OLDEST.as_secs(), MOST_AHEAD.as_secs());
        let (oldest, ahead) = (oldest.cast_signed(), ahead.cast_signed());
        let is_ahead = now.clock == Clock::Synchronised && age.as_secs() < -ahead;
        if age.as_secs() > oldest || is_ahead {
            return Err(refused(id, Refusal::NotNow(envelope.time)));
        }
    }
    data.insert("command".to_owned(), Value::String(name.to_owned()));
    let command = Command::deserialize(Value::Object(data))
        .map_err(|error| malformed(id, error.to_string()))?;
    if matches!(&command, Command::Speak { text } if text.chars().count() > MAX_SPEECH) {
        return Err(malformed(id, format!("the text is longer than {MAX_SPEECH} characters")));
    }
    let by = common.by.chars().filter(|c| !c.is_control()).take(MAX_ID).collect();
    Ok(Request { id: envelope.id, by, via: "upstream".to_owned(), command })
}

fn fits(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && !id.chars().any(char::is_control)
}

/// The answer to a command.
pub fn reply(id: Option<&str>, result: &Result<(), String>) -> Vec<u8> {
    serde_json::json!({"id": id, "ok": result.is_ok(), "error": result.as_ref().err()})
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-23T13:04:05Z";

    fn now(clock: Clock) -> Stamp {
        Stamp { boot: "b".into(), mono_ms: 1, wall: NOW.parse().unwrap(), clock }
    }

    fn accept(time: &str, more: &str) -> String {
        format!(
            r#"{{"specversion":"1.0","id":"c1","type":"cn.anju.command.accept","time":"{time}",
            "data":{{"by":"operator 7","alert":"hz/1/2","minutes":10{more}}}}}"#
        )
    }

    fn refusal(payload: &str, retained: bool) -> Refusal {
        parse(payload.as_bytes(), retained, &now(Clock::Synchronised)).unwrap_err().refusal
    }

    #[test]
    fn a_command_is_read() {
        let now = now(Clock::Synchronised);
        let request = parse(accept(NOW, "").as_bytes(), false, &now).unwrap();
        assert_eq!((request.id.as_str(), request.by.as_str()), ("c1", "operator 7"));
        assert!(matches!(request.command, Command::Accept { minutes: Some(10), .. }));
    }

    #[test]
    fn what_is_stale_is_refused_while_the_clock_is_known() {
        assert_eq!(refusal(&accept(NOW, ""), true), Refusal::Retained);
        let old = accept("2026-11-23T12:00:00Z", "");
        assert!(matches!(refusal(&old, false), Refusal::NotNow(_)));
        let ahead = accept("2026-11-24T12:00:00Z", "");
        assert!(matches!(refusal(&ahead, false), Refusal::NotNow(_)));
        assert!(parse(old.as_bytes(), false, &now(Clock::Unknown)).is_ok());
        let expired = accept(NOW, r#","expires":"2026-11-23T13:00:00Z""#);
        assert!(matches!(refusal(&expired, false), Refusal::Expired(_)));
    }

    /// Its clock stood still while it had no power; the centre's did not.
    #[test]
    fn a_clock_that_is_behind_does_not_make_the_box_deaf() {
        let estimated = |payload: &str, retained| {
            parse(payload.as_bytes(), retained, &now(Clock::Estimated)).map_err(|r| r.refusal)
        };
        let ahead = accept("2026-11-24T12:00:00Z", r#","expires":"2026-11-24T13:00:00Z""#);
        assert!(estimated(&ahead, false).is_ok());
        assert_eq!(estimated(&ahead, true), Err(Refusal::Retained));
        let old = accept("2026-11-23T12:00:00Z", "");
        assert!(matches!(estimated(&old, false), Err(Refusal::NotNow(_))));
        let expired = accept(NOW, r#","expires":"2026-11-23T13:00:00Z""#);
        assert!(matches!(estimated(&expired, false), Err(Refusal::Expired(_))));
    }

    #[test]
    fn what_is_malformed_is_refused_with_its_id() {
        for (payload, id) in [
            ("", None),
            ("[]", None),
            (r#"{"id":"x"}"#, Some("x")),
            (
                r#"{"id":"x","type":"cn.anju.command.accept","time":"2026-11-23T13:04:05Z","data":{"by":"o"}}"#,
                Some("x"),
            ),
            (r#"{"id":"","type":"cn.anju.command.accept","time":"2026-11-23T13:04:05Z"}"#, None),
        ] {
            let refused = parse(payload.as_bytes(), false, &now(Clock::Synchronised)).unwrap_err();
            assert!(matches!(refused.refusal, Refusal::Malformed(_)), "{payload}");
            assert_eq!(refused.id.as_deref(), id, "{payload}");
        }
        let unknown = accept(NOW, "").replace("command.accept", "command.dance");
        assert!(matches!(refusal(&unknown, false), Refusal::Unknown(_)));
    }

    #[test]
    fn a_reply_has_the_three_fields() {
        let json: Value = serde_json::from_slice(&reply(Some("c1"), &Ok(()))).unwrap();
        assert_eq!(json, serde_json::json!({"id":"c1","ok":true,"error":null}));
    }
}
