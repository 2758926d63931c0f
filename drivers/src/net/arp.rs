//! The kernel's table of neighbours, `/proc/net/arp` (`proc_net(5)`): which hardware address has
//! answered for which IPv4 address. No I/O. An entry is only a proof while its complete flag is set.

use std::net::Ipv4Addr;

use anju_model::config::BleAddress as MacAddress;

/// Set when the neighbour has answered (`ATF_COM`).
const COMPLETE: u32 = 0x02;

/// Somebody who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Address.
    pub ip: Ipv4Addr,
    /// Hardware address.
    pub mac: MacAddress,
}

/// The neighbours that have answered. Lines that make no sense are passed over.
pub fn decode(table: &str) -> Vec<Neighbour> {
    let neighbour = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let ip = fields.next()?.parse().ok()?;
        let flags = fields.nth(1)?.strip_prefix("0x")?;
        let complete = u32::from_str_radix(flags, 16).ok()? & COMPLETE != 0;
        let mac = fields.next()?;
        let real = complete && mac != "00:00:00:00:00:00";
        Some(Neighbour { ip, mac: mac.parse().ok().filter(|_| real)? })
    };
    table.lines().filter_map(neighbour).collect()
}
