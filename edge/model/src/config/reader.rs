//! Reads one table by its part of the schema: every key that is unknown, missing or wrong becomes a
//! fault, everything sound can be taken by name. A wrong value never hides another.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml_edit::{Item, TableLike, Value};

use super::fault::{Faults, quote};
use super::schema::{Key, Kind, Presence, Section};
use super::value::{self, Checked, Url, Wrong};
use super::{Hours, TimeOfDay};

/// A table with its place.
#[derive(Clone)]
pub(super) struct Row<'d> {
    pub table: &'d dyn TableLike,
    /// Byte where it begins.
    pub at: usize,
    /// Such as `device.sos-bedroom`.
    pub path: String,
}

impl<'d> Row<'d> {
    /// Where a value of this table stands; the table itself where the key is missing.
    pub(super) fn place(&self, key: &str) -> usize {
        self.table.get_key_value(key).map_or(self.at, |(name, item)| {
            let span = item.span().or_else(|| name.span());
            span.map_or(self.at, |span| span.start)
        })
    }

    /// Where a key of this table stands.
    pub(super) fn key_place(&self, key: &str) -> usize {
        self.table.key(key).and_then(|name| name.span()).map_or(self.at, |span| span.start)
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The text of a key, if it is one; for reading ahead without faults.
    pub(super) fn peek(&self, key: &str) -> Option<&'d str> {
        self.table.get(key).and_then(Item::as_str)
    }
}

/// What a table may hold.
pub(super) struct Expected<'s> {
    /// The sections whose keys count here.
    pub sections: &'s [&'s Section],
    /// Tables that may stand below.
    pub tables: &'s [&'s str],
    /// Sections whose keys are known, but not here.
    pub elsewhere: &'s [&'s Section],
    /// Said about a key of `elsewhere`.
    pub why: &'s str,
}

impl<'s> Expected<'s> {
    pub(super) const fn only(sections: &'s [&'s Section]) -> Self {
        Self { sections, tables: &[], elsewhere: &[], why: "" }
    }
}

/// The sound values of a table, defaults among them.
pub(super) struct Fields<'d> {
    pub row: Row<'d>,
    values: BTreeMap<&'static str, Checked>,
}

/// Reads a table.
pub(super) fn read<'d>(
    row: Row<'d>,
    expected: &Expected<'_>,
    faults: &mut Faults<'_>,
) -> Fields<'d> {
    unknown_keys(&row, expected, faults);
    let mut values = BTreeMap::new();
    for key in expected.sections.iter().flat_map(|section| section.keys) {
        if let Some(sound) = one(&row, key, faults) {
            values.insert(key.name, sound);
        }
    }
    Fields { row, values }
}

fn one(row: &Row<'_>, key: &'static Key, faults: &mut Faults<'_>) -> Option<Checked> {
    let default = || match key.presence {
        Presence::Default(literal) => value::default_value(key, literal),
        _ => None,
    };
    let Some(item) = row.table.get(key.name).filter(|item| !item.is_none()) else {
        if matches!(key.presence, Presence::Required) && !faults.is_broken(row.at) {
            faults.add(
                row.at,
                row.path_of(key.name),
                format!("`{}` is missing", key.name),
                match key.kind {
                    Kind::Integer { min, max } if key.name != "schema" => {
                        format!("add {} = a number from {min} to {max}", key.name)
                    }
                    _ => format!("add {} = {}", key.name, value::example(key)),
                },
            );
        }
        return default();
    };
    match value::check(key, item) {
        Ok(sound) => Some(sound),
        Err(wrong) => {
            let more = wrong.rest.iter().flat_map(|rest| &rest.wrong);
            for wrong in std::iter::once(&wrong).chain(more) {
                let at = wrong.at.unwrap_or_else(|| row.place(key.name));
                faults.add(at, row.path_of(key.name), &wrong.message, &wrong.mend);
            }
            meant(key, wrong).or_else(default)
        }
    }
}

