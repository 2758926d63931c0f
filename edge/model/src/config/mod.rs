//! The household's configuration: what `/etc/anju/anju.toml` says, once it was checked. The types
//! here hold only what is sound; a part that is not sound is absent and stands in the list of
//! faults instead. Nothing here reads files.

mod channels;
mod contact;
mod device;
mod guard;
mod household;
mod link;
mod parse;
mod system;

pub use channels::{Channels, Ntfy};
pub use contact::{ChannelKind, Contact, ContactRole, Hours, Weekday};
pub use device::{
    ActiveLevel, Bias, Binding, ButtonContact, Device, GpioBinding, MqttBinding, SerialBinding,
    SerialProtocol,
};
pub use guard::{Guard, InactivityRule, LeftHomeRule, NotUpRule, SilentRule, TimeOfDay};
pub use household::{Funding, Household, Person, Service};
pub use link::{
    GpioBackend, GpioLink, Link, LinkKind, MqttDialect, MqttLink, MqttVersion, Parity, SerialLink,
};
pub use parse::{Fault, Parsed, parse};
pub use system::{JournalLimits, Speaker, Upstream, Web};
