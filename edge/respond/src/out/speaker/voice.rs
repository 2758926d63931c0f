//! From a clip to samples. Sounds are decoded when they are needed and freed after it; a clip that
//! can not be had is left out, so that the rest of the sentence is heard.

use anju_model::Language;

use super::espeak;
use super::pack::Coming;
use crate::life::Clip;
use crate::prompts::{self, Pcm, PromptId};

/// The voice of the box.
#[derive(Debug)]
pub(super) struct Voice {
    language: Language,
    /// Recordings that go before the prompts.
    pack: Coming,
    /// Whether free words can be spoken; found out when first needed.
    words: Option<bool>,
}

impl Voice {
    pub(super) const fn new(language: Language, pack: Coming) -> Self {
        Self { language, pack, words: None }
    }

    /// The sound of a clip, if there is one.
    pub(super) fn sound(&mut self, clip: &Clip, give_up: &dyn Fn() -> bool) -> Option<Pcm> {
        match clip {
            Clip::Prompt(id) => self.prompt(*id),
            Clip::Room(room) => {
                let recorded = self.pack.get(&format!("room-{room}"));
                recorded.or_else(|| self.prompt(PromptId::for_room(room.as_str())?))
            }
            Clip::Contact { id, otherwise } => {
                let recorded = self.pack.get(&format!("contact-{id}"));
                recorded.or_else(|| self.prompt(*otherwise))
            }
            Clip::Words(words) => {
                let can = *self.words.get_or_insert_with(espeak::installed);
                can.then(|| espeak::speak(words, self.language, give_up)).flatten()
            }
        }
    }

    fn prompt(&self, id: PromptId) -> Option<Pcm> {
        if let Some(recorded) = self.pack.get(id.as_str()) {
            return Some(recorded);
        }
        match prompts::decode(prompts::ogg(id, self.language)) {
            Ok(pcm) => Some(pcm),
            Err(error) => {
                tracing::error!(%error, prompt = %id, "a prompt can not be spoken");
                None
            }
        }
    }
}
