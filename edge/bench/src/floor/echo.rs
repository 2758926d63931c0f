//! Bare echo: a press comes in, 256 bytes are appended to a file and forced to the disk, an alert
//! goes out at QoS 1. It knows no device, no rule, no numbers.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, Event, Incoming};

use super::say_ready;
use crate::failure::{Failure, Outcome, io};
use crate::mqtt;

/// Presses come here.
pub const PRESSES: &str = "floor/press";

/// Alerts go here.
pub const ALERTS: &str = "floor/alerts";

/// Runs until killed.
pub async fn run(port: u16, file: &Path) -> Outcome<()> {
    let mut file = File::create(file).map_err(io("making the echo's file"))?;
    let (client, mut eventloop) = AsyncClient::new(mqtt::options("floor-echo", port), 10_000);
    let failed = |error: &dyn std::fmt::Display| Failure::Mqtt(error.to_string());
    client.try_subscribe(PRESSES, QoS::AtLeastOnce).map_err(|error| failed(&error))?;
    let record = [b'e'; 256];
    loop {
        match eventloop.poll().await.map_err(|error| failed(&error))? {
            Event::Incoming(Incoming::SubAck(_)) => say_ready(),
            Event::Incoming(Incoming::Publish(_)) => {
                file.write_all(&record).map_err(io("appending"))?;
                rustix::fs::fdatasync(&file).map_err(|e| Failure::Io("fdatasync", e.into()))?;
                client
                    .try_publish(ALERTS, QoS::AtLeastOnce, false, record.to_vec())
                    .map_err(|error| failed(&error))?;
            }
            _ => {}
        }
    }
}
