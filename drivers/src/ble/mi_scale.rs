//! Adverts of Mi Scale 1 (service data 181D, 10 bytes) and 2 (181B, 13 bytes). Only a weight that
//! has come to rest counts.

use super::bytes::{Fields, Malformed};
use super::weight::{KG_IN_LB, Weighing, plausible};

const STABLE: u8 = 0x20;
const REMOVED: u8 = 0x80;
const POUNDS: u8 = 0x01;
const JIN: u8 = 0x10;

/// Reads service data 181D (Mi Scale 1); `None` while the weight moves or nobody stands on it.
///
/// # Errors
/// [`Malformed`] if it is not of this scale.
pub fn decode_v1(data: &[u8]) -> Result<Option<Weighing>, Malformed> {
    let mut fields = Fields::new(data);
    let control = fields.u8("control")?;
    let raw = fields.u16("weight")?;
    let taken = fields.date_time()?;
    fields.end()?;
    weighing(control, control, raw, taken)
}

/// Reads service data 181B (Mi Scale 2); `None` while the weight moves or nobody stands on it.
///
/// # Errors
/// [`Malformed`] if it is not of this scale.
pub fn decode_v2(data: &[u8]) -> Result<Option<Weighing>, Malformed> {
    let mut fields = Fields::new(data);
    let unit = fields.u8("unit")?;
    let control = fields.u8("control")?;
    let taken = fields.date_time()?;
    fields.u16("impedance")?;
    let raw = fields.u16("weight")?;
    fields.end()?;
    weighing(unit, control, raw, taken)
}

fn weighing(
    unit: u8,
    control: u8,
    raw: u16,
    taken: [u8; 7],
) -> Result<Option<Weighing>, Malformed> {
    if control & STABLE == 0 || control & REMOVED != 0 {
        return Ok(None);
    }
    let raw = f64::from(raw);
    let kilograms = if unit & JIN != 0 {
        // A jin (catty) is half a kilogram.
        raw / 100.0 / 2.0
    } else if unit & POUNDS != 0 {
        raw / 100.0 * KG_IN_LB
    } else {
        raw / 200.0
    };
    let kilograms = Some(plausible(kilograms)?);
    Ok(Some(Weighing { kilograms, taken: Some(taken), ..Weighing::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: [u8; 10] = [0x22, 0x9e, 0x43, 0xe5, 0x07, 0x04, 0x0b, 0x10, 0x13, 0x01];
    const V2: [u8; 13] =
        [0x02, 0x26, 0xb2, 0x07, 0x05, 0x04, 0x0f, 0x02, 0x01, 0xac, 0x01, 0x86, 0x42];

    #[test]
    fn captured_adverts() {
        assert_eq!(decode_v1(&V1).unwrap().unwrap().kilograms, Some(86.55));
        assert_eq!(decode_v2(&V2).unwrap().unwrap().kilograms, Some(85.15));
        let mut jin = V2;
        jin[0] = 0x12;
        jin[11..].copy_from_slice(&14_000u16.to_le_bytes());
        assert_eq!(decode_v2(&jin).unwrap().unwrap().kilograms, Some(70.0));
    }

    #[test]
    fn moving_and_removed_weights_do_not_count() {
        for control in [0x06, 0xa6] {
            let mut advert = V2;
            advert[1] = control;
            assert_eq!(decode_v2(&advert), Ok(None));
        }
        let mut moving = V1;
        moving[0] = 0x02;
        assert_eq!(decode_v1(&moving), Ok(None));
    }

    #[test]
    fn other_lengths() {
        for end in 0..V1.len() {
            assert!(decode_v1(&V1[..end]).is_err());
        }
        for end in 0..V2.len() {
            assert!(decode_v2(&V2[..end]).is_err());
        }
        assert_eq!(decode_v1(&V2), Err(Malformed::Long));
    }
}
