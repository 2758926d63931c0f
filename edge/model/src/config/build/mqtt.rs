//! Devices behind a broker, by its dialect, and the zones that locators tell of. A mapping row is
//! checked against the fact it makes, so that a wrong one is told before the device ever speaks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::schema::{self, Section};
use super::super::{
    Binding, FrigateBinding, FrigateSource, JsonBinding, JsonRow, JsonSource, MqttBinding,
    MqttDialect, OwnTracksBinding, Rtl433Binding, Zone,
};
use super::Names;
use crate::Fact;
use crate::config::fault::{Faults, quote};
use crate::config::reader::{self, Expected, Fields, Row};
use crate::config::value::nearest;
use crate::observation::{Field, Form};

/// The keys of a device behind a broker of this dialect.
pub(super) const fn section(dialect: MqttDialect) -> &'static Section {
    match dialect {
        MqttDialect::Zigbee2mqtt => &schema::DEVICE_ZIGBEE,
        MqttDialect::Frigate => &schema::DEVICE_FRIGATE,
        MqttDialect::OwnTracks => &schema::DEVICE_OWNTRACKS,
        MqttDialect::Rtl433 => &schema::DEVICE_RTL433,
        MqttDialect::Json => &schema::DEVICE_JSON,
    }
}

/// How a device is found behind a broker.
pub(super) fn binding(
    fields: &Fields<'_>,
    dialect: MqttDialect,
    faults: &mut Faults<'_>,
) -> Option<Binding> {
    match dialect {
        MqttDialect::Zigbee2mqtt => zigbee(fields, faults),
        MqttDialect::Frigate => frigate(fields, faults),
        MqttDialect::OwnTracks => owntracks(fields, faults),
        MqttDialect::Rtl433 => rtl433(fields, faults),
        MqttDialect::Json => json(fields, faults).map(Binding::Json),
    }
}

/// `[[zone]]`.
pub(super) fn zones(root: &Row<'_>, faults: &mut Faults<'_>) -> Vec<Zone> {
    let mut names = Names::new("zone");
    let mut zones = Vec::new();
    for (index, row) in reader::rows(root, "zone", faults).into_iter().enumerate() {
        let fields = reader::read(row, &Expected::only(&[&schema::ZONE]), faults);
        let id = names.of(&fields, index + 1, faults);
        let zone = || {
            Some(Zone {
                id,
                latitude: fields.decimal("latitude")?,
                longitude: fields.decimal("longitude")?,
                radius: fields.number::<u32>("radius")?.into(),
            })
        };
        zones.extend(zone());
    }
    zones
}

/// An address that can stand in a topic.
fn address(fields: &Fields<'_>, mend: &str, faults: &mut Faults<'_>) -> Option<String> {
    let address = fields.text("address")?;
    if address.contains(['+', '#', '\0']) || address.starts_with(['/', '$']) {
        let message = format!("{} can not be part of a topic", quote(&address));
        fields.fault(faults, "address", message, mend);
        return None;
    }
    Some(address)
}

