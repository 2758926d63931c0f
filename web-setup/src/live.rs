//! Live changes as server-sent events. One task compares the box with how it was and tells all
//! open streams; a stream begins with the whole status and gets it again if it fell behind. A slow
//! reader must never hold up the box or another reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use futures::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

use crate::view::{BoxView, Status};

/// Events a stream may be behind before it gets the whole status instead.
const BEHIND: usize = 64;

/// Changes within this time are told together.
const TOGETHER: Duration = Duration::from_millis(50);

/// A stream without a beat for longer is broken.
const BEAT: Duration = Duration::from_secs(10);

/// Tells changes to all open streams.
pub struct Hub {
    view: Arc<dyn BoxView>,
    told: broadcast::Sender<Bytes>,
    places: Arc<Semaphore>,
    /// What the open streams know, if there are any.
    known: Mutex<Option<Value>>,
}

impl Hub {
    /// A hub for so many streams.
    pub fn new(view: Arc<dyn BoxView>, streams: usize) -> Arc<Self> {
        let (told, _) = broadcast::channel(BEHIND);
        Arc::new(Self {
            view,
            told,
            places: Arc::new(Semaphore::new(streams)),
            known: Mutex::default(),
        })
    }

    /// Compares and tells, for as long as it is polled.
    pub async fn run(&self) {
        let mut changes = self.view.changes();
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let changed = tokio::select! {
                changed = changes.changed() => changed.is_ok(),
                _ = beat.tick() => {
                    self.tell(event("beat", &json!({})));
                    continue;
                }
            };
            if !changed {
                return;
            }
            self.compare();
            tokio::time::sleep(TOGETHER).await;
        }
    }

    fn compare(&self) {
        let mut known = self.known();
        if self.told.receiver_count() == 0 {
            *known = None;
        } else if let Some(before) = known.as_mut() {
            let now = parts(&self.view.status());
            differences(before, &now).into_iter().for_each(|event| self.tell(event));
            *before = now;
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Value>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Bytes) {
        // Nobody may be listening.
        let _ = self.told.send(event);
    }

    /// Opens a stream.
    pub fn stream(&self) -> Response {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let retry = [(header::RETRY_AFTER, "30")];
            let why = "too many pages are open: close one\n";
            return (StatusCode::SERVICE_UNAVAILABLE, retry, why).into_response();
        };
        // Listening begins before the status is taken, so that no change falls between.
        let told = self.told.subscribe();
        let first = Bytes::from_static(b"retry: 2000\n\n");
        let status = parts(&self.view.status());
        let first_event = event("status", &status);
        self.known().get_or_insert(status);
        let listener = Listener { told, view: self.view.clone(), _place: place };
        let rest = stream::unfold(listener, Listener::next);
        let events =
            stream::iter([first, first_event]).chain(rest).map(Ok::<_, std::convert::Infallible>);
        let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")];
        (headers, Body::from_stream(events)).into_response()
    }
}

struct Listener {
    told: broadcast::Receiver<Bytes>,
    view: Arc<dyn BoxView>,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let event = match self.told.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                self.told = self.told.resubscribe();
                event("status", &self.view.status())
            }
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        Some((event, self))
    }
}

fn event(name: &str, data: &impl Serialize) -> Bytes {
    // JSON has no line ends of its own, and plain data always encodes.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

fn parts(status: &Status) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// What to tell of the difference between two statuses.
fn differences(before: &Value, now: &Value) -> Vec<Bytes> {
    let mut events = Vec::new();
    let list = |status: &Value, name: &str| -> Vec<Value> {
        status[name].as_array().cloned().unwrap_or_default()
    };
    let (was, is) = (list(before, "alerts"), list(now, "alerts"));
    for alert in &is {
        let old = was.iter().find(|old| old["id"] == alert["id"]);
        if !old.is_some_and(|old| alike(old, alert)) {
            events.push(event("alert", alert));
        }
    }
    for old in &was {
        if !is.iter().any(|alert| alert["id"] == old["id"]) {
            events.push(event("alert_over", &json!({"id": old["id"]})));
        }
    }
    let (was, is) = (list(before, "devices"), list(now, "devices"));
    let same_devices =
        was.len() == is.len() && was.iter().zip(&is).all(|(a, b)| a["id"] == b["id"]);
    if !same_devices {
        return vec![event("status", now)];
    }
    for (old, device) in was.iter().zip(&is).filter(|(old, device)| !alike(old, device)) {
        debug_assert_eq!(old["id"], device["id"]);
        events.push(event("device", device));
    }
    let (was, is) = (rest(before), rest(now));
    if !alike(&was, &is) {
        events.push(event("box", &is));
    }
    events
}

/// The status without what has events of its own.
fn rest(status: &Value) -> Value {
    let mut rest = status.clone();
    if let Some(fields) = rest.as_object_mut() {
        for name in ["alerts", "devices", "now"] {
            fields.shift_remove(name);
        }
    }
    rest
}

/// Whether nothing but the age changed: a greater age is the same moment, a smaller one another.
fn alike(before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            before.len() == now.len()
                && before.iter().all(|(name, old)| {
                    now.get(name).is_some_and(|new| match (name.as_str(), old.as_u64()) {
                        ("seconds", Some(old)) => new.as_u64().is_some_and(|new| new >= old),
                        _ => alike(old, new),
                    })
                })
        }
        (Value::Array(before), Value::Array(now)) => {
            before.len() == now.len() && before.iter().zip(now).all(|(old, new)| alike(old, new))
        }
        _ => before == now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(alerts: &Value, devices: &Value, newest: u64) -> Value {
        json!({"now": newest, "alerts": alerts, "devices": devices, "journal": {"newest": newest}})
    }

    fn told(before: &Value, now: &Value) -> Vec<String> {
        let text = |event: Bytes| String::from_utf8(event.to_vec()).unwrap();
        differences(before, now).into_iter().map(text).collect()
    }

    #[test]
    fn only_what_changed_is_told() {
        let door = |open: bool, seconds: u64| json!([{"id": "door", "open": open, "ago": {"seconds": seconds}}]);
        let before = status(&json!([]), &door(false, 5), 1);
        assert!(told(&before, &status(&json!([]), &door(false, 9), 1)).is_empty());
        let heard_anew = told(&before, &status(&json!([]), &door(false, 0), 1));
        assert_eq!(
            heard_anew,
            ["event: device\ndata: {\"id\":\"door\",\"open\":false,\"ago\":{\"seconds\":0}}\n\n"]
        );
        let alarm = json!([{"id": "b/1/2", "text": "a\nb"}]);
        let raised = status(&alarm, &door(false, 5), 2);
        assert_eq!(
            told(&before, &raised),
            [
                "event: alert\ndata: {\"id\":\"b/1/2\",\"text\":\"a\\nb\"}\n\n",
                "event: box\ndata: {\"journal\":{\"newest\":2}}\n\n"
            ]
        );
        assert_eq!(
            told(&raised, &status(&json!([]), &door(false, 5), 2)),
            ["event: alert_over\ndata: {\"id\":\"b/1/2\"}\n\n"]
        );
    }

    #[test]
    fn another_list_of_devices_is_told_whole() {
        let before = status(&json!([]), &json!([{"id": "a"}]), 1);
        let now = status(&json!([]), &json!([{"id": "b"}]), 1);
        assert!(told(&before, &now)[0].starts_with("event: status\n"));
    }
}
