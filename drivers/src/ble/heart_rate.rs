//! Heart Rate Measurement (characteristic 2A37 of service 180D). A device that is taken off goes
//! on sending; that must never become a heart rate.

use anju_model::observation::Vital;

use super::bytes::{Fields, Malformed};

/// Above this no heart beats; a wrong frame.
const MOST_BEATS: u16 = 300;

/// What one notification says.
#[derive(Debug, Clone, PartialEq)]
pub struct HeartRate {
    /// Beats a minute; `None` when the device has no reading.
    pub beats_per_minute: Option<u16>,
    /// Whether it touches skin, where the device can tell.
    pub contact: Option<bool>,
    /// Energy spent since it was reset, kilojoules.
    pub energy_kilojoules: Option<u16>,
    /// Times between beats, 1/1024 s.
    pub intervals: Vec<u16>,
}

impl HeartRate {
    /// The vital signs in it.
    pub fn vital(&self) -> Vital {
        let worn = self.contact.unwrap_or(self.beats_per_minute.is_some());
        let beats = self.beats_per_minute.filter(|_| worn);
        Vital { heart_beats_per_minute: beats.map(f64::from), worn: Some(worn), ..Vital::default() }
    }
}

/// Reads a notification.
///
/// # Errors
/// [`Malformed`] if it is too short, or its rate is none that a heart can have.
pub fn decode(payload: &[u8]) -> Result<HeartRate, Malformed> {
    let mut fields = Fields::new(payload);
    let flags = fields.u8("flags")?;
    let beats = if flags & 0x01 == 0 {
        u16::from(fields.u8("heart rate")?)
    } else {
        fields.u16("heart rate")?
    };
    if beats > MOST_BEATS {
        return Err(Malformed::OutOfRange("heart rate"));
    }
    let contact = (flags & 0x04 != 0).then_some(flags & 0x02 != 0);
    let energy_kilojoules = if flags & 0x08 == 0 { None } else { Some(fields.u16("energy")?) };
    let mut intervals = Vec::new();
    if flags & 0x10 != 0 {
        while !fields.rest().is_empty() {
            intervals.push(fields.u16("intervals")?);
        }
    }
    // Some bands append bytes of their own; what is named above is complete.
    let beats_per_minute = (beats != 0).then_some(beats);
    Ok(HeartRate { beats_per_minute, contact, energy_kilojoules, intervals })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_notifications() {
        let worn = decode(&[0x16, 0x48, 0x54, 0x01, 0xec, 0x02]).unwrap();
        assert_eq!(worn.beats_per_minute, Some(72));
        assert_eq!((worn.contact, worn.intervals.clone()), (Some(true), vec![340, 748]));
        assert_eq!(worn.vital().heart_beats_per_minute, Some(72.0));
        assert_eq!(decode(&[0x00, 0x64]).unwrap().beats_per_minute, Some(100));
        assert_eq!(decode(&[0x01, 0x00, 0x01]).unwrap().beats_per_minute, Some(256));
    }

    #[test]
    fn off_the_wrist_is_no_heart_rate() {
        let off = Vital { worn: Some(false), ..Vital::default() };
        // No contact, whatever the rate says; a rate of zero.
        for payload in [&[0x04, 0x48][..], &[0x04, 0x00], &[0x00, 0x00], &[0x01, 0x00, 0x00]] {
            assert_eq!(decode(payload).unwrap().vital(), off, "{payload:02x?}");
        }
        // Worn, but nothing measured yet.
        let none_yet = Vital { worn: Some(true), ..Vital::default() };
        assert_eq!(decode(&[0x06, 0x00]).unwrap().vital(), none_yet);
    }

    #[test]
    fn broken_notifications() {
        assert_eq!(decode(&[]), Err(Malformed::Short("flags")));
        assert_eq!(decode(&[0x00]), Err(Malformed::Short("heart rate")));
        assert_eq!(decode(&[0x01, 0x48]), Err(Malformed::Short("heart rate")));
        assert_eq!(decode(&[0x08, 0x48, 0x01]), Err(Malformed::Short("energy")));
        assert_eq!(decode(&[0x10, 0x48, 0x01]), Err(Malformed::Short("intervals")));
        assert_eq!(decode(&[0x01, 0xff, 0xff]), Err(Malformed::OutOfRange("heart rate")));
    }
}
