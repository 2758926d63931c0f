//! Builds the household from the tables of a text. Each part takes what is sound and leaves the
//! rest to the faults.

mod ble;
mod channels;
mod device;
mod figures;
mod hours;
mod link;
mod mqtt;
mod net;
mod people;
mod rules;
mod serial;
mod system;

use std::collections::BTreeMap;

use super::fault::Faults;
use super::parse::Serves;
use super::reader::{self, Expected, Fields, Row};
use super::schema;
use super::{Household, Service};
use crate::{BoxId, Language};

/// All that is sound; `None` without a box id.
pub(super) fn household(
    root: &Row<'_>,
    serves: Serves<'_>,
    faults: &mut Faults<'_>,
) -> Option<Household> {
    let top = Expected { tables: schema::TOP, ..Expected::only(&[&schema::ROOT]) };
    let top = reader::read(root.clone(), &top, faults);
    if let Some(newer) = top.number::<i64>("schema").filter(|form| *form > schema::NEWEST) {
        top.fault(
            faults,
            "schema",
            format!("schema {newer} is newer than this version, which knows {}", schema::NEWEST),
            "what this version knows is used; update the box or set schema = 1",
        );
    }
    let (box_id, language, timezone) = the_box(root, faults);
    let service = service(root, faults);
    let guard = figures::guard(root, faults);
    let persons = people::persons(root, guard.vital.range, faults);
    let zones = mqtt::zones(root, faults);
    let channels = channels::channels(root, faults);
    let upstream = system::upstream(root, faults);
    let contacts = people::contacts(root, &channels, upstream.is_some(), faults);
    let found = link::links(root, faults);
    let devices = device::devices(root, &found, &persons, serves, faults);
    let web = system::web(root, faults);
    let speaker = system::speaker(root, faults);
    let links = found.into_sound();
    let case = system::case(root, &links, &devices, faults);
    let journal = system::journal(root, faults);
    let modem = system::modem(root, faults);
    let household = Household {
        box_id: box_id?,
        language,
        timezone,
        service,
        persons,
        zones,
        contacts,
        channels,
        links,
        devices,
        guard,
        upstream,
        web,
        speaker,
        case,
        journal,
        modem,
    };
    for kind in household.missing_of_the_base_kit() {
        faults.warn(
            0,
            "device".to_owned(),
            format!("the base kit lacks a {} (`{kind}`) that counts", kind.name(Language::En)),
            "add one; a wired trigger counts with a supervised cable",
        );
    }
    Some(household)
}

/// The fields of a table that stands once, or of none where it is absent.
fn single<'d>(
    root: &Row<'d>,
    name: &str,
    expected: &Expected<'_>,
    faults: &mut Faults<'_>,
) -> Option<Fields<'d>> {
    let row = reader::table(root, name, faults)?;
    Some(reader::read(row, expected, faults))
}

fn the_box(
    root: &Row<'_>,
    faults: &mut Faults<'_>,
) -> (Option<BoxId>, Language, jiff::tz::TimeZone) {
    let fields = single(root, "box", &Expected::only(&[&schema::BOX]), faults);
    if fields.is_none() && !root.table.contains_key("box") {
        faults.add(0, "box", "[box] is missing", "add [box] with id = \"…\"");
    }
    // The id names the box for the centre: what was probably meant is not good enough.
    let id = fields.as_ref().and_then(|f| BoxId::new(f.row.peek("id")?).ok());
    let language = fields
        .as_ref()
        .and_then(|f| f.word("language", |tag| Language::ALL.into_iter().find(|l| l.tag() == tag)))
        .unwrap_or_default();
    let zone = fields.as_ref().and_then(|f| f.zone("timezone"));
    let zone = zone.or_else(|| {
        let key = schema::BOX.key("timezone")?;
        let schema::Presence::Default(literal) = key.presence else { return None };
        match super::value::default_value(key, literal)? {
            super::value::Checked::Zone(zone) => Some(zone),
            _ => None,
        }
    });
    (id, language, zone.unwrap_or(jiff::tz::TimeZone::UTC))
}

fn service(root: &Row<'_>, faults: &mut Faults<'_>) -> Option<Service> {
    let fields = single(root, "service", &Expected::only(&[&schema::SERVICE]), faults)?;
    Some(Service {
        division: fields.text("division"),
        street: fields.text("street"),
        operator: fields.text("operator"),
        contract: fields.text("contract"),
        funding: fields.word("funding", schema::funding),
    })
}

/// Gives each row of one kind an id of its own, whatever is written.
struct Names {
    what: &'static str,
    /// With the line where each stands.
    taken: BTreeMap<String, usize>,
}

impl Names {
    fn new(what: &'static str) -> Self {
        Self { what, taken: BTreeMap::new() }
    }

    /// The row's id: the one written, what was surely meant by it, or one made from its place in
    /// the file. A button with a misspelt id must still call for help.
    fn of(&mut self, fields: &Fields<'_>, number: usize, faults: &mut Faults<'_>) -> String {
        let written = fields.text("id").unwrap_or_else(|| format!("{}-{number}", self.what));
        let line = faults.line(fields.row.place("id"));
        let Some(first) = self.taken.get(&written).copied() else {
            self.taken.insert(written.clone(), line);
            return written;
        };
        let stem: String = written.chars().take(58).collect();
        let free = (number.max(2)..)
            .map(|n| format!("{stem}-{n}"))
            .find(|id| !self.taken.contains_key(id));
        let id = free.unwrap_or(stem);
        if fields.row.table.contains_key("id") {
            let message = format!("another {} has the id `{written}`, in line {first}", self.what);
            fields.fault(faults, "id", message, format!("choose another, such as \"{id}\""));
        }
        self.taken.insert(id.clone(), line);
        id
    }
}
