//! `[guard.*]`: the rules' figures. Their defaults here and those of the structs are compared by a
//! test.

use super::{Kind, Section, default};

const HOURS: Kind = Kind::Duration { min: "15m", max: "7d" };

pub(in crate::config) const INACTIVITY: Section = Section {
    heading: "[guard.inactivity]",
    when: "",
    doc: "No sign of life for too long within the waking hours.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default("warn_after", HOURS, "\"4h\"", "Silence before a warning."),
        default(
            "alarm_after",
            HOURS,
            "\"8h\"",
            "Silence before an alarm; longer than `warn_after`.",
        ),
        default("wake", Kind::TimeOfDay, "\"07:00\"", "Start of the waking hours."),
        default("sleep", Kind::TimeOfDay, "\"22:00\"", "End of the waking hours; after `wake`."),
        default(
            "ask_before",
            Kind::Duration { min: "0s", max: "2h" },
            "\"10m\"",
            "How long before the alarm the box asks the person; shorter than `alarm_after`.",
        ),
        default(
            "shadow",
            Kind::Bool,
            "false",
            "Whether findings are only recorded and nobody is called.",
        ),
    ],
};

pub(in crate::config) const NOT_UP: Section = Section {
    heading: "[guard.not_up]",
    when: "",
    doc: "No sign of life since the night.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default("by", Kind::TimeOfDay, "\"10:00\"", "Not up by this time is a warning."),
        default(
            "night_ends",
            Kind::TimeOfDay,
            "\"04:00\"",
            "Signs of life count as up from this time on; before `by`.",
        ),
    ],
};

pub(in crate::config) const LEFT_HOME: Section = Section {
    heading: "[guard.left_home]",
    when: "",
    doc: "Left home and not back.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default("warn_after", HOURS, "\"6h\"", "Absence before a warning."),
        default(
            "alarm_after",
            HOURS,
            "\"12h\"",
            "Absence before an alarm; longer than `warn_after`.",
        ),
        default(
            "settle",
            Kind::Duration { min: "1m", max: "2h" },
            "\"15m\"",
            "No motion for this long after the door closed means probably out.",
        ),
    ],
};

const SILENCE: Kind = Kind::Duration { min: "10m", max: "7d" };

pub(in crate::config) const SILENT: Section = Section {
    heading: "[guard.silent]",
    when: "",
    doc: "A device that is not heard from; a device's own `heard_within` goes first.",
    keys: &[
        default(
            "trigger",
            SILENCE,
            "\"24h\"",
            "Longest silence of a help trigger (EN 50134-2: a report at least every 24 h).",
        ),
        default(
            "mains",
            SILENCE,
            "\"6h\"",
            "Longest silence of a device that runs on mains and reports by itself.",
        ),
        default("other", SILENCE, "\"25h\"", "Longest silence of any other device."),
    ],
};
