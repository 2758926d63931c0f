//! What the bridge says of itself and its devices. Pure decoding.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Exposes;
use crate::mqtt::dialect::Malformed;

/// A device as `bridge/devices` names it; what it exposes is read only for ours.
#[derive(Debug, Clone)]
pub struct Described<'a> {
    /// IEEE address, `0x` and 16 hexadecimal digits.
    pub ieee_address: String,
    /// The name its topics carry.
    pub friendly_name: String,
    /// How the bridge stands to it.
    pub standing: Standing,
    definition: Option<&'a RawValue>,
}

/// How the bridge stands to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It hears it, as far as it says.
    Heard,
    /// It was told to leave it alone.
    Disabled,
    /// Its interview is still to begin; one that was broken off stays so.
    Joining,
    /// Its interview failed.
    NotInterviewed,
}

#[derive(Deserialize)]
struct Raw<'a> {
    ieee_address: String,
    friendly_name: String,
    #[serde(default, borrow)]
    definition: Option<&'a RawValue>,
    #[serde(default)]
    disabled: Value,
    #[serde(default)]
    interview_state: Value,
    /// Before version 2 all that is said of the interview.
    #[serde(default)]
    interview_completed: Value,
    #[serde(default)]
    interviewing: Value,
}

impl Raw<'_> {
    fn standing(&self) -> Standing {
        let failed = self.interview_completed == false && self.interviewing != true;
        match self.interview_state.as_str() {
            _ if self.disabled == true => Standing::Disabled,
            Some("FAILED") => Standing::NotInterviewed,
            Some("PENDING") => Standing::Joining,
            None if failed => Standing::NotInterviewed,
            _ => Standing::Heard,
        }
    }
}

#[derive(Deserialize)]
struct Definition {
    #[serde(default)]
    exposes: Vec<Value>,
}

impl Described<'_> {
    /// What it exposes; nothing while it is not interviewed or not supported.
    pub fn exposes(&self) -> Exposes {
        self.definition
            .and_then(|raw| serde_json::from_str::<Option<Definition>>(raw.get()).ok().flatten())
            .map(|definition| Exposes::read(&definition.exposes))
            .unwrap_or_default()
    }
}

/// The IEEE address, in lower case, of the device that a state says it is of.
pub fn introduces(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct State {
        device: Who,
    }
    #[derive(Deserialize)]
    struct Who {
        #[serde(rename = "ieeeAddr")]
        ieee_address: String,
    }
    let state: State = serde_json::from_slice(payload).ok()?;
    Some(state.device.ieee_address.to_lowercase())
}

/// Reads `bridge/devices`, which may be hundreds of kilobytes. One malformed device never hides the
/// others.
///
/// # Errors
/// [`Malformed`] if it is not a list at all.
pub fn devices(payload: &[u8]) -> Result<Vec<Described<'_>>, Malformed> {
    let list: Vec<&RawValue> = serde_json::from_slice(payload)?;
    Ok(list
        .into_iter()
        .filter_map(|raw| serde_json::from_str::<Raw<'_>>(raw.get()).ok())
        .map(|raw| Described {
            standing: raw.standing(),
            ieee_address: raw.ieee_address,
            friendly_name: raw.friendly_name,
            definition: raw.definition,
        })
        .collect())
}

#[derive(Deserialize)]
struct State {
    state: String,
}

/// Reads `bridge/state` or an availability: `{"state":"online"}`, or bare `online` of version 1.
///
/// # Errors
/// [`Malformed`] if it is neither.
pub fn state(payload: &[u8]) -> Result<bool, Malformed> {
    let word = match payload {
        b"online" | b"offline" => std::str::from_utf8(payload).unwrap_or_default().to_owned(),
        _ => serde_json::from_slice::<State>(payload)?.state,
    };
    match word.as_str() {
        "online" => Ok(true),
        "offline" => Ok(false),
        other => Err(Malformed::Value(format!(
            "unknown state {:?}",
            other.chars().take(40).collect::<String>()
        ))),
    }
}

/// Reads `bridge/info`: whether each property has a topic of its own (`advanced.output`).
///
/// # Errors
/// [`Malformed`] if it is not JSON.
pub fn by_attribute(payload: &[u8]) -> Result<bool, Malformed> {
    let info: Value = serde_json::from_slice(payload)?;
    let output = info.pointer("/config/advanced/output").and_then(Value::as_str);
    Ok(output == Some("attribute"))
}

/// Reads `bridge/event`: the IEEE address of a device that left the network.
///
/// # Errors
/// [`Malformed`] if it is not JSON.
pub fn left(payload: &[u8]) -> Result<Option<String>, Malformed> {
    let event: Value = serde_json::from_slice(payload)?;
    let left = event.get("type").and_then(Value::as_str) == Some("device_leave");
    let address = event.pointer("/data/ieee_address").and_then(Value::as_str);
    Ok(address.filter(|_| left).map(str::to_owned))
}
