//! `[box]`, `[service]`, `[guard]`, `[upstream]`, `[web]`, `[speaker]`, `[journal]`, `[channels]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::section::Section;
use super::{Parts, values};
use crate::Language;
use crate::config::{Funding, Ntfy, Service, TimeOfDay, Upstream};

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

pub fn read(root: &mut Section<'_, '_>, parts: &mut Parts) {
    if root.has("box") {
        if let Some(mut section) = root.section("box") {
            the_box(&mut section, parts);
        }
    } else {
        root.missing("box", "add a table [box] with id = \"…\"");
    }
    if let Some(mut section) = root.section("service") {
        parts.service = Some(service(&mut section));
    }
    if let Some(mut section) = root.section("guard") {
        guard(&mut section, parts);
    }
    if let Some(mut section) = root.section("upstream") {
        parts.upstream = upstream(&mut section);
    }
    if let Some(mut section) = root.section("web") {
        web(&mut section, parts);
    }
    if let Some(mut section) = root.section("speaker") {
        parts.speaker.device = section.text("device");
        parts.speaker.wav_dir = section.path("wav_dir");
        section.finish();
    }
    if let Some(mut section) = root.section("journal") {
        journal(&mut section, parts);
    }
    if let Some(mut section) = root.section("channels") {
        if let Some(mut ntfy) = section.section("ntfy") {
            parts.channels.ntfy = read_ntfy(&mut ntfy);
        }
        section.finish();
    }
}

fn the_box(section: &mut Section<'_, '_>, parts: &mut Parts) {
    if section.has("id") {
        parts.box_id = section.parsed("id", "give each box its own, such as \"hz-000123\"");
    } else {
        section.missing("id", "give each box its own, such as \"hz-000123\"");
    }
    let languages = [("zh-CN", Language::ZhCn), ("en", Language::En)];
    if let Some(language) = section.choice("language", &languages) {
        parts.language = language;
    }
    if let Some(name) = section.text("timezone") {
        match TimeZone::get(&name) {
            Ok(zone) => parts.timezone = zone,
            Err(_) => section.fault(
                "timezone",
                &format!("`{name}` is not a time zone"),
                "use a name of the IANA list, such as \"Asia/Shanghai\"",
            ),
        }
    }
    section.finish();
}

