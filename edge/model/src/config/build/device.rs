//! Devices and how each is found on its link.

use std::collections::BTreeMap;

use super::super::parse::Serves;
use super::super::schema::{self, Section};
use super::super::{
    ActiveLevel, Announcer, Bias, Binding, ButtonContact, Device, GpioBinding, I2cBinding, I2cChip,
    Link, LinkKind, Person, SerialProtocol,
};
use super::link::{Found, Links};
use super::{Names, ble, mqtt, net, serial};
use crate::config::device::is_wired_alarm;
use crate::config::fault::{Faults, quote};
use crate::config::reader::{self, Expected, Fields, Row};
use crate::config::value::nearest;
use crate::{DeviceId, DeviceKind, LinkId, PersonId, RoomId};

/// The keys that depend on the link, by its kind; those behind a broker depend on its dialect too.
const SECTIONS: [(LinkKind, &Section); 10] = [
    (LinkKind::Gpio, &schema::DEVICE_GPIO),
    (LinkKind::Serial, &schema::DEVICE_SERIAL),
    (LinkKind::I2c, &schema::DEVICE_I2C),
    (LinkKind::Ble, &schema::DEVICE_BLE),
    (LinkKind::Mqtt, &schema::DEVICE_ZIGBEE),
    (LinkKind::Mqtt, &schema::DEVICE_FRIGATE),
    (LinkKind::Mqtt, &schema::DEVICE_OWNTRACKS),
    (LinkKind::Mqtt, &schema::DEVICE_RTL433),
    (LinkKind::Mqtt, &schema::DEVICE_JSON),
    (LinkKind::Net, &schema::DEVICE_NET),
];

/// The section that counts on a link; `None` while its kind or dialect is not known.
fn section(found: Option<&Found>) -> Option<&'static Section> {
    let found = found?;
    match found.kind? {
        LinkKind::Mqtt => Some(mqtt::section(found.dialect?)),
        kind => SECTIONS.iter().find(|(of, _)| *of == kind).map(|(_, section)| *section),
    }
}

pub(super) fn devices(
    root: &Row<'_>,
    links: &Links,
    persons: &[Person],
    serves: Serves<'_>,
    faults: &mut Faults<'_>,
) -> Vec<Device> {
    let mut names = Names::new("device");
    let mut places: BTreeMap<(LinkId, String), String> = BTreeMap::new();
    let mut devices = Vec::new();
    let rows = reader::rows(root, "device", faults);
    let named: Vec<Option<&str>> = rows.iter().map(|row| row.peek("link")).collect();
    for (index, row) in rows.into_iter().enumerate() {
        let alone = named.iter().filter(|link| **link == row.peek("link")).count() == 1;
        let found = row.peek("link").and_then(|name| links.get(name));
        let fields = read(row, found, faults);
        let id = names.of(&fields, index + 1, faults);
        let Some(found) = link(&fields, found, links, faults) else { continue };
        let around = Around { persons, serves, alone };
        let Some(device) = device(&id, &fields, found, &around, faults) else { continue };
        let Some((key, place)) = place(&device.binding) else {
            devices.push(device);
            continue;
        };
        if let Some(other) = places.get(&(device.link.clone(), place.clone())) {
            let message =
                format!("the device `{other}` is already at {} of this link", quote(&place));
            fields.fault(faults, key, message, "give each device its own");
            continue;
        }
        places.insert((device.link.clone(), place), id);
        devices.push(device);
    }
    devices
}

fn read<'d>(row: Row<'d>, found: Option<&Found>, faults: &mut Faults<'_>) -> Fields<'d> {
    let own = section(found);
    let others: Vec<&Section> = SECTIONS
        .into_iter()
        .map(|(_, section)| section)
        .filter(|section| own.is_none_or(|own| own.when != section.when))
        .collect();
    if let (Some(own), Some(kind)) = (own, found.and_then(|found| found.kind)) {
        let why = match found.and_then(|found| found.dialect) {
            Some(dialect) => format!("its link speaks `{}`", dialect.as_str()),
            None => format!("its link is of kind `{}`", kind.as_str()),
        };
        let sections = [&schema::DEVICE, own];
        let tables: &[&str] = if own.when == schema::DEVICE_JSON.when { &["map"] } else { &[] };
        let expected = Expected { sections: &sections, tables, elsewhere: &others, why: &why };
        return reader::read(row, &expected, faults);
    }
    // Without its link the other keys can not be judged.
    let any: Vec<&str> =
        others.iter().flat_map(|section| section.keys).map(|key| key.name).chain(["map"]).collect();
    let expected = Expected { tables: &any, ..Expected::only(&[&schema::DEVICE]) };
    reader::read(row, &expected, faults)
}

