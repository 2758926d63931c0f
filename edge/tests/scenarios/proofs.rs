//! Making sure of the ways to people, through the real daemon: without waking anybody, and with a
//! test that asks its human to answer. What was proved is still known after a restart.

use serde_json::Value;

use crate::common::{Box_, Broker, Peer};
use crate::page::{get, until};
use crate::push_server::{Mood, Server};
use crate::robots::Robot;
use crate::{phone, robots};

const CONTACTS: &str = r#"[[contact]]
id = "daughter"
name = "女儿"
role = "family"
ntfy_topic = "topic-daughter"
[[contact]]
id = "group"
name = "社区群"
role = "community"
channels = ["wecom", "centre"]
[channels.ntfy]
url = "NTFY"
[channels.wecom]
url = "http://ROBOT/cgi-bin/webhook/send"
key_file = "KEY"
[links.zigbee]"#;

/// The results of `anju prove` by channel.
fn prove(anju: &Box_) -> (bool, Vec<(String, String)>) {
    let (good, told) = anju.anju(&["prove", "--json"]);
    let ways = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |way: &Value, key: &str| way[key].as_str().unwrap().to_owned();
    (good, ways.map(|way| (text(&way, "channel"), text(&way, "result"))).collect())
}

/// Waits until the page shows the ways so.
fn shown(anju: &Box_, fits: impl Fn(&Value) -> bool) {
    let fits = |_: u16, ways: &str| serde_json::from_str(ways).is_ok_and(|ways| fits(&ways));
    until(anju.web, "/api/channels", fits);
}

fn way<'v>(ways: &'v Value, name: &str) -> &'v Value {
    ways.as_array().unwrap().iter().find(|way| way["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_are_proved_quietly_and_with_their_humans_and_that_is_kept() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let (server, robot) = (Server::start().await, Robot::start().await);
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let key = anju.dir.path().join("wecom.key");
    std::fs::write(&key, "k-secret").unwrap();
    let old = "[[contact]]\nid = \"daughter\"\nname = \"女儿\"\nrole = \"family\"\n[links.zigbee]";
    anju.configure(|config| {
        let contacts = CONTACTS
            .replace("NTFY", &server.url())
            .replace("ROBOT", &robot.address.to_string())
            .replace("KEY", &key.display().to_string());
        config.replace(old, &contacts)
    });
    anju.start();
    centre.event("cn.anju.box.network").await;

    let named = |ways: &[(&str, &str)]| -> Vec<(String, String)> {
        ways.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    let all = named(&[("ntfy", "proved"), ("wecom", "proved"), ("centre", "proved")]);
    assert_eq!(prove(&anju), (true, all));
    for _ in 0..3 {
        let proof = centre.event("cn.anju.box.proof").await;
        assert_eq!(
            (&proof["data"]["how"], &proof["data"]["result"]),
            (&"quiet".into(), &"proved".into())
        );
    }

    // What fails is told at once to who asked, is a fault, and is seen on the page and in figures.
    std::fs::write(&key, "wrong").unwrap();
    server.mood(Mood::Answers(503));
    let some = named(&[("ntfy", "failed"), ("wecom", "failed"), ("centre", "proved")]);
    assert_eq!(prove(&anju), (false, some));
    let broken = centre
        .until(|got| String::from_utf8_lossy(&got.payload).contains("channel:wecom-proof"))
        .await
        .json();
    assert_eq!(broken["data"]["active"], true);
    assert!(broken["data"]["reason"].as_str().unwrap().contains("93000"), "{broken}");
    shown(&anju, |ways| {
        way(ways, "wecom")["failing"].as_str().is_some_and(|why| why.contains("93000"))
    });
    let (_, figures) = get(anju.web, "/metrics").unwrap();
    assert!(
        figures.contains("anju_channel_failing{channel=\"wecom\",contact=\"社区群\"} 1"),
        "{figures}"
    );
    let (_, journal) = anju.anju(&["journal", "export"]);
    let fault = journal.lines().find(|l| l.contains("alert.raised") && l.contains("\"channel\""));
    assert!(fault.is_some(), "a fault that is told by day: {journal}");
    std::fs::write(&key, "k-secret").unwrap();
    server.mood(Mood::Fine);
    assert!(prove(&anju).0);
    shown(&anju, |ways| way(ways, "wecom")["failing"].is_null());

    // The human is asked: announced as a test, with one button.
    assert!(anju.anju(&["prove", "daughter"]).0);
    assert!(!anju.anju(&["prove", "nobody"]).0);
    let test = loop {
        // By day, the fault of before is told too.
        let message = server.next().await;
        if message["title"].as_str().unwrap().contains("测试") {
            break message;
        }
    };
    assert_eq!(test["actions"].as_array().map(Vec::len), Some(1), "{test}");
    phone::press(&test, "收到").await;
    loop {
        let proof = centre.event("cn.anju.box.proof").await;
        if proof["data"]["how"] == "human" && proof["data"]["result"] == "proved" {
            assert_eq!(
                (&proof["data"]["contact"], &proof["data"]["channel"]),
                (&"daughter".into(), &"ntfy".into())
            );
            break;
        }
    }
    loop {
        let message = server.next().await;
        if message["title"].as_str().unwrap().contains("测试成功") {
            break;
        }
    }
    robot.mood(robots::Mood::Fine);

    // A box that was killed still knows, from what was recorded.
    let sure = |ways: &Value| {
        let (ntfy, wecom) = (way(ways, "ntfy"), way(ways, "wecom"));
        [&ntfy["proved"], &ntfy["checked"], &ntfy["answered"], &wecom["checked"]]
            .map(|ago| !ago.is_null())
    };
    shown(&anju, |ways| sure(ways) == [true; 4]);
    assert!(anju.stop() < std::time::Duration::from_secs(2));
    anju.start();
    centre.event("cn.anju.box.boot").await;
    centre.event("cn.anju.box.network").await;
    shown(&anju, |ways| sure(ways) == [true; 4]);
    let (_, plan) = anju.anju(&["plan", "--json"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert!(plan["tries"][0]["ways"][0]["checked"]["seconds"].is_u64(), "{plan}");
}
