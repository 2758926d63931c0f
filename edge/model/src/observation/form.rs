//! What a fact's fields may hold, so that a configuration that maps a device's own words to facts can
//! be checked before the device ever speaks. It must never know a field that the fact itself does
//! not have; a test compares both.

use serde::Serialize;

/// What one field may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// A whole number, not negative.
    Whole,
    /// Any text.
    Text,
    /// One of some words.
    Word(Vec<String>),
}

/// One field of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, with the unit.
    pub name: &'static str,
    /// What it may hold.
    pub form: Form,
    /// Whether the fact is nothing without it.
    pub required: bool,
}

/// A type that a fact's field can have.
pub(super) trait Formed {
    fn form() -> Form;
}

impl Formed for bool {
    fn form() -> Form {
        Form::Flag
    }
}

impl Formed for f64 {
    fn form() -> Form {
        Form::Number
    }
}

impl Formed for u32 {
    fn form() -> Form {
        Form::Whole
    }
}

impl Formed for u64 {
    fn form() -> Form {
        Form::Whole
    }
}

impl Formed for String {
    fn form() -> Form {
        Form::Text
    }
}

/// The words of an enumeration as they are written.
pub(super) fn words<T: Serialize>(all: &[T]) -> Form {
    let word = |value| serde_json::to_value(value).ok()?.as_str().map(str::to_owned);
    Form::Word(all.iter().filter_map(word).collect())
}

/// A fact that lists its fields.
pub(super) trait Fields {
    fn fields() -> Vec<Field>;
}

macro_rules! fields {
    ($name:ident { $($required:ident $field:ident: $type:ty,)* }) => {
        impl $crate::observation::form::Fields for $name {
            fn fields() -> Vec<$crate::observation::form::Field> {
                vec![$($crate::observation::form::Field {
                    name: stringify!($field),
                    form: <$type as $crate::observation::form::Formed>::form(),
                    required: $crate::observation::form::is_required(stringify!($required)),
                }),*]
            }
        }
    };
}

pub(super) use fields;

pub(super) fn is_required(word: &str) -> bool {
    word == "required"
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::Fact;

    fn sample(form: &Form) -> Value {
        match form {
            Form::Flag => json!(true),
            Form::Number => json!(1.5),
            Form::Whole => json!(3),
            Form::Text => json!("text"),
            Form::Word(words) => json!(words[0]),
        }
    }

    #[test]
    fn every_fact_has_exactly_the_fields_it_lists() {
        for what in Fact::WHATS {
            let fields = Fact::fields(what).unwrap();
            let all: Map<String, Value> =
                fields.iter().map(|f| (f.name.to_owned(), sample(&f.form))).collect();
            let fact = Fact::from_data(what, &all).unwrap().unwrap();
            assert_eq!(serde_json::to_value(&fact).unwrap(), Value::Object(all.clone()), "{what}");
            let needed: Map<String, Value> = fields
                .iter()
                .filter(|f| f.required)
                .map(|f| (f.name.to_owned(), sample(&f.form)))
                .collect();
            assert!(Fact::from_data(what, &needed).is_ok(), "{what} of {needed:?}");
            for field in fields.iter().filter(|f| f.required) {
                let mut without = needed.clone();
                without.remove(field.name);
                assert!(Fact::from_data(what, &without).is_err(), "{what} without {}", field.name);
            }
        }
        assert_eq!(Fact::fields("teleported"), None);
    }
}
