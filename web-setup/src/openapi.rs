//! The description of the local interface, made from the very types that are answered. The printed
//! copy is what the box serves, so that a change of the interface is seen.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::view::{Alert, Channel, Device, Health, Link, Plan, Status};

/// The OpenAPI 3.1 document.
pub fn document(version: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    let of = &mut settings.into_generator();
    let paths = json!({
        "/api/status": get("Everything that the page shows.", &json_answer::<Status>(of)),
        "/api/alerts": get("Open alerts, the gravest first.", &json_answer::<Vec<Alert>>(of)),
        "/api/devices": get(
            "The devices in the order of the configuration.",
            &json_answer::<Vec<Device>>(of),
        ),
        "/api/devices/{id}": device(of),
        "/api/links": get("The links to devices.", &json_answer::<Vec<Link>>(of)),
        "/api/channels": get("The ways to people.", &json_answer::<Vec<Channel>>(of)),
        "/api/plan": plan(of),
        "/api/live": live(of),
        "/api/openapi.json": get("This document.", &plain("application/json", &json!({}))),
        "/healthz": health(of),
        "/metrics": get(
            "Figures in the Prometheus text format, for this machine only.",
            &plain("text/plain", &json!({"type": "string"})),
        ),
        "/": get(
            "The page, in the language of `lang` or of `Accept-Language`.",
            &plain("text/html", &json!({"type": "string"})),
        ),
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Anju, the local interface of a box",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Read-only, and on the box's own machine only: a request whose Host or \
                Origin is not the box's is refused with 403, any method but GET and HEAD with 405, \
                a body with 413. Ages are in seconds on the box's monotonic clock.",
        },
        "paths": paths,
        "components": {"schemas": definitions(of)},
    })
}

fn definitions(of: &mut SchemaGenerator) -> Map<String, Value> {
    of.take_definitions(true)
}

fn get(summary: &str, answer: &Value) -> Value {
    json!({"get": {"summary": summary, "responses": {"200": answer}}})
}

fn plain(content_type: &str, schema: &Value) -> Value {
    json!({"description": "The answer.", "content": {content_type: {"schema": schema}}})
}

fn json_answer<T: JsonSchema>(of: &mut SchemaGenerator) -> Value {
    plain("application/json", of.subschema_for::<T>().as_value())
}

fn device(of: &mut SchemaGenerator) -> Value {
    json!({"get": {
        "summary": "One device.",
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
        ],
        "responses": {
            "200": json_answer::<Device>(of),
            "404": {"description": "There is no such device."},
        },
    }})
}

fn plan(of: &mut SchemaGenerator) -> Value {
    json!({"get": {
        "summary": "Who would be tried when, over what, if something happened at a time of day.",
        "parameters": [
            {"name": "at", "in": "query", "description": "`HH:MM`; 03:00 if absent.",
             "schema": {"type": "string"}},
            {"name": "rule", "in": "query", "description": "Name of a rule; `fall` if absent.",
             "schema": {"type": "string"}},
        ],
        "responses": {
            "200": json_answer::<Plan>(of),
            "400": {"description": "There is no such time of day or rule."},
            "503": {"description": "The home is not guarded yet."},
        },
    }})
}

fn health(of: &mut SchemaGenerator) -> Value {
    json!({"get": {
        "summary": "Whether the box guards, and its parts.",
        "responses": {"200": json_answer::<Health>(of), "503": json_answer::<Health>(of)},
    }})
}

fn live(of: &mut SchemaGenerator) -> Value {
    let status = of.subschema_for::<Status>();
    let (alert, device) = (of.subschema_for::<Alert>(), of.subschema_for::<Device>());
    json!({"get": {
        "summary": "Live changes as server-sent events.",
        "description": "A stream begins with `status`; `alert` and `device` carry one that is new \
            or changed, `alert_over` the `id` of one that is closed, `box` the rest of the status \
            when it changed. `beat` comes every 10 s: without one the stream is broken. A reader \
            that falls behind, or a changed list of devices, gets `status` again.",
        "responses": {
            "200": {
                "description": "The events; each one's data is JSON.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
                "x-events": {
                    "status": status,
                    "alert": alert,
                    "alert_over": {"type": "object", "required": ["id"],
                        "properties": {"id": {"type": "string"}}},
                    "device": device,
                    "box": {"type": "object"},
                    "beat": {"type": "object"},
                },
            },
            "503": {"description": "Too many streams are open; see Retry-After."},
        },
    }})
}
