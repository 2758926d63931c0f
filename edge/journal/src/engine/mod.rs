//! The one small trait between the journal and whatever keeps its bytes.
//!
//! An engine keeps, for each lane, values by rising number, and a few small named values. It knows
//! no records, no epochs and no followers. No type of a concrete engine leaks through here.

mod memory;
mod script;
mod sled;

use std::path::Path;
use std::sync::Arc;

use crate::types::{Lane, Trouble};

pub use memory::{MemoryDisk, MemoryOpener};
pub use script::{Fault, Script, ScriptedOpener};
pub use sled::SledOpener;

/// One change.
#[derive(Clone, Copy, Debug)]
pub enum Op<'a> {
    /// Set a lane's value.
    Put(Lane, u64, &'a [u8]),
    /// Remove a lane's value.
    Remove(Lane, u64),
    /// Set a named value.
    Meta(&'a str, &'a [u8]),
}

/// Why an engine did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Not the fault of what is stored: trying again later may help, setting aside never does.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// What is stored is broken.
    #[error("the journal is broken: {0}")]
    Broken(String),
}

/// Where bytes are kept. Called from one writing thread and from reading threads at once.
///
/// Changes take effect in the order given; after a crash the engine holds a prefix of them, at
/// least up to the last [`make_durable`](Engine::make_durable) that returned.
pub trait Engine: Send + Sync {
    /// Applies changes in order. They are visible to readers, not yet durable.
    ///
    /// # Errors
    /// After an error any prefix of the changes may have been applied.
    fn apply(&self, ops: &[Op<'_>]) -> Result<(), EngineError>;

    /// Returns when everything applied so far survives a power cut.
    ///
    /// # Errors
    /// After an error nothing applied since the last success may be trusted.
    fn make_durable(&self) -> Result<(), EngineError>;

    /// Hands values of a lane with numbers in `from..=to` to `take`, rising, until it says stop by
    /// returning false.
    ///
    /// # Errors
    /// Values handed over before the error are sound.
    fn range(
        &self,
        lane: Lane,
        from: u64,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError>;

    /// The same, falling from `to`.
    ///
    /// # Errors
    /// Values handed over before the error are sound.
    fn range_back(
        &self,
        lane: Lane,
        to: u64,
        take: &mut dyn FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), EngineError>;

    /// A lane's lowest number.
    ///
    /// # Errors
    /// When it cannot be read.
    fn first(&self, lane: Lane) -> Result<Option<u64>, EngineError>;

    /// A lane's highest number.
    ///
    /// # Errors
    /// When it cannot be read.
    fn last(&self, lane: Lane) -> Result<Option<u64>, EngineError>;

    /// A named value.
    ///
    /// # Errors
    /// When it cannot be read.
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError>;

    /// Bytes of disk in use.
    ///
    /// # Errors
    /// When the file system does not say.
    fn size(&self) -> Result<u64, EngineError>;
}

/// Opens engines; kept by the journal so that it can open again after a failure.
pub trait Opener: Send + Sync + 'static {
    /// Opens what is in `dir`, or begins there.
    ///
    /// # Errors
    /// [`EngineError::Broken`] is a reason to move the folder aside, the others never are.
    fn open(&self, dir: &Path) -> Result<Arc<dyn Engine>, EngineError>;
}

/// Sorts an error of the operating system.
pub(crate) fn sort_io(what: &str, error: &std::io::Error) -> Trouble {
    use rustix::io::Errno;
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            return Trouble::DiskFull;
        }
        ErrorKind::ReadOnlyFilesystem => return Trouble::ReadOnly,
        ErrorKind::PermissionDenied => return Trouble::Denied,
        ErrorKind::WouldBlock | ErrorKind::ResourceBusy => return Trouble::Locked,
        ErrorKind::OutOfMemory => return Trouble::Short(format!("{what}: {error}")),
        _ => {}
    }
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    if error.raw_os_error().is_some_and(|raw| short.iter().any(|e| e.raw_os_error() == raw)) {
        return Trouble::Short(format!("{what}: {error}"));
    }
    Trouble::Failed(format!("{what}: {error}"))
}
