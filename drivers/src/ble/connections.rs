//! Which devices are connected, which is being connected, and when the next try is due. One device
//! is connected at a time, because most radios can not scan while they connect.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::config::BleAddress;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::backoff::Backoff;

/// A device is tried when it was heard at most so long ago.
const HEARD_WITHIN: Duration = Duration::from_secs(30);
/// Pause after a connection that gave values: a cuff hangs up after each measurement.
const AFTER_VALUES: Duration = Duration::from_secs(2);
/// Pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// Failures in a row that are a trouble of the device.
const TROUBLE_AFTER: u32 = 5;

#[derive(Debug)]
struct Peer {
    heard: Option<Instant>,
    due: Option<Instant>,
    pauses: Backoff,
    failures: u32,
    gave_values: bool,
    session: Option<AbortHandle>,
}

/// The devices that need a connection.
#[derive(Debug)]
pub struct Connections {
    peers: HashMap<BleAddress, Peer>,
    connecting: Option<BleAddress>,
}

impl Connections {
    /// None is connected.
    pub fn new(addresses: Vec<BleAddress>) -> Self {
        let peer = || Peer {
            heard: None,
            due: None,
            pauses: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            failures: 0,
            gave_values: false,
            session: None,
        };
        let peers = addresses.into_iter().map(|address| (address, peer())).collect();
        Self { peers, connecting: None }
    }

    /// A device was heard.
    pub fn heard(&mut self, address: BleAddress, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&address) {
            peer.heard = Some(now);
        }
    }

    /// A device is tried as soon as it is heard, whatever failed before.
    pub fn due_now(&mut self, address: BleAddress) {
        if let Some(peer) = self.peers.get_mut(&address) {
            peer.due = None;
            peer.pauses.reset();
        }
    }

    /// Who is to be connected now, if anybody.
    pub fn next(&self, now: Instant) -> Option<BleAddress> {
        if self.connecting.is_some() {
            return None;
        }
        let due = self.peers.iter().filter(|(_, peer)| {
            peer.session.is_none()
                && peer.due.is_none_or(|due| due <= now)
                && peer.heard.is_some_and(|at| now.duration_since(at) <= HEARD_WITHIN)
        });
        // Whoever has failed least, so that a broken device never keeps out another.
        due.min_by_key(|(_, peer)| peer.failures).map(|(address, _)| *address)
    }

    /// A connection to `address` was begun.
    pub fn begun(&mut self, address: BleAddress, session: AbortHandle) {
        self.connecting = Some(address);
        if let Some(peer) = self.peers.get_mut(&address) {
            peer.session = Some(session);
            peer.gave_values = false;
        }
    }

    /// The device is connected: others may be tried. Returns whether it was being connected.
    pub fn established(&mut self, address: BleAddress) -> bool {
        let was = self.connecting == Some(address);
        if was {
            self.connecting = None;
        }
        was
    }

    /// A value came; returns whether it is the first of its connection.
    pub fn value(&mut self, address: BleAddress) -> bool {
        let Some(peer) = self.peers.get_mut(&address) else { return false };
        peer.failures = 0;
        peer.pauses.reset();
        !std::mem::replace(&mut peer.gave_values, true)
    }

    /// The device hung up. Its conversation ends, since nothing else would end it.
    pub fn lost(&mut self, address: BleAddress) {
        if let Some(session) = self.peers.get(&address).and_then(|peer| peer.session.as_ref()) {
            session.abort();
        }
    }

    /// A connection ended. Returns whether failures have become a trouble.
    pub fn ended(&mut self, address: BleAddress, now: Instant) -> bool {
        self.established(address);
        let Some(peer) = self.peers.get_mut(&address) else { return false };
        peer.session = None;
        if peer.gave_values {
            peer.due = Some(now + AFTER_VALUES);
            return false;
        }
        peer.failures = peer.failures.saturating_add(1);
        peer.due = peer.pauses.next().map(|pause| now + pause);
        peer.failures >= TROUBLE_AFTER
    }

    /// Whether a device gave anything since it was last connected.
    pub fn gave(&self, address: BleAddress) -> bool {
        self.peers.get(&address).is_some_and(|peer| peer.gave_values)
    }

    /// Whether a connection is being made.
    pub const fn busy(&self) -> bool {
        self.connecting.is_some()
    }
}
