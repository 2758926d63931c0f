//! Captured frames in, facts out.

use anju_model::DeviceId;
use anju_model::config::{VoiceMeaning, VoiceWord};
use anju_model::observation::{Bed, Fall, FallState, Help, HelpState, Motion, Presence, Vital};
use anju_model::{DeviceKind, Fact};
use proptest::prelude::*;

use super::ld2410::Ld2410;
use super::pms5003::Pms5003;
use super::radar::Radar;
use super::voice::{Pattern, Voice};
use super::*;

const VECTORS: &str = include_str!("../vectors/talkers.tsv");

fn vector(protocol: &str, says: &str) -> Vec<u8> {
    let line = VECTORS
        .lines()
        .find_map(|line| line.strip_prefix(protocol)?.strip_prefix('\t')?.strip_prefix(says))
        .unwrap_or_else(|| panic!("{protocol} {says}"));
    let hex = line.split('\t').next_back().unwrap();
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn facts(talker: &mut impl Talker, bytes: &[u8]) -> Vec<Fact> {
    let Heard { facts, damaged, .. } = talker.hear(bytes);
    assert_eq!(damaged, []);
    facts
}

#[test]
fn a_radar_tells_presence_movement_and_the_heart() {
    let mut radar = Radar::new(DeviceKind::SleepMonitor);
    let mut hear = |says: &str| facts(&mut radar, &vector("mw5359", says));
    assert_eq!(hear("occupied=1"), [Presence { present: true }.into()]);
    assert_eq!(hear("motion active"), [Motion { moving: true }.into()]);
    assert_eq!(hear("motion still"), [Motion { moving: false }.into()]);
    let beats = |beats| Vital { heart_beats_per_minute: Some(beats), ..Vital::default() };
    assert_eq!(hear("heart 71"), [beats(71.0).into()]);
    assert_eq!(hear("heart 78"), [beats(78.0).into()]);
    // Its own queries heard back, and values it only tells besides, say nothing.
    assert_eq!(hear("query presence"), []);
    assert_eq!(hear("distance 35 cm"), []);
    assert_eq!(hear("x31 y50 z0"), []);
}

#[test]
fn a_fall_is_suspected_and_confirmed_by_lying_still() {
    let mut radar = Radar::new(DeviceKind::FallDetector);
    let fall = |state| Fact::from(Fall { state });
    let still = [0x53, 0x59, 0x83, 0x05, 0x00, 0x01, 0x01, 0x36, 0x54, 0x43];
    assert_eq!(facts(&mut radar, &still), [], "who sits still has not fallen");
    assert_eq!(facts(&mut radar, &vector("mw5359", "fall=0 (derived)")), []);
    let fallen = vector("mw5359", "fall=1 (derived)");
    assert_eq!(facts(&mut radar, &fallen), [fall(FallState::Suspected)]);
    assert_eq!(facts(&mut radar, &still), [fall(FallState::Confirmed)]);
    let up = vector("mw5359", "fall=0 (derived)");
    assert_eq!(facts(&mut radar, &up), [fall(FallState::Over)]);
}

#[test]
fn a_fall_radar_is_switched_on_and_asked_with_the_makers_frames() {
    let radar = Radar::new(DeviceKind::FallDetector);
    let begin = radar.begin();
    for says in ["enable fall detect", "query presence", "query fall", "query residency"] {
        assert!(begin.contains(&vector("mw5359", says)), "{says}");
    }
}

#[test]
fn a_mattress_is_asked_for_the_bed_and_tells_who_is_in_it() {
    let mut radar = Radar::new(DeviceKind::Mattress);
    let bed = [0x53, 0x59, 0x84, 0x81, 0x00, 0x01, 0x0F, 0xC1, 0x54, 0x43];
    assert!(radar.begin().contains(&bed.to_vec()));
    let within = [0x53, 0x59, 0x84, 0x01, 0x00, 0x01, 0x01, 0x33, 0x54, 0x43];
    let out = [0x53, 0x59, 0x84, 0x01, 0x00, 0x01, 0x00, 0x32, 0x54, 0x43];
    assert_eq!(facts(&mut radar, &within), [Bed { occupied: true }.into()]);
    assert_eq!(facts(&mut radar, &out), [Bed { occupied: false }.into()]);
}

#[test]
fn nobody_has_no_heart_beat() {
    let mut radar = Radar::new(DeviceKind::SleepMonitor);
    facts(&mut radar, &vector("mw5359", "heart 71"));
    let gone = [0x53, 0x59, 0x80, 0x01, 0x00, 0x01, 0x00, 0x2E, 0x54, 0x43];
    facts(&mut radar, &gone);
    let breath = [0x53, 0x59, 0x81, 0x02, 0x00, 0x01, 0x10, 0x40, 0x54, 0x43];
    let Fact::Vital(vital) = facts(&mut radar, &breath).remove(0) else { panic!() };
    assert_eq!((vital.heart_beats_per_minute, vital.breaths_per_minute), (None, Some(16.0)));
    // A breath that is not found while nobody is there is no stop of breathing.
    let none = [0x53, 0x59, 0x81, 0x01, 0x00, 0x01, 0x04, 0x33, 0x54, 0x43];
    let Fact::Vital(vital) = facts(&mut radar, &none).remove(0) else { panic!() };
    assert_eq!(vital.apnoea, Some(false));
}

/// A frame with one byte of data.
fn frame(control: u8, command: u8, value: u8) -> Vec<u8> {
    let mut bytes = vec![0x53, 0x59, control, command, 0x00, 0x01, value];
    bytes.push(bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    bytes.extend([0x54, 0x43]);
    bytes
}

/// What a radar says of breathing, for each of some frames one after the other.
fn apnoea(radar: &mut Radar, frames: &[Vec<u8>]) -> Vec<Option<bool>> {
    let said = |frame: &Vec<u8>| {
        let facts = facts(radar, frame).into_iter();
        facts
            .filter_map(|fact| if let Fact::Vital(vital) = fact { vital.apnoea } else { None })
            .next_back()
    };
    frames.iter().map(said).collect()
}

/// Somebody is there.
const PRESENT: [u8; 10] = [0x53, 0x59, 0x80, 0x01, 0x00, 0x01, 0x01, 0x2F, 0x54, 0x43];
/// No breath is found.
const NO_BREATH: [u8; 10] = [0x53, 0x59, 0x81, 0x01, 0x00, 0x01, 0x04, 0x33, 0x54, 0x43];

#[test]
fn only_who_lies_still_in_bed_can_have_stopped_to_breathe() {
    for elsewhere in [frame(0x80, 0x02, 2), frame(0x84, 0x01, 0)] {
        for before in [true, false] {
            let mut radar = Radar::new(DeviceKind::SleepMonitor);
            let mut frames = vec![PRESENT.to_vec(), NO_BREATH.to_vec(), frame(0x85, 0x02, 72)];
            frames.insert(if before { 1 } else { 3 }, elsewhere.clone());
            frames.extend([NO_BREATH.to_vec(), frame(0x85, 0x02, 74)]);
            let said = apnoea(&mut radar, &frames);
            assert!(!said.contains(&Some(true)), "{elsewhere:02X?} {said:?}");
        }
    }
}

#[test]
fn no_breath_of_who_lies_still_is_told_with_each_word_of_it_and_no_other() {
    let mut radar = Radar::new(DeviceKind::SleepMonitor);
    let lies = [PRESENT.to_vec(), frame(0x80, 0x02, 1), frame(0x84, 0x01, 1)];
    assert_eq!(apnoea(&mut radar, &lies), [None; 3]);
    let hears = [
        (frame(0x81, 0x02, 16), None),
        (NO_BREATH.to_vec(), Some(true)),
        // A heart beat says nothing of the breath.
        (frame(0x85, 0x02, 72), None),
        (NO_BREATH.to_vec(), Some(true)),
        // A breath is one.
        (frame(0x81, 0x02, 12), Some(false)),
        (frame(0x81, 0x02, 12), None),
        (NO_BREATH.to_vec(), Some(true)),
        (frame(0x81, 0x02, 0), None),
        // So is whoever moves or gets up.
        (frame(0x80, 0x02, 2), Some(false)),
        (NO_BREATH.to_vec(), None),
        (frame(0x80, 0x02, 1), None),
        (NO_BREATH.to_vec(), Some(true)),
        (frame(0x84, 0x01, 0), Some(false)),
        (frame(0x84, 0x01, 1), None),
        (NO_BREATH.to_vec(), Some(true)),
        (frame(0x81, 0x01, 1), Some(false)),
        (NO_BREATH.to_vec(), Some(true)),
        // Who is not seen any more is not seen to breathe.
        (frame(0x80, 0x01, 0), None),
        (NO_BREATH.to_vec(), None),
    ];
    for (at, (frame, said)) in hears.into_iter().enumerate() {
        assert_eq!(apnoea(&mut radar, &[frame]), [said], "{at}");
    }
    let ask = Radar::new(DeviceKind::SleepMonitor).ask();
    assert!(ask.contains(&frame(0x81, 0x81, 0x0F)), "it is asked for the breath");
}

/// Answers each question of the box as that radar does.
async fn radar(mut wires: tokio::io::DuplexStream, answer: impl Fn(u8, u8) -> u8) {
    let mut question = [0; 10];
    while wires.read_exact(&mut question).await.is_ok() {
        let [_, _, control, command, ..] = question;
        let answer = frame(control, command, answer(control, command & 0x7F));
        if wires.write_all(&answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_breathe_is_asked_about_again_soon() {
    let (near, far) = tokio::io::duplex(256);
    let origin = Origin {
        device: DeviceId::new("bed").unwrap(),
        kind: DeviceKind::SleepMonitor,
        room: None,
        person: None,
    };
    let talker = Box::new(Radar::new(DeviceKind::SleepMonitor));
    let session = Session::new("a test".to_owned(), &origin, talker);
    let (sender, mut reports) = tokio::sync::mpsc::channel(16);
    let (_commands, receiver) = tokio::sync::mpsc::channel(1);
    let context = Context::new(sender, receiver, tokio_util::sync::CancellationToken::new());
    let still = radar(far, |control, command| match (control, command) {
        (0x80 | 0x84, _) => 1,
        (0x81, 0x01) => 4,
        (0x85, 0x02) => 72,
        _ => 0,
    });
    let began = Instant::now();
    let stopped = async {
        let mut told = Vec::new();
        while told.len() < 3 {
            let said = reports.recv().await.unwrap().observation;
            if matches!(&said.fact, Fact::Vital(vital) if vital.apnoea == Some(true)) {
                told.push(began.elapsed().as_secs());
            }
        }
        told
    };
    let told = tokio::select! {
        told = stopped => told,
        end = session.run(near, &context) => panic!("{end:?}"),
        () = still => panic!("the radar ended"),
    };
    assert_eq!(told, [0, 15, 30]);
}

#[test]
fn a_presence_radar_tells_who_moves_and_who_is_still() {
    let told = |says: &str| facts(&mut Ld2410::default(), &vector("ld2410", says));
    let both = |present, moving| vec![Presence { present }.into(), Motion { moving }.into()];
    assert_eq!(told("state2 still"), both(true, false));
    assert_eq!(told("state3 both"), both(true, true));
    assert_eq!(told("state0 none"), both(false, false));
    assert_eq!(told("engineering state3"), both(true, true));
}

#[test]
fn a_dust_sensor_tells_what_is_breathed() {
    let mut sensor = Pms5003::default();
    let Fact::Air(air) = facts(&mut sensor, &vector("pms5003", "atm")).remove(0) else { panic!() };
    assert_eq!(air.pm1_micrograms_per_cubic_metre, Some(31.0));
    assert_eq!(air.pm2_5_micrograms_per_cubic_metre, Some(46.0));
    assert_eq!(air.pm10_micrograms_per_cubic_metre, Some(60.0));
    let bad = Pms5003::default().hear(&vector("pms5003", "NEG"));
    assert_eq!((bad.facts.len(), bad.damaged.len()), (0, 1));
}

fn words() -> Vec<VoiceWord> {
    let word = |id, meaning, phrase: &str| VoiceWord { id, meaning, phrase: phrase.to_owned() };
    vec![word(1, VoiceMeaning::Help, "救命"), word(2, VoiceMeaning::No, "不用")]
}

#[test]
fn a_voice_module_tells_the_word_it_heard() {
    let mut voice = Voice::new(None, &words()).unwrap();
    let said = |state, phrase: &str| {
        Fact::from(Help { state, gesture: None, phrase: Some(phrase.to_owned()) })
    };
    let help = vector("ci130x", "word id 1");
    assert_eq!(facts(&mut voice, &help), [said(HelpState::Pressed, "救命")]);
    let mut no = help.clone();
    no[4] = 2;
    assert_eq!(voice.hear(&no).damaged.len(), 1, "the sum is another");
    no[6] += 1;
    assert_eq!(facts(&mut voice, &no), [said(HelpState::Cancelled, "不用")]);
    // Split, behind noise, with a false start in it.
    let mut noisy = vec![0x00, 0xA5, 0xA5, 0xFA, 0x00, 0xA5];
    noisy.extend(&help);
    let (front, back) = noisy.split_at(9);
    assert_eq!(facts(&mut voice, front), []);
    assert_eq!(facts(&mut voice, back), [said(HelpState::Pressed, "救命")]);
}

#[test]
fn patterns_that_can_find_nothing_are_refused() {
    for bad in ["", "ID", "AA", "AA ID ID", "AA 5", "ZZ ID", ".. ID"] {
        assert!(Pattern::parse(bad).is_err(), "{bad}");
    }
    assert!(Pattern::parse("FF 00 ID SUM").is_ok());
}

proptest! {
    /// Whatever comes, and however it is split: no panic, and a sound frame behind it is heard.
    #[test]
    fn noise_hides_no_frame(noise in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
        let cut = cut.min(noise.len());
        let talkers: [(Box<dyn Talker>, Vec<u8>); 4] = [
            (Box::new(Radar::new(DeviceKind::FallDetector)), vector("mw5359", "occupied=1")),
            (Box::new(Ld2410::default()), vector("ld2410", "state2 still")),
            (Box::new(Pms5003::default()), vector("pms5003", "atm")),
            (Box::new(Voice::new(None, &words()).unwrap()), vector("ci130x", "word id 1")),
        ];
        for (mut talker, frame) in talkers {
            talker.hear(&noise[..cut]);
            talker.hear(&noise[cut..]);
            // A false start may swallow some frames, never all of them.
            let heard: u32 = (0..4).map(|_| talker.hear(&frame).sound).sum();
            prop_assert!(heard > 0);
        }
    }
}
