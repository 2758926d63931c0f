//! What left the box towards people, channel by channel. A delivery must never be recorded as
//! sent before the channel's far side said so.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AlertId, Class, ContactId};

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The channel's far side took it.
    Sent,
    /// It could not be handed over; it is tried again.
    Failed,
    /// The human answered over it.
    Answered,
    /// The centre is asked to pass it on, and has not answered yet.
    Requested,
}

impl DeliveryState {
    /// Every state's name.
    pub const NAMES: &'static [&'static str] = &["sent", "failed", "answered", "requested"];

    /// The last part of the type `cn.anju.delivery.<name>`.
    pub const fn name(self) -> &'static str {
        match self {
            DeliveryState::Sent => "sent",
            DeliveryState::Failed => "failed",
            DeliveryState::Answered => "answered",
            DeliveryState::Requested => "requested",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sent, Self::Failed, Self::Answered, Self::Requested]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

/// One message to one contact over one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// How far it got; on the wire this is the entry's type.
    #[serde(skip)]
    pub state: DeliveryState,
    /// The message itself.
    #[serde(flatten)]
    pub message: Message,
}

/// Which message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// The alert it tells of.
    pub alert: AlertId,
    /// To whom.
    pub contact: ContactId,
    /// Over what: `ntfy`, `sms`, ...
    pub channel: String,
    /// Which try, from 1.
    pub attempt: u32,
    /// What went wrong, or what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What the centre is asked to pass on; only in `requested`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<Asked>>,
}

/// What the centre is asked to pass on to a contact, by telephone, text message or WeChat as it
/// sees fit. It answers with the command `delivery`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Asked {
    /// The contact's name.
    pub name: String,
    /// What the contact is to the person, as in the configuration.
    pub role: String,
    /// Telephone number in E.164 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What it tells: `call`, `call-back`, `again`, `cancelled`, `accepted`, `taken`, `lapsed`,
    /// `over`, `closed`, `late`.
    pub kind: String,
    /// Class of the alert.
    pub class: Class,
    /// A test.
    pub test: bool,
    /// A few words, without names and rooms.
    pub title: String,
    /// A sentence, without names and rooms.
    pub text: String,
}

impl Delivery {
    /// Reads the `data` of an entry of type `cn.anju.delivery.<name>`.
    ///
    /// # Errors
    /// `None` for a name this version does not know; an error when a known one is malformed.
    pub fn from_data(
        name: &str,
        data: &Map<String, Value>,
    ) -> Result<Option<Self>, serde_json::Error> {
        let Some(state) = DeliveryState::from_name(name) else { return Ok(None) };
        Ok(Some(Self { state, message: Message::deserialize(data)? }))
    }
}
