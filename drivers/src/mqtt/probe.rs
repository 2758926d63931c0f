//! Asks a broker whether it would take the box, without disturbing the driver's own session.

use std::time::Duration;

use anju_model::config::MqttLink;
use tokio::time::timeout;

use super::client::{Client, Event, Keep};
use super::subscription::refusal;

/// Longest wait for the broker.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);

/// Connects under a client id of its own, subscribes to what the link's devices are heard on, and
/// leaves again.
///
/// # Errors
/// Why the broker does not take it, in words.
pub async fn probe(id: &str, link: &MqttLink, filters: &[String]) -> Result<(), String> {
    let client = Client::new(id, link, Keep::Nothing);
    let mut client = client.map_err(|error| error.to_string())?;
    let asks = async {
        loop {
            match client.next().await? {
                Event::Connected if filters.is_empty() => return Ok(()),
                Event::Connected => client.subscribe(filters)?,
                Event::Subscribed(answer) if answer.refused.is_empty() => return Ok(()),
                Event::Subscribed(answer) => return Err(refusal(&answer.refused)),
                // What the broker kept.
                Event::Message(_) => {}
            }
        }
    };
    timeout(ANSWERS_WITHIN, asks)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())))
}
