//! The real thread, with WAV files in place of a card.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use anju_model::Language;

use super::*;
use crate::life::{Clip, Repeat, Urgency};
use crate::prompts::{self, PromptId};

const LIMIT: Duration = Duration::from_secs(20);

fn settings(folder: &Path, paced: bool) -> SpeakerSettings {
    let wav_dir = Some(folder.to_owned());
    let (device, checks) = (Some("anju-no-such-card".to_owned()), Checks::default());
    let local = LocalSettings { device, wav_dir, paced, checks };
    SpeakerSettings { outlet: OutletSettings::Local(local), repeats: Repeats::default() }
}

fn english() -> Voices {
    Voices::new(&VoiceSettings::plain(Language::En), None)
}

fn start(settings: SpeakerSettings) -> (Speaker, Receiver<SpeakerEvent>) {
    start_with(settings, english())
}

fn start_with(settings: SpeakerSettings, voices: Voices) -> (Speaker, Receiver<SpeakerEvent>) {
    let (tell, hear) = channel();
    let speaker = Speaker::start(settings, voices, move |event| {
        let _ = tell.send(event);
    });
    (speaker.unwrap(), hear)
}

fn say(slot: &str, urgency: Urgency, repeat: Repeat, clips: &[Clip]) -> Announcement {
    Announcement { slot: slot.into(), alert: None, urgency, repeat, clips: clips.to_vec() }
}

fn started(slot: &str) -> SpeakerEvent {
    SpeakerEvent::Started { slot: slot.into(), alert: None }
}

fn finished(slot: &str, whole: bool) -> SpeakerEvent {
    SpeakerEvent::Finished { slot: slot.into(), alert: None, whole }
}

/// The files in their order, each with its samples; the headers must be right.
fn recordings(folder: &Path) -> Vec<Vec<i16>> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let bytes = std::fs::read(file).unwrap();
            let riff = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
            let data = u32::from_le_bytes(bytes[40..44].try_into().unwrap());
            assert_eq!(riff as usize, bytes.len() - 8, "{file:?}");
            assert_eq!(data as usize, bytes.len() - 44, "{file:?}");
            let pcm = samples::from_wav(&bytes).unwrap();
            assert_eq!(pcm.rate_hz, 24_000);
            pcm.samples
        })
        .collect()
}

fn prompt(id: PromptId) -> Vec<i16> {
    prompts::decode(prompts::ogg(id, Language::En)).unwrap().samples
}

#[test]
fn an_utterance_is_its_clips_sample_for_sample() {
    let folder = tempfile::tempdir().unwrap();
    let (speaker, hear) = start(settings(folder.path(), false));
    let clips = [
        Clip::Prompt(PromptId::Smoke),
        Clip::Room("kitchen".parse().unwrap()),
        Clip::Room("attic".parse().unwrap()),
    ];
    speaker.say(say("a", Urgency::Critical, Repeat::Once, &clips));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("a"));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("a", true));
    speaker.stop();
    let heard = recordings(folder.path());
    let mut expected = prompt(PromptId::Smoke);
    expected.extend(prompt(PromptId::RoomKitchen));
    assert_eq!(heard.len(), 1);
    assert!(heard[0] == expected, "{} and {} samples", heard[0].len(), expected.len());
    let peak = heard[0].iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(peak > 3000, "silent: {peak}");
    assert!((2.0..20.0).contains(&(heard[0].len() as f64 / 24_000.0)));
}

