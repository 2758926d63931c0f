//! The local page of the box: what a phone or a computer in the home sees, and the same as JSON.
//! It asks the box through one trait and must never wait for it, never load anything from
//! elsewhere, and, until there is a sign-in, never change anything.

mod api;
mod assets;
mod gate;
mod live;
pub mod metrics;
#[cfg(feature = "schema")]
pub mod openapi;
mod page;
mod server;
mod site;
mod texts;
pub mod view;

pub use metrics::{Metric, MetricKind, Sample};
pub use server::{Limits, serve};
pub use view::{
    Activity, Ago, Alert, AlertStage, BoxView, Channel, Device, Health, Helper, Journal, Link,
    Occupancy, OccupancyState, Part, Person, Plan, Presence, Reading, Standing, Status, Try,
    Uplink, Uplinks, Upstream, Watch, Words,
};
