//! Tables of what happens and what is found, under a virtual clock.

mod absence;
mod devices;
mod immediate;
mod silence;

/// Nothing found.
const NOTHING: [&str; 0] = [];
