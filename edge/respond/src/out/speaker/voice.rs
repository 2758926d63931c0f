//! From a clip to samples. Sounds are decoded when they are needed and freed after it; a clip that
//! can not be had is left out, so that the rest of the sentence is heard. All speakers of the home
//! share one voice, so that its recordings are in memory once.
//!
//! A name goes, as far as it is there, by the family's recording, the pack's, the voice service, and
//! `espeak-ng`. What nobody recorded is spoken beforehand, beside the speakers: no alarm waits for a
//! name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use anju_model::Language;
use anju_model::config::Household;

use super::pack::Coming;
use super::samples::at_rate;
use super::slot::{Slot, slots};
use super::tts::TtsSettings;
use super::{espeak, tts};
use crate::life::Clip;
use crate::out::pace::Pace;
use crate::prompts::{self, Pcm, PromptId};

/// Pauses between tries to have the names spoken.
const AGAIN: Pace = Pace { first: Duration::from_secs(10), cap: Duration::from_secs(600) };
/// Most names that are spoken beforehand.
const MOST_NAMES: usize = 100;

/// How the box's voice is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceSettings {
    /// Language of the prompts.
    pub language: Language,
    /// Folder of the family's recordings of names, which go before all else.
    pub recordings: Option<PathBuf>,
    /// Folder of recordings that go before the prompts.
    pub pack: Option<PathBuf>,
    /// Who speaks what nobody recorded.
    pub tts: Option<TtsSettings>,
    /// Names that the box has no prompt for, with their words.
    pub names: BTreeMap<Slot, String>,
}

impl VoiceSettings {
    /// The usual settings, with the family's recordings in a folder.
    pub fn new(home: &Household, recordings: &Path) -> Self {
        let several = home.persons.len() > 1;
        let said = |slot: &Slot| match slot {
            // Whom it is about is no question where only one lives.
            Slot::Person(_) => several,
            Slot::Contact(_) => true,
            // A room's words are its id, which nobody reads as Chinese.
            Slot::Room(room) => {
                home.language == Language::En && PromptId::for_room(room.as_str()).is_none()
            }
        };
        let names = slots(home).into_iter().filter(|(slot, _)| said(slot)).take(MOST_NAMES);
        Self {
            language: home.language,
            recordings: Some(recordings.to_owned()),
            pack: home.speaker.pack.clone(),
            tts: home.speaker.tts.as_ref().map(|service| TtsSettings {
                host: service.host.clone(),
                port: service.port,
                voice: service.voice.clone(),
            }),
            names: names.collect(),
        }
    }

    /// The prompts alone.
    pub const fn plain(language: Language) -> Self {
        Self { language, recordings: None, pack: None, tts: None, names: BTreeMap::new() }
    }
}

/// The voice of the box; its clones are the same voice.
#[derive(Debug, Clone)]
pub struct Voices(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    language: Language,
    /// Recordings that go before the prompts.
    pack: Coming,
    tts: Option<TtsSettings>,
    names: BTreeMap<Slot, String>,
    /// Names that were spoken beforehand, by their words.
    spoken: Arc<Mutex<BTreeMap<String, Spoken>>>,
    /// Whether `espeak-ng` can speak; found out when first needed.
    espeak: OnceLock<bool>,
}

/// A name that was spoken beforehand.
#[derive(Debug, Clone)]
struct Spoken {
    pcm: Pcm,
    /// By the voice service, rather than by `espeak-ng`, whose Mandarin not everybody understands.
    clear: bool,
}

impl Voices {
    /// A voice whose recordings are being read and whose names are being spoken, in threads of their
    /// own. What the voice before it had spoken is taken over.
    pub fn new(settings: &VoiceSettings, before: Option<&Self>) -> Self {
        let coming = Coming::begin(settings.recordings.clone(), settings.pack.clone());
        let mut voices = Self::with(settings, coming);
        if let (Some(inner), Some(before)) = (Arc::get_mut(&mut voices.0), before)
            && (before.0.language, &before.0.tts) == (inner.language, &inner.tts)
        {
            inner.spoken = before.0.spoken.clone();
        }
        if !settings.names.is_empty() {
            let inner = Arc::downgrade(&voices.0);
            let speaking = std::thread::Builder::new().name("names".to_owned());
            if let Err(error) = speaking.spawn(move || speak_names(&inner)) {
                tracing::warn!(%error, "no thread to speak names; they are left out");
            }
        }
        voices
    }

    pub(super) fn with(settings: &VoiceSettings, pack: Coming) -> Self {
        Self(Arc::new(Inner {
            language: settings.language,
            pack,
            tts: settings.tts.clone(),
            names: settings.names.clone(),
            spoken: Arc::default(),
            espeak: OnceLock::new(),
        }))
    }

