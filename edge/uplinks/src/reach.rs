//! Whether a server of the box answers over one link, and over no other: the name is asked of the
//! link's own name servers, the connection is bound to its interface (SO_BINDTODEVICE, which Linux
//! allows everybody since 5.7), and where the server speaks TLS its certificate must be good, because
//! the page of a café or of an unpaid contract answers to any name. NetworkManager's own check is not
//! used: it asks a foreign server, is off by default on Debian, and says nothing of ours.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::names;

/// A server that says whether a link reaches anything.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How TLS is spoken from the start, where it is.
    pub tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// Whether it can say anything of a link: this machine itself is reached without any.
    pub fn is_outside(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        match host.parse::<IpAddr>() {
            Ok(address) => !address.is_loopback() && !address.is_unspecified(),
            Err(_) => host != "localhost" && !host.ends_with(".localhost"),
        }
    }
}

/// The link that is tried.
#[derive(Debug, Clone)]
pub struct Way {
    /// Its interface; none: whatever the kernel takes.
    pub interface: Option<String>,
    /// Its name servers; none: the system's are asked.
    pub name_servers: Vec<IpAddr>,
}

impl Way {
    /// The name that a socket is bound to.
    pub fn device(&self) -> Option<&[u8]> {
        self.interface.as_ref().map(|name| name.as_bytes())
    }
}

/// Whether any of the targets answers over a link: the one that `first` tells is tried first, and
/// then all others at once. Which one did. Name, connection and TLS together may take `within`.
///
/// # Errors
/// Why none did, in words.
pub async fn prove(
    way: &Way,
    targets: &[Target],
    first: usize,
    within: Duration,
) -> Result<usize, String> {
    let first = if first < targets.len() { first } else { 0 };
    let Some(target) = targets.get(first) else { return Err("there is nobody to ask".to_owned()) };
    let why = match answers(way, target, within).await {
        Ok(()) => return Ok(first),
        Err(why) => why,
    };
    let others = targets.iter().enumerate().filter(|(number, _)| *number != first);
    let mut tries: FuturesUnordered<_> = others
        .map(|(number, target)| async move { answers(way, target, within).await.map(|()| number) })
        .collect();
    while let Some(came) = tries.next().await {
        if let Ok(number) = came {
            return Ok(number);
        }
    }
    Err(why)
}

async fn answers(way: &Way, target: &Target, within: Duration) -> Result<(), String> {
    let at = format!("{}:{}", target.host, target.port);
    match tokio::time::timeout(within, connect(way, target)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("{at}: {error}")),
        Err(_) => Err(format!("{at}: no answer within {} s", within.as_secs())),
    }
}

async fn connect(way: &Way, target: &Target) -> io::Result<()> {
    let addresses = match target.host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => names::resolve(way, &target.host).await?,
    };
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for address in addresses {
        match open(way, SocketAddr::new(address, target.port)).await {
            Ok(stream) => return greet(stream, target).await,
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn open(way: &Way, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind_device(way.device())?;
    socket.connect(address).await
}

async fn greet(stream: TcpStream, target: &Target) -> io::Result<()> {
    let Some(tls) = &target.tls else { return Ok(()) };
    let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
    match TlsConnector::from(tls.clone()).connect(name, stream).await {
        Ok(_) => Ok(()),
        Err(error) if is_about_the_time(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A box without a clock battery takes every certificate for one of another time: who answered can not
/// be told then, but somebody did.
fn is_about_the_time(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        inner,
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
        ))
    )
}

#[cfg(test)]
mod tests;
