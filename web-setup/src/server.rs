//! Takes connections and bounds what each may cost: how many there are, how large a head is, how
//! long a client may take to ask or to read. It must never wait for one client on behalf of
//! another, and it ends at once when told to.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::live::Hub;
use crate::site;
use crate::view::BoxView;

/// Bytes of a request's head, and of what is buffered for a connection; hyper's least is 8 KiB.
const HEAD_BYTES: usize = 16 * 1024;

/// Header fields of a request.
const HEADERS: usize = 64;

/// Rest after the system refused a connection, such as for want of descriptors.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// What clients may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// Live streams at once; more are refused.
    pub streams: usize,
    /// Time for a whole request head, and between two requests.
    pub ask_within: Duration,
    /// Time in which a client must read something of what it was sent.
    pub read_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            streams: 128,
            ask_within: Duration::from_secs(10),
            read_within: Duration::from_secs(20),
        }
    }
}

/// Serves the page until told to stop.
pub async fn serve(
    listener: TcpListener,
    view: Arc<dyn BoxView>,
    limits: Limits,
    stop: CancellationToken,
) {
    let hub = Hub::new(view.clone(), limits.streams);
    let router = site::router(view, hub.clone());
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    connections.spawn(async move { hub.run().await });
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            // The results of ended connections are of no use, only their memory is.
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                let router = router.clone();
                connections.spawn(async move {
                    connection(stream, peer, router, limits).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the page could not take a connection");
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, limits: Limits) {
    // Live changes are small and must not wait for one another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(site::Peer(peer));
        request.map(axum::body::Body::new)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.ask_within)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(
            TokioIo::new(Patient::new(stream, limits.read_within)),
            TowerToHyperService::new(service),
        )
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection to the page ended");
    }
}

/// A stream whose far side must read within a time.
struct Patient {
    stream: TcpStream,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    const fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, patience, waiting: None }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        wrote: Poll<std::io::Result<T>>,
    ) -> Poll<std::io::Result<T>> {
        if wrote.is_ready() {
            self.waiting = None;
            return wrote;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(std::io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let own = self.get_mut();
        let wrote = Pin::new(&mut own.stream).poll_write(context, bytes);
        own.watch(context, wrote)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let own = self.get_mut();
        let wrote = Pin::new(&mut own.stream).poll_write_vectored(context, parts);
        own.watch(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
