//! Entries as lines of text. An export line is the event as it goes upstream; its `data` already
//! holds `boot` and `mono_ms`, which are repeated at the top for tools that read lines only.

use anju_journal::{AtRest, Recording, Stats};
use serde_json::{Map, Value, json};

/// One line, with its end. What is not a JSON object is passed over: it can not be an entry.
pub fn line(body: &[u8]) -> Vec<u8> {
    let Ok(mut event) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return Vec::new();
    };
    for key in ["boot", "mono_ms"] {
        if let Some(value) = event.get("data").and_then(|data| data.get(key)).cloned() {
            event.insert(key.to_owned(), value);
        }
    }
    let mut line = Value::Object(event).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// The journal's figures as JSON.
pub fn stats(stats: &Stats) -> Value {
    let followers: Vec<Value> = stats
        .followers
        .iter()
        .map(|(name, lane, seq)| json!({"name": name, "lane": lane.name(), "acknowledged": seq}))
        .collect();
    json!({
        "epoch": stats.epoch,
        "last": stats.last,
        "durable": stats.durable,
        "first_alert": stats.first[0],
        "first_event": stats.first[1],
        "waiting": stats.waiting,
        "recording": stats.recording.is_active(),
        "trouble": match &stats.recording {
            Recording::Active => None,
            Recording::Suspended(trouble) => Some(trouble.to_string()),
        },
        "corrupt": stats.corrupt,
        "payload_bytes": stats.payload_bytes,
        "disk_bytes": stats.disk_bytes,
        "followers": followers,
    })
}

/// The same of a journal that no daemon has open; what only a daemon knows is `null`.
pub fn stats_at_rest(stats: &AtRest) -> Value {
    json!({
        "epoch": stats.epoch,
        "last": stats.last.unwrap_or(0),
        "durable": stats.last.unwrap_or(0),
        "first_alert": stats.first[0],
        "first_event": stats.first[1],
        "waiting": 0,
        "recording": false,
        "trouble": null,
        "corrupt": null,
        "payload_bytes": null,
        "disk_bytes": stats.disk_bytes,
        "followers": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_same_fields_with_and_without_a_daemon() {
        let with = stats(&Stats {
            epoch: 1,
            last: 0,
            durable: 0,
            first: [None; 2],
            waiting: 0,
            recording: Recording::Active,
            corrupt: 0,
            payload_bytes: 0,
            disk_bytes: 0,
            followers: Vec::new(),
        });
        let without =
            stats_at_rest(&AtRest { epoch: None, first: [None; 2], last: None, disk_bytes: None });
        let fields = |figures: &Value| -> Vec<String> {
            figures.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(fields(&with), fields(&without));
    }
}
