//! `[guard.*]`, the rules beside silence and absence. Their defaults here and those of the structs
//! are compared by a test.

use super::{Kind, Section, default, optional};

const STAY: Kind = Kind::Duration { min: "5m", max: "24h" };
const TRIAL: Kind = Kind::Duration { min: "0s", max: "366d" };
const SUPPLY_FOR: Kind = Kind::Duration { min: "10s", max: "24h" };

pub(in crate::config) const TEST_PRESS: Section = Section {
    heading: "[guard.test_press]",
    when: "",
    doc: "Devices that call for help are tried once a month.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "every",
            Kind::Duration { min: "1d", max: "366d" },
            "\"30d\"",
            "How often each has to be pressed.",
        ),
    ],
};

pub(in crate::config) const DOOR_AT_NIGHT: Section = Section {
    heading: "[guard.door_at_night]",
    when: "",
    doc: "An outer door is opened at night. An alarm where a person has the risk `wandering`, and then without trial; else a warning.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default("from", Kind::TimeOfDay, "\"23:00\"", "Begin of the night."),
        default("to", Kind::TimeOfDay, "\"05:00\"", "End of the night."),
        default(
            "trial",
            TRIAL,
            "\"14d\"",
            "How long this home has to be watched before findings are told; until then they are only recorded. `0s` tells them at once.",
        ),
    ],
};

pub(in crate::config) const BATHROOM_STAY: Section = Section {
    heading: "[guard.bathroom_stay]",
    when: "",
    doc: "Somebody went into the bathroom and was seen nowhere else since.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default("warn_after", STAY, "\"1h\"", "Stay before a warning."),
        default("alarm_after", STAY, "\"4h\"", "Stay before an alarm; longer than `warn_after`."),
        default(
            "trial",
            TRIAL,
            "\"14d\"",
            "How long this home has to be watched before findings are told; until then they are only recorded. `0s` tells them at once.",
        ),
    ],
};

pub(in crate::config) const OUT_OF_BED: Section = Section {
    heading: "[guard.out_of_bed]",
    when: "",
    doc: "Out of bed at night and not back.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default("from", Kind::TimeOfDay, "\"22:00\"", "Begin of the night."),
        default("to", Kind::TimeOfDay, "\"06:00\"", "End of the night."),
        default("warn_after", STAY, "\"30m\"", "Time out of bed before a warning."),
        default(
            "alarm_after",
            STAY,
            "\"1h\"",
            "Time without any sign of the person before an alarm; longer than `warn_after`.",
        ),
        default(
            "trial",
            TRIAL,
            "\"14d\"",
            "How long this home has to be watched before findings are told; until then they are only recorded. `0s` tells them at once.",
        ),
    ],
};

pub(in crate::config) const VITAL: Section = Section {
    heading: "[guard.vital]",
    when: "",
    doc: "A vital sign outside the range, confirmed by a second reading; a `[[person]]` may have a range of its own.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "persist",
            Kind::Duration { min: "10s", max: "12h" },
            "\"2m\"",
            "How long readings have to stay outside.",
        ),
        default(
            "heart_low",
            Kind::Integer { min: 20, max: 200 },
            "41",
            "Heart beats a minute: the lowest that is in order.",
        ),
        default(
            "heart_high",
            Kind::Integer { min: 30, max: 250 },
            "130",
            "Heart beats a minute: the highest that is in order.",
        ),
        default(
            "breaths_low",
            Kind::Integer { min: 2, max: 40 },
            "9",
            "Breaths a minute: the lowest that is in order.",
        ),
        default(
            "breaths_high",
            Kind::Integer { min: 5, max: 80 },
            "24",
            "Breaths a minute: the highest that is in order.",
        ),
        default(
            "systolic_low",
            Kind::Integer { min: 40, max: 200 },
            "91",
            "Systolic blood pressure, mmHg: the lowest that is in order.",
        ),
        default(
            "systolic_high",
            Kind::Integer { min: 80, max: 300 },
            "179",
            "Systolic blood pressure, mmHg: the highest that is in order.",
        ),
        default(
            "diastolic_high",
            Kind::Integer { min: 40, max: 200 },
            "119",
            "Diastolic blood pressure, mmHg: the highest that is in order.",
        ),
        default(
            "spo2_low",
            Kind::Integer { min: 50, max: 100 },
            "92",
            "Oxygen saturation, per cent: the lowest that is in order.",
        ),
        default(
            "body_decicelsius_low",
            Kind::Integer { min: 300, max: 370 },
            "351",
            "Body temperature, tenths of a degree Celsius: the lowest that is in order.",
        ),
        default(
            "body_decicelsius_high",
            Kind::Integer { min: 365, max: 430 },
            "390",
            "Body temperature, tenths of a degree Celsius: the highest that is in order.",
        ),
    ],
};

pub(in crate::config) const CLIMATE: Section = Section {
    heading: "[guard.climate]",
    when: "",
    doc: "Rooms that are too hot or too cold, in degrees Celsius.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "persist",
            Kind::Duration { min: "1m", max: "24h" },
            "\"1h\"",
            "How long a room has to stay so.",
        ),
        default("cold_warn", Kind::Integer { min: -30, max: 60 }, "12", "Colder is a warning."),
        default(
            "cold_alarm",
            Kind::Integer { min: -30, max: 60 },
            "8",
            "Colder is an alarm; less than `cold_warn`.",
        ),
        default(
            "heat_warn",
            Kind::Integer { min: -30, max: 60 },
            "32",
            "Hotter is a warning; more than `cold_warn`.",
        ),
        default(
            "heat_alarm",
            Kind::Integer { min: -30, max: 60 },
            "35",
            "Hotter is an alarm; more than `heat_warn`.",
        ),
    ],
};

