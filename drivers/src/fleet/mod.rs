//! Runs all drivers. Each has a thread of its own and a supervisor that restarts it with growing
//! pauses; one that fails again and again makes its devices offline, which is an observation. A
//! driver that panics, blocks or never starts must never hold up another.

mod claims;
mod supervisor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anju_model::DeviceId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use claims::{Claims, Conflict};

use crate::driver::{Action, DeviceCommand, Driver, Refused, Report};
use crate::readings::Readings;

/// How a driver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It failed and is started again after a pause.
    Waiting {
        /// Why it failed.
        reason: String,
        /// How often it failed in a row.
        failures: u32,
    },
    /// Its thread does not answer; a new one was started beside it.
    Blocked,
    /// It shares a resource with another driver and was not started.
    Refused {
        /// Which resource, and who has it.
        reason: String,
    },
}

/// Limits of supervision.
#[derive(Debug, Clone)]
pub struct Limits {
    /// First pause after a failure.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// Failures in a row before its devices count as offline.
    pub failures_to_offline: u32,
    /// A run this long in which something was heard counts as healthy: failures before it are
    /// forgotten.
    pub healthy_heard: Duration,
    /// A run this long counts as healthy although nothing was heard. It is longer than any driver
    /// waits for a device that does not answer: else the wait itself would be the healthy run, and
    /// the device never lost.
    pub healthy_silent: Duration,
    /// A driver's thread that gives no sign for this long is blocked.
    pub blocked_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            failures_to_offline: 3,
            healthy_heard: Duration::from_secs(30),
            healthy_silent: Duration::from_secs(10 * 60),
            blocked_after: Duration::from_secs(30),
        }
    }
}

/// All drivers of the home.
#[derive(Debug)]
pub struct Fleet {
    reports: mpsc::Sender<Report>,
    limits: Limits,
    readings: Readings,
    claims: Claims,
    running: BTreeMap<String, Running>,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    supervisor: JoinHandle<()>,
    health: watch::Receiver<Health>,
    commands: mpsc::Sender<DeviceCommand>,
    devices: Vec<DeviceId>,
    /// Tells a driver from one that was configured otherwise.
    form: String,
}

impl Fleet {
    /// An empty fleet whose drivers will report to `reports`.
    pub fn new(reports: mpsc::Sender<Report>, limits: Limits) -> Self {
        Self::recalling(reports, limits, Readings::default())
    }

    /// The same with what is known of meters from before.
    pub fn recalling(reports: mpsc::Sender<Report>, limits: Limits, readings: Readings) -> Self {
        let (claims, running) = (Claims::default(), BTreeMap::new());
        Self { reports, limits, readings, claims, running }
    }

    /// Starts a driver. One that shares a resource with a running driver is not started and is
    /// shown as [`Health::Refused`].
    ///
    /// # Errors
    /// [`Conflict`] names the resource and who has it.
    pub fn start(&mut self, driver: Arc<dyn Driver>) -> Result<(), Conflict> {
        self.start_as(driver, String::new())
    }

    /// Makes these the drivers that run: those whose form changed are started anew, those that are
    /// gone are stopped, and all others are left alone. Gives the name and conflict of each that
    /// could not be started.
    pub async fn become_these(
        &mut self,
        wanted: Vec<(Arc<dyn Driver>, String)>,
    ) -> Vec<(String, Conflict)> {
        let stays = |name: &str, form: &str| {
            wanted.iter().any(|(driver, wanted)| driver.name() == name && wanted == form)
        };
        let goes: Vec<String> = self
            .running
            .iter()
            .filter(|(name, running)| !stays(name, &running.form))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &goes {
            if let Some(running) = self.running.get(name) {
                running.stop.cancel();
            }
        }
        for name in &goes {
            self.stop(name).await;
        }
        let mut conflicts = Vec::new();
        for (driver, form) in wanted {
            let name = driver.name().to_owned();
            if !self.running.contains_key(&name)
                && let Err(conflict) = self.start_as(driver, form)
            {
                conflicts.push((name, conflict));
            }
        }
        conflicts
    }

