//! What fuzzers feed the decoders of devices that talk by themselves: bytes as they may stand on the
//! wires. What must hold whatever they are is checked by panicking. Nothing of the product calls
//! these.

use anju_model::config::{VoiceMeaning, VoiceWord};
use anju_model::{DeviceKind, Fact};

use super::{Heard, Talker};
use super::{ld2410, pms5003, radar, voice};
use crate::serial::fuzzed::frames;

/// Cut into single bytes the same is heard as in one piece; what is said can be written down.
fn heard(mut whole: impl Talker, mut pieces: impl Talker, bytes: &[u8]) -> Vec<Fact> {
    let whole = whole.hear(bytes);
    let mut all = Heard::default();
    for byte in bytes {
        let heard = pieces.hear(std::slice::from_ref(byte));
        all.facts.extend(heard.facts);
        all.sound = all.sound.saturating_add(heard.sound);
        all.damaged.extend(heard.damaged);
    }
    assert_eq!(whole.facts, all.facts, "facts depend on how the bytes are cut");
    assert_eq!((whole.sound, whole.damaged), (all.sound, all.damaged));
    for fact in &whole.facts {
        let data = serde_json::to_value(fact).ok();
        let data = data.and_then(|data| data.as_object().cloned()).unwrap_or_default();
        assert!(matches!(Fact::from_data(fact.what(), &data), Ok(Some(back)) if back == *fact));
    }
    whole.facts
}

/// Bytes of a radar whose frames begin with 53 59, as each kind that it serves.
pub fn radar(bytes: &[u8]) {
    frames::<radar::Frame>(bytes);
    for kind in [DeviceKind::FallDetector, DeviceKind::SleepMonitor, DeviceKind::Mattress] {
        for fact in heard(radar::Radar::new(kind), radar::Radar::new(kind), bytes) {
            if let Fact::Vital(vital) = fact {
                assert!(vital.heart_beats_per_minute.is_none_or(|v| (20.0..=250.0).contains(&v)));
                assert!(vital.breaths_per_minute.is_none_or(|v| (1.0..=60.0).contains(&v)));
            }
        }
    }
}

/// Bytes of an HLK-LD2410.
pub fn ld2410(bytes: &[u8]) {
    frames::<ld2410::Report>(bytes);
    heard(ld2410::Ld2410::default(), ld2410::Ld2410::default(), bytes);
}

/// Bytes of a PMS5003.
pub fn pms5003(bytes: &[u8]) {
    frames::<pms5003::Dust>(bytes);
    heard(pms5003::Pms5003::default(), pms5003::Pms5003::default(), bytes);
}

/// A pattern up to the first line feed, and the bytes of a module whose frames look so. A pattern
/// that can not be used is refused, and nothing else.
pub fn voice(bytes: &[u8]) {
    let (pattern, bytes) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (bytes.get(..at), bytes.get(at + 1..).unwrap_or_default()),
        None => (None, bytes),
    };
    let pattern = pattern.map(String::from_utf8_lossy);
    let word = |id| {
        let meaning = if id % 2 == 1 { VoiceMeaning::Help } else { VoiceMeaning::No };
        VoiceWord { id, meaning, phrase: format!("word {id}") }
    };
    let words: Vec<VoiceWord> = (0..=u8::MAX).map(word).collect();
    let module = || voice::Voice::new(pattern.as_deref(), &words);
    let (Ok(whole), Ok(pieces)) = (module(), module()) else { return };
    for fact in heard(whole, pieces, bytes) {
        assert!(matches!(fact, Fact::Help(_)));
    }
}