#[test]
fn the_urgent_cuts_off_what_is_less_within_moments() {
    let folder = tempfile::tempdir().unwrap();
    let (speaker, hear) = start(settings(folder.path(), true));
    speaker.say(say("low", Urgency::Low, Repeat::Once, &[Clip::Prompt(PromptId::DeviceSilent)]));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("low"));
    let begin = Instant::now();
    speaker.say(say("a", Urgency::Critical, Repeat::Once, &[Clip::Prompt(PromptId::RoomHall)]));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("low", false));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("a"));
    let took = begin.elapsed();
    assert!(took < Duration::from_millis(1000), "first sound of the urgent after {took:?}");
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("a", true));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("low"), "said again from its start");
    speaker.stop();
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("low", false));
    let heard = recordings(folder.path());
    assert_eq!(heard.len(), 3);
    let whole = samples::quieter(prompt(PromptId::DeviceSilent), Urgency::Low);
    assert!(!heard[0].is_empty() && heard[0].len() < whole.len());
    assert!(whole.starts_with(&heard[0]), "a cut recording is right up to its end");
    assert!(heard[1] == prompt(PromptId::RoomHall));
}

#[test]
fn what_repeats_goes_on_until_it_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), false);
    let short = Duration::from_millis(1);
    settings.repeats = Repeats { times: 2, gap: short, later: short };
    let (speaker, hear) = start(settings);
    let clips = [Clip::Prompt(PromptId::RoomHall)];
    speaker.say(say("a", Urgency::Critical, Repeat::UntilQuiet, &clips));
    for _ in 0..5 {
        assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("a"));
        assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("a", true));
    }
    speaker.quiet("a");
    let clips = [Clip::Prompt(PromptId::RoomKitchen)];
    speaker.say(say("end", Urgency::Low, Repeat::Once, &clips));
    let until_end: Vec<_> = std::iter::from_fn(|| hear.recv_timeout(LIMIT).ok())
        .take_while(|event| *event != finished("end", true))
        .collect();
    let last = until_end.iter().rposition(|e| *e == started("a"));
    let end = until_end.iter().position(|e| *e == started("end"));
    assert!(last < end && end.is_some(), "{until_end:?}");
    speaker.stop();
}

#[test]
fn without_card_and_folder_the_fault_is_told_once_and_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), false);
    let OutletSettings::Local(local) = &mut settings.outlet else { panic!() };
    local.wav_dir = None;
    let (speaker, hear) = start(settings);
    let begin = Instant::now();
    for n in 0..1000 {
        let clips = [Clip::Prompt(PromptId::RoomHall)];
        speaker.say(say(&format!("{n}"), Urgency::Critical, Repeat::UntilQuiet, &clips));
    }
    assert!(begin.elapsed() < Duration::from_secs(1));
    let SpeakerEvent::Health(Some(why)) = hear.recv_timeout(LIMIT).unwrap() else { panic!() };
    assert!(why.contains("anju-no-such-card"), "{why}");
    speaker.stop();
    assert!(hear.try_recv().is_err(), "told once");
}

#[test]
fn a_folder_that_can_not_be_written_is_a_fault_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("wav");
    std::fs::write(&inside, "a file in the way").unwrap();
    let (speaker, hear) = start(settings(&inside, false));
    let clips = [Clip::Prompt(PromptId::RoomHall)];
    speaker.say(say("a", Urgency::Critical, Repeat::UntilQuiet, &clips));
    let SpeakerEvent::Health(Some(why)) = hear.recv_timeout(LIMIT).unwrap() else { panic!() };
    assert!(why.contains("wav_dir"), "{why}");
    std::fs::remove_file(&inside).unwrap();
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("a"));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("a", true));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), SpeakerEvent::Health(None));
    speaker.stop();
}

