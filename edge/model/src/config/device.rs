//! Devices: what hangs on which link, and how it is found there.

use std::path::PathBuf;
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
    /// A siren that does not sound but shows by its light that the box says something grave.
    pub announces: Option<Announcer>,
}

/// How a device shows that the box says something grave, for who hears badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcer {
    /// `light`: a lamp or plug that is switched on and off. A switch sparks.
    Light,
    /// `strobe`: the flash light of a warning device, which does not spark.
    Strobe,
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

    /// Whether it is a wired alarm whose cable nobody supervises: cut, it is mute and nobody knows.
    pub const fn unsupervised(&self) -> bool {
        match &self.binding {
            Binding::Gpio(line) => line.loop_pin.is_none() && is_wired_alarm(self.kind),
            _ => false,
        }
    }
}

/// Whether a device of this kind on a line can have a supervised loop.
pub(super) const fn is_wired_alarm(kind: DeviceKind) -> bool {
    matches!(
        kind,
        DeviceKind::FixedAlarm | DeviceKind::Smoke | DeviceKind::Gas | DeviceKind::WaterLeak
    )
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
    /// A chip on an I2C bus.
    I2c(I2cBinding),
    /// A device of the home network.
    Net(NetBinding),
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
#[derive(Debug, Clone, PartialEq)]
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
    /// The line of the other throw of a change-over contact, which is closed at rest. With it a cut
    /// and a shorted cable are told apart from an alarm; without it the device is unsupervised.
    pub loop_pin: Option<u32>,
    /// What one pulse of a meter stands for, litres or watt hours by the kind of meter.
    pub per_pulse: Option<f64>,
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

/// A chip on an I2C bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I2cBinding {
    /// Which chip.
    pub chip: I2cChip,
    /// Its 7-bit address.
    pub address: u8,
    /// How often it is read.
    pub poll: Duration,
}

/// Chips on I2C buses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum I2cChip {
    /// `sht3x`: temperature and humidity.
    Sht3x,
    /// `scd4x`: carbon dioxide, temperature and humidity.
    Scd4x,
}

impl I2cChip {
    /// All chips.
    pub const ALL: [I2cChip; 2] = [I2cChip::Sht3x, I2cChip::Scd4x];

    /// The protocol's name in configuration and catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            I2cChip::Sht3x => "sht3x",
            I2cChip::Scd4x => "scd4x",
        }
    }

    /// The address it leaves the factory with (Sensirion's data sheets).
    pub const fn usual_address(self) -> u8 {
        match self {
            I2cChip::Sht3x => 0x44,
            I2cChip::Scd4x => 0x62,
        }
    }
}

/// A device of the home network, by the protocol that finds it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetBinding {
    /// `presence`: it is on while it answers on the network.
    Presence {
        /// Its IP address, host name or MAC address.
        address: String,
        /// How often it is looked for.
        poll: Duration,
    },
    /// `cec`: what a television says on the line of an HDMI cable.
    Cec {
        /// The kernel's device.
        path: PathBuf,
        /// How often it is asked.
        poll: Duration,
    },
    /// `onvif`: a camera's events.
    Onvif {
        /// URL of its device service, with `http://`.
        url: String,
        /// User name and the file that holds the password, if it wants them.
        login: Option<(String, PathBuf)>,
    },
    /// `wyoming`: a service that hears wake words.
    Wyoming {
        /// Its host and port.
        address: String,
        /// The wake words that call for help; all if empty.
        wake_words: Vec<String>,
    },
}

impl NetBinding {
    /// The protocols' names in configuration and catalogue.
    pub const PROTOCOLS: [&'static str; 4] = ["presence", "cec", "onvif", "wyoming"];

    /// The name of its protocol.
    pub const fn protocol(&self) -> &'static str {
        match self {
            NetBinding::Presence { .. } => "presence",
            NetBinding::Cec { .. } => "cec",
            NetBinding::Onvif { .. } => "onvif",
            NetBinding::Wyoming { .. } => "wyoming",
        }
    }
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