/// What can be used of a wrong value.
fn meant(key: &Key, wrong: Wrong) -> Option<Checked> {
    if let Some(rest) = wrong.rest {
        return Some(Checked::List(rest.sound));
    }
    let meant = wrong.meant?;
    let item = match key.kind {
        Kind::Integer { .. } => Item::Value(Value::from(meant.parse::<i64>().ok()?)),
        _ => Item::Value(Value::from(meant)),
    };
    value::check(key, &item).ok()
}

/// Parts of names under which people write secrets.
const SECRETS: [&str; 6] = ["password", "passwd", "token", "secret", "passphrase", "apikey"];

fn unknown_keys(row: &Row<'_>, expected: &Expected<'_>, faults: &mut Faults<'_>) {
    let known = || {
        let keys = expected.sections.iter().flat_map(|section| section.keys);
        keys.map(|key| key.name).chain(expected.tables.iter().copied())
    };
    for (name, item) in row.table.iter() {
        if faults.full() {
            return;
        }
        if item.is_none() || known().any(|key| key == name) {
            continue;
        }
        let (at, path) = (row.key_place(name), row.path_of(name));
        let message = format!("unknown key {}", quote(name));
        let lower = name.to_lowercase().replace(['_', '-'], "");
        let secret_file = known().find(|key| key.strip_suffix("_file") == Some(name));
        if secret_file.is_some() || SECRETS.iter().any(|part| lower.contains(part)) {
            let key =
                secret_file.or_else(|| known().find(|key| key.ends_with("_file"))).map_or_else(
                    || "a key that ends in _file".to_owned(),
                    |key| format!("{key} = \"/path\""),
                );
            let mend = format!("secrets are never written here: put it into a file and use {key}");
            faults.add(at, path, message, mend);
        } else if expected.elsewhere.iter().any(|section| section.key(name).is_some()) {
            let message = format!("{} does not belong here: {}", quote(name), expected.why);
            faults.add(at, path, message, "remove it");
        } else if let Some(near) = value::nearest(name, known()) {
            faults.add(at, path, message, format!("did you mean `{near}`?"));
        } else {
            let all = known().collect::<Vec<_>>().join(", ");
            faults.add(at, path, message, format!("remove it; known here: {all}"));
        }
    }
}

