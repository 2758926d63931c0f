//! `[[device]]` behind a broker, by the broker's dialect, and `[[zone]]`.

use super::{Kind, Section, default, derived, optional, required};
use crate::config::MqttDialect;

pub(in crate::config) const ZONE: Section = Section {
    heading: "[[zone]]",
    when: "",
    doc: "A circle on the map; locators tell when it is entered and left. Name the home's `home`.",
    keys: &[
        required("id", Kind::Id, "Identifier; `home` for the home itself."),
        required("latitude", Kind::Number { min: -90.0, max: 90.0 }, "WGS 84, degrees north."),
        required("longitude", Kind::Number { min: -180.0, max: 180.0 }, "WGS 84, degrees east."),
        default(
            "radius",
            Kind::Integer { min: 50, max: 100_000 },
            "150",
            "Metres; a fix less accurate than this never puts somebody inside, and outside only beyond \
             its error.",
        ),
    ],
};

pub(in crate::config) const DEVICE_ZIGBEE: Section = Section {
    heading: "[[device]]",
    when: "behind `zigbee2mqtt`",
    doc: "A device that zigbee2mqtt paired.",
    keys: &[
        required(
            "address",
            Kind::Text { max: 128 },
            "IEEE address (`0x` and 16 digits) or friendly name.",
        ),
        default(
            "on_watts",
            Kind::Integer { min: 1, max: 3000 },
            "15",
            "For a `set-top-box` behind a plug: from this power on it counts as on, below half of \
             it as off.",
        ),
    ],
};

pub(in crate::config) const DEVICE_FRIGATE: Section = Section {
    heading: "[[device]]",
    when: "behind `frigate`",
    doc: "A camera that Frigate watches.",
    keys: &[
        required("address", Kind::Text { max: 128 }, "Frigate's name of the camera."),
        default(
            "source",
            Kind::Choice(&["events", "reviews"]),
            "\"events\"",
            "What people are told from: `events` (tracked objects), or `reviews` of Frigate 0.14 \
             and newer, without scores.",
        ),
        default(
            "min_score",
            Kind::Integer { min: 0, max: 100 },
            "70",
            "Least score of a tracked object that counts, per cent.",
        ),
        optional(
            "zones",
            Kind::TextList { max: 64 },
            "Frigate's zones that count; without it the whole picture does.",
        ),
    ],
};

pub(in crate::config) const DEVICE_OWNTRACKS: Section = Section {
    heading: "[[device]]",
    when: "behind `owntracks`",
    doc: "A phone or tracker that speaks OwnTracks.",
    keys: &[
        required("address", Kind::Text { max: 128 }, "`USER/DEVICE`, as in its topic."),
        default(
            "fix_within",
            Kind::Duration { min: "1m", max: "24h" },
            "\"10m\"",
            "A position older than this on arrival does not count.",
        ),
    ],
};

pub(in crate::config) const DEVICE_RTL433: Section = Section {
    heading: "[[device]]",
    when: "behind `rtl433`",
    doc: "A 433 or 868 MHz device that rtl_433 hears.",
    keys: &[
        required("address", Kind::Text { max: 128 }, "`MODEL/ID`, as rtl_433 prints them."),
        optional(
            "press",
            Kind::TextList { max: 128 },
            "For buttons and bells: only messages that hold all of these count, each written \
             `FIELD=VALUE`.",
        ),
    ],
};

pub(in crate::config) const DEVICE_JSON: Section = Section {
    heading: "[[device]]",
    when: "behind `json`",
    doc: "A device that publishes JSON of its own; what it means stands in `[[device.map]]`.",
    keys: &[required("topic", Kind::Topic, "Its topic, below the link's `base_topic` if set.")],
};

pub(in crate::config) const DEVICE_MAP: Section = Section {
    heading: "[[device.map]]",
    when: "behind `json`",
    doc: "One field of the device's messages and what it means. Rows for the same fact that find \
          their values in one message together make one observation.",
    keys: &[
        required(
            "field",
            Kind::Text { max: 80 },
            "`FACT.FIELD` of an observation, such as `bed.occupied`.",
        ),
        default("pointer", Kind::Pointer, "\"\"", "Where it stands; empty for the whole payload."),
        derived("topic", Kind::Topic, "the device's", "The topic this row listens to."),
        optional(
            "values",
            Kind::Values,
            "What the device's words mean, such as `{ in = true, out = false }`; others are passed \
             over.",
        ),
        optional("set", Kind::Plain, "A fixed value; other rows for the fact decide when."),
        default(
            "scale",
            Kind::Number { min: -1e9, max: 1e9 },
            "1.0",
            "Numbers are multiplied by this.",
        ),
        default("offset", Kind::Number { min: -1e9, max: 1e9 }, "0.0", "Added after that."),
        optional(
            "min",
            Kind::Number { min: -1e12, max: 1e12 },
            "Smaller numbers are no reading (not worn, no signal).",
        ),
        optional("max", Kind::Number { min: -1e12, max: 1e12 }, "Larger numbers are no reading."),
        default(
            "when",
            Kind::Choice(&["message", "change"]),
            "\"message\"",
            "For help, bells, calls and medication: each message that holds the value counts, or \
             only one in which it changed.",
        ),
    ],
};

/// The meaning of a word of `dialect`.
pub(in crate::config) fn dialect(word: &str) -> Option<MqttDialect> {
    MqttDialect::ALL.into_iter().find(|dialect| dialect.as_str() == word)
}
