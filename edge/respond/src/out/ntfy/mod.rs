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
mod outbox;
mod replies;
mod sender;
pub mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anju_model::config::{ChannelKind, Household};
use anju_model::{AlertId, ContactId};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Reports};
use crate::life::Notice;
use crate::texts::Texts;
use keep::Keeper;
use sender::Order;

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
    /// File in the data folder for the reply topic and the tokens that are out.
    pub state_file: PathBuf,
}

impl NtfySettings {
    /// The settings out of the configuration; `None` if no server is configured.
    pub fn of(household: &Household, state_file: PathBuf) -> Option<Self> {
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
            state_file,
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
    /// Replies that were acted on.
    pub accepted: u64,
    /// Replies without a valid token, malformed or oversized.
    pub ignored: u64,
}

/// The running channel.
#[derive(Debug)]
pub struct Ntfy {
    orders: mpsc::UnboundedSender<Order>,
    counters: Arc<Counters>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Ntfy {
    /// Starts the channel's tasks, inside a tokio runtime. The state file is read here; one that
    /// can not be read is begun anew, since a push message matters more than its buttons.
    ///
    /// # Errors
    /// [`NtfyError`] if there is no such server to talk to by its URL.
    pub fn start(
        settings: NtfySettings,
        texts: Arc<Texts>,
        reports: &Reports,
    ) -> Result<Self, NtfyError> {
        let settings = Arc::new(settings);
        let http = client::Http::new(&settings)?;
        let keeper = Arc::new(Keeper::open(settings.state_file.clone()));
        let counters = Arc::new(Counters::default());
        let stop = CancellationToken::new();
        let (orders, taken) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(keep::run(keeper.clone(), stop.clone()));
        tasks.spawn(replies::run(
            http.clone(),
            keeper.clone(),
            counters.clone(),
            reports.clone(),
            stop.clone(),
        ));
        let writer = message::Writer { settings, texts, keeper };
        tasks.spawn(sender::run(http, writer, taken, reports.clone(), stop.clone()));
        Ok(Self { orders, counters, stop, tasks })
    }

    /// What was counted.
    pub fn replies(&self) -> ReplyCounts {
        ReplyCounts {
            accepted: self.counters.accepted.load(Ordering::Relaxed),
            ignored: self.counters.ignored.load(Ordering::Relaxed),
        }
    }

    /// The way to hand over notices, for [`super::Ways`].
    pub fn channel(&self) -> Box<dyn Channel> {
        Box::new(Door(self.orders.clone()))
    }

    /// Stops the tasks; what was not handed over is sent again by the book after the next start.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Where notices are handed in.
struct Door(mpsc::UnboundedSender<Order>);

impl Channel for Door {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Ntfy
    }

    fn send(&self, notice: &Notice) {
        // The other end is gone only while the box stops.
        let _ = self.0.send(Order::Send(Box::new(notice.clone())));
    }

    fn withdraw(&self, alert: &AlertId) {
        let _ = self.0.send(Order::Withdraw(alert.clone()));
    }
}
