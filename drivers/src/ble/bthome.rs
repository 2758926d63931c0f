//! Adverts in the BTHome format, version 2 (service data FCD2), plain and encrypted. An object that
//! is not known ends the reading, because its length is not known either; what stood before it
//! counts. Meaning for a kind of device is given elsewhere.

use anju_model::config::BleAddress;

use super::bytes::{Fields, Malformed};
use super::key::{Key, TAG};
use super::object::{Measure, Object, Press, State};

/// What one advert says.
#[derive(Debug, Clone, PartialEq)]
pub struct Advert {
    /// The sender sends when something happens, not at regular times.
    pub trigger_based: bool,
    /// Its counter, if it is encrypted.
    pub counter: Option<u32>,
    /// Its number, with which repeats are told from news.
    pub packet: Option<u8>,
    /// What it measures, in the order sent.
    pub objects: Vec<Object>,
}

/// Reads service data FCD2 of the sender `from`.
///
/// With a key, an advert that is not encrypted is refused: anybody could send it.
///
/// # Errors
/// [`Malformed`] if it is no BTHome version 2, is cut off, or does not fit the key. Whether its
/// counter grew is for its device to judge.
pub fn decode(from: BleAddress, key: Option<&Key>, data: &[u8]) -> Result<Advert, Malformed> {
    let mut fields = Fields::new(data);
    let info = fields.u8("information")?;
    if info >> 5 != 2 {
        return Err(Malformed::NotThis("version 2 of BTHome"));
    }
    if info & 0x02 != 0 && fields.bytes(6, "address")? != from.reversed() {
        return Err(Malformed::OtherAddress);
    }
    let trigger_based = info & 0x04 != 0;
    if info & 0x01 == 0 {
        if key.is_some() {
            return Err(Malformed::NotEncrypted);
        }
        return objects(fields, trigger_based, None);
    }
    let key = key.ok_or(Malformed::NoKey)?;
    let (text, tail) = fields
        .rest()
        .split_last_chunk::<{ 4 + TAG }>()
        .ok_or(Malformed::Short("counter and tag"))?;
    let [counter @ .., t0, t1, t2, t3] = *tail;
    let nonce = nonce(from, info, counter);
    let plain = key.open_13(&nonce, text, [t0, t1, t2, t3])?;
    objects(Fields::new(&plain), trigger_based, Some(u32::from_le_bytes(counter)))
}

/// Address as written, UUID as sent, information byte, counter as sent.
fn nonce(from: BleAddress, info: u8, counter: [u8; 4]) -> [u8; 13] {
    let [a, b, c, d, e, f] = from.bytes();
    let [w, x, y, z] = counter;
    [a, b, c, d, e, f, 0xd2, 0xfc, info, w, x, y, z]
}

fn objects(
    mut fields: Fields<'_>,
    trigger_based: bool,
    counter: Option<u32>,
) -> Result<Advert, Malformed> {
    let mut advert = Advert { trigger_based, counter, packet: None, objects: Vec::new() };
    while let Ok(id) = fields.u8("object") {
        match id {
            0x00 => advert.packet = Some(fields.u8("packet number")?),
            0x53 | 0x54 => {
                // Text and raw bytes say their length.
                let length = fields.u8("length")?;
                fields.bytes(length.into(), "text")?;
            }
            _ => {
                let Some(object) = object(id, &mut fields)? else { break };
                advert.objects.push(object);
            }
        }
    }
    Ok(advert)
}