    fn start_as(&mut self, driver: Arc<dyn Driver>, form: String) -> Result<(), Conflict> {
        let name = driver.name().to_owned();
        self.claims.take(&name, driver.claims())?;
        let stop = CancellationToken::new();
        let (health_tx, health) = watch::channel(Health::Starting);
        let (commands, command_rx) = mpsc::channel(16);
        let devices = driver.devices().into_iter().map(|origin| origin.device).collect();
        let supervisor = tokio::spawn(supervisor::supervise(supervisor::Charge {
            driver,
            reports: self.reports.clone(),
            commands: command_rx,
            stop: stop.clone(),
            health: health_tx,
            limits: self.limits.clone(),
            readings: self.readings.clone(),
        }));
        let running = Running { stop, supervisor, health, commands, devices, form };
        self.running.insert(name, running);
        Ok(())
    }

    /// Stops one driver and frees what it had. Returns whether there was one.
    pub async fn stop(&mut self, name: &str) -> bool {
        let Some(running) = self.running.remove(name) else { return false };
        running.stop.cancel();
        // The supervisor ends by itself within its grace period even if the driver blocks.
        let _ = running.supervisor.await;
        self.claims.release(name);
        true
    }

    /// Stops all drivers at once.
    pub async fn stop_all(&mut self) {
        for running in self.running.values() {
            running.stop.cancel();
        }
        for (name, running) in std::mem::take(&mut self.running) {
            let _ = running.supervisor.await;
            self.claims.release(&name);
        }
    }

    /// Names of the drivers that run or are being restarted.
    pub fn names(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }

    /// How each driver is.
    pub fn health(&self) -> Vec<(String, Health)> {
        self.running.iter().map(|(name, r)| (name.clone(), r.health.borrow().clone())).collect()
    }

    /// The drivers that run now, to be watched without borrowing the fleet.
    pub fn watch(&self) -> Vec<Watched> {
        let watched = |(name, running): (&String, &Running)| Watched {
            name: name.clone(),
            devices: running.devices.clone(),
            health: running.health.clone(),
        };
        self.running.iter().map(watched).collect()
    }

    /// A handle that sends commands to devices without borrowing the fleet. It knows the drivers
    /// that run now.
    pub fn commander(&self) -> Commander {
        let mut routes = BTreeMap::new();
        for running in self.running.values() {
            for device in &running.devices {
                routes.insert(device.clone(), running.commands.clone());
            }
        }
        Commander { routes }
    }
}

/// One driver, as others may watch it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its name.
    pub name: String,
    /// The devices it serves.
    pub devices: Vec<DeviceId>,
    /// How it is.
    pub health: watch::Receiver<Health>,
}

/// Sends commands to devices.
#[derive(Debug, Clone, Default)]
pub struct Commander {
    routes: BTreeMap<DeviceId, mpsc::Sender<DeviceCommand>>,
}

/// Longest wait for a device to do as asked.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

impl Commander {
    /// Asks a device to do something and waits, at most 10 s, until it did.
    ///
    /// # Errors
    /// [`Refused`] says why it did not.
    pub async fn ask(&self, device: &DeviceId, action: Action) -> Result<(), Refused> {
        let route = self.routes.get(device).ok_or_else(|| Refused::NotRunning(device.clone()))?;
        let (done, answer) = oneshot::channel();
        let command = DeviceCommand { device: device.clone(), action, done };
        route.try_send(command).map_err(|_| Refused::NotRunning(device.clone()))?;
        match tokio::time::timeout(COMMAND_TIMEOUT, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Refused::NotRunning(device.clone())),
            Err(_) => Err(Refused::Failed {
                device: device.clone(),
                reason: "no answer within 10 s".into(),
            }),
        }
    }
}
