//! GPIO lines: buttons, infrared sensors, contacts and relays on the pins of the box. One driver has
//! one chip with all devices on it. Line events come from the kernel with its time stamps and its
//! debouncing; nothing is polled.
//!
//! - [`debounce`], [`gesture`], [`pir`], [`reed`], [`relay`], [`storm`]: pure, without I/O;
//! - [`pulse`]: counts a meter's pulses; [`supervise`]: the cable of a wired alarm;
//! - [`sense`]: from levels to what a device says;
//! - [`lines`]: what the driver asks of lines, [`chardev`]: lines of the kernel, [`pi`]: of a
//!   Raspberry Pi's header;
//! - `watch`, `siren`, `opening`: the task of one line.

pub mod chardev;
pub mod debounce;
pub mod gesture;
pub mod lines;
mod opening;
pub mod pi;
pub mod pir;
pub mod pulse;
pub mod reed;
pub mod relay;
pub mod sense;
mod siren;
pub mod storm;
pub mod supervise;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anju_model::config::{Binding, Device, GpioBackend, GpioBinding, GpioLink, LinkKind};
use anju_model::observation::Origin;
use anju_model::{DeviceId, DeviceKind, LinkId};
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::catalogue::Serves;
use crate::driver::{Claim, Context, DeviceCommand, Driver, DriverError, Refused};
use crate::plan::PlanFault;
use chardev::CharDev;
use lines::{LineError, Lines, Wiring};
use pi::Header;
use sense::{InputTimings, Role};

const fn serves(kind: DeviceKind, protocol: &'static str) -> Serves {
    Serves { kind, link: LinkKind::Gpio, protocol }
}

/// The kinds that work on a line.
pub const SERVES: &[Serves] = &[
    serves(DeviceKind::FixedAlarm, "button"),
    serves(DeviceKind::OneTouchSpeaker, "button"),
    serves(DeviceKind::Motion, "pir"),
    serves(DeviceKind::DoorContact, "reed"),
    serves(DeviceKind::Doorbell, "button"),
    serves(DeviceKind::Siren, "relay"),
    serves(DeviceKind::Smoke, "dry-contact"),
    serves(DeviceKind::Gas, "dry-contact"),
    serves(DeviceKind::WaterLeak, "dry-contact"),
    serves(DeviceKind::WaterMeter, "pulse"),
    serves(DeviceKind::ElectricityMeter, "pulse"),
    serves(DeviceKind::BedStrap, "pressure-strip"),
    serves(DeviceKind::PillBox, "lid"),
];

/// What is done with a device's line.
#[derive(Debug, Clone, Copy)]
enum Job {
    Input(Role),
    /// Litres or watt hours for each pulse.
    Pulses(f64),
    Relay,
}

#[derive(Debug, Clone)]
struct Unit {
    origin: Origin,
    binding: GpioBinding,
    job: Job,
}

/// The driver of one chip.
pub struct GpioDriver {
    name: String,
    link: LinkId,
    chip: PathBuf,
    units: Vec<Unit>,
    timings: InputTimings,
    lines: Arc<dyn Lines>,
}

impl GpioDriver {
    /// The driver of a link with those of `devices` that hang on it, and what can not be served.
    /// Without a device to serve there is no driver.
    pub fn new(id: &LinkId, link: &GpioLink, devices: &[Device]) -> (Option<Self>, Vec<PlanFault>) {
        let lines: Arc<dyn Lines> = match link.backend {
            GpioBackend::Gpiocdev => Arc::new(CharDev),
            GpioBackend::Rppal => Arc::new(Header),
        };
        Self::with_lines(id, link, devices, lines, InputTimings::default())
    }

    /// The same with lines and times of the caller's choice.
    pub fn with_lines(
        id: &LinkId,
        link: &GpioLink,
        devices: &[Device],
        lines: Arc<dyn Lines>,
        timings: InputTimings,
    ) -> (Option<Self>, Vec<PlanFault>) {
        let mut faults = Vec::new();
        let mut units = Vec::new();
        let mut pins = BTreeSet::new();
        for device in devices.iter().filter(|device| device.link == *id) {
            match unit(device, &mut pins) {
                Ok(unit) => units.push(unit),
                Err(reason) => faults.push(PlanFault { part: device.id.to_string(), reason }),
            }
        }
        let driver = (!units.is_empty()).then(|| Self {
            name: format!("gpio:{id}"),
            link: id.clone(),
            chip: link.chip.clone(),
            units,
            timings,
            lines,
        });
        (driver, faults)
    }

    fn wiring(&self, unit: &Unit) -> Wiring {
        Wiring {
            chip: self.chip.clone(),
            line: unit.binding.pin,
            active: unit.binding.active,
            bias: unit.binding.bias,
            debounce: unit.binding.debounce,
            consumer: format!("anju:{}", unit.origin.device),
        }
    }

    fn failed(&self, reason: String) -> DriverError {
        DriverError::Link { link: self.link.to_string(), reason }
    }