fn service(section: &mut Section<'_, '_>) -> Service {
    let division = section.text("division").filter(|code| {
        let fine = (6..=12).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        if !fine {
            let message = format!("`{code}` is not an administrative division code");
            section.fault("division", &message, "use the 6 to 12 digits of GB/T 2260");
        }
        fine
    });
    let service = Service {
        division,
        street: section.text("street"),
        operator: section.text("operator"),
        contract: section.text("contract"),
        funding: section
            .choice("funding", &[("public", Funding::Public), ("private", Funding::Private)]),
    };
    section.finish();
    service
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn time(section: &mut Section<'_, '_>, key: &'static str) -> Option<TimeOfDay> {
    let text = section.text(key)?;
    let time = text.parse::<TimeOfDay>().ok().filter(|_| text.len() == 5);
    if time.is_none() {
        section.fault(key, &format!("`{text}` is not a time of day"), "write it as \"07:30\"");
    }
    time
}

/// `warn_after` and `alarm_after`; a pair in the wrong order is given up for the defaults.
fn pair(section: &mut Section<'_, '_>, warn: &mut Duration, alarm: &mut Duration) {
    let defaults = (*warn, *alarm);
    set(warn, section.duration("warn_after", 10 * MINUTE, 7 * DAY));
    set(alarm, section.duration("alarm_after", 10 * MINUTE, 14 * DAY));
    if *warn >= *alarm {
        let key = if section.has("alarm_after") { "alarm_after" } else { "warn_after" };
        let mend = "make alarm_after longer than warn_after; the defaults are used";
        section.fault(key, "the alarm would come before the warning", mend);
        (*warn, *alarm) = defaults;
    }
}

fn guard(section: &mut Section<'_, '_>, parts: &mut Parts) {
    let guard = &mut parts.guard;
    if let Some(mut rule) = section.section("inactivity") {
        let figures = &mut guard.inactivity;
        set(&mut figures.enabled, rule.flag("enabled"));
        set(&mut figures.shadow, rule.flag("shadow"));
        pair(&mut rule, &mut figures.warn_after, &mut figures.alarm_after);
        set(&mut figures.wake, time(&mut rule, "wake"));
        set(&mut figures.sleep, time(&mut rule, "sleep"));
        set(&mut figures.ask_before, rule.duration("ask_before", MINUTE, 2 * 60 * MINUTE));
        if figures.wake == figures.sleep {
            rule.fault("wake", "the waking window is empty", "make wake and sleep differ");
            let defaults = crate::config::InactivityRule::default();
            (figures.wake, figures.sleep) = (defaults.wake, defaults.sleep);
        }
        rule.finish();
    }
    if let Some(mut rule) = section.section("not_up") {
        let figures = &mut guard.not_up;
        set(&mut figures.enabled, rule.flag("enabled"));
        set(&mut figures.by, time(&mut rule, "by"));
        set(&mut figures.night_ends, time(&mut rule, "night_ends"));
        rule.finish();
    }
    if let Some(mut rule) = section.section("left_home") {
        let figures = &mut guard.left_home;
        set(&mut figures.enabled, rule.flag("enabled"));
        pair(&mut rule, &mut figures.warn_after, &mut figures.alarm_after);
        set(&mut figures.settle, rule.duration("settle", MINUTE, 2 * 60 * MINUTE));
        rule.finish();
    }
    if let Some(mut rule) = section.section("silent") {
        let figures = &mut guard.silent;
        set(&mut figures.trigger, rule.duration("trigger", 10 * MINUTE, 7 * DAY));
        set(&mut figures.other, rule.duration("other", 10 * MINUTE, 7 * DAY));
        rule.finish();
    }
    section.finish();
}

fn upstream(section: &mut Section<'_, '_>) -> Option<Upstream> {
    let text = section.needed("url", "write url = \"mqtts://broker.example:8883\"");
    let url = text.and_then(|text| {
        let url = values::url(&text, &[("mqtt", 1883), ("mqtts", 8883)]);
        if url.is_none() {
            let mend = "write mqtts://HOST:PORT (or mqtt:// on a trusted network)";
            section.fault("url", &format!("`{text}` is not an MQTT address"), mend);
        }
        url
    });
    let topic = section.text("topic").unwrap_or_else(|| "anju/1".to_owned());
    let topic_fits =
        !topic.is_empty() && !topic.contains(['+', '#']) && !topic.starts_with(['/', '$']);
    if !topic_fits {
        section.fault("topic", "it is not a topic prefix", "write topic = \"anju/1\"");
    }
    let upstream = Upstream {
        tls: url.as_ref().is_some_and(|url| url.0 == 1),
        host: url.as_ref().map(|url| url.1.clone()).unwrap_or_default(),
        port: url.as_ref().map_or(0, |url| url.2),
        topic,
        ca: section.path("ca"),
        client_cert: section.path("client_cert"),
        client_key: section.path("client_key"),
        command_key: section.path("command_key"),
        username: section.text("username"),
        password_file: section.path("password_file"),
        heartbeat: section.duration("heartbeat", SECOND, 60 * MINUTE).unwrap_or(MINUTE),
    };
    if upstream.tls && upstream.ca.is_none() && !section.has("ca") {
        section.missing("ca", "name the file with the CA that signed the broker's certificate");
    }
    if upstream.client_cert.is_some() != upstream.client_key.is_some() {
        let key = if upstream.client_cert.is_some() { "client_cert" } else { "client_key" };
        section.fault(key, "certificate and key go together", "give client_cert and client_key");
    }
    section.finish();
    (url.is_some() && topic_fits).then_some(upstream)
}

fn web(section: &mut Section<'_, '_>, parts: &mut Parts) {
    if let Some(text) = section.text("listen") {
        match text.parse::<SocketAddr>() {
            Ok(listen) if listen.ip().is_loopback() => parts.web.listen = listen,
            Ok(listen) => {
                let mend = "use 127.0.0.1 until the page has a sign-in; it listens there";
                section.fault("listen", "only loopback is allowed", mend);
                parts.web.listen = (IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port()).into();
            }
            Err(_) => {
                let mend = "write it as \"127.0.0.1:8080\"";
                section.fault("listen", &format!("`{text}` is not an address"), mend);
            }
        }
    }
    section.finish();
}

fn journal(section: &mut Section<'_, '_>, parts: &mut Parts) {
    if let Some(text) = section.text("max_bytes") {
        match values::size(&text) {
            Some(bytes) if (16 << 20..=1 << 40).contains(&bytes) => {
                parts.journal.max_bytes = bytes;
            }
            _ => {
                let mend = "write a size of 16 MiB or more, such as \"512MiB\"";
                section.fault("max_bytes", &format!("`{text}` is not a usable size"), mend);
            }
        }
    }
    section.finish();
}

fn read_ntfy(section: &mut Section<'_, '_>) -> Option<Ntfy> {
    let url = section.needed("url", "write url = \"https://ntfy.example\"").filter(|url| {
        let fine = values::url(url, &[("https", 443), ("http", 80)]).is_some();
        if !fine {
            let mend = "write https://HOST[:PORT] without a path";
            section.fault("url", &format!("`{url}` is not a web address"), mend);
        }
        fine
    });
    let token_file = section.path("token_file");
    let details = section.flag("details").unwrap_or(false);
    section.finish();
    let url = url?.trim_end_matches('/').to_owned();
    Some(Ntfy { url, token_file, details })
}
