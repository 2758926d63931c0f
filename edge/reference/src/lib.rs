//! The printed reference: every key of the configuration, every field of every event, the topics,
//! the local interface.
//! All of it is made from the code that reads and writes them; nothing is written here by hand.

use anju_model::{config, schema};

/// One file of the reference.
#[derive(Debug)]
pub struct Page {
    /// Its name below the reference's folder.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// All files of the reference.
pub fn pages() -> Vec<Page> {
    let version = env!("CARGO_PKG_VERSION");
    let mut pages = vec![
        Page { name: "configuration.md".into(), text: config::reference() },
        Page { name: "asyncapi.json".into(), text: pretty(&schema::asyncapi(version)) },
    ];
    let openapi = anju_web_setup::openapi::document(version);
    pages.push(Page { name: "openapi.json".into(), text: pretty(&openapi) });
    for event in schema::events() {
        let name = format!("events/{}.schema.json", event.event_type);
        pages.push(Page { name, text: pretty(event.schema.as_value()) });
    }
    pages
}

fn pretty(value: &serde_json::Value) -> String {
    // The alternate form of a value is indented JSON.
    format!("{value:#}\n")
}
