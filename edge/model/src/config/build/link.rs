//! Links by kind, and where each stands for those who name it.

use std::collections::BTreeMap;

use super::super::schema::{self, Section};
use super::super::{
    GpioBackend, GpioLink, I2cLink, Link, LinkKind, MqttDialect, MqttLink, MqttTls, MqttVersion,
    Parity, SerialLink,
};
use super::ble;
use crate::LinkId;
use crate::config::fault::{Faults, quote};
use crate::config::reader::{self, Expected, Fields, Row};
use crate::config::value::suggested_id;

/// One link of the file, sound or not.
pub(super) struct Found {
    pub id: Option<LinkId>,
    /// Its kind, if that much is known.
    pub kind: Option<LinkKind>,
    /// The dialect of a broker, if that much is known.
    pub dialect: Option<MqttDialect>,
    pub link: Option<Link>,
    pub line: usize,
}

/// All links of the file, by the name that devices use.
pub(super) struct Links(BTreeMap<String, Found>);

impl Links {
    pub(super) fn get(&self, name: &str) -> Option<&Found> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn into_sound(self) -> BTreeMap<LinkId, Link> {
        self.0.into_values().filter_map(|found| Some((found.id?, found.link?))).collect()
    }
}

/// The keys of each kind.
fn section(kind: LinkKind) -> &'static Section {
    match kind {
        LinkKind::Gpio => &schema::LINK_GPIO,
        LinkKind::Serial => &schema::LINK_SERIAL,
        LinkKind::I2c => &schema::LINK_I2C,
        LinkKind::Ble => &schema::LINK_BLE,
        LinkKind::Mqtt => &schema::LINK_MQTT,
        LinkKind::Net => &schema::LINK_NET,
    }
}

pub(super) fn links(root: &Row<'_>, faults: &mut Faults<'_>) -> Links {
    let mut found = Links(BTreeMap::new());
    let Some(all) = reader::table(root, "links", faults) else { return found };
    let mut ports: BTreeMap<String, String> = BTreeMap::new();
    for (name, _) in all.table.iter() {
        let at = all.key_place(name);
        let Some(row) = reader::table(&all, name, faults) else {
            let lost =
                Found { id: None, kind: None, dialect: None, link: None, line: faults.line(at) };
            found.0.insert(name.to_owned(), lost);
            continue;
        };
        let line = faults.line(row.at);
        let id = link_id(name, at, &found, faults);
        let dialect = row.peek("dialect").and_then(schema::dialect);
        let (kind, link) = link(row, &mut ports, faults);
        found.0.insert(name.to_owned(), Found { id, kind, dialect, link, line });
    }
    found
}

fn link_id(name: &str, at: usize, found: &Links, faults: &mut Faults<'_>) -> Option<LinkId> {
    if let Ok(id) = LinkId::new(name) {
        return Some(id);
    }
    let meant = suggested_id(name);
    let mend = match meant.as_str() {
        "" => "use 1 to 64 of the characters a-z, 0-9 and -".to_owned(),
        meant => format!("write [links.{meant}], and so in its devices"),
    };
    let message = format!("{} is not a valid identifier", quote(name));
    faults.add(at, format!("links.{name}"), message, mend);
    let taken =
        found.0.values().any(|other| other.id.as_ref().is_some_and(|id| id.as_str() == meant));
    if taken { None } else { LinkId::new(&meant).ok() }
}

