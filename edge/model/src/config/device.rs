//! Devices: what hangs on which link, and how it is found there.

use std::time::Duration;

use super::ble::BleBinding;
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
    /// A device on the air.
    Ble(BleBinding),
    /// A device that talks by itself, alone on its serial port.
    Talker(TalkerBinding),
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
    /// The protocol spoken; found by asking if absent.
    pub protocol: Option<SerialProtocol>,
    /// The device's address as its protocol writes it; found by asking if absent.
    pub address: Option<String>,
    /// How often it is read.
    pub poll: Duration,
    /// The make, where the protocol leaves its registers to that.
    pub model: Option<SerialModel>,
    /// What the maker's status bits mean.
    pub profile: StatusProfile,
    /// Step of its counter, litres, where that is coarser than its protocol tells.
    pub step_litres: Option<u32>,
}

/// A device that talks by itself, alone on its serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalkerBinding {
    /// The protocol spoken.
    pub protocol: TalkProtocol,
    /// What a voice module's frame looks like; the usual one if absent.
    pub frame: Option<String>,
    /// What a voice module's words mean.
    pub words: Vec<VoiceWord>,
}

/// Protocols of devices that talk by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TalkProtocol {
    /// `radar`: the radars whose frames begin with `53 59`.
    Radar,
    /// `ld2410`: HLK-LD2410 presence radar.
    Ld2410,
    /// `pms5003`: Plantower dust sensor.
    Pms5003,
    /// `voice`: a voice-recognition module.
    Voice,
}

/// A word that a voice module knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceWord {
    /// The module's number for it.
    pub id: u8,
    /// What it means.
    pub meaning: VoiceMeaning,
    /// The word, for the record.
    pub phrase: String,
}

/// What a spoken word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VoiceMeaning {
    /// `help`: help is wanted; also the answer "yes" to the box's question.
    Help,
    /// `no`: no help is wanted.
    No,
}

/// Protocols on serial buses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SerialProtocol {
    /// `dlt645`: DL/T 645-2007.
    Dlt645,
    /// `cjt188`: CJ/T 188.
    Cjt188,
    /// `mbus`: M-Bus, EN 13757.
    Mbus,
    /// `modbus`: Modbus RTU.
    Modbus,
}

impl SerialProtocol {
    /// Those whose devices answer when they are asked.
    pub const POLLED: [SerialProtocol; 4] = [
        SerialProtocol::Dlt645,
        SerialProtocol::Cjt188,
        SerialProtocol::Mbus,
        SerialProtocol::Modbus,
    ];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            SerialProtocol::Dlt645 => "dlt645",
            SerialProtocol::Cjt188 => "cjt188",
            SerialProtocol::Mbus => "mbus",
            SerialProtocol::Modbus => "modbus",
        }
    }
}

impl std::fmt::Display for SerialProtocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes of serial devices whose registers are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SerialModel {
    /// `sdm120` and `sdm230`: Eastron electricity meters with the same registers.
    Sdm,
    /// `tuf-2000m`: clamp-on flow meter.
    Tuf2000m,
}

impl std::fmt::Display for SerialModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SerialModel::Sdm => "SDM120/SDM230",
            SerialModel::Tuf2000m => "TUF-2000M",
        })
    }
}

/// What the status bits of a CJ/T 188 meter mean; makers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum StatusProfile {
    /// `standard`: valve in bits 0 and 1, low battery in bit 2.
    #[default]
    Standard,
    /// `high-bits`: valve in bits 6 and 7, low battery in bit 5.
    HighBits,
    /// `unknown`: nothing is concluded from them.
    Unknown,
}
