//! The box's own speaker: the sound card, or a file for each utterance while there is none.

use std::time::{Duration, Instant};

use super::LocalSettings;
use super::alsa::Card;
use super::sink::{Outlet, Sink, SinkError};
use super::thread::RATE_HZ;
use super::wav::WavFile;

/// How long a missing card is not tried again while there is a folder for files.
const CARD_AGAIN: Duration = Duration::from_secs(60);

/// Where the next utterance goes.
pub(super) struct Local {
    settings: LocalSettings,
    files: u64,
    no_card_since: Option<Instant>,
}

impl Local {
    pub(super) const fn new(settings: LocalSettings) -> Self {
        Self { settings, files: 0, no_card_since: None }
    }

    fn card(&self) -> Result<Card, SinkError> {
        Card::open(self.settings.device.as_deref().unwrap_or("default"), RATE_HZ)
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
}
