//! What fuzzers feed the decoders of polled meters: bytes as they may stand on the wires, or as the
//! registers of a meter. What must hold whatever they are is checked by panicking. Nothing of the
//! product calls these.

use anju_model::config::StatusProfile;

use super::stream::{BadFrame, Framed, Stream};
use super::{cjt188, mbus, modbus};

/// The frames in bytes; cut into single bytes they are the same, and no more than one is held.
pub(super) fn frames<F: Framed + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Vec<F> {
    let mut stream = Stream::<F>::default();
    let mut whole: Vec<Result<F, BadFrame>> = stream.feed(bytes);
    whole.extend(stream.finish());
    let mut stream = Stream::<F>::default();
    let mut pieces = Vec::new();
    for byte in bytes {
        pieces.extend(stream.feed(std::slice::from_ref(byte)));
        assert!(stream.held() < F::LONGEST, "{} bytes held", stream.held());
    }
    pieces.extend(stream.finish());
    assert_eq!(whole, pieces, "frames depend on how the bytes are cut");
    whole.into_iter().flatten().collect()
}

/// Bytes of CJ/T 188 meters.
pub fn cjt188(bytes: &[u8]) {
    for frame in frames::<cjt188::Frame>(bytes) {
        for address in [frame.address, cjt188::Address::WILDCARD] {
            let Ok(cjt188::Answer::Current(current)) = cjt188::answer(&frame, address) else {
                continue;
            };
            if let Some(volume) = current.volume {
                assert!(volume.litres >= 0.0 && volume.litres <= 1e9 && volume.step > 0.0);
            }
            for profile in [StatusProfile::Standard, StatusProfile::HighBits] {
                let _ = cjt188::status(current.status, profile);
            }
        }
    }
}

/// Bytes of M-Bus meters, and the same as the application layer of one.
pub fn mbus(bytes: &[u8]) {
    let sound = |telegram: &mbus::Telegram| {
        let litres = telegram.volume.map(|(litres, _)| litres);
        assert!([litres, telegram.flow].iter().flatten().all(|v| v.is_finite() && *v >= 0.0));
    };
    for frame in frames::<mbus::Frame>(bytes) {
        if let mbus::Frame::Long { data, .. } = frame {
            let _ = mbus::telegram(&data).as_ref().map(sound);
        }
    }
    let _ = mbus::telegram(bytes).as_ref().map(sound);
    // Behind a header without a fault, so that the records are reached.
    let mut data = vec![0x72, 0x78, 0x56, 0x34, 0x12, 0x24, 0x40, 0x01, 0x07, 0x10, 0, 0, 0];
    data.extend(bytes);
    let _ = mbus::telegram(&data).as_ref().map(sound);
}

/// Registers of Modbus meters, each two bytes.
pub fn modbus(bytes: &[u8]) {
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |word, byte| word << 8 | u16::from(*byte)))
        .collect();
    let _ = modbus::word_order(&words);
    for reading in [
        modbus::sdm(&words, &words),
        modbus::tuf(&words, modbus::WordOrder::LowFirst),
        modbus::tuf(&words, modbus::WordOrder::HighFirst),
    ] {
        let figures = [
            reading.energy_watt_hours,
            reading.power_watts,
            reading.voltage_volts,
            reading.current_amperes,
            reading.volume_litres,
            reading.flow_litres_per_hour,
        ];
        assert!(figures.into_iter().flatten().all(f64::is_finite), "{reading:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    /// A target and the name of its corpus.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 3] =
        [("cjt188", super::cjt188), ("mbus", super::mbus), ("modbus", super::modbus)];

    fn corpus(name: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn the_corpora_are_survived() {
        for (name, target) in TARGETS {
            let seeds = corpus(name);
            assert!(!seeds.is_empty(), "{name}");
            seeds.iter().for_each(|seed| target(seed));
        }
    }

    proptest! {
        #[test]
        fn seeds_with_broken_bytes_are_survived(
            seed in any::<prop::sample::Index>(),
            breaks in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            for (name, target) in TARGETS {
                let seeds = corpus(name);
                let mut bytes = seed.get(&seeds).clone();
                for (at, byte) in &breaks {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                target(&bytes);
            }
        }
    }
}
