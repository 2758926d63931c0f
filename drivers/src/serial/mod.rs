//! Devices on serial ports. A port carries either a bus whose devices answer when they are asked, or
//! one device that talks by itself. It must never send anything that changes a meter, and never take
//! bytes for a reading before they are checked.
//!
//! - `line`: opening a port, its settings; `stream`: frames out of bytes; both for every protocol.
//! - `bus`, `port`, `probe`, `meter`, `station`: the polled bus and what its protocols share.
//! - `talker`: devices that talk by themselves, one file for each protocol.
//! - `dlt645`, `cjt188`, `mbus`, `modbus`: one folder for each polled protocol.

mod bus;
pub mod cjt188;
pub mod dlt645;
pub mod fuzzed;
pub mod line;
pub mod mbus;
mod meter;
pub mod modbus;
mod port;
mod probe;
mod station;
pub mod stream;
pub mod talker;

use std::sync::Arc;

use anju_model::config::{Binding, Device, LinkKind, SerialBinding, SerialLink};
use anju_model::{DeviceKind, LinkId};

use crate::catalogue::Serves;
use crate::driver::Driver;

pub use bus::BusDriver;
pub use talker::TalkerDriver;

const fn serves(kind: DeviceKind, protocol: &'static str) -> Serves {
    Serves { kind, link: LinkKind::Serial, protocol }
}

/// What the protocols on serial ports serve.
pub const SERVES: &[Serves] = &[
    serves(DeviceKind::ElectricityMeter, "dlt645"),
    serves(DeviceKind::ElectricityMeter, "modbus"),
    serves(DeviceKind::WaterMeter, "cjt188"),
    serves(DeviceKind::WaterMeter, "mbus"),
    serves(DeviceKind::WaterUse, "modbus"),
    serves(DeviceKind::VoiceAlarm, "voice"),
    serves(DeviceKind::FallDetector, "radar"),
    serves(DeviceKind::FallDetector, "ld2410"),
    serves(DeviceKind::SleepMonitor, "radar"),
    serves(DeviceKind::Mattress, "radar"),
    serves(DeviceKind::AirQuality, "pms5003"),
];

/// The driver of a serial port: chosen by the protocols of its devices. A protocol whose devices
/// talk by themselves has a driver of its own and is chosen here.
pub fn driver(id: &LinkId, link: &SerialLink, devices: &[&Device]) -> Arc<dyn Driver> {
    let talker = devices.iter().find_map(|device| match &device.binding {
        Binding::Talker(binding) => Some(TalkerDriver::new(id, link, device, binding)),
        _ => None,
    });
    if let Some(talker) = talker {
        return Arc::new(talker);
    }
    let bound: Vec<(&Device, &SerialBinding)> = devices
        .iter()
        .filter_map(|device| match &device.binding {
            Binding::Serial(binding) => Some((*device, binding)),
            _ => None,
        })
        .collect();
    Arc::new(BusDriver::new(id, link, &bound))
}
