//! Weight Measurement (2A9D of service 181D) and Body Composition Measurement (2A9C of service
//! 181B). A measurement that failed is no weight.

use anju_model::observation::Vital;

use super::bytes::{Fields, Malformed, within};

/// Kilograms in a pound.
pub(super) const KG_IN_LB: f64 = 0.453_592_37;
/// How both measurements say that they failed.
const UNSUCCESSFUL: u16 = 0xffff;

/// What a scale says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weighing {
    /// Weight, kilograms.
    pub kilograms: Option<f64>,
    /// Body fat, per cent.
    pub fat_percent: Option<f64>,
    /// When it was taken, by the scale's own clock, as sent.
    pub taken: Option<[u8; 7]>,
    /// Whose it is, by the scale's own numbering.
    pub user: Option<u8>,
}

impl Weighing {
    /// The vital signs in it.
    pub fn vital(&self) -> Vital {
        Vital {
            weight_kilograms: self.kilograms,
            fat_percent: self.fat_percent,
            ..Vital::default()
        }
    }
}

/// A weight that somebody can have, kilograms.
pub(super) fn plausible(kilograms: f64) -> Result<f64, Malformed> {
    within(kilograms, 0.0..=500.0, "weight")
}

/// A weight of 16 bits: steps of 0.005 kg or of 0.01 lb.
fn weight(raw: u16, pounds: bool) -> Result<Option<f64>, Malformed> {
    if raw == UNSUCCESSFUL {
        return Ok(None);
    }
    let raw = f64::from(raw);
    plausible(if pounds { raw / 100.0 * KG_IN_LB } else { raw / 200.0 }).map(Some)
}

/// Reads a Weight Measurement (2A9D).
///
/// # Errors
/// [`Malformed`] if its length does not fit its flags.
pub fn decode_weight(payload: &[u8]) -> Result<Weighing, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u8("flags")?;
    let kilograms = weight(fields.u16("weight")?, flags & 0x01 != 0)?;
    let taken = if flags & 0x02 == 0 { None } else { Some(fields.date_time()?) };
    let user = if flags & 0x04 == 0 { None } else { Some(fields.u8("user")?) };
    if flags & 0x08 != 0 {
        fields.bytes(4, "body mass index and height")?;
    }
    fields.end()?;
    Ok(Weighing { kilograms, fat_percent: None, taken, user })
}

/// Reads a Body Composition Measurement (2A9C).
///
/// # Errors
/// [`Malformed`] if its length does not fit its flags.
pub fn decode_composition(payload: &[u8]) -> Result<Weighing, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u16("flags")?;
    let fat = fields.u16("body fat")?;
    let fat_percent = (fat != UNSUCCESSFUL)
        .then(|| within(f64::from(fat) / 10.0, 0.0..=100.0, "body fat"))
        .transpose()?;
    let taken = if flags & 0x0002 == 0 { None } else { Some(fields.date_time()?) };
    let user = if flags & 0x0004 == 0 { None } else { Some(fields.u8("user")?) };
    // Basal metabolism, muscle share and mass, fat-free, soft lean and water mass, impedance.
    for bit in 3..=9 {
        if flags & 1 << bit != 0 {
            fields.u16("composition")?;
        }
    }
    let kilograms = if flags & 0x0400 == 0 {
        None
    } else {
        weight(fields.u16("weight")?, flags & 0x0001 != 0)?
    };
    if flags & 0x0800 != 0 {
        fields.u16("height")?;
    }
    fields.end()?;
    Ok(Weighing { kilograms, fat_percent, taken, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        // 70.00 kg is 14000 steps.
        assert_eq!(decode_weight(&[0x00, 0xb0, 0x36]).unwrap().kilograms, Some(70.0));
        let pounds = decode_weight(&[0x01, 0x58, 0x3c]).unwrap().kilograms.unwrap();
        assert!((pounds - 70.08).abs() < 0.01, "{pounds}");
        let whole = [0x0e, 0xb0, 0x36, 0xea, 0x07, 6, 4, 8, 30, 0, 0x02, 0xf0, 0x00, 0xa4, 0x06];
        let weighed = decode_weight(&whole).unwrap();
        assert_eq!((weighed.kilograms, weighed.user), (Some(70.0), Some(2)));
        for end in 0..whole.len() {
            assert!(decode_weight(&whole[..end]).is_err(), "{end}");
        }
        assert_eq!(decode_weight(&[0x00, 0xff, 0xff]).unwrap(), Weighing::default());
    }

    #[test]
    fn compositions() {
        let plain = decode_composition(&[0x00, 0x00, 0x0f, 0x01]).unwrap();
        assert_eq!((plain.fat_percent, plain.kilograms), (Some(27.1), None));
        // Time, metabolism, impedance and weight.
        let whole = [
            0x0a, 0x06, 0x0f, 0x01, 0xea, 0x07, 6, 4, 8, 30, 0, 0x10, 0x18, 0x88, 0x13, 0xb0, 0x36,
        ];
        let weighed = decode_composition(&whole).unwrap();
        assert_eq!((weighed.fat_percent, weighed.kilograms), (Some(27.1), Some(70.0)));
        for end in 0..whole.len() {
            assert!(decode_composition(&whole[..end]).is_err(), "{end}");
        }
        let failed = decode_composition(&[0x00, 0x00, 0xff, 0xff]).unwrap();
        assert_eq!(failed.vital(), Vital::default());
        assert_eq!(
            decode_composition(&[0x00, 0x00, 0x10, 0x27]),
            Err(Malformed::OutOfRange("body fat"))
        );
    }
}
