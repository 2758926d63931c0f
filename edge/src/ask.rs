//! What the command line can ask of a running daemon, as one line of JSON on the control socket.
//! Pure parsing. Only the daemon's own user can write there; even so nothing is believed.

use anju_model::command::Request;
use anju_model::{ContactId, DeviceId, Rule};
use serde::{Deserialize, Serialize};

/// Longest question, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// Longest id of a command, in bytes.
const MAX_ID: usize = 200;

/// A question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// All entries, oldest first.
    Export,
    /// The newest entries, oldest first.
    Tail {
        /// How many.
        count: usize,
    },
    /// The journal's figures.
    Stats,
    /// The acceptance of devices.
    Acceptance {
        /// What.
        act: Acceptance,
    },
    /// What would happen if a rule judged at a time of day.
    Plan {
        /// When.
        at: jiff::civil::Time,
        /// Which.
        rule: Rule,
    },
    /// Prove the ways to people now.
    Prove {
        /// Whom to ask, instead of proving all ways without waking anybody.
        contact: Option<ContactId>,
    },
    /// Read the recordings of names anew.
    Recordings,
    /// Carry out a command.
    Command {
        /// Which.
        request: Request,
    },
}

/// What can be asked of the acceptance of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Acceptance {
    /// How each device stands.
    Status,
    /// Take a device, or every device in the order of the configuration.
    Start {
        /// Which; all if absent.
        device: Option<DeviceId>,
        /// Who asks.
        by: String,
    },
    /// End what runs and forget what waits.
    Stop,
}

impl Ask {
    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no question, for whoever asked.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        if line.len() > MAX_LINE {
            return Err(format!("the question is longer than {MAX_LINE} bytes"));
        }
        let ask: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if let Ask::Command { request } = &ask
            && !(1..=MAX_ID).contains(&request.id.len())
        {
            return Err("the command's id is empty or too long".to_owned());
        }
        Ok(ask)
    }
}
