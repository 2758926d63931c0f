//! The codec against captured frames, round trips and random bytes.

use proptest::prelude::*;

use super::*;
use crate::serial::stream::{BadFrame, Framed, Stream};

const VECTORS: &str = include_str!("../vectors/cjt188.tsv");

/// What it says and its bytes.
fn vectors() -> Vec<(&'static str, Vec<u8>)> {
    let rows = VECTORS.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let (says, hex) = row.strip_prefix("cjt188\t").unwrap().split_once('\t').unwrap();
        let bytes = hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap());
        (says, bytes.collect())
    })
    .collect()
}

fn only(wire: &[u8]) -> Frame {
    let mut stream = Stream::<Frame>::default();
    let mut frames = stream.feed(wire);
    assert_eq!((frames.len(), stream.held()), (1, 0), "{frames:?}");
    frames.remove(0).unwrap()
}

fn current(wire: &[u8]) -> Current {
    let frame = only(wire);
    match answer(&frame, frame.address).unwrap() {
        Answer::Current(current) => current,
        other @ Answer::Refused(_) => panic!("{other:?}"),
    }
}

#[test]
fn every_captured_frame() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 12);
    for (says, wire) in vectors {
        let words: Vec<&str> = says.split(' ').collect();
        match words.as_slice() {
            ["NEG", ..] => {
                let bad = BadFrame::CheckSum { found: 0x24, computed: 0x25 };
                assert_eq!(Stream::<Frame>::default().feed(&wire), [Err(bad)]);
            }
            ["REQ", rest @ ..] => {
                let sent: Vec<u8> = wire.iter().copied().skip_while(|b| *b == WAKE).collect();
                let order = if rest[0] == "1F90" { Order::LowFirst } else { Order::HighFirst };
                let address = match rest.last() {
                    Some(&"wildcard") => Address::WILDCARD,
                    Some(digits) => Address::parse(digits).unwrap(),
                    None => panic!("{says}"),
                };
                let serial = *sent.get(13).unwrap();
                assert_eq!(read_current(address, order, serial), sent, "{says}");
                assert_eq!(answer(&only(&wire), address), Err(NoAnswer::Request));
            }
            ["ERR", ..] => {
                let frame = only(&wire);
                let refused = Answer::Refused(vec![0x90, 0x1F, 0x01, 0x02]);
                assert_eq!(answer(&frame, frame.address), Ok(refused));
            }
            ["ADDR", ..] => {
                let frame = only(&wire);
                assert_eq!(answer(&frame, frame.address), Err(NoAnswer::OtherRequest));
            }
            ["clock", date, time] => {
                let current = current(&wire);
                assert_eq!(current.clock.unwrap().to_string(), format!("{date}T{time}"));
            }
            [cubic_metres, ..] => {
                let current = current(&wire);
                let volume = current.volume.unwrap();
                let expected = cubic_metres.parse::<f64>().unwrap() * 1000.0;
                assert!((volume.litres - expected).abs() < 1e-6, "{says}: {volume:?}");
                // 10 L: it can not prove that less than that was used.
                assert_eq!(volume.step, 10.0);
                if says.ends_with("FF") {
                    assert_eq!((current.settled, current.clock), (None, None));
                }
            }
            [] => panic!("{says}"),
        }
    }
}

fn reply(volume: [u8; 5], status: [u8; 2]) -> Frame {
    let mut data = vec![0x90, 0x1F, 0x00];
    data.extend(volume);
    data.extend([0xFF; 5 + 7]);
    data.extend(status);
    Frame { address: Address::parse("1").unwrap(), control: 0x81, data }
}

