//! What all decoders owe: any bytes are survived, and no reading is out of what can be.

use anju_model::config::BleAddress;
use proptest::prelude::*;

use super::fuzzed::sane;
use super::*;

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