fn zigbee(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Binding> {
    let address = address(fields, "use the IEEE address 0x… or the friendly name", faults)?;
    let ieee = address.strip_prefix("0x").or_else(|| address.strip_prefix("0X"));
    if let Some(digits) = ieee
        && (digits.len() != 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        let message = format!("{} is not an IEEE address", quote(&address));
        fields.fault(faults, "address", message, "write 0x and 16 hexadecimal digits");
        return None;
    }
    let address = if ieee.is_some() { address.to_lowercase() } else { address };
    Some(Binding::Mqtt(MqttBinding { address, on_watts: fields.number("on_watts")? }))
}

fn frigate(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Binding> {
    let camera = address(fields, "use Frigate's name of the camera", faults)?;
    if camera.contains('/') {
        let message = format!("{} is not the name of a camera", quote(&camera));
        fields.fault(faults, "address", message, "use Frigate's name, without /");
        return None;
    }
    Some(Binding::Frigate(FrigateBinding {
        camera,
        source: fields.word("source", |word| match word {
            "events" => Some(FrigateSource::Events),
            "reviews" => Some(FrigateSource::Reviews),
            _ => None,
        })?,
        min_score: fields.number("min_score")?,
        zones: fields.list("zones"),
    }))
}

fn owntracks(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Binding> {
    let mend = "write USER/DEVICE, as in the topic owntracks/USER/DEVICE";
    let address = address(fields, mend, faults)?;
    let parts: Vec<&str> = address.split('/').collect();
    if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
        let message = format!("{} is not a user and a device", quote(&address));
        fields.fault(faults, "address", message, mend);
        return None;
    }
    let fix_within = fields.duration("fix_within")?;
    Some(Binding::OwnTracks(OwnTracksBinding { address, fix_within }))
}

fn rtl433(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Binding> {
    let address = fields.text("address")?;
    let Some((model, id)) =
        address.rsplit_once('/').filter(|(m, id)| !m.is_empty() && !id.is_empty())
    else {
        let message = format!("{} is not a model and an id", quote(&address));
        let mend = "write MODEL/ID as rtl_433 prints them, such as \"Generic-Remote/55034\"";
        fields.fault(faults, "address", message, mend);
        return None;
    };
    let mut press = Vec::new();
    for written in fields.list("press") {
        match written
            .split_once('=')
            .filter(|(field, value)| !field.is_empty() && !value.is_empty())
        {
            Some((field, value)) => press.push((field.to_owned(), value.to_owned())),
            None => {
                let message = format!("{} is not a field and its value", quote(&written));
                fields.fault(faults, "press", message, "write \"FIELD=VALUE\", such as \"cmd=3\"");
            }
        }
    }
    let (model, id) = (model.to_owned(), id.to_owned());
    Some(Binding::Rtl433(Rtl433Binding { model, id, press }))
}

fn json(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<JsonBinding> {
    let topic = fields.text("topic");
    let mut rows = Vec::new();
    let found = reader::rows(&fields.row, "map", faults);
    if found.is_empty() {
        let message = "it has no [[device.map]], so that nothing it says is understood";
        faults.add(fields.row.at, &fields.row.path, message, "add one for each field that counts");
    }
    for mut row in found {
        row.path = format!("{}.{}", fields.row.path, row.path);
        let row = reader::read(row, &Expected::only(&[&schema::DEVICE_MAP]), faults);
        rows.extend(map_row(&row, topic.as_deref(), faults));
    }
    complete(&rows, fields, faults);
    // Without a topic of its own it may still have rows that name theirs; nothing is a device.
    let topic = topic?;
    if rows.is_empty() { None } else { Some(JsonBinding { topic, rows }) }
}

/// The fact's field that a row names.
fn target(row: &Fields<'_>, faults: &mut Faults<'_>) -> Option<(String, Field)> {
    let written = row.text("field")?;
    let (what, name) = written.split_once('.').unwrap_or((&written, ""));
    let Some(known) = Fact::fields(what) else {
        let mend = match nearest(what, Fact::WHATS.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("known facts: {}", Fact::WHATS.join(", ")),
        };
        row.fault(faults, "field", format!("there is no fact {}", quote(what)), mend);
        return None;
    };
    if let Some(field) = known.iter().find(|field| field.name == name) {
        return Some((what.to_owned(), field.clone()));
    }
    let names: Vec<&str> = known.iter().map(|field| field.name).collect();
    let mend = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean \"{what}.{near}\"?"),
        None => format!("`{what}` has: {}", names.join(", ")),
    };
    row.fault(faults, "field", format!("`{what}` has no field {}", quote(name)), mend);
    None
}

/// Whether a field can hold a value.
fn fits(form: &Form, value: &Value) -> bool {
    match form {
        Form::Flag => value.is_boolean(),
        Form::Number => value.is_number(),
        Form::Whole => value.is_u64(),
        Form::Text => value.is_string(),
        Form::Word(words) => value.as_str().is_some_and(|text| words.iter().any(|w| w == text)),
    }
}

fn held(form: &Form) -> String {
    match form {
        Form::Flag => "true or false".to_owned(),
        Form::Number => "a number".to_owned(),
        Form::Whole => "a whole number".to_owned(),
        Form::Text => "text".to_owned(),
        Form::Word(words) => {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
        }
    }
}

fn map_row(row: &Fields<'_>, own: Option<&str>, faults: &mut Faults<'_>) -> Option<JsonRow> {
    let (what, field) = target(row, faults)?;
    let source = source(row, &field, faults)?;
    let topic = row.text("topic").or_else(|| own.map(str::to_owned))?;
    Some(JsonRow {
        topic,
        pointer: row.text("pointer")?,
        what,
        field: field.name.to_owned(),
        form: field.form,
        source,
        on_change: row.word("when", |word| Some(word == "change"))?,
    })
}

fn source(row: &Fields<'_>, field: &Field, faults: &mut Faults<'_>) -> Option<JsonSource> {
    let misfit = |value: &Value| format!("`{}` can not hold {value}", field.name);
    let mend = || format!("give {}", held(&field.form));
    if let Some(value) = row.plain("set") {
        if row.has("values") {
            row.fault(faults, "set", "a row has `set` or `values`, not both", "remove one");
        }
        if !fits(&field.form, &value) {
            row.fault(faults, "set", misfit(&value), mend());
            return None;
        }
        return Some(JsonSource::Fixed(value));
    }
    if let Some(words) = row.table("values") {
        let (sound, wrong): (BTreeMap<_, _>, BTreeMap<_, _>) =
            words.into_iter().partition(|(_, value)| fits(&field.form, value));
        if let Some(value) = wrong.values().next() {
            row.fault(faults, "values", misfit(value), mend());
        }
        return (!sound.is_empty()).then_some(JsonSource::Words(sound));
    }
    if row.row.table.contains_key("set") || row.row.table.contains_key("values") {
        return None;
    }
    if let Form::Word(_) = field.form {
        let message = format!("`{}` has words of its own", field.name);
        let words = held(&field.form);
        row.fault(faults, "field", message, format!("add values = {{ … = {words} }}"));
        return None;
    }
    let (min, max) = (row.decimal("min"), row.decimal("max"));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        row.fault(faults, "min", "`min` is larger than `max`", "exchange them");
        return None;
    }
    let (scale, offset) = (row.decimal("scale")?, row.decimal("offset")?);
    Some(JsonSource::Plain { scale, offset, min, max })
}

/// Each fact of each topic needs what it is nothing without, and something that decides when.
fn complete(rows: &[JsonRow], fields: &Fields<'_>, faults: &mut Faults<'_>) {
    let mut facts: BTreeMap<(&str, &str), Vec<&JsonRow>> = BTreeMap::new();
    for row in rows {
        facts.entry((&row.topic, &row.what)).or_default().push(row);
    }
    for ((topic, what), rows) in facts {
        let at = fields.row.at;
        for need in Fact::fields(what).into_iter().flatten().filter(|field| field.required) {
            if !rows.iter().any(|row| row.field == need.name) {
                let message = format!("`{what}` of topic {} has no `{}`", quote(topic), need.name);
                let mend = format!("add a row with field = \"{what}.{}\"", need.name);
                faults.add(at, &fields.row.path, message, mend);
            }
        }
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for row in &rows {
            let place = (row.field.as_str(), row.pointer.as_str());
            if seen.contains(&place) {
                let message = format!("`{what}.{}` is mapped twice from one place", row.field);
                faults.add(at, &fields.row.path, message, "join both in one `values`");
            }
            seen.push(place);
        }
    }
}
