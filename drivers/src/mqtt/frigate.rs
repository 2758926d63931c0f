//! Frigate (docs.frigate.video, "MQTT"): people, falls and movement that it recognised. Its false
//! positives, low scores and zones that do not count are left out. It must never take in a picture,
//! a name or a face: only that somebody is there.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use anju_model::Observation;
use anju_model::config::{FrigateBinding, FrigateSource};
use anju_model::observation::{Camera, Origin, Seen};
use serde::Deserialize;
use tokio::time::Instant;

use super::dialect::{Dialect, Heard, Malformed, below};
use super::voice::{Source, Voice, Weight};

/// Most objects followed at one camera; a busy street has fewer.
const MOST_OBJECTS: usize = 256;

/// A configured camera.
#[derive(Debug)]
struct Watched {
    voice: Voice,
    binding: FrigateBinding,
    /// What is seen now, by Frigate's id.
    seen: BTreeSet<(u8, String)>,
}

/// One Frigate with the configured cameras.
#[derive(Debug)]
pub struct Frigate {
    base: String,
    cameras: Vec<Watched>,
}

#[derive(Deserialize)]
struct Change<T> {
    #[serde(rename = "type")]
    kind: String,
    after: T,
}

#[derive(Deserialize)]
struct Object {
    id: String,
    camera: String,
    label: String,
    #[serde(default)]
    top_score: Option<f64>,
    #[serde(default)]
    score: Option<f64>,
    #[serde(default)]
    false_positive: Option<bool>,
    #[serde(default)]
    current_zones: Vec<String>,
}

#[derive(Deserialize)]
struct Review {
    id: String,
    camera: String,
    #[serde(default)]
    data: ReviewData,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReviewData {
    objects: Vec<String>,
    zones: Vec<String>,
}

/// What a label means to us. Frigate adds `-verified` when it also knows the name.
fn seen(label: &str) -> Option<Seen> {
    match label.strip_suffix("-verified").unwrap_or(label) {
        "person" => Some(Seen::Person),
        "fall" | "fallen" | "fallen_person" => Some(Seen::Fall),
        _ => None,
    }
}

const fn number(seen: Seen) -> u8 {
    match seen {
        Seen::Person => 0,
        Seen::Fall => 1,
        Seen::Motion => 2,
    }
}

impl Watched {
    fn zone_counts(&self, zones: &[String]) -> bool {
        let wanted = &self.binding.zones;
        wanted.is_empty() || zones.iter().any(|zone| wanted.contains(zone))
    }

    fn object_counts(&self, object: &Object) -> bool {
        let score = object.top_score.or(object.score).unwrap_or(0.0) * 100.0;
        object.false_positive != Some(true)
            && score >= f64::from(self.binding.min_score)
            && self.zone_counts(&object.current_zones)
    }

    /// Follows one object; tells when the first came and the last went.
    fn follow(
        &mut self,
        what: Seen,
        id: String,
        counts: bool,
        ended: bool,
        heard: Heard,
    ) -> Vec<Observation> {
        let key = (number(what), id);
        let any = |seen: &BTreeSet<(u8, String)>| seen.iter().any(|(n, _)| *n == number(what));
        let before = any(&self.seen);
        let known = self.seen.contains(&key);
        if !counts || ended {
            self.seen.remove(&key);
        } else if self.seen.len() < MOST_OBJECTS {
            self.seen.insert(key);
        }
        let now = any(&self.seen);
        let camera = |active| (Camera { seen: what, active }.into(), Weight::State);
        let mut facts = Vec::new();
        if now || (counts && ended && !known) {
            facts.push(camera(true));
        }
        if !now && (before || (counts && ended)) {
            facts.push(camera(false));
        }
        if facts.is_empty() { Vec::new() } else { self.voice.hear(facts, None, heard) }
    }

    /// Frigate began anew or is gone: what it saw is over.
    fn forget(&mut self, heard: Heard) -> Vec<Observation> {
        let gone = std::mem::take(&mut self.seen);
        let mut facts = Vec::new();
        for what in [Seen::Person, Seen::Fall] {
            if gone.iter().any(|(n, _)| *n == number(what)) {
                facts.push((Camera { seen: what, active: false }.into(), Weight::State));
            }
        }
        if facts.is_empty() { Vec::new() } else { self.voice.hear(facts, None, heard) }
    }
}

fn word(payload: &[u8]) -> Result<&str, Malformed> {
    let text = std::str::from_utf8(payload);
    text.map_err(|_| Malformed::Value("the payload is not UTF-8".to_owned()))
}

fn switch(payload: &[u8]) -> Result<bool, Malformed> {
    match word(payload)? {
        "ON" => Ok(true),
        "OFF" => Ok(false),
        _ => Err(Malformed::Value("neither ON nor OFF".to_owned())),
    }
}

impl Frigate {
    /// A Frigate below `base` with the configured cameras.
    pub fn new(base: &str, cameras: Vec<(Origin, FrigateBinding)>) -> Self {
        let watched = |(origin, binding)| Watched {
            voice: Voice::new(origin),
            binding,
            seen: BTreeSet::new(),
        };
        Self { base: base.to_owned(), cameras: cameras.into_iter().map(watched).collect() }
    }