#[test]
fn a_volume_that_is_none_is_absent_or_refused() {
    let of = |volume| answer(&reply(volume, [0, 0]), Address::parse("1").unwrap());
    let Ok(Answer::Current(none)) = of([0xFF, 0xFF, 0xFF, 0xFF, 0x2C]) else { panic!() };
    assert_eq!(none.volume, None);
    let Ok(Answer::Current(litres)) = of([0x34, 0x12, 0, 0, 0x29]) else { panic!() };
    assert_eq!(litres.volume, Some(Volume { litres: 12.34, step: 0.01 }));
    assert_eq!(of([0x0A, 0, 0, 0, 0x2C]), Err(NoAnswer::Digit));
    assert_eq!(of([0x10, 0, 0, 0, 0x05]), Err(NoAnswer::Unit(0x05)));
}

#[test]
fn status_bits_are_the_makers() {
    let standard = |low| status([low, 0], StatusProfile::Standard);
    assert_eq!(standard(0x00), Status { valve: Some(Valve::Open), battery_low: Some(false) });
    assert_eq!(standard(0x05), Status { valve: Some(Valve::Closed), battery_low: Some(true) });
    assert_eq!(standard(0x03).valve, Some(Valve::Fault));
    // Bits that the standard reserves: nothing is concluded (captured: 13).
    assert_eq!(standard(0x13), Status::default());
    let high = |low| status([low, 0], StatusProfile::HighBits);
    assert_eq!(high(0x60), Status { valve: Some(Valve::Closed), battery_low: Some(true) });
    assert_eq!(high(0xC0).valve, Some(Valve::Fault));
    assert_eq!(status([0x07, 0], StatusProfile::Unknown), Status::default());
}

#[test]
fn only_water_is_a_water_meter() {
    let mut frame = reply([0, 0, 0, 0, 0x2C], [0, 0]);
    frame.address.kind = 0x30;
    let asked = Address::parse("1").unwrap();
    assert_eq!(answer(&frame, asked), Err(NoAnswer::NoWater(0x30)));
    frame.address = Address::parse("2").unwrap();
    assert_eq!(answer(&frame, asked), Err(NoAnswer::OtherMeter(frame.address)));
    assert!(answer(&frame, Address::WILDCARD).is_ok());
}

proptest! {
    /// Whole frames come out whole, however they are cut and whatever wakes them.
    #[test]
    fn frames_round_trip(
        frames in prop::collection::vec(
            (0usize..5, any::<[u8; 8]>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..=100)),
            1..4,
        ),
        cut in 1usize..40,
    ) {
        let mut wire = Vec::new();
        let mut sent = Vec::new();
        for (wakes, [kind, digits @ ..], control, data) in frames {
            let frame = Frame { address: Address::from_wire(kind, digits), control, data };
            wire.extend(vec![WAKE; wakes]);
            wire.extend(frame.encode());
            sent.push(Ok(frame));
        }
        let mut stream = Stream::<Frame>::default();
        let mut heard = Vec::new();
        for piece in wire.chunks(cut) {
            heard.extend(stream.feed(piece));
            prop_assert!(stream.held() < Frame::LONGEST);
        }
        prop_assert_eq!(heard, sent);
    }

    /// Volumes come back as they were sent.
    #[test]
    fn volumes_round_trip(number in 0u32..100_000_000) {
        let digits = format!("{number:08}");
        let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let frame = reply([pair(6), pair(4), pair(2), pair(0), 0x2C], [0, 0]);
        let Ok(Answer::Current(current)) = answer(&frame, frame.address) else { panic!() };
        prop_assert_eq!(current.volume.unwrap().litres, f64::from(number) * 10.0);
    }

    /// Anything at all may stand on the line.
    #[test]
    fn random_bytes_never_panic(
        bytes in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(0x68), 1 => Just(0x16)], 0..400),
        data in prop::collection::vec(any::<u8>(), 20..24),
        low in any::<u8>(),
    ) {
        let mut stream = Stream::<Frame>::default();
        let mut frames = stream.feed(&bytes);
        frames.extend(stream.finish());
        for frame in frames.into_iter().flatten() {
            let _ = answer(&frame, Address::WILDCARD);
        }
        let address = Address::parse("1").unwrap();
        let _ = answer(&Frame { address, control: 0x81, data }, address);
        let _ = status([low, 0], StatusProfile::Standard);
    }
}
