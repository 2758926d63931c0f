//! A dialect as a link of a configuration makes it, and short ways to make it hear.

use anju_model::Fact;
use anju_model::config::{Link, parse};
use tokio::time::Instant;

use super::dialect::{Dialect, Heard, Malformed};

/// A moment of the tests' wall clock: 2027-01-15.
pub const WALL: i64 = 1_800_000_000;

/// The only link of a configuration, which must be without a fault but that nobody is told.
pub fn dialect(text: &str) -> Box<dyn Dialect> {
    let head = "schema = 1\n[box]\nid = \"hz-1\"\n[[person]]\nid = \"wang\"\n";
    let parsed = parse(&format!("{head}{text}"), "test");
    let faults: Vec<_> = parsed.faults.iter().filter(|f| f.path != "contact").collect();
    assert!(faults.is_empty(), "{faults:?}");
    let home = parsed.household.unwrap();
    let Some(Link::Mqtt(link)) = home.links.values().next() else { panic!("no link") };
    let mut dialect = super::dialect(link, &home.devices, &home.zones);
    dialect.connected(Instant::now());
    dialect
}

pub fn live() -> Heard {
    Heard { retain: false, count: 1, at: Instant::now(), wall: WALL }
}

pub fn retained() -> Heard {
    Heard { retain: true, ..live() }
}

/// The facts of a message, each with whether it is a base line.
pub fn said(
    dialect: &mut dyn Dialect,
    topic: &str,
    payload: &str,
    heard: Heard,
) -> Result<Vec<(Fact, bool)>, Malformed> {
    let said = dialect.understand(topic, payload.as_bytes(), heard)?;
    Ok(said.into_iter().map(|said| (said.fact, said.baseline)).collect())
}