/// The device's link, if that is there and sound.
fn link<'l>(
    fields: &Fields<'_>,
    found: Option<&'l Found>,
    links: &Links,
    faults: &mut Faults<'_>,
) -> Option<(&'l LinkId, &'l Link)> {
    let written = fields.text("link")?;
    let Some(found) = found else {
        let mend = match nearest(&written, links.names()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("add [links.{}] or name another", written.trim()),
        };
        fields.fault(faults, "link", format!("there is no link {}", quote(&written)), mend);
        return None;
    };
    let (Some(id), Some(link)) = (&found.id, &found.link) else {
        let message = format!("its link {} can not be used", quote(&written));
        fields.fault(faults, "link", message, format!("mend the link in line {}", found.line));
        return None;
    };
    Some((id, link))
}

/// What a device is judged by besides itself.
struct Around<'a> {
    persons: &'a [Person],
    serves: Serves<'a>,
    /// It is the only one that names its link.
    alone: bool,
}

fn device(
    id: &str,
    fields: &Fields<'_>,
    (link_id, link): (&LinkId, &Link),
    around: &Around<'_>,
    faults: &mut Faults<'_>,
) -> Option<Device> {
    let kind = fields.word("kind", DeviceKind::from_name);
    let person = person(fields, around.persons, faults);
    let room = fields.text("room").and_then(|room| RoomId::new(&room).ok());
    let binding = match link {
        Link::Gpio(_) => gpio(fields, kind, faults),
        Link::Serial(_) => serial::binding(fields, around.alone, faults),
        Link::Ble(_) => ble::binding(fields, kind, faults),
        Link::Mqtt(link) => mqtt::binding(fields, link.dialect, faults),
        Link::I2c(_) => i2c(fields),
        Link::Net => net::binding(fields, faults),
    };
    let (kind, binding) = (kind?, binding?);
    let protocol = fields.text("protocol").unwrap_or_else(|| match link {
        Link::Mqtt(link) => link.dialect.as_str().to_owned(),
        _ => match &binding {
            Binding::Ble(ble) => ble.protocol.as_str().to_owned(),
            _ => String::new(),
        },
    });
    let serves = around.serves;
    // A protocol that is to be found may be any.
    let served = match link {
        Link::Serial(_) if protocol.is_empty() => SerialProtocol::POLLED
            .iter()
            .any(|protocol| serves(kind, link.kind(), protocol.as_str())),
        _ => serves(kind, link.kind(), &protocol),
    };
    if !served {
        let over = match protocol.as_str() {
            "" => link.kind().as_str(),
            protocol => protocol,
        };
        let message = format!("no driver of this version serves `{kind}` over {over}");
        let mend = "see `anju catalogue` for what serves it, or check the kind";
        fields.fault(faults, "kind", message, mend);
        return None;
    }
    let device = Device {
        id: DeviceId::new(id).ok()?,
        kind,
        name: fields.text("name").unwrap_or_else(|| id.to_owned()),
        room,
        person,
        link: link_id.clone(),
        binding,
        heard_within: fields.duration("heard_within"),
        announces: announces(fields, kind, link, faults),
    };
    if device.unsupervised() {
        faults.warn(
            fields.row.place("pin"),
            fields.row.path_of("pin"),
            format!("the cable of `{id}` is not supervised: cut, it is mute and nobody knows"),
            "wire the other throw of a change-over contact to a second line, and give it as `loop_pin`",
        );
    }
    Some(device)
}

fn announces(
    fields: &Fields<'_>,
    kind: DeviceKind,
    link: &Link,
    faults: &mut Faults<'_>,
) -> Option<Announcer> {
    let written = fields.word("announce", |word| match word {
        "light" => Some(Announcer::Light),
        "strobe" => Some(Announcer::Strobe),
        _ => None,
    })?;
    if kind != DeviceKind::Siren {
        let message = format!("a `{kind}` can not announce");
        fields.fault(faults, "announce", message, "remove it, or set kind = \"siren\"");
        return None;
    }
    if written == Announcer::Strobe && matches!(link, Link::Gpio(_)) {
        let mend = "write announce = \"light\"";
        fields.fault(faults, "announce", "what hangs on a relay is switched", mend);
        return Some(Announcer::Light);
    }
    Some(written)
}

fn person(fields: &Fields<'_>, persons: &[Person], faults: &mut Faults<'_>) -> Option<PersonId> {
    let written = fields.text("person")?;
    let found = persons.iter().find(|person| person.id.as_str() == written);
    if found.is_none() {
        let mend = match nearest(&written, persons.iter().map(|person| person.id.as_str())) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "add a [[person]] with this id".to_owned(),
        };
        fields.fault(faults, "person", format!("there is no person {}", quote(&written)), mend);
    }
    found.map(|person| person.id.clone())
}

