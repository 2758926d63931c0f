//! Devices on serial buses. One driver owns one port with all devices on its wires. It must never
//! send anything that changes a device, never let a silent device keep the others from being read,
//! and never take bytes for a reading before they are checked.

mod bus;
pub mod dlt645;
mod meter;
mod port;

use std::sync::Arc;

use anju_model::config::{Binding, Device, LinkKind, SerialLink, SerialProtocol};
use anju_model::observation::{Online, Origin};
use anju_model::{DeviceKind, LinkId, Observation};
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::catalogue::Serves;
use crate::driver::{Claim, Context, DeviceCommand, Driver, DriverError, Refused};
use dlt645::Address;
use meter::Meter;

/// What the protocols on serial buses serve.
pub const SERVES: &[Serves] =
    &[Serves { kind: DeviceKind::ElectricityMeter, link: LinkKind::Serial, protocol: "dlt645" }];

/// One serial port with the devices on its wires.
#[derive(Debug)]
pub struct SerialDriver {
    name: String,
    link: SerialLink,
    devices: Vec<Known>,
}

/// A configured device.
#[derive(Debug)]
struct Known {
    origin: Origin,
    /// `None` when what is configured is no address.
    address: Option<Address>,
    poll: std::time::Duration,
}

impl SerialDriver {
    /// A driver for `link` with those of `devices` that have a serial binding.
    pub fn new(id: &LinkId, link: SerialLink, devices: &[&Device]) -> Self {
        let devices = devices
            .iter()
            .filter_map(|device| match &device.binding {
                Binding::Serial(binding) => match binding.protocol {
                    SerialProtocol::Dlt645 => Some(Known {
                        origin: device.origin(),
                        address: Address::parse(&binding.address),
                        poll: binding.poll,
                    }),
                },
                _ => None,
            })
            .collect();
        Self { name: format!("serial:{id}"), link, devices }
    }

    async fn serve(&self, context: &Context) -> Result<(), DriverError> {
        let port = port::open(&self.link)?;
        tracing::info!(driver = self.name, path = %self.link.path.display(), "opened the port");
        let now = Instant::now();
        let mut meters = Vec::new();
        for known in &self.devices {
            if let Some(address) = known.address {
                meters.push(Meter::new(known.origin.clone(), address, known.poll, now));
            } else {
                let reason = "its address is not 12 digits; copy them from the meter's label";
                let lost = Online { online: false, reason: Some(reason.to_owned()) };
                context.report(Observation::new(known.origin.clone(), lost)).await?;
            }
        }
        bus::run(port, meters, context).await
    }
}

impl Driver for SerialDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.devices.iter().map(|known| known.origin.clone()).collect()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::SerialPort(self.link.path.clone())]
    }

    fn run(self: Arc<Self>, mut context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let (_, none) = mpsc::channel(1);
            let commands = std::mem::replace(&mut context.commands, none);
            let stop = context.stop.clone();
            tokio::select! {
                biased;
                () = stop.cancelled() => Ok(()),
                () = refuse(commands) => Ok(()),
                end = self.serve(&context) => end,
            }
        })
    }
}

/// Meters take no commands. Never ends.
async fn refuse(mut commands: mpsc::Receiver<DeviceCommand>) {
    while let Some(command) = commands.recv().await {
        // The asker may have stopped waiting.
        let _ = command.done.send(Err(Refused::NotAble(command.device)));
    }
    std::future::pending().await
}
