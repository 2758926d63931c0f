//! One text for several letters, for channels where many notices share one message. Identical
//! sentences are counted rather than repeated; what does not fit goes with the next message, so
//! that nothing is left out. Pure.

use std::collections::HashMap;

use anju_model::config::{ChannelKind, Household};
use anju_model::{AlertId, Class, ContactId};

use super::post::Letter;
use crate::life::Words;

/// A text and how many letters, from the first on, it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Composed {
    pub(super) text: String,
    pub(super) count: usize,
}

struct Sentence<'l> {
    words: &'l Words,
    alerts: Vec<&'l AlertId>,
}

/// Writes as many letters as fit into that many bytes of UTF-8, at least one.
pub(super) fn compose(letters: &[Letter], details: bool, most_bytes: usize) -> Composed {
    let mut sentences: Vec<Sentence<'_>> = Vec::new();
    let mut composed = Composed { text: String::new(), count: 0 };
    for letter in letters {
        let words = words(letter, details);
        let alert = &letter.notice.alert;
        match sentences.iter_mut().find(|sentence| sentence.words == words) {
            // The same alert to several contacts is one sentence.
            Some(known) if known.alerts.contains(&alert) => {}
            Some(known) => known.alerts.push(alert),
            None => sentences.push(Sentence { words, alerts: vec![alert] }),
        }
        let text = written(&sentences);
        if text.len() > most_bytes {
            break;
        }
        composed.text = text;
        composed.count += 1;
    }
    if composed.count == 0 {
        composed.text = shortened(&written(&sentences), most_bytes);
        composed.count = letters.len().min(1);
    }
    composed
}

/// What a letter says, with or without names and rooms.
pub(super) fn words(letter: &Letter, details: bool) -> &Words {
    if details { &letter.notice.full } else { &letter.notice.discreet }
}

fn written(sentences: &[Sentence<'_>]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&sentence.words.title);
        if sentence.alerts.len() > 1 {
            text.push_str(&format!(" ×{}", sentence.alerts.len()));
        }
        text.push('\n');
        text.push_str(&sentence.words.body);
    }
    text
}

/// The text up to that many bytes, cut between characters.
pub(super) fn shortened(text: &str, most_bytes: usize) -> String {
    let end = (0..=most_bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

/// The telephone numbers of the contacts of a channel.
pub(super) fn phones(household: &Household, kind: ChannelKind) -> HashMap<ContactId, String> {
    let of = household.contacts.iter().filter(|contact| contact.channels.contains(&kind));
    of.filter_map(|contact| Some((contact.id.clone(), contact.phone.clone()?))).collect()
}

/// A text for a chat group, whom it names there by their mobile numbers, and how many letters it
/// tells.
pub(super) fn addressed<'l>(
    letters: &'l [Letter],
    phones: &'l HashMap<ContactId, String>,
    details: bool,
    most_bytes: usize,
) -> (Composed, Vec<&'l str>) {
    let composed = compose(letters, details, most_bytes);
    let told = letters.get(..composed.count).unwrap_or_default();
    let phone = |l: &Letter| phones.get(&l.notice.contact).map(String::as_str);
    (composed, mentioned(told, phone))
}

/// Mobile numbers of whoever shall be named in the group, as the chat services know them: without
/// the country code of China. Only what needs an answer rings a phone.
fn mentioned<'l>(
    letters: &'l [Letter],
    phone: impl Fn(&Letter) -> Option<&'l str>,
) -> Vec<&'l str> {
    let mut numbers: Vec<&str> = letters
        .iter()
        .filter(|l| l.notice.kind.answerable() && l.notice.class > Class::Fault)
        .filter_map(phone)
        .map(|number| number.strip_prefix("+86").unwrap_or(number))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::{Notice, NoticeKind};
    use anju_model::Rule;
    use proptest::prelude::*;

    fn letter(alert: usize, to: &str, body: &str) -> Letter {
        let words = Words { title: "安居告警".into(), body: body.into() };
        Letter::first(Notice {
            alert: AlertId::from_wire(&format!("box/1/{alert}")).unwrap(),
            contact: ContactId::new(to).unwrap(),
            channels: vec![ChannelKind::Wecom],
            kind: NoticeKind::Call,
            class: Class::Alarm,
            rule: Rule::Help,
            test: false,
            full: Words { title: "告警：王奶奶家".into(), body: body.into() },
            discreet: words,
        })
    }

    #[test]
    fn the_same_alert_is_told_once_and_the_same_sentence_is_counted() {
        let letters =
            [letter(1, "a", "x"), letter(1, "b", "x"), letter(2, "a", "x"), letter(3, "a", "y")];
        let composed = compose(&letters, false, 2048);
        assert_eq!(composed.text, "安居告警 ×2\nx\n\n安居告警\ny");
        assert_eq!(composed.count, 4);
        assert!(!composed.text.contains("王奶奶"));
        assert!(compose(&letters, true, 2048).text.contains("王奶奶"));
    }

    #[test]
    fn only_whoever_shall_answer_is_named() {
        let letters = [letter(1, "a", "x"), letter(2, "b", "x"), letter(3, "a", "x")];
        let phone = |l: &Letter| (l.notice.contact.as_str() == "a").then_some("+8613800000000");
        assert_eq!(mentioned(&letters, phone), ["13800000000"]);
    }

    proptest! {
        #[test]
        fn it_always_fits_and_goes_on_where_it_ended(
            bodies in prop::collection::vec("[a-c王🚨]{1,40}", 1..60), most in 40_usize..400
        ) {
            let letters: Vec<Letter> =
                bodies.iter().enumerate().map(|(n, body)| letter(n, "a", body)).collect();
            let (mut rest, mut told) = (letters.as_slice(), 0);
            while !rest.is_empty() {
                let composed = compose(rest, false, most);
                prop_assert!(composed.text.len() <= most && composed.count >= 1);
                told += composed.count;
                rest = &rest[composed.count..];
            }
            prop_assert_eq!(told, letters.len());
        }
    }
}
