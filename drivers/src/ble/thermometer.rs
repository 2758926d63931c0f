//! Temperature Measurement of a health thermometer (2A1C of service 1809). What a thermometer
//! shows while it lies on the table must never become a body temperature.

use anju_model::observation::Vital;

use super::bytes::{Fields, Malformed, within};

/// Body temperatures that were ever measured on the living, with room (°C).
const BODY: std::ops::RangeInclusive<f64> = 25.0..=45.0;

/// What one indication says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temperature {
    /// Degrees Celsius.
    pub celsius: Option<f64>,
    /// When it was taken, by the device's own clock, as sent.
    pub taken: Option<[u8; 7]>,
}

impl Temperature {
    /// The vital signs in it; empty if it is no body's temperature.
    pub fn vital(&self) -> Vital {
        let body_celsius = self.celsius.filter(|celsius| BODY.contains(celsius));
        Vital { body_celsius, ..Vital::default() }
    }
}

/// Reads an indication.
///
/// # Errors
/// [`Malformed`] if its length does not fit its flags.
pub fn decode(payload: &[u8]) -> Result<Temperature, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u8("flags")?;
    let read = fields.float("temperature")?;
    let celsius = if flags & 0x01 == 0 { read } else { read.map(|f| (f - 32.0) / 1.8) };
    let celsius = celsius.map(|c| within(c, -50.0..=150.0, "temperature")).transpose()?;
    let taken = if flags & 0x02 == 0 { None } else { Some(fields.date_time()?) };
    if flags & 0x04 != 0 {
        fields.u8("place")?;
    }
    fields.end()?;
    Ok(Temperature { celsius, taken })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures() {
        let body = decode(&[0x00, 0x6c, 0x01, 0x00, 0xff]).unwrap();
        assert_eq!(body.vital().body_celsius, Some(36.4));
        // 99.5 °F with time and place.
        let whole = [0x07, 0xe3, 0x03, 0x00, 0xff, 0xea, 0x07, 6, 4, 8, 30, 0, 0x02];
        let fahrenheit = decode(&whole).unwrap().celsius.unwrap();
        assert!((fahrenheit - 37.5).abs() < 0.01, "{fahrenheit}");
        for end in 0..whole.len() {
            assert!(decode(&whole[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn what_is_no_body_temperature() {
        for payload in [[0x00, 0xff, 0xff, 0x7f, 0x00], [0x00, 0xd2, 0x00, 0x00, 0xff]] {
            assert_eq!(decode(&payload).unwrap().vital(), Vital::default());
        }
        assert_eq!(
            decode(&[0x00, 0x00, 0x00, 0x10, 0x00]),
            Err(Malformed::OutOfRange("temperature"))
        );
    }
}
