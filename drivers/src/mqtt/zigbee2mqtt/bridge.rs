//! What the bridge says of itself and its devices. Pure decoding.

use serde::Deserialize;
use serde_json::Value;

use super::{Exposes, Malformed};

/// A device as `bridge/devices` describes it.
#[derive(Debug, Clone)]
pub struct Described {
    /// IEEE address, `0x` and 16 hexadecimal digits.
    pub ieee_address: String,
    /// The name its topics carry.
    pub friendly_name: String,
    /// What it exposes; empty while it is not interviewed or not supported.
    pub exposes: Exposes,
}

#[derive(Deserialize)]
struct Raw {
    ieee_address: String,
    friendly_name: String,
    #[serde(default)]
    definition: Option<Definition>,
}

#[derive(Deserialize)]
struct Definition {
    #[serde(default)]
    exposes: Vec<Value>,
}

/// Reads `bridge/devices`. One malformed device never hides the others.
///
/// # Errors
/// [`Malformed`] if it is not a list at all.
pub fn devices(payload: &[u8]) -> Result<Vec<Described>, Malformed> {
    let list: Vec<Value> = serde_json::from_slice(payload)?;
    Ok(list
        .into_iter()
        .filter_map(|value| serde_json::from_value::<Raw>(value).ok())
        .map(|raw| Described {
            ieee_address: raw.ieee_address,
            friendly_name: raw.friendly_name,
            exposes: raw.definition.map(|d| Exposes::read(&d.exposes)).unwrap_or_default(),
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
    match payload {
        b"online" => Ok(true),
        b"offline" => Ok(false),
        _ => {
            let state: State = serde_json::from_slice(payload)?;
            match state.state.as_str() {
                "online" => Ok(true),
                "offline" => Ok(false),
                other => Err(Malformed::Payload(serde::de::Error::custom(format!(
                    "unknown state {:?}",
                    other.chars().take(40).collect::<String>()
                )))),
            }
        }
    }
}
