//! What is heard in the home, through the real ALSA library: its `file` plugin writes what a card
//! would get into a pipe, and the test listens at the other end.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anju_model::Language;
use anju_respond::prompts::{self, PromptId};

use crate::common::{Box_, Broker, DEADLINE, Peer};

/// Samples a second.
const RATE: usize = 24_000;

/// What comes out of the card, and when: a piece for each that the library writes.
pub fn listen(pipe: &Path) -> Receiver<(Instant, Vec<i16>)> {
    let (tell, hear) = channel();
    let pipe = pipe.to_owned();
    std::thread::spawn(move || {
        // Each utterance opens the card anew.
        while let Ok(mut card) = File::open(&pipe) {
            let mut piece = vec![0; 1 << 16];
            while let Ok(count @ 1..) = card.read(&mut piece) {
                let samples =
                    piece[..count].as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b));
                if tell.send((Instant::now(), samples.collect())).is_err() {
                    return;
                }
            }
            // An empty piece: the card was closed.
            let _ = tell.send((Instant::now(), Vec::new()));
        }
    });
    hear
}

/// The configuration of a card whose sound goes into a pipe.
fn card(folder: &Path) -> (std::path::PathBuf, Receiver<(Instant, Vec<i16>)>) {
    let (pipe, conf) = (folder.join("card"), folder.join("asound.conf"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = format!(
        "</usr/share/alsa/alsa.conf>\npcm.!default {{ type plug slave.pcm written }}\n\
         pcm.written {{ type file file {pipe:?} format raw slave.pcm nowhere }}\n\
         pcm.nowhere {{ type null }}\nctl.!default {{ type null }}\n"
    );
    std::fs::write(&conf, text).unwrap();
    let hear = listen(&pipe);
    (conf, hear)
}

/// Listens until the utterance has ended.
pub fn until_quiet(hear: &Receiver<(Instant, Vec<i16>)>) {
    while !hear.recv_timeout(DEADLINE).expect("an end").1.is_empty() {}
}

/// Listens until that prompt was heard whole.
pub fn until_heard(hear: &Receiver<(Instant, Vec<i16>)>, sound: &[i16], what: &str) {
    let mut heard: Vec<i16> = Vec::new();
    let deadline = Instant::now() + DEADLINE;
    let probe = &sound[sound.len() / 2..sound.len() / 2 + RATE / 10];
    while !heard.windows(probe.len()).any(|part| part == probe) {
        let left = deadline.saturating_duration_since(Instant::now());
        let (_, piece) = hear.recv_timeout(left).unwrap_or_else(|_| panic!("{what} is not heard"));
        heard.drain(..heard.len().saturating_sub(probe.len()));
        heard.extend(piece);
    }
}

pub fn builtin(id: PromptId) -> Vec<i16> {
    prompts::decode(prompts::ogg(id, Language::ZhCn)).unwrap().samples
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sound_comes_at_once_and_a_dialect_is_heard() {
    assert!(Path::new("/usr/share/alsa/alsa.conf").exists(), "install libasound2-data");
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/#"]).await;
    let devices = Peer::connect("devices", zigbee.port, &[]).await;
    let mut anju = Box_::new(zigbee.port, upstream.port);
    // Somebody recorded what is said of smoke, and their daughter's name.
    let pack = anju.dir.path().join("voices");
    std::fs::create_dir(&pack).unwrap();
    let record = |name: &str, as_if: PromptId| {
        std::fs::write(pack.join(name), prompts::ogg(as_if, Language::En)).unwrap();
    };
    record("smoke.ogg", PromptId::Gas);
    record("contact-daughter.ogg", PromptId::ComingVolunteer);
    anju.configure(|config| {
        let at = config.find("[speaker]\n").unwrap() + "[speaker]\n".len();
        format!("{}pack = {pack:?}\n{}", &config[..at], &config[at..])
    });
    let (conf, hear) = card(anju.dir.path());
    anju.start_with(|command| {
        command.env("ALSA_CONFIG_PATH", conf);
    });
    devices
        .publish_with(
            "zigbee2mqtt/smoke-kitchen",
            true,
            "{\"smoke\":false}".into(),
            Default::default(),
        )
        .await;
    centre.event("cn.anju.observation.smoke").await;

    let mut took = Vec::new();
    for number in 1..=7 {
        let began = Instant::now();
        let press = format!("{{\"action\":\"emergency\",\"linkquality\":{number}}}");
        devices.publish("zigbee2mqtt/sos-button", press).await;
        let first = loop {
            let (at, piece) = hear.recv_timeout(DEADLINE).expect("a sound");
            if piece.iter().any(|sample| sample.unsigned_abs() > 300) {
                break at;
            }
        };
        took.push(first.duration_since(began));
        let raised = centre.event("cn.anju.alert.raised").await;
        centre.event("cn.anju.alert.announced").await;
        let id = raised["data"]["alert"].as_str().unwrap();
        if number == 7 {
            assert!(anju.anju(&["accept", id, "--by", "daughter", "--minutes", "18"]).0);
            let name = prompts::decode(prompts::ogg(PromptId::ComingVolunteer, Language::En));
            until_heard(&hear, &builtin(PromptId::Accepted), "that somebody comes");
            until_heard(&hear, &name.unwrap().samples, "the recorded name");
            until_heard(&hear, &builtin(PromptId::Minutes20), "in how long");
        }
        assert!(anju.anju(&["close", id, "--outcome", "real"]).0);
        centre.event("cn.anju.alert.closed").await;
        // What is no call for help is said three decibels less loudly.
        let softly = |sample: i16| i16::try_from(i32::from(sample) * 71 / 100).unwrap();
        let over: Vec<i16> = builtin(PromptId::AlertClosed).into_iter().map(softly).collect();
        until_heard(&hear, &over, "that it is over");
        until_quiet(&hear);
    }
    took.sort();
    println!("press to first sound: {took:?}");
    // The others show how busy the machine is with other tests.
    assert!(took[0] < Duration::from_millis(150), "{took:?}");

    devices.publish("zigbee2mqtt/smoke-kitchen", "{\"smoke\":true}").await;
    let dialect = prompts::decode(prompts::ogg(PromptId::Gas, Language::En)).unwrap();
    until_heard(&hear, &dialect.samples, "the recording of the pack");
}
