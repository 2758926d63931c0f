//! A client of the embedded broker: the devices' side, and the centre's.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rumqttc::v5::{AsyncClient, Event, Incoming, MqttOptions};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::DemoError;

/// Longest wait for the broker.
const CONNECT: Duration = Duration::from_secs(10);

/// A connected client.
pub struct Peer {
    client: AsyncClient,
    received: mpsc::Receiver<(String, Value)>,
    task: AbortHandle,
}

impl Peer {
    /// Connects and subscribes; returns once the broker took every subscription.
    pub async fn connect(name: &str, port: u16, filters: &[&str]) -> Result<Self, DemoError> {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(10)).set_max_packet_size(Some(1 << 20));
        let (client, mut eventloop) = AsyncClient::new(options, 100);
        let (tx, received) = mpsc::channel(1000);
        let (ready_tx, mut ready) = mpsc::channel(8);
        let task = tokio::spawn(async move {
            loop {
                match eventloop.poll().await {
                    Ok(Event::Incoming(Incoming::SubAck(_))) => {
                        let _ = ready_tx.try_send(());
                    }
                    Ok(Event::Incoming(Incoming::Publish(publish))) => {
                        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                        let payload = serde_json::from_slice(&publish.payload).unwrap_or_default();
                        if tx.send((topic, payload)).await.is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    // The broker may still be starting.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        })
        .abort_handle();
        for filter in filters {
            let subscribed = client.subscribe(*filter, QoS::AtLeastOnce).await;
            subscribed.map_err(|error| DemoError::Broker(error.to_string()))?;
            let taken = tokio::time::timeout(CONNECT, ready.recv()).await;
            taken.map_err(|_| DemoError::Missed("the broker did not answer", CONNECT))?;
        }
        Ok(Self { client, received, task })
    }

    /// Publishes a JSON object.
    pub async fn publish(&self, topic: &str, payload: &Value) -> Result<(), DemoError> {
        let payload = payload.to_string();
        let published = self.client.publish(topic, QoS::AtLeastOnce, false, payload).await;
        published.map_err(|error| DemoError::Broker(error.to_string()))
    }

    /// Publishes a command that wants its answer on a topic.
    pub async fn command(
        &self,
        topic: &str,
        payload: &Value,
        reply: &str,
    ) -> Result<(), DemoError> {
        let properties = PublishProperties {
            response_topic: Some(reply.to_owned()),
            correlation_data: Some("demo".into()),
            ..PublishProperties::default()
        };
        let client = &self.client;
        let published = client
            .publish_with_properties(
                topic,
                QoS::AtLeastOnce,
                false,
                payload.to_string(),
                properties,
            )
            .await;
        published.map_err(|error| DemoError::Broker(error.to_string()))
    }

    /// The next message; waits for ever.
    pub async fn next(&mut self) -> (String, Value) {
        match self.received.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
