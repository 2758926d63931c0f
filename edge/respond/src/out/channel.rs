//! One small trait for every way to a contact, and the table that hands a notice to those it names.
//! Handing over returns at once; whoever implements it queues and retries on its own.

use anju_model::command::Request;
use anju_model::config::ChannelKind;
use anju_model::delivery::{DeliveryState, Message};
use anju_model::{AlertId, Delivery};
use tokio::sync::mpsc;

use crate::life::Notice;

/// What the ways out report.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// What became of a message.
    Delivery(Delivery),
    /// A human asked something over the channel.
    Request(Request),
    /// A siren began for an alert.
    Sounding {
        /// Which alert.
        alert: AlertId,
    },
    /// A part broke, or works again.
    Health(Health),
}

/// Whether a part works. Sent when that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which part: `speaker`, `ntfy`, `ntfy-replies`, `siren-<device>`.
    pub part: String,
    /// Why it does not work; `None` when it works.
    pub broken: Option<String>,
}

/// Where reports go. It has no bound, because a way out must not be held up by who reads; each way
/// waits between its reports, so that they stay few.
pub type Reports = mpsc::UnboundedSender<Report>;

/// A way to contacts.
pub trait Channel: Send + Sync {
    /// Which way it is.
    fn kind(&self) -> ChannelKind;
    /// Takes a notice and returns at once. A newer notice of the same alert to the same contact
    /// takes the place of one that was not yet handed over.
    fn send(&self, notice: &Notice);
    /// The alert is over: calls for help that were not handed over need not go any more.
    fn withdraw(&self, alert: &AlertId);
}

/// The ways that this box has.
pub struct Ways {
    channels: Vec<Box<dyn Channel>>,
    reports: Reports,
}

impl std::fmt::Debug for Ways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.channels.iter().map(|c| c.kind())).finish()
    }
}

impl Ways {
    /// The table of ways.
    pub fn new(channels: Vec<Box<dyn Channel>>, reports: Reports) -> Self {
        Self { channels, reports }
    }

    /// Hands a notice to every way it names. A way that this box does not have is reported as
    /// failed, so that nobody waits for it.
    pub fn notify(&self, notice: &Notice) {
        for kind in &notice.channels {
            match self.channels.iter().find(|c| c.kind() == *kind) {
                Some(channel) => channel.send(notice),
                None => self.absent(notice, *kind),
            }
        }
    }

    /// Tells every way that an alert is over.
    pub fn withdraw(&self, alert: &AlertId) {
        for channel in &self.channels {
            channel.withdraw(alert);
        }
    }

    fn absent(&self, notice: &Notice, kind: ChannelKind) {
        let detail = format!("this box has no way `{}`", kind.as_str());
        let failed = delivery(notice, kind, DeliveryState::Failed, 1, Some(detail));
        // Nobody listens any more only while the box stops.
        let _ = self.reports.send(Report::Delivery(failed));
    }
}

/// A report about a notice.
pub(crate) fn delivery(
    notice: &Notice,
    kind: ChannelKind,
    state: DeliveryState,
    attempt: u32,
    detail: Option<String>,
) -> Delivery {
    let message = Message {
        alert: notice.alert.clone(),
        contact: notice.contact.clone(),
        channel: kind.as_str().to_owned(),
        attempt,
        detail,
    };
    Delivery { state, message }
}