impl Fields<'_> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.values.get(key)? {
            Checked::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The meaning of a word.
    pub(super) fn word<T>(&self, key: &str, meaning: impl Fn(&str) -> Option<T>) -> Option<T> {
        match self.values.get(key)? {
            Checked::Text(text) => meaning(text),
            _ => None,
        }
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        match self.values.get(key) {
            Some(Checked::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.values.get(key)? {
            Checked::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn number<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        match self.values.get(key)? {
            Checked::Integer(number) => T::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(super) fn decimal(&self, key: &str) -> Option<f64> {
        match self.values.get(key)? {
            Checked::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn plain(&self, key: &str) -> Option<serde_json::Value> {
        match self.values.get(key)? {
            Checked::Plain(value) => Some(value.clone()),
            _ => None,
        }
    }

    pub(super) fn table(&self, key: &str) -> Option<BTreeMap<String, serde_json::Value>> {
        match self.values.get(key)? {
            Checked::Values(values) => Some(values.clone()),
            _ => None,
        }
    }

    pub(super) fn bytes(&self, key: &str) -> Option<u64> {
        match self.values.get(key)? {
            Checked::Bytes(bytes) => Some(*bytes),
            _ => None,
        }
    }

    pub(super) fn duration(&self, key: &str) -> Option<Duration> {
        match self.values.get(key)? {
            Checked::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    pub(super) fn time(&self, key: &str) -> Option<TimeOfDay> {
        match self.values.get(key)? {
            Checked::Time(time) => Some(*time),
            _ => None,
        }
    }

    pub(super) fn date(&self, key: &str) -> Option<jiff::civil::Date> {
        match self.values.get(key)? {
            Checked::Date(date) => Some(*date),
            _ => None,
        }
    }

    pub(super) fn hours(&self, key: &str) -> Option<Hours> {
        match self.values.get(key)? {
            Checked::Hours(hours) => Some(hours.clone()),
            _ => None,
        }
    }

    pub(super) fn zone(&self, key: &str) -> Option<TimeZone> {
        match self.values.get(key)? {
            Checked::Zone(zone) => Some(zone.clone()),
            _ => None,
        }
    }

    pub(super) fn url(&self, key: &str) -> Option<Url> {
        match self.values.get(key)? {
            Checked::Url(url) => Some(url.clone()),
            _ => None,
        }
    }

    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        match self.values.get(key)? {
            Checked::Path(path) => Some(path.clone()),
            _ => None,
        }
    }

    pub(super) fn socket(&self, key: &str) -> Option<SocketAddr> {
        match self.values.get(key)? {
            Checked::Socket(socket) => Some(*socket),
            _ => None,
        }
    }

    /// A fault at the value of a key.
    pub(super) fn fault(
        &self,
        faults: &mut Faults<'_>,
        key: &str,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        faults.add(self.row.place(key), self.row.path_of(key), message, mend);
    }
}

/// The one table of a heading.
pub(super) fn table<'d>(root: &Row<'d>, name: &str, faults: &mut Faults<'_>) -> Option<Row<'d>> {
    let item = root.table.get(name).filter(|item| !item.is_none())?;
    let (at, path) = (root.place(name), root.path_of(name));
    if let Some(table) = item.as_table_like() {
        let at = if item.span().is_some() { at } else { first_key(table).unwrap_or(at) };
        return Some(Row { table, at, path });
    }
    let mend = format!("write [{path}] once");
    if let Some(tables) = item.as_array_of_tables() {
        faults.add(at, &path, format!("[[{path}]] is a list of tables"), mend);
        return tables.get(0).map(|table| Row { table, at, path });
    }
    faults.add(at, &path, format!("`{path}` is not a table"), mend);
    None
}

/// All tables of a heading in double brackets.
pub(super) fn rows<'d>(root: &Row<'d>, name: &str, faults: &mut Faults<'_>) -> Vec<Row<'d>> {
    let Some(item) = root.table.get(name).filter(|item| !item.is_none()) else { return Vec::new() };
    let at = root.place(name);
    let mut tables: Vec<(&'d dyn TableLike, usize)> = Vec::new();
    let start = |span: Option<std::ops::Range<usize>>| span.map_or(at, |span| span.start);
    if let Some(list) = item.as_array_of_tables() {
        tables.extend(list.iter().map(|t| (t as &dyn TableLike, start(t.span()))));
    } else if let Some(table) = item.as_table_like() {
        let message = format!("[{name}] is one table, expected a list");
        faults.add(at, name, message, format!("write [[{name}]] with double brackets"));
        tables.push((table, at));
    } else if let Some(array) = item.as_array() {
        for value in array.iter() {
            match value.as_inline_table() {
                Some(table) => tables.push((table as &dyn TableLike, start(table.span()))),
                None => faults.add(
                    start(value.span()),
                    name,
                    format!("an element of `{name}` is not a table"),
                    format!("write [[{name}]] for each"),
                ),
            }
        }
    } else {
        let message = format!("`{name}` is not a list of tables");
        faults.add(at, name, message, format!("write [[{name}]]"));
    }
    let named = |(number, (table, at)): (usize, (&'d dyn TableLike, usize))| {
        let id = table.get("id").and_then(Item::as_str).map(value::suggested_id);
        let path = match id.filter(|id| !id.is_empty()) {
            Some(id) => format!("{name}.{id}"),
            None => format!("{name}[{}]", number + 1),
        };
        Row { table, at, path }
    };
    tables.into_iter().enumerate().map(named).collect()
}

/// Where the first key of a table without a heading of its own stands.
fn first_key(table: &dyn TableLike) -> Option<usize> {
    let spans = table.iter().filter_map(|(name, _)| table.key(name)?.span());
    spans.map(|span| span.start).min()
}
