//! Asks a broker whether it would take the box, without disturbing the driver's own session.

use std::time::Duration;

use anju_model::config::MqttLink;
use tokio::time::timeout;

use super::client::{Client, Event, Keep};

/// Longest wait for the broker.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);

/// Connects under a client id of its own, and leaves again.
///
/// # Errors
/// Why the broker does not take it, in words.
pub async fn probe(id: &str, link: &MqttLink) -> Result<(), String> {
    let client = Client::new(id, link, Keep::Nothing);
    let mut client = client.map_err(|error| error.to_string())?;
    match timeout(ANSWERS_WITHIN, client.next()).await {
        Ok(Ok(Event::Connected)) => Ok(()),
        Ok(Ok(Event::Message(_))) => Err("the broker spoke out of turn".to_owned()),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
    }
}
