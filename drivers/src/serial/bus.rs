//! A bus whose devices answer when they are asked: one driver owns one port with all devices on its
//! wires. Whoever has been due longest is polled next, one request at a time. It must never ask a
//! second device while the first may still answer, never send anything that changes a device, and
//! never let a silent device keep the others from being read.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{Device, SerialBinding, SerialLink};
use anju_model::observation::{Online, Origin};
use anju_model::{LinkId, Observation};
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::line::{self, Line, Wires};
use super::meter::Meter;
use super::port::Port;
use super::probe::{Approach, Candidate, Turn, candidates};
use crate::driver::{Claim, Context, Driver, DriverError};

/// One serial port with the devices on its wires that are asked in turn.
#[derive(Debug)]
pub struct BusDriver {
    name: String,
    path: PathBuf,
    devices: Vec<Known>,
}

/// A configured device.
#[derive(Debug)]
struct Known {
    origin: Origin,
    poll: Duration,
    /// Empty when what is configured can not be spoken to.
    candidates: Vec<Candidate>,
}

impl BusDriver {
    /// A driver for `link` with these devices.
    pub fn new(id: &LinkId, link: &SerialLink, devices: &[(&Device, &SerialBinding)]) -> Self {
        let devices = devices.iter().map(|(device, binding)| Known {
            origin: device.origin(),
            poll: binding.poll,
            candidates: candidates(device.kind, binding, link),
        });
        let devices = devices.collect();
        Self { name: format!("serial:{id}"), path: link.path.clone(), devices }
    }

    async fn serve(&self, context: &Context) -> Result<(), DriverError> {
        let first = self.devices.iter().find_map(|known| known.candidates.first());
        let line = first.map_or(Line::new(2400, anju_model::config::Parity::Even), |at| at.line);
        let wires = line::open(&self.path, line)?;
        let port = Port::new(wires, &self.path, line);
        tracing::info!(driver = self.name, path = %self.path.display(), "opened the port");
        let now = Instant::now();
        let mut members = Vec::new();
        for known in &self.devices {
            let meter = Meter::new(known.origin.clone(), known.poll, now);
            if let Some(approach) = Approach::new(known.candidates.clone()) {
                members.push(Member { meter, approach });
            } else {
                let reason = "its address is none in its protocol; copy it from the meter's label";
                let lost = Online { online: false, reason: Some(reason.to_owned()) };
                context.report(Observation::new(known.origin.clone(), lost)).await?;
            }
        }
        round(port, members, context).await
    }
}

impl Driver for BusDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.devices.iter().map(|known| known.origin.clone()).collect()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::SerialPort(self.path.clone())]
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

/// A device with how to speak to it.
#[derive(Debug)]
struct Member {
    meter: Meter,
    approach: Approach,
}

/// Polls until the port is gone; ends only with an error.
async fn round<W: Wires>(
    mut port: Port<W>,
    mut members: Vec<Member>,
    context: &Context,
) -> Result<(), DriverError> {
    loop {
        port.idle_until(members.iter().map(|member| member.meter.due).min()).await?;
        let anew = context.asked_anew();
        members.iter_mut().for_each(|member| member.meter.tell_anew_if(&anew));
        // A device still being looked for goes behind those that are due.
        let Some(next) = members.iter_mut().min_by_key(|member| member.meter.due) else { continue };
        let known = next.approach.line();
        match next.approach.turn(&mut port, next.meter.is_lost()).await? {
            Turn::Looking => next.meter.due = Instant::now(),
            Turn::Polled(round) => {
                let who = next.approach.who();
                for said in next.meter.polled(Instant::now(), &who, *round) {
                    context.report(said).await?;
                }
            }
        }
        // What one device answered to, the others most likely do too.
        let line = next.approach.line();
        if let Some(line) = line.filter(|_| known.is_none()) {
            for member in &mut members {
                member.approach.prefer(line);
            }
        }
    }
}
