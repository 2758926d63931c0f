//! Adverts in the MiBeacon format (service data FE95), plain, and encrypted in versions 4 and 5.
//! Many devices of Xiaomi's makers send it. An object that is not known says nothing.

use anju_model::config::BleAddress;

use super::bytes::{Fields, Malformed};
use super::key::{Key, TAG};
use super::object::{Measure, Object, Press, State};

const ENCRYPTED: u16 = 1 << 3;
const HAS_ADDRESS: u16 = 1 << 4;
const HAS_CAPABILITY: u16 = 1 << 5;
const HAS_OBJECT: u16 = 1 << 6;
/// What is authenticated beside the text.
const BESIDE: [u8; 1] = [0x11];

/// What one advert says.
#[derive(Debug, Clone, PartialEq)]
pub struct Advert {
    /// Its number: 8 bits, and 24 more above them if it is encrypted.
    pub counter: u32,
    /// Whether it is encrypted, so that the counter never repeats.
    pub encrypted: bool,
    /// What it measures.
    pub objects: Vec<Object>,
}

/// Reads service data FE95 of the sender `from`.
///
/// With a key, an object that is not encrypted is refused: anybody could send it.
///
/// # Errors
/// [`Malformed`] if it is cut off, of a version that can not be read, or does not fit the key.
pub fn decode(from: BleAddress, key: Option<&Key>, data: &[u8]) -> Result<Advert, Malformed> {
    let mut fields = Fields::new(data);
    let control = fields.u16("control")?;
    let product = fields.u16("product")?;
    let number = fields.u8("counter")?;
    if control & HAS_ADDRESS != 0 && fields.bytes(6, "address")? != from.reversed() {
        return Err(Malformed::OtherAddress);
    }
    if control & HAS_CAPABILITY != 0 {
        let capability = fields.u8("capability")?;
        if capability & 0x20 != 0 {
            fields.u16("capability")?;
        }
    }
    let encrypted = control & ENCRYPTED != 0;
    let mut advert = Advert { counter: number.into(), encrypted, objects: Vec::new() };
    if control & HAS_OBJECT == 0 {
        return Ok(advert);
    }
    if !encrypted {
        if key.is_some() {
            return Err(Malformed::NotEncrypted);
        }
        advert.objects = objects(fields.rest())?;
        return Ok(advert);
    }
    if control >> 12 < 4 {
        return Err(Malformed::NotThis("encrypted in a version from 4 on"));
    }
    let key = key.ok_or(Malformed::NoKey)?;
    let (text, tail) = fields
        .rest()
        .split_last_chunk::<{ 3 + TAG }>()
        .ok_or(Malformed::Short("counter and tag"))?;
    let [c0, c1, c2, t0, t1, t2, t3] = *tail;
    let [a, b, c, d, e, f] = from.reversed();
    let [p0, p1] = product.to_le_bytes();
    let nonce = [a, b, c, d, e, f, p0, p1, number, c0, c1, c2];
    let plain = key.open_12(&nonce, &BESIDE, text, [t0, t1, t2, t3])?;
    advert.counter = u32::from_le_bytes([number, c0, c1, c2]);
    advert.objects = objects(&plain)?;
    Ok(advert)
}

fn objects(data: &[u8]) -> Result<Vec<Object>, Malformed> {
    let mut fields = Fields::new(data);
    let mut objects = Vec::new();
    while !fields.rest().is_empty() {
        let id = fields.u16("object")?;
        let length = fields.u8("length")?;
        object(id, fields.bytes(length.into(), "object")?, &mut objects)?;
    }
    Ok(objects)
}

