//! What has to be done with a device of each kind, and what it has to say then. Plain data: a new
//! kind is a row here and a sentence in the texts.

use std::time::Duration;

use anju_model::observation::{CallState, HelpState, MedicationState};
use anju_model::{DeviceKind, Fact, Rule};

/// One thing that has to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expect {
    /// A press, or the call for help.
    Pressed,
    /// A call asked for.
    CallAsked,
    /// Movement, or somebody there.
    Somebody,
    /// An open contact.
    Open,
    /// A closed contact.
    Closed,
    /// An unlocked lock.
    Unlocked,
    /// A locked lock.
    Locked,
    /// A ring of the bell.
    Rung,
    /// Somebody on the bed or chair.
    Occupied,
    /// Nobody on it any more.
    Left,
    /// Water flowing, or a counter of water.
    Water,
    /// Energy or power.
    Electricity,
    /// A position, or being near.
    Place,
    /// Switched on.
    On,
    /// What a camera saw.
    Seen,
    /// A siren that sounds.
    Sounding,
    /// Breath or heart.
    Breath,
    /// Heart beats.
    Heart,
    /// Blood pressure.
    Pressure,
    /// Oxygen saturation.
    Oxygen,
    /// Weight.
    Weight,
    /// An opened pill box.
    Lid,
    /// Smoke, or the detector's own test.
    Smoke,
    /// Gas or carbon monoxide, or the detector's own test.
    Gas,
    /// Wet.
    Wet,
    /// Temperature or humidity.
    Climate,
    /// Air quality.
    Air,
    /// The alert that follows from it.
    Alert,
}

impl Expect {
    /// The name in events and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Expect::Pressed => "pressed",
            Expect::CallAsked => "call-asked",
            Expect::Somebody => "somebody",
            Expect::Open => "open",
            Expect::Closed => "closed",
            Expect::Unlocked => "unlocked",
            Expect::Locked => "locked",
            Expect::Rung => "rung",
            Expect::Occupied => "occupied",
            Expect::Left => "left",
            Expect::Water => "water",
            Expect::Electricity => "electricity",
            Expect::Place => "place",
            Expect::On => "on",
            Expect::Seen => "seen",
            Expect::Sounding => "sounding",
            Expect::Breath => "breath",
            Expect::Heart => "heart",
            Expect::Pressure => "pressure",
            Expect::Oxygen => "oxygen",
            Expect::Weight => "weight",
            Expect::Lid => "lid",
            Expect::Smoke => "smoke",
            Expect::Gas => "gas",
            Expect::Wet => "wet",
            Expect::Climate => "climate",
            Expect::Air => "air",
            Expect::Alert => "alert",
        }
    }

    /// Whether any value will do: one that has not changed would otherwise not be told for long.
    pub const fn is_reading(self) -> bool {
        matches!(
            self,
            Expect::Water
                | Expect::Electricity
                | Expect::Place
                | Expect::Breath
                | Expect::Heart
                | Expect::Pressure
                | Expect::Oxygen
                | Expect::Weight
                | Expect::Climate
                | Expect::Air
        )
    }

    /// Whether a fact is what is expected.
    pub fn met_by(self, fact: &Fact) -> bool {
        match (self, fact) {
            (Expect::Pressed, Fact::Help(help)) => help.state == HelpState::Pressed,
            (Expect::CallAsked, Fact::Call(call)) => call.state == CallState::Asked,
            (Expect::Somebody, Fact::Fall(_))
            | (Expect::Seen, Fact::Camera(_))
            | (Expect::Air, Fact::Air(_)) => true,
            (Expect::Somebody, Fact::Motion(motion)) => motion.moving,
            (Expect::Somebody | Expect::Place, Fact::Presence(presence)) => presence.present,
            (Expect::Open | Expect::Lid, Fact::Contact(contact)) => contact.open,
            (Expect::Closed, Fact::Contact(contact)) => !contact.open,
            (Expect::Unlocked, Fact::Lock(lock)) => lock.locked == Some(false),
            (Expect::Locked, Fact::Lock(lock)) => lock.locked == Some(true),
            (Expect::Rung, Fact::Bell(bell)) => bell.rung,
            (Expect::Occupied, Fact::Bed(bed)) => bed.occupied,
            (Expect::Left, Fact::Bed(bed)) => !bed.occupied,
            (Expect::Water, Fact::Meter(meter)) => {
                meter.flow_litres_per_hour.is_some_and(|flow| flow > 0.0)
                    || meter.volume_litres.is_some()
            }
            (Expect::Electricity, Fact::Meter(meter)) => {
                meter.energy_watt_hours.is_some() || meter.power_watts.is_some()
            }
            (Expect::Place, Fact::Location(place)) => {
                place.latitude_degrees.is_some() || place.zone.is_some()
            }
            (Expect::On, Fact::Power(power)) => power.on,
            (Expect::Sounding, Fact::Siren(siren)) => siren.sounding,
            (Expect::Breath, Fact::Vital(v)) => {
                read(v.breaths_per_minute) || read(v.heart_beats_per_minute)
            }
            (Expect::Heart, Fact::Vital(v)) => read(v.heart_beats_per_minute),
            (Expect::Pressure, Fact::Vital(v)) => read(v.systolic_mmhg),
            (Expect::Oxygen, Fact::Vital(v)) => read(v.spo2_percent),
            (Expect::Weight, Fact::Vital(v)) => read(v.weight_kilograms),
            (Expect::Lid, Fact::Medication(m)) => m.state != MedicationState::Missed,
            (Expect::Smoke, Fact::Smoke(smoke)) => smoke.alarm || smoke.self_test,
            (Expect::Gas, Fact::Gas(gas)) => gas.alarm || gas.self_test,
            (Expect::Gas, Fact::CarbonMonoxide(co)) => co.alarm || co.self_test,
            (Expect::Wet, Fact::Leak(leak)) => leak.wet,
            (Expect::Climate, Fact::Climate(climate)) => {
                climate.celsius.is_some() || climate.relative_humidity_percent.is_some()
            }
            _ => false,
        }
    }
}

