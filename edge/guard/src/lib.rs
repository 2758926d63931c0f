//! The rules that judge whether the person in the home is safe. Entries of the journal go in, in
//! the order of their numbers, findings come out; time passes only as entries and stamps say. This
//! crate must never do I/O, read a clock, or decide whom to call: the same entries give the same
//! findings, on a live box, after a restart, and in a replay of the recorded journal.

mod activity;
mod civil;
mod consumption;
mod faults;
mod guard;
mod home;
mod line;
mod overlooked;
mod replay;
mod roster;
mod rules;
mod view;

#[cfg(test)]
mod testing;

pub use faults::Faults;
pub use guard::{AWAY_ENDED_BY_GUARD, Guard};
pub use home::Occupancy;
pub use replay::{Replay, ReplayedAlert, replay};
pub use view::{DeviceView, HomeView, LastActivity, RuleView, Standing, Why};
