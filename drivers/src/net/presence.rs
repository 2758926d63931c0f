//! A device that is on while it answers on the network: a set-top box or television. The box opens a
//! connection to it; an answer of any kind, a refusal too, shows that it is on. One that drops what
//! it does not know is found in the kernel's neighbour table, which the attempt has made fresh. One
//! that is known by its name (`television.local`) is asked for by multicast DNS. A device whose network
//! stays up in standby looks as if it were on. It must never call a device off because of one lost
//! packet.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anju_model::config::BleAddress as MacAddress;
use anju_model::observation::Power;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::arp::{self, Neighbour};
use super::mdns;
use super::{Broken, Voice};
use crate::memory::SIGN_OF_LIFE;

/// An attempt lasts so long: a neighbour that is silent is given up by the kernel after about 8 s
/// (`arp(7)`: 5 s of delay, then 3 requests 1 s apart).
const ATTEMPT: Duration = Duration::from_secs(10);
/// Looks in a row without an answer before a device counts as off.
const LOOKS_TO_OFF: u32 = 2;
/// Where nothing better is configured: an open or closed port answers alike.
const ANY_PORT: u16 = 80;
/// Where devices listen for searches (UPnP Device Architecture 2.0, section 1.3.2).
const SSDP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), 1900);
/// A search for everything; those who answer come into the neighbour table by that.
const SEARCH: &[u8] = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\
    MAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n";
const SEARCH_TAKES: Duration = Duration::from_secs(3);
const TABLE: &str = "/proc/net/arp";

/// What is known of a device. Pure.
#[derive(Debug, Default)]
pub struct Presence {
    on: Option<bool>,
    missed: u32,
}

impl Presence {
    /// Takes whether it answered; gives what is new, and whether that is only a base line.
    pub fn looked(&mut self, answered: bool) -> Option<(bool, bool)> {
        self.missed = if answered { 0 } else { self.missed.saturating_add(1) };
        let on = answered || (self.missed < LOOKS_TO_OFF && self.on != Some(false));
        // One look without an answer says nothing yet.
        if (!answered && on) || self.on == Some(on) {
            return None;
        }
        let first = self.on.replace(on).is_none();
        Some((on, first))
    }

    /// Whether it is on, once that is known.
    pub const fn is_on(&self) -> Option<bool> {
        self.on
    }
}

/// Looks for a device for ever.
pub(super) async fn serve(
    address: &str,
    poll: Duration,
    voice: &mut Voice<'_>,
) -> Result<(), Broken> {
    let Some(target) = Target::new(address) else {
        let reason =
            format!("{address} is no IP or MAC address or name; mend the device's `address`");
        return Err(Broken::Device(reason));
    };
    let mut presence = Presence::default();
    let mut said_at = Instant::now();
    loop {
        let next = Instant::now() + poll;
        if let Some((on, first)) = presence.looked(target.answers().await) {
            voice.say(Power { on }, first).await?;
            said_at = Instant::now();
        } else if let Some(on) = presence.is_on().filter(|_| said_at.elapsed() >= SIGN_OF_LIFE) {
            voice.say(Power { on }, true).await?;
            said_at = Instant::now();
        }
        sleep_until(next).await;
    }
}

#[derive(Debug, Clone)]
enum Target {
    Ip(SocketAddr),
    Mac(MacAddress),
    /// A name of the home network.
    Name(String),
}

impl Target {
    fn new(address: &str) -> Option<Self> {
        let ip = address.parse().map(|ip: IpAddr| Self::Ip(SocketAddr::new(ip, ANY_PORT)));
        ip.or_else(|_| address.parse().map(Self::Ip))
            .or_else(|_| address.parse().map(Self::Mac))
            .ok()
            .or_else(|| address.ends_with(".local").then(|| Self::Name(address.to_owned())))
    }

    async fn answers(&self) -> bool {
        match self {
            Self::Ip(socket) => connects(*socket).await || known(|n| socket.ip() == n.ip).is_some(),
            Self::Name(name) => match mdns::ask(name, mdns::GROUP).await {
                Ok(found) => found.is_some(),
                Err(error) => {
                    tracing::debug!(%error, "the network can not be asked");
                    false
                }
            },
            Self::Mac(mac) => {
                let mac = *mac;
                if known(|neighbour| neighbour.mac == mac).is_none() {
                    search().await;
                }
                let Some(neighbour) = known(|neighbour| neighbour.mac == mac) else { return false };
                let socket = SocketAddr::new(neighbour.ip.into(), ANY_PORT);
                connects(socket).await || known(|n| n.mac == mac).is_some()
            }
        }
    }
}

/// Whether there is any answer to an attempt to connect.
async fn connects(socket: SocketAddr) -> bool {
    match timeout(ATTEMPT, TcpStream::connect(socket)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            let answered =
                matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset);
            tracing::trace!(%socket, %error, answered, "tried to connect");
            answered
        }
        Err(_) => false,
    }
}

fn known(which: impl Fn(&Neighbour) -> bool) -> Option<Neighbour> {
    // Without the table only connections count.
    let table = std::fs::read_to_string(TABLE).unwrap_or_default();
    arp::decode(&table).into_iter().find(which)
}

/// Makes the devices of the network answer the box.
async fn search() {
    let sent = async {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        socket.send_to(SEARCH, SSDP).await?;
        sleep(SEARCH_TAKES).await;
        Ok::<(), std::io::Error>(())
    };
    if let Err(error) = sent.await {
        tracing::debug!(%error, "the network can not be searched");
    }
}
