//! Reads little-endian fields off the front of a payload, and the medical floating-point numbers of
//! IEEE 11073-20601. It must never read past the end, and never make a number of a special value.

use thiserror::Error;

/// Why a payload can not be understood. Never carries the payload; it may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It ends too early.
    #[error("it ends within its {0}")]
    Short(&'static str),
    /// It is longer than what it says it carries.
    #[error("something follows its end")]
    Long,
    /// It is not of this protocol or version.
    #[error("it is not {0}")]
    NotThis(&'static str),
    /// A figure that nothing alive and no room can have.
    #[error("its {0} is out of what can be")]
    OutOfRange(&'static str),
    /// It names another device than the one that sent it.
    #[error("it carries another device's address")]
    OtherAddress,
    /// It is encrypted and no key is configured.
    #[error("it is encrypted; give the device a `key_file`")]
    NoKey,
    /// It is not encrypted although a key is configured.
    #[error("it is not encrypted although the device has a `key_file`")]
    NotEncrypted,
    /// It does not fit the key.
    #[error("it does not fit the key of the device")]
    WrongKey,
    /// Its counter did not grow.
    #[error("its counter did not grow: an old message, sent again")]
    Replayed,
}

/// What is left of a payload.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The whole payload.
    pub const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` if fewer are left.
    pub fn bytes(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// Takes an unsigned byte.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` at the end.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// Takes 16 bits.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` at the end.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// Takes 16 bits with a sign.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` at the end.
    pub fn i16(&mut self, what: &'static str) -> Result<i16, Malformed> {
        self.array(what).map(i16::from_le_bytes)
    }

    /// Takes 24 bits.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` at the end.
    pub fn u24(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// Takes an SFLOAT; `None` for its special values.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` at the end.
    pub fn sfloat(&mut self, what: &'static str) -> Result<Option<f64>, Malformed> {
        self.u16(what).map(sfloat)
    }

    /// Takes a FLOAT; `None` for its special values.
    ///
    /// # Errors
    /// [`Malformed::Short`] with `what` at the end.
    pub fn float(&mut self, what: &'static str) -> Result<Option<f64>, Malformed> {
        self.array(what).map(|bytes| float(u32::from_le_bytes(bytes)))
    }

    /// Takes a date and time (7 bytes) of which only the identity counts here.
    ///
    /// # Errors
    /// [`Malformed::Short`] at the end.
    pub fn date_time(&mut self) -> Result<[u8; 7], Malformed> {
        self.array("time")
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Malformed::Long`] if anything is left.
    pub const fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

/// IEEE 11073 SFLOAT: 4 bits of exponent over 12 bits of mantissa, both signed, to the base of 10.
/// `None` for not-a-number, not at this resolution, the infinities and the reserved value.
pub fn sfloat(bits: u16) -> Option<f64> {
    let mantissa = bits & 0x0fff;
    if matches!(mantissa, 0x07fe..=0x0802) {
        return None;
    }
    let mantissa = i32::from((mantissa << 4).cast_signed() >> 4);
    Some(scaled(mantissa, i32::from(bits.cast_signed() >> 12)))
}

/// IEEE 11073 FLOAT: 8 bits of exponent over 24 bits of mantissa, both signed, to the base of 10.
/// `None` for the special values, as with [`sfloat`].
pub fn float(bits: u32) -> Option<f64> {
    let mantissa = bits & 0x00ff_ffff;
    if matches!(mantissa, 0x007f_fffe..=0x0080_0002) {
        return None;
    }
    let mantissa = (mantissa << 8).cast_signed() >> 8;
    Some(scaled(mantissa, bits.cast_signed() >> 24))
}

/// Divides for negative exponents: 364 / 10 is the nearest number to 36.4, 364 × 0.1 is not.
fn scaled(mantissa: i32, exponent: i32) -> f64 {
    let factor = 10f64.powi(exponent.abs());
    if exponent < 0 { f64::from(mantissa) / factor } else { f64::from(mantissa) * factor }
}

/// A value if it is in a range, else an error that names it.
///
/// # Errors
/// [`Malformed::OutOfRange`] with `what`.
pub fn within(
    value: f64,
    range: std::ops::RangeInclusive<f64>,
    what: &'static str,
) -> Result<f64, Malformed> {
    if range.contains(&value) { Ok(value) } else { Err(Malformed::OutOfRange(what)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_floats() {
        for (bits, value) in [
            (0x0072, 114.0),
            (0xff5e, -16.2),
            (0x2024, 3600.0),
            (0xf4b0, 120.0),
            (0xf3cf, 97.5),
            (0x1064, 1000.0),
            (0x0ff6, -10.0),
            (0x0000, 0.0),
        ] {
            assert_eq!(sfloat(bits), Some(value), "{bits:04x}");
        }
        // The special values are told by the mantissa, whatever the exponent says.
        for exponent in [0u16, 0x1000, 0xf000] {
            for special in [0x07ff, 0x0800, 0x07fe, 0x0802, 0x0801] {
                assert_eq!(sfloat(exponent | special), None);
            }
        }
        assert_eq!(sfloat(0x07fd), Some(2045.0));
        assert_eq!(sfloat(0x0803), Some(-2045.0));
    }

    #[test]
    fn long_floats() {
        assert_eq!(float(0xff00_016c), Some(36.4));
        assert_eq!(float(0x0000_0000), Some(0.0));
        assert_eq!(float(0xfeff_ff9c), Some(-1.0));
        for special in [0x007f_ffff, 0x0080_0000, 0x007f_fffe, 0x0080_0002, 0x0080_0001] {
            assert_eq!(float(special), None);
            assert_eq!(float(special | 0xff00_0000), None);
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(mantissa in -2045i16..=2045, exponent in -8i16..=7) {
            let bits = (exponent << 12) | (mantissa & 0x0fff);
            let value = sfloat(bits.cast_unsigned()).unwrap();
            let expected = f64::from(mantissa) * 10f64.powi(exponent.into());
            prop_assert!((value - expected).abs() <= expected.abs() * 1e-12);
        }

        #[test]
        fn every_number_is_finite(short in any::<u16>(), long in any::<u32>()) {
            prop_assert!(sfloat(short).is_none_or(f64::is_finite));
            prop_assert!(float(long).is_none_or(f64::is_finite));
        }
    }
}
