//! Reads a configuration in one pass that is strict and lenient at once: every fault with its
//! place, and a household of all that is sound. One bad row never loses another. Pure: text in,
//! values out; whether files exist is not looked at.

mod devices;
mod links;
mod people;
mod places;
mod section;
mod system;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use toml_edit::{Document, Table};

use super::{
    Channels, Contact, Device, Household, JournalLimits, Link, Person, Service, Speaker, Upstream,
    Web,
};
use crate::{BoxId, Language, LinkId};
use places::Places;
use section::Section;

/// Something in the configuration that can not be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub col: usize,
    /// Where, such as `device.sos.pin`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub mend: String,
}

/// What a text gave.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// All that is sound; `None` without a valid box id.
    pub household: Option<Household>,
    /// Every fault, in the order of the text.
    pub faults: Vec<Fault>,
}

/// Broken tables that are blanked out before the rest is given up.
const MOST_BROKEN: usize = 32;

/// Largest configuration, bytes.
const MOST_BYTES: usize = 1 << 20;

/// The parts as they are read.
pub(crate) struct Parts {
    pub box_id: Option<BoxId>,
    pub language: Language,
    pub timezone: TimeZone,
    pub service: Option<Service>,
    pub persons: Vec<Person>,
    pub contacts: Vec<Contact>,
    pub channels: Channels,
    pub links: BTreeMap<LinkId, Link>,
    pub devices: Vec<Device>,
    pub guard: super::Guard,
    pub upstream: Option<Upstream>,
    pub web: Web,
    pub speaker: Speaker,
    pub journal: JournalLimits,
}

/// Reads a configuration. `name` is the file's, for messages.
pub fn parse(text: &str, name: &str) -> Parsed {
    let mut places = Places::new(text);
    if text.len() > MOST_BYTES {
        places.fault(None, name, "it is larger than 1 MiB", "keep only what the home needs");
        return Parsed { household: None, faults: places.into_faults() };
    }
    let mut remaining = text.to_owned();
    let mut document = None;
    for _ in 0..MOST_BROKEN {
        match Document::parse(remaining.clone()) {
            Ok(parsed) => {
                document = Some(parsed);
                break;
            }
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start).min(remaining.len());
                let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
                places.fault(Some(at), name, &message, "mend the syntax; see https://toml.io");
                match blank_table(&remaining, at) {
                    Some(rest) => remaining = rest,
                    None => break,
                }
            }
        }
    }
    let household = document.and_then(|document| household(document.as_table(), &mut places));
    Parsed { household, faults: places.into_faults() }
}

/// The text with the table around a place blanked out, every other place unchanged.
fn blank_table(text: &str, at: usize) -> Option<String> {
    let mut starts = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') && offset > 0 {
            starts.push(offset);
        }
        offset += line.len();
    }
    let at = at.min(text.len().saturating_sub(1));
    let start = starts.iter().rev().find(|start| **start <= at).copied()?;
    let end = starts.iter().find(|next| **next > at).copied().unwrap_or(text.len());
    let chunk = text.get(start..end)?;
    if chunk.trim().is_empty() {
        return None;
    }
    let blank: String = chunk.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    Some(format!("{}{blank}{}", text.get(..start)?, text.get(end..)?))
}

fn household(root: &Table, places: &mut Places) -> Option<Household> {
    let mut parts = Parts {
        box_id: None,
        language: Language::default(),
        timezone: TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC),
        service: None,
        persons: Vec::new(),
        contacts: Vec::new(),
        channels: Channels::default(),
        links: BTreeMap::new(),
        devices: Vec::new(),
        guard: super::Guard::default(),
        upstream: None,
        web: Web::default(),
        speaker: Speaker::default(),
        journal: JournalLimits::default(),
    };
    let mut root = Section::new(root, "", places);
    match root.number::<u64>("schema", 1..=u64::from(u32::MAX)) {
        Some(1) => {}
        Some(newer) => root.fault(
            "schema",
            &format!("schema {newer} is newer than this version's 1"),
            "what this version knows is used; update the box",
        ),
        None if !root.has("schema") => root.missing("schema", "add: schema = 1"),
        None => {}
    }
    system::read(&mut root, &mut parts);
    people::read(&mut root, &mut parts);
    links::read(&mut root, &mut parts);
    devices::read(&mut root, &mut parts);
    people::check_plan(&mut root, &parts);
    root.finish();
    Some(Household {
        box_id: parts.box_id?,
        language: parts.language,
        timezone: parts.timezone,
        service: parts.service,
        persons: parts.persons,
        contacts: parts.contacts,
        channels: parts.channels,
        links: parts.links,
        devices: parts.devices,
        guard: parts.guard,
        upstream: parts.upstream,
        web: parts.web,
        speaker: parts.speaker,
        journal: parts.journal,
    })
}
