//! The words of the page, from Fluent files, and which language a reader gets. A missing sentence
//! must never break the page: its key is shown instead, and a test keeps that from happening.

use std::sync::LazyLock;

use anju_model::Language;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

const ZH_CN: &str = include_str!("../texts/zh-CN.ftl");
const EN: &str = include_str!("../texts/en.ftl");

/// The words of one language.
pub struct Words {
    /// Which.
    pub language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    fn new(language: Language) -> Self {
        let source = match language {
            Language::ZhCn => ZH_CN,
            Language::En => EN,
        };
        let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Isolation marks are for mixed directions of writing, and show as boxes on some phones.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(usable, _)| {
            tracing::error!("a text file of the page has faults; what is sound in it is used");
            usable
        });
        if bundle.add_resource(resource).is_err() {
            tracing::error!("a text file of the page names a sentence twice; the first is used");
        }
        Self { language, bundle }
    }

    /// Whether there is such a sentence.
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// A sentence without slots.
    pub fn get(&self, key: &str) -> String {
        self.fill(key, [])
    }

    /// A sentence with its slots filled.
    pub fn fill<'a, const N: usize>(
        &self,
        key: &str,
        slots: [(&'a str, FluentValue<'a>); N],
    ) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let slots: FluentArgs<'_> = slots.into_iter().collect();
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&slots), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::warn!(key, ?errors, "a sentence of the page could not be filled wholly");
        }
        text
    }

    /// The first of two sentences that there is; names from a configuration may have none.
    pub fn get_or(&self, key: &str, otherwise: &str) -> String {
        if self.has(key) { self.get(key) } else { otherwise.to_owned() }
    }
}

/// The words of all languages, each loaded when somebody first reads it: few homes read the page,
/// and fewer in both.
pub struct Texts {
    zh_cn: LazyLock<Words>,
    en: LazyLock<Words>,
}

impl Texts {
    /// Ready to load them.
    pub const fn new() -> Self {
        Self {
            zh_cn: LazyLock::new(|| Words::new(Language::ZhCn)),
            en: LazyLock::new(|| Words::new(Language::En)),
        }
    }

    /// Those of one language.
    pub fn of(&self, language: Language) -> &Words {
        match language {
            Language::ZhCn => &self.zh_cn,
            Language::En => &self.en,
        }
    }
}

/// The language for a reader: what they asked for, else what their browser prefers, else the
/// household's.
pub fn choose(asked: Option<&str>, accepted: Option<&str>, household: Language) -> Language {
    if let Some(language) = asked.and_then(speaks) {
        return language;
    }
    let mut best: Option<(f32, Language)> = None;
    for range in accepted.unwrap_or_default().split(',').take(32) {
        let mut parts = range.split(';');
        let Some(language) = parts.next().and_then(speaks) else { continue };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
            best = Some((weight, language));
        }
    }
    best.map_or(household, |(_, language)| language)
}

/// The language of a tag such as `zh`, `zh-Hans-CN` or `en-GB`.
fn speaks(tag: &str) -> Option<Language> {
    let first = tag.trim().split(['-', '_']).next().unwrap_or_default();
    match first.to_ascii_lowercase().as_str() {
        "zh" => Some(Language::ZhCn),
        "en" => Some(Language::En),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
