//! Text messages, one at a time: out with the modem's word, in as soon as they are whole. What has
//! been handed on is removed from the modem, whose store is small.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use thiserror::Error;
use tokio::sync::oneshot;
use zbus::{Connection, OwnedObjectPath, Variant};

use crate::proxy::{MessagingProxy, SmsProxy};
use crate::view::Trouble;

/// The modem's own time-out for one part is 30 s or more; a long text has several. Whoever sends
/// must wait for longer, or takes for lost what leaves later.
pub const SEND_WITHIN: Duration = Duration::from_secs(90);

/// ModemManager 1.20 does not read a text that comes while it reads or removes another (its lock on
/// the store is not waited for), so nothing is removed while more answers may come.
const REMOVED_AFTER: Duration = Duration::from_secs(20);

/// A text that nobody took to the end within this stays in the modem's store.
const DONE_WITHIN: Duration = Duration::from_secs(60);

/// Parts of a long text come within this, or it is read as far as it came.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);

/// Longest text that is sent, characters: five parts in UCS-2 (3GPP TS 23.040 clause 9.2.3.24.1, 67
/// characters each).
pub const LONGEST: usize = 335;

/// `MMSmsState`.
const RECEIVING: u32 = 2;
const RECEIVED: u32 = 3;

/// The modem took a text and the network took it from the modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent;

/// Why a text did not leave.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SmsError {
    /// No text can leave now.
    #[error("{0}")]
    NotReady(Trouble),
    /// The modem or the network refused.
    #[error("the modem refused the text: {0}; check that the SIM card may send text messages")]
    Refused(String),
    /// No answer in time.
    #[error("the modem did not answer within {0:?}")]
    Silent(Duration),
    /// The box stops, or the modem was lost.
    #[error("the modem was lost while it sent")]
    Lost,
}

/// A text that came, and stays in the modem's store until it is done with: if the box dies before,
/// it comes again.
#[derive(Debug)]
pub struct Incoming {
    /// The text.
    pub text: Received,
    /// It came just now; others may have lain in the store for long.
    pub fresh: bool,
    done: oneshot::Sender<()>,
}

impl Incoming {
    /// With the way on which [`Incoming::done`] is told.
    pub fn new(text: Received, fresh: bool) -> (Self, oneshot::Receiver<()>) {
        let (done, told) = oneshot::channel();
        (Self { text, fresh, done }, told)
    }

    /// It is not needed any more.
    pub fn done(self) {
        // The modem may be gone.
        let _ = self.done.send(());
    }
}

/// What was received.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Received {
    /// From, as the network gave it.
    pub number: String,
    /// What.
    pub text: String,
    /// When the network took it, ISO 8601, where it said so.
    pub at: Option<String>,
}

impl std::fmt::Debug for Received {
    /// Neither number nor text belongs into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received").finish_non_exhaustive()
    }
}

/// Sends one text.
pub async fn send(
    bus: &Connection,
    modem: &OwnedObjectPath,
    number: &str,
    text: &str,
) -> Result<Sent, SmsError> {
    let text: String = text.chars().take(LONGEST).collect();
    let sending = async {
        let messaging = MessagingProxy::new(bus, modem.clone()).await?;
        let properties =
            HashMap::from([("number", Variant::from(number)), ("text", Variant::from(text))]);
        let path = messaging.create(properties).await?;
        let sent = match SmsProxy::new(bus, path.clone()).await {
            Ok(sms) => sms.send().await,
            Err(error) => Err(error),
        };
        // A text that stays in the store is no reason to call it not sent.
        let _ = messaging.delete(&path).await;
        sent
    };
    match tokio::time::timeout(SEND_WITHIN, sending).await {
        Ok(Ok(())) => Ok(Sent),
        Ok(Err(error)) => Err(SmsError::Refused(words(&error))),
        Err(_) => Err(SmsError::Silent(SEND_WITHIN)),
    }
}

/// The error's words without the method's arguments.
pub fn words(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(_, Some(text), _) => text.clone(),
        zbus::Error::MethodError(name, None, _) => name.to_string(),
        other => other.to_string(),
    }
}

/// Reads a text once it is whole. `None` for what is not a text that came.
pub async fn read(bus: &Connection, path: &OwnedObjectPath) -> zbus::Result<Option<Received>> {
    let sms = SmsProxy::new(bus, path.clone()).await?;
    let mut changes = sms.receive_state_changed().await;
    if sms.state().await? == RECEIVING {
        let whole = async {
            while let Some(change) = changes.next().await {
                if change.get().await.is_ok_and(|state| state != RECEIVING) {
                    return;
                }
            }
        };
        // A part that never comes must not hide the others.
        let _ = tokio::time::timeout(WHOLE_WITHIN, whole).await;
    }
    if !matches!(sms.state().await?, RECEIVING | RECEIVED) {
        return Ok(None);
    }
    let at = sms.timestamp().await.ok().filter(|at| !at.is_empty());
    Ok(Some(Received { number: sms.number().await?, text: sms.text().await?, at }))
}

/// Removes a text once whoever took it is done with it.
pub async fn remove(
    bus: Connection,
    modem: OwnedObjectPath,
    path: OwnedObjectPath,
    done: oneshot::Receiver<()>,
) {
    if !matches!(tokio::time::timeout(DONE_WITHIN, done).await, Ok(Ok(()))) {
        return;
    }
    tokio::time::sleep(REMOVED_AFTER).await;
    let removed = async { MessagingProxy::new(&bus, modem).await?.delete(&path).await };
    if let Err(error) = removed.await {
        tracing::info!(error = words(&error), "a text stays in the modem's store");
    }
}
