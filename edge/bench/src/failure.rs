//! Why the bench could not measure.

use std::io;

use thiserror::Error;

/// Something that had to work for a measurement did not.
#[derive(Debug, Error)]
pub enum Failure {
    /// Input or output.
    #[error("{0}: {1}")]
    Io(&'static str, io::Error),
    /// A client of a broker.
    #[error("MQTT: {0}")]
    Mqtt(String),
    /// Something that had to happen did not.
    #[error("{0}")]
    Missed(String),
    /// The bare engine.
    #[error("bare sled: {0}")]
    Sled(#[from] sled::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] anju_journal::OpenError),
    /// An entry did not become durable.
    #[error("journal: {0}")]
    NotRecorded(#[from] anju_journal::NotRecorded),
}

/// What every part of the bench gives.
pub type Outcome<T> = Result<T, Failure>;

/// Names what was tried.
pub fn io(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::Io(what, error)
}
