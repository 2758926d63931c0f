//! `[[device]]`: the keys of every device, and those that depend on its link.

use super::{Kind, Section, default, derived, optional, required};
use crate::DeviceKind;
use crate::config::{
    BleProtocol, NetBinding, SerialModel, SerialProtocol, StatusProfile, TalkProtocol,
};

const KIND_NAMES: [&str; 33] = {
    let mut names = [""; 33];
    let mut n = 0;
    while n < names.len() {
        names[n] = DeviceKind::ALL[n].as_str();
        n += 1;
    }
    names
};

pub(in crate::config) const DEVICE: Section = Section {
    heading: "[[device]]",
    when: "",
    doc: "A device of the home; one table for each.",
    keys: &[
        required("id", Kind::Id, "Identifier."),
        required("kind", Kind::Choice(&KIND_NAMES), "What it is, a kind of the catalogue."),
        derived("name", Kind::Text { max: 80 }, "the id", "The name people use."),
        optional("room", Kind::Id, "Where it stands."),
        optional("person", Kind::Id, "Whose it is: the id of a `[[person]]`."),
        required("link", Kind::Text { max: 64 }, "The ID of a `[links.ID]`."),
        derived(
            "heard_within",
            Kind::Duration { min: "1m", max: "30d" },
            "`[guard.silent]`",
            "Longest silence before it counts as lost.",
        ),
        optional(
            "announce",
            Kind::Choice(&["light", "strobe"]),
            "For a `siren`, where somebody hears badly: it does not sound, but blinks while an \
             alarm waits for somebody to accept it, beside all that is said. `light`: a lamp on a \
             relay, or a lamp or plug of zigbee2mqtt; it is put back as it was, and is not switched \
             while there may be gas, since a switch sparks. `strobe`: the flash light of a \
             zigbee2mqtt siren that takes `warning`.",
        ),
    ],
};

pub(in crate::config) const DEVICE_GPIO: Section = Section {
    heading: "[[device]]",
    when: "on a `gpio` link",
    doc: "A line of the chip.",
    keys: &[
        required(
            "pin",
            Kind::Integer { min: 0, max: 1023 },
            "Line offset on the chip; on a Raspberry Pi the BCM number.",
        ),
        derived(
            "active",
            Kind::Choice(&["low", "high"]),
            "`low`; `high` for `motion` and `siren`",
            "Level of the active state.",
        ),
        derived(
            "bias",
            Kind::Choice(&["pull-up", "pull-down", "none"]),
            "`pull-up` if active low, else `pull-down`",
            "Pull resistor.",
        ),
        default(
            "debounce",
            Kind::Duration { min: "0ms", max: "1s" },
            "\"20ms\"",
            "Shortest level that counts.",
        ),
        default(
            "contact",
            Kind::Choice(&["normally-open", "normally-closed"]),
            "\"normally-open\"",
            "How the contact is wired.",
        ),
        optional(
            "loop_pin",
            Kind::Integer { min: 0, max: 1023 },
            "For `fixed-alarm`, `smoke`, `gas` and `water-leak` with a change-over contact: the \
             line of the throw that is closed at rest, `pin` being the other. So a cut and a \
             shorted cable are told apart from an alarm; without it the device is unsupervised.",
        ),
        optional(
            "litres_per_pulse",
            Kind::Number { min: 0.001, max: 10_000.0 },
            "Litres for each pulse; a `water-meter` needs it.",
        ),
        optional(
            "watt_hours_per_pulse",
            Kind::Number { min: 0.001, max: 100_000.0 },
            "Watt hours for each pulse; an `electricity-meter` needs it.",
        ),
    ],
};

pub(in crate::config) const DEVICE_SERIAL: Section = Section {
    heading: "[[device]]",
    when: "on a `serial` link",
    doc: "An address on the bus.",
    keys: &[
        derived(
            "protocol",
            Kind::Choice(&[
                "dlt645", "cjt188", "mbus", "modbus", "radar", "ld2410", "pms5003", "voice",
            ]),
            "found by asking, among the first four",
            "The protocol it speaks. On a bus: DL/T 645-2007, CJ/T 188, M-Bus, Modbus RTU. Alone on \
             its port, talking by itself: `radar` (the radars whose frames begin with 53 59), \
             `ld2410`, `pms5003`, `voice` (a voice-recognition module).",
        ),
        derived(
            "address",
            Kind::Text { max: 16 },
            "asked for, where it is the only device of the bus",
            "Its address. `dlt645`: the up to 12 digits on the meter's label; `cjt188`: up to 14 \
             digits; `mbus`: 0 to 250, the 8 digits of its identification, or those and 8 \
             hexadecimal digits of maker, version and medium; `modbus`: 1 to 247, else 1. Missing \
             digits are zeros on the left.",
        ),
        derived(
            "model",
            Kind::Choice(&["sdm120", "sdm230", "tuf-2000m"]),
            "`tuf-2000m` for `water-use`, else `sdm120`",
            "Its make; only for `modbus`.",
        ),
        default(
            "profile",
            Kind::Choice(&["standard", "high-bits", "unknown"]),
            "\"standard\"",
            "What the status bits of a `cjt188` meter mean: valve in bits 0 and 1 and low battery \
             in bit 2, the same in bits 6 and 7 and bit 5, or nothing.",
        ),
        optional(
            "step_litres",
            Kind::Integer { min: 1, max: 10_000 },
            "Litres for each step of a water meter's counter (on its label, such as 10 L a \
             pulse), where that is more than its protocol tells.",
        ),
        default(
            "poll",
            Kind::Duration { min: "5s", max: "24h" },
            "\"60s\"",
            "How often it is read.",
        ),
        derived(
            "frame",
            Kind::Text { max: 128 },
            "`A5 FA 00 81 ID .. SUM FB`, that of the CI130X modules",
            "What a frame of a `voice` module looks like: bytes as two hexadecimal digits, `ID` for \
             the word's number, `SUM` for the sum of all bytes before it, `..` for any byte.",
        ),
        derived(
            "words",
            Kind::TextList { max: 64 },
            "`1=help:救命`",
            "What the words of a `voice` module mean, each as `NUMBER=help:WORD` or \
             `NUMBER=no:WORD`; `help` is also the answer yes to the box's question.",
        ),
    ],
};

