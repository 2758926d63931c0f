//! What a driver is and what it is given. A driver turns bytes of its link into observations and
//! obeys commands to its devices. It must never share a pin or port with another driver, never
//! judge, and never keep anything that its next start would need.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anju_model::config::Announcer;
use anju_model::observation::{Meter, Origin};
use anju_model::{DeviceId, Observation};
use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::readings::Readings;

/// One device, or one bus with its devices. Ready to be started any number of times.
pub trait Driver: Send + Sync + 'static {
    /// A short unique name for logs and the page, such as `mqtt:zigbee`.
    fn name(&self) -> &str;

    /// The devices it serves.
    fn devices(&self) -> Vec<Origin>;

    /// What it needs for itself alone.
    fn claims(&self) -> Vec<Claim>;

    /// Runs until [`Context::stop`] is cancelled (then `Ok`), or until it can not go on.
    ///
    /// It runs on a thread of its own with a single-threaded runtime, so blocking harms only
    /// itself; it must open its link anew at each start.
    fn run(self: Arc<Self>, context: Context) -> BoxFuture<'static, Result<(), DriverError>>;
}

/// Something that only one driver can have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// A serial port.
    SerialPort(PathBuf),
    /// A line of a GPIO chip.
    GpioLine {
        /// The chip as configured.
        chip: PathBuf,
        /// Line offset.
        line: u32,
    },
    /// An I2C bus.
    I2cBus(PathBuf),
    /// A Bluetooth adapter.
    Radio(String),
    /// A client id at a broker.
    MqttClient(String),
}

impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Claim::SerialPort(path) => write!(f, "serial port {}", path.display()),
            Claim::GpioLine { chip, line } => write!(f, "line {line} of {}", chip.display()),
            Claim::I2cBus(path) => write!(f, "I2C bus {}", path.display()),
            Claim::Radio(adapter) => write!(f, "radio {adapter}"),
            Claim::MqttClient(id) => write!(f, "MQTT client id {id}"),
        }
    }
}

/// Why a driver could not go on. The text says what failed and what mends it.
#[derive(Debug, Error)]
pub enum DriverError {
    /// The link could not be opened or was lost.
    #[error("{link}: {reason}")]
    Link {
        /// Which link.
        link: String,
        /// What failed and the mend.
        reason: String,
    },
    /// The box no longer takes reports.
    #[error("the box is stopping")]
    Closed,
}

/// An observation on its way to the box.
#[derive(Debug)]
pub struct Report {
    /// What was observed.
    pub observation: Observation,
    /// Told once the observation is durably recorded; dropped if it could not be recorded.
    pub recorded: Option<oneshot::Sender<()>>,
}

/// What a device is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sound and flash for at most that many seconds.
    Sound {
        /// Seconds, at most 1800.
        seconds: u16,
    },
    /// Be silent, or dark; a lamp is put back as it was.
    Hush,
    /// Blink for at most that many seconds, without sound, and then be as before.
    Flash {
        /// Seconds, at most 1800.
        seconds: u16,
        /// With what.
        with: Announcer,
    },
    /// Switch nothing from now on, until another order.
    Hold,
    /// Tell the next reading, even where it is no news: somebody tests whether it comes.
    TellAnew,
}

/// Why a device did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// No driver serves it now.
    #[error("device {0} can not be reached: its driver is not running")]
    NotRunning(DeviceId),
    /// The device can not do that.
    #[error("device {0} can not do that")]
    NotAble(DeviceId),
    /// The link failed.
    #[error("device {device}: {reason}")]
    Failed {
        /// The device.
        device: DeviceId,
        /// What failed.
        reason: String,
    },
}

/// A command to a device with the way back.
#[derive(Debug)]
pub struct DeviceCommand {
    /// Which device.
    pub device: DeviceId,
    /// What.
    pub action: Action,
    /// Told when it was done, as far as the link can tell.
    pub done: oneshot::Sender<Result<(), Refused>>,
}

/// What a running driver has of the box.
#[derive(Debug)]
pub struct Context {
    reports: mpsc::Sender<Report>,
    /// Commands to its devices.
    pub commands: mpsc::Receiver<DeviceCommand>,
    /// Cancelled when it is to stop.
    pub stop: CancellationToken,
    readings: Readings,
    anew: Arc<Mutex<BTreeSet<DeviceId>>>,
}

impl Context {
    /// Makes a context; drivers' tests do so too.
    pub fn new(
        reports: mpsc::Sender<Report>,
        commands: mpsc::Receiver<DeviceCommand>,
        stop: CancellationToken,
    ) -> Self {
        let (readings, anew) = (Readings::default(), Arc::default());
        Self { reports, commands, stop, readings, anew }
    }

    /// The same with what was read before.
    #[must_use]
    pub fn with_readings(mut self, readings: Readings) -> Self {
        self.readings = readings;
        self
    }

    /// The last reading of a meter that the box knows, of this start or an earlier one.
    pub fn last(&self, meter: &DeviceId) -> Option<Meter> {
        self.readings.last(meter)
    }

    /// The devices that were asked to tell their next reading since this was last asked.
    pub(crate) fn asked_anew(&self) -> BTreeSet<DeviceId> {
        std::mem::take(&mut *self.anew.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the commands away, for devices that only tell: keeps who is to tell anew, refuses all
    /// else, and ends when the driver is to stop.
    pub(crate) fn refuse_until_stopped(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let (_, none) = mpsc::channel(1);
        let mut commands = std::mem::replace(&mut self.commands, none);
        let (stop, anew) = (self.stop.clone(), self.anew.clone());
        let refuse = async move {
            while let Some(DeviceCommand { device, action, done }) = commands.recv().await {
                let answer = if action == Action::TellAnew {
                    anew.lock().unwrap_or_else(PoisonError::into_inner).insert(device);
                    Ok(())
                } else {
                    Err(Refused::NotAble(device))
                };
                // The asker may have stopped waiting.
                let _ = done.send(answer);
            }
            std::future::pending::<()>().await;
        };
        async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = refuse => {}
            }
        }
    }

    /// Reports what was observed.
    ///
    /// # Errors
    /// [`DriverError::Closed`] when the box is stopping.
    pub async fn report(&self, observation: Observation) -> Result<(), DriverError> {
        let report = Report { observation, recorded: None };
        self.reports.send(report).await.map_err(|_| DriverError::Closed)
    }

    /// Reports what was observed, and lets the caller wait until it is durably recorded: the
    /// receiver ends with an error if it could not be recorded.
    ///
    /// # Errors
    /// [`DriverError::Closed`] when the box is stopping.
    pub async fn report_recorded(
        &self,
        observation: Observation,
    ) -> Result<oneshot::Receiver<()>, DriverError> {
        let (recorded, receiver) = oneshot::channel();
        let report = Report { observation, recorded: Some(recorded) };
        self.reports.send(report).await.map_err(|_| DriverError::Closed)?;
        Ok(receiver)
    }
}
