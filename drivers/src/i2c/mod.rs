//! Sensors on an I2C bus. One driver has one bus with all chips on it, read in turn; one file holds
//! one chip. It must never write anything to a chip that outlives the chip's next start, and never
//! tell a reading whose check sum is wrong.
//!
//! - [`sensirion`]: words with check sums; [`sht3x`], [`scd4x`]: one chip each, decoders without I/O;
//! - [`wires`]: what the driver asks of a bus, and the kernel's bus;
//! - `sensor`: one chip between polls.

pub mod fuzzed;
pub mod scd4x;
pub mod sensirion;
mod sensor;
pub mod sht3x;
#[cfg(test)]
mod tests;
pub mod wires;

use std::path::PathBuf;
use std::sync::Arc;

use anju_model::config::{Binding, Device, I2cBinding, I2cChip, I2cLink, LinkKind};
use anju_model::observation::{Air, Climate, Origin};
use anju_model::{DeviceKind, LinkId};
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::catalogue::Serves;
use crate::driver::{Claim, Context, Driver, DriverError};
use scd4x::Scd4x;
use sensor::Sensor;
use sht3x::Sht3x;
use wires::{Bus, KernelBus, Wires};

const fn serves(kind: DeviceKind, protocol: &'static str) -> Serves {
    Serves { kind, link: LinkKind::I2c, protocol }
}

/// The kinds that a chip serves.
pub const SERVES: &[Serves] = &[
    serves(DeviceKind::Climate, "sht3x"),
    serves(DeviceKind::Climate, "scd4x"),
    serves(DeviceKind::AirQuality, "scd4x"),
];

/// What one reading brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Temperature and humidity.
    pub climate: Option<Climate>,
    /// Carbon dioxide.
    pub air: Option<Air>,
}

/// A chip as it is spoken to.
#[derive(Debug)]
enum Chip {
    Sht3x(Sht3x),
    Scd4x(Scd4x),
}

impl Chip {
    const fn new(binding: &I2cBinding) -> Self {
        match binding.chip {
            I2cChip::Sht3x => Self::Sht3x(Sht3x),
            I2cChip::Scd4x => Self::Scd4x(Scd4x::new(binding.poll)),
        }
    }

    /// Reads the chip; `None` while it has nothing new.
    async fn read(&mut self, wires: &mut dyn Wires) -> Result<Option<Reading>, wires::ChipError> {
        match self {
            Self::Sht3x(chip) => chip.read(wires).await.map(Some),
            Self::Scd4x(chip) => chip.read(wires).await,
        }
    }
}

/// The driver of one bus.
pub struct I2cDriver {
    name: String,
    link: LinkId,
    path: PathBuf,
    chips: Vec<(Origin, I2cBinding)>,
    bus: Arc<dyn Bus>,
}

impl I2cDriver {
    /// The driver of a link with the chips on it.
    pub fn new(id: &LinkId, link: &I2cLink, devices: &[&Device]) -> Self {
        Self::with_bus(id, link, devices, Arc::new(KernelBus::new(&link.path)))
    }

    /// The same on a bus of the caller's choice.
    pub fn with_bus(id: &LinkId, link: &I2cLink, devices: &[&Device], bus: Arc<dyn Bus>) -> Self {
        let chips = devices.iter().filter_map(|device| match &device.binding {
            Binding::I2c(binding) => Some((device.origin(), binding.clone())),
            _ => None,
        });
        Self {
            name: format!("i2c:{id}"),
            link: id.clone(),
            path: link.path.clone(),
            chips: chips.collect(),
            bus,
        }
    }

    async fn serve(&self, context: &Context) -> Result<(), DriverError> {
        let now = Instant::now();
        let mut members: Vec<(Sensor, Chip)> = self
            .chips
            .iter()
            .map(|(origin, binding)| {
                let who = format!(
                    "{} at 0x{:02x} of {}",
                    binding.chip.as_str(),
                    binding.address,
                    self.path.display()
                );
                (Sensor::new(origin.clone(), binding, who, now), Chip::new(binding))
            })
            .collect();
        loop {
            let Some(due) = members.iter().map(|(sensor, _)| sensor.due).min() else {
                return std::future::pending().await;
            };
            tokio::time::sleep_until(due).await;
            let anew = context.asked_anew();
            members.iter_mut().for_each(|(sensor, _)| sensor.tell_anew_if(&anew));
            let next = members.iter_mut().min_by_key(|(sensor, _)| sensor.due);
            let Some((sensor, chip)) = next else { continue };
            // Taken anew at each poll: a bus on an adapter may have been unplugged meanwhile.
            let mut wires = self.bus.chip(sensor.address).map_err(|error| DriverError::Link {
                link: self.link.to_string(),
                reason: wires::open_failed(&self.path, &error),
            })?;
            let read = chip.read(wires.as_mut()).await;
            drop(wires);
            for said in sensor.polled(Instant::now(), read) {
                context.report(said).await?;
            }
        }
    }
}

impl Driver for I2cDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.chips.iter().map(|(origin, _)| origin.clone()).collect()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::I2cBus(self.path.clone())]
    }

    fn run(self: Arc<Self>, mut context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let stopped = context.refuse_until_stopped();
            tokio::select! {
                biased;
                () = stopped => Ok(()),
                end = self.serve(&context) => end,
            }
        })
    }
}
