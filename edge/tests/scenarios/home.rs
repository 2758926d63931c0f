//! A home whose devices are all behind one broker: the rows of its configuration, a peer that plays
//! the devices, and the centre that hears of them.

use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::{Value, json};

use crate::common::{Box_, Broker, Peer};

pub struct Home {
    pub anju: Box_,
    pub centre: Peer,
    pub devices: Peer,
    pub broker: Broker,
    _upstream: Broker,
}

impl Home {
    /// `rows` are the link and its devices, `PORT` in them the broker's port.
    pub async fn start(rows: &str) -> Self {
        Self::at(Broker::start(), rows, &[]).await
    }

    /// The same at a broker that is already there; `listens` is what the devices hear.
    pub async fn at(broker: Broker, rows: &str, listens: &[&str]) -> Self {
        let upstream = Broker::start();
        let centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", broker.port, listens).await;
        let rows = rows.replace("PORT", &broker.port.to_string());
        let mut anju = Box_::of(&rows, upstream.port);
        anju.start();
        Self { anju, centre, devices, broker, _upstream: upstream }
    }

    pub async fn say(&self, topic: &str, payload: &Value) {
        self.devices.publish(topic, payload.to_string()).await;
    }

    /// As a bridge leaves it behind at the broker.
    pub async fn leave(&self, topic: &str, payload: &str) {
        let properties = PublishProperties::default();
        self.devices.publish_with(topic, true, payload.to_owned(), properties).await;
    }

    /// The next observation of a device that holds all these fields.
    pub async fn observed(&mut self, device: &str, what: &str, fields: Value) -> Value {
        let kind = format!("cn.anju.observation.{what}");
        let holds = |data: &Value| fields.as_object().unwrap().iter().all(|(k, v)| data[k] == *v);
        let got = self.centre.until(|got| {
            serde_json::from_slice::<Value>(&got.payload).is_ok_and(|json| {
                json["type"] == kind && json["data"]["device"] == device && holds(&json["data"])
            })
        });
        got.await.json()["data"].clone()
    }

    /// The next alert of a device.
    pub async fn raised(&mut self, device: &str) -> Value {
        let got = self.centre.until(|got| {
            serde_json::from_slice::<Value>(&got.payload).is_ok_and(|json| {
                json["type"] == "cn.anju.alert.raised" && json["data"]["device"] == device
            })
        });
        let data = got.await.json()["data"].clone();
        json!({"rule": data["rule"], "class": data["class"]})
    }
}

/// An alert to compare with.
pub fn alarm(rule: &str) -> Value {
    json!({"rule": rule, "class": "alarm"})
}
