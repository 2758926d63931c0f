//! The sound card's way, through the real ALSA library: its `file` plugin writes what a card would
//! get. The library reads its configuration from the environment once, so the speaker runs in a
//! child process of this test.
// Helpers of tests stand outside of test functions here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anju_model::Language;
use anju_respond::life::{Announcement, Clip, Repeat, Urgency};
use anju_respond::out::speaker::{
    Checks, LocalSettings, OutletSettings, Repeats, Speaker, SpeakerEvent, SpeakerSettings,
    VoiceSettings, Voices,
};
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

fn card() -> SpeakerSettings {
    let checks = Checks::default();
    let local = LocalSettings { device: None, wav_dir: None, paced: true, checks };
    SpeakerSettings { outlet: OutletSettings::Local(local), repeats: Repeats::default() }
}

fn voices() -> Voices {
    Voices::new(&VoiceSettings::plain(Language::ZhCn), None)
}

#[test]
#[ignore = "run in a child process by the test below"]
fn child_speaks() {
    let (tell, hear) = channel();
    let speaker = Speaker::start(card(), voices(), move |event| {
        let _ = tell.send(event);
    })
    .unwrap();
    let begin = Instant::now();
    speaker.say(say("a", PromptId::HelpPressed));
    let (slot, alert) = ("a".into(), None);
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), SpeakerEvent::Started { slot, alert });
    // 150 ms are wanted; the rest is for a machine that is busy with other tests.
    let took = begin.elapsed();
    assert!(took < Duration::from_millis(750), "first sound after {took:?}");
    println!("first sound after {took:?}");
    let (slot, alert) = ("a".into(), None);
    let whole = true;
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), SpeakerEvent::Finished { slot, alert, whole });
    speaker.stop();
}

#[test]
#[ignore = "run in a child process by the test below"]
fn child_meets_a_card_that_blocks() {
    let (tell, hear) = channel();
    let speaker = Speaker::start(card(), voices(), move |event| {
        let _ = tell.send(event);
    })
    .unwrap();
    let begin = Instant::now();
    speaker.say(say("a", PromptId::HelpPressed));
    while speaker.stuck_for() < Duration::from_millis(100) {
        assert!(begin.elapsed() < LIMIT, "the card did not block");
        std::thread::yield_now();
    }
    let begin = Instant::now();
    for n in 0..1000 {
        speaker.say(say(&format!("{n}"), PromptId::HelpPressed));
    }
    speaker.quiet("a");
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    // What hangs is told, once.
    while !speaker.is_broken() {
        assert!(begin.elapsed() < LIMIT && speaker.look(), "nobody is told");
        std::thread::yield_now();
    }
    assert!(speaker.look());
    let told: Vec<SpeakerEvent> = hear.try_iter().collect();
    assert!(matches!(&told[..], [SpeakerEvent::Health(Some(why))] if why.contains("hangs")));
    let begin = Instant::now();
    speaker.stop();
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

/// Runs a test of this file in a child process with a card whose sound goes to that file.
fn run_child(test: &str, wav: &Path) {
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/asound.conf");
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env("ALSA_CONFIG_PATH", conf)
        .env("ANJU_WAV", wav)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn plugins_are_there() -> bool {
    let there = Path::new("/usr/share/alsa/alsa.conf").exists();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "install libasound2-data");
        eprintln!("skipped: /usr/share/alsa/alsa.conf is missing; install libasound2-data");
    }
    there
}

#[test]
fn the_card_gets_the_very_samples() {
    if !plugins_are_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("card.wav");
    run_child("child_speaks", &wav);

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

#[test]
fn a_card_that_blocks_holds_up_nobody() {
    if !plugins_are_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("card.wav");
    // A pipe that nobody reads: opening it blocks for ever.
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    run_child("child_meets_a_card_that_blocks", &pipe);
}
