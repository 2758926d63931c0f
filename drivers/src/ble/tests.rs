//! What all decoders owe: any bytes are survived, and no reading is out of what can be.

use anju_model::config::BleAddress;
use anju_model::observation::Vital;
use proptest::prelude::*;

use super::*;

fn sane(vital: &Vital) -> bool {
    let within = |value: Option<f64>, least: f64, most: f64| {
        value.is_none_or(|value| (least..=most).contains(&value))
    };
    within(vital.heart_beats_per_minute, 1.0, 300.0)
        && within(vital.spo2_percent, 1.0, 100.0)
        && within(vital.systolic_mmhg, 10.0, 400.0)
        && within(vital.diastolic_mmhg, 10.0, 400.0)
        && within(vital.mean_mmhg, 10.0, 400.0)
        && within(vital.body_celsius, 25.0, 45.0)
        && within(vital.weight_kilograms, 0.0, 500.0)
        && within(vital.fat_percent, 0.0, 100.0)
        && (vital.worn != Some(false) || vital.heart_beats_per_minute.is_none())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_bytes_give_a_sane_reading_or_none(data in proptest::collection::vec(any::<u8>(), 0..30)) {
        let vitals = [
            heart_rate::decode(&data).map(|read| read.vital()),
            blood_pressure::decode(&data).map(|read| read.vital()),
            oximeter::decode_spot(&data).map(|read| read.vital()),
            oximeter::decode_continuous(&data).map(|read| read.vital()),
            weight::decode_weight(&data).map(|read| read.vital()),
            weight::decode_composition(&data).map(|read| read.vital()),
            thermometer::decode(&data).map(|read| read.vital()),
            mi_scale::decode_v1(&data).map(|read| read.map(|w| w.vital()).unwrap_or_default()),
            mi_scale::decode_v2(&data).map(|read| read.map(|w| w.vital()).unwrap_or_default()),
        ];
        for vital in vitals.into_iter().flatten() {
            prop_assert!(sane(&vital), "{vital:?}");
        }
        let from = BleAddress::new([0xa4, 0xc1, 0x38, 1, 2, 3]);
        let _ = hygrometer::decode(from, &data);
        let _ = beacon::decode_ibeacon(&data);
        let _ = beacon::decode_eddystone(&data);
        let _ = environment::decode_temperature(&data);
        let _ = environment::decode_humidity(&data);
        let _ = environment::decode_battery(&data);
    }
}
