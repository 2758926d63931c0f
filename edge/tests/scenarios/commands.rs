//! What the centre may rely on when a command was answered, through the real daemon.

use serde_json::{Value, json};

use crate::common::{Box_, Broker, Peer};

const COMMANDS: &str = "anju/1/hz-test/commands";

fn command(name: &str, id: &str, data: &Value) -> String {
    let time = jiff::Timestamp::now().to_string();
    json!({"specversion": "1.0", "id": id, "type": format!("cn.anju.command.{name}"),
        "source": "/centre", "time": time, "data": data})
    .to_string()
}

/// Sends a command; its reply.
async fn asked(centre: &mut Peer, name: &str, id: &str, data: Value) -> Value {
    centre.publish(COMMANDS, command(name, id, &data)).await;
    replied(centre, id).await
}

async fn replied(centre: &mut Peer, id: &str) -> Value {
    let reply =
        |got: &crate::common::Got| got.topic.ends_with("/replies") && got.json()["id"] == id;
    centre.until(reply).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlasts_a_power_cut_and_is_not_done_twice() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    let contact = json!({"contact": true}).to_string();
    devices.publish_with("zigbee2mqtt/0x00158d0001e52fbb", true, contact, Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    devices.publish("zigbee2mqtt/sos-button", json!({"action": "emergency"}).to_string()).await;
    let raised = centre.event("cn.anju.alert.raised").await;
    let alert = &raised["data"]["alert"];

    let accept = json!({"by": "op", "alert": alert, "minutes": 5.0});
    assert_eq!(asked(&mut centre, "accept", "c-1", accept).await["ok"], true);
    let close = json!({"by": "op", "alert": alert, "outcome": "real"});
    assert_eq!(asked(&mut centre, "close", "c-2", close.clone()).await["ok"], true);
    let other = json!({"by": "op", "alert": alert, "outcome": "false"});
    let refused = asked(&mut centre, "close", "c-3", other).await;
    assert!(refused["error"].as_str().unwrap().contains("already closed"), "{refused}");
    let past = json!({"by": "op", "until": "2026-01-02T00:00:00Z"});
    let refused = asked(&mut centre, "away", "c-4", past).await;
    assert!(refused["error"].as_str().unwrap().contains("past"), "{refused}");
    let away = json!({"by": "op", "until": "2099-01-01T00:00:00Z"});
    assert_eq!(asked(&mut centre, "away", "c-5", away).await["ok"], true);
    anju.kill();

    anju.start();
    centre.event("cn.anju.box.boot").await;
    let closed = anju.recorded("cn.anju.alert.closed");
    assert!(closed.iter().any(|entry| entry["alert"] == *alert), "{closed:?}");
    assert_eq!(anju.recorded("cn.anju.box.away").len(), 1);
    // The same ids again, even with other contents.
    assert_eq!(
        asked(&mut centre, "speak", "c-2", json!({"by": "op", "text": "x"})).await["ok"],
        true
    );
    let again = asked(&mut centre, "close", "c-3", close).await;
    assert!(again["error"].as_str().unwrap().contains("already closed"), "{again}");
    assert_eq!(anju.recorded("cn.anju.box.command").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_command_is_refused_and_no_reply_goes_into_the_boxs_own_topics() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    centre.until(|got| got.topic.ends_with("/status") && got.json()["state"] == "online").await;
    // Carried out and answered once, so the box hears commands.
    let speak = json!({"by": "op", "text": "x"});
    assert_eq!(asked(&mut centre, "speak", "r-0", speak.clone()).await["ok"], true);
    let retained = command("speak", "r-1", &speak);
    centre.publish_with(COMMANDS, true, retained, Default::default()).await;
    let refused = replied(&mut centre, "r-1").await;
    assert!(refused["error"].as_str().unwrap().contains("retained"), "{refused}");
    for own in ["alerts", "events", "status", "commands"] {
        let id = format!("r-{own}");
        let properties = rumqttc::v5::mqttbytes::v5::PublishProperties {
            response_topic: Some(format!("anju/1/hz-test/{own}")),
            ..Default::default()
        };
        let away = command("away", &id, &json!({"by": "op", "until": null}));
        centre.publish_with(COMMANDS, false, away, properties).await;
        let reply = |got: &crate::common::Got| got.json()["ok"].is_boolean();
        let got = centre.until(reply).await;
        assert!(got.topic.ends_with("/replies") && got.json()["id"] == id, "{got:?}");
    }
}
