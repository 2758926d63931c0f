//! The speakers: for each one thread that says what is most urgent, and cuts itself off when something
//! more urgent comes. Asking it to speak only puts words in its queue: a card that is dead, absent or
//! does not take sound holds up nobody, is opened again with growing pauses, and is reported.
//!
//! The box's own speaker is a sound card; without one, utterances are written as WAV files where a
//! folder for them is given. Those in other rooms are satellites in the network. None waits for
//! another.

mod alsa;
mod espeak;
mod local;
pub mod pack;
mod queue;
pub mod recording;
mod samples;
pub mod satellite;
mod sink;
pub mod slot;
mod thread;
pub mod tts;
mod voice;
mod wav;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anju_model::AlertId;

use satellite::SatelliteSettings;
pub use sink::Checks;
pub use voice::{VoiceSettings, Voices};

use crate::life::Announcement;
use local::Local;
use satellite::Satellite;
use sink::{Outlet, SinkError};
use thread::Shared;

/// How long a stop waits for the sound thread.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Whoever does not come back for this long hangs: all that may be waited for has shorter limits.
const HANGS_AFTER: Duration = Duration::from_secs(10);

/// How a speaker is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerSettings {
    /// Where its sound goes.
    pub outlet: OutletSettings,
    /// When what repeats is said again.
    pub repeats: Repeats,
}

/// Where sound goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutletSettings {
    /// The box itself.
    Local(LocalSettings),
    /// A speaker in another room.
    Satellite(SatelliteSettings),
}

/// How the box itself makes sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSettings {
    /// ALSA device; `default` if absent.
    pub device: Option<String>,
    /// Folder for WAV files while no card can be opened.
    pub wav_dir: Option<PathBuf>,
    /// Whether WAV files are written in the time that they take to hear, as a card would.
    pub paced: bool,
    /// When the card is looked for.
    pub checks: Checks,
}

impl SpeakerSettings {
    /// The box's own speaker.
    pub fn local(speaker: &anju_model::config::Speaker) -> Self {
        Self {
            outlet: OutletSettings::Local(LocalSettings {
                device: speaker.device.clone(),
                wav_dir: speaker.wav_dir.clone(),
                paced: true,
                checks: Checks::default(),
            }),
            repeats: Repeats::default(),
        }
    }

    /// A speaker in another room.
    pub fn satellite(satellite: &anju_model::config::Satellite) -> Self {
        Self {
            outlet: OutletSettings::Satellite(SatelliteSettings {
                host: satellite.host.clone(),
                port: satellite.port,
                checks: Checks::default(),
            }),
            repeats: Repeats::default(),
        }
    }
}

/// When an announcement that repeats is said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// How many times in a row it is said first.
    pub times: u32,
    /// The pause between those.
    pub gap: Duration,
    /// The pause between all that follow.
    pub later: Duration,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { times: 3, gap: Duration::from_secs(2), later: Duration::from_secs(60) }
    }
}

/// What the speaker tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeakerEvent {
    /// The first sound of an utterance was taken by the card or the file.
    Started {
        /// Its slot.
        slot: Arc<str>,
        /// The alert it tells of.
        alert: Option<AlertId>,
    },
    /// An utterance ended.
    Finished {
        /// Its slot.
        slot: Arc<str>,
        /// The alert it tells of.
        alert: Option<AlertId>,
        /// To its end, rather than cut off by something more urgent or by a fault.
        whole: bool,
    },
    /// No sound can be made, and why; or `None` when it can again. Told when that changes.
    Health(Option<String>),
}

/// A running speaker.
pub struct Speaker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Speaker {
    /// Starts the sound thread. `tell` is called from it, and by [`Self::look`]; it must return at
    /// once.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        settings: SpeakerSettings,
        voices: Voices,
        tell: impl Fn(SpeakerEvent) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(settings.repeats, voices, Box::new(tell)));
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new().name("speaker".to_owned()).spawn(move || {
            let mut outlet: Box<dyn Outlet> = match settings.outlet {
                OutletSettings::Local(local) => Box::new(Local::new(local)),
                OutletSettings::Satellite(satellite) => Box::new(Satellite::new(satellite)),
            };
            thread::run(&for_thread, outlet.as_mut());
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Says something when its turn comes. Returns at once.
    pub fn say(&self, announcement: Announcement) {
        self.shared.say(announcement);
    }

    /// Says nothing more in that slot.
    pub fn quiet(&self, slot: &str) {
        self.shared.quiet(slot);
    }

    /// Speaks with another voice from the next utterance on.
    pub fn take_voices(&self, voices: Voices) {
        self.shared.take_voices(voices);
    }

    /// Whether it was last told that it can make no sound.
    pub fn is_broken(&self) -> bool {
        self.shared.is_broken()
    }

    /// Looks whether the card's driver hangs: nothing is heard then, and nothing here can end it,
    /// but it can be told. To be called several times a minute. Whether the thread still lives.
    pub fn look(&self) -> bool {
        if self.shared.stuck_for() >= HANGS_AFTER {
            self.shared.breaks(&SinkError::Hangs);
        }
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// For how long the card or file has not come back from a piece of sound.
    pub fn stuck_for(&self) -> Duration {
        self.shared.stuck_for()
    }

    /// Cuts off what is being said and waits for the thread, which takes some tens of milliseconds.
    /// A thread that hangs in a card's driver is left behind after a second.
    pub fn stop(mut self) {
        self.shared.stop();
        if self.shared.wait_for_end(STOPS_WITHIN)
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

#[cfg(test)]
mod tests;
