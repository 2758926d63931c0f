//! The box's own settings: upstream, page, speaker, journal, modem.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;

use super::ActiveLevel;
use crate::{RoomId, SatelliteId};

/// The way to the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Host name or address.
    pub host: String,
    /// TCP port; 8883 for `mqtts`, 1883 for `mqtt`.
    pub port: u16,
    /// TLS (`mqtts://`).
    pub tls: bool,
    /// Topic prefix, `anju/1`.
    pub topic: String,
    /// CA certificates that may sign the broker's, PEM.
    pub ca: Option<PathBuf>,
    /// The box's certificate chain, PEM.
    pub client_cert: Option<PathBuf>,
    /// The box's private key, PEM.
    pub client_key: Option<PathBuf>,
    /// Public key that signs `configure` and `update`.
    pub command_key: Option<PathBuf>,
    /// User name, if the broker wants one.
    pub username: Option<String>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// How often the status is published.
    pub heartbeat: Duration,
}

/// The local page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Where it listens; only loopback is taken until sign-in exists.
    pub listen: SocketAddr,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

/// The speaker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Speaker {
    /// ALSA device; `default` if absent.
    pub device: Option<String>,
    /// Folder for WAV files, when there is no sound card.
    pub wav_dir: Option<PathBuf>,
    /// Folder of recordings that are heard instead of the built-in prompts.
    pub pack: Option<PathBuf>,
    /// A service that speaks what nobody recorded.
    pub tts: Option<VoiceService>,
    /// Speakers in other rooms.
    pub satellites: Vec<Satellite>,
}

/// A service of the Wyoming protocol that speaks words, such as Piper's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceService {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Which of its voices; its own choice if absent.
    pub voice: Option<String>,
}

/// A speaker in another room, reached over the Wyoming protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satellite {
    /// Its name in faults and events.
    pub id: SatelliteId,
    /// Where it stands.
    pub room: Option<RoomId>,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What is said there.
    pub says: Says,
}

/// What a satellite says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// `critical`: only what calls for help or warns of danger.
    Critical,
    /// `all`: what the box itself says.
    All,
}

/// The switch that tells when the box's own case is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSwitch {
    /// The kernel's device of the chip.
    pub chip: PathBuf,
    /// Line of the chip.
    pub pin: u32,
    /// Whether the switch is closed, pulling the line to ground, while the case is shut.
    pub closed_when_shut: bool,
}

/// The 4G modem, as far as it does not speak for itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Modem {
    /// The line that cuts its power, where there is one.
    pub power: Option<ModemPower>,
    /// Bytes that the contract has for a calendar month.
    pub data_budget: Option<u64>,
    /// Access point name of the contract, for data.
    pub apn: Option<String>,
    /// Last day of the contract.
    pub contract_ends: Option<Date>,
}

/// The line that cuts the modem's power while it is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModemPower {
    /// The GPIO chip.
    pub chip: PathBuf,
    /// Line offset on it.
    pub pin: u32,
    /// Level that cuts the power.
    pub active: ActiveLevel,
}

/// Limits of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLimits {
    /// Most bytes on disk.
    pub max_bytes: u64,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self { max_bytes: 1024 * 1024 * 1024 }
    }
}
