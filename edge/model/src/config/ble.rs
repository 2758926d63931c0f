//! Bluetooth adapters, and how a device is found and understood on one.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::DeviceKind;

/// A Bluetooth adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BleLink {
    /// Its name, such as `hci0`.
    pub adapter: String,
}

/// A device on the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BleBinding {
    /// Its address. Nothing that another address sends counts.
    pub address: BleAddress,
    /// How it is understood.
    pub protocol: BleProtocol,
    /// File that holds its key, if it encrypts.
    pub key_file: Option<PathBuf>,
    /// Longest time unheard before a carried device counts as away.
    pub away_after: Duration,
}

macro_rules! protocols {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// How a device on the air is understood.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum BleProtocol { $($(#[$doc])* $variant,)* }

        impl BleProtocol {
            /// All of them.
            pub const ALL: &'static [BleProtocol] = &[$(BleProtocol::$variant),*];

            /// The names of all, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The name in configuration and catalogue.
            pub const fn as_str(self) -> &'static str {
                match self { $(BleProtocol::$variant => $name,)* }
            }
        }
    };
}

protocols! {
    /// Adverts in the BTHome format, version 2.
    BtHome = "bthome";
    /// iBeacon adverts.
    IBeacon = "ibeacon";
    /// Eddystone adverts.
    Eddystone = "eddystone";
    /// Adverts of hygrometers with the firmware of ATC1441 or pvvx.
    Atc = "atc";
    /// Adverts of Mi Scale 1 and 2.
    MiScale = "miscale";
    /// Adverts in the MiBeacon format.
    MiBeacon = "mibeacon";
    /// Heart Rate service.
    HeartRate = "heart-rate";
    /// Blood Pressure service.
    BloodPressure = "blood-pressure";
    /// Pulse Oximeter service.
    Oximeter = "oximeter";
    /// Weight Scale and Body Composition services.
    WeightScale = "weight-scale";
    /// Health Thermometer service.
    Thermometer = "thermometer";
    /// Environmental Sensing service.
    Environment = "environment";
}

impl BleProtocol {
    /// Finds a protocol by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|protocol| protocol.as_str() == name)
    }

    /// What a device of `kind` speaks when nothing is said, for kinds where that is clear.
    pub const fn usual(kind: DeviceKind) -> Option<Self> {
        match kind {
            DeviceKind::SmartWatch | DeviceKind::SmartBand => Some(Self::HeartRate),
            DeviceKind::BloodPressure => Some(Self::BloodPressure),
            DeviceKind::Oximeter => Some(Self::Oximeter),
            DeviceKind::Locator => Some(Self::IBeacon),
            DeviceKind::PortableAlarm | DeviceKind::SmartCane | DeviceKind::SmartWheelchair => {
                Some(Self::BtHome)
            }
            _ => None,
        }
    }

    /// Whether it needs a connection; the others are heard from adverts alone.
    pub const fn connects(self) -> bool {
        matches!(
            self,
            Self::HeartRate
                | Self::BloodPressure
                | Self::Oximeter
                | Self::WeightScale
                | Self::Thermometer
                | Self::Environment
        )
    }

    /// Whether its adverts can be encrypted with a key.
    pub const fn encrypts(self) -> bool {
        matches!(self, Self::BtHome | Self::MiBeacon)
    }
}

/// A Bluetooth device's address of 48 bits, in the order in which people write it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BleAddress([u8; 6]);

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{}; {}", self.what(), self.mend())]
pub struct NoAddress;

impl NoAddress {
    /// What is wrong.
    pub const fn what(self) -> &'static str {
        "no Bluetooth address"
    }

    /// The mend.
    pub const fn mend(self) -> &'static str {
        "write six pairs of hexadecimal digits, such as A4:C1:38:AA:BB:CC"
    }
}

impl BleAddress {
    /// From its bytes as people write them.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The bytes as people write them.
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// The bytes as the air carries them, lowest first.
    pub const fn reversed(self) -> [u8; 6] {
        let [a, b, c, d, e, f] = self.0;
        [f, e, d, c, b, a]
    }
}

impl FromStr for BleAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().ok_or(NoAddress)?;
            if part.len() != 2 || !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(NoAddress);
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| NoAddress)?;
        }
        if parts.next().is_some() { Err(NoAddress) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for BleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl fmt::Debug for BleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let address: BleAddress = "a4:C1:38:aa:BB:0c".parse().unwrap();
        assert_eq!(address.to_string(), "A4:C1:38:AA:BB:0C");
        assert_eq!(address.reversed(), [0x0c, 0xbb, 0xaa, 0x38, 0xc1, 0xa4]);
        for wrong in
            ["", "A4C138AABB0C", "A4:C1:38:AA:BB", "A4:C1:38:AA:BB:0C:00", "A4:C1:38:AA:BB:+C"]
        {
            assert_eq!(wrong.parse::<BleAddress>(), Err(NoAddress), "{wrong}");
        }
    }
}
