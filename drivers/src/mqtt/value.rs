//! Reads values as devices write them: numbers as text, flags as words or digits. It must never make
//! a value of something that is none: null, an empty text and a list are absent.

use serde_json::{Number, Value};

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
        Value::Number(number) => match whole(number)? {
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

/// A whole number, also one written `1.0` or `1e0`: JSON knows only one kind (RFC 8259, section 6).
fn whole(number: &Number) -> Option<i64> {
    /// 2^53, up to where a double is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let value = number.as_f64()?;
        #[allow(clippy::cast_possible_truncation, reason = "whole and within what is exact")]
        (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
    })
}

/// A scalar as the word it is written as; a whole number without a point.
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            Some(whole(number).map_or_else(|| number.to_string(), |n| n.to_string()))
        }
        Value::Bool(flag) => Some(flag.to_string()),
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
        assert_eq!(flag(&json!(0.5)), None);
        assert_eq!(word(&json!(55034)).as_deref(), Some("55034"));
        assert_eq!(word(&json!(0.5)).as_deref(), Some("0.5"));
        assert_eq!(word(&json!(u64::MAX)).as_deref(), Some("18446744073709551615"));
        for (text, flagged, worded) in
            [("1.0", true, "1"), ("1e0", true, "1"), ("-0.0", false, "0")]
        {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(flag(&value), Some(flagged), "{text}");
            assert_eq!(word(&value).as_deref(), Some(worded), "{text}");
        }
    }
}
