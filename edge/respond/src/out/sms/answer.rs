//! What a contact's text means. Pure; it must never read a command out of longer words.

use jiff::Timestamp;

use crate::life::Answer;

/// Longest text that is looked at, characters; an answer is short.
const LONGEST: usize = 64;

/// What a text answers, if anything: it begins with the number, in whatever form a telephone writes
/// it, and no other number follows at once.
pub fn answer(text: &str) -> Option<Answer> {
    let mut characters = text.trim().chars().take(LONGEST);
    let first = characters.next()?;
    if characters.next().is_some_and(char::is_alphanumeric) {
        return None;
    }
    match first {
        '1' | '１' | '①' | '一' => Some(Answer::Accept),
        '2' | '２' | '②' | '二' => Some(Answer::Arrived),
        _ => None,
    }
}

/// When a text was sent, as ModemManager writes it: ISO 8601, where the offset may have no minutes
/// (`2026-11-25T14:56:44+08`).
pub fn sent_at(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}:00").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_may_be_written_in_many_ways() {
        for text in ["1", " 1 ", "1.", "１", "1, coming", "1。", "1\n", "一"] {
            assert_eq!(answer(text), Some(Answer::Accept), "{text:?}");
        }
        assert_eq!(answer("2 到了"), Some(Answer::Arrived));
        for text in ["", "12", "1a", "10086", "好的", "3", "1个小时", "-1", "0"] {
            assert_eq!(answer(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_are_read_with_short_offsets() {
        let at = sent_at("2026-11-25T14:56:44+08").unwrap();
        assert_eq!(at, "2026-11-25T06:56:44Z".parse().unwrap());
        assert!(sent_at("2026-11-25T14:56:44+08:00").is_some());
        assert!(sent_at("yesterday").is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_text(text in ".*") {
            let _ = (answer(&text), sent_at(&text));
        }
    }
}
