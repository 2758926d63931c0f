//! Asks the broker whether it would take the box, without disturbing the box's own session.

use std::time::Duration;

use tokio::time::timeout;

use crate::connection::{Connection, Said};
use crate::settings::Settings;

/// Longest wait for the broker.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);

/// Connects as `<box>-doctor` with the box's own means, and leaves again.
///
/// # Errors
/// Why the broker does not take it, in words.
pub async fn probe(settings: &Settings) -> Result<(), String> {
    let id = format!("{}-doctor", settings.box_id);
    let mut options = settings.plain_options(&id).map_err(|error| error.to_string())?;
    options.set_clean_start(true).set_session_expiry_interval(Some(0));
    let mut connection = Connection::new(options, 1);
    match timeout(ANSWERS_WITHIN, connection.said.recv()).await {
        Ok(Some(Said::Connected(_))) => Ok(()),
        Ok(Some(Said::Lost { reason, .. })) => Err(reason),
        Ok(_) => Err("the connection ended".to_owned()),
        Err(_) => Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
    }
}