/// Reads what follows an object's number; `None` if the number is not known.
fn object(id: u8, fields: &mut Fields<'_>) -> Result<Option<Object>, Malformed> {
    let what = "object";
    let state = |state, raw| Object::State(state, raw != 0);
    let measure = |measure, raw: f64, per: f64| Object::Measure(measure, raw / per);
    Ok(Some(match id {
        0x01 => measure(Measure::BatteryPercent, fields.u8(what)?.into(), 1.0),
        0x02 => measure(Measure::Celsius, fields.i16(what)?.into(), 100.0),
        0x03 => measure(Measure::HumidityPercent, fields.u16(what)?.into(), 100.0),
        0x04 => measure(Measure::Hectopascals, fields.u24(what)?.into(), 100.0),
        0x05 => measure(Measure::Lux, fields.u24(what)?.into(), 100.0),
        0x06 => measure(Measure::Kilograms, fields.u16(what)?.into(), 100.0),
        0x0a => measure(Measure::WattHours, fields.u24(what)?.into(), 1.0),
        0x0b => measure(Measure::Watts, fields.u24(what)?.into(), 100.0),
        0x0c => measure(Measure::Volts, fields.u16(what)?.into(), 1000.0),
        0x0d => measure(Measure::Pm2_5, fields.u16(what)?.into(), 1.0),
        0x0e => measure(Measure::Pm10, fields.u16(what)?.into(), 1.0),
        0x11 | 0x1a | 0x1b | 0x2d => state(State::Open, fields.u8(what)?),
        0x12 => measure(Measure::Co2Ppm, fields.u16(what)?.into(), 1.0),
        0x15 => state(State::BatteryLow, fields.u8(what)?),
        0x17 => state(State::CarbonMonoxide, fields.u8(what)?),
        0x1c => state(State::Gas, fields.u8(what)?),
        0x20 => state(State::Wet, fields.u8(what)?),
        0x21 => state(State::Motion, fields.u8(what)?),
        0x22 => state(State::Moving, fields.u8(what)?),
        0x23 => state(State::Occupancy, fields.u8(what)?),
        0x25 => state(State::Presence, fields.u8(what)?),
        0x26 => state(State::Problem, fields.u8(what)?),
        0x29 => state(State::Smoke, fields.u8(what)?),
        0x2b => state(State::Tamper, fields.u8(what)?),
        0x2c => state(State::Vibration, fields.u8(what)?),
        0x2e => measure(Measure::HumidityPercent, fields.u8(what)?.into(), 1.0),
        0x3a => Object::Button(press(fields.u8(what)?)),
        0x45 => measure(Measure::Celsius, fields.i16(what)?.into(), 10.0),
        0x4d => measure(Measure::WattHours, u32(fields)?.into(), 1.0),
        0x4f => measure(Measure::WaterLitres, u32(fields)?.into(), 1000.0),
        0x57 => measure(Measure::Celsius, signed(fields)?, 1.0),
        0x58 => measure(Measure::Celsius, signed(fields)? * 35.0, 100.0),
        // Generic, power, charging, cold, connectivity, heat, light, lock, plug, running, safety
        // (whose meaning makers disagree on), sound; moisture, counts, channel, light level.
        0x09 | 0x0f | 0x10 | 0x16 | 0x18 | 0x19 | 0x1d | 0x1e | 0x1f | 0x24 | 0x27 | 0x28
        | 0x2a | 0x2f | 0x46 | 0x59 | 0x60 | 0x64 => skip(fields, 1)?,
        0x07 | 0x08 | 0x13 | 0x14 | 0x3c | 0x3d | 0x3f | 0x40 | 0x41 | 0x43 | 0x44 | 0x47
        | 0x48 | 0x49 | 0x4a | 0x51 | 0x52 | 0x56 | 0x5a | 0x5d | 0x5e | 0x5f | 0x61 => {
            skip(fields, 2)?
        }
        0x42 | 0x4b | 0xf2 => skip(fields, 3)?,
        0x3e | 0x4c | 0x4e | 0x50 | 0x55 | 0x5b | 0x5c | 0x62 | 0x63 | 0xf1 => skip(fields, 4)?,
        0xf0 => skip(fields, 2)?,
        _ => return Ok(None),
    }))
}

fn u32(fields: &mut Fields<'_>) -> Result<u32, Malformed> {
    let low = fields.u16("object")?;
    let high = fields.u16("object")?;
    Ok(u32::from(high) << 16 | u32::from(low))
}

fn signed(fields: &mut Fields<'_>) -> Result<f64, Malformed> {
    Ok(fields.u8("object")?.cast_signed().into())
}

fn skip(fields: &mut Fields<'_>, bytes: usize) -> Result<Object, Malformed> {
    fields.bytes(bytes, "object").map(|_| Object::Other)
}

