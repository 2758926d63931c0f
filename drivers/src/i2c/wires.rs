//! What the driver needs of an I2C bus: to write to and read from one chip. The kernel's character
//! device gives it in a box, recorded transactions in a test. A chip that a kernel driver holds must
//! never be touched.

use std::io;
use std::path::{Path, PathBuf};

use i2cdev::core::{I2CMessage, I2CTransfer};
use i2cdev::linux::{LinuxI2CDevice, LinuxI2CMessage};
use thiserror::Error;

use super::sensirion::BadWords;

/// A bus.
pub trait Bus: Send + Sync + 'static {
    /// The way to the chip at a 7-bit address.
    ///
    /// # Errors
    /// When there is no such bus, or it may not be used.
    fn chip(&self, address: u8) -> io::Result<Box<dyn Wires>>;
}

/// The way to one chip.
pub trait Wires: Send {
    /// Writes in one transaction.
    ///
    /// # Errors
    /// When the chip does not acknowledge, or the bus hangs.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Fills the buffer in one transaction.
    ///
    /// # Errors
    /// When the chip does not acknowledge, or the bus hangs.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<()>;
}

/// Why a chip gave no reading.
#[derive(Debug, Error)]
pub enum ChipError {
    /// It did not acknowledge.
    #[error("it does not answer ({0}); check its address, wires and supply")]
    Silent(#[from] io::Error),
    /// What it sent is not to be believed.
    #[error("{0}; check its wires, their length and the pull-up resistors")]
    Bad(#[from] BadWords),
    /// It answers and measures nothing.
    #[error("it answers and measures nothing; check its supply, or replace it")]
    NoData,
}

/// Why a bus could not be had, with the mend.
pub fn open_failed(path: &Path, error: &io::Error) -> String {
    let mend = match error.kind() {
        io::ErrorKind::NotFound => {
            "switch I2C on (`dtparam=i2c_arm=on`), or mend the link's `path`"
        }
        io::ErrorKind::PermissionDenied => "let the service's user into the group `i2c`",
        _ => "look whether a kernel driver holds the chip, or the bus hangs",
    };
    format!("{}: {error}; {mend}", path.display())
}

/// A bus of the kernel.
#[derive(Debug, Clone)]
pub struct KernelBus(PathBuf);

impl KernelBus {
    /// The bus of a character device.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Bus for KernelBus {
    fn chip(&self, address: u8) -> io::Result<Box<dyn Wires>> {
        Ok(Box::new(Kernel(LinuxI2CDevice::new(&self.0, address.into())?)))
    }
}

struct Kernel(LinuxI2CDevice);

impl Wires for Kernel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.transact(LinuxI2CMessage::write(bytes))
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.transact(LinuxI2CMessage::read(bytes))
    }
}

impl Kernel {
    /// One message. Some adapters tell a chip that does not acknowledge by an error, others only by
    /// having done nothing.
    fn transact(&mut self, message: LinuxI2CMessage<'_>) -> io::Result<()> {
        match self.0.transfer(&mut [message])? {
            0 => Err(io::Error::other("it was not acknowledged")),
            _ => Ok(()),
        }
    }
}
