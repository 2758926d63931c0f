//! Guards against a device whose battery dies unnoticed. A device that says its battery is low,
//! or has less than 15 per cent, is a fault, found once; it is over when the device no longer says
//! low and has more than 20 per cent (or says no percentage). Figures: EN 50134-2 wants 28 days of
//! work after the first notice of a low battery; 15 per cent is where the button cells of common
//! Zigbee triggers still have about that long, 20 per cent keeps a warm afternoon from ending it.

use anju_model::observation::Battery;
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::{direct, over};

/// Below this the battery is low, per cent.
const LOW: f64 = 15.0;

/// Above this it no longer is, per cent.
const FINE: f64 = 20.0;

/// Whether the battery was found low.
#[derive(Debug, Clone, Default)]
pub struct State {
    low: bool,
}

impl State {
    /// Whether it is low.
    pub const fn low(&self) -> bool {
        self.low
    }
}

/// Judges a battery report.
pub fn observe(
    state: &mut State,
    battery: &Battery,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let flag = battery.low;
    let percent = battery.percent.filter(|p| p.is_finite());
    let low = flag == Some(true) || percent.is_some_and(|p| p < LOW);
    let fine = flag != Some(true) && percent.map_or(flag == Some(false), |p| p > FINE);
    if low && !state.low {
        state.low = true;
        let mut raise = direct(Rule::DeviceLow, Class::Fault, said, cause);
        // A battery that is low during a test is low.
        raise.test = false;
        out.push(Finding::Raise(raise));
    } else if fine && state.low {
        state.low = false;
        out.push(over(Rule::DeviceLow, said, cause));
    }
}
