//! One table being read. Every key that is asked for is known; what was never asked for is unknown
//! and told with the nearest known name.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml_edit::{Item, TableLike, Value};

use super::places::Places;
use super::values;

/// A table with its path, the keys asked for, and where faults go.
pub struct Section<'a, 't> {
    table: &'a dyn TableLike,
    path: String,
    known: Vec<&'static str>,
    places: &'a mut Places<'t>,
    before: usize,
}

impl<'a, 't> Section<'a, 't> {
    /// A table to read.
    pub fn new(table: &'a dyn TableLike, path: &str, places: &'a mut Places<'t>) -> Self {
        let before = places.count();
        Self { table, path: path.to_owned(), known: Vec::new(), places, before }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether nothing was wrong in this table so far.
    pub fn sound(&self) -> bool {
        self.places.count() == self.before
    }

    fn value_start(&self, key: &str) -> Option<usize> {
        let (name, item) = self.table.get_key_value(key)?;
        item.span().or_else(|| name.span()).map(|span| span.start)
    }

    fn table_start(&self) -> Option<usize> {
        let keys = self.table.iter().filter_map(|(key, _)| self.table.get_key_value(key));
        keys.filter_map(|(name, _)| name.span()).map(|span| span.start).min()
    }

    /// A fault at a key's value.
    pub fn fault(&mut self, key: &str, message: &str, mend: &str) {
        let at = self.value_start(key).or_else(|| self.table_start());
        let path = self.path_of(key);
        self.places.fault(at, &path, message, mend);
    }

    /// A key that has to be there is not.
    pub fn missing(&mut self, key: &'static str, mend: &str) {
        self.know(key);
        let message = format!("`{}` is missing", self.path_of(key));
        self.fault(key, &message, mend);
    }

    fn know(&mut self, key: &'static str) {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
    }

    fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.know(key);
        self.table.get(key)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let item = self.item(key)?;
        match item.as_str() {
            Some(text) if text.len() <= 4096 && !text.contains('\0') => Some(text.to_owned()),
            Some(_) => {
                self.fault(key, "the text is too long or holds a zero", "shorten it");
                None
            }
            None => {
                let message = format!("a text is expected, not {}", item.type_name());
                self.fault(key, &message, "put it in double quotes");
                None
            }
        }
    }

    /// A text that must be there.
    pub fn needed(&mut self, key: &'static str, mend: &str) -> Option<String> {
        if !self.has(key) {
            self.missing(key, mend);
            return None;
        }
        self.text(key)
    }

