//! How the box answers: the life of each alert, and the ways out to the people at home and
//! elsewhere. `life` decides without I/O; `out` carries out, each way in a task or thread of its
//! own. An alarm must never wait here for a disk, a network or a sound card.

pub mod life;
pub mod out;
pub mod prompts;
pub mod texts;
