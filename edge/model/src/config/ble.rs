//! Bluetooth adapters, and how a device is found and understood on one.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A Bluetooth device's address of 48 bits, in the order in which people write it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BleAddress([u8; 6]);

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no Bluetooth address; write six pairs of hexadecimal digits, such as A4:C1:38:AA:BB:CC")]
pub struct NoAddress;

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
