use std::collections::{BTreeMap, BTreeSet};

use anju_model::{Class, DeviceKind, Rule};

use super::*;

/// Message ids with the slots that each uses.
fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with([' ', '}'])
            && let Some((key, _)) = line.split_once(" =")
        {
            current = key.to_owned();
            assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{key} twice");
        }
        for part in line.split("{ $").skip(1) {
            let slot =
                part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            found.entry(current.clone()).or_default().insert(slot);
        }
    }
    found
}

#[test]
fn both_files_are_whole_and_have_the_same_sentences_and_slots() {
    for source in [ZH_CN, EN] {
        let parsed = FluentResource::try_new(source.to_owned());
        assert!(parsed.is_ok(), "{:?}", parsed.err().map(|e| e.1));
    }
    let (zh, en) = (messages(ZH_CN), messages(EN));
    assert!(zh.len() > 80, "the parser found {}", zh.len());
    assert_eq!(zh, en);
}

#[test]
fn every_key_that_the_page_names_is_there() {
    let texts = Texts::new();
    let sources = [
        include_str!("../page/mod.rs"),
        include_str!("../page/alerts.rs"),
        include_str!("../page/box_parts.rs"),
        include_str!("../page/devices.rs"),
        include_str!("../page/hero.rs"),
        include_str!("../page/plan.rs"),
        include_str!("../page/proof.rs"),
        include_str!("../page/reading.rs"),
        include_str!("../page/time.rs"),
    ];
    for words in [texts.of(Language::ZhCn), texts.of(Language::En)] {
        let mut named = 0;
        for source in sources {
            for call in [".get(\"", ".fill(\"", ".get_or(\""] {
                for found in source.split(call).skip(1) {
                    let key = found.split('"').next().unwrap_or_default();
                    assert!(words.has(key), "{key} in {}", words.language.tag());
                    named += 1;
                }
            }
        }
        assert!(named > 50, "{named}");
        for rule in Rule::KNOWN {
            assert!(words.has(&format!("rule-{rule}")), "rule-{rule}");
        }
        for class in [Class::Alarm, Class::Warning, Class::Request, Class::Fault] {
            assert!(words.has(&format!("class-{class}")));
        }
        assert!(DeviceKind::ALL.iter().all(|kind| !kind.name(words.language).is_empty()));
    }
}

#[test]
fn a_reader_gets_their_own_language() {
    let household = Language::ZhCn;
    for (asked, accepted, expected) in [
        (None, None, Language::ZhCn),
        (None, Some("en-GB,en;q=0.9"), Language::En),
        (None, Some("fr, zh-Hans;q=0.5, en;q=0.4"), Language::ZhCn),
        (None, Some("zh;q=0, en;q=0.1"), Language::En),
        (None, Some("fr"), Language::ZhCn),
        (None, Some(";;;,q=;en;q=x"), Language::ZhCn),
        (Some("en"), Some("zh-CN"), Language::En),
        (Some("zh-CN"), Some("en"), Language::ZhCn),
        (Some("../x"), Some("en"), Language::En),
    ] {
        assert_eq!(choose(asked, accepted, household), expected, "{asked:?} {accepted:?}");
    }
}
