//! Figures in the Prometheus text format (version 0.0.4). A name must carry its unit, and nothing
//! from a device can break the format.

use std::fmt::Write as _;

/// Content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a figure does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from zero at each start.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// One figure with its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name with the unit, such as `anju_journal_bytes`; `_total` at the end of counters.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What it does over time.
    pub kind: MetricKind,
    /// Its values.
    pub samples: Vec<Sample>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Labels in their order.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

impl Metric {
    /// A counter with one value.
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        // Prometheus knows only floats; 2^53 of anything is beyond a box's life.
        #[allow(clippy::cast_precision_loss)]
        let value = value as f64;
        Self {
            name,
            help,
            kind: MetricKind::Counter,
            samples: vec![Sample { labels: Vec::new(), value }],
        }
    }

    /// A gauge with one value.
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self {
            name,
            help,
            kind: MetricKind::Gauge,
            samples: vec![Sample { labels: Vec::new(), value }],
        }
    }

    /// A gauge with a value for each label.
    pub fn gauges(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (String, f64)>,
    ) -> Self {
        let samples = values
            .into_iter()
            .map(|(text, value)| Sample { labels: vec![(label, text)], value })
            .collect();
        Self { name, help, kind: MetricKind::Gauge, samples }
    }
}

/// Writes the figures. A figure whose name or label name is not one is left out.
pub fn render(metrics: &[Metric]) -> String {
    let mut out = String::with_capacity(metrics.len() * 120);
    for metric in metrics.iter().filter(|metric| is_name(metric.name)) {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String can not fail.
        let _ = writeln!(out, "# HELP {} {help}\n# TYPE {} {kind}", metric.name, metric.name);
        for sample in &metric.samples {
            out.push_str(metric.name);
            let labels: Vec<String> = sample
                .labels
                .iter()
                .filter(|(name, _)| is_name(name))
                .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
                .collect();
            if !labels.is_empty() {
                let _ = write!(out, "{{{}}}", labels.join(","));
            }
            let _ = writeln!(out, " {}", number(sample.value));
        }
    }
    out
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = [
            Metric::counter("anju_journal_entries_total", "Entries written.", 7),
            Metric::gauges(
                "anju_device_battery_percent",
                "Battery.",
                "device",
                [("a\"b\\c\nd".to_owned(), 80.5)],
            ),
            Metric::gauge("anju_x", "X.", f64::INFINITY),
            Metric::gauge("bad name", "left out", 1.0),
        ];
        assert_eq!(
            render(&metrics),
            "# HELP anju_journal_entries_total Entries written.\n\
             # TYPE anju_journal_entries_total counter\n\
             anju_journal_entries_total 7\n\
             # HELP anju_device_battery_percent Battery.\n\
             # TYPE anju_device_battery_percent gauge\n\
             anju_device_battery_percent{device=\"a\\\"b\\\\c\\nd\"} 80.5\n\
             # HELP anju_x X.\n# TYPE anju_x gauge\nanju_x +Inf\n"
        );
    }
}
