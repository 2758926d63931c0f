//! `[box]` and `[service]`.

use super::{Kind, Section, default, optional, required};
use crate::config::Funding;

pub(in crate::config) const BOX: Section = Section {
    heading: "[box]",
    when: "",
    doc: "The box itself.",
    keys: &[
        required("id", Kind::Id, "Name of the box, unique for the centre."),
        default(
            "language",
            Kind::Choice(&["zh-CN", "en"]),
            "\"zh-CN\"",
            "Language of what people hear and read.",
        ),
        default(
            "timezone",
            Kind::Zone,
            "\"Asia/Shanghai\"",
            "Zone of the household's civil time, a name of the IANA database.",
        ),
    ],
};

const WORDS: Kind = Kind::Text { max: 200 };

pub(in crate::config) const SERVICE: Section = Section {
    heading: "[service]",
    when: "",
    doc: "The service contract; sent upstream with the ledger entry. The whole table is optional.",
    keys: &[
        optional(
            "division",
            Kind::Digits { min: 6, max: 12 },
            "Administrative division code (GB/T 2260, further digits by GB/T 10114).",
        ),
        optional("street", WORDS, "Street office."),
        optional("operator", WORDS, "Who runs the service."),
        optional("contract", WORDS, "Number of the contract."),
        optional("funding", Kind::Choice(&["public", "private"]), "Who pays."),
    ],
};

/// The meaning of a word of `funding`.
pub(in crate::config) fn funding(word: &str) -> Option<Funding> {
    match word {
        "public" => Some(Funding::Public),
        "private" => Some(Funding::Private),
        _ => None,
    }
}
