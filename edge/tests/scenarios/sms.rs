//! Text messages from the press to the network and back, through the real ModemManager with a
//! simulated modem behind it, and what happens when either is gone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Box_, Broker, DEADLINE, Peer};
use crate::modem_lab::Lab;
use crate::push_server::Server;

const DAUGHTER: &str = "+8613800000000";
const NEIGHBOUR: &str = "+8613900000000";

fn contacts(url: &str) -> String {
    format!(
        r#"[[contact]]
id = "daughter"
name = "女儿"
role = "family"
phone = "{DAUGHTER}"
channels = ["sms", "ntfy"]
ntfy_topic = "topic-daughter"
[[contact]]
id = "neighbour"
name = "李阿姨"
role = "neighbour"
phone = "{NEIGHBOUR}"
channels = ["sms"]
step = 2
[channels.ntfy]
url = "{url}"
[links.zigbee]"#
    )
}

/// A home with a modem, and a server for push messages.
pub struct Home {
    devices: Peer,
    centre: Peer,
    pub anju: Box_,
    pub lab: Lab,
    pub push: Server,
    number: u32,
    _brokers: (Broker, Broker),
}

impl Home {
    /// A home whose modem and ModemManager are as `lab` has them.
    async fn start(lab: Lab) -> Self {
        Self::with(lab, |_, url| contacts(url)).await
    }

    /// A home with these contacts and channels; they are told the box and where the push server is.
    pub async fn with(lab: Lab, contacts: impl FnOnce(&Box_, &str) -> String) -> Self {
        let (zigbee, upstream) = (Broker::start(), Broker::start());
        let push = Server::start().await;
        let centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
        let devices = Peer::connect("devices", zigbee.port, &[]).await;
        let anju = Box_::new(zigbee.port, upstream.port);
        let old =
            "[[contact]]\nid = \"daughter\"\nname = \"女儿\"\nrole = \"family\"\n[links.zigbee]";
        let rows = contacts(&anju, &push.url());
        anju.configure(|config| {
            assert!(config.contains(old));
            config.replace(old, &rows)
        });
        let _brokers = (zigbee, upstream);
        let mut home = Self { devices, centre, anju, lab, push, number: 0, _brokers };
        home.begin().await;
        home
    }

    /// Starts the box, and waits until it hears its devices.
    async fn begin(&mut self) {
        let bus = self.lab.address.clone();
        self.anju.start_with(|command| {
            command.env("DBUS_SYSTEM_BUS_ADDRESS", bus);
        });
        self.number += 1;
        let contact = json!({"contact": self.number.is_multiple_of(2)}).to_string();
        let topic = "zigbee2mqtt/0x00158d0001e52fbb";
        self.devices.publish_with(topic, true, contact, Default::default()).await;
        self.centre.event("cn.anju.observation.contact").await;
    }

    pub async fn press(&mut self, action: &str) {
        self.number += 1;
        let payload = json!({"action": action, "linkquality": self.number}).to_string();
        self.devices.publish("zigbee2mqtt/sos-button", payload).await;
    }

    /// The next event of a type whose data fit.
    pub async fn told(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let event = self.centre.until(|got| {
            serde_json::from_slice::<Value>(&got.payload)
                .is_ok_and(|json| json["type"] == kind && fits(&json["data"]))
        });
        event.await.json()["data"].clone()
    }

    /// The next text with a word in it.
    pub async fn text(&mut self, word: &str) -> Value {
        loop {
            let text = self.lab.event("sent").await;
            if text["text"].as_str().unwrap().contains(word) {
                return text;
            }
        }
    }

    pub async fn delivery(&mut self, state: &str, contact: &str, channel: &str) -> Value {
        let kind = format!("cn.anju.delivery.{state}");
        self.told(&kind, |data| data["contact"] == contact && data["channel"] == channel).await
    }

    /// The next text to the daughter about an alert: that the way was broken is told too.
    async fn sent_of(&mut self, alert: &Value) -> Value {
        let fits = |data: &Value| data["alert"] == *alert && data["channel"] == "sms";
        self.told("cn.anju.delivery.sent", |data| fits(data) && data["contact"] == "daughter").await
    }

