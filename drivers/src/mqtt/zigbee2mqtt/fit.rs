//! Whether a device can serve as what it was configured as, by what the bridge says of it. It must
//! never find fault with one that can: where the list leaves a doubt, there is none. Pure.

use anju_model::DeviceKind;
use serde_json::{Map, Value};

use super::Exposes;
use super::bridge::Standing;
use super::lock::OPENED_BY;

/// What the bridge's list says of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// Nothing that decides it.
    #[default]
    Unsure,
    /// It can serve.
    Serves,
    /// The bridge was told to leave it alone.
    Disabled,
    /// The bridge never learned what it is, and understands nothing of it.
    NotInterviewed,
    /// Nothing that it has makes it what it was configured as.
    Lacks,
}

/// What any device may have, whatever it is for.
const COMMON: &[&str] = &["linkquality", "battery", "battery_low", "voltage"];

/// The properties that make a device what it was configured as: one of them is enough. Empty for
/// kinds that none of them makes.
const fn needs(kind: DeviceKind) -> &'static [&'static str] {
    match kind {
        DeviceKind::FixedAlarm | DeviceKind::PortableAlarm => &["action", "sos"],
        DeviceKind::Motion => &["occupancy", "presence", "vibration"],
        DeviceKind::ElectricityMeter => &["power", "energy", "current", "voltage", "state"],
        DeviceKind::FallDetector => {
            &["presence", "occupancy", "fall_down_status", "fall", "fall_detected"]
        }
        DeviceKind::SetTopBox => &["power"],
        DeviceKind::DoorContact => &["contact", "opening_state"],
        DeviceKind::DoorLock => {
            &["state", "lock_state", "action", "door_state", "forced", "alarm_lock"]
        }
        DeviceKind::Doorbell => &["action"],
        DeviceKind::Siren => &["alarm", "warning", "state"],
        DeviceKind::PillBox => &["contact", "opening_state", "vibration"],
        DeviceKind::Smoke => &["smoke"],
        DeviceKind::Gas => &["gas", "carbon_monoxide"],
        DeviceKind::WaterLeak => &["water_leak"],
        DeviceKind::Climate => {
            &["temperature", "humidity", "pressure", "illuminance", "illuminance_lux"]
        }
        DeviceKind::AirQuality => &["co2", "pm25", "voc", "formaldehyd", "hcho", "pm10", "pm1"],
        _ => &[],
    }
}

/// Whether one of the names that make it what it is fulfils this.
fn has(kind: DeviceKind, holds: impl Fn(&str) -> bool) -> bool {
    let opened = if kind == DeviceKind::DoorLock { OPENED_BY } else { &[] };
    needs(kind).iter().chain(opened.iter().map(|(name, _)| name)).any(|name| holds(name))
}

/// Whether a message shows that the device serves.
pub fn shows(kind: DeviceKind, fields: &Map<String, Value>) -> bool {
    has(kind, |name| fields.get(name).is_some_and(|value| !value.is_null()))
}

/// Judges a device of the list.
pub fn judge(kind: DeviceKind, standing: Standing, exposes: &Exposes) -> Fit {
    let able = exposes.names().any(|name| !COMMON.contains(&name));
    match standing {
        Standing::Disabled => Fit::Disabled,
        Standing::NotInterviewed if !exposes.known() => Fit::NotInterviewed,
        _ if has(kind, |name| !exposes.named(name).is_empty()) => Fit::Serves,
        _ if able && !needs(kind).is_empty() => Fit::Lacks,
        _ => Fit::Unsure,
    }
}

/// What is wrong by that, and the mend.
pub fn wrong(kind: DeviceKind, fit: Fit) -> Option<String> {
    match fit {
        Fit::Unsure | Fit::Serves => None,
        Fit::Disabled => Some("zigbee2mqtt has it disabled; enable it there".to_owned()),
        Fit::NotInterviewed => Some(
            "zigbee2mqtt could not learn what it is; let zigbee2mqtt interview it again".to_owned(),
        ),
        Fit::Lacks => {
            let names: Vec<String> = needs(kind).iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(" or ");
            Some(format!("zigbee2mqtt says it has no {names}; check kind or address"))
        }
    }
}
