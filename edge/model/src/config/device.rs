//! Devices: what hangs on which link, and how it is found there.

use std::time::Duration;

use super::mqtt::{FrigateBinding, JsonBinding, MqttBinding, OwnTracksBinding, Rtl433Binding};
use crate::observation::Origin;
use crate::{DeviceId, DeviceKind, LinkId, PersonId, RoomId};

/// One device of the home.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Identifier.
    pub id: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// The name people use.
    pub name: String,
    /// Where it stands.
    pub room: Option<RoomId>,
    /// Whose it is.
    pub person: Option<PersonId>,
    /// The link it hangs on.
    pub link: LinkId,
    /// How it is found there.
    pub binding: Binding,
    /// Longest silence before it counts as lost; the kind's default if absent.
    pub heard_within: Option<Duration>,
}

impl Device {
    /// What its observations carry.
    pub fn origin(&self) -> Origin {
        Origin {
            device: self.id.clone(),
            kind: self.kind,
            room: self.room.clone(),
            person: self.person.clone(),
        }
    }
}

/// How a device is found on its link; the variant fits the link's kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Binding {
    /// A line of a GPIO chip.
    Gpio(GpioBinding),
    /// An address on a serial bus.
    Serial(SerialBinding),
    /// A device that zigbee2mqtt paired.
    Mqtt(MqttBinding),
    /// A camera that Frigate watches.
    Frigate(FrigateBinding),
    /// A phone or tracker.
    OwnTracks(OwnTracksBinding),
    /// A 433 or 868 MHz device.
    Rtl433(Rtl433Binding),
    /// Whatever publishes JSON.
    Json(JsonBinding),
}

/// A line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioBinding {
    /// Line offset on the chip (BCM number on a Raspberry Pi).
    pub pin: u32,
    /// Level of the active state.
    pub active: ActiveLevel,
    /// Pull resistor.
    pub bias: Bias,
    /// Shortest level that counts.
    pub debounce: Duration,
    /// How the contact is wired.
    pub contact: ButtonContact,
}

/// Level of the active state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveLevel {
    /// `low`
    Low,
    /// `high`
    High,
}

/// Pull resistor of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bias {
    /// `pull-up`
    PullUp,
    /// `pull-down`
    PullDown,
    /// `none`
    None,
}

/// How a contact is wired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonContact {
    /// `normally-open`: closes when pressed (or when the door closes, for a reed contact).
    NormallyOpen,
    /// `normally-closed`
    NormallyClosed,
}

/// An address on a serial bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialBinding {
    /// The protocol spoken.
    pub protocol: SerialProtocol,
    /// The device's address as its protocol writes it.
    pub address: String,
    /// How often it is read.
    pub poll: Duration,
}

/// Protocols on serial buses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SerialProtocol {
    /// `dlt645`: DL/T 645-2007.
    Dlt645,
}
