//! The codec against captured frames, round trips and random bytes.

use proptest::prelude::*;

use super::*;
use crate::serial::stream::BadFrame;

const VECTORS: &str = include_str!("../vectors/dlt645.tsv");

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// What it says and its bytes.
fn vectors() -> Vec<(&'static str, Vec<u8>)> {
    let rows = VECTORS.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let mut columns = row.split('\t');
        assert_eq!(columns.next(), Some("dlt645"));
        (columns.next().unwrap(), bytes(columns.next().unwrap()))
    })
    .collect()
}

fn only(wire: &[u8]) -> Frame {
    let mut parser = Parser::default();
    let frames = parser.feed(wire);
    assert_eq!(parser.held(), 0);
    assert_eq!(frames.len(), 1, "{frames:?}");
    frames.into_iter().next().unwrap().unwrap()
}

fn reading(frame: &Frame, item: Item) -> f64 {
    match answer(frame, frame.address, Request::Read(item)).unwrap() {
        Answer::Data { payload, more: false } => item.value(&payload).unwrap().in_units(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_captured_frame() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 13);
    for (says, wire) in vectors {
        let words: Vec<&str> = says.split(' ').collect();
        match words.as_slice() {
            ["NEG", ..] => {
                let found = Parser::default().feed(&wire);
                let wrong = BadFrame::CheckSum { found: 0xB6, computed: 0xDA };
                assert_eq!(found, [Err(wrong)], "{says}");
            }
            ["REQ", what, rest @ ..] => {
                let frame = only(&wire);
                let request = match *what {
                    "energy" | "wildcard" => Request::Read(Item::ImportEnergy),
                    "Ua" => Request::Read(Item::Voltage),
                    "address" => Request::ReadAddress,
                    other => panic!("{other}"),
                };
                if let ["meter", digits] = rest {
                    assert_eq!(frame.address, Address::parse(digits).unwrap());
                }
                let sent: Vec<u8> = wire.into_iter().skip_while(|byte| *byte == WAKE).collect();
                assert_eq!(request.encode(frame.address), sent, "{says}");
                assert_eq!(answer(&frame, frame.address, request), Err(NoAnswer::Request));
            }
            ["ERR", bits] => {
                let frame = only(&wire);
                let request = Request::Read(Item::Power);
                let refused = Refusal(u8::from_str_radix(bits, 16).unwrap());
                assert_eq!(
                    answer(&frame, frame.address, request),
                    Ok(Answer::Refused(refused)),
                    "{says}"
                );
            }
            [figure, unit, rest @ ..] => {
                let frame = only(&wire);
                if let ["(meter", digits] = rest {
                    assert_eq!(frame.address.to_string(), digits.trim_end_matches(')'));
                }
                let (item, scale) = match *unit {
                    "kWh" => (Item::ImportEnergy, 1000.0),
                    "kW" => (Item::Power, 1000.0),
                    "V" => (Item::Voltage, 1.0),
                    other => panic!("{other}"),
                };
                let expected = figure.parse::<f64>().unwrap() * scale;
                let found = reading(&frame, item);
                assert!((found - expected).abs() < 1e-6, "{says}: {found}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn addresses_are_digits() {
    let address = Address::parse("161").unwrap();
    assert_eq!(address, Address::from_wire([0x61, 0x01, 0, 0, 0, 0]));
    assert_eq!(address.to_string(), "000000000161");
    for wrong in ["", "1234567890123", "12a", "-1", "１"] {
        assert_eq!(Address::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn the_sign_is_the_highest_bit() {
    assert_eq!(Item::Power.value(&[0x12, 0x25, 0x80]).unwrap().in_units(), -251.2);
    assert_eq!(Item::Current.value(&[0x34, 0x12, 0x00]).unwrap().in_units(), 1.234);
    assert_eq!(Item::Current.value(&[0x34, 0x12, 0x80]).unwrap().steps, -1234);
    // Energy and voltage have no sign: the bit makes a nibble that is no digit.
    assert!(Item::ImportEnergy.value(&[0, 0, 0, 0x80]).is_ok_and(|v| v.steps == 80_000_000));
    let none = Err(BadValue::Digit { item: Item::Voltage });
    assert_eq!(Item::Voltage.value(&[0xFF, 0xFF]), none);
    assert_eq!(Item::Voltage.value(&[0x0A, 0x22]), none);
    let short = Err(BadValue::Length { item: Item::Voltage, bytes: 3 });
    assert_eq!(Item::Voltage.value(&[0, 0, 0]), short);
}

#[test]
fn what_is_no_answer() {
    let meter = Address::parse("161").unwrap();
    let request = Request::Read(Item::ImportEnergy);
    let data = bytes("00 00 01 00 26 00 00 00");
    let sound = Frame { address: meter, control: 0x91, data };
    assert!(matches!(answer(&sound, meter, request), Ok(Answer::Data { more: false, .. })));
    assert!(answer(&sound, Address::WILDCARD, request).is_ok());
    let other = Address::parse("162").unwrap();
    assert_eq!(answer(&sound, other, request), Err(NoAnswer::OtherMeter(meter)));
    let power = Request::Read(Item::Power);
    assert_eq!(answer(&sound, meter, power), Err(NoAnswer::OtherRequest));
    assert_eq!(answer(&sound, meter, Request::ReadAddress), Err(NoAnswer::OtherRequest));
    let with = |control, hex| Frame { address: meter, control, data: bytes(hex) };
    assert_eq!(answer(&with(0x91, "00 00 01"), meter, request), Err(NoAnswer::Length(3)));
    assert_eq!(answer(&with(0xD1, "01 02"), meter, request), Err(NoAnswer::Length(2)));
    for control in [0x81, 0xC1] {
        let old = with(control, "10 90 26 00 00 00");
        assert_eq!(answer(&old, meter, request), Err(NoAnswer::Edition1997));
    }
}

#[test]
fn more_is_read_part_by_part() {
    let meter = Address::parse("161").unwrap();
    let first = Frame { address: meter, control: 0xB1, data: bytes("00 00 01 00 26") };
    let said = answer(&first, meter, Request::Read(Item::ImportEnergy));
    assert_eq!(said, Ok(Answer::Data { payload: vec![0x26], more: true }));
    let next = Request::ReadNext(Item::ImportEnergy, 1);
    assert_eq!(only(&next.encode(meter)).data, bytes("00 00 01 00 01"));
    let second = Frame { address: meter, control: 0x92, data: bytes("00 00 01 00 27 01") };
    let said = answer(&second, meter, next);
    assert_eq!(said, Ok(Answer::Data { payload: vec![0x27], more: false }));
    let late = Request::ReadNext(Item::ImportEnergy, 2);
    assert_eq!(answer(&second, meter, late), Err(NoAnswer::OtherRequest));
}

#[test]
fn the_relay_and_the_clock() {
    let state = |low| Item::State.value(&[low, 0x00]).unwrap();
    assert!(relay_is_on(state(0x00)) && relay_is_on(state(0xEF)));
    assert!(!relay_is_on(state(0x10)));
    // Wednesday, 25 November 2026, 13:05:59, low bytes first.
    let date = Item::Date.value(&[0x03, 0x25, 0x11, 0x26]).unwrap();
    let time = Item::Time.value(&[0x59, 0x05, 0x13]).unwrap();
    assert_eq!(clock(date, time).as_deref(), Some("2026-11-25T13:05:59"));
    let wrong = Item::Time.value(&[0x60, 0x05, 0x13]).unwrap();
    assert_eq!(clock(date, wrong), None);
}

#[test]
fn addresses_that_no_meter_has() {
    assert!(Address::parse("161").unwrap().is_a_meters());
    for bytes in [[0x99; 6], [0xAA; 6], [0x0F; 6]] {
        assert!(!Address::from_wire(bytes).is_a_meters());
    }
}

#[test]
fn refusals_are_bits() {
    assert_eq!(Refusal(0x02).to_string(), "no such data");
    assert_eq!(Refusal(0x05).to_string(), "other error, wrong password or not allowed");
    assert_eq!(Refusal(0x80).to_string(), "error 80");
}

#[test]
fn a_frame_begun_by_noise_is_looked_through() {
    let sound = Request::Read(Item::Power).encode(Address::parse("161").unwrap());
    // Looks like a frame of 192 bytes, and swallows the sound one.
    let mut wire = bytes("68 00 00 00 00 00 00 68 91 C0");
    wire.extend(&sound);
    let mut parser = Parser::default();
    assert_eq!(parser.feed(&wire), []);
    assert_eq!(parser.finish(), [Ok(only(&sound))]);
    assert_eq!(parser.held(), 0);
}

fn any_address() -> impl Strategy<Value = Address> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(Address::from_wire),
        // Starts inside the address.
        Just(Address::from_wire([START; 6])),
    ]
}

fn any_frame() -> impl Strategy<Value = Frame> {
    (any_address(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..=200))
        .prop_map(|(address, control, data)| Frame { address, control, data })
}

proptest! {
    /// Whole frames come out whole, however they are cut and whatever wakes them.
    #[test]
    fn frames_round_trip(
        frames in prop::collection::vec((0usize..6, any_frame()), 1..4),
        cut in 1usize..40,
    ) {
        let mut wire = Vec::new();
        for (wakes, frame) in &frames {
            wire.extend(vec![WAKE; *wakes]);
            wire.extend(frame.encode());
        }
        let mut parser = Parser::default();
        let mut heard = Vec::new();
        for piece in wire.chunks(cut) {
            heard.extend(parser.feed(piece));
            prop_assert!(parser.held() < LONGEST_FRAME);
        }
        let sent: Vec<_> = frames.into_iter().map(|(_, frame)| Ok(frame)).collect();
        prop_assert_eq!(heard, sent);
    }

    /// A sound frame behind noise is found, at the latest when the line falls silent.
    #[test]
    fn noise_never_hides_a_frame(
        noise in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(START)], 0..60),
        frame in any_frame(),
    ) {
        let mut parser = Parser::default();
        let mut heard = parser.feed(&noise);
        heard.extend(parser.feed(&frame.encode()));
        heard.extend(parser.finish());
        prop_assert!(heard.contains(&Ok(frame)));
        prop_assert_eq!(parser.held(), 0);
    }

    /// Anything at all may stand on the line.
    #[test]
    fn random_bytes_never_panic(
        pieces in prop::collection::vec(prop::collection::vec(
            prop_oneof![4 => any::<u8>(), 2 => Just(START), 1 => Just(END)], 0..300), 0..6),
        asked in any_address(),
        payload in prop::collection::vec(any::<u8>(), 0..8),
        part in any::<u8>(),
    ) {
        let mut parser = Parser::default();
        for piece in &pieces {
            for frame in parser.feed(piece).into_iter().flatten() {
                for item in Item::ALL {
                    let _ = answer(&frame, asked, Request::ReadNext(item, part));
                    let _ = answer(&frame, frame.address, Request::Read(item));
                }
            }
            prop_assert!(parser.held() < LONGEST_FRAME);
        }
        for item in Item::ALL {
            if let Ok(value) = item.value(&payload) {
                prop_assert!(value.steps.abs() < 100_000_000);
                let _ = clock(value, value);
                prop_assert!(value.in_units().is_finite());
            }
        }
    }

    /// Digits come back as they were sent.
    #[test]
    fn values_round_trip(steps in 0i64..80_000_000, minus in any::<bool>()) {
        for item in Item::ALL.into_iter().filter(|item| *item != Item::State) {
            let most = [0, 0, 10_000, 800_000, 100_000_000][item.width()];
            let digits = steps % most;
            let mut payload = Vec::new();
            let mut rest = digits;
            for _ in 0..item.width() {
                let pair = u8::try_from(rest % 100).unwrap();
                payload.push(((pair / 10) << 4) | (pair % 10));
                rest /= 100;
            }
            let minus = minus && item.is_signed();
            if minus {
                *payload.last_mut().unwrap() |= 0x80;
            }
            let expected = if minus { -digits } else { digits };
            prop_assert_eq!(item.value(&payload), Ok(Value { item, steps: expected }));
        }
    }

    /// Addresses of digits come back as they were read.
    #[test]
    fn addresses_round_trip(number in 0u64..1_000_000_000_000) {
        let digits = format!("{number:012}");
        prop_assert_eq!(Address::parse(&digits).unwrap().to_string(), digits);
        prop_assert_eq!(Address::parse(&number.to_string()), Address::parse(&format!("{number:012}")));
    }
}
