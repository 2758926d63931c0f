//! Words, identifiers, digits and telephone numbers.

use super::{Result, Wrong};
use crate::config::fault::quote;
use crate::id::{BoxId, MAX_ID_BYTES};

/// The known word nearest to a written one, if one is near enough to be meant.
pub(in crate::config) fn nearest<'w>(
    written: &str,
    known: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    // A distance over a long text costs time and means nothing.
    if written.len() > MAX_ID_BYTES {
        return None;
    }
    let lower = written.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|word| (strsim::osa_distance(&lower, &word.to_lowercase().replace('_', "-")), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

pub(super) fn choice(written: &str, words: &'static [&'static str]) -> Result<&'static str> {
    if let Some(word) = words.iter().find(|word| **word == written) {
        return Ok(word);
    }
    let near = nearest(written, words.iter().copied());
    let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let mend = match near {
        Some(word) if words.len() > 10 => format!("did you mean \"{word}\"?"),
        Some(word) => format!("did you mean \"{word}\"? Allowed: {all}"),
        None => format!("allowed: {all}"),
    };
    Err(Wrong::new(format!("{} is not known here", quote(written)), mend))
}

/// What somebody meant who wrote this as an identifier; empty if nothing can be told.
pub(in crate::config) fn suggested_id(written: &str) -> String {
    let mut id = String::new();
    for c in written.chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= MAX_ID_BYTES {
            break;
        }
    }
    id.trim_matches('-').to_owned()
}

pub(super) fn id(written: &str) -> Result<String> {
    if BoxId::new(written).is_ok() {
        return Ok(written.to_owned());
    }
    const FORM: &str = "use 1 to 64 of the characters a-z, 0-9 and -";
    let suggested = suggested_id(written);
    let message = format!("{} is not a valid identifier", quote(written));
    if suggested.is_empty() {
        return Err(Wrong::new(message, FORM));
    }
    let mut wrong = Wrong::new(message, format!("{FORM}, such as \"{suggested}\""));
    wrong.meant = Some(suggested);
    Err(wrong)
}

pub(super) fn words(written: &str, max: usize) -> Result<String> {
    if written.trim().is_empty() {
        return Err(Wrong::new("the text is empty", "write something or remove the key"));
    }
    if written.chars().any(char::is_control) {
        return Err(Wrong::new(
            format!("{} holds a control character", quote(written)),
            "write it on one line without tabs",
        ));
    }
    if written.chars().count() > max {
        return Err(Wrong::new(
            format!("{} is too long", quote(written)),
            format!("use at most {max} characters"),
        ));
    }
    Ok(written.to_owned())
}

pub(super) fn digits(written: &str, min: usize, max: usize) -> Result<String> {
    if (min..=max).contains(&written.len()) && written.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(written.to_owned());
    }
    Err(Wrong::new(
        format!("{} is not made of {min} to {max} digits", quote(written)),
        format!("write {min} to {max} digits in quotes, nothing else"),
    ))
}

/// Numbers that only a human may dial: police, ambulance, fire and traffic police in China, and
/// the general numbers elsewhere.
const EMERGENCY: [&str; 7] = ["110", "119", "120", "122", "112", "911", "999"];

pub(super) fn phone(written: &str) -> Result<String> {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let national = digits.trim_start_matches("00");
    let national = national.strip_prefix("86").unwrap_or(national).trim_start_matches('0');
    if EMERGENCY.contains(&national) {
        return Err(Wrong::new(
            format!(
                "{} is an emergency number, which the box never dials by itself",
                quote(written)
            ),
            "name a person or the centre; whoever comes decides about 110, 119 and 120",
        ));
    }
    let e164 = written.strip_prefix('+').is_some_and(|rest| {
        (8..=15).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_digit())
            && !rest.starts_with('0')
    });
    if e164 {
        return Ok(written.to_owned());
    }
    let message = format!("{} is not a telephone number in E.164 form", quote(written));
    // A Chinese mobile number, perhaps with spaces: there is only one way to complete it.
    if national.len() == 11 && national.starts_with('1') {
        let meant = format!("+86{national}");
        let mut wrong = Wrong::new(message, format!("write \"{meant}\""));
        wrong.meant = Some(meant);
        return Err(wrong);
    }
    Err(Wrong::new(
        message,
        "write + and the country code first, then digits only, such as \"+8613800000000\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["debounce", "bias", "active"];
        assert_eq!(nearest("debonce", known), Some("debounce"));
        assert_eq!(nearest("Active", known), Some("active"));
        assert_eq!(nearest("temperature", known), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }

    #[test]
    fn what_an_identifier_was_meant_to_be() {
        assert_eq!(suggested_id("SOS Bedroom_1"), "sos-bedroom-1");
        assert_eq!(suggested_id("卧室"), "");
        assert!(suggested_id(&"A_".repeat(100)).len() <= MAX_ID_BYTES);
    }

    #[test]
    fn telephone_numbers() {
        assert_eq!(phone("+8613800000000").unwrap(), "+8613800000000");
        assert_eq!(phone("138 0000 0000").unwrap_err().meant.unwrap(), "+8613800000000");
        for emergency in ["110", "+86110", "0086-120", "119", "+86 119", "0110"] {
            assert!(phone(emergency).unwrap_err().message.contains("never dials"), "{emergency}");
        }
        for wrong in ["", "+", "12345", "+0123456789", "+12345678901234567", "abc"] {
            assert!(phone(wrong).is_err(), "{wrong}");
        }
        assert!(phone("+8657112345678").is_ok());
    }
}
