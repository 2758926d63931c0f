//! The centre as gateway to a contact, and the command line's acts, through the real daemon.

use serde_json::{Value, json};

use crate::common::{Box_, Broker, Peer};

fn command(name: &str, id: &str, data: &Value) -> String {
    let time = jiff::Timestamp::now().to_string();
    json!({"specversion": "1.0", "id": id, "type": format!("cn.anju.command.{name}"),
        "source": "/centre", "time": time, "data": data})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_centre_passes_a_call_on_and_what_became_of_it_comes_back() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.start();
    let contact = json!({"contact": true}).to_string();
    let topic = "zigbee2mqtt/0x00158d0001e52fbb";
    devices.publish_with(topic, true, contact, Default::default()).await;
    centre.event("cn.anju.observation.contact").await;

    devices.publish("zigbee2mqtt/sos-button", json!({"action": "emergency"}).to_string()).await;
    let asked = centre
        .until(|got| {
            got.topic.ends_with("/alerts") && got.json()["type"] == "cn.anju.delivery.requested"
        })
        .await
        .json();
    let data = &asked["data"];
    assert_eq!((&data["contact"], &data["channel"]), (&json!("daughter"), &json!("centre")));
    assert_eq!(data["request"]["name"], "女儿");
    assert!(!data["request"]["text"].as_str().unwrap().contains("王奶奶"));
    let alert = data["alert"].as_str().unwrap();

    let commands = "anju/1/hz-test/commands";
    let told = |id: &str, more: Value| {
        let mut data = json!({"by": "gateway", "alert": alert, "contact": "daughter"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command("delivery", id, &data)
    };
    let replied = |id: &'static str| {
        move |got: &crate::common::Got| got.topic.ends_with("/replies") && got.json()["id"] == id
    };
    centre.publish(commands, told("d-1", json!({"state": "sent", "over": "sms"}))).await;
    let sent = centre.event("cn.anju.delivery.sent").await;
    assert_eq!(sent["data"]["channel"], "centre");
    centre.publish(commands, told("d-2", json!({"state": "answered", "over": "voice"}))).await;
    let answered = centre.event("cn.anju.delivery.answered").await;
    assert_eq!(answered["data"]["detail"], "voice");
    centre.publish(commands, told("d-3", json!({"state": "requested"}))).await;
    assert_eq!(centre.until(replied("d-3")).await.json()["ok"], false);
    let accept = command("accept", "a-1", &json!({"by": "daughter", "alert": alert}));
    centre.publish(commands, accept).await;
    assert_eq!(centre.event("cn.anju.alert.accepted").await["data"]["by"], "daughter");

    assert!(anju.anju(&["arrived", alert, "--by", "daughter"]).0);
    assert_eq!(centre.event("cn.anju.alert.arrived").await["data"]["by"], "daughter");
    assert!(!anju.anju(&["follow-up", alert, "--note", "too early"]).0);
    assert!(anju.anju(&["close", alert, "--outcome", "real"]).0);
    assert!(anju.anju(&["follow-up", alert, "--note", "she is well"]).0);
    assert_eq!(centre.event("cn.anju.alert.followed_up").await["data"]["note"], "she is well");
    assert!(anju.anju(&["away", "--until", "2099-01-01T00:00:00Z"]).0);
    centre.event("cn.anju.box.away").await;
    assert!(anju.anju(&["away", "--back"]).0);
    assert!(anju.anju(&["speak", "午饭好了"]).0);
    assert!(!anju.anju(&["accept", "hz-test/9/9"]).0);
    assert!(anju.stop() < std::time::Duration::from_secs(2));
}

/// The contract knows no command `delivery`: a centre that only takes what it is sent, and answers
/// with `accept` and `close`, keeps to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_takes_what_it_is_asked_is_not_broken() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.configure(|config| {
        config.replace("role = \"family\"", "role = \"family\"\nchannels = [\"centre\"]")
    });
    anju.start();
    let contact = json!({"contact": true}).to_string();
    let topic = "zigbee2mqtt/0x00158d0001e52fbb";
    devices.publish_with(topic, true, contact, Default::default()).await;
    centre.event("cn.anju.observation.contact").await;
    devices.publish("zigbee2mqtt/sos-button", json!({"action": "emergency"}).to_string()).await;
    let raised = centre.event("cn.anju.alert.raised").await;
    let alert = &raised["data"]["alert"];
    let sent = centre.event("cn.anju.delivery.sent").await;
    assert_eq!((&sent["data"]["alert"], &sent["data"]["attempt"]), (alert, &json!(1)));
    let commands = "anju/1/hz-test/commands";
    let accept = command("accept", "s-1", &json!({"by": "op", "alert": alert, "minutes": 10}));
    centre.publish(commands, accept).await;
    // The notice that somebody comes.
    centre.event("cn.anju.delivery.sent").await;
    let close = command("close", "s-2", &json!({"by": "op", "alert": alert, "outcome": "real"}));
    centre.publish(commands, close).await;
    // And that it is over.
    centre.event("cn.anju.delivery.sent").await;
    anju.stop();
    assert!(anju.recorded("cn.anju.delivery.failed").is_empty());
    assert!(
        anju.recorded("cn.anju.box.fault").iter().all(|fault| fault["part"] != "channel:centre")
    );
}
