//! Journal entries. An entry's body is a CloudEvents 1.0 JSON object (CNCF, version 1.0.2), built
//! once with its number and then kept as those very bytes: journal, export and upstream see the
//! same. Fields and types that this version does not know therefore survive in the bytes.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::delivery::DeliveryState;
use crate::{AlertChange, BoxEvent, BoxId, Clock, Delivery, EntryId, Observation, Stamp};

/// Content type of an entry's body.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Which of the two ways upstream an entry takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Alerts and their changes.
    Alerts,
    /// All else.
    Events,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// What a device said.
    Observation(Observation),
    /// A step of an alert's life.
    Alert(AlertChange),
    /// What left the box.
    Delivery(Delivery),
    /// What the box did.
    Box(BoxEvent),
    /// Written by another version; the bytes keep it.
    Unknown {
        /// Its CloudEvents type.
        event_type: String,
    },
}

/// An entry with its number and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub id: EntryId,
    /// When.
    pub stamp: Stamp,
    /// What.
    pub body: Body,
}

/// Why bytes are not an entry.
#[derive(Debug, Error)]
pub enum EntryError {
    /// Not the JSON of an entry.
    #[error("not an entry: {0}; only lines that `anju journal export` wrote can be read")]
    Json(#[from] serde_json::Error),
    /// The id is not one.
    #[error("the entry's id is wrong: {0}")]
    Id(#[from] crate::IdError),
    /// The object misses a field that every entry has.
    #[error("the entry has no valid `{0}`")]
    Missing(&'static str),
}

const OBSERVATION: &str = "cn.anju.observation.";
const ALERT: &str = "cn.anju.alert.";
const DELIVERY: &str = "cn.anju.delivery.";
const BOX: &str = "cn.anju.box.";

impl Body {
    /// Which lane it takes.
    pub const fn lane(&self) -> Lane {
        match self {
            Body::Alert(_) => Lane::Alerts,
            // Who is to be called through the centre must not wait behind readings.
            Body::Delivery(d) if matches!(d.state, DeliveryState::Requested) => Lane::Alerts,
            _ => Lane::Events,
        }
    }

    fn type_parts(&self) -> (&'static str, &str) {
        match self {
            Body::Observation(o) => (OBSERVATION, o.fact.what()),
            Body::Alert(a) => (ALERT, a.step.name()),
            Body::Delivery(d) => (DELIVERY, d.state.name()),
            Body::Box(b) => (BOX, b.name()),
            Body::Unknown { event_type } => ("", event_type),
        }
    }

    /// The CloudEvents type.
    pub fn event_type(&self) -> String {
        let (prefix, name) = self.type_parts();
        format!("{prefix}{name}")
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'a str,
    id: String,
    source: String,
    r#type: String,
    time: String,
    datacontenttype: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    epoch: u64,
    seq: u64,
    boot: &'a str,
    mono_ms: u64,
    clock: Clock,
    #[serde(flatten)]
    body: Payload<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payload<'a> {
    Observation(&'a Observation),
    Alert(&'a AlertChange),
    Delivery(&'a Delivery),
    Box(&'a BoxEvent),
    Unknown {},
}

/// Builds the body's bytes.
///
/// # Errors
/// Only if a value can not be JSON, which the vocabulary's types exclude.
pub fn encode(
    box_id: &BoxId,
    epoch: u64,
    seq: u64,
    stamp: &Stamp,
    zone: &TimeZone,
    body: &Body,
) -> Result<Vec<u8>, serde_json::Error> {
    let payload = match body {
        Body::Observation(o) => Payload::Observation(o),
        Body::Alert(a) => Payload::Alert(a),
        Body::Delivery(d) => Payload::Delivery(d),
        Body::Box(b) => Payload::Box(b),
        Body::Unknown { .. } => Payload::Unknown {},
    };
    let mut bytes = Vec::with_capacity(512);
    serde_json::to_writer(
        &mut bytes,
        &Envelope {
            specversion: "1.0",
            id: format!("{box_id}/{epoch}/{seq}"),
            source: format!("/boxes/{box_id}"),
            r#type: body.event_type(),
            time: rfc3339(stamp.wall, zone),
            datacontenttype: "application/json",
            data: Data {
                epoch,
                seq,
                boot: &stamp.boot,
                mono_ms: stamp.mono_ms,
                clock: stamp.clock,
                body: payload,
            },
        },
    )?;
    Ok(bytes)
}

/// RFC 3339 with milliseconds and the zone's offset at that moment.
pub fn rfc3339(time: jiff::Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(time);
    format!("{:.3}", time.display_with_offset(offset))
}

#[derive(Deserialize)]
struct Received {
    id: String,
    r#type: String,
    time: String,
    data: Map<String, Value>,
}

/// Reads a body's bytes. Types, fields and words of other versions are not errors: an entry of which
/// this version does not understand what it must is [`Body::Unknown`].
///
/// # Errors
/// [`EntryError`] if the bytes are not an entry.
pub fn decode(bytes: &[u8]) -> Result<Entry, EntryError> {
    let received: Received = serde_json::from_slice(bytes)?;
    let data = &received.data;
    let stamp = Stamp {
        boot: data
            .get("boot")
            .and_then(Value::as_str)
            .ok_or(EntryError::Missing("data.boot"))?
            .into(),
        mono_ms: data
            .get("mono_ms")
            .and_then(Value::as_u64)
            .ok_or(EntryError::Missing("data.mono_ms"))?,
        wall: received.time.parse().map_err(|_| EntryError::Missing("time"))?,
        clock: data
            .get("clock")
            .and_then(|clock| Clock::deserialize(clock).ok())
            .ok_or(EntryError::Missing("data.clock"))?,
    };
    let known = if let Some(what) = received.r#type.strip_prefix(OBSERVATION) {
        Observation::from_data(what, data).map(|known| known.map(Body::Observation))
    } else if let Some(name) = received.r#type.strip_prefix(ALERT) {
        AlertChange::from_data(name, data).map(|known| known.map(Body::Alert))
    } else if let Some(name) = received.r#type.strip_prefix(DELIVERY) {
        Delivery::from_data(name, data).map(|known| known.map(Body::Delivery))
    } else if let Some(name) = received.r#type.strip_prefix(BOX) {
        BoxEvent::from_data(name, data).map(|known| known.map(Body::Box))
    } else {
        Ok(None)
    };
    let body = known.ok().flatten().unwrap_or(Body::Unknown { event_type: received.r#type });
    Ok(Entry { id: received.id.parse()?, stamp, body })
}

#[cfg(test)]
mod tests;
