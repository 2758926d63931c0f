//! The vocabulary of the box: device kinds, observations, alerts, journal entries, household
//! configuration and time stamps. Plain data that every other crate shares. It must never do I/O,
//! never wait and never know who uses it.

pub mod alert;
pub mod box_event;
pub mod command;
pub mod config;
pub mod delivery;
pub mod entry;
pub mod finding;
pub mod id;
pub mod kind;
pub mod language;
pub mod observation;
#[cfg(feature = "schema")]
pub mod schema;
pub mod stamp;
pub mod timeline;

pub use alert::{AlertChange, AlertId, AlertStep, CLOSED_BY_ITSELF, Class, Outcome, Rule, Subject};
pub use box_event::{BoxEvent, OldCharge, OldHome};
pub use delivery::Delivery;
pub use entry::{Body, Entry, EntryError, Lane};
pub use finding::{Finding, Lost, Raise};
pub use id::{BoxId, ContactId, DeviceId, EntryId, IdError, LinkId, PersonId, RoomId, SatelliteId};
pub use kind::{Category, DeviceKind};
pub use language::Language;
pub use observation::{Fact, Observation};
pub use stamp::{Clock, Stamp};
pub use timeline::{CaughtUp, Moment, Timeline};
