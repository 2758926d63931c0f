//! Reads values as devices write them: numbers as text, flags as words or digits. It must never make
//! a value of something that is none: null, an empty text and a list are absent.

use serde_json::Value;

/// A finite number, also one written as text.
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) if text.len() <= 32 => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A flag, also one written as a word or digit.
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => {
            let is = |word: &str| text.eq_ignore_ascii_case(word);
            if is("true") || is("on") || is("1") {
                Some(true)
            } else if is("false") || is("off") || is("0") {
                Some(false)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// A scalar as the word it is written as.
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Text of a device, cut to what a record may hold.
pub fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_value_is_absent() {
        for none in [json!(null), json!(""), json!([1]), json!({}), json!("NaN"), json!("inf")] {
            assert_eq!((number(&none), flag(&none)), (None, None), "{none}");
        }
        assert_eq!(number(&json!(" 21.5 ")), Some(21.5));
        assert_eq!(number(&json!(true)), None);
        assert_eq!(flag(&json!("ON")), Some(true));
        assert_eq!(flag(&json!(2)), None);
        assert_eq!(word(&json!(55034)).as_deref(), Some("55034"));
    }
}
