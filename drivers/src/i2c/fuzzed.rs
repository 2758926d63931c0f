//! What fuzzers feed the decoders of chips: bytes as a bus may give them. What must hold whatever
//! they are is checked by panicking. Nothing of the product calls this.

use super::{scd4x, sht3x};

/// A reply of any chip.
pub fn sensirion(bytes: &[u8]) {
    let climates =
        [sht3x::decode(bytes).ok(), scd4x::decode(bytes).ok().and_then(|reading| reading.climate)];
    for climate in climates.into_iter().flatten() {
        assert!(climate.celsius.is_some_and(|celsius| (-40.0..=125.0).contains(&celsius)));
        let humidity = climate.relative_humidity_percent;
        assert!(humidity.is_some_and(|percent| (0.0..=100.0).contains(&percent)));
    }
    let _ = scd4x::is_ready(bytes);
}
