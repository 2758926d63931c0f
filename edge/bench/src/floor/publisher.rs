//! Bare publisher: the same bytes at QoS 1 with the same window, from memory, as fast as the client
//! goes.

use bytes::Bytes;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rumqttc::v5::{AsyncClient, Event, Incoming};

use super::{say_ready, wait_for_end};
use crate::failure::{Failure, Outcome};
use crate::mqtt;
use crate::scene::backlog::{ENTRY, WINDOW, entry};

/// Entries go here; as long as the product's own topic.
pub const TOPIC: &str = "anju/1/floor-bk/events";

/// Connects, then publishes this many.
pub async fn run(port: u16, count: usize) -> Outcome<()> {
    let failed = |error: &dyn std::fmt::Display| Failure::Mqtt(error.to_string());
    let mut options = mqtt::options("floor-publisher", port);
    options.set_outgoing_inflight_upper_limit(WINDOW);
    let (client, mut eventloop) = AsyncClient::new(options, 512);
    let publish = async {
        for n in 0..count {
            let properties = PublishProperties {
                content_type: Some(anju_model::entry::CONTENT_TYPE.to_owned()),
                ..PublishProperties::default()
            };
            let payload = Bytes::from(entry(n as u64 + 1));
            debug_assert_eq!(payload.len(), ENTRY);
            let sent =
                client.publish_with_properties(TOPIC, QoS::AtLeastOnce, false, payload, properties);
            sent.await.map_err(|error| failed(&error))?;
        }
        Ok::<(), Failure>(())
    };
    let poll = async {
        let mut acknowledged = 0;
        loop {
            match eventloop.poll().await.map_err(|error| failed(&error))? {
                Event::Incoming(Incoming::ConnAck(_)) => say_ready(),
                Event::Incoming(Incoming::PubAck(_)) => acknowledged += 1,
                _ => {}
            }
            if acknowledged == count {
                return Ok::<(), Failure>(());
            }
        }
    };
    tokio::try_join!(publish, poll)?;
    wait_for_end();
    Ok(())
}
