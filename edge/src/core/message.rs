//! What can reach the core.

use std::sync::Arc;

use anju_drivers::Report;
use anju_drivers::fleet::Commander;
use anju_model::command::Request;
use anju_model::config::Household;
use anju_model::{BoxEvent, DeviceId};
use anju_respond::life::Input;
use tokio::sync::oneshot;

use crate::acceptance;

/// The result of a command; the text says why it was refused.
pub type Answer = Result<(), String>;

/// Something for the core.
pub enum Message {
    /// A driver observed something.
    Report(Report),
    /// The box itself did or saw something.
    Box(BoxEvent),
    /// A way out reports, or something else for the alerts' life.
    Tell(Input),
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
    /// The configuration was read anew and its drivers were started.
    Household {
        /// The home.
        household: Arc<Household>,
        /// The way to its devices.
        commander: Commander,
    },
}
