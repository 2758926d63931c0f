//! Devices that talk by themselves, at the far end of a real pseudo terminal. What they say are
//! captured frames.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::sync::Arc;
use std::time::Duration;

use anju_drivers::driver::Report;
use anju_drivers::serial;
use anju_drivers::{Context, Driver, DriverError};
use anju_model::config::{Binding, Device, SerialLink, TalkProtocol, TalkerBinding};
use anju_model::config::{VoiceMeaning, VoiceWord};
use anju_model::observation::{Fall, FallState, Help, HelpState, Online, Presence, Trouble};
use anju_model::{DeviceId, DeviceKind, Fact, LinkId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_serial::{SerialPort, SerialStream};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(30);
const VECTORS: &str = include_str!("../src/serial/vectors/talkers.tsv");

fn captured(protocol: &str, says: &str) -> Vec<u8> {
    let line = VECTORS.lines().find(|line| line.starts_with(&format!("{protocol}\t{says}")));
    let hex = line.unwrap().split('\t').next_back().unwrap();
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

struct Lab {
    wires: SerialStream,
    reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
    run: JoinHandle<Result<(), DriverError>>,
    _commands: mpsc::Sender<anju_drivers::DeviceCommand>,
    _slave: SerialStream,
}

impl Lab {
    fn new(kind: DeviceKind, protocol: TalkProtocol) -> Self {
        let (wires, slave) = SerialStream::pair().unwrap();
        let link = SerialLink {
            path: slave.name().unwrap().into(),
            // A terminal takes no speed that is not a standard one.
            baud: Some(115_200),
            parity: None,
            stop_bits: 1,
        };
        let word = VoiceWord { id: 1, meaning: VoiceMeaning::Help, phrase: "救命".to_owned() };
        let device = Device {
            id: DeviceId::new("talker").unwrap(),
            kind,
            name: "talker".to_owned(),
            room: None,
            person: None,
            link: LinkId::new("port").unwrap(),
            binding: Binding::Talker(TalkerBinding { protocol, frame: None, words: vec![word] }),
            heard_within: None,
            announces: None,
        };
        let driver: Arc<dyn Driver> =
            serial::driver(&LinkId::new("port").unwrap(), &link, &[&device]);
        let (tx, reports) = mpsc::channel(64);
        let (commands, rx) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let run = tokio::spawn(driver.run(Context::new(tx, rx, stop.clone())));
        Self { wires, reports, stop, run, _commands: commands, _slave: slave }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.wires.write_all(bytes).await.unwrap();
    }

    async fn next(&mut self) -> Fact {
        let report = timeout(DEADLINE, self.reports.recv()).await.expect("in time").unwrap();
        report.observation.fact
    }

    /// Waits until these bytes were sent to the device.
    async fn asked(&mut self, question: &[u8]) {
        let mut heard = Vec::new();
        let mut bytes = [0; 256];
        let asked = async {
            while !heard.windows(question.len()).any(|part| part == question) {
                let count = self.wires.read(&mut bytes).await.unwrap();
                heard.extend_from_slice(&bytes[..count]);
            }
        };
        timeout(DEADLINE, asked).await.expect("asked in time");
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(DEADLINE, self.run).await.expect("stops").unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_fall_radar_is_switched_on_and_tells_a_fall() {
    let mut lab = Lab::new(DeviceKind::FallDetector, TalkProtocol::Radar);
    lab.asked(&captured("mw5359", "enable fall detect")).await;
    lab.say(&captured("mw5359", "occupied=1")).await;
    assert_eq!(lab.next().await, Presence { present: true }.into());
    lab.say(&captured("mw5359", "fall=1 (derived)")).await;
    assert_eq!(lab.next().await, Fall { state: FallState::Suspected }.into());
    // Again is no news; up again is.
    lab.say(&captured("mw5359", "fall=1 (derived)")).await;
    lab.say(&captured("mw5359", "fall=0 (derived)")).await;
    assert_eq!(lab.next().await, Fall { state: FallState::Over }.into());
    lab.end().await;
}

#[tokio::test]
async fn a_voice_module_tells_each_call() {
    let mut lab = Lab::new(DeviceKind::VoiceAlarm, TalkProtocol::Voice);
    for _ in 0..2 {
        lab.say(&captured("ci130x", "word id 1")).await;
        let phrase = Some("救命".to_owned());
        assert_eq!(
            lab.next().await,
            Help { state: HelpState::Pressed, gesture: None, phrase }.into()
        );
    }
    lab.end().await;
}

#[tokio::test]
async fn a_sensor_that_sends_rubbish_is_faulty_until_it_is_sound_again() {
    let mut lab = Lab::new(DeviceKind::AirQuality, TalkProtocol::Pms5003);
    for _ in 0..25 {
        lab.say(&captured("pms5003", "NEG")).await;
    }
    let Fact::Trouble(Trouble { active: true, .. }) = lab.next().await else { panic!() };
    lab.say(&captured("pms5003", "atm")).await;
    let Fact::Trouble(Trouble { active: false, .. }) = lab.next().await else { panic!() };
    assert!(matches!(lab.next().await, Fact::Air(_)));
    lab.end().await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_lost_device_and_never_an_empty_room() {
    let mut lab = Lab::new(DeviceKind::FallDetector, TalkProtocol::Ld2410);
    // Virtual time runs on by itself while everybody waits, so no deadline is set here.
    let fact = |report: Option<Report>| report.unwrap().observation.fact;
    let Fact::Online(Online { online: false, reason }) = fact(lab.reports.recv().await) else {
        panic!()
    };
    assert!(reason.unwrap().contains("nothing comes"));
    lab.say(&captured("ld2410", "state2 still")).await;
    assert_eq!(fact(lab.reports.recv().await), Online { online: true, reason: None }.into());
    assert_eq!(fact(lab.reports.recv().await), Presence { present: true }.into());
    lab.end().await;
}
