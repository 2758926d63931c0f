//! Devices behind an MQTT broker. One driver owns one connection; what topics and payloads mean is
//! the dialect's to say. It must never trust a broker: sizes are bounded, topics and payloads are
//! parsed before use, and nothing is acknowledged before it is recorded.

mod client;
mod merge;
mod session;
mod tls;
pub mod zigbee2mqtt;

use std::sync::Arc;

use anju_model::config::{Binding, Device, MqttLink};
use anju_model::observation::Origin;
use anju_model::{BoxId, LinkId};
use futures::future::BoxFuture;

use crate::driver::{Claim, Context, Driver, DriverError};

/// One broker with the devices behind it.
#[derive(Debug)]
pub struct MqttDriver {
    name: String,
    client_id: String,
    link: MqttLink,
    devices: Vec<Known>,
}

/// A configured device and its address at the broker's far side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What its observations carry.
    pub origin: Origin,
    /// IEEE address or friendly name, as configured.
    pub address: String,
}

impl MqttDriver {
    /// A driver for `link` with those of `devices` that have an MQTT binding.
    pub fn new(box_id: &BoxId, id: &LinkId, link: MqttLink, devices: &[&Device]) -> Self {
        let devices = devices
            .iter()
            .filter_map(|device| match &device.binding {
                Binding::Mqtt(binding) => {
                    Some(Known { origin: device.origin(), address: binding.address.clone() })
                }
                _ => None,
            })
            .collect();
        Self { name: format!("mqtt:{id}"), client_id: format!("{box_id}-{id}"), link, devices }
    }
}

impl Driver for MqttDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.devices.iter().map(|known| known.origin.clone()).collect()
    }

    fn claims(&self) -> Vec<Claim> {
        let broker = format!("{} at {}:{}", self.client_id, self.link.host, self.link.port);
        vec![Claim::MqttClient(broker)]
    }

    fn run(self: Arc<Self>, context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            session::run(&self.name, &self.client_id, &self.link, &self.devices, context).await
        })
    }
}
