//! The box's own speaker: the sound card, or a file for each utterance while there is none.

use std::time::{Duration, Instant};

use super::LocalSettings;
use super::alsa::{self, Card};
use super::sink::{Checks, Outlet, Sink, SinkError};
use super::thread::RATE_HZ;
use super::wav::WavFile;

/// The device without a setting.
const DEFAULT: &str = "default";

/// How long a missing card is not tried again while there is a folder for files.
const CARD_AGAIN: Duration = Duration::from_secs(60);

/// Where the next utterance goes.
pub(super) struct Local {
    settings: LocalSettings,
    files: u64,
    no_card_since: Option<Instant>,
    /// Whether the card was there, by the checks so far.
    found: Found,
    check_at: Instant,
}

/// What the checks found. What goes by the name `default` may be no card at all: it is missed only
/// when one was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    There,
    Missed(u32),
}

impl Local {
    pub(super) fn new(settings: LocalSettings) -> Self {
        let check_at = Instant::now() + settings.checks.again;
        Self { settings, files: 0, no_card_since: None, found: Found::Nothing, check_at }
    }

    fn device(&self) -> &str {
        self.settings.device.as_deref().unwrap_or(DEFAULT)
    }

    fn card(&self) -> Result<Card, SinkError> {
        Card::open(self.device(), RATE_HZ)
    }
}

impl Outlet for Local {
    fn open(&mut self) -> Result<Box<dyn Sink + '_>, SinkError> {
        let Some(folder) = self.settings.wav_dir.clone() else {
            return Ok(Box::new(self.card()?));
        };
        if self.no_card_since.is_none_or(|since| since.elapsed() >= CARD_AGAIN) {
            match self.card() {
                Ok(card) => {
                    self.no_card_since = None;
                    return Ok(Box::new(card));
                }
                Err(error) => {
                    tracing::info!(%error, folder = %folder.display(), "speech goes to files");
                    self.no_card_since = Some(Instant::now());
                }
            }
        }
        self.files += 1;
        let wav = WavFile::open(&folder, self.files, RATE_HZ, self.settings.paced)?;
        Ok(Box::new(wav))
    }

    /// Files are what it speaks to where there is a folder for them.
    fn check_at(&self) -> Option<Instant> {
        self.settings.wav_dir.is_none().then_some(self.check_at)
    }

    fn check(&mut self) -> Option<Result<(), SinkError>> {
        let Checks { every, again, misses } = self.settings.checks;
        let there = match alsa::is_there(self.device()) {
            Some(false) if self.device() == DEFAULT && self.found == Found::Nothing => None,
            there => there,
        };
        let before = match self.found {
            Found::Missed(times) => times,
            Found::Nothing | Found::There => 0,
        };
        let (found, pause) = match there {
            None => (self.found, every),
            Some(true) => (Found::There, every),
            Some(false) => (Found::Missed(before.saturating_add(1)), again),
        };
        (self.found, self.check_at) = (found, Instant::now() + pause);
        match found {
            Found::Missed(times) if times >= misses => {
                Some(Err(SinkError::Missing(self.device().to_owned())))
            }
            Found::There if before >= misses => Some(Ok(())),
            _ => None,
        }
    }
}
