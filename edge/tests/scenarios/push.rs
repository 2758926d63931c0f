//! Push messages with buttons, from the press to the phone and back, and the plan of who is tried.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Box_, Broker, Peer};
use crate::phone;
use crate::push_server::{Mood, Server};

const ACCEPT: &str = "我来了";
const ARRIVED: &str = "已到";
const PRESS: &str = "zigbee2mqtt/sos-button";

struct Home {
    devices: Peer,
    centre: Peer,
    anju: Box_,
    number: u32,
    open: bool,
    brokers: (Broker, Broker),
}

fn contacts(url: &str) -> String {
    format!(
        r#"[[contact]]
id = "daughter"
name = "女儿"
role = "family"
ntfy_topic = "topic-daughter"
window = "10s"
[[contact]]
id = "son"
role = "family"
ntfy_topic = "topic-son"
step = 2
[channels.ntfy]
url = "{url}"
[links.zigbee]"#
    )
}

impl Home {
    async fn start(url: &str) -> Self {
        let (zigbee, upstream) = (Broker::start(), Broker::start());
        let centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        let mut anju = Box_::new(zigbee.port, upstream.port);
        let old =
            "[[contact]]\nid = \"daughter\"\nname = \"女儿\"\nrole = \"family\"\n[links.zigbee]";
        anju.configure(|config| {
            assert!(config.contains(old));
            config.replace(old, &contacts(url))
        });
        anju.start();
        let mut home =
            Self { devices, centre, anju, number: 0, open: false, brokers: (zigbee, upstream) };
        home.heard().await;
        home
    }

    /// Waits until the box hears its devices.
    async fn heard(&mut self) {
        self.open = !self.open;
        let contact = json!({"contact": self.open}).to_string();
        let topic = "zigbee2mqtt/0x00158d0001e52fbb";
        self.devices.publish_with(topic, true, contact, Default::default()).await;
        self.centre.event("cn.anju.observation.contact").await;
    }

    async fn action(&mut self, action: &str) {
        self.number += 1;
        let payload = json!({"action": action, "linkquality": self.number}).to_string();
        self.devices.publish(PRESS, payload).await;
    }
}

/// The phones, each with what it did not look at yet.
struct Phones<'s> {
    server: &'s Server,
    waiting: Vec<Value>,
}

impl<'s> Phones<'s> {
    const fn of(server: &'s Server) -> Self {
        Self { server, waiting: Vec::new() }
    }

    /// The next message of one of them.
    async fn next(&mut self, topic: &str) -> Value {
        loop {
            if let Some(at) = self.waiting.iter().position(|message| message["topic"] == topic) {
                return self.waiting.remove(at);
            }
            self.waiting.push(self.server.next().await);
        }
    }

