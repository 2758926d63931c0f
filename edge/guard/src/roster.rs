//! The devices of the home and what the guard remembers of each: when it was last heard, its
//! levels, and the state of the rules that judge single devices. Devices that are not configured
//! are judged too (a press is a press), but only a bounded number of them is remembered.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::config::{self, Binding, Household};
use anju_model::observation::Origin;
use anju_model::{CaughtUp, DeviceId, DeviceKind, EntryId, Moment, Observation};

use crate::activity;
use crate::consumption::Consumption;
use crate::rules::{
    battery, climate, fall, hazards, lock, out_of_bed, person_at_night, silent, tamper, test_press,
    trouble, vital, voice, wandering, water_running,
};

/// How many devices that are not configured are remembered.
const STRANGERS: usize = 64;

/// One device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Who it is.
    pub origin: Origin,
    /// Whether the configuration has it.
    pub configured: bool,
    /// Whether it is a door that leads out.
    pub exit: bool,
    /// Longest silence that is in order; none for what can not be heard by itself.
    pub heard_within: Option<Duration>,
    /// When it was last heard.
    pub heard: Heard,
    /// Whether anything that was recorded tells of it: it did not come with this start.
    pub waited_for: bool,
    /// The levels it told.
    pub levels: Levels,
    /// What was learned of its consumption.
    pub consumption: Consumption,
    /// State of the rules that judge it.
    pub silent: silent::State,
    /// See [`hazards`].
    pub hazards: hazards::State,
    /// See [`fall`].
    pub fall: fall::State,
    /// See [`battery`].
    pub battery: battery::State,
    /// See [`tamper`].
    pub tamper: tamper::State,
    /// See [`trouble`].
    pub trouble: trouble::State,
    /// See [`test_press`].
    pub test_press: test_press::State,
    /// See [`out_of_bed`].
    pub out_of_bed: out_of_bed::State,
    /// See [`vital`].
    pub vital: vital::State,
    /// See [`voice`].
    pub voice: voice::State,
    /// See [`wandering`].
    pub wandering: wandering::State,
    /// See [`climate`].
    pub climate: climate::State,
    /// See [`water_running`].
    pub water_running: water_running::State,
    /// See [`lock`].
    pub lock: lock::State,
    /// See [`person_at_night`].
    pub person_at_night: person_at_night::State,
}

/// When a device was last heard, or since when it is waited for.
#[derive(Debug, Clone)]
pub struct Heard {
    /// On the watch line (see [`crate::line::Line::watch`]).
    pub watch: Moment,
    /// On the line of time; absent if it was never heard.
    pub at: Option<Moment>,
    /// The entry, or the one since which it is waited for.
    pub cause: EntryId,
}

/// The levels a device told; absent until it did.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// Open.
    pub contact: Option<bool>,
    /// Somebody there.
    pub presence: Option<bool>,
    /// Occupied.
    pub bed: Option<bool>,
    /// Locked.
    pub lock: Option<bool>,
    /// Since when something moves without a break.
    pub moving: Option<Moment>,
    /// It has said that nothing moves at least once.
    pub says_still: bool,
    /// What was last measured by hand: systolic pressure, oxygen saturation, weight.
    pub measured: [Option<f64>; 3],
}

impl Device {
    fn new(origin: Origin, heard: Heard) -> Self {
        let exit = leads_out(origin.kind, &origin);
        let since = heard.watch;
        Self {
            origin,
            configured: false,
            exit,
            heard_within: None,
            heard,
            waited_for: false,
            levels: Levels::default(),
            consumption: Consumption::default(),
            silent: silent::State::default(),
            hazards: hazards::State::default(),
            fall: fall::State::default(),
            battery: battery::State::default(),
            tamper: tamper::State::default(),
            test_press: test_press::State::since(since),
            out_of_bed: out_of_bed::State::default(),
            vital: vital::State::default(),
            voice: voice::State::default(),
            wandering: wandering::State::default(),
            climate: climate::State::default(),
            water_running: water_running::State::default(),
            lock: lock::State::default(),
            person_at_night: person_at_night::State::default(),
            trouble: trouble::State::default(),
        }
    }

    fn configure(&mut self, device: &config::Device, figures: &config::SilentRule) {
        self.origin = device.origin();
        self.configured = true;
        self.exit = leads_out(device.kind, &self.origin);
        self.heard_within = device.heard_within.or(match device.binding {
            // A wire says nothing by itself, however long it is in order.
            Binding::Gpio(_) => None,
            // A 433 MHz trigger transmits when it is used and never else.
            Binding::Rtl433(_) if !matches!(device.kind, DeviceKind::Climate) => None,
            _ if activity::heard_when_used(device.kind) => None,
            _ if activity::calls_for_help(device.kind) => Some(figures.trigger),
            _ if activity::on_mains(device.kind) => Some(figures.mains),
            _ => Some(figures.other),
        });
    }

