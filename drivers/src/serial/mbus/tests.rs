//! Telegrams against a captured one, hand-made records and random bytes.

use proptest::prelude::*;

use super::*;
use crate::serial::stream::{BadFrame, Framed, Stream};

const VECTORS: &str = include_str!("../vectors/mbus.tsv");

fn captured() -> Vec<u8> {
    let row = VECTORS.lines().find(|line| !line.starts_with('#')).unwrap();
    let hex = row.rsplit('\t').next().unwrap();
    hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn data_of(wire: &[u8]) -> Vec<u8> {
    match Stream::<Frame>::default().feed(wire).as_slice() {
        [Ok(Frame::Long { data, .. })] => data.clone(),
        other => panic!("{other:?}"),
    }
}

/// A reply of a water meter with these records.
fn reply(status: u8, records: &[u8]) -> Vec<u8> {
    let mut body = vec![0x08, 0x05, 0x72, 0x78, 0x56, 0x34, 0x12, 0x24, 0x40, 0x01, 0x07];
    body.extend([0x10, status, 0x00, 0x00]);
    body.extend(records);
    frame::long(&body)
}

#[test]
fn the_captured_telegram() {
    let telegram = telegram(&data_of(&captured())).unwrap();
    assert_eq!(telegram.identification.as_deref(), Some("02205100"));
    assert_eq!(telegram.maker.as_deref(), Some("SLB"));
    // VIF 15: steps of 0.1 m3; 3 of them.
    assert_eq!(telegram.volume, Some((300.0, 100.0)));
    assert_eq!((telegram.flow, telegram.battery_low, telegram.more), (Some(0.0), false, false));
    // Status 88: a permanent error, and a bit of the maker's.
    assert_eq!(telegram.troubles, ["it says that it is broken"]);
}

#[test]
fn a_damaged_telegram_is_none() {
    let mut wire = captured();
    wire[20] ^= 0x01;
    assert!(matches!(
        Stream::<Frame>::default().feed(&wire).first(),
        Some(Err(BadFrame::CheckSum { .. }))
    ));
}

#[test]
fn only_the_present_volume_counts() {
    // Stored 7 L, largest 9 L, in error 5 L, then the present 12.565 m3 in litres.
    let records = [
        0x44, 0x13, 0x07, 0, 0, 0, 0x14, 0x13, 0x09, 0, 0, 0, 0x34, 0x13, 0x05, 0, 0, 0, 0x03,
        0x13, 0x15, 0x31, 0x00,
    ];
    let told = telegram(&data_of(&reply(0x00, &records))).unwrap();
    assert_eq!(told.volume, Some((12_565.0, 1.0)));
    assert_eq!(told.identification.as_deref(), Some("12345678"));
    let broken = telegram(&data_of(&reply(0x0C, &[0x03, 0x13, 1, 0, 0, 0x1F]))).unwrap();
    assert!(broken.battery_low && broken.more && broken.troubles.len() == 1, "{broken:?}");
    let none = telegram(&data_of(&reply(0x00, &[0x04, 0x06, 1, 0, 0, 0]))).unwrap();
    assert_eq!(none.volume, None);
}

#[test]
fn a_number_of_no_bytes_ends_the_records() {
    let records = [0x03, 0x13, 1, 0, 0, 0x0D, 0x13, 0xE0, 0x03, 0x3B, 1, 0, 0];
    let told = telegram(&data_of(&reply(0, &records))).unwrap();
    assert_eq!((told.volume, told.flow), (Some((1.0, 1.0)), None));
}

#[test]
fn requests_only_select_and_ask() {
    assert_eq!(reset(Address::Primary(5)), [0x10, 0x40, 0x05, 0x45, 0x16]);
    assert_eq!(request(Address::Primary(1), 0), [0x10, 0x7B, 0x01, 0x7C, 0x16]);
    assert_eq!(request(Address::Only, 1), [0x10, 0x5B, 0xFE, 0x59, 0x16]);
    let Some(Address::Secondary(bytes)) = Address::parse("12345678") else { panic!() };
    let selected = select(bytes);
    assert_eq!(selected[..7], [0x68, 0x0B, 0x0B, 0x68, 0x53, 0xFD, 0x52]);
    assert_eq!(selected[7..15], [0x78, 0x56, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0xFF]);
}

#[test]
fn addresses() {
    assert_eq!(Address::parse("250"), Some(Address::Primary(250)));
    let full = Address::parse("1234567824400107").unwrap();
    assert_eq!(full, Address::Secondary([0x78, 0x56, 0x34, 0x12, 0x24, 0x40, 0x01, 0x07]));
    assert_eq!(full.to_string(), "1234567824400107");
    assert_eq!(Address::parse("12345678").unwrap().to_string(), "12345678");
    for wrong in ["", "251", "1234567", "1234567A", "12345678244001", "１２", "12345678ZZ400107"]
    {
        assert_eq!(Address::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    /// Anything at all may stand on the line, and inside a frame whose sum is right.
    #[test]
    fn random_bytes_never_panic(
        bytes in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(0x68), 1 => Just(0x16), 1 => Just(3)], 0..600),
        records in prop::collection::vec(any::<u8>(), 0..230),
        status in any::<u8>(),
    ) {
        let mut stream = Stream::<Frame>::default();
        let mut frames = stream.feed(&bytes);
        prop_assert!(stream.held() < Frame::LONGEST);
        frames.extend(stream.finish());
        for frame in frames.into_iter().flatten() {
            if let Frame::Long { data, .. } = frame {
                let _ = telegram(&data);
            }
        }
        let _ = telegram(&bytes);
        if let Ok(told) = telegram(&data_of(&reply(status, &records))) {
            prop_assert!(told.volume.is_none_or(|(litres, _)| litres.is_finite() && litres >= 0.0));
        }
    }

    /// Volumes come back as they were sent, whatever their scale.
    #[test]
    fn volumes_round_trip(steps in any::<u32>(), scale in 0u8..8) {
        let mut records = vec![0x04, 0x10 | scale];
        records.extend((steps >> 1).to_le_bytes());
        let told = telegram(&data_of(&reply(0, &records))).unwrap();
        let step = 10f64.powi(i32::from(scale) - 3);
        let (litres, resolution) = told.volume.unwrap();
        prop_assert!((resolution - step).abs() < step * 1e-9);
        prop_assert!((litres - f64::from(steps >> 1) * step).abs() <= litres * 1e-9);
    }
}
