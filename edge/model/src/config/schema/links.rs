//! `[links.ID]` by kind.

use super::{Kind, Section, default, derived, optional, required};
use crate::config::LinkKind;

const KINDS: &[&str] = &["gpio", "serial", "i2c", "ble", "mqtt", "net"];

pub(in crate::config) const LINK: Section = Section {
    heading: "[links.ID]",
    when: "",
    doc: "A bus, radio or broker that devices hang on; devices name its ID as their `link`.",
    keys: &[required("kind", Kind::Choice(KINDS), "What it is; further keys depend on it.")],
};

pub(in crate::config) const LINK_GPIO: Section = Section {
    heading: "[links.ID]",
    when: "kind = \"gpio\"",
    doc: "The lines of one GPIO chip.",
    keys: &[
        default("chip", Kind::Path, "\"/dev/gpiochip0\"", "The chip's character device."),
        default(
            "backend",
            Kind::Choice(&["auto", "gpiocdev", "rppal"]),
            "\"auto\"",
            "How it is driven; `auto` is the kernel's character device, `gpiocdev`. `rppal` is for a \
             Raspberry Pi with the kernel of Raspberry Pi OS, whose header it takes as the chip.",
        ),
    ],
};

pub(in crate::config) const LINK_SERIAL: Section = Section {
    heading: "[links.ID]",
    when: "kind = \"serial\"",
    doc: "A serial bus.",
    keys: &[
        required("path", Kind::Path, "Device path, best one below `/dev/serial/by-id`."),
        derived(
            "baud",
            Kind::Integer { min: 300, max: 921_600 },
            "found by asking",
            "Bits a second.",
        ),
        derived(
            "parity",
            Kind::Choice(&["none", "even", "odd"]),
            "found by asking",
            "Parity bit; most meters of DL/T 645, CJ/T 188 and M-Bus use `even`.",
        ),
        default("stop_bits", Kind::Integer { min: 1, max: 2 }, "1", "Stop bits."),
    ],
};

pub(in crate::config) const LINK_MQTT: Section = Section {
    heading: "[links.ID]",
    when: "kind = \"mqtt\"",
    doc: "A broker with one dialect of topics.",
    keys: &[
        required(
            "url",
            Kind::Url { schemes: &[("mqtt", 1883), ("mqtts", 8883)], path: false },
            "The broker; `mqtts` is TLS.",
        ),
        required(
            "dialect",
            Kind::Choice(&["zigbee2mqtt", "frigate", "owntracks", "rtl433", "json"]),
            "How topics and payloads are to be understood.",
        ),
        derived(
            "base_topic",
            Kind::Topic,
            "`zigbee2mqtt`, `frigate`, `owntracks`, `rtl_433`; none for `json`",
            "Base topic.",
        ),
        optional("username", Kind::Text { max: 128 }, "User name, if the broker wants one."),
        optional("password_file", Kind::SecretFile, "File that holds the password."),
        optional(
            "ca",
            Kind::Path,
            "CA that signed the broker's certificate, PEM; `mqtts` needs it.",
        ),
        optional("client_cert", Kind::Path, "Certificate chain of the box, PEM; for `mqtts`."),
        optional("client_key", Kind::SecretFile, "Private key of the box, PEM; for `mqtts`."),
        default("version", Kind::Choice(&["5", "3.1.1"]), "\"5\"", "Version of MQTT."),
    ],
};

pub(in crate::config) const LINK_I2C: Section = Section {
    heading: "[links.ID]",
    when: "kind = \"i2c\"",
    doc: "An I2C bus. Each device on it is a chip of one of the protocols below.",
    keys: &[default("path", Kind::Path, "\"/dev/i2c-1\"", "The bus's character device.")],
};

pub(in crate::config) const LINK_BLE: Section = Section {
    heading: "[links.ID]",
    when: "kind = \"ble\"",
    doc: "A Bluetooth adapter.",
    keys: &[default(
        "adapter",
        Kind::Text { max: 32 },
        "\"hci0\"",
        "Name of the adapter, as `bluetoothctl list` and the kernel give it.",
    )],
};

pub(in crate::config) const LINK_NET: Section = Section {
    heading: "[links.ID]",
    when: "kind = \"net\"",
    doc: "The home network. It has no further keys.",
    keys: &[],
};

/// The meaning of a word of `kind`.
pub(in crate::config) fn link_kind(word: &str) -> Option<LinkKind> {
    LinkKind::ALL.into_iter().find(|kind| kind.as_str() == word)
}
