//! Checks one value against its key: type, form and range. What is wrong comes back as words; it
//! must never carry the value of a key that should name a secret's file.

mod amount;
mod hours;
mod place;
mod plain;
mod word;

pub(super) use word::{nearest, suggested_id};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml_edit::{Item, Value};

use super::fault::quote;
use super::schema::{Key, Kind};
use super::{Hours, TimeOfDay};

/// A sound value.
#[derive(Debug, Clone)]
pub(super) enum Checked {
    Bool(bool),
    Integer(i64),
    Number(f64),
    Duration(Duration),
    Time(TimeOfDay),
    Date(Date),
    Bytes(u64),
    Text(String),
    List(Vec<String>),
    Hours(Hours),
    Zone(TimeZone),
    Url(Url),
    Path(PathBuf),
    Socket(SocketAddr),
    Plain(serde_json::Value),
    Values(BTreeMap<String, serde_json::Value>),
}

/// The parts of a URL that count here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// The scheme, in lower case.
    pub scheme: &'static str,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, the scheme's own if none is written.
    pub port: u16,
    /// All of it, without a slash at the end.
    pub text: String,
}

/// Host and port of an HTTP address that was found sound before.
pub(super) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let found = place::url(url, &[("https", 443), ("http", 80)], true).ok()?;
    Some((found.host, found.port))
}

/// Why a value is not sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub message: String,
    pub mend: String,
    /// A value that is surely meant, for the lenient reading.
    pub meant: Option<String>,
    /// The byte it is about, where that is inside the value (an element of a list).
    pub at: Option<usize>,
    /// The rest of a list of which one element is wrong.
    pub rest: Option<Box<Rest>>,
}

/// The rest of a list of which one element is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    /// The sound elements.
    pub sound: Vec<String>,
    /// What else is wrong.
    pub wrong: Vec<Wrong>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { message: message.into(), mend: mend.into(), meant: None, at: None, rest: None }
    }
}

type Result<T> = std::result::Result<T, Wrong>;

/// A time of day inside a list.
pub(super) fn time_of_day(text: &str) -> Option<TimeOfDay> {
    amount::time_of_day(text).ok()
}

/// Checks the value of a key.
pub(super) fn check(key: &Key, item: &Item) -> Result<Checked> {
    match key.kind {
        Kind::Bool => {
            item.as_bool().map(Checked::Bool).ok_or_else(|| expected(key, item, "true or false"))
        }
        Kind::Integer { min, max } => integer(key, item, min, max).map(Checked::Integer),
        Kind::Number { min, max } => plain::number(key, item, min, max).map(Checked::Number),
        Kind::Pointer => {
            plain::pointer(text(key, item, "a JSON pointer in quotes")?).map(Checked::Text)
        }
        Kind::Plain => plain::plain(key, item).map(Checked::Plain),
        Kind::Values => plain::values(key, item).map(Checked::Values),
        Kind::Duration { min, max } => {
            let text = text(key, item, "a duration in quotes such as \"90s\" or \"4h\"")?;
            amount::duration(text, min, max).map(Checked::Duration)
        }
        Kind::TimeOfDay => amount::time_of_day(text(key, item, "a time of day such as \"07:00\"")?)
            .map(Checked::Time),
        Kind::Date => match item.as_datetime() {
            // As TOML itself writes a date.
            Some(written) => amount::date(&written.to_string()),
            None => amount::date(text(key, item, "a date in quotes such as \"2027-03-31\"")?),
        }
        .map(Checked::Date),
        Kind::Bytes { min, max } => match item.as_integer() {
            Some(number) => amount::bytes(&number.to_string(), min, max),
            None => amount::bytes(text(key, item, "a size such as \"512MiB\"")?, min, max),
        }
        .map(Checked::Bytes),
        Kind::Choice(words) => {
            let written = text(key, item, "a word in quotes")?;
            word::choice(written, words).map(|word| Checked::Text(word.to_owned()))
        }
        Kind::Choices(words) => {
            list(key, item, |written| word::choice(written, words).map(str::to_owned))
                .map(Checked::List)
        }
        Kind::Id => word::id(text(key, item, "an identifier in quotes")?).map(Checked::Text),
        Kind::Text { max } => {
            word::words(text(key, item, "text in quotes")?, max).map(Checked::Text)
        }
        Kind::TextList { max } => {
            list(key, item, |written| word::words(written, max)).map(Checked::List)
        }
        Kind::TimesOfDay => {
            let one = |written: &str| amount::time_of_day(written).map(|_| written.to_owned());
            list(key, item, one).map(Checked::List)
        }
        Kind::Digits { min, max } => {
            let written = text(key, item, "digits in quotes")?;
            word::digits(written, min, max).map(Checked::Text)
        }
        Kind::Phone => {
            let written = text(key, item, "a telephone number in quotes")?;
            word::phone(written).map(Checked::Text)
        }
        Kind::Hours => {
            hours::hours(text(key, item, "\"always\" or hours such as \"mon-fri 08:30-17:30\"")?)
                .map(Checked::Hours)
        }
        Kind::Zone => place::zone(text(key, item, "a time zone in quotes")?).map(Checked::Zone),
        Kind::Url { schemes, path } => {
            place::url(text(key, item, "a URL in quotes")?, schemes, path).map(Checked::Url)
        }
        Kind::Topic => place::topic(text(key, item, "a topic in quotes")?).map(Checked::Text),
        Kind::Path => place::path(text(key, item, "a path in quotes")?, false).map(Checked::Path),
        Kind::SecretFile => {
            place::path(text(key, item, "a path in quotes")?, true).map(Checked::Path)
        }
        Kind::Socket => {
            let written = text(key, item, "an address such as \"127.0.0.1:8080\"")?;
            place::socket(written).map(Checked::Socket)
        }
    }
}

