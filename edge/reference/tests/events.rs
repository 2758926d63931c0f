//! The published schemas and the code that writes and reads say the same: what the box writes fits,
//! what fits can be read, and a field is required exactly if it is always written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anju_model::command::Command;
use anju_model::{Body, entry, schema};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Where choices come from; when it is spent, the first of all that can be chosen.
struct Chance<'a>(std::slice::Iter<'a, u8>);

impl Chance<'_> {
    fn below(&mut self, n: usize) -> usize {
        usize::from(*self.0.next().unwrap_or(&0)) % n
    }
}

/// Which fields are filled in.
#[derive(Clone, Copy, PartialEq)]
enum Filled {
    Required,
    Some,
    All,
}

/// A value that fits a schema.
fn sample(schema: &Value, filled: Filled, chance: &mut Chance<'_>) -> Value {
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&Value> = words.iter().filter(|word| !word.is_null()).collect();
        return words[chance.below(words.len())].clone();
    }
    let choices = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
    if let Some(choices) = choices {
        let choices: Vec<&Value> = choices.iter().filter(|one| one["type"] != "null").collect();
        return sample(choices[chance.below(choices.len())], filled, chance);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
        kind => kind,
    };
    match kind.as_str().unwrap() {
        "boolean" if filled == Filled::Some => json!(chance.below(2) == 0),
        "boolean" => json!(true),
        "integer" => json!(2 + chance.below(90)),
        "number" => json!(f64::from(u32::try_from(chance.below(90)).unwrap()) + 0.5),
        "string" if schema["format"] == "date-time" => {
            json!(format!("2026-11-{:02}T08:00:00+08:00", 1 + chance.below(28)))
        }
        "string" => json!(["a", "b-2", "wang", "x9"][chance.below(4)]),
        "array" => {
            let least = usize::from(filled == Filled::All);
            let many = least + chance.below(3);
            (0..many).map(|_| sample(&schema["items"], filled, chance)).collect()
        }
        "object" if schema["additionalProperties"].is_object() => {
            json!({"k": sample(&schema["additionalProperties"], filled, chance)})
        }
        "object" => Value::Object(fields(schema, filled, chance)),
        other => panic!("no sample of {other}"),
    }
}

fn fields(schema: &Value, filled: Filled, chance: &mut Chance<'_>) -> Map<String, Value> {
    let required = names(&schema["required"]);
    let mut fields = Map::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let wanted = match filled {
            Filled::Required => false,
            Filled::Some => chance.below(2) == 0,
            Filled::All => true,
        };
        if wanted || required.contains(name) {
            fields.insert(name.clone(), sample(field, filled, chance));
        }
    }
    fields
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn keys(fields: &Value) -> BTreeSet<String> {
    fields.as_object().unwrap().keys().cloned().collect()
}

/// What the box writes of an event that fits its schema.
fn written(event: &schema::EventType, filled: Filled, chance: &mut Chance<'_>) -> Value {
    let mut made = sample(event.schema.as_value(), filled, chance);
    made["id"] = json!("b/1/2");
    let read = entry::decode(made.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{made} fits its schema, but can not be read: {error}"));
    let known = !matches!(read.body, Body::Unknown { .. });
    assert!(known, "{made} is not known");
    let (of, at) = (&read.id, &read.stamp);
    let bytes = entry::encode(&of.box_id, of.epoch, of.seq, at, &TimeZone::UTC, &read.body);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

#[test]
fn a_field_is_required_exactly_if_it_is_always_written() {
    for event in schema::events() {
        let validator = jsonschema::validator_for(event.schema.as_value()).unwrap();
        let data = &event.schema.as_value()["properties"]["data"];
        let least = written(&event, Filled::Required, &mut Chance([].iter()));
        assert_eq!(keys(&least["data"]), names(&data["required"]), "{}", event.event_type);
        let most = written(&event, Filled::All, &mut Chance([].iter()));
        assert_eq!(keys(&most["data"]), keys(&data["properties"]), "{}", event.event_type);
        for whole in [least, most] {
            assert!(validator.is_valid(&whole), "{whole}");
            for name in names(&data["required"]) {
                let mut without = whole.clone();
                without["data"].as_object_mut().unwrap().remove(&name);
                assert!(!validator.is_valid(&without), "{} without {name}", event.event_type);
            }
        }
    }
}

#[test]
fn a_command_needs_exactly_what_its_schema_requires() {
    let commands = schema::commands();
    let listed: BTreeSet<String> = Command::NAMES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(keys(&commands), listed);
    for (name, schema) in commands.as_object().unwrap() {
        let read = |mut data: Value| {
            data["command"] = json!(name);
            serde_json::from_value::<Command>(data)
        };
        for filled in [Filled::Required, Filled::All] {
            let data = sample(schema, filled, &mut Chance([].iter()));
            assert!(jsonschema::is_valid(schema, &data), "{name} {data}");
            read(data.clone()).unwrap_or_else(|error| panic!("{name} {data}: {error}"));
            for field in names(&schema["required"]) {
                let mut without = data.clone();
                without.as_object_mut().unwrap().remove(&field);
                assert!(read(without).is_err(), "{name} without {field}");
            }
        }
    }
}

static EVENTS: LazyLock<Vec<(schema::EventType, jsonschema::Validator)>> = LazyLock::new(|| {
    let with_validator = |event: schema::EventType| {
        let validator = jsonschema::validator_for(event.schema.as_value()).unwrap();
        (event, validator)
    };
    schema::events().into_iter().map(with_validator).collect()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_the_box_writes_fits(choices in prop::collection::vec(any::<u8>(), 0..64)) {
        for (event, validator) in EVENTS.iter() {
            let whole = written(event, Filled::Some, &mut Chance(choices.iter()));
            let wrong: Vec<String> =
                validator.iter_errors(&whole).map(|error| error.to_string()).collect();
            prop_assert!(wrong.is_empty(), "{whole}: {wrong:?}");
        }
    }
}