#[test]
fn a_pack_speaks_where_it_can_and_the_prompts_where_it_can_not() {
    let (folder, pack) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let record = |name: &str, as_if: PromptId| {
        std::fs::write(pack.path().join(name), prompts::ogg(as_if, Language::ZhCn)).unwrap();
    };
    record("smoke.ogg", PromptId::Gas);
    record("room-attic.ogg", PromptId::RoomStudy);
    record("contact-daughter.ogg", PromptId::ComingNeighbour);
    record("person-wang.ogg", PromptId::RoomHall);
    std::fs::write(pack.path().join("accepted.ogg"), "broken").unwrap();
    let voices = Voices::with(&VoiceSettings::plain(Language::En), {
        let coming = pack::Coming::begin(None, Some(pack.path().to_owned()));
        coming.wait_for("");
        coming
    });
    let say = |clip: Clip| voices.sound(&clip, &|| false).map(|pcm| pcm.samples);
    let recorded = |id| Some(prompts::decode(prompts::ogg(id, Language::ZhCn)).unwrap().samples);
    let contact =
        |id: &str| Clip::Contact { id: id.parse().unwrap(), otherwise: PromptId::ComingFamily };
    assert!(say(Clip::Prompt(PromptId::Smoke)) == recorded(PromptId::Gas));
    assert!(say(Clip::Room("attic".parse().unwrap())) == recorded(PromptId::RoomStudy));
    assert!(say(contact("daughter")) == recorded(PromptId::ComingNeighbour));
    assert!(say(Clip::Person("wang".parse().unwrap())) == recorded(PromptId::RoomHall));
    assert!(say(Clip::Person("li".parse().unwrap())).is_none());
    assert!(say(contact("son")) == Some(prompt(PromptId::ComingFamily)));
    assert!(say(Clip::Prompt(PromptId::Accepted)) == Some(prompt(PromptId::Accepted)), "broken");
    assert!(say(Clip::Prompt(PromptId::Leak)) == Some(prompt(PromptId::Leak)), "missing");

    // A folder that is not there makes nobody mute.
    let nowhere = Some(pack.path().join("nowhere"));
    let voices =
        Voices::new(&VoiceSettings { pack: nowhere, ..VoiceSettings::plain(Language::En) }, None);
    let (speaker, hear) = start_with(settings(folder.path(), false), voices);
    speaker.say(say_once("a", PromptId::RoomHall));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), started("a"));
    assert_eq!(hear.recv_timeout(LIMIT).unwrap(), finished("a", true));
    speaker.stop();
}

#[test]
fn a_voice_service_that_hangs_costs_a_name_and_no_time() {
    let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (host, port) = ("127.0.0.1".to_owned(), service.local_addr().unwrap().port());
    let slot: slot::Slot = "contact-daughter".parse().unwrap();
    let voices = Voices::new(
        &VoiceSettings {
            tts: Some(tts::TtsSettings { host, port, voice: None }),
            names: [(slot, "Fang".to_owned())].into(),
            ..VoiceSettings::plain(Language::En)
        },
        None,
    );
    // It is asked beforehand, and says nothing.
    let _asked = service.accept().unwrap();
    let begin = Instant::now();
    let id = "daughter".parse().unwrap();
    let said = voices.sound(&Clip::Contact { id, otherwise: PromptId::ComingFamily }, &|| false);
    assert!(said.unwrap().samples == prompt(PromptId::ComingFamily));
    // Free words wait for it, but not while something more urgent has to be said.
    assert!(voices.sound(&Clip::Words("tea is ready".into()), &|| true).is_none());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

fn say_once(slot: &str, id: PromptId) -> Announcement {
    say(slot, Urgency::Critical, Repeat::Once, &[Clip::Prompt(id)])
}

#[test]
fn a_card_that_is_not_there_is_missed_though_nothing_is_said() {
    let moment = Duration::from_millis(10);
    let checks = Checks { every: moment, again: moment, misses: 3 };
    let device = Some("plughw:CARD=AnjuNoSuchCard,DEV=0".to_owned());
    let local = LocalSettings { device, wav_dir: None, paced: true, checks };
    let outlet = OutletSettings::Local(local);
    let (speaker, hear) = start(SpeakerSettings { outlet, repeats: Repeats::default() });
    match hear.recv_timeout(LIMIT).unwrap() {
        SpeakerEvent::Health(Some(why)) => assert!(why.contains("AnjuNoSuchCard"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(speaker.is_broken() && speaker.look());
    speaker.stop();
}