const fn press(raw: u8) -> Press {
    match raw {
        0x00 => Press::None,
        0x01 => Press::Single,
        0x02 => Press::Double,
        0x03 => Press::Triple,
        0x04..=0x06 | 0x80 => Press::Long,
        _ => Press::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "231d39c1d7cc1ab1aee224cd096db932";
    const CLIMATE: [Object; 2] = [
        Object::Measure(Measure::Celsius, 25.06),
        Object::Measure(Measure::HumidityPercent, 50.55),
    ];

    fn from() -> BleAddress {
        "54:48:E6:8F:80:A5".parse().unwrap()
    }

    fn plain(data: &[u8]) -> Result<Advert, Malformed> {
        decode(from(), None, data)
    }

    #[test]
    fn captured_adverts() {
        let advert = plain(&[0x40, 0x02, 0xca, 0x09, 0x03, 0xbf, 0x13]).unwrap();
        assert_eq!(advert.objects, CLIMATE);
        assert_eq!((advert.packet, advert.counter, advert.trigger_based), (None, None, false));

        let key = Key::parse(KEY).unwrap();
        for (data, counter) in [
            (
                [
                    0x41, 0xe4, 0x45, 0xf3, 0xc9, 0x96, 0x2b, 0x33, 0x22, 0x11, 0, 0x6c, 0x7c,
                    0x45, 0x19,
                ],
                0x0011_2233,
            ),
            (
                [
                    0x41, 0xa4, 0x72, 0x66, 0xc9, 0x5f, 0x73, 0, 0x11, 0x22, 0x33, 0x78, 0x23,
                    0x72, 0x14,
                ],
                0x3322_1100,
            ),
        ] {
            let advert = decode(from(), Some(&key), &data).unwrap();
            assert_eq!(advert.objects, CLIMATE);
            assert_eq!(advert.counter, Some(counter));
            for bit in 0..8 * data.len() {
                let mut forged = data;
                forged[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(from(), Some(&key), &forged).is_err(), "bit {bit}");
            }
            assert_eq!(decode(from(), None, &data), Err(Malformed::NoKey));
            let other = "54:48:E6:8F:80:A6".parse().unwrap();
            assert_eq!(decode(other, Some(&key), &data), Err(Malformed::WrongKey));
        }
        let open = [0x40, 0x3a, 0x01];
        assert_eq!(decode(from(), Some(&key), &open), Err(Malformed::NotEncrypted));
    }

    #[test]
    fn buttons_and_states() {
        // A remote with four buttons: the third was pressed.
        let advert =
            plain(&[0x44, 0x00, 0x09, 0x01, 0x64, 0x3a, 0, 0x3a, 0, 0x3a, 0x01, 0x3a, 0]).unwrap();
        assert!(advert.trigger_based);
        assert_eq!(advert.packet, Some(9));
        let none = Object::Button(Press::None);
        let single = Object::Button(Press::Single);
        assert_eq!(advert.objects[1..], [none, none, single, none]);
        for (raw, press) in [
            (2, Press::Double),
            (3, Press::Triple),
            (4, Press::Long),
            (0x80, Press::Long),
            (0x33, Press::Unknown),
        ] {
            assert_eq!(plain(&[0x40, 0x3a, raw]).unwrap().objects, [Object::Button(press)]);
        }
        let states = plain(&[0x40, 0x17, 0, 0x20, 1, 0x29, 1, 0x2b, 0]).unwrap().objects;
        assert_eq!(
            states,
            [
                Object::State(State::CarbonMonoxide, false),
                Object::State(State::Wet, true),
                Object::State(State::Smoke, true),
                Object::State(State::Tamper, false),
            ]
        );
    }

    #[test]
    fn an_unknown_object_ends_the_reading() {
        let advert = plain(&[0x40, 0x01, 0x61, 0xee, 0x3a, 0x01]).unwrap();
        assert_eq!(advert.objects, [Object::Measure(Measure::BatteryPercent, 97.0)]);
        // Text and firmware versions have known lengths.
        let advert = plain(&[0x40, 0x53, 2, b'h', b'i', 0xf2, 1, 2, 3, 0x3a, 0x01]).unwrap();
        assert_eq!(advert.objects.last(), Some(&Object::Button(Press::Single)));
    }

    #[test]
    fn broken_adverts() {
        assert_eq!(plain(&[]), Err(Malformed::Short("information")));
        assert_eq!(plain(&[0x20, 0x01, 0x61]), Err(Malformed::NotThis("version 2 of BTHome")));
        assert_eq!(plain(&[0x40, 0x02, 0xca]), Err(Malformed::Short("object")));
        assert_eq!(plain(&[0x40, 0x53, 9, b'x']), Err(Malformed::Short("text")));
        let own = [0x42, 0xa5, 0x80, 0x8f, 0xe6, 0x48, 0x54, 0x3a, 0x01];
        assert_eq!(plain(&own).unwrap().objects, [Object::Button(Press::Single)]);
        let mut other = own;
        other[1] = 0xa6;
        assert_eq!(plain(&other), Err(Malformed::OtherAddress));
        let key = Key::parse(KEY).unwrap();
        let short = decode(from(), Some(&key), &[0x41, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(short, Err(Malformed::Short("counter and tag")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = plain(&data);
            let _ = decode(from(), Some(&Key::parse(KEY).unwrap()), &data);
        }

        #[test]
        fn temperatures_come_back(raw in any::<i16>()) {
            let [low, high] = raw.to_le_bytes();
            let advert = plain(&[0x40, 0x02, low, high]).unwrap();
            let expected = Object::Measure(Measure::Celsius, f64::from(raw) / 100.0);
            prop_assert_eq!(advert.objects, vec![expected]);
        }
    }
}
