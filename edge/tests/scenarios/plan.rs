//! What would happen at three in the morning, as the page, the interface for programs and the
//! command line tell it.

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::common::{Box_, Broker, DEADLINE, Peer};
use crate::page::get;
use crate::push_server::Server;

const CONTACTS: &str = r#"[[contact]]
id = "daughter"
name = "女儿"
role = "family"
ntfy_topic = "topic-daughter"
window = "60s"
minutes_away = 40
[[contact]]
id = "volunteer"
name = "志愿者"
role = "volunteer"
ntfy_topic = "topic-volunteer"
hours = "mon-sun 08:00-20:00"
[[contact]]
id = "neighbour"
name = "邻居"
role = "neighbour"
ntfy_topic = "topic-neighbour"
minutes_away = 5
[channels.ntfy]
url = "URL"
[links.zigbee]"#;

#[tokio::test(flavor = "multi_thread")]
async fn who_would_be_tried_at_night_is_told_with_each_ways_last_proof() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let server = Server::start().await;
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let old = "[[contact]]\nid = \"daughter\"\nname = \"女儿\"\nrole = \"family\"\n[links.zigbee]";
    anju.configure(|config| config.replace(old, &CONTACTS.replace("URL", &server.url())));

    // Without a daemon the configuration alone is told, in the household's language.
    let config = anju.dir.path().join("anju.toml").display().to_string();
    let alone = plan(&anju, &["--config", &config]);
    assert!(alone.contains("立刻  女儿（约40分钟路程）"), "{alone}");
    assert!(!alone.contains("志愿者"), "nobody who sleeps is tried: {alone}");

    anju.start();
    centre.event("cn.anju.box.boot").await;
    devices
        .publish_with("zigbee2mqtt/sos-button", true, "{\"battery\":90}".into(), Default::default())
        .await;
    centre.event("cn.anju.observation.battery").await;
    devices.publish("zigbee2mqtt/sos-button", "{\"action\":\"emergency\",\"linkquality\":1}").await;
    assert_eq!(server.next().await["topic"], "topic-daughter");
    centre.event("cn.anju.delivery.sent").await;

    // What is shown follows the journal by some milliseconds.
    let deadline = Instant::now() + DEADLINE;
    let told = loop {
        let told: Value = serde_json::from_str(&plan(&anju, &["--json"])).unwrap();
        if !told["tries"][0]["ways"][0]["proved"].is_null() {
            break told;
        }
        assert!(Instant::now() < deadline, "the delivery is no proof: {told}");
    };
    assert_eq!(
        (&told["at"], &told["rule"], &told["class"]),
        (&"03:00".into(), &"fall".into(), &"alarm".into())
    );
    let tries = told["tries"].as_array().unwrap();
    let who: Vec<(u64, &str)> = tries
        .iter()
        .map(|one| (one["after_seconds"].as_u64().unwrap(), one["contact"].as_str().unwrap()))
        .collect();
    assert_eq!(who, [(0, "daughter"), (60, "neighbour")]);
    assert!(tries[0]["ways"][0]["proved"]["seconds"].as_u64().unwrap() < 60, "{told}");
    assert_eq!(tries[1]["ways"][0]["proved"], Value::Null, "never reached yet");
    let by_day: Value =
        serde_json::from_str(&plan(&anju, &["--json", "--at", "10:00", "--rule", "smoke"]))
            .unwrap();
    assert!(by_day["tries"].as_array().unwrap().iter().all(|one| one["after_seconds"] == 0));
    assert_eq!(by_day["tries"].as_array().unwrap().len(), 3, "smoke: everybody at once");

    let (status, same) = get(anju.web, "/api/plan").unwrap();
    let same: Value = serde_json::from_str(&same).unwrap();
    assert_eq!((status, &same["tries"][0]["contact"]), (200, &"daughter".into()));
    assert_eq!(get(anju.web, "/api/plan?rule=nonsense").unwrap().0, 400);
    let (_, page) = get(anju.web, "/?lang=zh-CN&at=10:00&rule=smoke").unwrap();
    assert!(page.contains("志愿者") && page.contains("10:00"), "the page shows the same");
}

fn plan(anju: &Box_, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_anju"))
        .arg("plan")
        .args(arguments)
        .arg("--data")
        .arg(anju.data())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
