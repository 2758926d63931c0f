//! Beacons: iBeacon (manufacturer data of company 004C) and Eddystone (service data FEAA). They
//! say that something is near; an advert of another kind from the same sender must never count.

use anju_model::observation::{Battery, Climate};

use super::bytes::{Fields, Malformed, within};
use super::environment::ROOM;

/// An iBeacon's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IBeacon {
    /// Whose beacons these are.
    pub uuid: [u8; 16],
    /// Group.
    pub major: u16,
    /// Number in the group.
    pub minor: u16,
    /// Signal strength at 1 m, dBm.
    pub dbm_at_one_metre: i8,
}

/// Reads the manufacturer data of company 004C.
///
/// # Errors
/// [`Malformed`] if it is not an iBeacon; phones of the same company send much else.
pub fn decode_ibeacon(data: &[u8]) -> Result<IBeacon, Malformed> {
    let Some(([0x02, 0x15], rest)) = data.split_first_chunk() else {
        return Err(Malformed::NotThis("an iBeacon"));
    };
    let Ok(body) = <&[u8; 21]>::try_from(rest) else {
        return Err(Malformed::Short("identity"));
    };
    let [uuid @ .., major_high, major_low, minor_high, minor_low, power] = *body;
    Ok(IBeacon {
        uuid,
        major: u16::from_be_bytes([major_high, major_low]),
        minor: u16::from_be_bytes([minor_high, minor_low]),
        dbm_at_one_metre: power.cast_signed(),
    })
}

/// What an Eddystone beacon sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Eddystone {
    /// Identity, address on the Web or an encrypted identity: it is near.
    Near,
    /// Its own health.
    Telemetry {
        /// Battery, if it has one.
        battery: Option<Battery>,
        /// Temperature of the beacon, if it measures it.
        climate: Option<Climate>,
    },
}

/// Reads service data FEAA.
///
/// # Errors
/// [`Malformed`] if it is none of the frames of Eddystone.
pub fn decode_eddystone(data: &[u8]) -> Result<Eddystone, Malformed> {
    let mut fields = Fields::new(data);
    let frame = fields.u8("frame type")?;
    match (frame, fields.rest().len()) {
        (0x00, 17 | 19) | (0x10, 3..=19) | (0x30, 9..) => return Ok(Eddystone::Near),
        (0x20, 13) => {}
        // Encrypted telemetry: near, but not for us to read.
        (0x20, 17) => return Ok(Eddystone::Near),
        (0x00 | 0x10 | 0x20 | 0x30, _) => return Err(Malformed::Short("frame")),
        _ => return Err(Malformed::NotThis("a frame of Eddystone")),
    }
    if fields.u8("version")? != 0 {
        return Err(Malformed::NotThis("plain telemetry"));
    }
    // Unlike the rest of Bluetooth, these fields are big-endian.
    let millivolts = fields.u16("battery")?.swap_bytes();
    let raw = fields.i16("temperature")?.swap_bytes();
    let celsius = f64::from(raw) / 256.0;
    let climate = (raw != i16::MIN)
        .then(|| within(celsius, ROOM, "temperature"))
        .transpose()?
        .map(|celsius| Climate { celsius: Some(celsius), ..Climate::default() });
    // A beacon on the mains says zero.
    let battery = (millivolts != 0)
        .then(|| Battery { millivolts: Some(f64::from(millivolts)), ..Battery::default() });
    Ok(Eddystone::Telemetry { battery, climate })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IBEACON: [u8; 23] = [
        0x02, 0x15, 0xe2, 0xc5, 0x6d, 0xb5, 0xdf, 0xfb, 0x48, 0xd2, 0xb0, 0x60, 0xd0, 0xf5, 0xa7,
        0x10, 0x96, 0xe0, 0x00, 0x01, 0x02, 0x03, 0xc5,
    ];

    #[test]
    fn ibeacons() {
        let beacon = decode_ibeacon(&IBEACON).unwrap();
        assert_eq!((beacon.major, beacon.minor, beacon.dbm_at_one_metre), (1, 0x0203, -59));
        assert_eq!(beacon.uuid[..4], [0xe2, 0xc5, 0x6d, 0xb5]);
        assert_eq!(decode_ibeacon(&IBEACON[..22]), Err(Malformed::Short("identity")));
        assert_eq!(decode_ibeacon(&[0x10, 0x05, 1, 2]), Err(Malformed::NotThis("an iBeacon")));
        assert_eq!(decode_ibeacon(&[]), Err(Malformed::NotThis("an iBeacon")));
    }

    #[test]
    fn eddystone_frames() {
        let telemetry = [0x20, 0x00, 0x0b, 0xb8, 0x15, 0x80, 0, 0, 0, 9, 0, 0, 0, 99];
        let Eddystone::Telemetry { battery, climate } = decode_eddystone(&telemetry).unwrap()
        else {
            panic!("telemetry")
        };
        assert_eq!(battery.unwrap().millivolts, Some(3000.0));
        assert_eq!(climate.unwrap().celsius, Some(21.5));
        let bare = [0x20, 0x00, 0, 0, 0x80, 0x00, 0, 0, 0, 9, 0, 0, 0, 99];
        assert_eq!(
            decode_eddystone(&bare).unwrap(),
            Eddystone::Telemetry { battery: None, climate: None }
        );
        assert_eq!(decode_eddystone(&[0; 18]).unwrap(), Eddystone::Near);
        assert_eq!(decode_eddystone(&telemetry[..13]), Err(Malformed::Short("frame")));
        assert_eq!(decode_eddystone(&[0x40]), Err(Malformed::NotThis("a frame of Eddystone")));
    }
}