    /// A text that parses as `T`.
    pub fn parsed<T: FromStr>(&mut self, key: &'static str, mend: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, &T::Err::to_string(&error), mend);
                None
            }
        }
    }

    /// One of some words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let near = values::nearest(&text, allowed.iter().copied());
        let mend = match near {
            Some(near) => format!("did you mean \"{near}\"? allowed: {}", allowed.join(", ")),
            None => format!("allowed: {}", allowed.join(", ")),
        };
        self.fault(key, &format!("`{text}` is not known here"), &mend);
        None
    }

    /// A whole number in a range.
    pub fn number<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let number = item.as_integer();
        let fits = number.and_then(|n| u64::try_from(n).ok()).is_some_and(|n| range.contains(&n));
        match number.and_then(|n| T::try_from(n).ok()) {
            Some(value) if fits => Some(value),
            _ => {
                let message = format!("a whole number is expected, not {}", shown(item));
                let mend = format!("use {} to {}", range.start(), range.end());
                self.fault(key, &message, &mend);
                None
            }
        }
    }

    /// True or false.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let item = self.item(key)?;
        if item.as_bool().is_none() {
            let message = format!("true or false is expected, not {}", shown(item));
            self.fault(key, &message, "write true or false, without quotes");
        }
        item.as_bool()
    }

    /// A duration in a range.
    pub fn duration(
        &mut self,
        key: &'static str,
        least: Duration,
        most: Duration,
    ) -> Option<Duration> {
        let text = self.text(key)?;
        match values::duration(&text) {
            Some(duration) if (least..=most).contains(&duration) => Some(duration),
            Some(_) => {
                let mend = format!("use {} to {}", values::shown(least), values::shown(most));
                self.fault(key, &format!("`{text}` is out of range"), &mend);
                None
            }
            None => {
                let mend = "write a number and ms, s, m, h or d, such as \"90s\" or \"4h\"";
                self.fault(key, &format!("`{text}` is not a duration"), mend);
                None
            }
        }
    }

    /// An absolute path.
    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key)?;
        let path = PathBuf::from(&text);
        if path.is_absolute() {
            return Some(path);
        }
        self.fault(key, &format!("`{text}` is not an absolute path"), "begin it with /");
        None
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let item = self.item(key)?;
        let list = item.as_array().map(|array| {
            array.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        match list {
            Some(Some(list)) if list.len() <= 64 => Some(list),
            _ => {
                self.fault(key, "a list of texts is expected", "write [\"one\", \"two\"]");
                None
            }
        }
    }

    /// A table below this one.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'_, 't>> {
        let item = self.item(key)?;
        let Some(table) = item.as_table_like() else {
            let message = format!("a table is expected, not {}", item.type_name());
            self.fault(key, &message, &format!("write [{}]", self.path_of(key)));
            return None;
        };
        let path = self.path_of(key);
        Some(Section::new(table, &path, self.places))
    }

    /// Tables below a table, by name.
    pub fn named(&mut self, key: &'static str, mut each: impl FnMut(&str, &mut Section<'_, 't>)) {
        let Some(item) = self.item(key) else { return };
        let Some(tables) = item.as_table_like() else {
            self.fault(key, "a table of tables is expected", &format!("write [{key}.NAME]"));
            return;
        };
        for (name, item) in tables.iter() {
            let path = self.path_of(&format!("{key}.{name}"));
            match item.as_table_like() {
                Some(table) => each(name, &mut Section::new(table, &path, self.places)),
                None => {
                    let at = item.span().map(|span| span.start);
                    let mend = format!("write [{path}]");
                    self.places.fault(at, &path, "a table is expected", &mend);
                }
            }
        }
    }

    /// An array of tables. `each` says whether the row was taken.
    pub fn rows(&mut self, key: &'static str, mut each: impl FnMut(&mut Section<'_, 't>)) {
        let Some(item) = self.item(key) else { return };
        let tables: Vec<&dyn TableLike> = match item {
            Item::ArrayOfTables(tables) => tables.iter().map(|t| t as &dyn TableLike).collect(),
            Item::Value(Value::Array(array)) if array.iter().all(Value::is_inline_table) => {
                let tables = array.iter().filter_map(Value::as_inline_table);
                tables.map(|t| t as &dyn TableLike).collect()
            }
            _ => {
                self.fault(key, "a list of tables is expected", &format!("write [[{key}]]"));
                return;
            }
        };
        for (index, table) in tables.into_iter().enumerate() {
            let id = table.get("id").and_then(Item::as_str);
            let path = match id {
                Some(id) => self.path_of(&format!("{key}.{id}")),
                None => self.path_of(&format!("{key}[{index}]")),
            };
            each(&mut Section::new(table, &path, self.places));
        }
    }

    /// Tells every key that was never asked for.
    pub fn finish(&mut self) {
        let unknown: Vec<String> = self
            .table
            .iter()
            .map(|(key, _)| key.to_owned())
            .filter(|key| !self.known.contains(&key.as_str()))
            .collect();
        for key in unknown {
            let at = self.table.get_key_value(&key).and_then(|(name, _)| name.span());
            let file_key = format!("{key}_file");
            let mend = if self.known.contains(&file_key.as_str()) {
                format!("secrets stay in files: write {file_key} = \"/path\"")
            } else {
                match values::nearest(&key, self.known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", self.known.join(", ")),
                }
            };
            let path = self.path_of(&key);
            let message = format!("unknown key `{key}`");
            self.places.fault(at.map(|span| span.start), &path, &message, &mend);
        }
    }
}

fn shown(item: &Item) -> String {
    let text: String = item.to_string().trim().chars().take(40).collect();
    if text.is_empty() { item.type_name().to_owned() } else { format!("`{text}`") }
}
