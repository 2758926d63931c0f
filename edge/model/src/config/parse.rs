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
    /// The text itself is damaged: what is missing may have been in it.
    pub damaged: bool,
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
        let faults = faults.finish(name);
        return Parsed { household: None, faults, warnings: Vec::new(), damaged: true };
    }
    let document = salvage::parse(text, &mut faults);
    let damaged = !faults.is_empty();
    let household = document.and_then(|document| {
        let table: &dyn TableLike = document.as_item().as_table_like()?;
        let root = Row { table, at: 0, path: String::new() };
        build::household(&root, serves, &mut faults)
    });
    let warnings = faults.warnings();
    Parsed { household, faults: faults.finish(name), warnings, damaged }
}

/// The same of a file's bytes; those that are no UTF-8 are a fault.
pub fn parse_bytes(bytes: &[u8], name: &str, serves: Serves<'_>) -> Parsed {
    let mut parsed = parse_with(&String::from_utf8_lossy(bytes), name, serves);
    if let Err(error) = std::str::from_utf8(bytes) {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let sound = String::from_utf8_lossy(sound);
        let line = sound.rsplit('\n').next().unwrap_or_default();
        let fault = Fault {
            line: sound.matches('\n').count() + 1,
            col: line.chars().count() + 1,
            path: name.to_owned(),
            message: "from here on the file is not UTF-8".to_owned(),
            mend: "save it as UTF-8".to_owned(),
        };
        parsed.faults.insert(0, fault);
        parsed.damaged = true;
    }
    parsed
}
