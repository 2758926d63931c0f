//! What the driver needs of GPIO lines, whoever provides them: the kernel's character device in a
//! box, a script of edges in a test. A line is held by one owner only; losing a line is always an
//! error and never a level.

use std::path::PathBuf;
use std::time::Duration;

use anju_model::config::{ActiveLevel, Bias};
use futures::future::BoxFuture;
use thiserror::Error;

/// How one line is wired and wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// The chip: device path, name (`gpiochip0`) or label.
    pub chip: PathBuf,
    /// Offset on the chip.
    pub line: u32,
    /// Level of the closed contact, or of the relay that is on.
    pub active: ActiveLevel,
    /// Pull resistor of an input.
    pub bias: Bias,
    /// Shortest level of an input that counts.
    pub debounce: Duration,
    /// The name that others see as the holder of the line.
    pub consumer: String,
}

/// A change of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// When, on the clock of [`Lines::now`].
    pub at: Duration,
    /// Whether the contact is closed (the line active) from then on.
    pub closed: bool,
    /// Edges before this one are missing.
    pub lost: bool,
}

/// Somebody who hands out lines.
pub trait Lines: Send + Sync + 'static {
    /// Takes a line as input, with the chip it really is on.
    ///
    /// # Errors
    /// [`LineError`] says why it can not be had.
    fn input(&self, wiring: &Wiring) -> Result<Box<dyn InputLine>, LineError>;

    /// Takes a line as output; it is off from the first moment.
    ///
    /// # Errors
    /// [`LineError`] says why it can not be had.
    fn output(&self, wiring: &Wiring) -> Result<Box<dyn OutputLine>, LineError>;

    /// The time on the clock of the edges.
    fn now(&self) -> Duration;

    /// The chip that a configured name stands for, or that name itself while there is no such chip.
    fn resolve(&self, chip: &std::path::Path) -> PathBuf;
}

/// An input that is held.
pub trait InputLine: Send {
    /// Whether its edges are debounced already.
    fn debounced(&self) -> bool;

    /// Whether the contact is closed now.
    ///
    /// # Errors
    /// [`LineError::Lost`].
    fn closed(&self) -> Result<bool, LineError>;

    /// The next edge that has come already, if there is one.
    ///
    /// # Errors
    /// [`LineError::Lost`].
    fn pending(&mut self) -> Result<Option<Edge>, LineError>;

    /// Waits for the next edge. Dropping the future loses none.
    fn edge(&mut self) -> BoxFuture<'_, Result<Edge, LineError>>;
}

/// An output that is held. It must switch off when dropped.
pub trait OutputLine: Send {
    /// Switches.
    ///
    /// # Errors
    /// [`LineError::Lost`].
    fn set(&mut self, on: bool) -> Result<(), LineError>;

    /// Whether the pin itself shows that it is on.
    ///
    /// # Errors
    /// [`LineError::Lost`], also where the chip can not read its outputs.
    fn is_on(&self) -> Result<bool, LineError>;
}

/// Why a line can not be had, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// No chip of that path, name or label.
    #[error(
        "there is no GPIO chip {}; this machine has {found}; mend `chip` of the link", chip.display()
    )]
    NoChip {
        /// As configured.
        chip: PathBuf,
        /// What there is, for people.
        found: String,
    },
    /// Several chips of that label.
    #[error("several GPIO chips are labelled {}: {found}; give the path of one", chip.display())]
    Ambiguous {
        /// As configured.
        chip: PathBuf,
        /// The chips.
        found: String,
    },
    /// The `rppal` backend found no header.
    #[error("`rppal` finds no Raspberry Pi here ({reason}); write backend = \"auto\" for the link")]
    NoHeader {
        /// Its reason.
        reason: String,
    },
    /// The chip's device may not be opened.
    #[error("{} may not be opened; let the service's user into the group that owns it", chip.display())]
    Denied {
        /// The device.
        chip: PathBuf,
    },
    /// The chip has fewer lines.
    #[error("{} has lines 0 to {last}, not {line}; mend `pin` of the device", chip.display())]
    NoLine {
        /// The device.
        chip: PathBuf,
        /// The line asked for.
        line: u32,
        /// The highest there is.
        last: u32,
    },
    /// Somebody has the line.
    #[error(
        "line {line} of {} is held by `{consumer}`; use another pin, or free this one (an overlay \
         or another program has it)", chip.display()
    )]
    Busy {
        /// The device.
        chip: PathBuf,
        /// The line.
        line: u32,
        /// Who has it.
        consumer: String,
    },
    /// The kernel refused the line for another reason.
    #[error("line {line} of {} can not be set up: {reason}", chip.display())]
    Refused {
        /// The device.
        chip: PathBuf,
        /// The line.
        line: u32,
        /// The kernel's reason.
        reason: String,
    },
    /// A line that was held is gone, most likely with its chip.
    #[error("line {line} of {} was lost: {reason}; look whether the chip is still there", chip.display())]
    Lost {
        /// The device.
        chip: PathBuf,
        /// The line.
        line: u32,
        /// The kernel's reason.
        reason: String,
    },
}

impl LineError {
    /// Whether the whole chip is concerned rather than one line of it.
    pub const fn is_of_chip(&self) -> bool {
        match self {
            Self::NoChip { .. }
            | Self::Ambiguous { .. }
            | Self::NoHeader { .. }
            | Self::Denied { .. }
            | Self::Lost { .. } => true,
            Self::NoLine { .. } | Self::Busy { .. } | Self::Refused { .. } => false,
        }
    }
}
