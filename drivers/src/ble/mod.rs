//! Devices on a Bluetooth radio, through BlueZ. Decoders are pure, one file for each format; one
//! driver owns one adapter. Nothing heard over the air may be trusted: only enrolled addresses
//! count, what can be encrypted should be, and an old message sent again never counts.

pub mod beacon;
pub mod blood_pressure;
mod bluez;
pub mod bthome;
pub mod bytes;
mod connections;
mod device;
mod enrolled;
pub mod environment;
pub mod fuzzed;
pub mod heart_rate;
pub mod hygrometer;
pub mod key;
mod meaning;
pub mod mi_beacon;
pub mod mi_scale;
pub mod object;
pub mod oximeter;
mod pairing;
mod radio;
mod signals;
#[cfg(test)]
mod tests;
pub mod thermometer;
mod wearable;
pub mod weight;

use std::sync::{Arc, Mutex, PoisonError};

use anju_model::config::{Binding, BleLink, BleProtocol, Device, LinkKind};
use anju_model::observation::Origin;
use anju_model::{DeviceKind, LinkId};
use futures::future::BoxFuture;

use crate::catalogue::Serves;
use crate::driver::{Claim, Context, Driver, DriverError};
use enrolled::Enrolled;
pub use radio::Timings;

const fn serves(kind: DeviceKind, protocol: BleProtocol) -> Serves {
    Serves { kind, link: LinkKind::Ble, protocol: protocol.as_str() }
}

/// What the protocols on the air serve.
pub const SERVES: &[Serves] = &[
    serves(DeviceKind::FixedAlarm, BleProtocol::BtHome),
    serves(DeviceKind::PortableAlarm, BleProtocol::BtHome),
    serves(DeviceKind::PortableAlarm, BleProtocol::MiBeacon),
    serves(DeviceKind::Motion, BleProtocol::BtHome),
    serves(DeviceKind::Motion, BleProtocol::MiBeacon),
    serves(DeviceKind::Locator, BleProtocol::IBeacon),
    serves(DeviceKind::Locator, BleProtocol::Eddystone),
    serves(DeviceKind::Locator, BleProtocol::BtHome),
    serves(DeviceKind::SmartBadge, BleProtocol::IBeacon),
    serves(DeviceKind::SmartBadge, BleProtocol::Eddystone),
    serves(DeviceKind::SmartBadge, BleProtocol::BtHome),
    serves(DeviceKind::SmartCane, BleProtocol::BtHome),
    serves(DeviceKind::SmartWheelchair, BleProtocol::BtHome),
    serves(DeviceKind::DoorContact, BleProtocol::BtHome),
    serves(DeviceKind::DoorContact, BleProtocol::MiBeacon),
    serves(DeviceKind::Doorbell, BleProtocol::BtHome),
    serves(DeviceKind::SmartWatch, BleProtocol::HeartRate),
    serves(DeviceKind::SmartWatch, BleProtocol::Thermometer),
    serves(DeviceKind::SmartBand, BleProtocol::HeartRate),
    serves(DeviceKind::SmartBand, BleProtocol::Thermometer),
    serves(DeviceKind::BloodPressure, BleProtocol::BloodPressure),
    serves(DeviceKind::Oximeter, BleProtocol::Oximeter),
    serves(DeviceKind::BodyScale, BleProtocol::WeightScale),
    serves(DeviceKind::BodyScale, BleProtocol::MiScale),
    serves(DeviceKind::BodyScale, BleProtocol::BtHome),
    serves(DeviceKind::Smoke, BleProtocol::BtHome),
    serves(DeviceKind::Smoke, BleProtocol::MiBeacon),
    serves(DeviceKind::Gas, BleProtocol::BtHome),
    serves(DeviceKind::WaterLeak, BleProtocol::BtHome),
    serves(DeviceKind::WaterLeak, BleProtocol::MiBeacon),
    serves(DeviceKind::Climate, BleProtocol::BtHome),
    serves(DeviceKind::Climate, BleProtocol::Atc),
    serves(DeviceKind::Climate, BleProtocol::MiBeacon),
    serves(DeviceKind::Climate, BleProtocol::Environment),
    serves(DeviceKind::Climate, BleProtocol::Eddystone),
    serves(DeviceKind::AirQuality, BleProtocol::BtHome),
];

/// One adapter with the devices heard there.
#[derive(Debug)]
pub struct BleDriver {
    name: String,
    link: BleLink,
    timings: Timings,
    /// Outlives a run: the counters of encrypted adverts must not be forgotten when the daemon
    /// restarts.
    enrolled: Arc<Mutex<Enrolled>>,
}

impl BleDriver {
    /// A driver for `link` with those of `devices` that have a Bluetooth binding.
    pub fn new(id: &LinkId, link: BleLink, devices: &[&Device]) -> Self {
        Self::with_timings(id, link, devices, Timings::default())
    }

    /// The same with other limits; tests use it.
    pub fn with_timings(id: &LinkId, link: BleLink, devices: &[&Device], timings: Timings) -> Self {
        let devices = devices.iter().filter_map(|device| match &device.binding {
            Binding::Ble(binding) => Some(device::Device::new(device.origin(), binding)),
            _ => None,
        });
        let enrolled = Arc::new(Mutex::new(Enrolled::new(devices)));
        Self { name: format!("ble:{id}"), link, timings, enrolled }
    }
}

impl Driver for BleDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.enrolled.lock().unwrap_or_else(PoisonError::into_inner).origins()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::Radio(self.link.adapter.clone())]
    }

    fn run(self: Arc<Self>, mut context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let stopped = context.refuse_until_stopped();
            tokio::select! {
                biased;
                () = stopped => Ok(()),
                end = radio::run(
                    &self.name, &self.link.adapter, &self.enrolled, &context, self.timings,
                ) => end,
            }
        })
    }
}
