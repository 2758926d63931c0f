//! The way to the centre: MQTT 5, QoS 1, a persistent session, two lanes.
//!
//! The journal owns every message until the broker acknowledged it: whenever a connection is lost,
//! all that was not acknowledged goes out again from the feeds, with the same id and the same
//! bytes. The alerts lane has room of its own in the in-flight window, so an alert overtakes any
//! backlog. Nothing here may hold up the box: a broker that is away, hangs or refuses costs only
//! its own connection.
//!
//! - [`session::run`] keeps one connection after the other until it is stopped.
//! - [`feed::Feed`] is what a lane is drawn from.
//! - [`command`] turns what arrives into requests, or says why not.

mod certificate_clock;
pub mod command;
mod connection;
pub mod feed;
mod flight;
mod pause;
mod probe;
mod reading;
pub mod session;
mod settings;
pub mod status;
mod trial;
mod unanswered;

pub use certificate_clock::CertificateClock;
pub use probe::probe;
pub use settings::{Settings, SettingsError};
