//! OwnTracks (owntracks.org/booklet/tech/json): where a phone or tracker is, and which circles it
//! enters and leaves. Positions that are old, from the future or too inaccurate do not count. It
//! must never take a queued position of this morning for where the person is now, nor a phone that
//! changes from one network to another for one that is lost.

#[cfg(test)]
mod tests;

use std::time::Duration;

use anju_model::config::{OwnTracksBinding, Zone};
use anju_model::observation::{Battery, Location, Origin};
use anju_model::{DeviceId, Fact, Observation};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::dialect::{Dialect, Heard, Malformed, below};
use super::fence::{Crossing, Fence, Fix};
use super::value::{number, short};
use super::voice::{Source, Voice, Weight};

/// Clocks of phone and box may differ by this much, seconds.
const FUTURE: i64 = 120;

/// Before this the box's clock is surely not set: the first of January 2025, Unix seconds.
const CLOCK_SET: i64 = 1_735_689_600;

/// How long a phone may say nothing after its connection broke, unless it is to be heard sooner.
/// Each change between Wi-Fi and mobile network breaks it, and the app makes it anew by itself; but a
/// phone that lies still sends its next position (`"t":"p"`, owntracks.org/booklet/tech/json) only
/// after a while.
const LOST_AFTER: Duration = Duration::from_secs(30 * 60);

/// A phone of the configuration.
#[derive(Debug)]
pub struct Known {
    /// What its observations carry.
    pub origin: Origin,
    /// How it is found and believed.
    pub binding: OwnTracksBinding,
    /// Longest silence before it counts as lost.
    pub heard_within: Option<Duration>,
}

#[derive(Debug)]
struct Phone {
    voice: Voice,
    binding: OwnTracksBinding,
    /// How long after its connection broke it counts as lost.
    patience: Duration,
    /// When it counts as lost, since its connection broke and it has said nothing since.
    lost: Option<Instant>,
    fence: Fence,
    /// The time of the newest position that counted, Unix seconds.
    newest: i64,
}

/// All configured phones.
#[derive(Debug)]
pub struct OwnTracks {
    base: String,
    phones: Vec<Phone>,
}

fn crossed(crossing: Crossing) -> (Fact, Weight) {
    let weight = if crossing.first { Weight::Baseline } else { Weight::News };
    (crossing.location.into(), weight)
}

fn fix(fields: &Map<String, Value>) -> Option<Fix> {
    let get = |key: &str| fields.get(key).and_then(number);
    Fix::new(get("lat")?, get("lon")?, get("acc"))
}

impl Phone {
    /// Whether a position of this time counts; only ever newer ones do.
    fn fresh(&mut self, fields: &Map<String, Value>, heard: Heard) -> bool {
        #[allow(clippy::cast_possible_truncation, reason = "saturates, and is compared only")]
        let Some(time) = fields.get("tst").and_then(number).map(|t| t as i64) else { return false };
        let longest = i64::try_from(self.binding.fix_within.as_secs()).unwrap_or(i64::MAX);
        let age = heard.wall.saturating_sub(time);
        let in_time = heard.wall < CLOCK_SET || (-FUTURE..=longest).contains(&age);
        let counts = in_time && time >= self.newest;
        if counts {
            self.newest = time;
        }
        counts
    }

    fn location(&mut self, fields: &Map<String, Value>, heard: Heard) -> Vec<Observation> {
        let mut facts = Vec::new();
        if let Some(fix) = fix(fields)
            && self.fresh(fields, heard)
        {
            facts.extend(self.fence.judge(&fix, None).into_iter().map(crossed));
            facts.push((fix.location().into(), Weight::State));
        }
        let percent = fields.get("batt").and_then(number).filter(|p| (0.0..=100.0).contains(p));
        if percent.is_some() {
            let battery = Battery { percent, ..Battery::default() };
            facts.push((battery.into(), Weight::State));
        }
        self.voice.hear(facts, None, heard)
    }