    fn camera(&mut self, name: &str) -> Option<&mut Watched> {
        self.cameras.iter_mut().find(|camera| camera.binding.camera == name)
    }

    fn event(&mut self, payload: &[u8], heard: Heard) -> Result<Vec<Observation>, Malformed> {
        let Change { kind, after } = serde_json::from_slice::<Change<Object>>(payload)?;
        let Some(what) = seen(&after.label) else { return Ok(Vec::new()) };
        let Some(camera) = self.camera(&after.camera) else { return Ok(Vec::new()) };
        if camera.binding.source != FrigateSource::Events {
            return Ok(Vec::new());
        }
        let counts = camera.object_counts(&after);
        Ok(camera.follow(what, after.id, counts, kind == "end", heard))
    }

    fn review(&mut self, payload: &[u8], heard: Heard) -> Result<Vec<Observation>, Malformed> {
        let Change { kind, after } = serde_json::from_slice::<Change<Review>>(payload)?;
        let Some(camera) = self.camera(&after.camera) else { return Ok(Vec::new()) };
        if camera.binding.source != FrigateSource::Reviews {
            return Ok(Vec::new());
        }
        let mut said = Vec::new();
        let counts = camera.zone_counts(&after.data.zones);
        let whats: BTreeSet<u8> =
            after.data.objects.iter().filter_map(|label| seen(label)).map(number).collect();
        for what in [Seen::Person, Seen::Fall] {
            let counts = counts && whats.contains(&number(what));
            said.extend(camera.follow(what, after.id.clone(), counts, kind == "end", heard));
        }
        Ok(said)
    }

    fn available(&mut self, online: bool, heard: Heard) -> Vec<Observation> {
        let mut said = Vec::new();
        for camera in &mut self.cameras {
            said.extend(camera.forget(Heard { retain: true, ..heard }));
            said.extend(camera.voice.reach(Source::Bridge, online, "Frigate is not running"));
        }
        said
    }
}

impl Dialect for Frigate {
    fn filters(&self) -> Vec<String> {
        // Not all of it: Frigate publishes pictures too.
        ["available", "events", "reviews", "+/motion", "+/status/detect"]
            .map(|topic| format!("{}/{topic}", self.base))
            .to_vec()
    }

    fn heard_on(&self, _: &str) -> Vec<Origin> {
        self.cameras.iter().map(|camera| camera.voice.origin.clone()).collect()
    }

    fn connected(&mut self, _: Instant) {
        for camera in &mut self.cameras {
            // Who went meanwhile would be seen for ever.
            camera.seen.clear();
            camera.voice.connected();
        }
    }

    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let Some(rest) = below(&self.base, topic) else { return Ok(Vec::new()) };
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        match rest {
            "events" if !heard.retain => return self.event(payload, heard),
            "reviews" if !heard.retain => return self.review(payload, heard),
            "available" => {
                return match word(payload)? {
                    "online" => Ok(self.available(true, heard)),
                    "offline" | "stopped" => Ok(self.available(false, heard)),
                    _ => Err(Malformed::Value("unknown availability".to_owned())),
                };
            }
            _ => {}
        }
        if let Some(camera) = rest.strip_suffix("/motion").and_then(|name| self.camera(name)) {
            let active = switch(payload)?;
            let fact = (Camera { seen: Seen::Motion, active }.into(), Weight::State);
            return Ok(camera.voice.hear(vec![fact], None, heard));
        }
        if let Some(camera) = rest.strip_suffix("/status/detect").and_then(|n| self.camera(n)) {
            let online = match word(payload)? {
                "online" => true,
                "offline" => false,
                // Switched off by its owner.
                _ => return Ok(Vec::new()),
            };
            let reason = "Frigate gets no picture of it";
            return Ok(camera.voice.reach(Source::Own, online, reason).into_iter().collect());
        }
        Ok(Vec::new())
    }
}
