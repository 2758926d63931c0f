//! JSON Schemas of everything that leaves the box as an event, and of the commands that come to it,
//! made from the very types that are written and read. It must never describe a field by hand.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::command::Command;
use crate::delivery::{DeliveryState, Message};
use crate::observation::{Flags, Origin};
use crate::{AlertStep, BoxEvent, Clock, Fact, Lane, Subject};

/// What one event type has of its own.
#[derive(Debug)]
pub struct Part {
    /// The last part of its type.
    pub name: &'static str,
    /// In words.
    pub doc: &'static str,
    /// Its fields.
    pub schema: Schema,
}

/// One event type as it goes upstream.
#[derive(Debug)]
pub struct EventType {
    /// The CloudEvents type.
    pub event_type: String,
    /// In words.
    pub doc: String,
    /// Which topic it takes.
    pub lane: Lane,
    /// The whole event.
    pub schema: Schema,
}

/// The fields that every entry's data has.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its shape is used")]
struct Common {
    /// Counts the times that numbers could have repeated.
    epoch: u64,
    /// Grows by one for each entry within an epoch.
    seq: u64,
    /// The boot; monotonic times of one boot can be compared.
    boot: String,
    /// Milliseconds on a monotonic clock that counts suspend.
    mono_ms: u64,
    /// What is known of the wall clock in `time`.
    clock: Clock,
}

fn generator() -> SchemaGenerator {
    generator_of(SchemaSettings::draft2020_12().for_serialize())
}

fn generator_of(mut settings: SchemaSettings) -> SchemaGenerator {
    // Each document stands alone.
    settings.inline_subschemas = true;
    settings.into_generator()
}

/// Every event type, in the order of the vocabulary.
pub fn events() -> Vec<EventType> {
    let of = &mut generator();
    let origin = [Origin::json_schema(of), Flags::json_schema(of)];
    let subject = [Subject::json_schema(of)];
    let message = Message::json_schema(of);
    let mut all = Vec::new();
    let mut add = |group: &str, lane, parts: Vec<Part>, more: &[Schema]| {
        for part in parts {
            let event_type = format!("cn.anju.{group}.{}", part.name);
            let schema = event(of_common(), &event_type, part.doc, &part.schema, more);
            all.push(EventType { event_type, doc: part.doc.to_owned(), lane, schema });
        }
    };
    add("alert", Lane::Alerts, AlertStep::schemas(of), &subject);
    add("observation", Lane::Events, Fact::schemas(of), &origin);
    add("box", Lane::Events, BoxEvent::schemas(of), &[]);
    for name in DeliveryState::NAMES {
        let (doc, lane) = match *name {
            "requested" => (
                "The centre is asked to pass a message on to one contact. It counts as sent once the broker took this entry and somebody is subscribed; the centre may tell more with the command `delivery`.",
                Lane::Alerts,
            ),
            _ => ("What became of one message to one contact over one channel.", Lane::Events),
        };
        add("delivery", lane, vec![Part { name, doc, schema: message.clone() }], &[]);
    }
    all
}

fn of_common() -> Schema {
    Common::json_schema(&mut generator())
}

/// The fields of each command's `data`, by the command's name: what is required must be sent.
pub fn commands() -> Value {
    // What the box reads: what may be left out is not required.
    let of = &mut generator_of(SchemaSettings::draft2020_12().for_deserialize());
    let all = Command::json_schema(of);
    let mut commands = Map::new();
    for one in all.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        let mut one = one.clone();
        let Some(Value::Object(fields)) = one.get_mut("properties") else { continue };
        let Some(tag) = fields.get("command").cloned() else { continue };
        // Inside the box a field holds the name; on the wire it is the event's type.
        fields.retain(|field, _| field != "command");
        if let Some(Value::Array(required)) = one.get_mut("required") {
            required.retain(|name| name != "command");
        }
        if let Some(name) = tag.get("const").and_then(Value::as_str) {
            commands.insert(name.to_owned(), one);
        }
    }
    Value::Object(commands)
}

/// A type's own schema, in which a field is required exactly if it is not among `optional`.
pub(crate) fn with_optional(mut schema: Schema, optional: &[&str]) -> Schema {
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name.as_str().is_none_or(|name| !optional.contains(&name)));
    }
    schema
}

