//! Words spoken by a service of the home network that speaks the Wyoming protocol, such as Piper's.
//! What it answers is bounded and judged here. No alarm ever waits for it: names are asked for
//! beforehand, free words are given up as soon as something more urgent comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anju_wyoming::{Decoder, Event, encode};
use serde_json::{Value, json};
use thiserror::Error;

use crate::prompts::{LONGEST_S, Pcm};

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long one answer may take; Piper needs some tenths of a second for a name on a small board.
const LIMIT: Duration = Duration::from_secs(5);
/// How often it is asked whether something more urgent has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where a service is, and how it shall speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TtsSettings {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Which of its voices; its own choice if absent.
    pub voice: Option<String>,
}

/// Why there is no sound.
#[derive(Debug, Error)]
pub enum TtsError {
    /// Not to be reached.
    #[error("the voice service can not be reached ({0}); look whether it runs")]
    Unreachable(std::io::Error),
    /// It hangs.
    #[error("the voice service does not answer within {} s; look whether it runs", LIMIT.as_secs())]
    Late,
    /// Its answer is not sound.
    #[error(transparent)]
    Answer(#[from] BadAnswer),
}

/// Why an answer is no sound.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum BadAnswer {
    /// Not the protocol.
    #[error("the voice service: {0}")]
    Stream(#[from] anju_wyoming::BadStream),
    /// It said that it can not.
    #[error("the voice service says: {0}")]
    Refused(String),
    /// Sound of another form.
    #[error("the voice service sends sound that is not of 16 bits and one or two channels")]
    Form,
    /// No sound, or without end.
    #[error("the voice service sends no sound, or more than {LONGEST_S} s; try another voice")]
    Length,
}

/// An answer as it comes.
#[derive(Debug)]
pub struct Answer {
    decoder: Decoder,
    sound: Pcm,
}

impl Default for Answer {
    fn default() -> Self {
        let sound = Pcm { rate_hz: 0, samples: Vec::new() };
        Self { decoder: Decoder::that_keeps_sound(), sound }
    }
}

impl Answer {
    /// Takes bytes; the sound once it is whole.
    ///
    /// # Errors
    /// [`BadAnswer`] when there will be none.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Pcm>, BadAnswer> {
        for event in self.decoder.feed(bytes)? {
            match event.kind.as_str() {
                "audio-chunk" => self.chunk(&event)?,
                "audio-stop" if self.sound.samples.is_empty() => return Err(BadAnswer::Length),
                "audio-stop" => return Ok(Some(self.sound.clone())),
                "error" => {
                    let text = event.data.get("text").and_then(Value::as_str).unwrap_or_default();
                    let plain = text.chars().filter(|c| !c.is_control()).take(200).collect();
                    return Err(BadAnswer::Refused(plain));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn chunk(&mut self, event: &Event) -> Result<(), BadAnswer> {
        let number = |key: &str| event.data.get(key).and_then(Value::as_u64).unwrap_or(0);
        let rate = u32::try_from(number("rate")).ok().filter(|r| (4000..=192_000).contains(r));
        let rate_hz = rate.ok_or(BadAnswer::Form)?;
        let same = self.sound.samples.is_empty() || self.sound.rate_hz == rate_hz;
        let (width, channels) = (number("width"), number("channels"));
        if width != 2 || !matches!(channels, 1 | 2) || !same {
            return Err(BadAnswer::Form);
        }
        self.sound.rate_hz = rate_hz;
        let samples = event.payload.as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b));
        if channels == 1 {
            self.sound.samples.extend(samples);
        } else {
            let both: Vec<i16> = samples.collect();
            let mixed = both.as_chunks::<2>().0.iter().map(|[l, r]| l.midpoint(*r));
            self.sound.samples.extend(mixed);
        }
        let most = u64::from(rate_hz) * u64::from(LONGEST_S);
        if self.sound.samples.len() as u64 > most { Err(BadAnswer::Length) } else { Ok(()) }
    }
}

/// What a fuzzer feeds: whatever a service answers, its sound is bounded and of a known form.
pub fn fuzzed(bytes: &[u8]) {
    if let Ok(Some(pcm)) = Answer::default().feed(bytes) {
        assert!((4000..=192_000).contains(&pcm.rate_hz) && !pcm.samples.is_empty());
        assert!(pcm.samples.len() as u64 <= u64::from(pcm.rate_hz) * u64::from(LONGEST_S));
    }
}

/// Speaks words. May take some seconds: beside the sound thread only.
///
/// # Errors
/// [`TtsError`] says why there is no sound, and the mend.
pub fn synthesise(settings: &TtsSettings, words: &str) -> Result<Pcm, TtsError> {
    let begin = Instant::now();
    let found = (settings.host.as_str(), settings.port).to_socket_addrs();
    let address = found.map_err(TtsError::Unreachable)?.next();
    let address = address.ok_or_else(|| TtsError::Unreachable(ErrorKind::NotFound.into()))?;
    let connected = TcpStream::connect_timeout(&address, CONNECT_WITHIN);
    let mut stream = connected.map_err(TtsError::Unreachable)?;
    let mut data = json!({ "text": words });
    if let (Value::Object(data), Some(voice)) = (&mut data, &settings.voice) {
        data.insert("voice".to_owned(), json!({ "name": voice }));
    }
    let left = || LIMIT.checked_sub(begin.elapsed()).filter(|left| !left.is_zero());
    stream.set_write_timeout(left()).map_err(TtsError::Unreachable)?;
    stream.write_all(&encode("synthesize", &data, &[])).map_err(TtsError::Unreachable)?;
    let (mut answer, mut buffer) = (Answer::default(), vec![0; 16 * 1024]);
    loop {
        let left = left().ok_or(TtsError::Late)?;
        stream.set_read_timeout(Some(left)).map_err(TtsError::Unreachable)?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err(TtsError::Unreachable(ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                if let Some(pcm) = answer.feed(buffer.get(..count).unwrap_or_default())? {
                    return Ok(pcm);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(TtsError::Late);
            }
            Err(error) => return Err(TtsError::Unreachable(error)),
        }
    }
}

/// The same from the sound thread: given up as soon as something more urgent has to be said.
pub(super) fn speak(
    settings: &TtsSettings,
    words: &str,
    give_up: &dyn Fn() -> bool,
) -> Option<Pcm> {
    let (send, spoken) = mpsc::channel();
    let (settings, words) = (settings.clone(), words.to_owned());
    let asking = std::thread::Builder::new().name("words".to_owned()).spawn(move || {
        // Who asked may have given up.
        let _ = send.send(synthesise(&settings, &words));
    });
    asking.ok()?;
    let deadline = Instant::now() + LIMIT;
    while !give_up() && Instant::now() < deadline {
        match spoken.recv_timeout(LOOK_EVERY) {
            Ok(Ok(pcm)) => return Some(pcm),
            Ok(Err(error)) => {
                tracing::info!(%error, "words are spoken otherwise");
                return None;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(rate: u32, width: u32, channels: u32, payload: &[u8]) -> Vec<u8> {
        let data = json!({"rate": rate, "width": width, "channels": channels});
        encode("audio-chunk", &data, payload)
    }

    fn answer(chunks: &[Vec<u8>]) -> Result<Option<Pcm>, BadAnswer> {
        let stop = encode("audio-stop", &Value::Null, &[]);
        Answer::default().feed(&[chunks.concat(), stop].concat())
    }

    #[test]
    fn sound_is_put_together_and_two_channels_are_mixed() {
        let mono = [chunk(22_050, 2, 1, &[1, 0]), chunk(22_050, 2, 1, &[2, 0])];
        assert_eq!(answer(&mono), Ok(Some(Pcm { rate_hz: 22_050, samples: vec![1, 2] })));
        let stereo = [chunk(16_000, 2, 2, &[4, 0, 8, 0])];
        assert_eq!(answer(&stereo), Ok(Some(Pcm { rate_hz: 16_000, samples: vec![6] })));
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        assert_eq!(answer(&[]), Err(BadAnswer::Length));
        for other in [chunk(22_050, 4, 1, &[0; 4]), chunk(1, 2, 1, &[0; 2]), chunk(8000, 2, 6, &[])]
        {
            assert_eq!(answer(&[other]), Err(BadAnswer::Form));
        }
        let two = [chunk(22_050, 2, 1, &[0; 2]), chunk(16_000, 2, 1, &[0; 2])];
        assert_eq!(answer(&two), Err(BadAnswer::Form));
        let long = vec![chunk(4000, 2, 1, &[0; 100_000]); 10];
        assert_eq!(answer(&long), Err(BadAnswer::Length));
        let refused = encode("error", &json!({"text": "no such voice"}), &[]);
        assert_eq!(answer(&[refused]), Err(BadAnswer::Refused("no such voice".into())));
    }

    proptest! {
        #[test]
        fn no_answer_panics(
            forms in prop::collection::vec((any::<u32>(), 0_u32..5, 0_u32..4, 0_usize..40), 0..6)
        ) {
            let chunks: Vec<_> =
                forms.iter().map(|(r, w, c, n)| chunk(*r, *w, *c, &vec![7; *n])).collect();
            fuzzed(&chunks.concat());
        }
    }
}
