//! Pulse oximeters: spot check (characteristic 2A5E) and continuous (2A5F) of service 1822. A
//! finger that is not there, a poor signal or a demonstration must never become a low saturation.

use anju_model::observation::Vital;

use super::bytes::{Fields, Malformed};

/// Measurement status: early estimate, demonstration, testing, calibration, unavailable,
/// questionable, invalid (Pulse Oximeter Service 1.0, table 3.4).
const NO_READING: u16 = 1 << 6 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15;
/// Measurement status: validated or fully qualified, which an early estimate may also be.
const SURE: u16 = 1 << 7 | 1 << 8;
/// Measurement status: an early estimate.
const EARLY: u16 = 1 << 6;
/// Measurement status: kept by the device from before.
const STORED: u16 = 1 << 9;
/// Sensor status: not connected to the user, displaced, disconnected.
const NOT_WORN: u32 = 1 << 11 | 1 << 13 | 1 << 15;
/// Sensor status: malfunction, irregular, inadequate, erratic or non-pulsatile signal,
/// questionable pulse, malfunctioning interface or sensor.
const NO_SIGNAL: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 14;

/// What one message says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oximetry {
    /// Oxygen saturation, per cent.
    pub spo2_percent: Option<f64>,
    /// Pulse, beats a minute.
    pub beats_per_minute: Option<f64>,
    /// Whether a finger is in it.
    pub worn: bool,
    /// Kept by the device from before.
    pub stored: bool,
    /// When it was taken, by the device's own clock, as sent.
    pub taken: Option<[u8; 7]>,
}

impl Oximetry {
    /// The vital signs in it.
    pub fn vital(&self) -> Vital {
        Vital {
            spo2_percent: self.spo2_percent,
            heart_beats_per_minute: self.beats_per_minute,
            worn: Some(self.worn),
            ..Vital::default()
        }
    }

    fn new(spo2: Option<f64>, beats: Option<f64>, measurement: u16, sensor: u32) -> Self {
        let early = measurement & EARLY != 0 && measurement & SURE == 0;
        let spoilt = measurement & (NO_READING & !EARLY) != 0 || early;
        let usable = !spoilt && sensor & (NO_SIGNAL | NOT_WORN) == 0;
        // 127 and 511 are what devices without special values send; 0 is never a reading.
        let spo2_percent = spo2.filter(|value| usable && (1.0..=100.0).contains(value));
        let beats_per_minute = beats.filter(|value| usable && (1.0..=300.0).contains(value));
        let worn = if sensor & NOT_WORN != 0 {
            false
        } else {
            // A poor signal comes from a finger; no figures at all come from none.
            !usable || spo2_percent.is_some() || beats_per_minute.is_some()
        };
        let stored = measurement & STORED != 0;
        Self { spo2_percent, beats_per_minute, worn, stored, taken: None }
    }
}

/// Reads a spot check (2A5E).
///
/// # Errors
/// [`Malformed`] if its length does not fit its flags.
pub fn decode_spot(payload: &[u8]) -> Result<Oximetry, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u8("flags")?;
    let (spo2, beats) = (fields.sfloat("saturation")?, fields.sfloat("pulse")?);
    let taken = if flags & 0x01 == 0 { None } else { Some(fields.date_time()?) };
    let measurement = if flags & 0x02 == 0 { 0 } else { fields.u16("status")? };
    let sensor = if flags & 0x04 == 0 { 0 } else { fields.u24("sensor status")? };
    if flags & 0x08 != 0 {
        fields.sfloat("pulse amplitude")?;
    }
    fields.end()?;
    Ok(Oximetry { taken, ..Oximetry::new(spo2, beats, measurement, sensor) })
}

/// Reads a continuous measurement (2A5F).
///
/// # Errors
/// [`Malformed`] if its length does not fit its flags.
pub fn decode_continuous(payload: &[u8]) -> Result<Oximetry, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u8("flags")?;
    let (spo2, beats) = (fields.sfloat("saturation")?, fields.sfloat("pulse")?);
    // The fast and the slow responses; the normal one above is what counts.
    for flag in [0x01, 0x02] {
        if flags & flag != 0 {
            fields.bytes(4, "other responses")?;
        }
    }
    let measurement = if flags & 0x04 == 0 { 0 } else { fields.u16("status")? };
    let sensor = if flags & 0x08 == 0 { 0 } else { fields.u24("sensor status")? };
    if flags & 0x10 != 0 {
        fields.sfloat("pulse amplitude")?;
    }
    fields.end()?;
    Ok(Oximetry::new(spo2, beats, measurement, sensor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_measurement() {
        let normal = decode_continuous(&[0x00, 0x62, 0x00, 0x5f, 0x00]).unwrap();
        assert_eq!(normal.spo2_percent, Some(98.0));
        assert_eq!(normal.beats_per_minute, Some(95.0));
        assert!(normal.worn && !normal.stored);
    }

    #[test]
    fn no_finger_is_not_worn() {
        let off = Vital { worn: Some(false), ..Vital::default() };
        for (spo2, beats) in [(0x007f, 0x01ff), (0x07ff, 0x07ff), (0x0800, 0x07ff), (0, 0)] {
            let [a, b] = u16::to_le_bytes(spo2);
            let [c, d] = u16::to_le_bytes(beats);
            assert_eq!(decode_continuous(&[0x00, a, b, c, d]).unwrap().vital(), off);
        }
        // A plausible figure from a displaced sensor.
        let displaced = [0x08, 0x50, 0x00, 0x28, 0x00, 0x00, 0x20, 0x00];
        assert_eq!(decode_continuous(&displaced).unwrap().vital(), off);
    }

    #[test]
    fn a_poor_signal_is_no_reading() {
        let none = Vital { worn: Some(true), ..Vital::default() };
        let inadequate = [0x08, 0x50, 0x00, 0x28, 0x00, 0x08, 0x00, 0x00];
        assert_eq!(decode_continuous(&inadequate).unwrap().vital(), none);
        // An early estimate, a demonstration, an invalid one; a validated early one counts.
        for (status, read) in [(0x0040u16, false), (0x0400, false), (0x8000, false), (0x00c0, true)]
        {
            let [low, high] = status.to_le_bytes();
            let message = [0x02, 0x50, 0x00, 0x28, 0x00, low, high];
            let spot = decode_spot(&message).unwrap();
            assert_eq!(spot.spo2_percent.is_some(), read, "{status:04x}");
        }
    }

    #[test]
    fn a_spot_check_with_all_it_can_carry() {
        let message = [
            0x0f, 0x62, 0x00, 0x48, 0x00, 0xea, 0x07, 6, 4, 8, 30, 0, 0x00, 0x02, 0, 0, 0, 0x10,
            0xf0,
        ];
        let spot = decode_spot(&message).unwrap();
        assert_eq!(spot.spo2_percent, Some(98.0));
        assert!(spot.stored);
        assert_eq!(spot.taken, Some([0xea, 0x07, 6, 4, 8, 30, 0]));
        for end in 0..message.len() {
            assert!(decode_spot(&message[..end]).is_err(), "{end}");
        }
        assert_eq!(decode_spot(&[0x00, 0x62, 0, 0x48, 0, 0]), Err(Malformed::Long));
    }
}
