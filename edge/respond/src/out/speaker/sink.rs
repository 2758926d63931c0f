//! Where sound goes. A sink must take sound in small pieces and must never block for much longer
//! than a piece lasts; one that can not go on says so with an error.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

/// Length of the pieces in which sound is written: what is more urgent waits no longer than a few
/// of these.
pub(super) const PIECE: Duration = Duration::from_millis(20);

/// Why no sound could be made.
#[derive(Debug, Error)]
pub(super) enum SinkError {
    /// The card.
    #[error("the sound card `{device}` failed: {what} ({source}); check its cable and `aplay -l`")]
    Card {
        /// Its ALSA name.
        device: String,
        /// What was tried.
        what: &'static str,
        /// ALSA's answer.
        source: alsa::Error,
    },
    /// The card is not there.
    #[error("the sound card `{0}` is not there; check its cable and `aplay -l`")]
    Missing(String),
    /// The driver of the card, the disk of the file or the network does not come back.
    #[error("the speaker hangs; unplug it and plug it in again, or restart the box")]
    Hangs,
    /// The card takes no sound.
    #[error("the sound card `{0}` takes no sound; unplug it and plug it in again")]
    Stuck(String),
    /// A satellite.
    #[error(
        "the speaker at {address} {what}; look whether it is switched on, in the network, and a \
         Wyoming satellite or sound service"
    )]
    Satellite {
        /// Where it is.
        address: String,
        /// What it did or did not.
        what: String,
    },
    /// The file.
    #[error("the sound file {path} could not be written: {source}; check the folder `wav_dir`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// How often a speaker that is silent anyway is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// While it is there.
    pub every: Duration,
    /// After it was not.
    pub again: Duration,
    /// So many times in a row it is missed before that is a fault; telecare hubs take six.
    pub misses: u32,
}

impl Default for Checks {
    fn default() -> Self {
        Self { every: Duration::from_secs(600), again: Duration::from_secs(60), misses: 6 }
    }
}

/// Something that takes the samples of one utterance.
pub(super) trait Sink {
    /// Samples a second that it wants, one channel.
    fn rate_hz(&self) -> u32;
    /// Takes one piece, waiting while what it holds is more than a few pieces.
    fn write(&mut self, piece: &[i16]) -> Result<(), SinkError>;
    /// Whether somebody is known to make sound of it: a socket takes bytes for anybody.
    fn is_heard(&self) -> bool {
        true
    }
    /// Lets what it holds be heard to the end.
    fn finish(&mut self) -> Result<(), SinkError>;
    /// Throws away what was not heard yet.
    fn cut(&mut self);
}

/// Where utterances go, one after the other.
pub(super) trait Outlet: Send {
    /// Begins an utterance.
    fn open(&mut self) -> Result<Box<dyn Sink + '_>, SinkError>;
    /// When it wants to be checked, though nothing is said; never if absent.
    fn check_at(&self) -> Option<Instant> {
        None
    }
    /// Looks whether it is there. `None`: nothing can be said of that yet.
    fn check(&mut self) -> Option<Result<(), SinkError>> {
        None
    }
}
