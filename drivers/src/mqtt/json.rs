//! Plain JSON: any device that publishes JSON of its own, understood by the rows of its configuration
//! (`[[device.map]]`), each from a JSON pointer to the field of a fact. Rows for one fact that find
//! their values in one message make one observation. It must never guess: what no row names, or what
//! a row's words do not know, is passed over.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use anju_model::config::{JsonBinding, JsonRow, JsonSource, Zone};
use anju_model::observation::{Form, Origin};
use anju_model::{DeviceId, Fact, Observation};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::dialect::{Dialect, Heard, Malformed};
use super::fence::{Fence, Fix};
use super::value::{flag, number, short, word};
use super::voice::{Source, Voice, Weight, weight};

#[derive(Debug)]
struct Speaker {
    voice: Voice,
    binding: JsonBinding,
    fence: Fence,
    /// The last value of each row of which only a change counts. A message without it says nothing
    /// of it.
    last: HashMap<usize, Value>,
}

/// All configured devices.
#[derive(Debug)]
pub struct Json {
    prefix: String,
    speakers: Vec<Speaker>,
}

/// A device's value as a field may hold it.
fn convert(row: &JsonRow, value: &Value) -> Option<Value> {
    match &row.source {
        JsonSource::Fixed(fixed) => Some(fixed.clone()),
        JsonSource::Words(words) => words.get(&word(value)?).cloned(),
        JsonSource::Plain { scale, offset, min, max } => match row.form {
            Form::Flag => flag(value).map(Value::Bool),
            Form::Text => word(value).map(|text| short(&text)).map(Value::String),
            Form::Word(_) => None,
            Form::Number | Form::Whole => {
                let number = number(value)? * scale + offset;
                let in_range = min.is_none_or(|min| number >= min)
                    && max.is_none_or(|max| number <= max)
                    && number.is_finite();
                match row.form {
                    _ if !in_range => None,
                    Form::Number => Some(Value::from(number)),
                    // Counts beyond 2^53 are no counts.
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    _ => (0.0..9e15).contains(&number).then(|| Value::from(number.round() as u64)),
                }
            }
        },
    }
}

impl Speaker {
    fn rows<'a>(&'a self, topic: &'a str) -> impl Iterator<Item = (usize, &'a JsonRow)> {
        self.binding.rows.iter().enumerate().filter(move |(_, row)| row.topic == topic)
    }

    fn hear(
        &mut self,
        topic: &str,
        document: &Value,
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let mut found: BTreeMap<&str, Vec<(usize, &JsonRow, Value)>> = BTreeMap::new();
        let mut fixed_only: BTreeMap<&str, bool> = BTreeMap::new();
        let mut changes: Vec<(usize, Value)> = Vec::new();
        for (at, row) in self.rows(topic) {
            let fixed = matches!(row.source, JsonSource::Fixed(_));
            *fixed_only.entry(&row.what).or_insert(true) &= fixed;
            let place = document.pointer(&row.pointer).filter(|value| !value.is_null());
            // Only a message that holds the value counts. One that is empty is all there is.
            let value = match place {
                Some(place) => {
                    if row.on_change && !heard.retain {
                        changes.push((at, place.clone()));
                        if self.last.get(&at) == Some(place) {
                            continue;
                        }
                    }
                    convert(row, place)
                }
                None if fixed && row.pointer.is_empty() => convert(row, &Value::Null),
                None => None,
            };
            if let Some(value) = value {
                found.entry(&row.what).or_default().push((at, row, value));
            }
        }
        let mut facts: Vec<Fact> = Vec::new();
        for (what, values) in found {
            let real = values.iter().any(|(_, row, _)| !matches!(row.source, JsonSource::Fixed(_)));
            if !real && fixed_only.get(what) != Some(&true) {
                continue;
            }
            let has = |name: &str| values.iter().any(|(_, row, _)| row.field == name);
            let fields = Fact::fields(what).unwrap_or_default();
            if fields.iter().any(|field| field.required && !has(field.name)) {
                continue;
            }
            let data: Map<String, Value> =
                values.iter().map(|(_, row, value)| (row.field.clone(), value.clone())).collect();
            facts.extend(Fact::from_data(what, &data)?);
        }
        let reach_only = self.rows(topic).all(|(_, row)| row.what == "online");
        self.last.extend(changes);
        Ok(self.say(facts, reach_only, heard))
    }

    fn say(&mut self, facts: Vec<Fact>, reach_only: bool, heard: Heard) -> Vec<Observation> {
        let mut said = Vec::new();
        let mut weighed = Vec::new();
        for fact in facts {
            match fact {
                Fact::Online(online) => {
                    let reason = online.reason.as_deref().unwrap_or("it says that it is offline");
                    said.extend(self.voice.reach(Source::Own, online.online, reason));
                }
                Fact::Location(location) => {
                    let fix = location.latitude_degrees.zip(location.longitude_degrees);
                    let fix =
                        fix.and_then(|(lat, lon)| Fix::new(lat, lon, location.accuracy_metres));
                    for crossing in fix.into_iter().flat_map(|fix| self.fence.judge(&fix, None)) {
                        let weight = if crossing.first { Weight::Baseline } else { Weight::News };
                        weighed.push((crossing.location.into(), weight));
                    }
                    let fact = Fact::Location(location);
                    weighed.push((fact.clone(), weight(&fact)));
                }
                fact => weighed.push((fact.clone(), weight(&fact))),
            }
        }
        // Whether it runs is said by its broker for it, which is no sign of life.
        if !reach_only {
            weighed.sort_by_key(|(_, weight)| *weight != Weight::Event);
            said.splice(0..0, self.voice.hear(weighed, None, heard));
        }
        said
    }
}

