//! Names: spoken by a voice service of the Wyoming protocol (its own library stands on the other
//! side), recorded by the family, or left out.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anju_respond::prompts::PromptId;
use serde_json::json;

use crate::common::{DEADLINE, free_port};
use crate::home::Home;
use crate::satellites::python;
use crate::speech::builtin;

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
"#;

/// A running voice service, and what it was asked to say.
fn service() -> (Child, u16, BufReader<std::process::ChildStdout>) {
    let port = free_port();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/voice_service.py");
    let mut child = Command::new(python())
        .arg(script)
        .arg(format!("tcp://127.0.0.1:{port}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + DEADLINE;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "the service does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = BufReader::new(child.stdout.take().unwrap());
    (child, port, said)
}

fn samples(wav: &Path) -> Vec<i16> {
    let bytes = std::fs::read(wav).unwrap_or_default();
    let data = bytes.get(44..).unwrap_or_default();
    data.as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b)).collect()
}

/// Somebody presses, the daughter comes, and her name is said so, at the latest some presses later:
/// what was just recorded may still be on its way from the disk.
async fn until_named(home: &mut Home, fits: impl Fn(&[i16]) -> bool, what: &str) {
    let (first, last) = (builtin(PromptId::Accepted), builtin(PromptId::Minutes20));
    let folder = home.anju.dir.path().join("wav");
    let named = |path: &Path| {
        let heard = samples(path);
        let rest = heard.strip_prefix(&*first)?.strip_suffix(&*last)?.to_vec();
        Some(rest)
    };
    for number in 0..3 {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        home.say("zigbee2mqtt/sos", &json!({"action": "emergency", "linkquality": number})).await;
        let raised = home.find(|event| {
            event["type"] == "cn.anju.alert.raised" && event["data"]["rule"] == "help"
        });
        let id = raised.await["data"]["alert"].as_str().unwrap().to_owned();
        assert!(home.anju.anju(&["accept", &id, "--by", "daughter", "--minutes", "18"]).0);
        let deadline = Instant::now() + DEADLINE;
        let name = loop {
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            if let Some(name) = files.filter_map(|entry| named(&entry.path())).next() {
                break name;
            }
            assert!(Instant::now() < deadline, "nobody was named; wanted {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(home.anju.anju(&["close", &id, "--outcome", "real"]).0);
        home.find(|event| event["type"] == "cn.anju.alert.closed").await;
        if fits(&name) {
            return;
        }
    }
    panic!("not said: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_spoken_by_the_service_recorded_by_the_family_or_left_out() {
    let (mut child, port, mut said) = service();
    let mut home = Home::configured(ROWS, |config| {
        config.replacen("[speaker]\n", &format!("[speaker]\ntts = \"tcp://127.0.0.1:{port}\"\n"), 1)
    })
    .await;
    // It is asked beforehand, not when somebody comes.
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "女儿\n");
    let config = home.anju.dir.path().join("anju.toml").to_str().unwrap().to_owned();
    let (_, told) = home.anju.anju(&["doctor", "--config", &config]);
    assert!(told.contains("ok       speaker voice service: "), "{told}");
    let tone =
        |name: &[i16]| (19_150..=19_250).contains(&name.len()) && name.iter().any(|s| *s > 8000);
    until_named(&mut home, tone, "the tone of the service").await;

    // The family records it.
    let file = home.anju.dir.path().join("contact-daughter.ogg");
    let voice = anju_respond::prompts::ogg(PromptId::ComingVolunteer, anju_model::Language::En);
    std::fs::write(&file, voice).unwrap();
    let file = file.to_str().unwrap();
    let recordings = |home: &Home, arguments: &[&str]| {
        let all = [&["recordings"], arguments, &["--config", &config]].concat();
        home.anju.anju(&all)
    };
    let (added, told) = recordings(&home, &["add", file]);
    assert!(added && told.contains("从现在起使用"), "{told}");
    let kept = samples(&home.anju.data().join("voices/contact-daughter.wav"));
    assert!(kept.len() > 12_000);
    until_named(&mut home, |name| name == kept, "the recording").await;
    let (_, listed) = recordings(&home, &["list"]);
    assert_eq!(
        listed,
        "person-wang：王奶奶，未录音\ncontact-daughter：女儿，已录音\nroom-bedroom：卧室，未录音\n"
    );
    // Nobody else, and no silence, is taken.
    assert!(!recordings(&home, &["add", file, "--slot", "contact-stranger"]).0);
    let silent = home.anju.dir.path().join("person-wang.wav");
    std::fs::write(&silent, b"RIFF").unwrap();
    assert!(!recordings(&home, &["add", silent.to_str().unwrap()]).0);

    // Neither recording nor service: what they are to her, as ever.
    assert!(recordings(&home, &["remove", "contact-daughter"]).0);
    assert!(!recordings(&home, &["remove", "contact-daughter"]).0);
    child.kill().unwrap();
    child.wait().unwrap();
    home.anju.stop();
    home.anju.start();
    let family = builtin(PromptId::ComingFamily);
    until_named(&mut home, |name| name.ends_with(&family), "what she is to her").await;
}