    /// The next message of one of them whose title has a word.
    async fn titled(&mut self, topic: &str, word: &str) -> Value {
        loop {
            let message = self.next(topic).await;
            if message["title"].as_str().unwrap().contains(word) {
                return message;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_on_the_phone_at_once_and_its_buttons_count() {
    let server = Server::start().await;
    let mut home = Home::start(&server.url()).await;
    let mut phones = Phones::of(&server);
    let mut took = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        home.action("emergency").await;
        let call = phones.titled("topic-daughter", "安居告警").await;
        took.push(began.elapsed());
        assert_eq!(call["priority"], 5);
        assert!(!call.to_string().contains("王奶奶"), "names stay at home");
        let raised = home.centre.event("cn.anju.alert.raised").await;
        let alert = &raised["data"]["alert"];

        phone::press(&call, ACCEPT).await;
        let accepted = home.centre.event("cn.anju.alert.accepted").await;
        assert_eq!(&accepted["data"]["alert"], alert);
        assert_eq!(
            (&accepted["data"]["by"], &accepted["data"]["via"]),
            (&json!("daughter"), &json!("ntfy"))
        );
        phones.titled("topic-daughter", "已收到").await;
        phone::press(&call, ARRIVED).await;
        home.centre.event("cn.anju.alert.arrived").await;
        let alert = alert.as_str().unwrap();
        assert!(home.anju.anju(&["close", alert, "--outcome", "real"]).0);
        home.centre.event("cn.anju.alert.closed").await;
        phones.waiting.clear();
    }
    took.sort();
    println!("press to push request: {took:?}");
    // The others show how busy the machine is with other tests.
    assert!(took[0] < Duration::from_millis(100), "{took:?}");
    home.anju.until_recorded("cn.anju.delivery.answered", |data| data["detail"] == "arrived").await;
    let asked = home.anju.recorded("cn.anju.box.command");
    assert!(asked.iter().all(|command| command["error"].is_null()), "{asked:?}");
    server.mood(Mood::HangsFor("topic-daughter".into()));
    home.action("emergency").await;
    home.centre.event("cn.anju.alert.contacted").await;
    assert!(home.anju.stop() < Duration::from_secs(2), "a hanging server does not hold up a stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_starts_anew_is_told_to_nobody_and_a_press_meanwhile_is() {
    let server = Server::start().await;
    let mut home = Home::start(&server.url()).await;
    let bridge = |state| json!({"state": state}).to_string();
    home.devices.publish("zigbee2mqtt/bridge/state", bridge("offline")).await;
    let unguarded = |data: &Value| data["rule"] == "unguarded";
    home.anju.until_recorded("cn.anju.alert.raised", unguarded).await;
    home.action("emergency").await;
    let call = server.next().await;
    assert_eq!((&call["topic"], &call["priority"]), (&json!("topic-daughter"), &json!(5)));
    home.devices.publish("zigbee2mqtt/bridge/state", bridge("online")).await;
    home.anju.until_recorded("cn.anju.alert.closed", unguarded).await;
    // Whatever else was told left before the answer to this.
    phone::press(&call, ACCEPT).await;
    let next = server.next().await;
    assert!(next["title"].as_str().unwrap().contains("已收到"), "{next}");
    let contacted = home.anju.recorded("cn.anju.alert.contacted");
    assert!(contacted.iter().all(|data| data["rule"] == "help"), "{contacted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_starts_anew_is_told_to_nobody() {
    let server = Server::start().await;
    let mut home = Home::start(&server.url()).await;
    let unguarded = |data: &Value| data["rule"] == "unguarded";
    home.brokers.0.stop();
    home.anju.until_recorded("cn.anju.alert.raised", unguarded).await;
    home.brokers.0.restart();
    // The bridge comes back to its broker too, and says so.
    let closed = |home: &Home| home.anju.recorded("cn.anju.alert.closed").iter().any(unguarded);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !closed(&home) {
        assert!(Instant::now() < deadline, "the home is not guarded again");
        let online = json!({"state": "online"}).to_string();
        home.devices.publish("zigbee2mqtt/bridge/state", online).await;
    }
    home.action("emergency").await;
    let first = server.next().await;
    assert_eq!((&first["topic"], &first["priority"]), (&json!("topic-daughter"), &json!(5)));
    let contacted = home.anju.recorded("cn.anju.alert.contacted");
    assert!(contacted.iter().all(|data| data["rule"] == "help"), "{contacted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_gets_the_call_when_it_is_back_and_replies_count_once() {
    let distant = || {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    };
    let first = distant();
    let server = first.spawn(Server::start()).await.unwrap();
    let mut home = Home::start(&server.url()).await;
    let mut phones = Phones::of(&server);
    home.action("emergency").await;
    let call = phones.next("topic-daughter").await;
    first.shutdown_background();
    server.hang_up();

    home.action("emergency").await;
    home.action("cancel").await;
    home.anju.until_recorded("cn.anju.delivery.failed", |data| data["contact"] == "daughter").await;
    let fault = home
        .centre
        .until(|got| String::from_utf8_lossy(&got.payload).contains("\"part\":\"channel:ntfy\""))
        .await;
    assert_eq!(fault.json()["data"]["active"], true);

    // The phone's answers reach the server while the box can not.
    let second = distant();
    let again = server.clone();
    second.spawn(async move { again.again().await }).await.unwrap();
    phones.titled("topic-daughter", "本人取消").await;
    home.anju.kill();
    phone::press(&call, ACCEPT).await;
    phone::press(&call, ACCEPT).await;
    home.anju.start();
    home.anju.until_recorded("cn.anju.alert.accepted", |data| data["by"] == "daughter").await;
    // The server sends all it has kept once more to a box that was killed again.
    home.anju.kill();
    let state = home.anju.data().join("ntfy.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    kept["last_id"] = Value::Null;
    std::fs::write(&state, kept.to_string()).unwrap();
    home.anju.start();
    phone::press(&call, ARRIVED).await;
    home.anju.until_recorded("cn.anju.alert.arrived", |data| data["by"] == "daughter").await;
    assert_eq!(home.anju.recorded("cn.anju.alert.accepted").len(), 1);
    home.anju.kill();
    second.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_loses_no_message_that_waits() {
    let (broken, good) = (Server::start().await, Server::start().await);
    broken.mood(Mood::Answers(500));
    let mut home = Home::start(&broken.url()).await;
    home.action("emergency").await;
    home.anju.until_recorded("cn.anju.delivery.failed", |data| data["contact"] == "daughter").await;
    home.anju.configure(|config| config.replace(&broken.url(), &good.url()));
    home.anju.reload();
    let mut phones = Phones::of(&good);
    let call = phones.next("topic-daughter").await;
    phone::press(&call, ACCEPT).await;
    home.centre.event("cn.anju.alert.accepted").await;
    let sent = home
        .anju
        .until_recorded("cn.anju.delivery.sent", |data| {
            data["contact"] == "daughter" && data["channel"] == "ntfy"
        })
        .await;
    assert!(sent["attempt"].as_u64().unwrap() > 1, "the very letter that waited: {sent}");
    home.heard().await;

    // Without the channel it is told that there is none; with it again, it works again.
    home.anju.configure(|config| config.replace("[channels.ntfy]", "[channels.later]"));
    home.anju.reload();
    home.centre.event("cn.anju.box.config").await;
    home.anju.configure(|config| config.replace("[channels.later]", "[channels.ntfy]"));
    home.anju.reload();
    home.centre.event("cn.anju.box.config").await;
    home.heard().await;
    home.action("emergency").await;
    phones.titled("topic-daughter", "安居告警").await;
    assert!(home.anju.stop() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_followed_step_by_step_until_somebody_comes() {
    let server = Server::start().await;
    let mut home = Home::start(&server.url()).await;
    let mut phones = Phones::of(&server);
    let began = Instant::now();
    home.action("emergency").await;
    phones.next("topic-daughter").await;
    let call = phones.next("topic-son").await;
    let window = began.elapsed();
    assert!((Duration::from_secs(10)..Duration::from_secs(20)).contains(&window), "{window:?}");

    phones.waiting.clear();
    phone::press(&call, ACCEPT).await;
    phones.titled("topic-son", "已收到").await;
    phones.titled("topic-daughter", "有人回应").await;

    // A press after somebody accepted begins the search anew, with the first of the plan; who had
    // accepted is told too.
    home.action("emergency").await;
    let again = phones.titled("topic-daughter", "安居告警").await;
    assert_eq!(again["actions"].as_array().map(Vec::len), Some(2));
    phones.titled("topic-son", "又一次").await;

    // A cancel is told to all who know, and somebody is asked to call back.
    home.action("cancel").await;
    home.centre.event("cn.anju.alert.cancelled").await;
    let told = phones.titled("topic-daughter", "本人取消").await;
    assert_eq!(told["actions"].as_array().map(Vec::len), Some(2), "she can say that she calls");
    phones.titled("topic-son", "回电").await;
    assert!(home.anju.stop() < Duration::from_secs(2));
}
