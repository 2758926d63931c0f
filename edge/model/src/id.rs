//! Identifiers. Each is a checked string of its own type, so that a device can not be taken for a
//! contact. Nothing from a wire becomes an identifier without passing here.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a valid {what}; use 1 to 64 of the characters a-z, 0-9 and -")]
pub struct IdError {
    what: &'static str,
    text: String,
}

/// Longest identifier, in bytes.
pub const MAX_ID_BYTES: usize = 64;

fn well_formed(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            /// [`IdError`] unless it is 1 to 64 of the characters `a-z`, `0-9` and `-`.
            pub fn new(text: &str) -> Result<Self, IdError> {
                if well_formed(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { what: $what, text: text.chars().take(80).collect() })
                }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern = format!("^[a-z0-9-]{{1,{MAX_ID_BYTES}}}$");
                schemars::json_schema!({
                    "description": concat!("A ", $what, "."),
                    "type": "string",
                    "pattern": pattern,
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier!(
    /// The box, as in `[box] id`.
    BoxId, "box id"
);
identifier!(
    /// A device, as in `[[device]] id`.
    DeviceId, "device id"
);
identifier!(
    /// A link, as in `[links.ID]`.
    LinkId, "link id"
);
identifier!(
    /// A person who lives in the home.
    PersonId, "person id"
);
identifier!(
    /// Somebody who is told and may come.
    ContactId, "contact id"
);
identifier!(
    /// A room of the home.
    RoomId, "room id"
);
identifier!(
    /// A speaker in another room.
    SatelliteId, "satellite id"
);

/// The name of a journal entry: box, epoch and number. Rises with (epoch, seq).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryId {
    /// The box that wrote it.
    pub box_id: BoxId,
    /// Counts the times that numbers could have repeated.
    pub epoch: u64,
    /// Grows by one for each entry within an epoch.
    pub seq: u64,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.box_id, self.epoch, self.seq)
    }
}

impl FromStr for EntryId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError { what: "entry id", text: text.chars().take(80).collect() };
        let mut parts = text.split('/');
        let (Some(box_id), Some(epoch), Some(seq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        Ok(Self {
            box_id: BoxId::new(box_id)?,
            epoch: epoch.parse().map_err(|_| wrong())?,
            seq: seq.parse().map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked() {
        assert_eq!(DeviceId::new("sos-1").unwrap().as_str(), "sos-1");
        for wrong in ["", "A", "a b", "a/b", "卧室", &"x".repeat(65)] {
            assert!(DeviceId::new(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<DeviceId>("\"../x\"").is_err());
    }

    #[test]
    fn entry_ids_round_trip() {
        let id: EntryId = "hz-000123/3/4711".parse().unwrap();
        assert_eq!((id.epoch, id.seq), (3, 4711));
        assert_eq!(id.to_string(), "hz-000123/3/4711");
        for wrong in ["", "a/1", "a/1/2/3", "a/x/2", "a/1/-2"] {
            assert!(wrong.parse::<EntryId>().is_err(), "{wrong}");
        }
    }
}