    async fn serve(&self, mut context: Context) -> Result<(), DriverError> {
        let (say, mut said) = mpsc::channel(64);
        let mut tasks: JoinSet<Result<(), LineError>> = JoinSet::new();
        let mut relays: BTreeMap<DeviceId, mpsc::Sender<DeviceCommand>> = BTreeMap::new();
        let stop = context.stop.child_token();
        for unit in &self.units {
            let (lines, origin) = (self.lines.clone(), unit.origin.clone());
            let (wiring, say, stop) = (self.wiring(unit), say.clone(), stop.clone());
            match unit.job {
                Job::Input(role) => {
                    let (binding, timings) = (unit.binding.clone(), self.timings);
                    let level = binding.loop_pin.map(|line| {
                        let (level, alarm) = tokio::sync::watch::channel(None);
                        let wiring = Wiring { line, ..wiring.clone() };
                        let supervise = supervise::Supervise {
                            lines: lines.clone(),
                            origin: origin.clone(),
                            wiring,
                            alarm,
                            say: say.clone(),
                            stop: stop.clone(),
                        };
                        tasks.spawn(supervise.run());
                        level
                    });
                    let watch = watch::Watch {
                        lines,
                        origin,
                        role,
                        binding,
                        wiring,
                        timings,
                        level,
                        say,
                        stop,
                    };
                    tasks.spawn(watch.run());
                }
                Job::Pulses(per_pulse) => {
                    let (binding, last) = (unit.binding.clone(), context.last(&origin.device));
                    let pulses = pulse::Pulses {
                        lines,
                        origin,
                        binding,
                        wiring,
                        per_pulse,
                        last,
                        say,
                        stop,
                    };
                    tasks.spawn(pulses.run());
                }
                Job::Relay => {
                    let (sender, commands) = mpsc::channel(4);
                    relays.insert(origin.device.clone(), sender);
                    let sounder = siren::Sounder { lines, origin, wiring, commands, say, stop };
                    tasks.spawn(sounder.run());
                }
            }
        }
        drop(say);
        let end = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ok(()),
                Some(observation) = said.recv() => context.report(observation).await?,
                Some(command) = context.commands.recv() => pass(&relays, command),
                Some(ended) = tasks.join_next() => match ended {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break Err(self.failed(error.to_string())),
                    Err(panic) => break Err(self.failed(format!("the task of a line ended: {panic}"))),
                },
                else => {
                    stop.cancelled().await;
                    break Ok(());
                }
            }
        };
        // Relays go off before anything else may happen; nothing that was said is lost.
        stop.cancel();
        while let Some(observation) = last_words(&mut tasks, &mut said).await {
            if context.report(observation).await.is_err() {
                break;
            }
        }
        end
    }
}

/// What the tasks still say while they end.
async fn last_words(
    tasks: &mut JoinSet<Result<(), LineError>>,
    said: &mut mpsc::Receiver<anju_model::Observation>,
) -> Option<anju_model::Observation> {
    loop {
        tokio::select! {
            observation = said.recv() => return observation,
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// Passes a command to its relay, or says why not.
fn pass(relays: &BTreeMap<DeviceId, mpsc::Sender<DeviceCommand>>, command: DeviceCommand) {
    let Some(relay) = relays.get(&command.device) else {
        let refused = Refused::NotAble(command.device);
        let _ = command.done.send(Err(refused));
        return;
    };
    if let Err(error) = relay.try_send(command) {
        let command = error.into_inner();
        let _ = command.done.send(Err(Refused::NotRunning(command.device)));
    }
}

fn unit(device: &Device, pins: &mut BTreeSet<u32>) -> Result<Unit, String> {
    let Binding::Gpio(binding) = &device.binding else {
        return Err("it has no `pin`; give the line it hangs on".to_owned());
    };
    let job = match (Role::of(device.kind), device.kind) {
        (Some(role), _) => Job::Input(role),
        (None, DeviceKind::Siren) => Job::Relay,
        (None, kind @ (DeviceKind::WaterMeter | DeviceKind::ElectricityMeter)) => {
            let Some(per_pulse) = binding.per_pulse else {
                return Err(format!("a {kind} on a line needs what a pulse stands for; add it"));
            };
            Job::Pulses(per_pulse)
        }
        (None, kind) => {
            return Err(format!("a {kind} can not hang on a GPIO line; use another link"));
        }
    };
    let lines = [Some(binding.pin), binding.loop_pin];
    if let Some(pin) = lines.into_iter().flatten().find(|pin| pins.contains(pin)) {
        return Err(format!("line {pin} is another device's already; give it a pin of its own"));
    }
    pins.extend(lines.into_iter().flatten());
    Ok(Unit { origin: device.origin(), binding: binding.clone(), job })
}

impl Driver for GpioDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.units.iter().map(|unit| unit.origin.clone()).collect()
    }

    /// The lines, on the chip that the configured path, name or label stands for, so that two links
    /// that name one chip differently do not share a line.
    fn claims(&self) -> Vec<Claim> {
        let chip = self.lines.resolve(&self.chip);
        let lines =
            self.units.iter().flat_map(|unit| [Some(unit.binding.pin), unit.binding.loop_pin]);
        lines.flatten().map(|line| Claim::GpioLine { chip: chip.clone(), line }).collect()
    }

    fn run(self: Arc<Self>, context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move { self.serve(context).await })
    }
}
