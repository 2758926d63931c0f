//! The search for help under trouble, through the real daemon: each way failing in turn, all but one
//! at once, and a box that is killed in the middle of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{Box_, Broker, Peer};
use crate::mail_server::{self, Sink};
use crate::phone;
use crate::push_server::{Mood, Server};
use crate::robots::{self, Robot};

/// By when an alert is there over the ways that are left.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

const WAYS: [&str; 4] = ["ntfy", "wecom", "dingtalk", "mail"];

const OLD: &str =
    "[[contact]]\nid = \"daughter\"\nname = \"女儿\"\nrole = \"family\"\n[links.zigbee]";

/// The far sides of one home's four ways.
struct FarSides {
    push: Server,
    wecom: Robot,
    dingtalk: Robot,
    mail: Sink,
}

impl FarSides {
    async fn start(dead: &BTreeSet<&str>) -> Self {
        let hangs = dead.contains("mail");
        let mood = if hangs { mail_server::Mood::Hangs } else { mail_server::Mood::Fine };
        let far = Self {
            push: Server::start().await,
            wecom: Robot::start().await,
            dingtalk: Robot::start().await,
            mail: Sink::start(mood).await,
        };
        for (way, robot) in [("wecom", &far.wecom), ("dingtalk", &far.dingtalk)] {
            if dead.contains(way) {
                robot.mood(robots::Mood::Answers(500));
            }
        }
        far
    }

    /// The household's contact and channels; a push server that is dead has no address.
    fn configuration(&self, folder: &std::path::Path, push_is_dead: bool) -> String {
        let secret = |name: &str, secret: &str| {
            let path = folder.join(name);
            std::fs::write(&path, secret).unwrap();
            path.display().to_string()
        };
        let push = if push_is_dead { "http://push.invalid".to_owned() } else { self.push.url() };
        format!(
            "[[contact]]\nid = \"daughter\"\nname = \"女儿\"\nrole = \"family\"\n\
             window = \"10m\"\nntfy_topic = \"topic-daughter\"\nmail = \"daughter@example.com\"\n\
             channels = {WAYS:?}\n[channels.ntfy]\nurl = \"{push}\"\n\
             [channels.wecom]\nurl = \"http://{}/cgi-bin/webhook/send\"\nkey_file = \"{}\"\n\
             [channels.dingtalk]\nurl = \"http://{}/robot/send\"\ntoken_file = \"{}\"\n\
             secret_file = \"{}\"\n\
             [channels.mail]\nurl = \"smtp://localhost:{}\"\nfrom = \"box@example.com\"\n\
             username = \"box\"\npassword_file = \"{}\"\nca = \"{}\"\n[links.zigbee]",
            self.wecom.address,
            secret("wecom.key", "k-secret"),
            self.dingtalk.address,
            secret("dingtalk.token", "t-secret"),
            secret("dingtalk.secret", "SECsecret"),
            self.mail.starttls.port(),
            secret("password", "p-secret"),
            secret("ca.pem", &self.mail.ca),
        )
    }

    /// The next message over a way.
    async fn next(&mut self, way: &str) -> String {
        match way {
            "ntfy" => self.push.next().await.to_string(),
            "wecom" => self.wecom.next().await.to_string(),
            "dingtalk" => self.dingtalk.next().await.to_string(),
            _ => self.mail.next().await.0,
        }
    }
}

/// Why each way fails here.
fn reason(way: &str) -> &'static str {
    match way {
        "ntfy" => "can not be reached",
        "wecom" | "dingtalk" => "500",
        _ => "mail server",
    }
}

