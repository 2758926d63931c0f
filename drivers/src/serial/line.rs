//! The wires of a serial port and how they are set: speed, parity, stop bits. The one place that
//! opens a port, for buses that are asked and for devices that talk by themselves. It must never
//! open a port that another program has.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anju_model::config::Parity;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_serial::{
    DataBits, FlowControl, SerialPort, SerialPortBuilderExt, SerialStream, StopBits,
};

use crate::driver::DriverError;

/// How a line is set, with 8 data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line {
    /// Bits a second.
    pub baud: u32,
    /// Parity bit.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stop_bits: u8,
}

impl Line {
    /// 8 data bits and one stop bit at this speed.
    pub const fn new(baud: u32, parity: Parity) -> Self {
        Self { baud, parity, stop_bits: 1 }
    }

    /// Time of one character.
    pub fn character(self) -> Duration {
        let parity = u32::from(self.parity != Parity::None);
        let bits = 1 + 8 + parity + u32::from(self.stop_bits);
        Duration::from_secs(1) * bits / self.baud.max(1)
    }

    fn parity(self) -> tokio_serial::Parity {
        match self.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        }
    }

    const fn stop_bits(self) -> StopBits {
        if self.stop_bits == 2 { StopBits::Two } else { StopBits::One }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} 8{parity}{}", self.baud, self.stop_bits)
    }
}

/// What bytes go over; ports, and stand-ins for them in tests.
pub trait Wires: AsyncRead + AsyncWrite + Unpin + Send {
    /// Sets the line.
    ///
    /// # Errors
    /// When the adapter can not be set so.
    fn tune(&mut self, line: Line) -> Result<(), String>;
}

impl Wires for SerialStream {
    fn tune(&mut self, line: Line) -> Result<(), String> {
        self.set_baud_rate(line.baud)
            .and_then(|()| self.set_parity(line.parity()))
            .and_then(|()| self.set_stop_bits(line.stop_bits()))
            .map_err(|error| format!("it can not be set to {line}: {error}"))
    }
}

#[cfg(test)]
impl Wires for tokio::io::DuplexStream {
    fn tune(&mut self, _: Line) -> Result<(), String> {
        Ok(())
    }
}

/// Opens a port.
///
/// # Errors
/// [`DriverError::Link`] when it is not there, is taken, or can not be set so.
pub fn open(path: &Path, line: Line) -> Result<SerialStream, DriverError> {
    tokio_serial::new(path.to_string_lossy(), line.baud)
        .data_bits(DataBits::Eight)
        .parity(line.parity())
        .stop_bits(line.stop_bits())
        .flow_control(FlowControl::None)
        .open_native_async()
        .map_err(|error| DriverError::Link {
            link: link_name(path),
            reason: format!(
                "can not be opened: {error}; check that the adapter is plugged in and that no \
                 other program has it"
            ),
        })
}

/// How errors name the port.
pub fn link_name(path: &Path) -> String {
    format!("serial port {}", path.display())
}
