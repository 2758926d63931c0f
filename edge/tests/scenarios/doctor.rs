//! `anju doctor`, beside a running daemon and without one.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Box_, Broker, Peer};

/// The verdicts of `anju doctor --json` by check and what they are about, and whether it left with
/// exit status 0.
fn examine(config: &Path, data: &Path) -> (bool, Vec<(String, Value)>, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_anju"))
        .args(["doctor", "--json", "--config"])
        .arg(config)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["ok"], done.status.success());
    assert!(matches!(done.status.code(), Some(0 | 1)));
    let mut found = Vec::new();
    for check in told["checks"].as_array().unwrap() {
        for finding in check["findings"].as_array().unwrap() {
            let name = check["check"].as_str().unwrap();
            let about = finding["about"].as_str().unwrap();
            found.push((format!("{name} {about}").trim_end().to_owned(), finding.clone()));
        }
    }
    (done.status.success(), found, text)
}

fn state<'f>(found: &'f [(String, Value)], about: &str) -> &'f str {
    let finding = found.iter().find(|(name, _)| name == about);
    finding.unwrap_or_else(|| panic!("{about} in {found:?}")).1["state"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_is_in_order_beside_a_daemon_and_leaves_that_alone() {
    let (zigbee, mut upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    std::fs::create_dir(anju.dir.path().join("wav")).unwrap();
    anju.start();
    centre.event("cn.anju.box.boot").await;
    let config = anju.dir.path().join("anju.toml");
    let (_, found, _) = examine(&config, &anju.data());
    for about in ["configuration", "disk", "daemon", "links zigbee", "upstream", "speaker"] {
        assert_eq!(state(&found, about), "ok", "{about}: {found:?}");
    }
    assert_eq!(state(&found, "kit fixed-alarm"), "ok");
    assert_eq!(state(&found, "kit motion"), "problem", "the test's home has none");
    assert_eq!(state(&found, "modem"), "not_applicable");
    let answer = centre.until(|got| got.topic.ends_with("/status")).await.json();
    assert_eq!(answer["state"], "online", "the box's own session is not disturbed");

    drop(centre);
    upstream.stop();
    drop(zigbee);
    anju.stop();
    let (sound, found, _) = examine(&config, &anju.data());
    assert!(!sound);
    assert_eq!(state(&found, "daemon"), "not_applicable");
    for about in ["links zigbee", "upstream"] {
        assert_eq!(state(&found, about), "problem", "{about}: {found:?}");
    }
}

#[test]
fn it_says_what_to_do_within_its_time_and_shows_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (config, token) = (dir.path().join("anju.toml"), dir.path().join("token"));
    std::fs::write(&token, "tk_very_secret").unwrap();
    // A broker that takes the connection and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let text = format!(
        "schema = 1\nbox.id = \"b\"\nfunny = 1\n[[contact]]\nid = \"a\"\nrole = \"family\"\n\
         ntfy_topic = \"secret-topic\"\n[channels.ntfy]\nurl = \"http://127.0.0.1:9\"\n\
         token_file = {token:?}\n[links.bus]\nkind = \"serial\"\npath = \"/dev/no-such-bus\"\n\
         [links.mute]\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         dialect = \"zigbee2mqtt\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let began = Instant::now();
    let (sound, found, text) = examine(&config, dir.path());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(!sound && !text.contains("tk_very_secret") && !text.contains("secret-topic"));
    let secrets = format!("secrets {}", token.display());
    for about in ["configuration", "links bus", "links mute", "channels ntfy", &secrets] {
        assert_eq!(state(&found, about), "problem", "{about}: {found:?}");
    }
    assert!(
        found.iter().all(|(_, f)| f["state"] != "problem" || f["mend"].as_str().unwrap() != "")
    );

    let (sound, found, _) = examine(&dir.path().join("absent.toml"), dir.path());
    assert!(!sound);
    assert_eq!(state(&found, "configuration"), "problem");
    assert_eq!(state(&found, "links"), "not_applicable");
}
