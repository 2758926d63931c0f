//! Adverts of hygrometers with the free firmware of ATC1441 (13 bytes, big-endian) and pvvx (15
//! bytes, little-endian), both service data 181A. Each carries its sender's address; one that does
//! not match must never count.

use anju_model::observation::{Battery, Climate};

use super::bytes::{Fields, Malformed, within};
use super::environment::ROOM;
use anju_model::config::BleAddress as Address;

/// What one advert says.
#[derive(Debug, Clone, PartialEq)]
pub struct Hygrometer {
    /// Temperature and humidity.
    pub climate: Climate,
    /// Charge and voltage.
    pub battery: Battery,
}

/// Reads service data 181A of the sender `from`.
///
/// # Errors
/// [`Malformed`] if it is neither form, or names another sender.
pub fn decode(from: Address, data: &[u8]) -> Result<Hygrometer, Malformed> {
    let mut fields = Fields::new(data);
    let (celsius, humidity, percent, millivolts);
    match data.len() {
        13 => {
            if fields.bytes(6, "address")? != from.bytes() {
                return Err(Malformed::OtherAddress);
            }
            celsius = f64::from(fields.i16("temperature")?.swap_bytes()) / 10.0;
            humidity = f64::from(fields.u8("humidity")?);
            percent = fields.u8("battery")?;
            millivolts = fields.u16("voltage")?.swap_bytes();
        }
        15 => {
            if fields.bytes(6, "address")? != from.reversed() {
                return Err(Malformed::OtherAddress);
            }
            celsius = f64::from(fields.i16("temperature")?) / 100.0;
            humidity = f64::from(fields.u16("humidity")?) / 100.0;
            millivolts = fields.u16("voltage")?;
            percent = fields.u8("battery")?;
        }
        _ => return Err(Malformed::NotThis("of the length of either firmware")),
    }
    Ok(Hygrometer {
        climate: Climate {
            celsius: Some(within(celsius, ROOM, "temperature")?),
            relative_humidity_percent: Some(within(humidity, 0.0..=100.0, "humidity")?),
            ..Climate::default()
        },
        battery: Battery {
            percent: Some(within(f64::from(percent), 0.0..=100.0, "battery level")?),
            millivolts: Some(f64::from(millivolts)),
            low: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATC: [u8; 13] =
        [0xa4, 0xc1, 0x38, 0xaa, 0xbb, 0xcc, 0x00, 0xce, 0x33, 0x43, 0x0a, 0x6e, 0xc3];
    const PVVX: [u8; 15] =
        [0xcc, 0xbb, 0xaa, 0x38, 0xc1, 0xa4, 0x6c, 0x07, 0xfa, 0x13, 0xd6, 0x0a, 0x52, 0x09, 0x0f];

    #[test]
    fn captured_adverts() {
        let from = "A4:C1:38:AA:BB:CC".parse().unwrap();
        let atc = decode(from, &ATC).unwrap();
        assert_eq!(atc.climate.celsius, Some(20.6));
        assert_eq!(atc.climate.relative_humidity_percent, Some(51.0));
        assert_eq!((atc.battery.percent, atc.battery.millivolts), (Some(67.0), Some(2670.0)));
        let pvvx = decode(from, &PVVX).unwrap();
        assert_eq!(pvvx.climate.celsius, Some(19.0));
        assert_eq!(pvvx.climate.relative_humidity_percent, Some(51.14));
        assert_eq!((pvvx.battery.percent, pvvx.battery.millivolts), (Some(82.0), Some(2774.0)));
    }

    #[test]
    fn other_senders_and_lengths() {
        let other = "A4:C1:38:AA:BB:CD".parse().unwrap();
        assert_eq!(decode(other, &ATC), Err(Malformed::OtherAddress));
        assert_eq!(decode(other, &PVVX), Err(Malformed::OtherAddress));
        assert!(matches!(decode(other, &PVVX[..14]), Err(Malformed::NotThis(_))));
        assert!(matches!(decode(other, &[]), Err(Malformed::NotThis(_))));
    }
}
