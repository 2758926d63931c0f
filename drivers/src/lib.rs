//! Devices and their links: bytes in, observations out.
//!
//! One folder holds one link (`gpio`, `serial`, `ble`, `mqtt`), in it one file holds one protocol. A
//! protocol decoder is a pure function from bytes to values. A [`Driver`] owns one device, or one
//! bus with its devices; the [`fleet`] runs each driver on a thread of its own and restarts it, so
//! that one that panics or blocks never stops another. Nothing here judges what it hears.
//!
//! Inventory of links, and where a driver can hold up its bus:
//! - `ble`: one radio; a device that is being connected keeps the scan waiting for 10 s at most.
//! - `mqtt`: one connection for each link; a broker that hangs stops only that link.
//! - `serial`: one task for each bus; a meter that does not answer costs its time-out each poll.
//! - `i2c`: one driver for each bus; a chip that holds the clock line low stops its bus.
//! - `net`: one driver for each device; nothing is shared.
//! - `gpio`: one driver for each chip; line events come from the kernel, nothing is polled.

pub mod backoff;
pub mod ble;
pub mod catalogue;
pub mod driver;
pub mod fleet;
pub mod fuzzed;
pub mod gpio;
pub mod i2c;
mod memory;
pub mod mqtt;
pub mod net;
pub mod plan;
pub mod readings;
pub mod serial;

pub use driver::{Action, Claim, Context, DeviceCommand, Driver, DriverError, Refused, Report};
