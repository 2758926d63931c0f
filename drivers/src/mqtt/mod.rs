//! Devices behind an MQTT broker. One driver owns one connection; what topics and payloads mean is
//! the dialect's to say. It must never trust a broker: sizes are bounded, topics and payloads are
//! parsed before use, and nothing is acknowledged before it is recorded.

mod client;
mod complaints;
mod dialect;
mod fence;
pub mod frigate;
pub mod fuzzed;
pub mod json;
mod merge;
pub mod owntracks;
mod probe;
pub mod rtl433;
mod serves;
mod session;
#[cfg(test)]
mod testing;
mod tls;
mod value;
mod voice;
pub mod zigbee2mqtt;

pub use probe::probe;

use std::sync::Arc;

use anju_model::config::{Binding, Device, MqttDialect, MqttLink, Zone};
use anju_model::observation::Origin;
use anju_model::{BoxId, LinkId};
use futures::future::BoxFuture;

pub use dialect::{Answer, Dialect, Heard, Malformed, Order};
pub use serves::SERVES;

use crate::driver::{Claim, Context, Driver, DriverError};

/// One broker with the devices behind it.
#[derive(Debug)]
pub struct MqttDriver {
    name: String,
    client_id: String,
    link: MqttLink,
    devices: Vec<Device>,
    zones: Vec<Zone>,
}

/// The dialect of a link with those of its devices that are bound in it.
pub fn dialect(link: &MqttLink, devices: &[Device], zones: &[Zone]) -> Box<dyn Dialect> {
    fn bound<'d, B>(
        devices: &'d [Device],
        binding: impl Fn(&'d Binding) -> Option<B>,
    ) -> Vec<(Origin, B)> {
        devices.iter().filter_map(|d| Some((d.origin(), binding(&d.binding)?))).collect()
    }
    let base = &link.base_topic;
    match link.dialect {
        MqttDialect::Zigbee2mqtt => {
            let known = bound(devices, |binding| match binding {
                Binding::Mqtt(binding) => Some(binding),
                _ => None,
            });
            let known: Vec<_> = known
                .into_iter()
                .map(|(origin, binding)| zigbee2mqtt::Known {
                    origin,
                    address: binding.address.clone(),
                    on_watts: binding.on_watts,
                })
                .collect();
            Box::new(zigbee2mqtt::Zigbee2mqtt::new(base, &known))
        }
        MqttDialect::Frigate => {
            let cameras = bound(devices, |binding| match binding {
                Binding::Frigate(binding) => Some(binding.clone()),
                _ => None,
            });
            Box::new(frigate::Frigate::new(base, cameras))
        }
        MqttDialect::OwnTracks => {
            let phones = bound(devices, |binding| match binding {
                Binding::OwnTracks(binding) => Some(binding.clone()),
                _ => None,
            });
            Box::new(owntracks::OwnTracks::new(base, phones, zones))
        }
        MqttDialect::Rtl433 => {
            let transmitters = bound(devices, |binding| match binding {
                Binding::Rtl433(binding) => Some(binding.clone()),
                _ => None,
            });
            Box::new(rtl433::Rtl433::new(base, transmitters))
        }
        MqttDialect::Json => {
            let speakers = bound(devices, |binding| match binding {
                Binding::Json(binding) => Some(binding.clone()),
                _ => None,
            });
            Box::new(json::Json::new(base, speakers, zones))
        }
    }
}

impl MqttDriver {
    /// A driver for `link` with those of `devices` that are bound in its dialect.
    pub fn new(
        box_id: &BoxId,
        id: &LinkId,
        link: MqttLink,
        devices: &[&Device],
        zones: &[Zone],
    ) -> Self {
        Self {
            name: format!("mqtt:{id}"),
            client_id: format!("{box_id}-{id}"),
            link,
            devices: devices.iter().map(|device| (*device).clone()).collect(),
            zones: zones.to_vec(),
        }
    }
}

impl Driver for MqttDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        self.devices.iter().map(Device::origin).collect()
    }

    fn claims(&self) -> Vec<Claim> {
        let broker = format!("{} at {}:{}", self.client_id, self.link.host, self.link.port);
        vec![Claim::MqttClient(broker)]
    }

    fn run(self: Arc<Self>, context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let dialect = dialect(&self.link, &self.devices, &self.zones);
            session::run(&self.name, &self.client_id, &self.link, dialect, context).await
        })
    }
}
