//! `[[person]]`, `[[contact]]` and `[channels.ntfy]`.

use super::{Kind, Section, default, derived, optional, required};
use crate::config::{ChannelKind, ContactRole};

pub(in crate::config) const PERSON: Section = Section {
    heading: "[[person]]",
    when: "",
    doc: "Somebody who lives in the home; one table for each.",
    keys: &[
        required("id", Kind::Id, "Identifier; devices may name it as their `person`."),
        derived("name", Kind::Text { max: 80 }, "the id", "The name people use."),
        default(
            "risks",
            Kind::TextList { max: 40 },
            "[]",
            "Risks that the household wants watched, such as `falls` or `wandering`.",
        ),
    ],
};

const ROLES: &[&str] = &[
    "family",
    "neighbour",
    "community",
    "social-worker",
    "volunteer",
    "charity",
    "property",
    "care-institution",
    "centre",
];

const CHANNELS: &[&str] = &["call", "sms", "ntfy", "wecom", "dingtalk", "mail", "centre"];

/// Channels that this version has a driver for. The others are taken, so that a plan can be written
/// before its modem is there, but nobody counts as covered by them.
pub(in crate::config) const CHANNELS_NOW: [ChannelKind; 6] = [
    ChannelKind::Sms,
    ChannelKind::Ntfy,
    ChannelKind::Wecom,
    ChannelKind::Dingtalk,
    ChannelKind::Mail,
    ChannelKind::Centre,
];

pub(in crate::config) const CONTACT: Section = Section {
    heading: "[[contact]]",
    when: "",
    doc: "Somebody who is told and may come; one table for each, tried in the order of the file. \
          Together they must cover every hour of the week.",
    keys: &[
        required("id", Kind::Id, "Identifier."),
        derived("name", Kind::Text { max: 80 }, "the id", "The name people use."),
        required("role", Kind::Choice(ROLES), "What they are to the person."),
        optional(
            "phone",
            Kind::Phone,
            "Telephone number in E.164 form, `+` and country code first. Needed for `call` and \
             `sms`. Never an emergency number: the box does not dial those by itself.",
        ),
        derived(
            "channels",
            Kind::Choices(CHANNELS),
            "`ntfy` with an `ntfy_topic`, `call` and `sms` with a `phone`, `mail` with a `mail`, \
             `centre` with an `[upstream]`",
            "Ways to reach them, the best first. This version has drivers for `sms`, `ntfy`, \
             `wecom`, `dingtalk`, `mail` and `centre`.",
        ),
        default(
            "window",
            Kind::Duration { min: "10s", max: "30m" },
            "\"60s\"",
            "Time to accept before the next step of the plan.",
        ),
        derived(
            "step",
            Kind::Integer { min: 1, max: 20 },
            "1; where no contact has one, the centre and the first of the family come first, then \
             who is at most 15 `minutes_away`, then the others one after the other",
            "Step of the plan; contacts of one step are tried at once. Smoke, gas and carbon \
             monoxide are told to everybody at once.",
        ),
        default(
            "hours",
            Kind::Hours,
            "\"always\"",
            "When they can be tried: `always`, or days and times such as `mon-fri 08:30-17:30` \
             (an end before the start runs over midnight).",
        ),
        optional(
            "minutes_away",
            Kind::Integer { min: 0, max: 1440 },
            "Minutes they need to get here.",
        ),
        optional("ntfy_topic", Kind::Text { max: 64 }, "Their ntfy topic. Needed for `ntfy`."),
        optional("mail", Kind::Text { max: 254 }, "Their mail address. Needed for `mail`."),
    ],
};

pub(in crate::config) const NTFY: Section = Section {
    heading: "[channels.ntfy]",
    when: "",
    doc: "The ntfy server for push messages.",
    keys: &[
        required(
            "url",
            Kind::Url { schemes: &[("https", 443), ("http", 80)], path: true },
            "Base URL of the server.",
        ),
        optional("token_file", Kind::SecretFile, "File that holds the access token."),
        default(
            "details",
            Kind::Bool,
            "false",
            "Whether push texts may carry names and rooms; the server sees them in the clear.",
        ),
    ],
};

/// The meaning of a word of `role`.
pub(in crate::config) fn contact_role(word: &str) -> Option<ContactRole> {
    Some(match word {
        "family" => ContactRole::Family,
        "neighbour" => ContactRole::Neighbour,
        "community" => ContactRole::Community,
        "social-worker" => ContactRole::SocialWorker,
        "volunteer" => ContactRole::Volunteer,
        "charity" => ContactRole::Charity,
        "property" => ContactRole::Property,
        "care-institution" => ContactRole::CareInstitution,
        "centre" => ContactRole::Centre,
        _ => return None,
    })
}
