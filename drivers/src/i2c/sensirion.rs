//! How Sensirion's chips send: 16-bit words, high byte first, each followed by its check sum
//! (CRC-8, polynomial 0x31, start 0xFF; SHT3x-DIS data sheet, section 4.12). No I/O. A word with a
//! wrong check sum must never be used, nor any other word of its reply.

use thiserror::Error;

/// Why a reply is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadWords {
    /// Bytes are missing or too many.
    #[error("it sent {found} bytes instead of {wanted}")]
    Length {
        /// How many there should be.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// A check sum is wrong.
    #[error("it sent word {word} with the check sum {found:02x} instead of {wanted:02x}")]
    Crc {
        /// Which word, from 0.
        word: usize,
        /// The check sum of its bytes.
        wanted: u8,
        /// The check sum that came.
        found: u8,
    },
    /// A figure is outside of what the chip can measure.
    #[error("it sent a figure that it can not measure")]
    Range,
}

/// The check sum of some bytes.
pub fn crc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0xFF, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| (crc << 1) ^ if crc & 0x80 == 0 { 0 } else { 0x31 })
    })
}

/// Reads a reply of exactly `N` words.
///
/// # Errors
/// [`BadWords`] when a byte is missing or a check sum wrong.
pub fn words<const N: usize>(bytes: &[u8]) -> Result<[u16; N], BadWords> {
    if bytes.len() != N * 3 {
        return Err(BadWords::Length { wanted: N * 3, found: bytes.len() });
    }
    let mut words = [0; N];
    for (word, (value, part)) in words.iter_mut().zip(bytes.chunks_exact(3)).enumerate() {
        let &[high, low, found] = part else { continue };
        let wanted = crc(&[high, low]);
        if found != wanted {
            return Err(BadWords::Crc { word, wanted, found });
        }
        *value = u16::from_be_bytes([high, low]);
    }
    Ok(words)
}

/// Temperature in degrees Celsius to 0.01 and relative humidity in per cent to 0.1, by the formula
/// that SHT3x (section 4.13) and SCD4x (section 3.6.2) share.
///
/// # Errors
/// [`BadWords::Range`] outside of -40 to 125 degrees, which neither can measure.
pub fn climate(temperature: u16, humidity: u16) -> Result<(f64, f64), BadWords> {
    let celsius = -45.0 + 175.0 * f64::from(temperature) / 65_535.0;
    if !(-40.0..=125.0).contains(&celsius) {
        return Err(BadWords::Range);
    }
    let humidity = 100.0 * f64::from(humidity) / 65_535.0;
    Ok(((celsius * 100.0).round() / 100.0, (humidity * 10.0).round() / 10.0))
}
