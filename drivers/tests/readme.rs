//! The examples of the crate's README are sound configurations, and the JSON one means what it says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use anju_drivers::catalogue;
use anju_drivers::mqtt::{Heard, dialect};
use anju_model::Fact;
use anju_model::config::{Household, Link, parse_with};
use anju_model::observation::{Bed, Vital};
use tokio::time::Instant;

const README: &str = include_str!("../README.md");

/// The blocks of a language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = README.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("```").next().unwrap()).collect()
}

/// The example of a device.
fn example(device: &str) -> &'static str {
    let id = format!("id = {device:?}\n");
    let example = blocks("toml").into_iter().find(|rows| rows.contains(&id));
    example.unwrap_or_else(|| panic!("{device} is in the README"))
}

fn household(rows: &str) -> Household {
    // Some hang on the broker of an example before them.
    let broker = "[links.zigbee]\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1\"\n\
                  dialect = \"zigbee2mqtt\"\n";
    let lent = rows.contains("link = \"zigbee\"") && !rows.contains("[links.zigbee]");
    let rows = if lent { format!("{broker}{rows}") } else { rows.to_owned() };
    let text = format!("schema = 1\n[box]\nid = \"hz-1\"\n[[person]]\nid = \"wang\"\n{rows}");
    let parsed = parse_with(&text, "README", &catalogue::serves);
    let faults: Vec<_> = parsed.faults.iter().filter(|fault| fault.path != "contact").collect();
    assert!(faults.is_empty(), "{faults:?}");
    parsed.household.unwrap()
}

#[test]
fn every_example_is_a_sound_configuration() {
    let examples = blocks("toml");
    assert!(examples.len() >= 5, "the examples are gone");
    for example in examples {
        assert_eq!(household(example).devices.len(), 1);
    }
}

#[test]
fn the_mattress_says_what_the_example_says() {
    let home = household(example("mattress"));
    let Some(Link::Mqtt(link)) = home.links.values().next() else { panic!("no link") };
    let mut dialect = dialect(link, &home.devices, &home.zones);
    let heard = Heard { retain: false, count: 1, at: Instant::now(), wall: 1_800_000_000 };
    let said = dialect.understand("beds/wang", blocks("json")[0].as_bytes(), heard).unwrap();
    let facts: Vec<Fact> = said.into_iter().map(|said| said.fact).collect();
    let vital = Vital {
        heart_beats_per_minute: Some(61.0),
        breaths_per_minute: Some(142.0 * 0.1),
        ..Vital::default()
    };
    assert_eq!(facts, [Bed { occupied: true }.into(), vital.into()]);
}
