//! The ways out of the box: speech, sirens and lights at home, push messages elsewhere. Each runs in a
//! thread or task of its own and takes its work without making anybody wait; one that hangs, fails
//! or is absent never holds up another. What becomes of each piece of work is reported.

pub mod centre;
pub mod channel;
pub mod dingtalk;
mod group;
mod http;
pub mod lights;
pub mod mail;
pub mod ntfy;
pub mod pace;
pub mod post;
pub mod robot;
pub mod siren;
pub mod sms;
pub mod speaker;
mod ways;
pub mod wecom;

pub use channel::{Channel, Health, ModemNews, Report, Reports};
pub use http::{NoClient, TlsClock, tls};
pub use ways::Ways;