pub(in crate::config) const MEDICATION: Section = Section {
    heading: "[guard.medication]",
    when: "",
    doc: "Medication that was not taken in time.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "times",
            Kind::TimesOfDay,
            "[]",
            "When the pill box has to be opened each day, such as `[\"08:00\", \"20:00\"]`.",
        ),
        default(
            "early",
            Kind::Duration { min: "5m", max: "12h" },
            "\"1h\"",
            "How long before its time an opening counts.",
        ),
        default(
            "late",
            Kind::Duration { min: "5m", max: "12h" },
            "\"1h\"",
            "How long after its time it is waited for.",
        ),
    ],
};

pub(in crate::config) const WATER: Section = Section {
    heading: "[guard.water]",
    when: "",
    doc: "Water that runs without a pause, or in every half-hour of a day.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "running",
            Kind::Duration { min: "10m", max: "24h" },
            "\"60m\"",
            "How long water may run without a pause.",
        ),
    ],
};

pub(in crate::config) const LOCK: Section = Section {
    heading: "[guard.lock]",
    when: "",
    doc: "A lock that is tried with wrong codes or opened by force.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "tries",
            Kind::Integer { min: 1, max: 20 },
            "3",
            "Wrong tries in a row before a warning.",
        ),
    ],
};

pub(in crate::config) const STRANGERS: Section = Section {
    heading: "[guard.strangers]",
    when: "",
    doc: "Somebody rings again and again and is not let in.",
    keys: &[
        default("enabled", Kind::Bool, "true", "Whether the rule runs."),
        default(
            "rings",
            Kind::Integer { min: 2, max: 20 },
            "3",
            "Visits at the door before a warning.",
        ),
        default("within", Kind::Duration { min: "10m", max: "7d" }, "\"24h\"", "Within this time."),
        default(
            "trial",
            TRIAL,
            "\"14d\"",
            "How long this home has to be watched before findings are told; until then they are only recorded. `0s` tells them at once.",
        ),
    ],
};

pub(in crate::config) const PERSON_AT_NIGHT: Section = Section {
    heading: "[guard.person_at_night]",
    when: "",
    doc: "A camera sees a person at night.",
    keys: &[
        default("enabled", Kind::Bool, "false", "Whether the rule runs."),
        default("from", Kind::TimeOfDay, "\"23:00\"", "Begin of the night."),
        default("to", Kind::TimeOfDay, "\"05:00\"", "End of the night."),
    ],
};

pub(in crate::config) const SUPPLY: Section = Section {
    heading: "[guard.supply]",
    when: "",
    doc: "What the box itself needs.",
    keys: &[
        default(
            "mains_after",
            SUPPLY_FOR,
            "\"1m\"",
            "How long mains may be away before it is told; a random part of a minute comes on top, so that a town does not call at once.",
        ),
        default(
            "network_after",
            SUPPLY_FOR,
            "\"10m\"",
            "How long the centre may be out of reach before it is told.",
        ),
    ],
};

pub(in crate::config) const VOICE: Section = Section {
    heading: "[guard.voice]",
    when: "",
    doc: "A voice alarm heard a call for help. The box asks twice whether it was one; silence and a second call are, only \"no\" and a cancel are not.",
    keys: &[default(
        "answer_within",
        Kind::Duration { min: "0s", max: "60s" },
        "\"30s\"",
        "How long the question may stay without an answer before help is called. `0s` asks nobody: each call is an alarm at once.",
    )],
};

/// `[[person]]`, the person's own range.
pub(in crate::config) const OWN_RANGE: Section = Section {
    heading: "[[person]]",
    when: "with a range of vital signs of their own",
    doc: "Each key goes before the same one of `[guard.vital]`.",
    keys: &[
        optional(
            "heart_low",
            Kind::Integer { min: 20, max: 200 },
            "Heart beats a minute: the lowest that is in order.",
        ),
        optional(
            "heart_high",
            Kind::Integer { min: 30, max: 250 },
            "Heart beats a minute: the highest that is in order.",
        ),
        optional(
            "breaths_low",
            Kind::Integer { min: 2, max: 40 },
            "Breaths a minute: the lowest that is in order.",
        ),
        optional(
            "breaths_high",
            Kind::Integer { min: 5, max: 80 },
            "Breaths a minute: the highest that is in order.",
        ),
        optional(
            "systolic_low",
            Kind::Integer { min: 40, max: 200 },
            "Systolic blood pressure, mmHg: the lowest that is in order.",
        ),
        optional(
            "systolic_high",
            Kind::Integer { min: 80, max: 300 },
            "Systolic blood pressure, mmHg: the highest that is in order.",
        ),
        optional(
            "diastolic_high",
            Kind::Integer { min: 40, max: 200 },
            "Diastolic blood pressure, mmHg: the highest that is in order.",
        ),
        optional(
            "spo2_low",
            Kind::Integer { min: 50, max: 100 },
            "Oxygen saturation, per cent: the lowest that is in order.",
        ),
        optional(
            "body_decicelsius_low",
            Kind::Integer { min: 300, max: 370 },
            "Body temperature, tenths of a degree Celsius: the lowest that is in order.",
        ),
        optional(
            "body_decicelsius_high",
            Kind::Integer { min: 365, max: 430 },
            "Body temperature, tenths of a degree Celsius: the highest that is in order.",
        ),
    ],
};
