//! How every channel hands its notices over: one outbox, one pace of retries, one way of telling
//! what became of each. A channel adds only a [`Carrier`], which knows its far side. Each channel
//! runs as one task of its own, so that none waits for another; the task and its letters outlive a
//! change of the configuration, and a letter is never given up because of a rate limit.

mod allowance;
mod courier;
mod outbox;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anju_model::AlertId;
use anju_model::config::ChannelKind;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Reports};
use crate::life::Notice;
pub use allowance::Allowance;
use courier::Order;
use outbox::AT_ONCE;
pub use outbox::Letter;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It may be taken later.
    Later {
        /// Why not now.
        why: String,
        /// When the far side wants to be asked again, if it said so.
        after: Option<Duration>,
    },
    /// The far side wants to hear nothing at all for a while.
    Wait {
        /// Why.
        why: String,
        /// For how long.
        pause: Duration,
    },
    /// The far side will never take it; the channel is set up wrongly.
    Never(String),
    /// This contact or message can not be served; the channel itself works.
    Unfit(String),
}

impl Refusal {
    /// To be tried again at the channel's own pace.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }

    /// Why.
    pub fn why(&self) -> &str {
        match self {
            Self::Later { why, .. } | Self::Wait { why, .. } => why,
            Self::Never(why) | Self::Unfit(why) => why,
        }
    }
}

/// What becomes of letters: how many of them, from the first on, the far side took (at least one).
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<usize, Refusal>> + Send + 'a>>;

/// What can be said of a way without waking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proved {
    /// It would take a letter.
    Yes,
    /// Nothing can be found out.
    NotWithoutWaking,
}

/// Whether the far side would take a letter.
pub type Proving<'a> = Pin<Box<dyn Future<Output = Result<Proved, Refusal>> + Send + 'a>>;

/// The far side of a channel.
pub trait Carrier: Send + Sync + 'static {
    /// Notices with the same bundle may go in one message. `None`: each goes alone.
    fn bundle(&self, _: &Notice) -> Option<String> {
        None
    }

    /// How many messages the far side takes in a time. `None`: as many as there are.
    fn allowance(&self) -> Option<Allowance> {
        None
    }

    /// How many messages may be under way at once.
    fn at_once(&self) -> usize {
        AT_ONCE
    }

    /// Longest wait for an answer; one that does not come counts as [`Refusal::Later`].
    fn carried_within(&self) -> Duration {
        CARRIED_WITHIN
    }

    /// Whether a message counts as under way until the journal has it that it was sent, so that a
    /// box that dies has sent no more than those under way without knowing of it.
    fn accounts(&self) -> bool {
        false
    }

    /// Hands letters over as one message: one letter, or several of one bundle with the gravest
    /// first.
    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a>;

    /// Makes sure, without waking anybody, that the far side would take a letter. By itself a way
    /// can not tell. An answer that does not come within [`CARRIED_WITHIN`] counts as none.
    fn prove(&self) -> Proving<'_> {
        Box::pin(async { Ok(Proved::NotWithoutWaking) })
    }

    /// The alert is over.
    fn withdraw(&self, _: &AlertId) {}
}

/// Usual longest wait for a carrier.
pub const CARRIED_WITHIN: Duration = Duration::from_secs(45);

/// Longest wait for the journal; a broken one must not hold up what saves somebody.
const RECORDED_WITHIN: Duration = Duration::from_secs(2);

/// A channel with its task.
#[derive(Debug)]
pub struct Post {
    kind: ChannelKind,
    orders: mpsc::UnboundedSender<Order>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Post {
    /// Starts the task, inside a tokio runtime. Until it has a carrier, every notice is reported as
    /// failed.
    pub fn start(kind: ChannelKind, reports: &Reports) -> Self {
        let (orders, taken) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let task = tokio::spawn(courier::run(kind, taken, reports.clone(), stop.clone()));
        Self { kind, orders, stop, task }
    }

    /// Gives it another carrier; letters that wait go by the new one. Returns at once.
    pub fn set_carrier(&self, carrier: Option<Arc<dyn Carrier>>) {
        self.order(Order::Carrier(carrier));
    }

    fn order(&self, order: Order) {
        // The other end is gone only while the box stops.
        let _ = self.orders.send(order);
    }

    /// Ends the task; what is under way is dropped. What was not handed over is sent again by the
    /// book after the next start.
    pub async fn stop(self) {
        self.stop.cancel();
        // A task that failed has nothing to end.
        let _ = self.task.await;
    }
}

impl Channel for Post {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn send(&self, notice: &Notice) {
        self.order(Order::Send(Box::new(notice.clone())));
    }

    fn withdraw(&self, alert: &AlertId) {
        self.order(Order::Withdraw(alert.clone()));
    }
}

#[cfg(test)]
mod tests;
