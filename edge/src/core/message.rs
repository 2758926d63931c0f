//! What can reach the core.

use std::sync::Arc;

use anju_drivers::Report;
use anju_drivers::fleet::Commander;
use anju_model::BoxEvent;
use anju_model::command::Request;
use anju_model::config::Household;
use anju_respond::life::Input;
use tokio::sync::oneshot;

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
    /// The configuration was read anew and its drivers were started.
    Household {
        /// The home.
        household: Arc<Household>,
        /// The way to its devices.
        commander: Commander,
    },
}
