//! Links: the buses, radios and brokers that devices hang on.

use std::path::PathBuf;

use super::ble::BleLink;

/// One link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// GPIO lines of one chip.
    Gpio(GpioLink),
    /// A serial bus.
    Serial(SerialLink),
    /// A Bluetooth adapter.
    Ble(BleLink),
    /// An I2C bus.
    I2c(I2cLink),
    /// A broker with one dialect of topics.
    Mqtt(MqttLink),
    /// The home network.
    Net,
}

/// The kinds of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    /// `gpio`
    Gpio,
    /// `serial`
    Serial,
    /// `i2c`
    I2c,
    /// `ble`
    Ble,
    /// `mqtt`
    Mqtt,
    /// `net`
    Net,
}

impl LinkKind {
    /// All kinds.
    pub const ALL: [LinkKind; 6] = [
        LinkKind::Gpio,
        LinkKind::Serial,
        LinkKind::I2c,
        LinkKind::Ble,
        LinkKind::Mqtt,
        LinkKind::Net,
    ];

    /// The name in configuration and catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            LinkKind::Gpio => "gpio",
            LinkKind::Serial => "serial",
            LinkKind::I2c => "i2c",
            LinkKind::Ble => "ble",
            LinkKind::Mqtt => "mqtt",
            LinkKind::Net => "net",
        }
    }
}

impl Link {
    /// Its kind.
    pub const fn kind(&self) -> LinkKind {
        match self {
            Link::Gpio(_) => LinkKind::Gpio,
            Link::Serial(_) => LinkKind::Serial,
            Link::Ble(_) => LinkKind::Ble,
            Link::I2c(_) => LinkKind::I2c,
            Link::Mqtt(_) => LinkKind::Mqtt,
            Link::Net => LinkKind::Net,
        }
    }
}

/// A GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioLink {
    /// The character device, or the chip's name or label.
    pub chip: PathBuf,
    /// How it is driven.
    pub backend: GpioBackend,
}

/// How GPIO lines are driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GpioBackend {
    /// The kernel's GPIO character device (`auto` or `gpiocdev`).
    #[default]
    Gpiocdev,
    /// `rppal`, on Raspberry Pi OS kernels.
    Rppal,
}

/// A serial bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialLink {
    /// Device path, best below `/dev/serial/by-id`.
    pub path: PathBuf,
    /// Bits a second; found by asking, or usual for the device, if absent.
    pub baud: Option<u32>,
    /// Parity bit; found by asking, or usual for the device, if absent.
    pub parity: Option<Parity>,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

/// An I2C bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I2cLink {
    /// The kernel's device of the bus, such as `/dev/i2c-1`.
    pub path: PathBuf,
}

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Parity {
    /// `none`
    #[default]
    None,
    /// `even`
    Even,
    /// `odd`
    Odd,
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttLink {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name, if the broker wants one.
    pub username: Option<String>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// TLS (`mqtts://`); plain TCP if absent.
    pub tls: Option<MqttTls>,
    /// Protocol version.
    pub version: MqttVersion,
    /// How topics and payloads are to be understood.
    pub dialect: MqttDialect,
    /// Base topic, without a slash at the end; empty if topics are whole.
    pub base_topic: String,
}

/// TLS to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttTls {
    /// CA certificates that may sign the broker's, PEM.
    pub ca: PathBuf,
    /// The box's certificate chain and private key, PEM.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// MQTT versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MqttVersion {
    /// MQTT 5.
    #[default]
    V5,
    /// MQTT 3.1.1 (`version = "3.1.1"`).
    V311,
}

/// Dialects of topics and payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttDialect {
    /// `zigbee2mqtt`: Zigbee devices.
    Zigbee2mqtt,
    /// `frigate`: cameras.
    Frigate,
    /// `owntracks`: phones and trackers that tell where they are.
    OwnTracks,
    /// `rtl433`: 433 and 868 MHz devices.
    Rtl433,
    /// `json`: whatever publishes JSON, understood by mapping rows.
    Json,
}

impl MqttDialect {
    /// All dialects.
    pub const ALL: [MqttDialect; 5] = [
        MqttDialect::Zigbee2mqtt,
        MqttDialect::Frigate,
        MqttDialect::OwnTracks,
        MqttDialect::Rtl433,
        MqttDialect::Json,
    ];

    /// The name in configuration and catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            MqttDialect::Zigbee2mqtt => "zigbee2mqtt",
            MqttDialect::Frigate => "frigate",
            MqttDialect::OwnTracks => "owntracks",
            MqttDialect::Rtl433 => "rtl433",
            MqttDialect::Json => "json",
        }
    }

    /// The base topic when none is configured.
    pub const fn base_topic(self) -> &'static str {
        match self {
            MqttDialect::Zigbee2mqtt => "zigbee2mqtt",
            MqttDialect::Frigate => "frigate",
            MqttDialect::OwnTracks => "owntracks",
            MqttDialect::Rtl433 => "rtl_433",
            MqttDialect::Json => "",
        }
    }
}