/// One home some of whose ways are dead. Gives how long the last of the others took.
async fn alarm_with(dead: &[&'static str]) -> Duration {
    let dead: BTreeSet<&str> = dead.iter().copied().collect();
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut far = FarSides::start(&dead).await;
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let folder = anju.dir.path().to_owned();
    let contacts = far.configuration(&folder, dead.contains("ntfy"));
    anju.configure(|config| config.replace(OLD, &contacts));
    anju.start();
    let closed = || json!({"contact": false}).to_string();
    devices
        .publish_with("zigbee2mqtt/0x00158d0001e52fbb", true, closed(), Default::default())
        .await;
    centre.event("cn.anju.observation.contact").await;

    let began = Instant::now();
    devices.publish("zigbee2mqtt/sos-button", "{\"action\":\"emergency\",\"linkquality\":1}").await;
    for way in WAYS.iter().filter(|way| !dead.contains(*way)) {
        far.next(way).await;
    }
    let took = began.elapsed();
    for way in &dead {
        let failed =
            anju.until_recorded("cn.anju.delivery.failed", |data| data["channel"] == *way).await;
        let why = failed["detail"].as_str().unwrap();
        assert!(why.contains(reason(way)), "{way}: {why}");
        let again = |data: &serde_json::Value| data["channel"] == *way && data["attempt"] != 1;
        // A server that hangs is given its time before it is tried again.
        if *way != "mail" {
            anju.until_recorded("cn.anju.delivery.failed", again).await;
        }
    }
    for way in WAYS.iter().filter(|way| !dead.contains(*way)) {
        let failed = anju.recorded("cn.anju.delivery.failed");
        assert!(failed.iter().all(|data| data["channel"] != **way), "{failed:?}");
    }

    // What is mended gets the very letter that waited.
    far.wecom.mood(robots::Mood::Fine);
    far.dingtalk.mood(robots::Mood::Fine);
    if dead.contains("mail") {
        far.mail = Sink::start(mail_server::Mood::Fine).await;
    }
    let mended = far.configuration(&folder, false);
    anju.configure(|config| config.replace(&contacts, &mended));
    anju.reload();
    for way in &dead {
        far.next(way).await;
        let sent =
            anju.until_recorded("cn.anju.delivery.sent", |data| data["channel"] == *way).await;
        assert!(sent["attempt"].as_u64().unwrap() > 1, "{sent}");
    }
    assert!(anju.stop() < Duration::from_secs(2));
    took
}

/// Several homes at once; the alert arrives in time by whatever is left in each.
async fn alarms_with(homes: Vec<Vec<&'static str>>) {
    let homes: Vec<_> = homes
        .into_iter()
        .map(|dead| tokio::spawn(async move { (alarm_with(&dead).await, dead) }))
        .collect();
    for home in homes {
        let (took, dead) = home.await.unwrap();
        println!("with {dead:?} dead the last of the others took {took:?}");
        assert!(took < ARRIVES_WITHIN, "{dead:?}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alert_arrives_in_time_by_the_ways_that_are_left() {
    // Each in turn, then all but one at once.
    alarms_with(WAYS.iter().map(|way| vec![*way]).collect()).await;
    let but = |left: &str| WAYS.iter().copied().filter(|way| *way != left).collect();
    alarms_with(WAYS.iter().map(|left| but(left)).collect()).await;
}

const STEPS: &str = r#"[[contact]]
id = "daughter"
name = "女儿"
role = "family"
channels = ["ntfy"]
ntfy_topic = "topic-daughter"
window = "20s"
step = 1
[[contact]]
id = "son"
name = "儿子"
role = "family"
channels = ["ntfy"]
ntfy_topic = "topic-son"
window = "20s"
step = 1
[[contact]]
id = "neighbour"
name = "邻居"
role = "neighbour"
channels = ["ntfy"]
ntfy_topic = "topic-neighbour"
window = "10m"
step = 2
[channels.ntfy]
url = "NTFY"
[links.zigbee]"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_is_killed_in_the_middle_repeats_nobody_and_skips_nobody() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let server = Server::start().await;
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    anju.configure(|config| config.replace(OLD, &STEPS.replace("NTFY", &server.url())));
    anju.start();
    devices
        .publish_with(
            "zigbee2mqtt/0x00158d0001e52fbb",
            true,
            json!({"contact": false}).to_string(),
            Default::default(),
        )
        .await;
    centre.event("cn.anju.observation.contact").await;

    // The daughter has her message, the son's does not get through, and then the box dies.
    server.mood(Mood::HangsFor("topic-son".into()));
    devices.publish("zigbee2mqtt/sos-button", "{\"action\":\"emergency\",\"linkquality\":1}").await;
    assert_eq!(server.next().await["topic"], "topic-daughter");
    let sent = centre.event("cn.anju.delivery.sent").await;
    assert_eq!(sent["data"]["contact"], "daughter");
    anju.kill();
    server.mood(Mood::Fine);
    anju.start();
    assert_eq!(server.next().await["topic"], "topic-son", "he is not skipped, she not repeated");

    // It dies again between the steps: the next contact is tried when their time has come.
    anju.until_recorded("cn.anju.delivery.sent", |data| data["contact"] == "son").await;
    centre
        .until(|got| {
            String::from_utf8_lossy(&got.payload).contains("\"contact\":\"son\"")
                && String::from_utf8_lossy(&got.payload).contains("delivery.sent")
        })
        .await;
    anju.kill();
    anju.start();
    let call = server.next().await;
    assert_eq!(call["topic"], "topic-neighbour");
    phone::press(&call, "我来了").await;
    let accepted = centre.event("cn.anju.alert.accepted").await;
    assert_eq!(accepted["data"]["by"], "neighbour");
    // The others are told that somebody comes, and the neighbour that it was heard.
    let told: BTreeSet<String> = [server.next().await, server.next().await, server.next().await]
        .map(|message| format!("{} {}", message["topic"], message["title"]))
        .into();
    assert!(told.iter().all(|told| !told.contains("安居告警")), "{told:?}");

    // Once more, after somebody accepted: nobody is called by the start.
    let calls = |anju: &Box_| -> Vec<(String, u64)> {
        let who = |data: serde_json::Value| {
            (data["contact"].as_str().unwrap().to_owned(), data["round"].as_u64().unwrap())
        };
        anju.recorded("cn.anju.alert.contacted").into_iter().map(who).collect()
    };
    let expected = ["daughter", "son", "neighbour"].map(|who| (who.to_owned(), 1));
    assert_eq!(calls(&anju), expected);
    anju.kill();
    anju.start();
    anju.until_recorded("cn.anju.box.boot", |_| anju.recorded("cn.anju.box.boot").len() == 4).await;
    assert_eq!(calls(&anju), expected);
    assert_eq!(anju.recorded("cn.anju.alert.accepted").len(), 1);
}
