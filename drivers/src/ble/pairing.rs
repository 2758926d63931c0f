//! Who may be paired with, and when: an enrolled device whose acceptance was begun, for a few minutes
//! from then on. Only while somebody stands there with a device the box has an agent, which
//! `bluetoothd` asks (`org.bluez.Agent1`); without one the adapter makes no bonds. The bonds
//! themselves are `bluetoothd`'s. A device that is not enrolled must never be bonded, nor an enrolled
//! one at a time at which nobody knows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anju_model::config::BleAddress;
use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath};

use super::signals;
use super::wearable::Pairing;

/// A device may be paired with for so long after its acceptance was begun.
const OPEN_FOR: Duration = Duration::from_secs(5 * 60);
/// Where the agent stands on the message bus.
const PATH: &str = "/cn/anju/agent";
/// A box without keys and display: whatever can be compared, nobody is there who compares it.
const ABLE: &str = "NoInputNoOutput";
const BLUEZ: &str = "org.bluez";
const MANAGER: &str = "org.bluez.AgentManager1";
const REJECTED: &str = "org.bluez.Error.Rejected";

/// Connections in vain with a device that is paired, while it is accepted, after which its keys count
/// as lost: it hangs up when the daemon begins to encrypt.
const IN_VAIN: u32 = 2;

/// The devices that may be paired with now.
#[derive(Debug, Default)]
pub struct Window {
    /// Until when, and how often each was connected in vain although it is paired.
    open: BTreeMap<BleAddress, (Instant, u32)>,
    /// Who refused a stranger before.
    want: BTreeSet<BleAddress>,
}

impl Window {
    /// A device's acceptance begins.
    pub fn open(&mut self, address: BleAddress, now: Instant) {
        self.open.insert(address, (now + OPEN_FOR, 0));
    }

    /// Whether a device may be paired with.
    pub fn is_open(&self, address: BleAddress, now: Instant) -> bool {
        self.open.get(&address).is_some_and(|(until, _)| now < *until)
    }

    /// A device refused a stranger.
    pub fn wants(&mut self, address: BleAddress) {
        self.want.insert(address);
    }

    /// How a device is treated that is connected now.
    pub fn pairing(&mut self, address: BleAddress, paired: bool, now: Instant) -> Pairing {
        if paired {
            return Pairing::Done;
        }
        match (self.is_open(address, now), self.want.contains(&address)) {
            (false, _) => Pairing::Forbidden,
            (true, false) => Pairing::IfItAsks,
            (true, true) => {
                // Only once for each refusal: what failed may have failed for another reason.
                self.want.remove(&address);
                Pairing::First
            }
        }
    }

    /// A connection with a device that is paired ended before it gave anything. Whether its keys count
    /// as lost.
    pub fn in_vain(&mut self, address: BleAddress, now: Instant) -> bool {
        let Some((_, times)) = self.open.get_mut(&address).filter(|(until, _)| now < *until) else {
            return false;
        };
        *times += 1;
        *times >= IN_VAIN
    }

    /// Who may be paired with.
    pub fn allowed(&mut self, now: Instant) -> BTreeSet<BleAddress> {
        self.open.retain(|_, (until, _)| now < *until);
        self.open.keys().copied().collect()
    }
}

/// What the daemon asks an agent.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Yes.
    Granted,
    /// No.
    Refused,
}

/// The answer to a call of the daemon; `device` is its name for the one it is about, if any.
fn answer(method: &str, device: Option<&str>, allowed: &BTreeSet<BleAddress>) -> Answer {
    match method {
        "Release" | "Cancel" => Answer::Granted,
        // A confirmation without keys; what is typed or shown can not be had here.
        "RequestAuthorization" | "RequestConfirmation" | "AuthorizeService" => {
            match device.and_then(signals::address) {
                Some(address) if allowed.contains(&address) => Answer::Granted,
                _ => Answer::Refused,
            }
        }
        _ => Answer::Refused,
    }
}

/// The agent. It ends, and the daemon forgets it, when this is dropped.
#[derive(Debug)]
pub struct Agent(JoinHandle<()>);

