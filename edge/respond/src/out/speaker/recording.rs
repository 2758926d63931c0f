//! Makes a recording of a name out of a sound file that somebody made with a phone or a computer, or
//! says why it can not be used. Pure. What is kept is always the same form: WAV, 16 bits, one
//! channel, at the rate of the prompts, without the silence around the name and about as loud as the
//! prompts are.

use thiserror::Error;

use super::pack::heard;
use super::samples::at_rate;
use super::thread::RATE_HZ;
use super::wav::header;
use crate::prompts::Pcm;

/// Largest file that is read, bytes: a minute of stereo at 48 kHz.
pub const MOST_BYTES: u64 = 12 * 1024 * 1024;
/// Shortest name, seconds.
const SHORTEST_S: f64 = 0.2;
/// Longest name, seconds: what is said in an alarm must not be a speech.
const LONGEST_S: f64 = 6.0;
/// Least peak, of 32,767: below it there is more noise than voice.
const LEAST_PEAK: u16 = 1000;
/// What the peak is brought to; the prompts reach about as far.
const PEAK: i32 = 26_000;
/// Below this share of the peak it counts as silence around the name, per cent.
const SILENCE_PERCENT: i32 = 4;
/// Silence that is left at both ends, samples: 80 ms.
const MARGIN: usize = RATE_HZ as usize * 80 / 1000;
/// More samples than this share at full scale are a microphone that was overdriven.
const CLIPPED_PER_MILLE: usize = 10;

/// Why a sound can not be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Unusable {
    /// Not a sound that is understood.
    #[error("{0}")]
    NotSound(String),
    /// Nothing to be heard.
    #[error("it is silent or too quiet (peak {peak_percent} %); speak closer to the microphone")]
    Silent {
        /// Loudest sample, per cent of full scale.
        peak_percent: u32,
    },
    /// Overdriven.
    #[error("it is overdriven; speak farther from the microphone")]
    Overdriven,
    /// Too short.
    #[error("it has {seconds:.1} s of voice; say the whole name")]
    Short {
        /// How long.
        seconds: f64,
    },
    /// Too long.
    #[error("it has {seconds:.1} s of voice, at most {LONGEST_S} s are used; say the name only")]
    Long {
        /// How long.
        seconds: f64,
    },
}

impl Unusable {
    /// The key of its sentence for people.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::NotSound(_) => "recording-not-sound",
            Self::Silent { .. } => "recording-silent",
            Self::Overdriven => "recording-overdriven",
            Self::Short { .. } => "recording-short",
            Self::Long { .. } => "recording-long",
        }
    }
}

/// A recording that can be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The file.
    pub wav: Vec<u8>,
    /// How long it is.
    pub seconds: f64,
}

/// Makes a recording of a file's bytes.
///
/// # Errors
/// [`Unusable`] says why not, and the mend.
pub fn recording(bytes: &[u8]) -> Result<Recording, Unusable> {
    let Pcm { rate_hz, samples } = heard(bytes).map_err(Unusable::NotSound)?;
    let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
    if peak < LEAST_PEAK {
        return Err(Unusable::Silent { peak_percent: u32::from(peak) * 100 / 32_767 });
    }
    let full = samples.iter().filter(|s| s.unsigned_abs() >= 32_700).count();
    if full * 1000 > samples.len() * CLIPPED_PER_MILLE {
        return Err(Unusable::Overdriven);
    }
    let samples = at_rate(Pcm { rate_hz, samples }, RATE_HZ);
    let loud = |s: &i16| i32::from(s.unsigned_abs()) * 100 > i32::from(peak) * SILENCE_PERCENT;
    let first = samples.iter().position(loud).unwrap_or(0);
    let last = samples.iter().rposition(loud).unwrap_or(0);
    let seconds = (last - first) as f64 / f64::from(RATE_HZ);
    if seconds < SHORTEST_S {
        return Err(Unusable::Short { seconds });
    }
    if seconds > LONGEST_S {
        return Err(Unusable::Long { seconds });
    }
    let end = (last + MARGIN).min(samples.len());
    let voice = samples.get(first.saturating_sub(MARGIN)..end).unwrap_or_default();
    let louder = |s: &i16| {
        let raised = i32::from(*s) * PEAK / i32::from(peak);
        i16::try_from(raised.clamp(i16::MIN.into(), i16::MAX.into())).unwrap_or(0)
    };
    let mut wav = header(RATE_HZ, u32::try_from(voice.len()).unwrap_or(u32::MAX));
    wav.extend(voice.iter().map(louder).flat_map(i16::to_le_bytes));
    Ok(Recording { wav, seconds: voice.len() as f64 / f64::from(RATE_HZ) })
}

#[cfg(test)]
mod tests {
    use anju_model::Language;
    use proptest::prelude::*;

    use super::*;
    use crate::prompts::{PromptId, ogg};

    fn wav(rate_hz: u32, samples: &[i16]) -> Vec<u8> {
        let mut bytes = header(rate_hz, samples.len() as u32);
        bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        bytes
    }

    fn tone(seconds: f64, peak: f64) -> Vec<i16> {
        let count = (16_000.0 * seconds) as u32;
        (0..count).map(|n| ((f64::from(n) * 0.2).sin() * peak) as i16).collect()
    }

    #[test]
    fn a_name_is_cut_out_of_its_silence_and_made_as_loud_as_the_prompts() {
        let mut samples = vec![10; 16_000];
        samples.extend(tone(1.0, 3000.0));
        samples.extend([-10; 16_000]);
        let made = recording(&wav(16_000, &samples)).unwrap();
        assert!((1.0..1.2).contains(&made.seconds), "{}", made.seconds);
        let kept = heard(&made.wav).unwrap();
        assert_eq!(kept.rate_hz, RATE_HZ);
        assert!((made.seconds - kept.samples.len() as f64 / 24_000.0).abs() < 1e-9);
        let peak = kept.samples.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((25_000..=27_000).contains(&peak), "{peak}");
        // What was made of it once stays as it is.
        assert!((recording(&made.wav).unwrap().seconds - made.seconds).abs() < 0.05);
        assert!(recording(&ogg(PromptId::ComingFamily, Language::ZhCn)).is_ok());
    }

    #[test]
    fn what_can_not_be_used_is_told() {
        let key = |bytes: &[u8]| recording(bytes).unwrap_err().key();
        assert_eq!(key(b"an e-mail"), "recording-not-sound");
        assert_eq!(key(&wav(16_000, &[0; 16_000])), "recording-silent");
        assert_eq!(key(&wav(16_000, &tone(1.0, 500.0))), "recording-silent");
        assert_eq!(key(&wav(16_000, &[i16::MAX; 16_000])), "recording-overdriven");
        assert_eq!(key(&wav(16_000, &tone(0.1, 9000.0))), "recording-short");
        assert_eq!(key(&wav(16_000, &tone(10.0, 9000.0))), "recording-long");
    }

    proptest! {
        #[test]
        fn no_samples_panic(samples in prop::collection::vec(any::<i16>(), 0..9000), rate in 4000_u32..50_000) {
            let _ = recording(&wav(rate, &samples));
        }
    }
}
