//! `[upstream]`, `[web]`, `[speaker]` and its satellites, `[case]`, `[journal]` and `[modem]`.

use super::{Kind, Section, default, derived, optional, required};

pub(in crate::config) const UPSTREAM: Section = Section {
    heading: "[upstream]",
    when: "",
    doc: "The way to the centre; the whole table is optional.",
    keys: &[
        required(
            "url",
            Kind::Url { schemes: &[("mqtts", 8883), ("mqtt", 1883)], path: false },
            "The broker, `mqtts://HOST:PORT`; `mqtt://` is not encrypted and for tests only.",
        ),
        default("topic", Kind::Topic, "\"anju/1\"", "Prefix of all topics."),
        derived(
            "ca",
            Kind::Path,
            "the system's certificates",
            "CA certificates that may sign the broker's, PEM.",
        ),
        optional("client_cert", Kind::Path, "The box's certificate chain, PEM."),
        optional("client_key", Kind::SecretFile, "The box's private key, PEM."),
        optional(
            "command_key",
            Kind::Path,
            "Public key that signs the commands `configure` and `update`.",
        ),
        optional("username", Kind::Text { max: 128 }, "User name, if the broker wants one."),
        optional("password_file", Kind::SecretFile, "File that holds the password."),
        default(
            "heartbeat",
            Kind::Duration { min: "1s", max: "1h" },
            "\"60s\"",
            "How often the status is published.",
        ),
    ],
};

pub(in crate::config) const WEB: Section = Section {
    heading: "[web]",
    when: "",
    doc: "The local page.",
    keys: &[default(
        "listen",
        Kind::Socket,
        "\"127.0.0.1:8080\"",
        "Address and port; only loopback addresses until the page has a sign-in.",
    )],
};

pub(in crate::config) const SPEAKER: Section = Section {
    heading: "[speaker]",
    when: "",
    doc: "The speaker.",
    keys: &[
        derived("device", Kind::Text { max: 128 }, "`default`", "ALSA device."),
        optional("wav_dir", Kind::Path, "Folder for WAV files, where there is no sound card."),
        optional(
            "pack",
            Kind::Path,
            "Folder of recordings (a dialect, the family's voices) that are heard instead of the \
             built-in prompts: `<prompt>.ogg` or `.wav`, `room-<room>`, `contact-<id>`, \
             `person-<id>`; what is missing is said as ever. Read at the start. Names that were \
             recorded with `anju recordings` go before it.",
        ),
        optional(
            "tts",
            Kind::Url { schemes: &[("tcp", 10200)], path: false },
            "A Wyoming voice service such as wyoming-piper, `tcp://HOST:PORT`, that speaks names which \
             nobody recorded, and free words. Names are asked for beforehand; while it is away, \
             they are spoken by `espeak-ng` 1.52 where that is installed, or left out.",
        ),
        optional("tts_voice", Kind::Text { max: 128 }, "Which of the service's voices."),
    ],
};

pub(in crate::config) const SATELLITE: Section = Section {
    heading: "[[speaker.satellite]]",
    when: "",
    doc: "A speaker in another room: a Wyoming satellite or sound service (`snd`). Each speaks for \
          itself; one that is off delays no other and is told by day.",
    keys: &[
        required("id", Kind::Id, "Identifier."),
        optional("room", Kind::Id, "Where it stands."),
        required(
            "url",
            Kind::Url { schemes: &[("tcp", 10601)], path: false },
            "Where it listens, `tcp://HOST:PORT`. A satellite serves one at a time: one whose wake \
             word is a device of the box as well has a sound service of its own (`--snd-uri`).",
        ),
        default(
            "says",
            Kind::Choice(&["critical", "all"]),
            "\"critical\"",
            "Whether it says only what is critical (calls for help and dangers, at any hour), or \
             all that the box says.",
        ),
    ],
};

pub(in crate::config) const CASE: Section = Section {
    heading: "[case]",
    when: "",
    doc: "A switch between a GPIO line and ground that tells when the box's own case is opened; the whole table is optional. A cut wire of a switch that is closed while the case is shut counts as opened.",
    keys: &[
        required("pin", Kind::Integer { min: 0, max: 1023 }, "Line of the chip."),
        default("chip", Kind::Path, "\"/dev/gpiochip0\"", "The kernel's device of the chip."),
        default(
            "shut",
            Kind::Choice(&["closed", "open"]),
            "\"closed\"",
            "The switch while the case is shut.",
        ),
    ],
};

pub(in crate::config) const JOURNAL: Section = Section {
    heading: "[journal]",
    when: "",
    doc: "Limits of the journal.",
    keys: &[default(
        "max_bytes",
        Kind::Bytes { min: "16MiB", max: "1TiB" },
        "\"1GiB\"",
        "Most bytes on disk; a number, or text such as `512MiB`.",
    )],
};

pub(in crate::config) const MODEM: Section = Section {
    heading: "[modem]",
    when: "",
    doc: "The 4G modem. It is found by itself; the whole table is optional.",
    keys: &[
        default(
            "power_chip",
            Kind::Path,
            "\"/dev/gpiochip0\"",
            "The GPIO chip of the line that cuts the modem's power.",
        ),
        optional(
            "power_pin",
            Kind::Integer { min: 0, max: 1023 },
            "Offset on the chip of a line that cuts the modem's power while it is active; that is \
             done for ten seconds when nothing else brings the modem back.",
        ),
        default(
            "power_active",
            Kind::Choice(&["low", "high"]),
            "\"high\"",
            "Level that cuts the power.",
        ),
        optional(
            "data_budget",
            Kind::Bytes { min: "1MiB", max: "1TiB" },
            "Bytes that the SIM card's contract has for a calendar month; four fifths of it and all \
             of it are told by day. Nothing is held back for its sake.",
        ),
        optional(
            "apn",
            Kind::Text { max: 64 },
            "Access point name of the SIM card's contract, such as `cmnet`. With it the box keeps a \
             mobile connection of NetworkManager named `anju-mobile`, which it uses when neither \
             Ethernet nor Wi-Fi reaches anything; without it the box makes none.",
        ),
        optional(
            "contract_ends",
            Kind::Date,
            "Last day of the SIM card's contract. It is told by day 28 and 7 days ahead, and once it \
             is over.",
        ),
    ],
};