impl Agent {
    /// Offers itself to the daemon, for these devices.
    ///
    /// # Errors
    /// [`zbus::Error`] when the bus or the daemon refuses.
    pub async fn register(allowed: BTreeSet<BleAddress>) -> zbus::Result<Self> {
        // A connection of its own: the daemon takes its end for the agent's.
        let connection = Connection::system().await?;
        let calls = MessageStream::from(&connection);
        let agent = Self(tokio::spawn(serve(connection.clone(), calls, allowed)));
        let path = ObjectPath::try_from(PATH)?;
        for (method, able) in [("RegisterAgent", Some(ABLE)), ("RequestDefaultAgent", None)] {
            let to = Some(BLUEZ);
            let at = "/org/bluez";
            match able {
                Some(able) => {
                    let body = (&path, able);
                    connection.call_method(to, at, Some(MANAGER), method, &body).await?
                }
                None => connection.call_method(to, at, Some(MANAGER), method, &(&path,)).await?,
            };
        }
        Ok(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve(connection: Connection, mut calls: MessageStream, allowed: BTreeSet<BleAddress>) {
    while let Some(Ok(call)) = calls.next().await {
        if call.message_type() == Type::MethodCall
            && let Err(error) = reply(&connection, &call, &allowed).await
        {
            tracing::warn!(%error, "the agent can not answer");
            return;
        }
    }
}

async fn reply(
    connection: &Connection,
    call: &Message,
    allowed: &BTreeSet<BleAddress>,
) -> zbus::Result<()> {
    let header = call.header();
    let method = header.member().map(|member| member.to_string()).unwrap_or_default();
    let body = call.body();
    let device = body
        .deserialize::<(ObjectPath<'_>,)>()
        .map(|(path,)| path.to_string())
        .or_else(|_| body.deserialize::<(ObjectPath<'_>, u32)>().map(|(path, _)| path.to_string()))
        .or_else(|_| body.deserialize::<(ObjectPath<'_>, &str)>().map(|(path, _)| path.to_string()))
        .ok();
    match answer(&method, device.as_deref(), allowed) {
        Answer::Granted => connection.reply(&header, &()).await,
        Answer::Refused => {
            tracing::warn!(method, device, "a pairing was refused");
            let why = "only enrolled devices, while their acceptance runs";
            connection.reply_error(&header, REJECTED, &(why,)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> BleAddress {
        BleAddress::new([0xF1, 0, 0, 0, 0, last])
    }

    #[test]
    fn only_who_is_enrolled_and_accepted_now_is_granted() {
        let now = Instant::now();
        let mut window = Window::default();
        assert!(window.allowed(now).is_empty());
        window.open(address(5), now);
        let allowed = window.allowed(now);
        let cuff = Some("/org/bluez/hci0/dev_F1_00_00_00_00_05");
        let stranger = Some("/org/bluez/hci0/dev_F1_00_00_00_00_06");
        for method in ["RequestAuthorization", "RequestConfirmation", "AuthorizeService"] {
            assert_eq!(answer(method, cuff, &allowed), Answer::Granted, "{method}");
            for other in [stranger, Some("/org/bluez/hci0"), None] {
                assert_eq!(answer(method, other, &allowed), Answer::Refused, "{method}");
            }
        }
        for method in ["RequestPinCode", "RequestPasskey", "DisplayPasskey", "Whatever"] {
            assert_eq!(answer(method, cuff, &allowed), Answer::Refused, "{method}");
        }
        let later = now + OPEN_FOR;
        assert!(window.is_open(address(5), later - Duration::from_millis(1)));
        assert!(!window.is_open(address(5), later));
        assert!(window.allowed(later).is_empty());
    }

    #[test]
    fn a_device_is_paired_with_first_once_it_refused_and_anew_once_it_lost_its_keys() {
        let now = Instant::now();
        let (mut window, cuff) = (Window::default(), address(5));
        window.wants(cuff);
        assert_eq!(window.pairing(cuff, false, now), Pairing::Forbidden);
        assert!(!window.in_vain(cuff, now) && !window.in_vain(cuff, now));
        window.open(cuff, now);
        assert_eq!(window.pairing(cuff, true, now), Pairing::Done);
        assert_eq!(window.pairing(cuff, false, now), Pairing::First);
        assert_eq!(window.pairing(cuff, false, now), Pairing::IfItAsks);
        assert!(!window.in_vain(cuff, now), "once may be the radio");
        assert!(window.in_vain(cuff, now));
    }
}
