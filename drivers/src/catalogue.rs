//! The device catalogue: which link and protocol can serve which kind. Plain data; adding a device
//! of a known protocol is a row here.

use anju_model::DeviceKind;
use anju_model::config::LinkKind;

/// One way in which a kind of device works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serves {
    /// The kind of device.
    pub kind: DeviceKind,
    /// The link it hangs on.
    pub link: LinkKind,
    /// The protocol, as the configuration names it.
    pub protocol: &'static str,
}

/// Whether a kind of device works over a kind of link and a protocol; with an empty one, as for GPIO
/// and I2C, where the kind or the chip decides, whether it does over any.
pub fn serves(kind: DeviceKind, link: LinkKind, protocol: &str) -> bool {
    serving(kind).any(|row| row.link == link && (protocol.is_empty() || row.protocol == protocol))
}

/// Every way in which a kind of device works, in the order of the links.
pub fn serving(kind: DeviceKind) -> impl Iterator<Item = Serves> {
    let all = [
        crate::gpio::SERVES,
        crate::serial::SERVES,
        crate::i2c::SERVES,
        crate::ble::SERVES,
        crate::mqtt::SERVES,
        crate::net::SERVES,
    ];
    all.into_iter().flatten().copied().filter(move |serves| serves.kind == kind)
}
