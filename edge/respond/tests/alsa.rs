//! The sound card's way, through the real ALSA library: its `file` plugin writes what a card would
//! get. The library reads its configuration from the environment once, so the speaker runs in a
//! child process of this test.
// Helpers of tests stand outside of test functions here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use anju_model::Language;
use anju_respond::life::{Announcement, Clip, Repeat, Urgency};
use anju_respond::out::speaker::{Repeats, Speaker, SpeakerEvent, SpeakerSettings};
use anju_respond::prompts::{self, PromptId};

const LIMIT: Duration = Duration::from_secs(20);

fn say(slot: &str, prompt: PromptId) -> Announcement {
    Announcement {
        slot: slot.into(),
        alert: None,
        urgency: Urgency::Critical,
        repeat: Repeat::Once,
        clips: vec![Clip::Prompt(prompt), Clip::Room("hall".parse().unwrap())],
    }
}

#[test]
#[ignore = "run in a child process by the test below"]
fn child_speaks() {
    let (tell, hear) = channel();
    let settings = SpeakerSettings {
        device: None,
        wav_dir: None,
        language: Language::ZhCn,
        repeats: Repeats::default(),
        paced: true,
    };
    let speaker = Speaker::start(settings, move |event| {
        let _ = tell.send(event);
    })
    .unwrap();
    speaker.say(say("a", PromptId::HelpPressed));
    let (slot, alert) = ("a".into(), None);
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), SpeakerEvent::Started { slot, alert });
    let (slot, alert) = ("a".into(), None);
    let whole = true;
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), SpeakerEvent::Finished { slot, alert, whole });
    speaker.stop();
}

fn plugins_are_there() -> bool {
    Path::new("/usr/share/alsa/alsa.conf").exists()
}

#[test]
fn the_card_gets_the_very_samples() {
    if !plugins_are_there() {
        assert!(std::env::var_os("CI").is_none(), "install libasound2-data");
        eprintln!("skipped: /usr/share/alsa/alsa.conf is missing; install libasound2-data");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("card.wav");
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asound.conf");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["child_speaks", "--exact", "--ignored", "--nocapture"])
        .env("ALSA_CONFIG_PATH", conf)
        .env("ANJU_WAV", &wav)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stdout));

    let bytes = std::fs::read(&wav).unwrap();
    let data = bytes.windows(4).position(|w| w == b"data").unwrap() + 8;
    let heard: Vec<i16> =
        bytes[data..].as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b)).collect();
    let sound = |id| prompts::decode(prompts::ogg(id, Language::ZhCn)).unwrap().samples;
    let mut expected = sound(PromptId::HelpPressed);
    expected.extend(sound(PromptId::RoomHall));
    let peak = heard.iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(peak > 3000, "silent: {peak}");
    // ALSA fills the last period with silence.
    let (voice, rest) = heard.split_at(expected.len());
    assert!(voice == expected, "{} and {} samples", heard.len(), expected.len());
    assert!(rest.len() < 24_000 && rest.iter().all(|s| *s == 0), "{} more", rest.len());
}