fn link(
    row: Row<'_>,
    ports: &mut BTreeMap<String, String>,
    faults: &mut Faults<'_>,
) -> (Option<LinkKind>, Option<Link>) {
    let kind = row.peek("kind").and_then(schema::link_kind);
    let others: Vec<&Section> =
        LinkKind::ALL.into_iter().filter(|other| Some(*other) != kind).map(section).collect();
    let Some(kind) = kind else {
        // Without a kind no other key can be judged.
        let mut sections = others;
        sections.insert(0, &schema::LINK);
        let optional: Vec<&str> =
            sections.iter().flat_map(|section| section.keys).map(|key| key.name).collect();
        let expected = Expected { tables: &optional, ..Expected::only(&[&schema::LINK]) };
        reader::read(row, &expected, faults);
        return (None, None);
    };
    let why = format!("this link is of kind `{}`", kind.as_str());
    let sections = [&schema::LINK, section(kind)];
    let expected = Expected { sections: &sections, tables: &[], elsewhere: &others, why: &why };
    let fields = reader::read(row, &expected, faults);
    let link = match kind {
        LinkKind::Gpio => gpio(&fields).map(Link::Gpio),
        LinkKind::Serial => serial(&fields).map(Link::Serial),
        LinkKind::Ble => ble::link(&fields, faults).map(Link::Ble),
        LinkKind::Mqtt => mqtt(&fields, faults).map(Link::Mqtt),
        LinkKind::I2c => fields.path("path").map(|path| Link::I2c(I2cLink { path })),
        LinkKind::Net => Some(Link::Net),
    };
    let port = match &link {
        Some(Link::Gpio(gpio)) => Some(("chip", gpio.chip.display().to_string())),
        Some(Link::Serial(serial)) => Some(("path", serial.path.display().to_string())),
        Some(Link::Ble(ble)) => Some(("adapter", ble.adapter.clone())),
        Some(Link::I2c(i2c)) => Some(("path", i2c.path.display().to_string())),
        _ => None,
    };
    if let Some((key, port)) = port {
        if let Some(other) = ports.get(&port) {
            let message = format!("the link `{other}` already has {}", quote(&port));
            fields.fault(faults, key, message, format!("put all its devices on `{other}`"));
            return (Some(kind), None);
        }
        ports.insert(port, fields.row.path.trim_start_matches("links.").to_owned());
    }
    (Some(kind), link)
}

fn gpio(fields: &Fields<'_>) -> Option<GpioLink> {
    let backend = fields.word("backend", |word| match word {
        "auto" | "gpiocdev" => Some(GpioBackend::Gpiocdev),
        "rppal" => Some(GpioBackend::Rppal),
        _ => None,
    });
    Some(GpioLink { chip: fields.path("chip")?, backend: backend? })
}

fn serial(fields: &Fields<'_>) -> Option<SerialLink> {
    Some(SerialLink {
        path: fields.path("path")?,
        baud: fields.number("baud"),
        parity: fields.word("parity", |word| match word {
            "none" => Some(Parity::None),
            "even" => Some(Parity::Even),
            "odd" => Some(Parity::Odd),
            _ => None,
        }),
        stop_bits: fields.number("stop_bits")?,
    })
}

fn mqtt(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<MqttLink> {
    if fields.has("password_file") && !fields.has("username") {
        let message = "there is a password file and no user name";
        fields.fault(faults, "password_file", message, "add username = \"…\"");
    }
    let url = fields.url("url")?;
    // Never plain where TLS was meant.
    let tls = match url.scheme {
        "mqtts" => Some(tls(fields, faults)?),
        _ => None,
    };
    if tls.is_none() {
        no_tls(fields, faults);
    }
    let dialect = fields.word("dialect", schema::dialect)?;
    Some(MqttLink {
        host: url.host,
        port: url.port,
        username: fields.text("username"),
        password_file: fields.path("password_file"),
        tls,
        version: fields.word("version", |word| match word {
            "5" => Some(MqttVersion::V5),
            "3.1.1" => Some(MqttVersion::V311),
            _ => None,
        })?,
        dialect,
        base_topic: fields.text("base_topic").unwrap_or_else(|| dialect.base_topic().to_owned()),
    })
}

fn no_tls(fields: &Fields<'_>, faults: &mut Faults<'_>) {
    for key in ["ca", "client_cert", "client_key"] {
        if fields.has(key) {
            let message = format!("`{key}` is of no use without TLS");
            fields.fault(faults, key, message, "write url = \"mqtts://…\" or remove it");
        }
    }
}

fn tls(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<MqttTls> {
    if !fields.row.table.contains_key("ca") {
        let message = "`mqtts` needs to know who may sign the broker's certificate";
        fields.fault(faults, "url", message, "add ca = \"/etc/anju/ca.pem\"");
    }
    let client = match (fields.path("client_cert"), fields.path("client_key")) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (cert, _) => {
            let (has, lacks) = match cert {
                Some(_) => ("client_cert", "client_key"),
                None => ("client_key", "client_cert"),
            };
            let message = format!("there is `{has}` and no `{lacks}`");
            fields.fault(faults, has, message, format!("add {lacks} = \"/path\""));
            None
        }
    };
    Some(MqttTls { ca: fields.path("ca")?, client })
}