/// Reads a default of the schema. `None` only if the schema itself is wrong, which a test excludes.
pub(super) fn default_value(key: &Key, literal: &str) -> Option<Checked> {
    let value: Value = literal.parse().ok()?;
    check(key, &Item::Value(value)).ok()
}

fn integer(key: &Key, item: &Item, min: i64, max: i64) -> Result<i64> {
    let number = item.as_integer().ok_or_else(|| {
        let quoted = item.as_str().and_then(|text| text.trim().parse::<i64>().ok());
        let mut wrong = expected(key, item, "a whole number");
        if let Some(number) = quoted {
            wrong.mend = format!("write {} = {number} without quotes", key.name);
            wrong.meant = Some(number.to_string());
        }
        wrong
    })?;
    if (min..=max).contains(&number) {
        return Ok(number);
    }
    Err(Wrong::new(
        format!("`{}` is {number}, out of its range", key.name),
        format!("use a number from {min} to {max}"),
    ))
}

fn text<'i>(key: &Key, item: &'i Item, what: &str) -> Result<&'i str> {
    item.as_str().ok_or_else(|| expected(key, item, what))
}

/// Checks a list; a wrong element loses only that element, and each is told.
fn list(key: &Key, item: &Item, one: impl Fn(&str) -> Result<String>) -> Result<Vec<String>> {
    const MOST: usize = 50;
    if let Some(single) = item.as_str() {
        let mut wrong = expected(key, item, "a list such as [\"…\"]");
        wrong.mend = format!("write {} = [{}]", key.name, quote(single).replace('`', "\""));
        let rest = |sound| Box::new(Rest { sound: vec![sound], wrong: Vec::new() });
        wrong.rest = one(single).ok().map(rest);
        return Err(wrong);
    }
    let array = item.as_array().ok_or_else(|| expected(key, item, "a list such as [\"…\"]"))?;
    let mut sound: Vec<String> = Vec::new();
    let mut wrong: Vec<Wrong> = Vec::new();
    for value in array.iter().take(MOST) {
        let checked = match value.as_str() {
            None => Err(Wrong::new(
                format!("`{}` holds {}, expected text in quotes", key.name, article(value)),
                "put each element in quotes",
            )),
            Some(written) => one(written).and_then(|element| {
                if sound.contains(&element) {
                    let message = format!("{} stands twice in `{}`", quote(&element), key.name);
                    Err(Wrong::new(message, "remove one of them"))
                } else {
                    Ok(element)
                }
            }),
        };
        match checked {
            Ok(element) => sound.push(element),
            Err(mut element) => {
                element.at = value.span().map(|span| span.start);
                wrong.push(element);
            }
        }
    }
    if array.len() > MOST {
        let message = format!("`{}` has more than {MOST} elements", key.name);
        wrong.push(Wrong::new(message, "remove some"));
    }
    let mut wrong = wrong.into_iter();
    match wrong.next() {
        None => Ok(sound),
        Some(mut first) => {
            first.rest = Some(Box::new(Rest { sound, wrong: wrong.collect() }));
            Err(first)
        }
    }
}

fn expected(key: &Key, item: &Item, what: &str) -> Wrong {
    let found = match item {
        Item::Value(value) => article(value),
        Item::Table(_) => "a table",
        Item::ArrayOfTables(_) => "a list of tables",
        Item::None => "nothing",
    };
    Wrong::new(
        format!("`{}` is {found}, expected {what}", key.name),
        format!("write {} = {}", key.name, example(key)),
    )
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a decimal number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date or time without quotes",
        Value::Array(_) => "a list",
        Value::InlineTable(_) => "a table",
    }
}

/// A value that would do, for a mend and the reference.
pub(super) fn example(key: &Key) -> String {
    if let super::schema::Presence::Default(literal) = key.presence {
        return literal.to_owned();
    }
    match key.kind {
        Kind::Bool => "true".to_owned(),
        Kind::Integer { min, .. } => min.to_string(),
        Kind::Duration { .. } => "\"24h\"".to_owned(),
        Kind::TimeOfDay => "\"07:00\"".to_owned(),
        Kind::Date => "\"2027-03-31\"".to_owned(),
        Kind::Bytes { .. } => "\"512MiB\"".to_owned(),
        Kind::Choice(words) => format!("{:?}", words.first().unwrap_or(&"")),
        Kind::Choices(words) => format!("[{:?}]", words.first().unwrap_or(&"")),
        Kind::Id => "\"an-id\"".to_owned(),
        Kind::Text { .. } => "\"…\"".to_owned(),
        Kind::TextList { .. } => "[\"…\"]".to_owned(),
        Kind::TimesOfDay => "[\"08:00\"]".to_owned(),
        Kind::Digits { max, .. } => format!("\"{}\"", "0".repeat(max)),
        Kind::Phone => "\"+8613800000000\"".to_owned(),
        Kind::Hours => "\"always\"".to_owned(),
        Kind::Zone => "\"Asia/Shanghai\"".to_owned(),
        Kind::Url { schemes, .. } => {
            format!("\"{}://host\"", schemes.first().map_or("https", |(scheme, _)| scheme))
        }
        Kind::Topic => "\"topic\"".to_owned(),
        Kind::Path | Kind::SecretFile => "\"/etc/anju/…\"".to_owned(),
        Kind::Socket => "\"127.0.0.1:8080\"".to_owned(),
        Kind::Number { min, .. } => format!("{min:?}"),
        Kind::Pointer => "\"/a/b\"".to_owned(),
        Kind::Plain => "true".to_owned(),
        Kind::Values => "{ on = true, off = false }".to_owned(),
    }
}
