//! Speakers in other rooms: the real Wyoming satellite (rhasspy/wyoming-satellite, an independent
//! program) whose sound goes into a pipe, beside one that hangs and one that is off.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anju_respond::prompts::PromptId;
use serde_json::{Value, json};

use crate::common::{DEADLINE, free_port};
use crate::home::Home;
use crate::speech::{builtin, listen, until_heard, until_quiet};

/// The environment of the independent peers.
pub fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(python.exists(), "{}: run `make python`", python.display());
    python
}

/// A running satellite.
struct Satellite {
    child: Child,
    port: u16,
    sound: Receiver<(Instant, Vec<i16>)>,
}

impl Satellite {
    fn start(folder: &Path) -> Self {
        let pipe = folder.join("satellite");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let sound = listen(&pipe);
        let port = free_port();
        // It hears nothing and says what it is sent, at the rate of the box's prompts.
        let child = Command::new(python())
            .args(["-m", "wyoming_satellite", "--no-zeroconf", "--mic-command", "sleep 3600"])
            .args(["--uri", &format!("tcp://127.0.0.1:{port}"), "--snd-command-rate", "24000"])
            .args(["--snd-command", &format!("sh -c 'exec cat > {}'", pipe.display())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + DEADLINE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the satellite does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, sound }
    }
}

impl Drop for Satellite {
    fn drop(&mut self) {
        // Its programs end with their pipes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const ROWS: &str = r#"
[links.zigbee]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
dialect = "zigbee2mqtt"
[[device]]
id = "sos"
kind = "fixed-alarm"
room = "bedroom"
link = "zigbee"
address = "sos"
[[speaker.satellite]]
id = "hall"
room = "hall"
url = "tcp://127.0.0.1:HALL"
[[speaker.satellite]]
id = "hanging"
url = "tcp://127.0.0.1:HANGING"
[[speaker.satellite]]
id = "off"
url = "tcp://127.0.0.1:OFF"
"#;

fn is(event: &Value, kind: &str, field: &str, value: &str) -> bool {
    event["type"] == kind && event["data"][field] == value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_is_heard_in_other_rooms_whatever_becomes_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let satellite = Satellite::start(folder.path());
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let rows = ROWS
        .replace("HALL", &satellite.port.to_string())
        .replace("HANGING", &hanging.local_addr().unwrap().port().to_string())
        .replace("OFF", &free_port().to_string());
    let mut home = Home::start(&rows).await;
    home.find(|event| event["type"] == "cn.anju.box.boot").await;
    let mut took = Vec::new();
    for number in 1..=5 {
        let began = Instant::now();
        home.say("zigbee2mqtt/sos", &json!({"action": "emergency", "linkquality": number})).await;
        let mut heard = Vec::new();
        let first = loop {
            let (at, piece) = satellite.sound.recv_timeout(DEADLINE).expect("a sound");
            heard.extend_from_slice(&piece);
            if piece.iter().any(|sample| sample.unsigned_abs() > 300) {
                break at;
            }
        };
        took.push(first.duration_since(began));
        if number == 1 {
            // The sentence as it was recorded, to its last sample.
            let mut sentence = builtin(PromptId::HelpPressed);
            sentence.extend(builtin(PromptId::CancelHint));
            while heard.len() < sentence.len() {
                let (_, piece) = satellite.sound.recv_timeout(DEADLINE).expect("more sound");
                heard.extend_from_slice(&piece);
            }
            let peak = heard.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!(peak > 3000, "silent: {peak}");
            assert!(heard[..sentence.len()] == sentence, "not the sentence");
        }
        let raised = home.find(|event| is(event, "cn.anju.alert.raised", "rule", "help")).await;
        for by in ["speaker", "satellite-hall"] {
            home.find(|event| {
                is(event, "cn.anju.alert.announced", "by", by)
                    && event["data"]["alert"] == raised["data"]["alert"]
            })
            .await;
        }
        let id = raised["data"]["alert"].as_str().unwrap().to_owned();
        assert!(home.anju.anju(&["accept", &id, "--by", "daughter"]).0);
        until_heard(&satellite.sound, &builtin(PromptId::Accepted), "that somebody comes");
        assert!(home.anju.anju(&["close", &id, "--outcome", "real"]).0);
        home.find(|event| is(event, "cn.anju.alert.closed", "alert", &id)).await;
        until_quiet(&satellite.sound);
        while satellite.sound.try_recv().is_ok() {}
    }
    took.sort();
    println!("press to first sound in another room: {took:?}");
    // The others show how busy the machine is with other tests.
    assert!(took[0] < Duration::from_millis(300), "{took:?}");
    for (part, why) in [("hanging", "does not say who it is"), ("off", "can not be reached")] {
        let part = format!("channel:satellite-{part}");
        let fault = home.find(|event| is(event, "cn.anju.box.fault", "part", &part)).await;
        assert!(fault["data"]["reason"].as_str().unwrap().contains(why), "{fault}");
    }
    let config = home.anju.dir.path().join("anju.toml");
    let (_, told) = home.anju.anju(&["doctor", "--config", config.to_str().unwrap()]);
    let line = |name: &str| {
        let about = format!("speaker satellite {name}:");
        told.lines().find(|line| line.contains(&about)).unwrap_or_else(|| panic!("{told}"))
    };
    assert!(line("hall").contains("10 ok"), "{told}");
    assert!(line("hanging").contains("PROBLEM") && line("off").contains("PROBLEM"), "{told}");
}
