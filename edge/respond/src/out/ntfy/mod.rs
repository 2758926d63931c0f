//! Push messages through an ntfy server (<https://docs.ntfy.sh>), with buttons that answer: "on my
//! way" and "I am there". A phone elsewhere can not reach the box, so a button posts a one-time
//! token to a topic of the box's own, and the box listens there. The name of that topic and the
//! tokens are secrets: they must never be logged, and neither are the contacts' topics.
//!
//! The server must let anybody write to topics that begin with `anju-` (phones post without
//! signing in); reading them may be kept to the box's access token.

mod client;
mod keep;
mod ledger;
mod message;
mod replies;
pub mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anju_model::ContactId;
use anju_model::config::Household;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::channel::Reports;
use super::http::TlsClock;
use super::post::{Carried, Carrier, Letter, Proved, Proving, Refusal};
use crate::texts::Texts;
use keep::Keeper;

/// How the channel is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NtfySettings {
    /// Base URL of the server, without a slash at the end.
    pub url: String,
    /// File that holds the access token.
    pub token_file: Option<PathBuf>,
    /// Whether texts may carry names and rooms.
    pub details: bool,
    /// The contacts' topics.
    pub topics: HashMap<ContactId, String>,
}

impl NtfySettings {
    /// The settings out of the configuration; `None` if no server is configured.
    pub fn of(household: &Household) -> Option<Self> {
        let ntfy = household.channels.ntfy.as_ref()?;
        let topics = household
            .contacts
            .iter()
            .filter_map(|c| Some((c.id.clone(), c.ntfy_topic.clone()?)))
            .collect();
        Some(Self {
            url: ntfy.url.trim_end_matches('/').to_owned(),
            token_file: ntfy.token_file.clone(),
            details: ntfy.details,
            topics,
        })
    }
}

/// Why the channel can not be started.
#[derive(Debug, Error)]
pub enum NtfyError {
    /// The HTTP client.
    #[error("the push channel can not be set up: {0}; check `channels.ntfy.url`")]
    Client(String),
}

/// What was counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: AtomicU64,
    pub(crate) ignored: AtomicU64,
}

/// Replies counted since the start, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyCounts {
    /// Replies with a valid token.
    pub accepted: u64,
    /// Replies without a valid token, malformed or oversized.
    pub ignored: u64,
}

/// The channel: what it keeps over changes of the configuration, and its listener.
#[derive(Debug)]
pub struct Ntfy {
    keeper: Arc<Keeper>,
    counters: Arc<Counters>,
    reports: Reports,
    clock: TlsClock,
    stop: CancellationToken,
    keeping: JoinHandle<()>,
    listening: Option<(NtfySettings, AbortOnDropHandle<()>)>,
}

impl Ntfy {
    /// Reads the state file in the data folder (reply topic, tokens that are out, place in the
    /// stream of replies) and keeps it from now on; inside a tokio runtime. One that can not be
    /// read is begun anew, since a push message matters more than its buttons. The server's
    /// certificate is judged by that clock.
    pub fn open(state_file: PathBuf, reports: &Reports, clock: TlsClock) -> Self {
        let keeper = Arc::new(Keeper::open(state_file));
        let stop = CancellationToken::new();
        let keeping = tokio::spawn(keep::run(keeper.clone(), stop.clone()));
        let (counters, reports) = (Arc::default(), reports.clone());
        Self { keeper, counters, reports, clock, stop, keeping, listening: None }
    }

    /// Listens for replies by new settings, and gives the way to hand over notices by them. With
    /// the settings it has, the stream of replies goes on as it is.
    ///
    /// # Errors
    /// [`NtfyError`] if there is no such server to talk to by its URL; then nothing listens.
    pub fn configure(
        &mut self,
        settings: NtfySettings,
        texts: Arc<Texts>,
    ) -> Result<Arc<dyn Carrier>, NtfyError> {
        let same = self.listening.as_ref().is_some_and(|(now, _)| *now == settings);
        if !same {
            self.silence();
        }
        let http = client::Http::new(&settings, &self.clock)?;
        if !same {
            let (keeper, counters) = (self.keeper.clone(), self.counters.clone());
            let listener = replies::run(http.clone(), keeper, counters, self.reports.clone());
            let task = AbortOnDropHandle::new(tokio::spawn(listener));
            self.listening = Some((settings.clone(), task));
        }
        let writer =
            message::Writer { settings: Arc::new(settings), texts, keeper: self.keeper.clone() };
        Ok(Arc::new(Pusher { http, writer }))
    }

    /// Listens no more, until it is configured again.
    pub fn silence(&mut self) {
        self.listening = None;
    }

    /// What was counted.
    pub fn replies(&self) -> ReplyCounts {
        ReplyCounts {
            accepted: self.counters.accepted.load(Ordering::Relaxed),
            ignored: self.counters.ignored.load(Ordering::Relaxed),
        }
    }

    /// Ends it; the state file is written once more.
    pub async fn stop(mut self) {
        self.silence();
        self.stop.cancel();
        // A task that failed has nothing to write.
        let _ = self.keeping.await;
    }
}

struct Pusher {
    http: client::Http,
    writer: message::Writer,
}

impl Carrier for Pusher {
    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a> {
        Box::pin(async {
            let message = letters.first().and_then(|letter| self.writer.message(&letter.notice));
            match message {
                Some(message) => self.http.publish(&message).await.map(|()| 1),
                None => Err(Refusal::Unfit("the contact has no `ntfy_topic`".to_owned())),
            }
        })
    }

    fn prove(&self) -> Proving<'_> {
        Box::pin(async { self.http.health().await.map(|()| Proved::Yes) })
    }
}
