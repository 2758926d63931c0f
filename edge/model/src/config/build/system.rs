//! Upstream, page, speaker, case, journal and modem.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::super::schema;
use super::super::{
    ActiveLevel, Binding, CaseSwitch, Device, JournalLimits, Link, Modem, ModemPower, Satellite,
    Says, Speaker, Upstream, VoiceService, Web,
};
use super::{Names, single};
use crate::config::fault::Faults;
use crate::config::reader::{self, Expected, Fields, Row};
use crate::{LinkId, RoomId, SatelliteId};

pub(super) fn upstream(root: &Row<'_>, faults: &mut Faults<'_>) -> Option<Upstream> {
    let fields = single(root, "upstream", &Expected::only(&[&schema::UPSTREAM]), faults)?;
    let url = fields.url("url")?;
    let tls = url.scheme == "mqtts";
    let mut upstream = Upstream {
        host: url.host,
        port: url.port,
        tls,
        topic: fields.text("topic")?,
        ca: fields.path("ca"),
        client_cert: fields.path("client_cert"),
        client_key: fields.path("client_key"),
        command_key: fields.path("command_key"),
        username: fields.text("username"),
        password_file: fields.path("password_file"),
        heartbeat: fields.duration("heartbeat").unwrap_or(Duration::from_secs(60)),
    };
    pairs(&fields, &mut upstream, faults);
    Some(upstream)
}

/// Keys that mean something only together.
fn pairs(fields: &Fields<'_>, upstream: &mut Upstream, faults: &mut Faults<'_>) {
    if upstream.client_cert.is_some() != upstream.client_key.is_some() {
        let (there, other) = match upstream.client_cert {
            Some(_) => ("client_cert", "client_key"),
            None => ("client_key", "client_cert"),
        };
        // The other one may be there and wrong, which was told already.
        if !fields.row.table.contains_key(other) {
            let message = format!("`{there}` is there and `{other}` is not");
            fields.fault(faults, there, message, format!("add {other} = \"/etc/anju/…\""));
        }
        (upstream.client_cert, upstream.client_key) = (None, None);
    }
    if upstream.password_file.is_some() && !fields.row.table.contains_key("username") {
        let message = "there is a password file and no user name";
        fields.fault(faults, "password_file", message, "add username = \"…\"");
    }
    let tls_keys = ["ca", "client_cert", "client_key"];
    if !upstream.tls
        && let Some(key) = tls_keys.into_iter().find(|key| fields.has(key))
    {
        let message = "certificates are given for a connection without encryption";
        fields.fault(faults, key, message, "write url = \"mqtts://…\"");
    }
}

pub(super) fn web(root: &Row<'_>, faults: &mut Faults<'_>) -> Web {
    let usual = Web::default();
    let fields = single(root, "web", &Expected::only(&[&schema::WEB]), faults);
    let Some((fields, listen)) = fields.and_then(|f| f.socket("listen").map(|s| (f, s))) else {
        return usual;
    };
    if listen.ip().is_loopback() {
        return Web { listen };
    }
    // Ports below 1024 need rights that the daemon does not have.
    let port = if listen.port() >= 1024 { listen.port() } else { usual.listen.port() };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (at, path) = (fields.row.place("listen"), fields.row.path_of("listen"));
    let message = format!("the page has no sign-in yet: it is served on {listen} only");
    faults.warn(at, path, message, "reach it from elsewhere through `ssh -L`");
    Web { listen }
}

pub(super) fn speaker(root: &Row<'_>, faults: &mut Faults<'_>) -> Speaker {
    let below = Expected { tables: &["satellite"], ..Expected::only(&[&schema::SPEAKER]) };
    let Some(fields) = single(root, "speaker", &below, faults) else { return Speaker::default() };
    let mut names = Names::new("satellite");
    let mut satellites = Vec::new();
    for (index, row) in reader::rows(&fields.row, "satellite", faults).into_iter().enumerate() {
        let fields = reader::read(row, &Expected::only(&[&schema::SATELLITE]), faults);
        let id = names.of(&fields, index + 1, faults);
        let (Ok(id), Some(url)) = (SatelliteId::new(&id), fields.url("url")) else { continue };
        satellites.push(Satellite {
            id,
            room: fields.text("room").and_then(|room| RoomId::new(&room).ok()),
            host: url.host,
            port: url.port,
            says: if fields.text("says").is_some_and(|says| says == "all") {
                Says::All
            } else {
                Says::Critical
            },
        });
    }
    Speaker {
        device: fields.text("device"),
        wav_dir: fields.path("wav_dir"),
        pack: fields.path("pack"),
        tts: tts(&fields, faults),
        satellites,
    }
}

fn tts(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<VoiceService> {
    let voice = fields.text("tts_voice");
    if voice.is_some() && !fields.row.table.contains_key("tts") {
        let message = "there is a voice and no service that has it";
        fields.fault(faults, "tts_voice", message, "add tts = \"tcp://HOST\" or remove it");
    }
    let url = fields.url("tts")?;
    Some(VoiceService { host: url.host, port: url.port, voice })
}

/// A line that a device has can not be the case's too; the device counts, for it may call for help.
pub(super) fn case(
    root: &Row<'_>,
    links: &BTreeMap<LinkId, Link>,
    devices: &[Device],
    faults: &mut Faults<'_>,
) -> Option<CaseSwitch> {
    let fields = single(root, "case", &Expected::only(&[&schema::CASE]), faults)?;
    let case = CaseSwitch {
        chip: fields.path("chip")?,
        pin: fields.number("pin")?,
        closed_when_shut: fields.text("shut")? == "closed",
    };
    let same_line = |device: &&Device| match (&device.binding, links.get(&device.link)) {
        (Binding::Gpio(line), Some(Link::Gpio(link))) => {
            link.chip == case.chip && (line.pin == case.pin || line.loop_pin == Some(case.pin))
        }
        _ => false,
    };
    if let Some(device) = devices.iter().find(same_line) {
        let message = format!("the device `{}` is already at this line", device.id);
        fields.fault(faults, "pin", message, "give the switch a line of its own");
        return None;
    }
    Some(case)
}

pub(super) fn journal(root: &Row<'_>, faults: &mut Faults<'_>) -> JournalLimits {
    single(root, "journal", &Expected::only(&[&schema::JOURNAL]), faults)
        .and_then(|fields| fields.bytes("max_bytes"))
        .map_or_else(JournalLimits::default, |max_bytes| JournalLimits { max_bytes })
}

pub(super) fn modem(root: &Row<'_>, faults: &mut Faults<'_>) -> Modem {
    let Some(fields) = single(root, "modem", &Expected::only(&[&schema::MODEM]), faults) else {
        return Modem::default();
    };
    let low = fields.text("power_active").is_some_and(|level| level == "low");
    let active = if low { ActiveLevel::Low } else { ActiveLevel::High };
    let line = fields.path("power_chip").zip(fields.number("power_pin"));
    Modem {
        power: line.map(|(chip, pin)| ModemPower { chip, pin, active }),
        data_budget: fields.bytes("data_budget"),
        apn: apn(&fields, faults),
        contract_ends: fields.date("contract_ends"),
    }
}

/// An access point name (3GPP TS 23.003 clause 9.1: labels of letters, digits and hyphens; `_` is
/// seen in the wild).
fn apn(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let apn = fields.text("apn")?;
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !apn.split('.').all(label) {
        let mend = "write it as the operator does, such as apn = \"cmnet\"";
        fields.fault(faults, "apn", "this is not an access point name", mend);
        return None;
    }
    Some(apn)
}