fn gpio(fields: &Fields<'_>, kind: Option<DeviceKind>, faults: &mut Faults<'_>) -> Option<Binding> {
    // Sensors and relays with electronics drive their line high, bare contacts pull it to ground.
    let usual = match kind {
        Some(DeviceKind::Motion | DeviceKind::Siren) => ActiveLevel::High,
        _ => ActiveLevel::Low,
    };
    let active = fields.word("active", |word| match word {
        "low" => Some(ActiveLevel::Low),
        "high" => Some(ActiveLevel::High),
        _ => None,
    });
    let active = active.unwrap_or(usual);
    let bias = fields.word("bias", |word| match word {
        "pull-up" => Some(Bias::PullUp),
        "pull-down" => Some(Bias::PullDown),
        "none" => Some(Bias::None),
        _ => None,
    });
    let contact = fields.word("contact", |word| match word {
        "normally-open" => Some(ButtonContact::NormallyOpen),
        "normally-closed" => Some(ButtonContact::NormallyClosed),
        _ => None,
    });
    Some(Binding::Gpio(GpioBinding {
        pin: fields.number("pin")?,
        active,
        bias: bias.unwrap_or(match active {
            ActiveLevel::Low => Bias::PullUp,
            ActiveLevel::High => Bias::PullDown,
        }),
        debounce: fields.duration("debounce")?,
        contact: contact?,
        loop_pin: loop_pin(fields, kind, faults),
        per_pulse: per_pulse(fields, kind, faults)?,
    }))
}

/// The second line of a supervised contact; a fault where it makes no sense.
fn loop_pin(fields: &Fields<'_>, kind: Option<DeviceKind>, faults: &mut Faults<'_>) -> Option<u32> {
    let line: u32 = fields.number("loop_pin")?;
    let wrong = if !kind.is_some_and(is_wired_alarm) {
        Some(("only a wired alarm has a supervised loop", "remove it"))
    } else if fields.number("pin") == Some(line) {
        Some(("both throws of the contact are at one line", "give the loop a line of its own"))
    } else {
        None
    };
    let Some((message, mend)) = wrong else { return Some(line) };
    fields.fault(faults, "loop_pin", message, mend);
    None
}

/// What a pulse stands for: `Some(None)` where nothing counts pulses, `None` where it is missing.
#[allow(clippy::option_option)]
fn per_pulse(
    fields: &Fields<'_>,
    kind: Option<DeviceKind>,
    faults: &mut Faults<'_>,
) -> Option<Option<f64>> {
    const KEYS: [(&str, DeviceKind); 2] = [
        ("litres_per_pulse", DeviceKind::WaterMeter),
        ("watt_hours_per_pulse", DeviceKind::ElectricityMeter),
    ];
    let mut found = None;
    for (key, of) in KEYS {
        if kind == Some(of) {
            let amount = fields.decimal(key);
            if amount.is_none() && !fields.has(key) {
                let message = format!("a `{of}` on a line needs `{key}`");
                let mend = format!("add {key} = …, as its label says");
                fields.fault(faults, "kind", message, mend);
            }
            found = Some(amount?);
        } else if fields.has(key) {
            let message = format!("`{key}` is for a `{of}`");
            fields.fault(faults, key, message, "remove it");
        }
    }
    Some(found)
}

fn i2c(fields: &Fields<'_>) -> Option<Binding> {
    let chip = fields
        .word("protocol", |word| I2cChip::ALL.into_iter().find(|chip| chip.as_str() == word))?;
    let address = match fields.number("address") {
        Some(address) => address,
        // One that is written and not sound is not the usual one.
        None if fields.row.table.contains_key("address") => return None,
        None => chip.usual_address(),
    };
    Some(Binding::I2c(I2cBinding { chip, address, poll: fields.duration("poll")? }))
}

/// What no other device of the link may have, and the key that says it. Several devices may share
/// the messages of one JSON topic.
fn place(binding: &Binding) -> Option<(&'static str, String)> {
    Some(match binding {
        Binding::Gpio(gpio) => ("pin", format!("pin {}", gpio.pin)),
        Binding::Serial(serial) => {
            ("address", format!("address {}", serial.address.as_deref().unwrap_or("none")))
        }
        Binding::Ble(ble) => ("address", format!("address {}", ble.address)),
        Binding::I2c(chip) => ("address", format!("address 0x{:02x}", chip.address)),
        Binding::Net(device) => ("address", net::place(device)),
        Binding::Mqtt(mqtt) => ("address", mqtt.address.clone()),
        Binding::Frigate(camera) => ("address", camera.camera.clone()),
        Binding::OwnTracks(phone) => ("address", phone.address.clone()),
        Binding::Rtl433(radio) => ("address", format!("{}/{}", radio.model, radio.id)),
        Binding::Talker(_) => ("link", "a port with a device that talks by itself".to_owned()),
        Binding::Json(_) => return None,
    })
}
