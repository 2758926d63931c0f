//! From a clip to samples. Sounds are decoded when they are needed and freed after it; a clip that
//! can not be had is left out, so that the rest of the sentence is heard. All speakers of the home
//! share one voice, so that its recordings are in memory once.

use std::sync::{Arc, OnceLock};

use anju_model::Language;

use super::espeak;
use super::pack::Coming;
use crate::life::Clip;
use crate::prompts::{self, Pcm, PromptId};

/// How the box's voice is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceSettings {
    /// Language of the prompts.
    pub language: Language,
    /// Folder of recordings that go before the prompts.
    pub pack: Option<std::path::PathBuf>,
}

impl VoiceSettings {
    /// The usual settings.
    pub fn new(household: &anju_model::config::Household) -> Self {
        Self { language: household.language, pack: household.speaker.pack.clone() }
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
    /// Whether free words can be spoken; found out when first needed.
    words: OnceLock<bool>,
}

impl Voices {
    /// A voice whose recordings are being read, in a thread of its own.
    pub fn new(settings: &VoiceSettings) -> Self {
        Self::with(settings.language, Coming::begin(settings.pack.as_deref()))
    }

    pub(super) fn with(language: Language, pack: Coming) -> Self {
        Self(Arc::new(Inner { language, pack, words: OnceLock::new() }))
    }

    /// The sound of a clip, if there is one.
    pub(super) fn sound(&self, clip: &Clip, give_up: &dyn Fn() -> bool) -> Option<Pcm> {
        let Inner { language, pack, words } = &*self.0;
        match clip {
            Clip::Prompt(id) => self.prompt(*id),
            Clip::Room(room) => {
                let recorded = pack.get(&format!("room-{room}"));
                recorded.or_else(|| self.prompt(PromptId::for_room(room.as_str())?))
            }
            Clip::Contact { id, otherwise } => {
                let recorded = pack.get(&format!("contact-{id}"));
                recorded.or_else(|| self.prompt(*otherwise))
            }
            Clip::Words(text) => {
                let can = *words.get_or_init(espeak::installed);
                can.then(|| espeak::speak(text, *language, give_up)).flatten()
            }
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
