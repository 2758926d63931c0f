//! The sentences that people read, from Fluent files in the box's language. A missing sentence must
//! never stop a message: the key is shown instead, and a test keeps that from happening.

use std::fmt;

use anju_model::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

const ZH_CN: &str = include_str!("../texts/zh-CN.ftl");
const EN: &str = include_str!("../texts/en.ftl");

/// The sentences of one language.
pub struct Texts {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.language.tag())
    }
}

impl Texts {
    /// Loads the sentences.
    pub fn new(language: Language) -> Self {
        let source = match language {
            Language::ZhCn => ZH_CN,
            Language::En => EN,
        };
        let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Isolation marks are for mixed directions of writing, and show as boxes on some phones.
        bundle.set_use_isolating(false);
        let resource = match FluentResource::try_new(source.to_owned()) {
            Ok(resource) => resource,
            Err((usable, errors)) => {
                tracing::error!(?errors, "a text file has faults; what is sound in it is used");
                usable
            }
        };
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, "a text file names a sentence twice; the first is used");
        }
        Self { language, bundle }
    }

    /// Which language.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Whether there is such a sentence.
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// A sentence without slots.
    pub fn get(&self, key: &str) -> String {
        self.format(key, &[])
    }

    /// A sentence with its slots filled.
    pub fn format(&self, key: &str, args: &[(&str, &str)]) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|m| m.value()) else {
            return key.to_owned();
        };
        let args: FluentArgs<'_> = args.iter().copied().collect();
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::warn!(key, ?errors, "a sentence could not be filled wholly");
        }
        text
    }
}

#[cfg(test)]
mod tests;
