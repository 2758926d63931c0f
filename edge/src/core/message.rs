//! What can reach the core.

use std::collections::BTreeMap;
use std::sync::Arc;

use anju_drivers::Report;
use anju_drivers::fleet::Commander;
use anju_model::command::Request;
use anju_model::config::{ChannelKind, Household};
use anju_model::{BoxEvent, ContactId, DeviceId};
use anju_respond::life::Input;
use anju_respond::life::proof::Proof;
use tokio::sync::oneshot;

use crate::acceptance;

/// The result of a command; the text says why it was refused.
pub type Answer = Result<(), String>;

/// What came of proving each way.
pub type Proofs = BTreeMap<ChannelKind, Proof>;

/// Something for the core.
pub enum Message {
    /// A driver observed something.
    Report(Report),
    /// The box itself did or saw something.
    Box(BoxEvent),
    /// A way out reports, or something else for the alerts' life.
    Tell(Input),
    /// The same, and who reports waits until what follows from it is on the disk.
    Account {
        /// What.
        input: Input,
        /// The way back; told at once if nothing follows.
        recorded: oneshot::Sender<()>,
    },
    /// The centre's broker took an alert entry, and somebody is subscribed.
    Taken {
        /// The epoch of its number.
        epoch: u64,
        /// Its number.
        seq: u64,
    },
    /// Somebody asks for something.
    Request {
        /// What.
        request: Request,
        /// The way back.
        answer: oneshot::Sender<Answer>,
    },
    /// Somebody asks for the acceptance of devices.
    Acceptance {
        /// What.
        ask: acceptance::Ask,
        /// How it stands then, or why it was refused.
        answer: oneshot::Sender<Result<acceptance::Report, String>>,
    },
    /// A device that was asked to do something for its acceptance did, or did not.
    Obeyed {
        /// Which.
        device: DeviceId,
        /// Whether it did.
        obeyed: bool,
    },
    /// What came of proving a way to people.
    Proof {
        /// Which way.
        kind: ChannelKind,
        /// What.
        proof: Proof,
    },
    /// Somebody wants the ways to people proved now: all without waking anybody, or one contact
    /// asked.
    Prove {
        /// Whom to ask.
        contact: Option<ContactId>,
        /// What came of each way; at once and empty where a contact is asked.
        answer: oneshot::Sender<Result<Proofs, String>>,
    },
    /// Recordings of names were made or removed.
    Recordings,
    /// Asks whether the core lives.
    Pulse(oneshot::Sender<()>),
    /// The configuration was read anew and its drivers were started.
    Household {
        /// The home.
        household: Arc<Household>,
        /// The way to its devices.
        commander: Commander,
    },
}
