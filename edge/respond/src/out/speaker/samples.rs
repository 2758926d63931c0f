//! Samples: to another rate, and out of a WAV file that a speech program wrote. Pure functions.

use crate::life::Urgency;
use crate::prompts::{LONGEST_S, Pcm};

/// The sound at another rate, by linear interpolation: good enough for speech on a card that has
/// no resampler of its own.
pub(super) fn at_rate(pcm: Pcm, rate_hz: u32) -> Vec<i16> {
    if pcm.rate_hz == rate_hz || pcm.rate_hz == 0 || rate_hz == 0 {
        return pcm.samples;
    }
    let count = pcm.samples.len() as u64 * u64::from(rate_hz) / u64::from(pcm.rate_hz);
    (0..count)
        .map(|n| {
            let scaled = n * u64::from(pcm.rate_hz);
            let index = usize::try_from(scaled / u64::from(rate_hz)).unwrap_or(usize::MAX);
            let part = i64::try_from(scaled % u64::from(rate_hz)).unwrap_or(0);
            let here = i64::from(pcm.samples.get(index).copied().unwrap_or(0));
            let next = i64::from(pcm.samples.get(index + 1).copied().unwrap_or(0));
            let value = here + (next - here) * part / i64::from(rate_hz);
            i16::try_from(value).unwrap_or(0)
        })
        .collect()
}

/// The sound as loud as it is urgent: what calls for help in full, the rest below it, so that nobody
/// turns the box down for the sake of a reminder. Three and six decibels less.
pub(super) fn quieter(mut samples: Vec<i16>, urgency: Urgency) -> Vec<i16> {
    let percent = match urgency {
        Urgency::Critical => return samples,
        Urgency::Action => 71,
        Urgency::Low => 50,
    };
    for sample in &mut samples {
        *sample = i16::try_from(i32::from(*sample) * percent / 100).unwrap_or(0);
    }
    samples
}

/// Reads a WAV file of 16-bit samples on one channel, or on two that are mixed. Lengths in its header are not believed: a
/// program that writes to a pipe does not know them.
pub(super) fn from_wav(bytes: &[u8]) -> Option<Pcm> {
    let mut rest = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut form = None;
    while let (Some(name), Some(length)) = (rest.get(..4), rest.get(4..8)) {
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let body = rest.get(8..)?;
        match name {
            b"fmt " => {
                let format = body.get(..16)?;
                let channels = match format.get(..4)? {
                    [1, 0, channels @ (1 | 2), 0] => usize::from(*channels),
                    _ => return None,
                };
                if format.get(14..16)? != [16, 0] {
                    return None;
                }
                form = Some((u32::from_le_bytes(format.get(4..8)?.try_into().ok()?), channels));
            }
            b"data" => {
                let body = body.get(..length).unwrap_or(body);
                let (rate_hz, channels) = form.filter(|(r, _)| (4000..=192_000).contains(r))?;
                let most = rate_hz as usize * LONGEST_S as usize;
                let frames = body.chunks_exact(2 * channels).take(most);
                let mixed = |frame: &[u8]| {
                    let samples = frame.as_chunks::<2>().0.iter();
                    let sum: i32 = samples.map(|b| i32::from(i16::from_le_bytes(*b))).sum();
                    let channels = i32::try_from(channels).unwrap_or(1);
                    i16::try_from(sum / channels).unwrap_or(0)
                };
                return Some(Pcm { rate_hz, samples: frames.map(mixed).collect() });
            }
            _ => {}
        }
        rest = body.get(length.checked_add(length % 2)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tone_keeps_its_pitch_and_length_at_another_rate() {
        let tone = |rate: u32| -> Vec<i16> {
            (0..rate)
                .map(|n| {
                    let angle = f64::from(n) / f64::from(rate) * 440.0 * std::f64::consts::TAU;
                    (angle.sin() * 20_000.0) as i16
                })
                .collect()
        };
        for rate in [8000_u32, 16_000, 44_100, 48_000] {
            let there = at_rate(Pcm { rate_hz: 24_000, samples: tone(24_000) }, rate);
            assert_eq!(there.len(), rate as usize);
            let crossings = there.windows(2).filter(|w| w[0] < 0 && w[1] >= 0).count();
            assert!((438..=441).contains(&crossings), "{crossings} at {rate}");
        }
    }

    #[test]
    fn a_piped_wav_is_read_to_its_end() {
        let mut wav = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(22_050_u32.to_le_bytes());
        wav.extend([0, 0, 0, 0, 2, 0, 16, 0]);
        wav.extend(b"data\xff\xff\xff\x7f\x01\0\xff\xff\x05");
        let pcm = from_wav(&wav).unwrap();
        assert_eq!((pcm.rate_hz, pcm.samples), (22_050, vec![1, -1]));
    }

    #[test]
    fn two_channels_are_mixed_and_more_are_not_read() {
        let wav = |channels: u8| {
            let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
            wav.extend([channels, 0]);
            wav.extend(16_000_u32.to_le_bytes());
            wav.extend([0, 0, 0, 0, 4, 0, 16, 0]);
            wav.extend(b"data\x08\0\0\0\x02\0\x04\0\x06\0\x0a\0");
            wav
        };
        assert_eq!(from_wav(&wav(2)).unwrap().samples, [3, 8]);
        assert_eq!(from_wav(&wav(3)), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..60) {
            let _ = from_wav(&bytes);
            let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
            wav.extend(&bytes);
            let _ = from_wav(&wav[..wav.len().min(cut + 8)]);
        }

        #[test]
        fn no_rates_panic(rate in any::<u32>(), samples in prop::collection::vec(any::<i16>(), 0..50)) {
            let _ = at_rate(Pcm { rate_hz: rate.max(4000), samples }, 8000);
        }
    }
}
