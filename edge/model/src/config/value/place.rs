//! URLs, paths, topics, zones and addresses to listen on.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use jiff::tz::TimeZone;

use super::{Result, Url, Wrong};
use crate::config::fault::quote;

const LONGEST: usize = 1024;

pub(super) fn url(
    written: &str,
    schemes: &'static [(&'static str, u16)],
    path: bool,
) -> Result<Url> {
    let form = schemes
        .iter()
        .map(|(scheme, port)| format!("{scheme}://HOST (port {port} unless written)"))
        .collect::<Vec<_>>()
        .join(" or ");
    let wrong = |what: &str| Wrong::new(what.to_owned(), format!("write {form}"));
    if written.len() > LONGEST || written.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("the URL is too long or holds a space"));
    }
    let Some((scheme, rest)) = written.split_once("://") else {
        return Err(wrong(&format!("{} has no scheme", quote(written))));
    };
    let lower = scheme.to_ascii_lowercase();
    let Some((scheme, default_port)) = schemes.iter().find(|(known, _)| *known == lower) else {
        return Err(wrong(&format!("the scheme {} can not be used here", quote(scheme))));
    };
    let (authority, tail) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(Wrong::new(
            "the URL holds a user name or password",
            "use `username` and a file for the password",
        ));
    }
    let tail = tail.trim_end_matches('/');
    if tail.contains(['?', '#']) || (!path && !tail.is_empty()) {
        return Err(wrong("nothing may follow host and port in this URL"));
    }
    let (host, port) = host_and_port(authority)
        .ok_or_else(|| wrong(&format!("{} is not a host and port", quote(authority))))?;
    let port = port.unwrap_or(*default_port);
    Ok(Url { scheme, host, port, text: format!("{scheme}://{authority}{tail}") })
}

fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    if let Some(rest) = authority.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        inside.parse::<std::net::Ipv6Addr>().ok()?;
        return match after.strip_prefix(':') {
            Some(text) => Some((inside.to_owned(), Some(port(text)?))),
            None => after.is_empty().then(|| (inside.to_owned(), None)),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, text)) => (host, Some(port(text)?)),
        None => (authority, None),
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let sound = host.len() <= 253 && host.trim_end_matches('.').split('.').all(label);
    sound.then(|| (host.to_owned(), port))
}

pub(super) fn topic(written: &str) -> Result<String> {
    const LONGEST_TOPIC: usize = 200;
    let trimmed = written.trim_end_matches('/');
    let (why, mend) = if trimmed.is_empty() {
        ("is no topic", "write a topic such as \"anju/1\"")
    } else if trimmed.len() > LONGEST_TOPIC {
        ("is longer than 200 bytes", "write a shorter topic")
    } else if trimmed.starts_with('/') {
        ("begins with /", "write the topic without the / before it")
    } else if trimmed.starts_with('$') {
        ("begins with $, which belongs to the broker", "write a topic such as \"anju/1\"")
    } else if trimmed.contains(['#', '+']) {
        ("is a filter, no topic prefix", "write a topic without + and #, such as \"anju/1\"")
    } else if trimmed.chars().any(|c| c.is_control() || c.is_whitespace()) {
        ("has a space or another character that can not be seen", "write the topic without it")
    } else {
        return Ok(trimmed.to_owned());
    };
    Err(Wrong::new(format!("{} {why}", quote(written)), mend))
}

/// An absolute path. Of a secret's file nothing is repeated: it may be the secret itself.
pub(super) fn path(written: &str, secret: bool) -> Result<PathBuf> {
    let named = if secret { "the value".to_owned() } else { quote(written) };
    let mend = if secret {
        "put the secret into a file and write the file's path, such as \"/etc/anju/secret\""
    } else {
        "write it from the root on, beginning with /"
    };
    let path = Path::new(written);
    if written.len() > LONGEST || written.chars().any(char::is_control) || !path.is_absolute() {
        return Err(Wrong::new(format!("{named} is not an absolute path"), mend));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(Wrong::new(format!("{named} goes up with .."), "write the path without .."));
    }
    Ok(path.to_owned())
}

pub(super) fn zone(written: &str) -> Result<TimeZone> {
    // Only names go to the time zone database, which may look into the file system.
    let name = written.len() <= 64
        && written.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b))
        && written.starts_with(|c: char| c.is_ascii_alphabetic());
    name.then(|| TimeZone::get(written).ok()).flatten().ok_or_else(|| {
        Wrong::new(
            format!("{} is not a known time zone", quote(written)),
            "use a name of the IANA database, such as \"Asia/Shanghai\"",
        )
    })
}

pub(super) fn socket(written: &str) -> Result<SocketAddr> {
    let text = written.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    text.as_deref().unwrap_or(written).parse().map_err(|_| {
        Wrong::new(
            format!("{} is not an address and port", quote(written)),
            "write both, such as \"127.0.0.1:8080\"",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MQTT: &[(&str, u16)] = &[("mqtts", 8883), ("mqtt", 1883)];

    #[test]
    fn urls() {
        let get = |text| url(text, MQTT, false).map(|url| (url.scheme, url.host, url.port));
        assert_eq!(get("mqtt://127.0.0.1:1884"), Ok(("mqtt", "127.0.0.1".into(), 1884)));
        assert_eq!(get("MQTTS://broker.example/"), Ok(("mqtts", "broker.example".into(), 8883)));
        assert_eq!(get("mqtt://[::1]:2"), Ok(("mqtt", "::1".into(), 2)));
        for wrong in [
            "",
            "mqtt:",
            "mqtt://",
            "http://a",
            "mqtt://a:0",
            "mqtt://a:99999",
            "mqtt://a b",
            "mqtt://u:p@a",
            "mqtt://a/x",
            "mqtt://[::1",
            "mqtt://[x]",
            "mqtt://[::1]x",
            "mqtt://a..b",
        ] {
            assert!(url(wrong, MQTT, false).is_err(), "{wrong}");
        }
        let web = url("https://ntfy.example/x/", &[("https", 443)], true).unwrap();
        assert_eq!(web.text, "https://ntfy.example/x");
    }

    #[test]
    fn a_secret_written_in_place_of_its_file_is_not_repeated() {
        let wrong = path("tk_abc", true).unwrap_err();
        assert!(!format!("{wrong:?}").contains("tk_abc"));
        assert!(path("/etc/../x", false).is_err());
        assert!(path("/etc/anju/ca.pem", false).is_ok());
    }

    #[test]
    fn zones_never_reach_the_file_system_as_paths() {
        assert!(zone("Asia/Shanghai").is_ok());
        for wrong in ["../../etc/passwd", "/etc/localtime", "Asia/Shangai", "", "a.b"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn topics() {
        assert_eq!(topic("anju/1/").unwrap(), "anju/1");
        for wrong in ["", "/", "a/#", "+", "$SYS", "/a", "a b"] {
            assert!(topic(wrong).is_err(), "{wrong}");
        }
        // What is told is what is wrong.
        let told = |written| format!("{:?}", topic(written).unwrap_err());
        assert!(told("/anju/").contains("begins with /") && !told("/anju/").contains('#'));
        assert!(told("a b").contains("space") && !told("a b").contains('#'));
        assert!(told("a/+").contains("without + and #"));
    }
}
