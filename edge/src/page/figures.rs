//! Figures of the box for monitoring.

use anju_model::Class;
use anju_web_setup::{Metric, MetricKind, Presence, Sample, Status};

use super::status::Look;

/// All figures.
pub fn metrics(status: &Status, look: &Look) -> Vec<Metric> {
    let mut metrics = vec![
        Metric::gauge(
            "anju_guarding_seconds",
            "Time on guard since the start; 0 while the home is not guarded.",
            seconds(status.guarding_since.map_or(0, |since| since.seconds)),
        ),
        Metric::gauges(
            "anju_alerts_open",
            "Open alerts, by class.",
            "class",
            [Class::Alarm, Class::Warning, Class::Request, Class::Fault].map(|class| {
                let open = status.alerts.iter().filter(|alert| alert.class == class).count();
                (class.to_string(), count(open))
            }),
        ),
        Metric::gauges(
            "anju_devices",
            "Configured devices, by presence.",
            "presence",
            [
                ("online", Presence::Online),
                ("offline", Presence::Offline),
                ("never_heard", Presence::NeverHeard),
                ("not_served", Presence::NotServed),
            ]
            .map(|(name, presence)| {
                let found = status.devices.iter().filter(|d| d.presence == presence).count();
                (name.to_owned(), count(found))
            }),
        ),
        Metric::gauges(
            "anju_device_heard_age_seconds",
            "Time since a device was last heard.",
            "device",
            status.devices.iter().filter_map(|device| {
                Some((device.id.to_string(), seconds(device.last_heard?.seconds)))
            }),
        ),
        Metric::gauges(
            "anju_device_battery_percent",
            "Charge of a device's battery.",
            "device",
            status.devices.iter().filter_map(|device| {
                Some((device.id.to_string(), f64::from(device.battery_percent?)))
            }),
        ),
        Metric::gauges(
            "anju_link_up",
            "1 while a link works.",
            "link",
            status.links.iter().map(|link| (link.id.to_string(), f64::from(u8::from(link.up)))),
        ),
        proofs(status),
        failing(status),
        Metric::gauge(
            "anju_configuration_faults",
            "Parts of the configuration that can not be used.",
            count(status.config_faults.len()),
        ),
    ];
    metrics.extend(uplinks(status));
    metrics.extend(journal(status, look));
    metrics.extend(upstream(status));
    metrics
}

fn proofs(status: &Status) -> Metric {
    let samples = status.channels.iter().filter_map(|channel| {
        let contact = channel.contact.clone().unwrap_or_default();
        let labels = vec![("channel", channel.name.clone()), ("contact", contact)];
        let newest = channel.proved.into_iter().chain(channel.checked).map(|ago| ago.seconds);
        Some(Sample { labels, value: seconds(newest.min()?) })
    });
    Metric {
        name: "anju_channel_proved_age_seconds",
        help: "Time since a way out last reached its human or far side, or was made sure of.",
        kind: MetricKind::Gauge,
        samples: samples.collect(),
    }
}

fn failing(status: &Status) -> Metric {
    let samples = status.channels.iter().map(|channel| {
        let contact = channel.contact.clone().unwrap_or_default();
        let labels = vec![("channel", channel.name.clone()), ("contact", contact)];
        Sample { labels, value: f64::from(u8::from(channel.failing.is_some())) }
    });
    Metric {
        name: "anju_channel_failing",
        help: "1 while a way out fails or can not be proved.",
        kind: MetricKind::Gauge,
        samples: samples.collect(),
    }
}

fn uplinks(status: &Status) -> [Metric; 3] {
    let flag = |value: bool| f64::from(u8::from(value));
    let links = &status.uplinks.links;
    let reaches = links.iter().filter_map(|l| Some((l.interface.clone(), flag(l.reaches?))));
    let preferred = links.iter().map(|l| (l.interface.clone(), flag(l.preferred)));
    [
        Metric::gauge(
            "anju_uplinks_managed",
            "1 while NetworkManager is there and the links are chosen among.",
            flag(status.uplinks.unmanaged.is_none()),
        ),
        Metric::gauges(
            "anju_uplink_reaches",
            "1 while a server answers over a link into the Internet.",
            "interface",
            reaches,
        ),
        Metric::gauges(
            "anju_uplink_preferred",
            "1 for the link that what leaves goes by.",
            "interface",
            preferred,
        ),
    ]
}

fn journal(status: &Status, look: &Look) -> Vec<Metric> {
    let journal = &status.journal;
    let mut metrics = vec![
        Metric::gauge(
            "anju_journal_recording",
            "1 while entries reach the disk.",
            f64::from(u8::from(journal.recording)),
        ),
        Metric::gauge("anju_journal_epoch", "Epoch of the numbers.", seconds(journal.epoch)),
        Metric::gauge(
            "anju_journal_newest_entry_number",
            "Number of the newest entry.",
            seconds(journal.newest_seq),
        ),
        Metric::gauge("anju_journal_disk_bytes", "Bytes on the disk.", seconds(journal.bytes)),
    ];
    if let Some((_, stats)) = &look.figures {
        metrics.push(Metric::gauge(
            "anju_journal_waiting_entries",
            "Entries that wait for the disk.",
            count(stats.waiting),
        ));
        metrics.push(Metric::counter(
            "anju_journal_broken_records_total",
            "Records found broken since the start.",
            stats.corrupt,
        ));
    }
    metrics
}

fn upstream(status: &Status) -> Vec<Metric> {
    let Some(upstream) = &status.upstream else { return Vec::new() };
    vec![
        Metric::gauge(
            "anju_upstream_connected",
            "1 while the session with the centre stands.",
            f64::from(u8::from(upstream.connected)),
        ),
        Metric::gauge(
            "anju_upstream_backlog_entries",
            "Entries that the centre has not acknowledged.",
            seconds(upstream.backlog),
        ),
        Metric::gauge(
            "anju_upstream_backlog_alert_entries",
            "Alert entries among them.",
            seconds(upstream.alert_backlog),
        ),
    ]
}

// Prometheus knows only floats; 2^53 of anything is beyond a box's life.
#[allow(clippy::cast_precision_loss)]
const fn seconds(value: u64) -> f64 {
    value as f64
}

#[allow(clippy::cast_precision_loss)]
const fn count(value: usize) -> f64 {
    value as f64
}