    /// The sound of a clip, if there is one.
    pub(super) fn sound(&self, clip: &Clip, give_up: &dyn Fn() -> bool) -> Option<Pcm> {
        match clip {
            Clip::Prompt(id) => self.prompt(*id),
            Clip::Room(room) => {
                let slot = Slot::Room(room.clone());
                let recorded = self.0.pack.get(&slot.to_string());
                recorded
                    .or_else(|| self.prompt(PromptId::for_room(room.as_str())?))
                    .or_else(|| Some(self.0.spoken(&slot)?.pcm))
            }
            Clip::Person(person) => {
                let slot = Slot::Person(person.clone());
                let recorded = self.0.pack.get(&slot.to_string());
                recorded.or_else(|| Some(self.0.spoken(&slot)?.pcm))
            }
            Clip::Contact { id, otherwise } => {
                let slot = Slot::Contact(id.clone());
                if let Some(recorded) = self.0.pack.get(&slot.to_string()) {
                    return Some(recorded);
                }
                match self.0.spoken(&slot) {
                    Some(Spoken { pcm, clear: true }) => Some(pcm),
                    Some(Spoken { pcm, .. }) => Some(self.followed(pcm, *otherwise)),
                    None => self.prompt(*otherwise),
                }
            }
            Clip::Words(words) => {
                let live = self.0.tts.as_ref().and_then(|tts| tts::speak(tts, words, give_up));
                live.or_else(|| self.0.by_espeak(words, give_up))
            }
        }
    }

    /// A name, and after it what is understood in any case.
    fn followed(&self, name: Pcm, id: PromptId) -> Pcm {
        match self.prompt(id) {
            Some(prompt) => {
                let rate_hz = prompt.rate_hz;
                let samples = [at_rate(name, rate_hz), prompt.samples].concat();
                Pcm { rate_hz, samples }
            }
            None => name,
        }
    }

    fn prompt(&self, id: PromptId) -> Option<Pcm> {
        if let Some(recorded) = self.0.pack.get(id.as_str()) {
            return Some(recorded);
        }
        match prompts::decode(prompts::ogg(id, self.0.language)) {
            Ok(pcm) => Some(pcm),
            Err(error) => {
                tracing::error!(%error, prompt = %id, "a prompt can not be spoken");
                None
            }
        }
    }
}

impl Inner {
    /// Held for moments only, never while something is spoken.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Spoken>> {
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spoken(&self, slot: &Slot) -> Option<Spoken> {
        self.lock().get(self.names.get(slot)?).cloned()
    }

    fn by_espeak(&self, words: &str, give_up: &dyn Fn() -> bool) -> Option<Pcm> {
        let can = *self.espeak.get_or_init(espeak::installed);
        can.then(|| espeak::speak(words, self.language, give_up)).flatten()
    }

    /// Has those names spoken that nobody recorded. Whether the service still owes one.
    fn speak_names(&self) -> bool {
        let mut owes = false;
        for (slot, words) in &self.names {
            let had = self.lock().get(words).map(|spoken| spoken.clear);
            if had == Some(true) || self.pack.wait_for(&slot.to_string()) {
                continue;
            }
            // After one that failed the others are left for the next time.
            let live = self.tts.as_ref().filter(|_| !owes);
            let live = live.and_then(|service| match tts::synthesise(service, words) {
                Ok(pcm) => Some(Spoken { pcm, clear: true }),
                Err(error) => {
                    tracing::info!(%error, %slot, "a name is not spoken yet");
                    None
                }
            });
            owes |= self.tts.is_some() && live.is_none();
            let by_espeak =
                || Some(Spoken { pcm: self.by_espeak(words, &|| false)?, clear: false });
            let spoken = live.or_else(|| had.is_none().then(by_espeak).flatten());
            if let Some(spoken) = spoken {
                self.lock().insert(words.clone(), spoken);
            }
        }
        owes
    }
}

/// Goes on until each name is spoken as well as it can be, or nobody has the voice any more.
fn speak_names(inner: &Weak<Inner>) {
    let mut failures = 0;
    while let Some(voice) = inner.upgrade() {
        if !voice.speak_names() {
            return;
        }
        drop(voice);
        failures += 1;
        std::thread::sleep(AGAIN.after(failures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_not_everybody_understands_is_followed_by_what_they_are() {
        let slot: Slot = "contact-daughter".parse().unwrap();
        let names = [(slot, "Fang".to_owned())].into();
        let settings = VoiceSettings { names, ..VoiceSettings::plain(Language::En) };
        let voices = Voices::with(&settings, Coming::begin(None, None));
        let pcm = Pcm { rate_hz: 24_000, samples: vec![7; 100] };
        let say = |clear| {
            voices.0.lock().insert("Fang".into(), Spoken { pcm: pcm.clone(), clear });
            let (id, otherwise) = ("daughter".parse().unwrap(), PromptId::ComingFamily);
            voices.sound(&Clip::Contact { id, otherwise }, &|| false).unwrap().samples
        };
        assert_eq!(say(true), vec![7; 100]);
        let prompt = voices.prompt(PromptId::ComingFamily).unwrap().samples;
        let both = say(false);
        assert_eq!((&both[..100], &both[100..]), (&[7; 100][..], &prompt[..]));
    }
}