    /// Whether it is known to be in nobody's reach.
    pub const fn lost(&self) -> bool {
        self.silent.lost()
    }
}

/// Parts of names that mark a door inside the home, a window or a lid.
const INNER: &[&str] = &[
    "bath", "toilet", "bed", "kitchen", "living", "study", "balcony", "window", "fridge",
    "cupboard", "cabinet", "drawer", "closet", "inner",
];

/// Whether a contact sits on a door that leads out of the home: every door contact does, unless
/// its room or its own name says otherwise.
fn leads_out(kind: DeviceKind, origin: &Origin) -> bool {
    let inner = |name: &str| INNER.iter().any(|part| name.contains(part));
    kind == DeviceKind::DoorContact
        && !inner(origin.device.as_str())
        && !origin.room.as_ref().is_some_and(|room| inner(room.as_str()))
}

/// All devices: the configured ones in their order, then strangers.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    devices: Vec<Device>,
    places: HashMap<DeviceId, usize>,
    configured: usize,
}

impl Roster {
    /// Takes the configured devices, keeping what is known of those that stay. `since` is when and
    /// by which entry new ones are first waited for.
    pub fn configure(&mut self, household: &Household, since: &Heard) {
        let mut known: HashMap<DeviceId, Device> =
            self.devices.drain(..).map(|d| (d.origin.device.clone(), d)).collect();
        self.places.clear();
        for row in &household.devices {
            if self.places.contains_key(&row.id) {
                continue;
            }
            let mut device =
                known.remove(&row.id).unwrap_or_else(|| Device::new(row.origin(), since.clone()));
            device.configure(row, &household.guard.silent);
            self.places.insert(row.id.clone(), self.devices.len());
            self.devices.push(device);
        }
        self.configured = self.devices.len();
    }

    /// Begins to wait for all devices at the first entry.
    pub fn begin(&mut self, since: &Heard) {
        for device in &mut self.devices {
            device.heard = since.clone();
        }
    }

    /// An outage that came to light was before all that this boot heard.
    pub fn catch_up(&mut self, outage: CaughtUp) {
        for device in &mut self.devices {
            device.heard.at = device.heard.at.map(|at| outage.carry(at));
            out_of_bed::catch_up(&mut device.out_of_bed, outage);
            voice::catch_up(&mut device.voice, outage);
        }
    }

    /// The device that said something; a stranger is taken in, in the place of the one that was
    /// silent for longest if there are too many.
    pub fn place_of(&mut self, said: &Observation, heard: &Heard) -> usize {
        if let Some(place) = self.places.get(&said.origin.device) {
            return *place;
        }
        let stranger = Device::new(said.origin.clone(), heard.clone());
        let place = if self.devices.len() < self.configured + STRANGERS {
            self.devices.push(stranger);
            self.devices.len() - 1
        } else {
            let place = (self.configured..self.devices.len())
                .min_by_key(|at| self.devices[*at].heard.watch)
                .unwrap_or(self.configured);
            self.places.remove(&self.devices[place].origin.device);
            self.devices[place] = stranger;
            place
        };
        self.places.insert(said.origin.device.clone(), place);
        place
    }

    /// The device in a place that [`Roster::place_of`] gave.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut Device> {
        self.devices.get_mut(place)
    }

    /// The device of that name.
    pub fn named_mut(&mut self, id: &DeviceId) -> Option<&mut Device> {
        let place = *self.places.get(id)?;
        self.devices.get_mut(place)
    }

    /// The configured devices in their order.
    pub fn configured(&self) -> &[Device] {
        self.devices.get(..self.configured).unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn configured_mut(&mut self) -> &mut [Device] {
        self.devices.get_mut(..self.configured).unwrap_or_default()
    }

    /// Whether there is such a device.
    pub fn any(&self, fits: impl Fn(&Device) -> bool) -> bool {
        self.configured().iter().any(fits)
    }

    /// Whether there are such devices and all of them are lost.
    pub fn all_lost(&self, fits: impl Fn(&Device) -> bool) -> bool {
        self.any(&fits) && !self.any(|d| fits(d) && !d.lost())
    }

    /// Whether a bed or a room's radar says that somebody is there.
    pub fn somebody_there(&self) -> bool {
        self.any(|d| {
            !d.lost()
                && activity::sees_indoors(d.origin.kind)
                && (d.levels.presence == Some(true) || d.levels.bed == Some(true))
        })
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.devices.len()
    }
}