impl Json {
    /// Devices below `base`, which may be empty, with the circles that locators tell of.
    pub fn new(base: &str, devices: Vec<(Origin, JsonBinding)>, zones: &[Zone]) -> Self {
        let prefix = if base.is_empty() { String::new() } else { format!("{base}/") };
        let speaker = |(origin, binding)| Speaker {
            voice: Voice::new(origin),
            binding,
            fence: Fence::new(zones),
            last: HashMap::new(),
        };
        Self { prefix, speakers: devices.into_iter().map(speaker).collect() }
    }
}

impl Dialect for Json {
    fn filters(&self) -> Vec<String> {
        let rows = self.speakers.iter().flat_map(|speaker| &speaker.binding.rows);
        let mut topics: Vec<String> =
            rows.map(|row| format!("{}{}", self.prefix, row.topic)).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    fn owner(&self, topic: &str) -> Option<&Origin> {
        let topic = topic.strip_prefix(&self.prefix)?;
        let speaker = self.speakers.iter().find(|speaker| speaker.binding.topic == topic)?;
        Some(&speaker.voice.origin)
    }

    fn voice(&mut self, device: &DeviceId) -> Option<&mut Voice> {
        let mut voices = self.speakers.iter_mut().map(|one| &mut one.voice);
        voices.find(|voice| voice.origin.device == *device)
    }

    fn heard_on(&self, filter: &str) -> Vec<Origin> {
        let Some(topic) = filter.strip_prefix(&self.prefix) else { return Vec::new() };
        let heard = self.speakers.iter().filter(|speaker| speaker.rows(topic).next().is_some());
        heard.map(|speaker| speaker.voice.origin.clone()).collect()
    }

    fn connected(&mut self, _: Instant) {
        for speaker in &mut self.speakers {
            speaker.voice.connected();
        }
    }

    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let Some(topic) = topic.strip_prefix(&self.prefix) else { return Ok(Vec::new()) };
        if payload.is_empty() || !self.speakers.iter().any(|s| s.rows(topic).next().is_some()) {
            return Ok(Vec::new());
        }
        let whole = |speaker: &Speaker| speaker.rows(topic).all(|(_, row)| row.pointer.is_empty());
        let document = match serde_json::from_slice(payload) {
            Ok(document) => document,
            // A bare word such as `online` is no JSON, and is all that there is.
            Err(error) => match std::str::from_utf8(payload) {
                Ok(text) if self.speakers.iter().all(whole) => Value::from(text.trim()),
                _ => return Err(error.into()),
            },
        };
        let mut said = Vec::new();
        for speaker in &mut self.speakers {
            if speaker.rows(topic).next().is_some() {
                said.extend(speaker.hear(topic, &document, heard)?);
            }
        }
        Ok(said)
    }
}
