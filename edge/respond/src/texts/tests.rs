use std::collections::{BTreeMap, BTreeSet};

use anju_model::{Class, Rule};

use super::*;

/// Message ids with the slots that each uses.
fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|l| !l.starts_with('#')) {
        if !line.starts_with([' ', '}'])
            && let Some((key, _)) = line.split_once(" =")
        {
            current = key.to_owned();
            assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{key} twice");
        }
        for part in line.split("{ $").skip(1) {
            let slot: String =
                part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            found.entry(current.clone()).or_default().insert(slot);
        }
    }
    found
}

#[test]
fn both_languages_have_the_same_sentences_and_slots() {
    let (zh, en) = (messages(ZH_CN), messages(EN));
    assert!(zh.len() > 50, "the parser found {}", zh.len());
    assert_eq!(zh, en);
}

#[test]
fn both_files_parse_wholly() {
    for source in [ZH_CN, EN] {
        let parsed = FluentResource::try_new(source.to_owned());
        assert!(parsed.is_ok(), "{:?}", parsed.err().map(|e| e.1));
    }
}

#[test]
fn every_rule_class_and_notice_has_its_sentences() {
    use crate::life::NoticeKind as K;
    let kinds = [
        K::Call,
        K::CallBack,
        K::Again,
        K::Cancelled,
        K::Accepted,
        K::Taken,
        K::Lapsed,
        K::Over,
        K::Closed,
        K::Late,
        K::Trial,
        K::TrialNotice,
        K::Thanks,
    ];
    for language in Language::ALL {
        let texts = Texts::new(language);
        for rule in Rule::KNOWN {
            assert!(texts.has(&format!("rule-{rule}")), "{rule} in {}", language.tag());
        }
        for class in [Class::Alarm, Class::Warning, Class::Request, Class::Fault] {
            assert!(texts.has(&format!("class-{class}")));
        }
        for kind in kinds.map(K::as_str) {
            for part in ["title", "body", "title-discreet", "body-discreet"] {
                assert!(texts.has(&format!("{kind}-{part}")), "{kind}-{part}");
            }
        }
    }
}

#[test]
fn discreet_sentences_have_no_slot_that_could_name_anybody() {
    for (key, slots) in messages(EN).into_iter().chain(messages(ZH_CN)) {
        if key.ends_with("-discreet") {
            assert!(slots.iter().all(|slot| slot == "class"), "{key} uses {slots:?}");
        }
    }
}

#[test]
fn slots_are_filled_without_isolation_marks() {
    let texts = Texts::new(Language::ZhCn);
    let thing = texts.format("thing-in-room", &[("room", "卧室"), ("name", "报警按钮")]);
    assert_eq!(texts.format("rule-help", &[("thing", &thing)]), "卧室的报警按钮被按下");
    assert_eq!(texts.format("rule-inactivity", &[("since", "14:05")]), "从14:05起没有活动");
    assert_eq!(texts.format("rule-inactivity", &[("since", "none")]), "很久没有活动了");
    assert_eq!(texts.get("no-such-sentence"), "no-such-sentence");
}
