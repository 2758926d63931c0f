//! The ways to contacts: `[channels.*]`.

use super::super::schema;
use super::super::{Channels, Dingtalk, Mail, Ntfy, Sms, Wecom};
use super::single;
use crate::config::fault::Faults;
use crate::config::reader::{self, Expected, Fields, Row};

const TABLES: &[&str] = &["ntfy", "wecom", "dingtalk", "mail", "sms"];

pub(super) fn channels(root: &Row<'_>, faults: &mut Faults<'_>) -> Channels {
    let Some(row) = reader::table(root, "channels", faults) else { return Channels::default() };
    let below = Expected { tables: TABLES, ..Expected::only(&[]) };
    let row = reader::read(row, &below, faults).row;
    let ntfy = single(&row, "ntfy", &Expected::only(&[&schema::NTFY]), faults);
    let wecom = single(&row, "wecom", &Expected::only(&[&schema::WECOM]), faults);
    let dingtalk = single(&row, "dingtalk", &Expected::only(&[&schema::DINGTALK]), faults);
    let mail = single(&row, "mail", &Expected::only(&[&schema::MAIL]), faults);
    let sms = single(&row, "sms", &Expected::only(&[&schema::SMS]), faults);
    Channels {
        ntfy: ntfy.and_then(|fields| {
            Some(Ntfy {
                url: fields.url("url")?.text,
                token_file: fields.path("token_file"),
                details: details(&fields),
            })
        }),
        wecom: wecom.and_then(|fields| {
            Some(Wecom {
                url: fields.url("url")?.text,
                key_file: fields.path("key_file")?,
                details: details(&fields),
            })
        }),
        dingtalk: dingtalk.and_then(|fields| {
            Some(Dingtalk {
                url: fields.url("url")?.text,
                token_file: fields.path("token_file")?,
                secret_file: fields.path("secret_file")?,
                details: details(&fields),
            })
        }),
        mail: mail.and_then(|fields| self::mail(&fields, faults)),
        sms: sms.map(|fields| Sms { details: details(&fields) }),
    }
}

fn details(fields: &Fields<'_>) -> bool {
    fields.flag("details").unwrap_or(false)
}

fn mail(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Mail> {
    let url = fields.url("url")?;
    let from = address(fields, "from", faults)?;
    let (user, password) = (fields.text("username"), fields.path("password_file"));
    for (there, missing) in [("username", "password_file"), ("password_file", "username")] {
        let has = |key| fields.row.table.contains_key(key);
        if has(there) && !has(missing) {
            let message = format!("`{there}` is there and `{missing}` is not");
            fields.fault(faults, there, message, format!("add {missing} or remove {there}"));
        }
    }
    Some(Mail {
        implicit_tls: url.scheme == "smtps",
        host: url.host,
        port: url.port,
        from,
        login: user.zip(password),
        ca: fields.path("ca"),
        details: details(fields),
    })
}

/// A mail address (RFC 5321, without quoted local parts and address literals).
pub(super) fn address(fields: &Fields<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = fields.text(key)?;
    if !sound(&text) {
        let mend = format!("write {key} = \"name@example.com\"");
        fields.fault(faults, key, "this is not a mail address", mend);
        return None;
    }
    Some(text)
}

fn sound(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let atoms = |text: &str, more: &[u8]| {
        text.split('.').all(|atom| {
            !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        })
    };
    (1..=64).contains(&local.len())
        && domain.len() <= 253
        && atoms(local, b"!#$%&'*+/=?^_`{|}~-")
        && atoms(domain, b"-")
}

#[cfg(test)]
mod tests {
    use super::sound;

    #[test]
    fn addresses_are_told_from_other_words() {
        for good in ["a@b.example", "fang.wang+box@mail.example.cn", "x@localhost"] {
            assert!(sound(good), "{good}");
        }
        for wrong in ["", "a", "a@", "@b", "a@b..c", "a b@c", "王@b.cn", "a@b\n", "<a@b.c>", "a@b@"]
        {
            assert!(!sound(wrong), "{wrong}");
        }
    }
}
