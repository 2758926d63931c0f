//! `[[device]]`.

use std::time::Duration;

use super::people::needed_id;
use super::section::Section;
use super::{Parts, values};
use crate::config::{
    ActiveLevel, Bias, Binding, ButtonContact, Device, GpioBinding, Link, MqttBinding,
    SerialBinding, SerialProtocol,
};
use crate::{DeviceId, DeviceKind, LinkId, PersonId, RoomId};

pub fn read(root: &mut Section<'_, '_>, parts: &mut Parts) {
    root.rows("device", |row| {
        if let Some(device) = device(row, parts) {
            parts.devices.push(device);
        }
    });
}

fn device(row: &mut Section<'_, '_>, parts: &Parts) -> Option<Device> {
    let id: Option<DeviceId> = needed_id(row);
    if id.as_ref().is_some_and(|id| parts.devices.iter().any(|other| other.id == *id)) {
        row.fault("id", "another device has this id", "give each device its own");
    }
    let kind = kind(row);
    let name = row.text("name");
    let room: Option<RoomId> = row.parsed("room", "use 1 to 64 of a-z, 0-9 and -");
    let person: Option<PersonId> = row.parsed("person", "use the id of a [[person]]");
    if let Some(person) = &person
        && !parts.persons.iter().any(|known| known.id == *person)
    {
        row.fault("person", &format!("there is no person `{person}`"), "add a [[person]]");
    }
    let link = link(row, parts);
    let heard_within =
        row.duration("heard_within", Duration::from_secs(60), Duration::from_secs(30 * 86_400));
    let binding = match link.as_ref().map(|(_, link)| *link) {
        Some(Link::Gpio(_)) => gpio(row),
        Some(Link::Serial(_)) => serial(row),
        Some(Link::Mqtt(_)) => mqtt(row),
        Some(Link::Other(_)) | None => {
            // What belongs to the binding can not be judged without its link.
            return None;
        }
    };
    if let (Some((link, _)), Some(binding)) = (&link, &binding) {
        shared_place(row, parts, link, binding);
    }
    let sound = row.sound();
    row.finish();
    let id = id?;
    sound.then_some(Device {
        name: name.unwrap_or_else(|| id.to_string()),
        id,
        kind: kind?,
        room,
        person,
        link: link?.0,
        binding: binding?,
        heard_within,
    })
}

fn kind(row: &mut Section<'_, '_>) -> Option<DeviceKind> {
    let text = row.needed("kind", "use a kind of `anju catalogue`")?;
    let kind = DeviceKind::from_name(&text);
    if kind.is_none() {
        let names = DeviceKind::ALL.into_iter().map(DeviceKind::as_str);
        let mend = match values::nearest(&text, names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "use a kind of `anju catalogue`".to_owned(),
        };
        row.fault("kind", &format!("`{text}` is not a device kind"), &mend);
    }
    kind
}

fn link<'p>(row: &mut Section<'_, '_>, parts: &'p Parts) -> Option<(LinkId, &'p Link)> {
    let text = row.needed("link", "use the name of a [links.NAME]")?;
    let found = parts.links.iter().find(|(id, _)| id.as_str() == text);
    if found.is_none() {
        let names: Vec<&str> = parts.links.keys().map(LinkId::as_str).collect();
        let mend = match values::nearest(&text, names.into_iter()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("add or mend [links.{text}]"),
        };
        row.fault("link", &format!("there is no usable link `{text}`"), &mend);
    }
    found.map(|(id, link)| (id.clone(), link))
}

fn shared_place(row: &mut Section<'_, '_>, parts: &Parts, link: &LinkId, binding: &Binding) {
    let same = |other: &&Device| {
        other.link == *link
            && match (&other.binding, binding) {
                (Binding::Gpio(a), Binding::Gpio(b)) => a.pin == b.pin,
                (Binding::Serial(a), Binding::Serial(b)) => {
                    a.protocol == b.protocol && a.address == b.address
                }
                (Binding::Mqtt(a), Binding::Mqtt(b)) => a.address == b.address,
                _ => false,
            }
    };
    if let Some(other) = parts.devices.iter().find(same) {
        let key = if matches!(binding, Binding::Gpio(_)) { "pin" } else { "address" };
        let message = format!("device `{}` has the same", other.id);
        row.fault(key, &message, "give each device its own");
    }
}

fn gpio(row: &mut Section<'_, '_>) -> Option<Binding> {
    if !row.has("pin") {
        row.missing("pin", "write pin = 17, the line's number on its chip");
    }
    let pin = row.number("pin", 0..=1023);
    let levels = [("low", ActiveLevel::Low), ("high", ActiveLevel::High)];
    let active = row.choice("active", &levels).unwrap_or(ActiveLevel::Low);
    let biases = [("pull-up", Bias::PullUp), ("pull-down", Bias::PullDown), ("none", Bias::None)];
    let bias = row.choice("bias", &biases).unwrap_or(match active {
        ActiveLevel::Low => Bias::PullUp,
        ActiveLevel::High => Bias::PullDown,
    });
    let contacts = [
        ("normally-open", ButtonContact::NormallyOpen),
        ("normally-closed", ButtonContact::NormallyClosed),
    ];
    let contact = row.choice("contact", &contacts).unwrap_or(ButtonContact::NormallyOpen);
    let most = Duration::from_secs(2);
    let debounce = row
        .duration("debounce", Duration::from_millis(1), most)
        .unwrap_or(Duration::from_millis(30));
    Some(Binding::Gpio(GpioBinding { pin: pin?, active, bias, debounce, contact }))
}

fn serial(row: &mut Section<'_, '_>) -> Option<Binding> {
    let protocol = if row.has("protocol") {
        row.choice("protocol", &[("dlt645", SerialProtocol::Dlt645)])
    } else {
        row.missing("protocol", "write protocol = \"dlt645\"");
        None
    };
    let address =
        row.needed("address", "write the meter's number from its front").and_then(|text| {
            let fine = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if !fine {
                let message = format!("`{text}` is not a meter's address");
                row.fault("address", &message, "use the 1 to 12 digits on its front");
            }
            fine.then(|| format!("{text:0>12}"))
        });
    let poll = row.duration("poll", Duration::from_secs(1), Duration::from_secs(86_400));
    let poll = poll.unwrap_or(Duration::from_secs(60));
    Some(Binding::Serial(SerialBinding { protocol: protocol?, address: address?, poll }))
}

fn mqtt(row: &mut Section<'_, '_>) -> Option<Binding> {
    let address = row.needed("address", "write its IEEE address 0x… or friendly name")?;
    if address.is_empty() || address.contains(['+', '#']) {
        row.fault("address", "it can not be a topic", "use the IEEE address 0x… or friendly name");
        return None;
    }
    Some(Binding::Mqtt(MqttBinding { address }))
}