    /// A circle of the app's own was entered or left. One that is configured here too is judged by
    /// its position, any other is told as the app says.
    fn transition(
        &mut self,
        fields: &Map<String, Value>,
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let entered = match text("event") {
            Some("enter") => true,
            Some("leave") => false,
            _ => return Err(Malformed::Value("neither enter nor leave".to_owned())),
        };
        let Some(name) = text("desc").map(short).filter(|name| !name.is_empty()) else {
            return Err(Malformed::Value("a transition of no zone".to_owned()));
        };
        if heard.retain || !self.fresh(fields, heard) {
            return Ok(self.voice.hear(Vec::new(), None, heard));
        }
        let fix = fix(fields);
        let known = self.fence.zone_named(&name).map(str::to_owned);
        let facts: Vec<_> = match (known, fix) {
            (Some(id), Some(fix)) => {
                let crossings = self.fence.judge(&fix, Some((&id, entered)));
                // The phone watched the edge: what it says of it did just happen.
                let sure = |crossing: Crossing| {
                    let ours = crossing.location.zone.as_ref() == Some(&id);
                    crossed(Crossing { first: crossing.first && !ours, ..crossing })
                };
                crossings.into_iter().map(sure).collect()
            }
            (Some(_), None) => Vec::new(),
            (None, fix) => {
                let at = fix.map(|fix| fix.location()).unwrap_or_default();
                let location = Location { zone: Some(name), entered: Some(entered), ..at };
                vec![(location.into(), Weight::News)]
            }
        };
        Ok(self.voice.hear(facts, None, heard))
    }
}

impl OwnTracks {
    /// Phones below `base`, each with the circles of the home.
    pub fn new(base: &str, phones: Vec<Known>, zones: &[Zone]) -> Self {
        let phone = |known: Known| Phone {
            voice: Voice::new(known.origin),
            binding: known.binding,
            patience: known.heard_within.map_or(LOST_AFTER, |within| within.min(LOST_AFTER)),
            lost: None,
            fence: Fence::new(zones),
            newest: 0,
        };
        Self { base: base.to_owned(), phones: phones.into_iter().map(phone).collect() }
    }
}

impl Dialect for OwnTracks {
    fn filters(&self) -> Vec<String> {
        let topics = |phone: &Phone| {
            let own = format!("{}/{}", self.base, phone.binding.address);
            [format!("{own}/event"), own]
        };
        self.phones.iter().flat_map(topics).collect()
    }

    fn owner(&self, topic: &str) -> Option<&Origin> {
        let rest = below(&self.base, topic)?;
        let phone = self.phones.iter().find(|phone| phone.binding.address == rest)?;
        Some(&phone.voice.origin)
    }

    fn voice(&mut self, device: &DeviceId) -> Option<&mut Voice> {
        let mut voices = self.phones.iter_mut().map(|one| &mut one.voice);
        voices.find(|voice| voice.origin.device == *device)
    }

    fn heard_on(&self, filter: &str) -> Vec<Origin> {
        self.owner(filter.strip_suffix("/event").unwrap_or(filter)).cloned().into_iter().collect()
    }

    fn connected(&mut self, _: Instant) {
        for phone in &mut self.phones {
            phone.voice.connected();
        }
    }

    fn understand(
        &mut self,
        topic: &str,
        payload: &[u8],
        heard: Heard,
    ) -> Result<Vec<Observation>, Malformed> {
        let Some(rest) = below(&self.base, topic) else { return Ok(Vec::new()) };
        let address = rest.strip_suffix("/event").unwrap_or(rest);
        let Some(phone) = self.phones.iter_mut().find(|phone| phone.binding.address == address)
        else {
            return Ok(Vec::new());
        };
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        let Value::Object(fields) = serde_json::from_slice(payload)? else {
            return Err(Malformed::NotAnObject);
        };
        let kind = fields.get("_type").and_then(Value::as_str);
        if !heard.retain && !matches!(kind, None | Some("lwt")) {
            phone.lost = None;
        }
        match kind {
            Some("location") => Ok(phone.location(&fields, heard)),
            Some("transition") => phone.transition(&fields, heard),
            // A will that the broker kept says nothing of now.
            Some("lwt") if heard.retain || phone.voice.lost() => Ok(Vec::new()),
            Some("lwt") => {
                phone.lost.get_or_insert(heard.at + phone.patience);
                Ok(Vec::new())
            }
            Some("encrypted") => Err(Malformed::Encrypted),
            // Waypoints, cards, steps and the like: circles are the household's to draw.
            Some(_) => Ok(phone.voice.hear(Vec::new(), None, heard)),
            None => Err(Malformed::Value("it has no _type".to_owned())),
        }
    }

    fn due_news(&mut self, now: Instant) -> Vec<Observation> {
        let reason = "its app lost the connection and did not come back";
        self.phones
            .iter_mut()
            .filter(|phone| phone.lost.is_some_and(|at| at <= now))
            .filter_map(|phone| {
                phone.lost = None;
                phone.voice.reach(Source::Own, false, reason)
            })
            .collect()
    }

    fn due(&self) -> Option<Instant> {
        self.phones.iter().filter_map(|phone| phone.lost).min()
    }
}
