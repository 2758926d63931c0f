//! Single readings over GATT: temperature (2A6E) and humidity (2A6F) of the Environmental Sensing
//! service 181A, and the battery level (2A19) of service 180F.

use anju_model::observation::{Battery, Climate};

use super::bytes::{Fields, Malformed, within};

/// A room's temperature that can be, °C.
pub(super) const ROOM: std::ops::RangeInclusive<f64> = -60.0..=120.0;

/// Reads a temperature (2A6E): 0.01 °C. Empty when the device does not know it.
///
/// # Errors
/// [`Malformed`] if it is not two bytes or no temperature that can be.
pub fn decode_temperature(payload: &[u8]) -> Result<Climate, Malformed> {
    let mut fields = Fields::new(payload);
    let raw = fields.i16("temperature")?;
    fields.end()?;
    let celsius = (raw != i16::MIN)
        .then(|| within(f64::from(raw) / 100.0, ROOM, "temperature"))
        .transpose()?;
    Ok(Climate { celsius, ..Climate::default() })
}

/// Reads a humidity (2A6F): 0.01 %. Empty when the device does not know it.
///
/// # Errors
/// [`Malformed`] if it is not two bytes or over 100 %.
pub fn decode_humidity(payload: &[u8]) -> Result<Climate, Malformed> {
    let mut fields = Fields::new(payload);
    let raw = fields.u16("humidity")?;
    fields.end()?;
    let relative_humidity_percent = (raw != u16::MAX)
        .then(|| within(f64::from(raw) / 100.0, 0.0..=100.0, "humidity"))
        .transpose()?;
    Ok(Climate { relative_humidity_percent, ..Climate::default() })
}

/// Reads a battery level (2A19): per cent.
///
/// # Errors
/// [`Malformed`] if it is not one byte or over 100 %.
pub fn decode_battery(payload: &[u8]) -> Result<Battery, Malformed> {
    let mut fields = Fields::new(payload);
    let percent = within(f64::from(fields.u8("level")?), 0.0..=100.0, "battery level")?;
    fields.end()?;
    Ok(Battery { percent: Some(percent), ..Battery::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings() {
        assert_eq!(decode_temperature(&[0xca, 0x09]).unwrap().celsius, Some(25.06));
        assert_eq!(decode_temperature(&[0x18, 0xfc]).unwrap().celsius, Some(-10.0));
        assert_eq!(decode_humidity(&[0xbf, 0x13]).unwrap().relative_humidity_percent, Some(50.55));
        assert_eq!(decode_battery(&[87]).unwrap().percent, Some(87.0));
    }

    #[test]
    fn unknown_and_broken_readings() {
        assert_eq!(decode_temperature(&[0x00, 0x80]).unwrap(), Climate::default());
        assert_eq!(decode_humidity(&[0xff, 0xff]).unwrap(), Climate::default());
        assert_eq!(decode_temperature(&[0xff]), Err(Malformed::Short("temperature")));
        assert_eq!(decode_humidity(&[0x11, 0x27]), Err(Malformed::OutOfRange("humidity")));
        assert_eq!(decode_humidity(&[0, 0, 0]), Err(Malformed::Long));
        assert_eq!(decode_battery(&[255]), Err(Malformed::OutOfRange("battery level")));
        assert_eq!(decode_battery(&[]), Err(Malformed::Short("level")));
    }
}