pub(in crate::config) const DEVICE_I2C: Section = Section {
    heading: "[[device]]",
    when: "on an `i2c` link",
    doc: "A chip on the bus.",
    keys: &[
        required(
            "protocol",
            Kind::Choice(&["sht3x", "scd4x"]),
            "The chip: Sensirion's SHT30, SHT31 or SHT35, or its SCD40, SCD41 or SCD43.",
        ),
        derived(
            "address",
            Kind::Integer { min: 0x08, max: 0x77 },
            "0x44 for `sht3x`, 0x62 for `scd4x`",
            "Its 7-bit address.",
        ),
        default(
            "poll",
            Kind::Duration { min: "5s", max: "24h" },
            "\"60s\"",
            "How often it is read.",
        ),
    ],
};

pub(in crate::config) const DEVICE_BLE: Section = Section {
    heading: "[[device]]",
    when: "on a `ble` link",
    doc: "A device on the air. Only what comes from its address counts.",
    keys: &[
        required("address", Kind::Text { max: 17 }, "Its address, `AA:BB:CC:DD:EE:FF`."),
        derived(
            "protocol",
            Kind::Choice(BleProtocol::NAMES),
            "by kind: `heart-rate` for watches and bands, `blood-pressure`, `oximeter`, `ibeacon` \
             for locators, `bthome` for portable alarms, canes and wheelchairs; others must say it",
            "How it is understood; `anju catalogue` shows which serve a kind.",
        ),
        optional(
            "key_file",
            Kind::SecretFile,
            "File that holds its key, 32 hexadecimal digits, for `bthome` and `mibeacon`. With it, \
             whatever is not encrypted is refused.",
        ),
        default(
            "away_after",
            Kind::Duration { min: "30s", max: "24h" },
            "\"3m\"",
            "Longest time unheard before a `locator`, `smart-badge` or `portable-alarm` counts as \
             out of range.",
        ),
    ],
};

pub(in crate::config) const DEVICE_NET: Section = Section {
    heading: "[[device]]",
    when: "on a `net` link",
    doc: "A device of the home network.",
    keys: &[
        required(
            "protocol",
            Kind::Choice(&NetBinding::PROTOCOLS),
            "How it is heard: `presence` looks whether it answers on the network, `cec` asks the \
             television at the other end of the box's HDMI cable, `onvif` takes a \
             camera's events, `wyoming` takes what a wake-word \
             service or satellite hears.",
        ),
        required(
            "address",
            Kind::Text { max: 256 },
            "`presence`: IP address or MAC address, with `:port` after an IP address if one is known \
             to answer, or the device's name in multicast DNS, such as `television.local`; `cec`: the kernel's device, such as `/dev/cec0`; `onvif`: host, host:port or the URL of the device service; `wyoming`: \
             host:port.",
        ),
        optional("username", Kind::Text { max: 128 }, "User name, if a camera wants one."),
        optional("password_file", Kind::SecretFile, "File that holds the camera's password."),
        optional(
            "wake_words",
            Kind::TextList { max: 64 },
            "Names of the wake words that call for help, as the service calls them; all if absent. \
             Only for `wyoming`.",
        ),
        default(
            "poll",
            Kind::Duration { min: "5s", max: "1h" },
            "\"30s\"",
            "How often `presence` looks and `cec` asks.",
        ),
    ],
};

/// The meaning of a word of `protocol`.
pub(in crate::config) fn serial_protocol(word: &str) -> Option<SerialProtocol> {
    SerialProtocol::POLLED.into_iter().find(|protocol| protocol.as_str() == word)
}

/// The meaning of a word of `model`.
pub(in crate::config) fn serial_model(word: &str) -> Option<SerialModel> {
    match word {
        "sdm120" | "sdm230" => Some(SerialModel::Sdm),
        "tuf-2000m" => Some(SerialModel::Tuf2000m),
        _ => None,
    }
}

/// The meaning of a word of `profile`.
pub(in crate::config) fn status_profile(word: &str) -> Option<StatusProfile> {
    match word {
        "standard" => Some(StatusProfile::Standard),
        "high-bits" => Some(StatusProfile::HighBits),
        "unknown" => Some(StatusProfile::Unknown),
        _ => None,
    }
}

/// The meaning of a word of `protocol`, for devices that talk by themselves.
pub(in crate::config) fn talk_protocol(word: &str) -> Option<TalkProtocol> {
    match word {
        "radar" => Some(TalkProtocol::Radar),
        "ld2410" => Some(TalkProtocol::Ld2410),
        "pms5003" => Some(TalkProtocol::Pms5003),
        "voice" => Some(TalkProtocol::Voice),
        _ => None,
    }
}