fn object(id: u16, data: &[u8], into: &mut Vec<Object>) -> Result<(), Malformed> {
    let mut fields = Fields::new(data);
    let what = "object";
    let mut measure = |measure, value| into.push(Object::Measure(measure, value));
    match id {
        0x1004 => measure(Measure::Celsius, f64::from(fields.i16(what)?) / 10.0),
        0x1006 => measure(Measure::HumidityPercent, f64::from(fields.u16(what)?) / 10.0),
        0x1007 => measure(Measure::Lux, fields.u24(what)?.into()),
        0x100a => measure(Measure::BatteryPercent, fields.u8(what)?.into()),
        0x100d => {
            measure(Measure::Celsius, f64::from(fields.i16(what)?) / 10.0);
            measure(Measure::HumidityPercent, f64::from(fields.u16(what)?) / 10.0);
        }
        0x0003 | 0x000f => into.push(Object::State(State::Motion, true)),
        0x1001 => {
            fields.u16(what)?;
            into.push(Object::Button(match fields.u8(what)? {
                0 => Press::Single,
                1 => Press::Double,
                2 => Press::Long,
                3 => Press::Triple,
                _ => Press::Unknown,
            }));
        }
        0x1014 => into.push(Object::State(State::Wet, fields.u8(what)? != 0)),
        0x1015 => into.push(Object::State(State::Smoke, fields.u8(what)? != 0)),
        // 0 open, 1 closed, 2 not closed in time, 3 the sensor was reset.
        0x1019 => match fields.u8(what)? {
            0 | 2 => into.push(Object::State(State::Open, true)),
            1 => into.push(Object::State(State::Open, false)),
            _ => into.push(Object::Other),
        },
        _ => into.push(Object::Other),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "e9ea895fac7cca6d30532432a516f3a8";
    const HUMIDITY: [u8; 23] = [
        0x58, 0x58, 0x5b, 0x05, 0x50, 0xf4, 0x83, 0x02, 0x38, 0xc1, 0xa4, 0x95, 0xef, 0x58, 0x76,
        0x3c, 0x26, 0x00, 0x00, 0x97, 0xe2, 0xab, 0xb5,
    ];

    fn from() -> BleAddress {
        "A4:C1:38:02:83:F4".parse().unwrap()
    }

    #[test]
    fn a_captured_advert() {
        let key = Key::parse(KEY).unwrap();
        let advert = decode(from(), Some(&key), &HUMIDITY).unwrap();
        assert_eq!(advert.objects, [Object::Measure(Measure::HumidityPercent, 46.7)]);
        assert_eq!((advert.counter, advert.encrypted), (0x2650, true));
        assert_eq!(decode(from(), None, &HUMIDITY), Err(Malformed::NoKey));
        for at in [2, 4, 11, 15, 16, 18, 19, 22] {
            let mut forged = HUMIDITY;
            forged[at] ^= 0x01;
            assert_eq!(decode(from(), Some(&key), &forged), Err(Malformed::WrongKey), "{at}");
        }
        let other = "A4:C1:38:02:83:F5".parse().unwrap();
        assert_eq!(decode(other, Some(&key), &HUMIDITY), Err(Malformed::OtherAddress));
        for end in 0..HUMIDITY.len() {
            assert!(decode(from(), Some(&key), &HUMIDITY[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn plain_objects() {
        let plain = |objects: &[u8]| {
            let mut data = vec![0x40, 0x50, 0x5b, 0x05, 0x07];
            data.extend_from_slice(objects);
            decode(from(), None, &data)
        };
        let climate = plain(&[0x0d, 0x10, 4, 0xe1, 0x00, 0xd3, 0x01]).unwrap();
        assert_eq!(
            climate.objects,
            [
                Object::Measure(Measure::Celsius, 22.5),
                Object::Measure(Measure::HumidityPercent, 46.7),
            ]
        );
        assert_eq!(climate.counter, 7);
        let pressed = plain(&[0x01, 0x10, 3, 0, 0, 2]).unwrap();
        assert_eq!(pressed.objects, [Object::Button(Press::Long)]);
        assert_eq!(plain(&[0x14, 0x10, 1, 1]).unwrap().objects, [Object::State(State::Wet, true)]);
        assert_eq!(
            plain(&[0x19, 0x10, 1, 1]).unwrap().objects,
            [Object::State(State::Open, false)]
        );
        assert_eq!(plain(&[0x99, 0x99, 1, 1]).unwrap().objects, [Object::Other]);
        assert_eq!(plain(&[0x0d, 0x10, 4, 0xe1]), Err(Malformed::Short("object")));
        let key = Key::parse(KEY).unwrap();
        let open = [0x40, 0x50, 0x5b, 0x05, 0x07, 0x14, 0x10, 1, 1];
        assert_eq!(decode(from(), Some(&key), &open), Err(Malformed::NotEncrypted));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = decode(from(), None, &data);
            let _ = decode(from(), Some(&Key::parse(KEY).unwrap()), &data);
        }
    }
}
