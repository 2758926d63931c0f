//! `[links.ID]`.

use super::section::Section;
use super::{Parts, values};
use crate::LinkId;
use crate::config::{
    GpioBackend, GpioLink, Link, LinkKind, MqttDialect, MqttLink, MqttVersion, Parity, SerialLink,
};

pub fn read(root: &mut Section<'_, '_>, parts: &mut Parts) {
    root.named("links", |name, section| {
        let id = LinkId::new(name);
        if let Err(error) = &id {
            section.fault("kind", &error.to_string(), "rename the link");
        }
        let kinds = LinkKind::ALL.map(|kind| (kind.as_str(), kind));
        let kind = if section.has("kind") {
            section.choice("kind", &kinds)
        } else {
            section.missing("kind", "write gpio, serial, i2c, ble, mqtt or net");
            None
        };
        let link = match kind {
            Some(LinkKind::Gpio) => gpio(section),
            Some(LinkKind::Serial) => serial(section, parts),
            Some(LinkKind::Mqtt) => mqtt(section),
            Some(other) => {
                let mend = "use gpio, serial or mqtt; later versions bring the rest";
                let message = format!("links of kind `{}` do not work yet", other.as_str());
                section.fault("kind", &message, mend);
                return;
            }
            None => return,
        };
        section.finish();
        if let (Ok(id), Some(link)) = (id, link) {
            parts.links.insert(id, link);
        }
    });
}

fn gpio(section: &mut Section<'_, '_>) -> Option<Link> {
    let chip = section.text("chip").unwrap_or_else(|| "/dev/gpiochip0".to_owned());
    let backends = [
        ("auto", GpioBackend::Gpiocdev),
        ("gpiocdev", GpioBackend::Gpiocdev),
        ("rppal", GpioBackend::Rppal),
    ];
    let backend = section.choice("backend", &backends).unwrap_or_default();
    Some(Link::Gpio(GpioLink { chip: chip.into(), backend }))
}

fn serial(section: &mut Section<'_, '_>, parts: &Parts) -> Option<Link> {
    if !section.has("path") {
        section.missing("path", "write path = \"/dev/serial/by-id/…\"");
    }
    let path = section.path("path")?;
    let taken = parts.links.values().any(|link| matches!(link, Link::Serial(s) if s.path == path));
    if taken {
        section.fault("path", "another link has this port", "give each link its own port");
        return None;
    }
    let parities = [("none", Parity::None), ("even", Parity::Even), ("odd", Parity::Odd)];
    Some(Link::Serial(SerialLink {
        path,
        baud: section.number("baud", 300..=921_600).unwrap_or(9600),
        parity: section.choice("parity", &parities).unwrap_or_default(),
        stop_bits: section.number("stop_bits", 1..=2).unwrap_or(1),
    }))
}

fn mqtt(section: &mut Section<'_, '_>) -> Option<Link> {
    let text = section.needed("url", "write url = \"mqtt://127.0.0.1:1883\"");
    let url = text.and_then(|text| {
        let url = values::url(&text, &[("mqtt", 1883)]);
        if url.is_none() {
            section.fault("url", &format!("`{text}` is not an address"), "write mqtt://HOST:PORT");
        }
        url
    });
    let versions = [("5", MqttVersion::V5), ("3.1.1", MqttVersion::V311)];
    let version = section.choice("version", &versions).unwrap_or_default();
    let dialects = [("zigbee2mqtt", MqttDialect::Zigbee2mqtt)];
    let dialect = if section.has("dialect") {
        section.choice("dialect", &dialects)
    } else {
        section.missing("dialect", "write dialect = \"zigbee2mqtt\"");
        None
    };
    let base_topic = section.text("base_topic").unwrap_or_else(|| "zigbee2mqtt".to_owned());
    let base_topic = base_topic.trim_end_matches('/').to_owned();
    if base_topic.is_empty() || base_topic.contains(['+', '#']) {
        section.fault("base_topic", "it is not a topic", "write base_topic = \"zigbee2mqtt\"");
        return None;
    }
    let username = section.text("username");
    let password_file = section.path("password_file");
    let (_, host, port) = url?;
    let dialect = dialect?;
    let link = MqttLink { host, port, username, password_file, version, dialect, base_topic };
    Some(Link::Mqtt(link))
}
