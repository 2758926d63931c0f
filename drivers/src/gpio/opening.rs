//! Taking one line while others already work. A line that somebody else holds concerns its own
//! device only: the device is told as lost, and the line is tried again. It must never keep the
//! other lines of the chip waiting; what concerns the whole chip ends the driver instead.

use std::sync::Arc;
use std::time::Duration;

use anju_model::Observation;
use anju_model::observation::{Online, Origin};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lines::{InputLine, LineError, Lines, Wiring};
use crate::backoff::Backoff;

/// Tells the box what a device says; an error means that the box stops.
pub type Say = mpsc::Sender<Observation>;

/// The tries to take one line.
#[derive(Debug)]
pub struct Opening {
    origin: Origin,
    pauses: Backoff,
    told: bool,
    /// The device has another line that says that it is there.
    quiet: bool,
}

impl Opening {
    /// Before the first try.
    pub const fn new(origin: Origin) -> Self {
        let pauses = Backoff::new(Duration::from_secs(5), Duration::from_secs(120));
        Self { origin, pauses, told: false, quiet: false }
    }

    /// For a further line of a device: having it is not told.
    pub fn quiet(origin: Origin) -> Self {
        Self { quiet: true, ..Self::new(origin) }
    }

    /// Tries. `None` when only this line can not be had, with the pause until the next try.
    ///
    /// # Errors
    /// What concerns the whole chip.
    pub async fn attempt<T>(
        &mut self,
        taken: Result<T, LineError>,
        say: &Say,
    ) -> Result<Result<T, (LineError, Duration)>, LineError> {
        let error = match taken {
            Ok(line) if self.quiet && !self.told => return Ok(Ok(line)),
            Ok(line) => {
                let online = Online { online: true, reason: None };
                let observation = Observation::new(self.origin.clone(), online);
                // As a base line where nothing else was ever said.
                let told = if self.told { observation } else { observation.as_baseline() };
                let _ = say.send(told).await;
                return Ok(Ok(line));
            }
            Err(error) if error.is_of_chip() => return Err(error),
            Err(error) => error,
        };
        if !self.told {
            self.told = true;
            tracing::warn!(device = %self.origin.device, %error, "line can not be had");
            let lost = Online { online: false, reason: Some(error.to_string()) };
            let _ = say.send(Observation::new(self.origin.clone(), lost)).await;
        }
        let pause = self.pauses.next().unwrap_or(Duration::from_secs(120));
        Ok(Err((error, pause)))
    }
}

/// Takes an input, trying again while only that line can not be had. `None` when told to stop.
///
/// # Errors
/// What concerns the whole chip.
pub async fn input(
    opening: &mut Opening,
    lines: &Arc<dyn Lines>,
    wiring: &Wiring,
    say: &Say,
    stop: &CancellationToken,
) -> Result<Option<Box<dyn InputLine>>, LineError> {
    loop {
        let pause = match opening.attempt(lines.input(wiring), say).await? {
            Ok(line) => return Ok(Some(line)),
            Err((_, pause)) => pause,
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(pause) => {}
        }
    }
}
