//! `[channels.wecom]`, `[channels.dingtalk]`, `[channels.mail]` and `[channels.sms]`.

use super::{Key, Kind, Section, default, derived, optional, required};

const DETAILS: Key = default(
    "details",
    Kind::Bool,
    "false",
    "Whether texts may carry names and rooms; they leave the home.",
);

const HTTP: Kind = Kind::Url { schemes: &[("https", 443), ("http", 80)], path: true };

pub(in crate::config) const WECOM: Section = Section {
    heading: "[channels.wecom]",
    when: "",
    doc: "The robot of a WeCom group. It speaks to the whole group and names the contact's phone; \
          nobody can answer through it.",
    keys: &[
        required(
            "key_file",
            Kind::SecretFile,
            "File that holds the robot's key: what follows `key=` in its webhook address.",
        ),
        default(
            "url",
            HTTP,
            "\"https://qyapi.weixin.qq.com/cgi-bin/webhook/send\"",
            "Address of the service, without the key.",
        ),
        DETAILS,
    ],
};

pub(in crate::config) const DINGTALK: Section = Section {
    heading: "[channels.dingtalk]",
    when: "",
    doc: "The robot of a DingTalk group, with signed messages. It speaks to the whole group and \
          names the contact's phone; nobody can answer through it.",
    keys: &[
        required(
            "token_file",
            Kind::SecretFile,
            "File that holds the robot's token: what follows `access_token=` in its webhook \
             address.",
        ),
        required(
            "secret_file",
            Kind::SecretFile,
            "File that holds the secret for signatures, `SEC…`.",
        ),
        default(
            "url",
            HTTP,
            "\"https://oapi.dingtalk.com/robot/send\"",
            "Address of the service, without the token.",
        ),
        DETAILS,
    ],
};

pub(in crate::config) const MAIL: Section = Section {
    heading: "[channels.mail]",
    when: "",
    doc: "The server that sends mail. It is always spoken to with encryption.",
    keys: &[
        required(
            "url",
            Kind::Url { schemes: &[("smtps", 465), ("smtp", 587)], path: false },
            "The server: `smtps://` is TLS from the start, `smtp://` insists on STARTTLS.",
        ),
        required("from", Kind::Text { max: 254 }, "Address that the mail comes from."),
        optional("username", Kind::Text { max: 128 }, "User name, if the server wants one."),
        optional("password_file", Kind::SecretFile, "File that holds the password."),
        derived(
            "ca",
            Kind::Path,
            "the system's certificates",
            "CA certificates that may sign the server's, PEM.",
        ),
        DETAILS,
    ],
};

pub(in crate::config) const SMS: Section = Section {
    heading: "[channels.sms]",
    when: "",
    doc: "Text messages by the box's own modem; they need no settings. Who gets one answers with \
          `1` to accept and `2` when there.",
    keys: &[DETAILS],
};
