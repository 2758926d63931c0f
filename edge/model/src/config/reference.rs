//! The printed reference of the configuration: every key with its type, range and default, written
//! from the schema that also checks the file.

use std::fmt::Write as _;

use super::schema::{self, Key, Kind, Presence, Section};

/// The reference as Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         `/etc/anju/anju.toml`, written in [TOML](https://toml.io). `anju check --config FILE` \
         tells every fault with its place and mend; `anju run` starts with every part that is \
         sound. Secrets never stand here, only the files that hold them.\n",
    );
    for section in schema::ALL {
        write_section(&mut out, section);
    }
    out
}

fn write_section(out: &mut String, section: &Section) {
    // Writing to a String can not fail.
    let _ = match (section.heading, section.when) {
        ("", _) => writeln!(out, "\n## Top of the file"),
        (heading, "") => writeln!(out, "\n## `{heading}`"),
        (heading, when) if when.starts_with("kind") => writeln!(out, "\n### `{heading}`, `{when}`"),
        (heading, when) => writeln!(out, "\n### `{heading}` {when}"),
    };
    let _ = writeln!(
        out,
        "\n{}\n\n| key | type | if absent | meaning |\n|---|---|---|---|",
        section.doc
    );
    for key in section.keys {
        let absent = match key.presence {
            Presence::Required => "must be there".to_owned(),
            Presence::Optional => "nothing".to_owned(),
            Presence::Default(literal) => format!("`{literal}`"),
            Presence::Derived(words) => words.to_owned(),
        };
        let _ = writeln!(out, "| `{}` | {} | {absent} | {} |", key.name, kind(key), key.doc);
    }
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word:?}`")).collect::<Vec<_>>().join(", ")
}

fn kind(key: &Key) -> String {
    match key.kind {
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Integer { min, max } => format!("whole number, {min} to {max}"),
        Kind::Duration { min, max } => format!("duration, `\"{min}\"` to `\"{max}\"`"),
        Kind::TimeOfDay => "time of day, `\"HH:MM\"`".to_owned(),
        Kind::Date => "date, `\"YYYY-MM-DD\"`".to_owned(),
        Kind::Bytes { min, max } => format!("size, `\"{min}\"` to `\"{max}\"`"),
        Kind::Choice(list) => format!("one of {}", words(list)),
        Kind::Choices(list) => format!("list of {}", words(list)),
        Kind::Id => "identifier: 1 to 64 of `a-z`, `0-9`, `-`".to_owned(),
        Kind::Text { max } => format!("text, at most {max} characters"),
        Kind::TimesOfDay => "list of times of day, each `HH:MM`".to_owned(),
        Kind::TextList { max } => format!("list of texts, each at most {max} characters"),
        Kind::Digits { min, max } => format!("text of {min} to {max} digits"),
        Kind::Phone => "telephone number, E.164".to_owned(),
        Kind::Hours => "hours of the week".to_owned(),
        Kind::Zone => "time zone".to_owned(),
        Kind::Url { schemes, .. } => {
            let forms = schemes.iter().map(|(scheme, port)| format!("`{scheme}://` (port {port})"));
            format!("URL, {}", forms.collect::<Vec<_>>().join(" or "))
        }
        Kind::Topic => "MQTT topic without `+` and `#`".to_owned(),
        Kind::Path => "absolute path".to_owned(),
        Kind::SecretFile => "absolute path of a file with a secret".to_owned(),
        Kind::Socket => "address and port".to_owned(),
        Kind::Number { min, max } => format!("number, {min:?} to {max:?}"),
        Kind::Pointer => "JSON pointer (RFC 6901)".to_owned(),
        Kind::Plain => "text, number, `true` or `false`".to_owned(),
        Kind::Values => "table of words with their values".to_owned(),
    }
}