    /// Closes the alert of a delivery, and waits until that was told.
    async fn close(&mut self, told: &Value) {
        let alert = told["alert"].as_str().unwrap();
        assert!(self.anju.anju(&["close", alert, "--outcome", "real"]).0);
        self.told("cn.anju.alert.closed", |data| data["alert"] == alert).await;
        self.sent_of(&told["alert"]).await;
    }

    pub async fn modem_works(&mut self) {
        self.told("cn.anju.box.modem", |data| data["sim"].is_string()).await;
    }

    fn sent(&self, contact: &str) -> usize {
        let sent = self.anju.recorded("cn.anju.delivery.sent");
        sent.iter().filter(|d| d["contact"] == contact && d["channel"] == "sms").count()
    }
}

pub async fn with_modem() -> Lab {
    let mut lab = Lab::new();
    lab.start_manager();
    lab.plug_in().await;
    lab
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_a_text_at_once_and_its_answers_count() {
    let mut home = Home::start(with_modem().await).await;
    home.modem_works().await;
    let mut took = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        home.press("emergency").await;
        let text = home.text("安居告警").await;
        took.push(began.elapsed());
        assert_eq!(text["number"], DAUGHTER);
        let words = text["text"].as_str().unwrap();
        assert!(words.starts_with("安居告警") && words.contains("回复1"), "{words}");
        assert!(!words.contains("王奶奶"), "names stay at home: {words}");
        home.delivery("sent", "daughter", "sms").await;

        // Neither a stranger nor other words are an answer.
        home.lab.order("text +8613700000000 1").await;
        home.lab.order(&format!("text {DAUGHTER} 12点来")).await;
        home.lab.order(&format!("text {} 1", DAUGHTER.trim_start_matches("+86"))).await;
        let accepted = home.told("cn.anju.alert.accepted", |_| true).await;
        assert_eq!((&accepted["by"], &accepted["via"]), (&json!("daughter"), &json!("sms")));
        home.delivery("answered", "daughter", "sms").await;
        home.text("已收到").await;
        home.lab.order(&format!("text {DAUGHTER} 2")).await;
        home.told("cn.anju.alert.arrived", |data| data["by"] == "daughter").await;
        let alert = accepted["alert"].as_str().unwrap();
        assert!(home.anju.anju(&["close", alert, "--outcome", "real"]).0);
        home.text("已结束").await;
    }
    took.sort();
    println!("press to the text in the modem: {took:?}");

    // Another card is told of: what the first one proved, it has not.
    home.lab.kill_manager();
    home.lab.pull_out();
    home.lab.start_manager();
    home.lab.plug_in_with("8986000000000000002").await;
    home.told("cn.anju.box.modem", |data| data["sim"] == "8986000000000000002").await;
    // The others show how busy the machine is with other tests.
    assert!(took[0] < Duration::from_millis(300), "{took:?}");
    assert!(home.anju.stop() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_modem_the_alert_goes_the_other_way_and_the_text_follows() {
    let mut home = Home::start(Lab::new()).await;
    let began = Instant::now();
    home.press("emergency").await;
    home.push.next().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let failed = home.delivery("failed", "daughter", "sms").await;
    let why = failed["detail"].as_str().unwrap();
    assert!(why.contains("ModemManager can not be reached"), "{why}");
    home.told("cn.anju.box.fault", |data| data["part"] == "channel:sms").await;

    // A modem without a card.
    home.lab.start_manager();
    home.lab.plug_in_with("none").await;
    home.told("cn.anju.delivery.failed", |data| {
        data["channel"] == "sms" && data["detail"].as_str().is_some_and(|why| why.contains("SIM"))
    })
    .await;
    // With one, what waited leaves.
    home.lab.kill_manager();
    home.lab.pull_out();
    home.lab.start_manager();
    home.lab.plug_in().await;
    assert_eq!(home.lab.event("sent").await["number"], DAUGHTER);
    let sent = home.sent_of(&failed["alert"]).await;
    assert!(sent["attempt"].as_u64().unwrap() > 1, "{sent}");

    // A network that refuses is told and tried again.
    home.close(&sent).await;
    home.lab.order("refuse").await;
    home.press("emergency").await;
    let help = home.told("cn.anju.alert.raised", |data| data["rule"] == "help").await;
    let refused = home
        .told("cn.anju.delivery.failed", |data| {
            data["alert"] == help["alert"] && data["channel"] == "sms"
        })
        .await;
    assert!(refused["detail"].as_str().unwrap().contains("refused"), "{refused}");
    home.lab.order("allow").await;
    let sent = home.sent_of(&help["alert"]).await;
    home.close(&sent).await;

    // One that says nothing holds up neither the other way nor a stop.
    home.lab.order("hang").await;
    while tokio::time::timeout(Duration::from_millis(1), home.push.next()).await.is_ok() {}
    let began = Instant::now();
    home.press("emergency").await;
    home.push.next().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    home.lab.event("hung").await;
    assert!(home.anju.stop() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_repeats_no_text_and_loses_no_answer() {
    let mut home = Home::start(with_modem().await).await;
    home.modem_works().await;
    home.press("emergency").await;
    home.text("安居告警").await;
    home.delivery("sent", "daughter", "sms").await;
    assert_eq!(home.sent("daughter"), 1);
    home.anju.kill();
    // She answers while the box is down; the modem keeps it.
    home.lab.order(&format!("text {DAUGHTER} 1")).await;
    home.lab.event("arrived").await;
    home.begin().await;
    home.anju.until_recorded("cn.anju.alert.accepted", |data| data["by"] == "daughter").await;
    let thanks = home.lab.event("sent").await;
    assert!(thanks["text"].as_str().unwrap().contains("已收到"), "no call again: {thanks}");

    // Accepted is accepted, also after a restart in the middle of the neighbour's turn.
    home.anju.kill();
    home.begin().await;
    home.modem_works().await;
    assert!(home.lab.there("sent").is_empty());
    assert_eq!(home.anju.recorded("cn.anju.alert.accepted").len(), 1);
}

/// Kills the box at some moment while it sends texts to many; afterwards no more than one text is
/// out of which the journal does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_texts_leave_repeats_one_at_most() {
    let mut home = Home::start(with_modem().await).await;
    home.modem_works().await;
    // Smoke is told to all at once.
    for pause in [0, 20, 60, 150] {
        let smoke = "zigbee2mqtt/smoke-kitchen";
        home.devices
            .publish(smoke, json!({"smoke": false, "linkquality": pause}).to_string())
            .await;
        home.told("cn.anju.observation.smoke", |_| true).await;
        home.devices.publish(smoke, r#"{"smoke":true}"#).await;
        home.text("安居告警").await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        home.anju.kill();
        home.begin().await;
        let raised = home.anju.recorded("cn.anju.alert.raised");
        let smoke = raised.iter().rfind(|data| data["rule"] == "smoke").unwrap();
        let alert = smoke["alert"].as_str().unwrap().to_owned();
        let deadline = Instant::now() + DEADLINE;
        let journal = loop {
            let sent = home.anju.recorded("cn.anju.delivery.sent");
            let of = |contact: &str| {
                let to = sent.iter().filter(|d| d["alert"] == alert.as_str());
                to.filter(|d| d["contact"] == contact && d["channel"] == "sms").count()
            };
            let counts = [of("daughter"), of("neighbour")];
            if counts.iter().all(|count| *count > 0) {
                break counts;
            }
            assert!(Instant::now() < deadline, "both are told at last");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(journal, [1, 1], "what the journal knows of is not repeated");
        let call = |text: &Value| text["text"].as_str().unwrap().starts_with("安居告警");
        let out = 1 + home.lab.there("sent").into_iter().filter(call).count();
        assert!((2..=3).contains(&out), "{out} texts left, killed after {pause} ms");
        assert!(home.anju.anju(&["close", &alert, "--outcome", "real"]).0);
        for _ in 0..2 {
            home.text("已结束").await;
        }
    }
}
