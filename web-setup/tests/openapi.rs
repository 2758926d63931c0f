//! Every answer is as the served description says, and every described path is answered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use anju_web_setup::Limits;
use common::{Live, alarm, calm, serve};
use serde_json::{Value, json};

/// A validator of a schema within the document.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let whole = json!({"components": document["components"], "allOf": [schema]});
    jsonschema::validator_for(&whole).unwrap()
}

fn holds(document: &Value, schema: &Value, value: &Value, what: &str) {
    let validator = validator(document, schema);
    let errors: Vec<String> = validator.iter_errors(value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

#[tokio::test]
async fn answers_are_as_described() {
    let mut status = calm();
    status.alerts = vec![alarm()];
    status.config_faults = vec!["a:1:2: wrong; mend it".into()];
    let served = serve(status, Limits::default()).await;
    let document = served.get("/api/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 11);
    for (path, item) in paths {
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        if schema.is_null() || path == "/api/openapi.json" {
            continue;
        }
        let answer = served.get(&path.replace("{id}", "door")).await;
        assert_eq!(answer.status, 200, "{path}");
        holds(&document, schema, &answer.json(), path);
        let names =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        if path == "/api/status" {
            let described = names(&document["components"]["schemas"]["Status"]["properties"]);
            assert_eq!(names(&answer.json()), described);
        }
    }
    let events = &document["paths"]["/api/live"]["get"]["responses"]["200"]["x-events"];
    let mut live = Live::open(&served).await;
    holds(&document, &events["status"], &live.event("status").await, "status");
    served.made.change(|status| {
        status.alerts[0].count = 2;
        status.devices[0].battery_low = true;
        status.journal.newest_seq += 1;
    });
    for name in ["alert", "device", "box"] {
        holds(&document, &events[name], &live.event(name).await, name);
    }
}
