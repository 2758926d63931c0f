//! The ways into the Internet: Ethernet, Wi-Fi and 4G, which NetworkManager owns. Each is tried for
//! what really counts, whether a server of the box answers over it; what leaves goes by the best that
//! is proved so, and the 4G connection has a profile with the contract's access point. It must never
//! hold anything up: an alert leaves by whatever the kernel has, and without NetworkManager the box
//! works as before and says that its links are not managed.

mod choice;
mod examine;
mod manager;
mod names;
mod reach;
mod service;
mod view;

pub use choice::{Choice, Kind, News, Reach};
pub use examine::{Seen, examine};
pub use reach::Target;
pub use service::{Pace, Said, Setup, start};
pub use view::{LinkView, View};

/// Reads any bytes as the answer of a name server, for fuzzing.
pub fn fuzzed(bytes: &[u8]) {
    let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let _ = names::read(bytes, id);
}
