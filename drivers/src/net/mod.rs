//! Devices of the home network. Each has a driver of its own, so that one that hangs harms no other.
//! Nothing here listens for strangers: the box asks, and takes only answers to what it asked.
//!
//! - [`presence`]: a device that is on while it answers, with [`arp`], the kernel's neighbour table, and
//!   [`mdns`], which finds it by its name;
//! - [`cec`]: a television at the other end of an HDMI cable;
//! - [`onvif`]: a camera's events by ONVIF's pull point;
//! - [`wyoming`]: wake words heard by a Wyoming service or satellite.

pub mod arp;
pub mod cec;
pub mod fuzzed;
pub mod mdns;
pub mod onvif;
pub mod presence;
#[cfg(test)]
mod tests;
pub mod wyoming;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anju_model::config::{Binding, Device, LinkKind, NetBinding};
use anju_model::observation::{Online, Origin};
use anju_model::{DeviceKind, LinkId, Observation};
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::catalogue::Serves;
use crate::driver::{Claim, Context, Driver, DriverError};
use crate::memory::SIGN_OF_LIFE;

const fn serves(kind: DeviceKind, protocol: &'static str) -> Serves {
    Serves { kind, link: LinkKind::Net, protocol }
}

/// The kinds that are served on the network.
pub const SERVES: &[Serves] = &[
    serves(DeviceKind::VoiceAlarm, "wyoming"),
    serves(DeviceKind::SetTopBox, "presence"),
    serves(DeviceKind::SetTopBox, "cec"),
    serves(DeviceKind::Camera, "onvif"),
];

/// The driver of one device.
#[derive(Debug)]
pub struct NetDriver {
    name: String,
    origin: Origin,
    binding: NetBinding,
    /// Whether a wake-word service ever detected anything; outlives a run.
    detected: AtomicBool,
}

impl NetDriver {
    /// The drivers of the devices on a link.
    pub fn all(id: &LinkId, devices: &[&Device]) -> Vec<Self> {
        let of = |device: &&Device| match &device.binding {
            Binding::Net(binding) => Some(Self {
                name: format!("net:{id}:{}", device.id),
                origin: device.origin(),
                binding: binding.clone(),
                detected: AtomicBool::new(false),
            }),
            _ => None,
        };
        devices.iter().filter_map(of).collect()
    }
}

impl Driver for NetDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        vec![self.origin.clone()]
    }

    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    fn run(self: Arc<Self>, mut context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let stopped = context.refuse_until_stopped();
            let mut voice = Voice::new(self.origin.clone(), &context);
            let serve = async {
                match &self.binding {
                    NetBinding::Presence { address, poll } => {
                        presence::serve(address, *poll, &mut voice).await
                    }
                    NetBinding::Cec { path, poll } => cec::serve(path, *poll, &mut voice).await,
                    NetBinding::Onvif { url, login } => {
                        onvif::serve(url, login.as_ref(), &mut voice).await
                    }
                    NetBinding::Wyoming { address, wake_words } => {
                        wyoming::serve(address, wake_words, &self.detected, &mut voice).await
                    }
                }
            };
            tokio::select! {
                biased;
                () = stopped => Ok(()),
                end = serve => end.map_err(|error| match error {
                    Broken::Device(reason) => DriverError::Link { link: self.name.clone(), reason },
                    Broken::Box(error) => error,
                }),
            }
        })
    }
}

/// Why a device is not served any more.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The device or the way to it, with the mend.
    Device(String),
    /// The box stops.
    Box(DriverError),
}

impl From<DriverError> for Broken {
    fn from(error: DriverError) -> Self {
        Self::Box(error)
    }
}

/// What a device says to the box.
pub(crate) struct Voice<'a> {
    origin: Origin,
    context: &'a Context,
    said_at: Option<Instant>,
}

impl<'a> Voice<'a> {
    fn new(origin: Origin, context: &'a Context) -> Self {
        Self { origin, context, said_at: None }
    }

    /// Says a fact.
    async fn say(
        &mut self,
        fact: impl Into<anju_model::Fact>,
        baseline: bool,
    ) -> Result<(), Broken> {
        self.said_at = Some(Instant::now());
        let said = Observation::new(self.origin.clone(), fact);
        Ok(self.context.report(if baseline { said.as_first() } else { said }).await?)
    }

    /// The device was heard: told at first, and then once in a quarter of an hour in which nothing
    /// else was.
    async fn heard(&mut self) -> Result<(), Broken> {
        if self.said_at.is_some_and(|at| at.elapsed() < SIGN_OF_LIFE) {
            return Ok(());
        }
        let first = self.said_at.is_none();
        self.say(Online { online: true, reason: None }, first).await
    }
}
