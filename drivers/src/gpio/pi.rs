//! Lines by `rppal`, for a Raspberry Pi with the kernel of Raspberry Pi OS: levels come straight from
//! the registers, edges from the kernel on a thread of rppal's own. It must never block, and never
//! be chosen by itself: other kernels lack the register device.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anju_model::config::{ActiveLevel, Bias};
use futures::future::BoxFuture;
use rppal::gpio::{Error, Gpio, InputPin, Level, OutputPin, Pin, Trigger};
use tokio::sync::mpsc;

use super::chardev::CharDev;
use super::lines::{Edge, InputLine, LineError, Lines, OutputLine, Wiring};

/// The header of a Raspberry Pi.
#[derive(Debug, Clone, Copy, Default)]
pub struct Header;

impl Lines for Header {
    fn input(&self, wiring: &Wiring) -> Result<Box<dyn InputLine>, LineError> {
        let pin = take(wiring)?;
        let mut pin = match wiring.bias {
            Bias::PullUp => pin.into_input_pullup(),
            Bias::PullDown => pin.into_input_pulldown(),
            Bias::None => pin.into_input(),
        };
        let closed_at = closed_at(wiring.active);
        let (sender, edges) = mpsc::unbounded_channel();
        let mut next_number = 1;
        let told = move |event: rppal::gpio::Event| {
            let lost = event.seqno != next_number;
            next_number = event.seqno.wrapping_add(1);
            let level = match event.trigger {
                Trigger::RisingEdge => Level::High,
                _ => Level::Low,
            };
            // Nobody takes edges of a line that is given back.
            let _ = sender.send(Edge { at: event.timestamp, closed: level == closed_at, lost });
        };
        let debounce = (!wiring.debounce.is_zero()).then_some(wiring.debounce);
        pin.set_async_interrupt(Trigger::Both, debounce, told)
            .map_err(|error| refused(wiring, &error))?;
        let (chip, line) = (wiring.chip.clone(), wiring.line);
        Ok(Box::new(Input { pin, closed_at, edges, chip, line }))
    }

    fn output(&self, wiring: &Wiring) -> Result<Box<dyn OutputLine>, LineError> {
        let pin = take(wiring)?;
        let on_at = closed_at(wiring.active);
        let mut pin = match on_at {
            Level::High => pin.into_output_low(),
            Level::Low => pin.into_output_high(),
        };
        // Left as an input it would float; it is switched off instead.
        pin.set_reset_on_drop(false);
        Ok(Box::new(Output { pin, on_at }))
    }

    fn now(&self) -> Duration {
        CharDev.now()
    }

    fn resolve(&self, chip: &Path) -> PathBuf {
        CharDev.resolve(chip)
    }
}

const fn closed_at(active: ActiveLevel) -> Level {
    match active {
        ActiveLevel::Low => Level::Low,
        ActiveLevel::High => Level::High,
    }
}

fn take(wiring: &Wiring) -> Result<Pin, LineError> {
    let gpio = Gpio::new().map_err(|error| match error {
        Error::PermissionDenied(chip) => LineError::Denied { chip: chip.into() },
        error => LineError::NoHeader { reason: error.to_string() },
    })?;
    let pin = u8::try_from(wiring.line).map_err(|_| no_line(wiring))?;
    gpio.get(pin).map_err(|error| match error {
        Error::PinNotAvailable(_) => no_line(wiring),
        error => refused(wiring, &error),
    })
}

/// The header's lines are numbered as on the chip, 0 to 27.
fn no_line(wiring: &Wiring) -> LineError {
    LineError::NoLine { chip: wiring.chip.clone(), line: wiring.line, last: 27 }
}

fn refused(wiring: &Wiring, error: &Error) -> LineError {
    let (chip, line) = (wiring.chip.clone(), wiring.line);
    LineError::Refused { chip, line, reason: error.to_string() }
}

struct Input {
    pin: InputPin,
    closed_at: Level,
    edges: mpsc::UnboundedReceiver<Edge>,
    chip: PathBuf,
    line: u32,
}

impl InputLine for Input {
    fn debounced(&self) -> bool {
        true
    }

    fn closed(&self) -> Result<bool, LineError> {
        Ok(self.pin.read() == self.closed_at)
    }

    fn pending(&mut self) -> Result<Option<Edge>, LineError> {
        Ok(self.edges.try_recv().ok())
    }

    fn edge(&mut self) -> BoxFuture<'_, Result<Edge, LineError>> {
        Box::pin(async move {
            self.edges.recv().await.ok_or_else(|| LineError::Lost {
                chip: self.chip.clone(),
                line: self.line,
                reason: "its thread ended".to_owned(),
            })
        })
    }
}

struct Output {
    pin: OutputPin,
    on_at: Level,
}

impl OutputLine for Output {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        self.pin.write(if on { self.on_at } else { !self.on_at });
        Ok(())
    }

    fn is_on(&self) -> Result<bool, LineError> {
        let level = if self.pin.is_set_high() { Level::High } else { Level::Low };
        Ok(level == self.on_at)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.pin.write(!self.on_at);
    }
}