fn event(common: Schema, event_type: &str, doc: &str, own: &Schema, more: &[Schema]) -> Schema {
    let mut properties = Map::new();
    let mut required: Vec<Value> = Vec::new();
    for part in std::iter::once(&common).chain(more).chain([own]) {
        if let Some(Value::Object(fields)) = part.get("properties") {
            properties.extend(fields.clone());
        }
        if let Some(Value::Array(names)) = part.get("required") {
            for name in names {
                if !required.contains(name) {
                    required.push(name.clone());
                }
            }
        }
    }
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type,
        "description": doc,
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "Box, epoch and number: `box/epoch/seq`."},
            "source": {"type": "string", "description": "`/boxes/<box>`."},
            "type": {"const": event_type},
            "time": {"type": "string", "format": "date-time",
                "description": "The wall clock with the household's offset; `data.clock` says how far it can be trusted."},
            "datacontenttype": {"const": "application/json"},
            "data": {"type": "object", "properties": properties, "required": required},
        },
        "required": ["specversion", "id", "source", "type", "time", "data"],
    })
}

/// The AsyncAPI 3.0 document of the way upstream; the schemas of [`events`] lie below `events/`
/// beside it.
pub fn asyncapi(version: &str) -> Value {
    let events = events();
    let mut messages = Map::new();
    for event in &events {
        messages.insert(
            event.event_type.clone(),
            json!({
                "name": event.event_type,
                "summary": event.doc,
                "contentType": crate::entry::CONTENT_TYPE,
                "payload": {"$ref": format!("events/{}.schema.json", event.event_type)},
            }),
        );
    }
    let on = |lane| {
        let names = events.iter().filter(|event| event.lane == lane);
        let refs = names.map(|event| {
            let name = &event.event_type;
            (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}))
        });
        Value::Object(refs.collect())
    };
    messages.insert("status".into(), json!({
        "name": "status",
        "summary": "Retained; the will and a clean stop say only that the box is offline.",
        "contentType": "application/json",
        "payload": {"type": "object", "properties": {
            "state": {"enum": ["online", "offline"]},
            "version": {"type": "string"}, "epoch": {"type": "integer"}, "seq": {"type": "integer"},
            "time": {"type": "string", "format": "date-time"}, "open_alerts": {"type": "integer"}},
            "required": ["state"]},
    }));
    messages.insert("command".into(), json!({
        "name": "command",
        "summary": "An act asked of the box: a CloudEvent of type `cn.anju.command.<name>`. Idempotent by `id`; refused when retained, expired, older than 5 minutes (with a known clock), unknown or malformed.",
        "contentType": crate::entry::CONTENT_TYPE,
        "payload": {"type": "object", "properties": {
            "specversion": {"const": "1.0"}, "id": {"type": "string", "maxLength": 200},
            "source": {"type": "string"}, "time": {"type": "string", "format": "date-time"},
            "type": {"enum": Command::NAMES.iter().map(|name| format!("cn.anju.command.{name}")).collect::<Vec<_>>()},
            "data": {"type": "object", "properties": {
                "by": {"type": "string", "description": "Who asks."},
                "expires": {"type": "string", "format": "date-time"}},
                "required": ["by"], "x-fields-by-command": commands()}},
            "required": ["id", "type", "time", "data"]},
    }));
    messages.insert("reply".into(), json!({
        "name": "reply",
        "summary": "The answer to a command, with its correlation data.",
        "contentType": "application/json",
        "payload": {"type": "object", "properties": {
            "id": {"type": ["string", "null"]}, "ok": {"type": "boolean"}, "error": {"type": ["string", "null"]}},
            "required": ["id", "ok", "error"]},
    }));
    let one = |name: &str| json!({name: {"$ref": format!("#/components/messages/{name}")}});
    let channel = |last: &str, doc: &str, messages: Value| {
        json!({"address": format!("anju/1/{{box}}/{last}"), "description": doc,
            "parameters": {"box": {"description": "The box's id."}}, "messages": messages})
    };
    let operation = |action: &str, channel: &str| json!({"action": action, "channel": {"$ref": format!("#/channels/{channel}")}});
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Anju, the way upstream",
            "version": version,
            "description": "MQTT 5, QoS 1. On each of the two topics (epoch, seq) rises, so a receiver drops duplicates by keeping one highest pair for each topic; together they have every number, or a `cn.anju.box.gap`.",
        },
        "channels": {
            "alerts": channel("alerts", "Alerts and their changes, and what the centre is asked to pass on about an alert: seeking help from a contact is a step of an alert's life, and on this topic it overtakes all else. What became of such a message goes out on `events`.", on(Lane::Alerts)),
            "events": channel("events", "All else that was recorded.", on(Lane::Events)),
            "status": channel("status", "Retained, each heartbeat.", one("status")),
            "commands": channel("commands", "What the box is asked to do.", one("command")),
            "replies": channel("replies", "Answers, unless a command names a response topic.", one("reply")),
        },
        "operations": {
            "sendAlerts": operation("send", "alerts"), "sendEvents": operation("send", "events"),
            "sendStatus": operation("send", "status"), "receiveCommands": operation("receive", "commands"),
            "sendReplies": operation("send", "replies"),
        },
        "components": {"messages": messages},
    })
}
