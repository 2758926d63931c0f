//! The last reading of each meter, as the journal has it. A meter that only gives pulses has no
//! counter of its own: its driver goes on from here, so that it needs nothing kept between starts.
//! The box fills it from its journal before the drivers start, and every reading that a driver
//! reports goes in. It must never hold a reading that was not reported.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anju_model::observation::Meter;
use anju_model::{DeviceId, Fact, Observation};

/// Last readings, shared by the box and its drivers.
#[derive(Debug, Clone, Default)]
pub struct Readings(Arc<Mutex<BTreeMap<DeviceId, Meter>>>);

impl Readings {
    /// Takes note of what was observed, if that is a reading.
    pub fn note(&self, observation: &Observation) {
        if let Fact::Meter(meter) = &observation.fact {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(observation.origin.device.clone(), meter.clone());
        }
    }

    /// The last reading of a device.
    pub fn last(&self, device: &DeviceId) -> Option<Meter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(device).cloned()
    }
}
