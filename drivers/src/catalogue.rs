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

/// Every way that works.
pub const SERVES: &[Serves] = &[];
