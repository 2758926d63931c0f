//! Reads a configuration in one pass that is strict and lenient at once: every fault with its
//! place, and a household of all that is sound. One bad row never loses another, a bad figure falls
//! back to its default. Pure: text in, values out; whether files and devices exist is not looked at.

use toml_edit::TableLike;

use super::fault::{Fault, Faults};
use super::household::Household;
use super::reader::Row;
use super::{LinkKind, build, salvage};
use crate::DeviceKind;

/// What a text gave.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// All that is sound; `None` without a valid box id, which nothing can stand in for.
    pub household: Option<Household>,
    /// Every fault, in the order of the text.
    pub faults: Vec<Fault>,
    /// What is allowed and not advised, in the order of the text.
    pub warnings: Vec<Fault>,
}

/// Whether a driver serves a kind of device over a kind of link and a protocol (the protocol of a
/// serial device, the dialect of a broker, empty for GPIO).
pub type Serves<'s> = &'s dyn Fn(DeviceKind, LinkKind, &str) -> bool;

/// Largest configuration, bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// Reads a configuration. `name` is the file's, for faults about the whole of it.
pub fn parse(text: &str, name: &str) -> Parsed {
    parse_with(text, name, &|_, _, _| true)
}

/// The same, and devices that no driver serves are faults and left out.
pub fn parse_with(text: &str, name: &str, serves: Serves<'_>) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut faults = Faults::new(text);
    if text.len() > MAX_BYTES {
        faults.add(0, "", "the file is larger than 1 MiB", "keep only what the home needs");
        return Parsed { household: None, faults: faults.finish(name), warnings: Vec::new() };
    }
    let household = salvage::parse(text, &mut faults).and_then(|document| {
        let table: &dyn TableLike = document.as_item().as_table_like()?;
        let root = Row { table, at: 0, path: String::new() };
        build::household(&root, serves, &mut faults)
    });
    let warnings = faults.warnings();
    Parsed { household, faults: faults.finish(name), warnings }
}
