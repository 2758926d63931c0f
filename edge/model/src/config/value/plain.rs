//! Decimal numbers, JSON pointers, and values of a device's own words.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml_edit::{Item, Value};

use super::{Result, Wrong, expected};
use crate::config::fault::quote;
use crate::config::schema::Key;

/// Most words of one table.
const MOST_WORDS: usize = 64;

pub(super) fn number(key: &Key, item: &Item, min: f64, max: f64) -> Result<f64> {
    #[allow(clippy::cast_precision_loss, reason = "the ranges are far below 2^53")]
    let number = item.as_float().or_else(|| item.as_integer().map(|whole| whole as f64));
    let number = number.ok_or_else(|| {
        let mut wrong = expected(key, item, "a number");
        if item.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok()) {
            wrong.mend = format!("write {} without quotes", key.name);
        }
        wrong
    })?;
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(Wrong::new(
        format!("`{}` is {number}, out of its range", key.name),
        format!("use a number from {min:?} to {max:?}"),
    ))
}

pub(super) fn pointer(written: &str) -> Result<String> {
    let escaped = |part: &str| !part.contains('~') || part.contains("~0") || part.contains("~1");
    let sound = written.is_empty()
        || (written.starts_with('/')
            && written.len() <= 256
            && !written.chars().any(char::is_control)
            && written.split('/').all(escaped));
    if sound {
        return Ok(written.to_owned());
    }
    Err(Wrong::new(
        format!("{} is not a JSON pointer", quote(written)),
        "begin each step with /, such as \"/bed/occupied\" or \"/values/0\"",
    ))
}

fn scalar(value: &Value) -> Option<Json> {
    match value {
        Value::String(text) if text.value().chars().count() <= 80 => {
            Some(Json::from(text.value().as_str()))
        }
        Value::Integer(number) => Some(Json::from(*number.value())),
        Value::Float(number) => serde_json::Number::from_f64(*number.value()).map(Json::Number),
        Value::Boolean(flag) => Some(Json::from(*flag.value())),
        _ => None,
    }
}

pub(super) fn plain(key: &Key, item: &Item) -> Result<Json> {
    item.as_value()
        .and_then(scalar)
        .ok_or_else(|| expected(key, item, "text, a number, or true or false"))
}

pub(super) fn values(key: &Key, item: &Item) -> Result<BTreeMap<String, Json>> {
    let table = item
        .as_table_like()
        .ok_or_else(|| expected(key, item, "a table such as { on = true, off = false }"))?;
    if table.is_empty() || table.len() > MOST_WORDS {
        return Err(Wrong::new(
            format!("`{}` has {} words", key.name, table.len()),
            format!("write 1 to {MOST_WORDS}, or remove the key"),
        ));
    }
    table
        .iter()
        .map(|(word, item)| {
            let value = item.as_value().and_then(scalar).ok_or_else(|| {
                let message = format!("{} means nothing that can be used", quote(word));
                let mut wrong = Wrong::new(message, "give text, a number, or true or false");
                wrong.at = item.span().map(|span| span.start);
                wrong
            })?;
            Ok((word.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers() {
        for sound in ["", "/a", "/a/0/b", "/a~1b", "/"] {
            assert!(pointer(sound).is_ok(), "{sound}");
        }
        for wrong in ["a", "a/b", "/a~b", "$.a"] {
            assert!(pointer(wrong).is_err(), "{wrong}");
        }
    }
}
