//! One relay with something loud or bright on it, from taking its line to switching it. It is off from the
//! moment its line is taken, goes off by itself, and is off when its line is let go. What no program
//! can do: after `kill -9` a relay stays as it was until the driver takes it again.

use std::sync::Arc;

use anju_model::Observation;
use anju_model::observation::{Origin, Siren};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lines::{LineError, Lines, OutputLine, Wiring};
use super::opening::{Opening, Say};
use super::relay::{LONGEST, Relay};
use crate::driver::{Action, DeviceCommand, Refused};

/// One relay.
pub struct Sounder {
    /// Who hands the line out.
    pub lines: Arc<dyn Lines>,
    /// The device on it.
    pub origin: Origin,
    /// The line.
    pub wiring: Wiring,
    /// What it is asked to do.
    pub commands: mpsc::Receiver<DeviceCommand>,
    /// Where it is told.
    pub say: Say,
    /// Cancelled at the end.
    pub stop: CancellationToken,
}

impl Sounder {
    /// Obeys until told to stop.
    ///
    /// # Errors
    /// When the chip can not be had or was lost.
    pub async fn run(mut self) -> Result<(), LineError> {
        let Some(mut line) = self.open().await? else { return Ok(()) };
        let mut relay = Relay::new(LONGEST);
        let quiet = Observation::new(self.origin.clone(), Siren { sounding: false });
        let _ = self.say.send(quiet.as_baseline()).await;
        loop {
            let now = self.lines.now();
            let pause = relay.wake(now).map(|at| at.saturating_sub(now));
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return line.set(false),
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {
                    let now = self.lines.now();
                    let over = relay.tick(now);
                    line.set(relay.level(now))?;
                    if over {
                        self.tell(false).await;
                    }
                }
                Some(command) = self.commands.recv() => {
                    self.obey(command, &mut relay, line.as_mut()).await?;
                }
            }
        }
    }

    /// Takes the line; refuses what is asked meanwhile, with the reason. `None` when told to stop.
    async fn open(&mut self) -> Result<Option<Box<dyn OutputLine>>, LineError> {
        let mut opening = Opening::new(self.origin.clone());
        loop {
            let taken = self.lines.output(&self.wiring);
            let (error, pause) = match opening.attempt(taken, &self.say).await? {
                Ok(line) => return Ok(Some(line)),
                Err(refused) => refused,
            };
            let again = tokio::time::sleep(pause);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(None),
                    () = &mut again => break,
                    Some(command) = self.commands.recv() => answer(command, Err(error.to_string())),
                }
            }
        }
    }

    async fn obey(
        &self,
        command: DeviceCommand,
        relay: &mut Relay,
        line: &mut dyn OutputLine,
    ) -> Result<(), LineError> {
        let was = relay.is_on();
        let now = self.lines.now();
        let time = |seconds: u16| std::time::Duration::from_secs(seconds.into());
        match command.action {
            Action::Sound { seconds } => {
                relay.sound(now, time(seconds));
            }
            Action::Flash { seconds, .. } => relay.flash(now, time(seconds)),
            Action::Hush => {
                relay.stop();
            }
            Action::Hold => relay.hold(now),
            Action::TellAnew => {
                answer(command, Err("it has no reading".to_owned()));
                return Ok(());
            }
        }
        let on = relay.level(now);
        if let Err(error) = line.set(on) {
            answer(command, Err(error.to_string()));
            return Err(error);
        }
        // A chip that can not read its outputs proves nothing either way.
        if line.is_on().is_ok_and(|really| really != on) {
            let wanted = if on { "on" } else { "off" };
            answer(command, Err(format!("the pin does not go {wanted}; look for a short circuit")));
            return Ok(());
        }
        answer(command, Ok(()));
        if relay.is_on() != was {
            self.tell(!was).await;
        }
        Ok(())
    }

    async fn tell(&self, sounding: bool) {
        let observation = Observation::new(self.origin.clone(), Siren { sounding });
        // The box stops when nobody listens; `stop` says so too.
        let _ = self.say.send(observation).await;
    }
}

fn answer(command: DeviceCommand, result: Result<(), String>) {
    let result = result.map_err(|reason| Refused::Failed { device: command.device, reason });
    // The asker may have gone; then nobody needs the answer.
    let _ = command.done.send(result);
}
