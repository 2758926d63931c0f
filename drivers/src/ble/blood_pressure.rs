//! Blood Pressure Measurement (characteristic 2A35 of service 1810). A cuff that sat loose or an
//! arm that moved gives figures that are no reading; they must never become a medical alarm.

use anju_model::observation::Vital;

use super::bytes::{Fields, Malformed, within};

/// Millimetres of mercury in a kilopascal.
const MMHG_IN_KPA: f64 = 7.500_617;
/// Measurement status: body movement, cuff too loose, improper position of the arm.
const UNUSABLE: u16 = 0x0001 | 0x0002 | 0x0020;

/// What one indication says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BloodPressure {
    /// Systolic pressure, mmHg.
    pub systolic_mmhg: Option<f64>,
    /// Diastolic pressure, mmHg.
    pub diastolic_mmhg: Option<f64>,
    /// Mean arterial pressure, mmHg.
    pub mean_mmhg: Option<f64>,
    /// Beats a minute.
    pub beats_per_minute: Option<f64>,
    /// When it was taken, by the device's own clock, as sent.
    pub taken: Option<[u8; 7]>,
    /// Whose it is, by the device's own numbering.
    pub user: Option<u8>,
    /// Whether the device says that the measurement can be used.
    pub usable: bool,
}

impl BloodPressure {
    /// The vital signs in it; empty when it can not be used.
    pub fn vital(&self) -> Vital {
        if !self.usable {
            return Vital::default();
        }
        Vital {
            systolic_mmhg: self.systolic_mmhg,
            diastolic_mmhg: self.diastolic_mmhg,
            mean_mmhg: self.mean_mmhg,
            heart_beats_per_minute: self.beats_per_minute,
            ..Vital::default()
        }
    }
}

/// Reads an indication.
///
/// # Errors
/// [`Malformed`] if its length does not fit its flags or a figure is none that a body can have.
pub fn decode(payload: &[u8]) -> Result<BloodPressure, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u8("flags")?;
    let factor = if flags & 0x01 == 0 { 1.0 } else { MMHG_IN_KPA };
    let mut pressure = || -> Result<Option<f64>, Malformed> {
        // Zero is how some devices say that they have none.
        let read = fields.sfloat("pressure")?.map(|value| value * factor).filter(|v| *v != 0.0);
        read.map(|value| within(value, 10.0..=400.0, "pressure")).transpose()
    };
    let (systolic_mmhg, diastolic_mmhg, mean_mmhg) = (pressure()?, pressure()?, pressure()?);
    let taken = if flags & 0x02 == 0 { None } else { Some(fields.date_time()?) };
    let mut beats_per_minute = None;
    if flags & 0x04 != 0 {
        let read = fields.sfloat("pulse")?.filter(|value| *value != 0.0);
        beats_per_minute = read.map(|value| within(value, 1.0..=300.0, "pulse")).transpose()?;
    }
    let user = if flags & 0x08 == 0 { None } else { Some(fields.u8("user")?) };
    let status = if flags & 0x10 == 0 { 0 } else { fields.u16("status")? };
    fields.end()?;
    let usable = status & UNUSABLE == 0;
    Ok(BloodPressure {
        systolic_mmhg,
        diastolic_mmhg,
        mean_mmhg,
        beats_per_minute,
        taken,
        user,
        usable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_indications() {
        let plain = decode(&[0x00, 0x78, 0x00, 0x50, 0x00, 0x5d, 0x00]).unwrap();
        assert_eq!(plain.systolic_mmhg, Some(120.0));
        assert_eq!((plain.diastolic_mmhg, plain.mean_mmhg), (Some(80.0), Some(93.0)));
        let whole = decode(&[
            0x16, 0x78, 0x00, 0x50, 0x00, 0x5d, 0x00, 0xea, 0x07, 0x06, 0x04, 0x08, 0x1e, 0x00,
            0x48, 0x00, 0x00, 0x00,
        ])
        .unwrap();
        assert_eq!(whole.beats_per_minute, Some(72.0));
        assert_eq!(whole.taken, Some([0xea, 0x07, 6, 4, 8, 30, 0]));
        assert_eq!(whole.vital().systolic_mmhg, Some(120.0));
    }

    #[test]
    fn kilopascals() {
        // 16.0 and 10.7 kPa are 120 and 80 mmHg; no mean.
        let kpa = decode(&[0x01, 0xa0, 0xf0, 0x6b, 0xf0, 0xff, 0x07]).unwrap();
        assert!((kpa.systolic_mmhg.unwrap() - 120.0).abs() < 0.1);
        assert!((kpa.diastolic_mmhg.unwrap() - 80.2).abs() < 0.1);
        assert_eq!(kpa.mean_mmhg, None);
    }

    #[test]
    fn a_loose_cuff_is_no_reading() {
        for status in [0x01, 0x02, 0x20, 0x23] {
            let loose = decode(&[0x10, 0xc8, 0, 0x78, 0, 0x96, 0, status, 0]).unwrap();
            assert_eq!(loose.vital(), Vital::default());
        }
        // An irregular pulse does not spoil the pressures.
        let irregular = decode(&[0x10, 0xc8, 0, 0x78, 0, 0x96, 0, 0x04, 0]).unwrap();
        assert_eq!(irregular.vital().systolic_mmhg, Some(200.0));
        // A measurement that failed.
        let failed = decode(&[0x00, 0xff, 0x07, 0xff, 0x07, 0xff, 0x07]).unwrap();
        assert_eq!(failed.vital(), Vital::default());
    }

    #[test]
    fn broken_indications() {
        assert_eq!(decode(&[0x00, 0x78]), Err(Malformed::Short("pressure")));
        assert_eq!(decode(&[0x02, 0x78, 0, 0x50, 0, 0x5d, 0, 1]), Err(Malformed::Short("time")));
        assert_eq!(decode(&[0x00, 0x78, 0, 0x50, 0, 0x5d, 0, 1]), Err(Malformed::Long));
        assert_eq!(
            decode(&[0x00, 0x78, 0x20, 0x50, 0, 0x5d, 0]),
            Err(Malformed::OutOfRange("pressure"))
        );
    }
}
