//! A lamp or plug behind zigbee2mqtt that blinks while the box says something grave: switched on and
//! off by its `state`, and put back as it was before. Pure. It must never be switched while it is
//! held, and what it says of itself while it blinks must never be taken for how it was before.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Exposes;
use crate::gpio::relay::HALF;

/// What it says within this time after it was put back still tells of the blinking.
const ECHO: Duration = Duration::from_secs(3);

/// One light.
#[derive(Debug, Default)]
pub struct Light {
    /// How it is, as it last said by itself.
    state: Option<bool>,
    blinking: Option<Blinking>,
    /// It was held while it blinked.
    held: bool,
    deaf_until: Option<Instant>,
    asks: bool,
}

#[derive(Debug)]
struct Blinking {
    on: bool,
    next: Instant,
    until: Instant,
}

impl Light {
    /// It says how it is.
    pub fn says(&mut self, on: bool, now: Instant) {
        let own = self.blinking.is_none() && !self.held;
        if own && self.deaf_until.is_none_or(|until| until <= now) {
            self.state = Some(on);
        }
    }

    /// A new connection: how it is may have changed, unless it blinks by our order.
    pub fn connected(&mut self) {
        if self.blinking.is_none() && !self.held {
            *self = Self::default();
        }
    }

    /// It has to be asked how it is, before it is ever switched.
    pub fn ask(&mut self) {
        self.asks = self.state.is_none();
    }

    /// Whether it is to be asked now.
    pub fn asks(&mut self) -> bool {
        std::mem::take(&mut self.asks)
    }

    /// Begins to blink, or goes on for that long. How it is to be now.
    pub fn flash(&mut self, now: Instant, time: Duration) -> bool {
        let until = now + time;
        self.held = false;
        if let Some(blinking) = &mut self.blinking {
            blinking.until = until;
            return blinking.on;
        }
        // The first change is seen at once.
        let on = !self.state.unwrap_or(false);
        self.blinking = Some(Blinking { on, next: now + HALF, until });
        on
    }

    /// Stays as it is.
    pub fn hold(&mut self) {
        self.held |= self.blinking.take().is_some();
    }

    /// Ends. How it is to be put back, if it was changed; one that never said how it was stays lit.
    pub fn end(&mut self, now: Instant) -> Option<bool> {
        let changed = self.blinking.take().is_some() || std::mem::take(&mut self.held);
        self.held = false;
        changed.then(|| {
            self.deaf_until = Some(now + ECHO);
            self.state.unwrap_or(true)
        })
    }

    /// It can not be switched now: whoever wants it orders it again.
    pub fn fails(&mut self, now: Instant) {
        if self.blinking.take().is_some() {
            self.deaf_until = Some(now + ECHO);
        }
    }

    /// How it is to be now, where that is another than before.
    pub fn step(&mut self, now: Instant) -> Option<bool> {
        let blinking = self.blinking.as_mut()?;
        if blinking.until <= now {
            return self.end(now);
        }
        if blinking.next > now {
            return None;
        }
        blinking.on = !blinking.on;
        // Looked at late, it does not make up for what it missed.
        blinking.next = now + HALF;
        Some(blinking.on)
    }

    /// When it is next to be looked at.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        if self.asks {
            return Some(now);
        }
        self.blinking.as_ref().map(|blinking| blinking.next.min(blinking.until))
    }
}

/// The payload of `set` that switches a light; `None` if it exposes no switch.
pub fn payload(exposes: &Exposes, on: bool) -> Option<Value> {
    let state = exposes.named("state").iter().find(|state| state.settable);
    if state.is_none() && exposes.known() {
        return None;
    }
    let usual = || json!(if on { "ON" } else { "OFF" });
    let value = state.and_then(|s| if on { s.value_on.clone() } else { s.value_off.clone() });
    let property = state.map_or("state", |state| state.property.as_str());
    let mut payload = Map::from_iter([(property.to_owned(), value.unwrap_or_else(usual))]);
    // A lamp that fades does not blink.
    if !exposes.named("brightness").is_empty() {
        payload.insert("transition".to_owned(), json!(0));
    }
    Some(Value::Object(payload))
}

/// The payload of `get` that asks how it is.
pub fn question(exposes: &Exposes) -> Value {
    let state = exposes.named("state").first();
    let property = state.map_or("state", |state| state.property.as_str());
    json!({ property: "" })
}

/// The payload of `set` that lets a warning device flash without sound: with the mode `stop` only
/// its strobe is used (ZCL 8.4.2.3.1.1). `None` if it takes no warning.
pub fn strobe(exposes: &Exposes, seconds: Option<u16>) -> Option<Value> {
    let warning = exposes.named("warning").first();
    if warning.is_none() && exposes.known() {
        return None;
    }
    let seconds = seconds.map(|seconds| seconds.min(super::siren::LONGEST));
    let mut features = Map::new();
    features.insert("mode".into(), json!("stop"));
    features.insert("strobe".into(), json!(seconds.is_some()));
    if let Some(seconds) = seconds {
        features.insert("duration".into(), json!(seconds));
    }
    Some(json!({ "warning": features }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn it_blinks_and_is_put_back_as_it_was() {
        for before in [false, true] {
            let (mut light, now) = (Light::default(), Instant::now());
            light.says(before, now);
            assert_eq!(light.flash(now, s(4)), !before);
            // What it says meanwhile is the blinking.
            light.says(!before, now);
            let said: Vec<Option<bool>> = (1..=5).map(|at| light.step(now + s(at))).collect();
            let (on, off) = (Some(before), Some(!before));
            assert_eq!(said, [on, off, on, Some(before), None]);
            light.says(!before, now + s(5));
            assert_eq!(light.flash(now + s(9), s(4)), !before, "an echo is no news");
            assert_eq!(light.end(now + s(10)), Some(before));
            assert_eq!((light.end(now + s(11)), light.due(now)), (None, None));
        }
    }

    #[test]
    fn what_is_held_is_not_switched_until_it_is_let_go() {
        let (mut light, now) = (Light::default(), Instant::now());
        light.ask();
        assert_eq!(light.due(now), Some(now));
        assert!(light.asks() && !light.asks());
        light.says(true, now);
        light.flash(now, s(100));
        light.hold();
        assert_eq!((light.step(now + s(50)), light.due(now)), (None, None));
        assert_eq!(light.end(now + s(60)), Some(true));
        // One that never blinked is not touched at the end.
        light.hold();
        assert_eq!(light.end(now + s(61)), None);
    }

    #[test]
    fn one_that_never_said_how_it_was_stays_lit() {
        let (mut light, now) = (Light::default(), Instant::now());
        assert!(light.flash(now, s(10)));
        assert_eq!(light.end(now + s(3)), Some(true));
    }
}
