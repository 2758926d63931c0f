//! One small trait for every way to a contact, and what the ways out report. Handing over returns at
//! once; whoever implements it queues and retries on its own.

use anju_model::command::Request;
use anju_model::config::ChannelKind;
use anju_model::delivery::{DeliveryState, Message};
use anju_model::{AlertId, ContactId, Delivery};
use anju_modem::{Rung, View};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::life::proof::Proof;
use crate::life::{Answer, Notice};

/// What the ways out report.
#[derive(Debug)]
pub enum Report {
    /// What became of a message.
    Delivery(Delivery),
    /// The same, where the channel waits until the journal has it on its disk.
    Accounted {
        /// What became of it.
        delivery: Delivery,
        /// Where it is told that it is written.
        recorded: oneshot::Sender<()>,
    },
    /// A contact answered without naming an alert.
    Answer {
        /// Who.
        contact: ContactId,
        /// What.
        answer: Answer,
        /// When they sent it, where the way tells.
        sent: Option<Timestamp>,
        /// It came just now, rather than out of a store in which it may have lain for long.
        fresh: bool,
        /// The channel it came over.
        via: ChannelKind,
        /// Where it is told that what follows from it is written, or that nothing follows.
        recorded: oneshot::Sender<()>,
    },
    /// A human asked something over the channel.
    Request {
        /// What.
        request: Request,
        /// Where it is told that it was carried out, or why not. A request whose answer is lost is
        /// asked again with the same id.
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// A siren or a light began for an alert.
    Sounding {
        /// Which alert.
        alert: AlertId,
        /// `siren` or `light-<device>`.
        by: String,
    },
    /// A part broke, or works again.
    Health(Health),
    /// What came of proving a way.
    Proof {
        /// Which way.
        kind: ChannelKind,
        /// What.
        proof: Proof,
    },
    /// The modem is another than before, or was asked to come back.
    Modem(ModemNews),
}

/// What the modem shows when its state changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModemNews {
    /// How it is.
    pub view: View,
    /// What shall bring it back. What goes beyond the modem's own commands is for who reads this:
    /// its power and the box.
    pub rung: Option<Rung>,
}

/// Whether a part works. Sent when that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which part: `speaker`, `satellite-<id>`, a channel's name, `ntfy-replies`, `modem`, `siren-<device>`,
    /// `light-<device>`.
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

/// Why a way fails that this box does not have.
pub(crate) fn absent(kind: ChannelKind) -> String {
    format!("this box has no way `{}`", kind.as_str())
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
        request: None,
    };
    Delivery { state, message }
}
