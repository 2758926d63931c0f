//! A home whose devices are all behind one broker: the rows of its configuration, a peer that plays
//! the devices, and the centre that hears of them.

use std::time::Duration;

use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::{Value, json};

use crate::common::{Box_, Broker, DEADLINE, Peer};

pub struct Home {
    pub centre: Peer,
    pub devices: Peer,
    pub broker: Broker,
    /// What came and was not asked for yet: alerts overtake what they follow from.
    unread: Vec<Value>,
    _upstream: Broker,
    pub anju: Box_,
}

impl Home {
    /// `rows` are the link and its devices, `PORT` in them the broker's port.
    pub async fn start(rows: &str) -> Self {
        Self::at(Broker::start(), rows, &[]).await
    }

    /// The same with further changes to its configuration.
    pub async fn configured(rows: &str, edit: impl FnOnce(String) -> String) -> Self {
        Self::with(Broker::start(), rows, &[], edit).await
    }

    /// The same at a broker that is already there; `listens` is what the devices hear.
    pub async fn at(broker: Broker, rows: &str, listens: &[&str]) -> Self {
        Self::with(broker, rows, listens, |config| config).await
    }

    async fn with(
        broker: Broker,
        rows: &str,
        listens: &[&str],
        edit: impl FnOnce(String) -> String,
    ) -> Self {
        let upstream = Broker::start();
        let centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", broker.port, listens).await;
        let rows = rows.replace("PORT", &broker.port.to_string());
        let mut anju = Box_::of(&rows, upstream.port);
        anju.configure(edit);
        anju.start();
        Self { centre, devices, broker, unread: Vec::new(), _upstream: upstream, anju }
    }

    pub async fn say(&self, topic: &str, payload: &Value) {
        self.devices.publish(topic, payload.to_string()).await;
    }

    /// As a bridge leaves it behind at the broker.
    pub async fn leave(&self, topic: &str, payload: &str) {
        let properties = PublishProperties::default();
        self.devices.publish_with(topic, true, payload.to_owned(), properties).await;
    }

    /// The first event not asked for yet that fits.
    pub async fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.unread.iter().position(&fits) {
            return self.unread.remove(at);
        }
        loop {
            let Ok(event) = serde_json::from_slice::<Value>(&self.centre.next().await.payload)
            else {
                continue;
            };
            if fits(&event) {
                return event;
            }
            // The heartbeat is no event.
            if event["type"].is_string() {
                self.unread.push(event);
            }
        }
    }

    /// Its journal so far.
    pub fn exported(&self) -> String {
        self.anju.anju(&["journal", "export"]).1
    }

    /// The next observation of a device that holds all these fields.
    pub async fn observed(&mut self, device: &str, what: &str, fields: Value) -> Value {
        let kind = format!("cn.anju.observation.{what}");
        let holds = |data: &Value| fields.as_object().unwrap().iter().all(|(k, v)| data[k] == *v);
        let fits = |event: &Value| {
            event["type"] == kind && event["data"]["device"] == device && holds(&event["data"])
        };
        let found = tokio::time::timeout(DEADLINE, self.find(fits)).await;
        match found {
            Ok(event) => event["data"].clone(),
            Err(_) => panic!("no {what} {fields} of {device} among {:#?}", self.unread),
        }
    }

    /// Whether an event of that type came that nobody asked for.
    pub fn unread_has(&self, kind: &str) -> bool {
        self.unread.iter().any(|event| event["type"] == kind)
    }

    /// Waits until the box has begun to speak that often.
    pub async fn spoken(&self, times: usize) {
        let spoken = async {
            let folder = self.anju.dir.path().join("wav");
            while std::fs::read_dir(&folder).map_or(0, Iterator::count) < times {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, spoken).await.expect("it speaks");
    }

    /// Puts a device under test.
    pub async fn begin_acceptance(&mut self, device: &str) {
        let (begun, told) = self.anju.anju(&["acceptance", "start", device, "--json"]);
        assert!(begun, "the acceptance of {device} was refused: {told}");
        let started =
            |event: &Value| acceptance_of(event, device) && event["data"]["result"] == "started";
        tokio::time::timeout(DEADLINE, self.find(started)).await.expect("it begins");
    }

    /// How the acceptance of a device ended, if it does within a second.
    pub async fn acceptance_ended(&mut self, device: &str) -> Option<Value> {
        let ended =
            |event: &Value| acceptance_of(event, device) && event["data"]["result"] != "started";
        let found = tokio::time::timeout(Duration::from_secs(1), self.find(ended)).await;
        Some(found.ok()?["data"].clone())
    }

    /// Puts a device under test and acts, again and again, until it has passed.
    #[allow(dead_code, reason = "the lab's programs use it")]
    pub async fn accept(&mut self, device: &str, within: Duration, mut act: impl AsyncFnMut()) {
        self.begin_acceptance(device).await;
        let ended = tokio::time::timeout(within, async {
            loop {
                act().await;
                if let Some(ended) = self.acceptance_ended(device).await {
                    return ended;
                }
            }
        });
        let ended =
            ended.await.unwrap_or_else(|_| panic!("the acceptance of {device} does not end"));
        assert_eq!(ended["result"], "passed", "{ended}");
    }

    /// The next alert of a device.
    pub async fn raised(&mut self, device: &str) -> Value {
        let fits = |event: &Value| {
            event["type"] == "cn.anju.alert.raised" && event["data"]["device"] == device
        };
        let found = tokio::time::timeout(DEADLINE, self.find(fits)).await;
        let data = &found.expect("an alert in time")["data"];
        json!({"rule": data["rule"], "class": data["class"]})
    }
}

fn acceptance_of(event: &Value, device: &str) -> bool {
    event["type"] == "cn.anju.box.acceptance" && event["data"]["device"] == device
}

/// An alert to compare with.
pub fn alarm(rule: &str) -> Value {
    json!({"rule": rule, "class": "alarm"})
}
