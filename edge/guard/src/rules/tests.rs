//! Tables of what happens and what is found, under a virtual clock.

mod absence;
mod body;
mod devices;
mod habits;
mod immediate;
mod silence;
mod supply;
mod voice;
mod wandering;

/// Nothing found.
const NOTHING: [&str; 0] = [];
