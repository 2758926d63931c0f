//! Registers to readings.

use proptest::prelude::*;

use super::*;

/// A float as two registers, the high word first.
fn words(value: f32) -> [u16; 2] {
    let bits = value.to_bits();
    [u16::try_from(bits >> 16).unwrap(), u16::try_from(bits & 0xFFFF).unwrap()]
}

fn measures(volts: f32, amperes: f32, watts: f32) -> Vec<u16> {
    let mut all = vec![0; 14];
    for (at, value) in [(0x00, volts), (0x06, amperes), (0x0C, watts)] {
        all[at..at + 2].copy_from_slice(&words(value));
    }
    all
}

fn flow(flow: f32, total: u32, part: f32, order: WordOrder) -> Vec<u16> {
    let mut all = vec![0; 12];
    let total = [u16::try_from(total >> 16).unwrap(), u16::try_from(total & 0xFFFF).unwrap()];
    for (at, pair) in [(0, words(flow)), (4, words(0.4)), (8, total), (10, words(part))] {
        let [high, low] = pair;
        let pair = if order == WordOrder::HighFirst { [high, low] } else { [low, high] };
        all[at..at + 2].copy_from_slice(&pair);
    }
    all
}

#[test]
fn an_sdm_is_read() {
    // 230.2 V as in Eastron's manual: 43 66 33 34.
    assert_eq!(words(230.2), [0x4366, 0x3333]);
    let reading = sdm(&measures(230.2, 1.234, -251.2), &words(1234.56));
    assert_eq!(reading.voltage_volts, Some(230.2));
    assert_eq!(reading.current_amperes, Some(1.234));
    assert_eq!(reading.power_watts, Some(-251.2));
    assert_eq!(reading.energy_watt_hours, Some(1_234_560.0));
}

#[test]
fn figures_that_no_home_has_are_absent() {
    let none = sdm(&measures(f32::NAN, 1e30, f32::INFINITY), &words(-1.0));
    assert_eq!(none, Reading::default());
    assert_eq!(sdm(&[], &[]), Reading::default());
}

#[test]
fn the_word_order_is_found_from_the_registers() {
    for order in [WordOrder::LowFirst, WordOrder::HighFirst] {
        let registers = flow(0.36, 123, 0.456, order);
        assert_eq!(word_order(&registers), Some(order));
        let reading = tuf(&registers, order);
        assert_eq!(reading.flow_litres_per_hour, Some(360.0));
        assert_eq!(reading.volume_litres, Some(123_456.0));
    }
    // Nothing has flowed yet: both would do.
    assert_eq!(word_order(&[0; 12]), None);
    assert_eq!(tuf(&[0; 12], WordOrder::LowFirst).flow_litres_per_hour, Some(0.0));
    assert_eq!(word_order(&[0x7FC0; 12]), None);
}

#[test]
fn error_bits_are_words() {
    assert_eq!(tuf_errors(0), [""; 0]);
    assert_eq!(tuf_errors(0b1001).len(), 2);
}

proptest! {
    #[test]
    fn any_registers_give_finite_readings(all in prop::collection::vec(any::<u16>(), 0..20)) {
        let readings = [
            sdm(&all, &all),
            tuf(&all, WordOrder::LowFirst),
            tuf(&all, WordOrder::HighFirst),
        ];
        let _ = word_order(&all);
        for reading in readings {
            let figures = [
                reading.energy_watt_hours, reading.power_watts, reading.voltage_volts,
                reading.current_amperes, reading.volume_litres, reading.flow_litres_per_hour,
            ];
            prop_assert!(figures.into_iter().flatten().all(f64::is_finite));
        }
    }

    /// What flows comes back in either order, which is found.
    #[test]
    fn flows_round_trip(rate in 0.01f32..20.0, total in 1u32..60_000, part in 0.001f32..0.999) {
        for order in [WordOrder::LowFirst, WordOrder::HighFirst] {
            let registers = flow(rate, total, part, order);
            if let Some(found) = word_order(&registers) {
                prop_assert_eq!(found, order);
            }
            let reading = tuf(&registers, order);
            let litres = reading.flow_litres_per_hour.unwrap();
            prop_assert!((litres - f64::from(rate) * 1000.0).abs() < 0.1, "{}", litres);
        }
    }
}
