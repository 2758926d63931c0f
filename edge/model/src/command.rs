//! What people ask of the box: the same few acts whether they come from upstream, from a phone's
//! button, from the page or from the command line.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::delivery::DeliveryState;
use crate::{AlertId, ContactId, Outcome};

/// One act asked of the box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// I take it on.
    Accept {
        /// Which alert.
        alert: AlertId,
        /// Minutes until I am there.
        #[serde(default, deserialize_with = "whole")]
        minutes: Option<u32>,
    },
    /// I am there.
    Arrived {
        /// Which alert.
        alert: AlertId,
    },
    /// It is over.
    Close {
        /// Which alert.
        alert: AlertId,
        /// How it ended.
        outcome: Outcome,
        /// In words.
        #[serde(default)]
        note: String,
    },
    /// Somebody asked how the person is.
    FollowUp {
        /// Which alert.
        alert: AlertId,
        /// In words.
        #[serde(default)]
        note: String,
    },
    /// The centre tells what became of a message that it was asked to pass on.
    Delivery {
        /// Which alert.
        alert: AlertId,
        /// To whom.
        contact: ContactId,
        /// How far it got: `sent`, `failed` or `answered`.
        state: DeliveryState,
        /// Over what: `sms`, `voice`, `wechat`, ...
        #[serde(default)]
        over: String,
        /// What went wrong, or what was answered.
        #[serde(default)]
        detail: String,
    },
    /// Nobody will be at home until then; `None` ends it.
    Away {
        /// Until when.
        until: Option<Timestamp>,
    },
    /// Say this in the home.
    Speak {
        /// The words, at most 500 characters.
        text: String,
    },
}

impl Command {
    /// Names of the commands this version carries out.
    pub const NAMES: &'static [&'static str] =
        &["accept", "arrived", "close", "follow_up", "delivery", "away", "speak"];

    /// The name in the type `cn.anju.command.<name>`.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Accept { .. } => "accept",
            Command::Arrived { .. } => "arrived",
            Command::Close { .. } => "close",
            Command::FollowUp { .. } => "follow_up",
            Command::Delivery { .. } => "delivery",
            Command::Away { .. } => "away",
            Command::Speak { .. } => "speak",
        }
    }
}

/// A command with who sent it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Unique for each act; the same id is carried out once.
    pub id: String,
    /// Who.
    pub by: String,
    /// The channel: `upstream`, `ntfy`, `page`, `command-line`.
    pub via: String,
    /// What.
    #[serde(flatten)]
    pub command: Command,
}

/// A whole number, however it is written: to JSON, 5 and 5.0 are one number (RFC 8259, 6).
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    let whole = number.as_u64().and_then(|whole| u32::try_from(whole).ok()).or_else(|| {
        let number = number.as_f64().filter(|n| n.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    });
    let whole = whole.ok_or_else(|| {
        serde::de::Error::custom(format!("`minutes` is {number}, no whole number of minutes"))
    })?;
    Ok(Some(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_whole_however_they_are_written() {
        let read = |minutes: &str| {
            let alert = r#""command":"accept","alert":"hz/1/2""#;
            let command = serde_json::from_str(&format!("{{{alert}{minutes}}}")).ok()?;
            let Command::Accept { minutes, .. } = command else { return None };
            Some(minutes)
        };
        for five in ["5", "5.0", "5e0", "0.5e1"] {
            assert_eq!(read(&format!(r#","minutes":{five}"#)), Some(Some(5)), "{five}");
        }
        assert_eq!(read(""), Some(None));
        assert_eq!(read(r#","minutes":null"#), Some(None));
        for no in ["5.5", "-1", "-1.0", "1e300", "4294967296", "\"5\"", "[]", "true"] {
            assert_eq!(read(&format!(r#","minutes":{no}"#)), None, "{no}");
        }
    }
}
