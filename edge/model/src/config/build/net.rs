//! How a device of the home network is found, by its protocol.

use std::path::PathBuf;

use super::super::{Binding, NetBinding};
use crate::config::fault::{Faults, quote};
use crate::config::reader::Fields;

/// Reads a binding.
pub(super) fn binding(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Binding> {
    let protocol = fields.text("protocol")?;
    foreign(fields, &protocol, faults);
    let address = fields.text("address")?;
    let sound = match protocol.as_str() {
        "wyoming" => host_and_port(&address),
        "onvif" => !address.contains("://") || address.starts_with("http://"),
        "presence" => presence(&address),
        "cec" => address.starts_with("/dev/"),
        _ => true,
    } && !address.contains(char::is_whitespace);
    if !sound {
        let form = match protocol.as_str() {
            "wyoming" => "host:port, such as 192.168.1.20:10700",
            "onvif" => "a host, host:port or http:// URL",
            "cec" => "a device of the kernel, such as /dev/cec0",
            _ => "an IP address, a MAC address or a name that ends in .local",
        };
        let message = format!("{} is not {form}", quote(&address));
        fields.fault(faults, "address", message, format!("write {form}"));
        return None;
    }
    Some(Binding::Net(match protocol.as_str() {
        "presence" => NetBinding::Presence { address, poll: fields.duration("poll")? },
        "cec" => NetBinding::Cec { path: address.into(), poll: fields.duration("poll")? },
        "wyoming" => NetBinding::Wyoming { address, wake_words: fields.list("wake_words") },
        "onvif" => {
            NetBinding::Onvif { url: device_service(&address), login: login(fields, faults)? }
        }
        _ => return None,
    }))
}

/// What no other device of the link may have.
pub(super) fn place(binding: &NetBinding) -> String {
    let address = match binding {
        NetBinding::Presence { address, .. } | NetBinding::Wyoming { address, .. } => {
            address.clone()
        }
        NetBinding::Cec { path, .. } => path.display().to_string(),
        NetBinding::Onvif { url, .. } => url.clone(),
    };
    format!("{} ({})", address, binding.protocol())
}

/// Keys that belong to another protocol.
fn foreign(fields: &Fields<'_>, protocol: &str, faults: &mut Faults<'_>) {
    const OWN: [(&str, &str); 3] =
        [("username", "onvif"), ("password_file", "onvif"), ("wake_words", "wyoming")];
    for (key, of) in OWN {
        if protocol != of && fields.row.table.contains_key(key) {
            let message = format!("`{key}` is for `{of}`");
            fields.fault(faults, key, message, "remove it");
        }
    }
}

/// An IP address, with or without a port, a MAC address, or a name of the home network.
fn presence(address: &str) -> bool {
    use std::net::{IpAddr, SocketAddr};
    address.parse::<IpAddr>().is_ok()
        || address.parse::<SocketAddr>().is_ok()
        || address.parse::<crate::config::BleAddress>().is_ok()
        || address.strip_suffix(".local").is_some_and(|host| {
            let sound = |c: char| c.is_ascii_alphanumeric() || c == '-';
            (1..=63).contains(&host.len()) && host.chars().all(sound)
        })
}

fn host_and_port(address: &str) -> bool {
    address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// The URL that ONVIF's core specification gives a device service.
fn device_service(address: &str) -> String {
    if address.starts_with("http://") {
        return address.to_owned();
    }
    format!("http://{address}/onvif/device_service")
}

/// `Some(None)` without a login, `None` when it is half.
#[allow(clippy::option_option)]
fn login(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Option<(String, PathBuf)>> {
    match (fields.text("username"), fields.path("password_file")) {
        (Some(user), Some(file)) => Some(Some((user, file))),
        (None, None) => Some(None),
        (user, _) => {
            let (has, lacks) = match user {
                Some(_) => ("username", "password_file"),
                None => ("password_file", "username"),
            };
            let message = format!("there is `{has}` and no `{lacks}`");
            fields.fault(faults, has, message, format!("add {lacks} = \"…\""));
            None
        }
    }
}