fn read(value: Option<f64>) -> bool {
    value.is_some_and(|value| value > 0.0)
}

/// The acceptance of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// All of these have to be seen, in any order.
    pub expects: &'static [Expect],
    /// Alerts of these rules are the one that is expected.
    pub alerts: &'static [Rule],
    /// Longest time for it.
    pub within: Duration,
    /// How long the device stays under test after it: what still sounds is no real alarm.
    pub settles: Duration,
}

const fn step(expects: &'static [Expect], alerts: &'static [Rule], seconds: u64) -> Step {
    Step {
        expects,
        alerts,
        within: Duration::from_secs(seconds),
        settles: Duration::from_secs(if alerts.is_empty() { 0 } else { 2 }),
    }
}

/// A detector goes on sounding for a while after its test button.
const fn detector(expects: &'static [Expect], alerts: &'static [Rule]) -> Step {
    Step { expects, alerts, within: Duration::from_secs(180), settles: Duration::from_secs(30) }
}

/// What is done with a device of a kind. The sentence for it is `acceptance-<kind>`.
pub const fn of(kind: DeviceKind) -> Step {
    use Expect as E;
    match kind {
        DeviceKind::FixedAlarm
        | DeviceKind::PortableAlarm
        | DeviceKind::VoiceAlarm
        | DeviceKind::SmartCane => step(&[E::Pressed, E::Alert], &[Rule::Help], 120),
        DeviceKind::OneTouchSpeaker => step(&[E::CallAsked, E::Alert], &[Rule::Call], 120),
        DeviceKind::Motion | DeviceKind::FallDetector => step(&[E::Somebody], &[], 120),
        DeviceKind::WaterMeter | DeviceKind::WaterUse => step(&[E::Water], &[], 300),
        DeviceKind::ElectricityMeter => step(&[E::Electricity], &[], 300),
        DeviceKind::Locator | DeviceKind::SmartBadge => step(&[E::Place], &[], 600),
        DeviceKind::SmartWheelchair => step(&[E::Occupied], &[], 120),
        DeviceKind::SetTopBox => step(&[E::On], &[], 300),
        DeviceKind::DoorContact => step(&[E::Open, E::Closed], &[], 120),
        DeviceKind::DoorLock => step(&[E::Unlocked, E::Locked], &[], 180),
        DeviceKind::Doorbell => step(&[E::Rung], &[], 120),
        DeviceKind::Camera => step(&[E::Seen], &[], 180),
        DeviceKind::Siren => step(&[E::Sounding], &[], 30),
        DeviceKind::SleepMonitor => step(&[E::Breath], &[], 600),
        DeviceKind::Mattress | DeviceKind::BedStrap => step(&[E::Occupied, E::Left], &[], 300),
        DeviceKind::SmartWatch | DeviceKind::SmartBand => step(&[E::Heart], &[], 300),
        DeviceKind::BloodPressure => step(&[E::Pressure], &[], 300),
        DeviceKind::Oximeter => step(&[E::Oxygen], &[], 300),
        DeviceKind::BodyScale => step(&[E::Weight], &[], 300),
        DeviceKind::PillBox => step(&[E::Lid], &[], 120),
        DeviceKind::Smoke => detector(&[E::Smoke, E::Alert], &[Rule::Smoke]),
        DeviceKind::Gas => detector(&[E::Gas, E::Alert], &[Rule::Gas, Rule::CarbonMonoxide]),
        DeviceKind::WaterLeak => detector(&[E::Wet, E::Alert], &[Rule::Leak]),
        DeviceKind::Climate => step(&[E::Climate], &[], 900),
        DeviceKind::AirQuality => step(&[E::Air], &[], 900),
    }
}
