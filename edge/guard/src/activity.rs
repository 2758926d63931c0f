//! What counts as evidence of a person. Movement, a door or lid that changes, a bed entered or
//! left, a pressed button, a measurement taken by hand, a consumption that steps above the learned
//! base line. It must never
//! take for a person what goes by itself: a base line known at start, a battery or link report, a
//! level that is repeated, a detector that is stuck, a steady flow, a cycling fridge, a bell that somebody outside rings, or
//! an observation under test.

use std::time::Duration;

use anju_model::observation::{
    Bed, CallState, Contact, FallState, HelpState, Lock, MedicationState, Presence, Seen,
};
use anju_model::{DeviceKind, Fact, Moment, Observation};

use crate::roster::Device;
use crate::rules::wandering;

/// Where the person was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Inside the home.
    Indoors,
    /// At a door that leads out: inside or outside.
    Door,
    /// Wherever the person carries the device.
    Anywhere,
}

/// What an observation says of the home's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sign {
    /// Evidence of a person.
    pub person: Option<Place>,
    /// A door that leads out was opened (true) or closed (false).
    pub exit: Option<bool>,
    /// A carried locator came home (true) or left (false).
    pub home: Option<bool>,
    /// Somebody rang.
    pub bell: bool,
}

impl Sign {
    fn person(place: Place) -> Self {
        Self { person: Some(place), ..Self::default() }
    }

    fn when(seen: bool, place: Place) -> Self {
        if seen { Self::person(place) } else { Self::default() }
    }
}

/// Whether devices of this kind see what happens inside the home often enough to judge silence.
pub const fn sees_indoors(kind: DeviceKind) -> bool {
    matches!(
        kind,
        DeviceKind::Motion
            | DeviceKind::FallDetector
            | DeviceKind::Camera
            | DeviceKind::Mattress
            | DeviceKind::BedStrap
            | DeviceKind::SleepMonitor
            | DeviceKind::WaterMeter
            | DeviceKind::WaterUse
            | DeviceKind::ElectricityMeter
    )
}

/// Whether devices of this kind see at once that somebody moves inside, so that their silence
/// after a door closed means something. A meter or a bed does not.
pub const fn sees_movement(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::Motion | DeviceKind::FallDetector | DeviceKind::Camera)
}

/// Whether devices of this kind call for help.
pub const fn calls_for_help(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::FixedAlarm | DeviceKind::PortableAlarm | DeviceKind::VoiceAlarm)
}

/// Whether devices of this kind are worn or carried and can call for help too.
pub const fn carried_help(kind: DeviceKind) -> bool {
    matches!(
        kind,
        DeviceKind::SmartBadge
            | DeviceKind::SmartCane
            | DeviceKind::SmartWheelchair
            | DeviceKind::SmartWatch
    )
}

/// Whether devices of this kind say something only when they are used, so that their silence tells
/// nothing.
pub const fn heard_when_used(kind: DeviceKind) -> bool {
    matches!(
        kind,
        DeviceKind::BloodPressure
            | DeviceKind::Oximeter
            | DeviceKind::BodyScale
            | DeviceKind::SetTopBox
            | DeviceKind::Doorbell
    )
}

/// Whether devices of this kind run on mains and report by themselves.
pub const fn on_mains(kind: DeviceKind) -> bool {
    matches!(
        kind,
        DeviceKind::ElectricityMeter
            | DeviceKind::FallDetector
            | DeviceKind::SleepMonitor
            | DeviceKind::Camera
            | DeviceKind::AirQuality
            | DeviceKind::Gas
    )
}

/// A detector that says that something moves, never that nothing does, and could say so, is stuck
/// after this.
const STUCK: Duration = Duration::from_secs(2 * 3600);

/// Reads an observation and remembers the device's levels.
pub fn sign(device: &mut Device, said: &Observation, watch: Moment) -> Sign {
    let sign = read(device, said, watch);
    if said.baseline || said.test { Sign::default() } else { sign }
}

fn read(device: &mut Device, said: &Observation, watch: Moment) -> Sign {
    let kind = said.origin.kind;
    let levels = &mut device.levels;
    match &said.fact {
        Fact::Help(help) => Sign::when(help.state == HelpState::Pressed, carried(kind)),
        Fact::Call(call) => Sign::when(call.state == CallState::Asked, Place::Indoors),
        Fact::Motion(motion) => {
            levels.says_still |= !motion.moving;
            let since = if motion.moving { *levels.moving.get_or_insert(watch) } else { watch };
            if !motion.moving {
                levels.moving = None;
            }
            let stuck = levels.says_still && watch.since(since) >= STUCK;
            Sign::when(motion.moving && !stuck, Place::Indoors)
        }
        Fact::Vital(vital) => {
            // Whoever measures is awake and moves; a sensor that watches by itself tells nothing.
            let measured = [vital.systolic_mmhg, vital.spo2_percent, vital.weight_kilograms];
            let by_hand = matches!(
                kind,
                DeviceKind::BloodPressure | DeviceKind::Oximeter | DeviceKind::BodyScale
            );
            let news = by_hand && measured != [None; 3] && levels.measured != measured;
            if news {
                levels.measured = measured;
            }
            Sign::when(news, Place::Indoors)
        }
        Fact::Contact(Contact { open }) => {
            let changed = levels.contact.replace(*open) != Some(*open);
            match (changed, device.exit) {
                (false, _) => Sign::default(),
                (true, false) => Sign::person(Place::Indoors),
                (true, true) => {
                    Sign { person: Some(Place::Door), exit: Some(*open), ..Sign::default() }
                }
            }
        }
        Fact::Presence(Presence { present }) => {
            let changed = levels.presence.replace(*present) != Some(*present);
            // A worn beacon's range comes and goes by itself; a room's radar does not.
            Sign::when(changed && sees_indoors(kind), Place::Indoors)
        }
        Fact::Bed(Bed { occupied }) => {
            let changed = levels.bed.replace(*occupied) != Some(*occupied);
            Sign::when(changed, carried(kind))
        }
        Fact::Fall(fall) => Sign::when(fall.state == FallState::Over, carried(kind)),
        Fact::Camera(camera) => {
            Sign::when(camera.active && camera.seen == Seen::Person, Place::Indoors)
        }
        Fact::Medication(medication) => {
            Sign::when(medication.state != MedicationState::Missed, Place::Indoors)
        }
        Fact::Lock(Lock { locked: Some(locked), by, .. }) => {
            let changed = levels.lock.replace(*locked) != Some(*locked);
            Sign::when(changed && by.is_some(), Place::Door)
        }
        Fact::Meter(meter) => {
            Sign::when(device.consumption.step(meter, said.baseline, watch), Place::Indoors)
        }
        Fact::Location(location) => match wandering::came_home(location) {
            None => Sign::default(),
            home => Sign { person: Some(Place::Anywhere), home, ..Sign::default() },
        },
        Fact::Bell(bell) => Sign { bell: bell.rung, ..Sign::default() },
        // Says nothing of a person, or, like a set-top box on the network, comes and goes by
        // itself until its habits are learned.
        _ => Sign::default(),
    }
}

const fn carried(kind: DeviceKind) -> Place {
    match kind {
        DeviceKind::FixedAlarm
        | DeviceKind::VoiceAlarm
        | DeviceKind::OneTouchSpeaker
        | DeviceKind::FallDetector
        | DeviceKind::Mattress
        | DeviceKind::BedStrap
        | DeviceKind::SleepMonitor => Place::Indoors,
        _ => Place::Anywhere,
    }
}
