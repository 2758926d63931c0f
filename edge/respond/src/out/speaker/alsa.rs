//! The sound card, over ALSA. Opened for each utterance and closed after it, so that a card that is
//! unplugged and comes back is found again and others may use it in between. Nothing here blocks
//! without limit: the card is opened non-blocking and waited for with a deadline.

use std::time::{Duration, Instant};

use alsa::pcm::{Access, Format, HwParams, PCM, State};
use alsa::{Direction, ValueOr};

use super::sink::{Sink, SinkError};

/// How much sound the card holds. Small, so that an interruption is heard soon; large enough for a
/// busy machine.
const BUFFER: Duration = Duration::from_millis(120);
const PERIOD: Duration = Duration::from_millis(20);
/// A card that takes nothing for this long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(2);
/// Room for the card's own delay after the last sample.
const DRAIN_GRACE: Duration = Duration::from_millis(500);

/// Linux errno values that ALSA answers with.
const EAGAIN: i32 = 11;

/// An open card.
pub(super) struct Card {
    device: String,
    pcm: PCM,
    rate_hz: u32,
    channels: usize,
    frames: Vec<i16>,
}

/// Whether the card is there that a device goes to, without a sound. `None` if the name does not tell
/// which that is.
pub(super) fn is_there(device: &str) -> Option<bool> {
    let _quiet = alsa::Output::local_error_handler();
    let card = match device.split_once(':') {
        None if device == "default" => device.to_owned(),
        Some(("hw" | "plughw" | "sysdefault" | "front" | "dmix", rest)) => {
            format!("hw:{}", rest.split(',').next().unwrap_or_default())
        }
        _ => return None,
    };
    Some(alsa::Ctl::new(&card, true).is_ok())
}

impl Card {
    /// Opens the card for sound of that rate, or the nearest it has.
    pub(super) fn open(device: &str, rate_hz: u32) -> Result<Self, SinkError> {
        // ALSA prints to stderr otherwise; its text is not needed beside the error.
        let _quiet = alsa::Output::local_error_handler();
        let failed = |what| {
            let device = device.to_owned();
            move |source| SinkError::Card { device, what, source }
        };
        let pcm = PCM::new(device, Direction::Playback, true).map_err(failed("open"))?;
        let (rate_hz, channels) = parameters(&pcm, rate_hz).map_err(failed("set up"))?;
        Ok(Self { device: device.to_owned(), pcm, rate_hz, channels, frames: Vec::new() })
    }

    fn failed(&self, what: &'static str, source: alsa::Error) -> SinkError {
        SinkError::Card { device: self.device.clone(), what, source }
    }

    fn write_frames(&mut self) -> Result<(), SinkError> {
        let mut from = 0;
        let mut since = Instant::now();
        while from < self.frames.len() {
            let rest = self.frames.get(from..).unwrap_or_default();
            let written = self.pcm.io_i16().and_then(|io| io.writei(rest));
            match written {
                Ok(0) => self.wait(since)?,
                Ok(frames) => {
                    from += frames * self.channels;
                    since = Instant::now();
                }
                Err(error) if error.errno() == EAGAIN => self.wait(since)?,
                Err(error) => {
                    // An underrun after a busy moment is recovered from; a card that is gone is not.
                    self.pcm.try_recover(error, true).map_err(|e| self.failed("write", e))?;
                    self.not_stuck(since)?;
                }
            }
        }
        Ok(())
    }

    fn wait(&self, since: Instant) -> Result<(), SinkError> {
        self.not_stuck(since)?;
        match self.pcm.wait(Some(100)) {
            Ok(_) => Ok(()),
            Err(error) => self.pcm.try_recover(error, true).map_err(|e| self.failed("wait for", e)),
        }
    }

    fn not_stuck(&self, since: Instant) -> Result<(), SinkError> {
        if since.elapsed() < STUCK_AFTER {
            Ok(())
        } else {
            Err(SinkError::Stuck(self.device.clone()))
        }
    }
}

fn parameters(pcm: &PCM, rate_hz: u32) -> alsa::Result<(u32, usize)> {
    let wanted = HwParams::any(pcm)?;
    wanted.set_access(Access::RWInterleaved)?;
    wanted.set_format(Format::s16())?;
    wanted.set_rate_near(rate_hz, ValueOr::Nearest)?;
    let channels = wanted.set_channels_near(1)?;
    // Cards differ in what they can; these two are wishes.
    let micros = |d: Duration| u32::try_from(d.as_micros()).unwrap_or(u32::MAX);
    let _ = wanted.set_buffer_time_near(micros(BUFFER), ValueOr::Nearest);
    let _ = wanted.set_period_time_near(micros(PERIOD), ValueOr::Nearest);
    pcm.hw_params(&wanted)?;
    let rate = wanted.get_rate()?;
    let software = pcm.sw_params_current()?;
    // Sound begins with the first piece, not when the buffer is full.
    software.set_start_threshold(1)?;
    pcm.sw_params(&software)?;
    Ok((rate.max(1), usize::try_from(channels).unwrap_or(1).max(1)))
}

impl Sink for Card {
    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn write(&mut self, piece: &[i16]) -> Result<(), SinkError> {
        self.frames.clear();
        for sample in piece {
            self.frames.extend(std::iter::repeat_n(*sample, self.channels));
        }
        self.write_frames()
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        let begin = Instant::now();
        let held = self.pcm.delay().unwrap_or(0).max(0);
        let rest = Duration::from_secs_f64(
            f64::from(u32::try_from(held).unwrap_or(0)) / f64::from(self.rate_hz),
        );
        let deadline = begin + rest + DRAIN_GRACE;
        // Non-blocking: the first call starts the drain, the state says when it is over.
        loop {
            match self.pcm.drain() {
                Ok(()) => return Ok(()),
                Err(error) if error.errno() == EAGAIN => {}
                Err(error) => return Err(self.failed("drain", error)),
            }
            if self.pcm.state() != State::Draining || Instant::now() >= deadline {
                return Ok(());
            }
            // This thread has nothing else to do, and ALSA has no event for the end of a drain.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn cut(&mut self) {
        let _ = self.pcm.drop();
    }
}
