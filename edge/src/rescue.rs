//! What the box can do to a modem beyond the modem's own commands: cut its power, and as the last
//! resort start the whole box anew. It must never start the box anew while somebody waits for help,
//! nor twice within a day, and never say that a modem is back: that shows by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anju_drivers::gpio::chardev::CharDev;
use anju_drivers::gpio::lines::{LineError, Lines, Wiring};
use anju_model::Class;
use anju_model::config::{Bias, ModemPower};
use anju_modem::{Bus, Rung};
use tokio::sync::watch;

use crate::clock;
use crate::core::View;

/// How long the modem's power is cut; its capacitors empty meanwhile.
const CUT_FOR: Duration = Duration::from_secs(10);

/// The box is started anew for a modem's sake at most once in this time.
const REBOOT_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Says, as a file in the data folder, that the box was started anew for the modem's sake.
const MARK: &str = "started-for-modem";

/// What is done for the modem. Cheap to clone.
#[derive(Clone)]
pub struct Rescue {
    core: watch::Receiver<View>,
    mark: PathBuf,
    lines: Arc<dyn Lines>,
    bus: Bus,
}

impl Rescue {
    /// By what the core knows; the mark of a start lies in the data folder.
    pub fn new(core: watch::Receiver<View>, data: &Path) -> Self {
        Self { core, mark: data.join(MARK), lines: Arc::new(CharDev), bus: Bus::System }
    }

    /// Does what a rung asks for, if it is the box's to do. Returns at once.
    pub fn climb(&self, rung: Rung) {
        let rescue = self.clone();
        match rung {
            Rung::Redial | Rung::Reset => {}
            Rung::PowerCycle => drop(tokio::spawn(async move {
                match rescue.cut_power().await {
                    Ok(true) => tracing::warn!("the modem's power was cut and is back"),
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, "the modem's power can not be cut"),
                }
            })),
            Rung::Reboot => drop(tokio::spawn(async move {
                match rescue.start_anew(clock::uptime()).await {
                    Ok(()) => tracing::warn!("the box starts anew, since the modem stays away"),
                    Err(why) => tracing::warn!(%why, "the box is not started anew for the modem"),
                }
            })),
        }
    }

    /// Cuts the modem's power for a while; whether there is a line for it.
    async fn cut_power(&self) -> Result<bool, LineError> {
        let household = self.core.borrow().picture.as_ref().map(|p| p.household.clone());
        let Some(power) = household.and_then(|household| household.modem.power.clone()) else {
            return Ok(false);
        };
        let ModemPower { chip, pin, active } = power;
        let wiring = Wiring {
            chip,
            line: pin,
            active,
            bias: Bias::None,
            debounce: Duration::ZERO,
            consumer: "anju:modem-power".to_owned(),
        };
        let mut line = self.lines.output(&wiring)?;
        line.set(true)?;
        tokio::time::sleep(CUT_FOR).await;
        line.set(false)?;
        Ok(true)
    }

    /// Starts the box anew, if that does no harm.
    async fn start_anew(&self, uptime: Duration) -> Result<(), String> {
        if self.core.borrow().open.iter().any(|alert| alert.subject.class == Class::Alarm) {
            return Err("an alarm is open".into());
        }
        // A start for the modem's sake was this boot's or an earlier one's.
        if self.mark.exists() && uptime < REBOOT_EVERY {
            return Err("that was done within the last day".into());
        }
        // Without the mark it would be done again and again.
        let marked = std::fs::File::create(&self.mark).and_then(|file| file.sync_all());
        marked.map_err(|error| format!("{}: {error}", self.mark.display()))?;
        let asked = async {
            let (service, path) = ("org.freedesktop.login1", "/org/freedesktop/login1");
            let manager = Some("org.freedesktop.login1.Manager");
            let bus = self.bus.connect().await?;
            bus.call_method(Some(service), path, manager, "Reboot", &false).await
        };
        asked.await.map(drop).map_err(|error: zbus::Error| format!("systemd-logind: {error}"))
    }
}

#[cfg(test)]
mod tests;
