//! Satellites on real sockets, whose bytes are read here by hand: what a satellite hears, one that
//! hangs, one that is off. The real program stands in `edge/tests/scenarios/satellites.rs`.

use std::io::{BufRead, BufReader};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use anju_model::Language;

use super::super::{
    OutletSettings, Repeats, Speaker, SpeakerEvent, SpeakerSettings, VoiceSettings, Voices,
};
use super::*;
use crate::life::{Announcement, Clip, Repeat, Urgency};
use crate::prompts::{self, PromptId};

const LIMIT: Duration = Duration::from_secs(30);

/// An event as the satellite read it.
#[derive(Debug, PartialEq)]
struct Got {
    kind: String,
    samples: Vec<i16>,
}

/// Reads events of one connection until it ends, and says who it is when asked.
fn satellite(stream: TcpStream, tell: &Sender<Got>) {
    let mut answer = stream.try_clone().unwrap();
    let mut read = BufReader::new(stream);
    let mut line = String::new();
    while read.read_line(&mut line).is_ok_and(|count| count > 0) {
        let header: Value = serde_json::from_str(&line).unwrap();
        line.clear();
        let mut payload = vec![0; header["payload_length"].as_u64().unwrap_or(0) as usize];
        read.read_exact(&mut payload).unwrap();
        let kind = header["type"].as_str().unwrap().to_owned();
        if kind == "describe" {
            answer.write_all(b"{\"type\":\"info\",\"data\":{\"snd\":[]}}\n").unwrap();
        }
        if kind.starts_with("audio") && kind != "audio-stop" {
            let format = &header["data"];
            assert_eq!((&format["rate"], &format["width"]), (&json!(24_000), &json!(2)));
        }
        let samples = payload.as_chunks::<2>().0.iter().map(|b| i16::from_le_bytes(*b)).collect();
        if tell.send(Got { kind, samples }).is_err() {
            return;
        }
    }
}

fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn speaker(port: u16, checks: Checks) -> (Speaker, Receiver<SpeakerEvent>) {
    let host = "127.0.0.1".to_owned();
    let outlet = OutletSettings::Satellite(SatelliteSettings { host, port, checks });
    let voices = Voices::new(&VoiceSettings::plain(Language::En), None);
    let (tell, hear) = channel();
    let settings = SpeakerSettings { outlet, repeats: Repeats::default() };
    let speaker = Speaker::start(settings, voices, move |event| {
        let _ = tell.send(event);
    });
    (speaker.unwrap(), hear)
}

fn say(slot: &str, urgency: Urgency, prompt: PromptId) -> Announcement {
    let clips = vec![Clip::Prompt(prompt)];
    Announcement { slot: slot.into(), alert: None, urgency, repeat: Repeat::Once, clips }
}

fn started(slot: &str) -> SpeakerEvent {
    SpeakerEvent::Started { slot: slot.into(), alert: None }
}

fn finished(slot: &str, whole: bool) -> SpeakerEvent {
    SpeakerEvent::Finished { slot: slot.into(), alert: None, whole }
}

/// The sounds of one utterance, up to its stop.
fn utterance(heard: &Receiver<Got>) -> Vec<i16> {
    let next = || heard.recv_timeout(LIMIT).unwrap();
    let first = std::iter::repeat_with(next).find(|got| got.kind != "describe").unwrap();
    assert_eq!(first.kind, "audio-start");
    let chunks = std::iter::repeat_with(next).take_while(|got| got.kind != "audio-stop");
    chunks.flat_map(|got| got.samples).collect()
}

fn prompt(id: PromptId) -> Vec<i16> {
    prompts::decode(prompts::ogg(id, Language::En)).unwrap().samples
}

fn serve(listener: TcpListener) -> (Receiver<Got>, JoinHandle<u32>) {
    let (tell, heard) = channel();
    let serving = std::thread::spawn(move || {
        let mut connections = 0;
        while let Ok((stream, _)) = listener.accept() {
            connections += 1;
            satellite(stream, &tell);
            if tell.send(Got { kind: "end".into(), samples: Vec::new() }).is_err() {
                break;
            }
        }
        connections
    });
    (heard, serving)
}

#[test]
fn a_satellite_hears_each_sample_and_the_urgent_cuts_in() {
    let (listener, port) = listening();
    let (heard, _) = serve(listener);
    let (speaker, events) = speaker(port, Checks::default());
    speaker.say(say("a", Urgency::Critical, PromptId::RoomHall));
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), started("a"));
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), finished("a", true));
    assert!(utterance(&heard) == prompt(PromptId::RoomHall));

    speaker.say(say("low", Urgency::Low, PromptId::DeviceSilent));
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), started("low"));
    speaker.say(say("urgent", Urgency::Critical, PromptId::RoomKitchen));
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), finished("low", false));
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), started("urgent"));
    let cut = utterance(&heard);
    assert!(cut.len() < prompt(PromptId::DeviceSilent).len(), "cut off");
    assert!(utterance(&heard) == prompt(PromptId::RoomKitchen));
    // All over one connection.
    speaker.stop();
}

#[test]
fn one_that_comes_back_is_spoken_to_again() {
    let (listener, port) = listening();
    let (tell, heard) = channel();
    let serving = std::thread::spawn(move || {
        // It breaks after the first check, as one does that is switched off and on.
        let (first, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(first.try_clone().unwrap()).read_line(&mut line).unwrap();
        first.shutdown(Shutdown::Both).unwrap();
        drop(first);
        let (second, _) = listener.accept().unwrap();
        satellite(second, &tell);
    });
    let (speaker, events) = speaker(port, Checks::default());
    speaker.say(say("a", Urgency::Critical, PromptId::RoomHall));
    let whole = finished("a", true);
    while events.recv_timeout(LIMIT).unwrap() != whole {}
    assert!(utterance(&heard) == prompt(PromptId::RoomHall));
    speaker.stop();
    serving.join().unwrap();
}

#[test]
fn one_that_takes_all_and_reads_nothing_is_told_and_holds_up_nobody() {
    let (listener, port) = listening();
    let (hanging, told) = speaker(port, Checks { misses: 1, ..Checks::default() });
    let _held = listener.accept().unwrap();
    let (other, other_port) = listening();
    let (_heard, _) = serve(other);
    let (sound, events) = speaker(other_port, Checks::default());
    for speaker in [&hanging, &sound] {
        speaker.say(say("a", Urgency::Critical, PromptId::RoomHall));
    }
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), started("a"));
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), finished("a", true));
    // Nobody heard anything there, so nothing was announced.
    match told.recv_timeout(LIMIT).unwrap() {
        SpeakerEvent::Health(Some(why)) => assert!(why.contains("does not say who it is"), "{why}"),
        other => panic!("{other:?}"),
    }
    let begin = Instant::now();
    hanging.stop();
    assert!(begin.elapsed() < LIMIT);
    sound.stop();
}

#[test]
fn one_that_is_off_is_a_fault_after_some_checks_and_heals() {
    let (listener, port) = listening();
    drop(listener);
    let short = Duration::from_millis(20);
    let (speaker, events) = speaker(port, Checks { every: short, again: short, misses: 3 });
    let SpeakerEvent::Health(Some(why)) = events.recv_timeout(LIMIT).unwrap() else { panic!() };
    assert!(why.contains(&format!("127.0.0.1:{port} can not be reached")), "{why}");
    assert!(speaker.is_broken());
    let (_heard, _) = serve(TcpListener::bind(("127.0.0.1", port)).unwrap());
    assert_eq!(events.recv_timeout(LIMIT).unwrap(), SpeakerEvent::Health(None));
    speaker.stop();
}
