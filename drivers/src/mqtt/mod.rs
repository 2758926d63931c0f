//! Devices behind an MQTT broker. One driver owns one connection; what topics and payloads mean is
//! the dialect's to say. It must never trust a broker: sizes are bounded, topics and payloads are
//! parsed before use, and nothing is acknowledged before it is recorded.

mod client;
mod complaints;
mod dialect;
mod early;
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
mod subscription;
#[cfg(test)]
mod testing;
mod tls;
mod value;
mod voice;
pub mod zigbee2mqtt;

pub use probe::probe;

use std::sync::{Arc, Mutex, PoisonError};

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
    /// Outlives a run: what stays as it was is no news after the broker restarted. A run that
    /// panics or hangs keeps it, and the next begins anew.
    kept: Mutex<Option<session::Kept>>,
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
            let phone = |device: &Device| match &device.binding {
                Binding::OwnTracks(binding) => Some(owntracks::Known {
                    origin: device.origin(),
                    binding: binding.clone(),
                    heard_within: device.heard_within,
                }),
                _ => None,
            };
            let phones = devices.iter().filter_map(phone).collect();
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

/// What the devices of a link are heard on.
pub fn filters(link: &MqttLink, devices: &[&Device], zones: &[Zone]) -> Vec<String> {
    let devices: Vec<Device> = devices.iter().map(|device| (*device).clone()).collect();
    dialect(link, &devices, zones).filters()
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
            kept: Mutex::default(),
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
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut kept = kept.unwrap_or_else(|| {
                session::Kept::new(dialect(&self.link, &self.devices, &self.zones))
            });
            let end =
                session::run(&self.name, &self.client_id, &self.link, &mut kept, context).await;
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
            end
        })
    }
}
