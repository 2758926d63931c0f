//! The serial driver against simulated meters at the far end of a real pseudo terminal. The replies
//! are frames captured from real meters, never made with the codec; what is asked is recognised by
//! captured requests too, or by plain bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anju_drivers::driver::Report;
use anju_drivers::driver::{Action, Claim, Context, DeviceCommand, Driver, DriverError, Refused};
use anju_drivers::serial::BusDriver;
use anju_model::config::{
    Binding, Device, Parity, SerialBinding, SerialLink, SerialProtocol, StatusProfile,
};
use anju_model::observation::{Meter, Online, Trouble};
use anju_model::{DeviceId, DeviceKind, Fact, LinkId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_serial::{SerialPort, SerialStream};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(30);
const VECTORS: &str = include_str!("../src/serial/vectors/dlt645.tsv");

/// The only captured frame that begins so.
fn captured(says: &str) -> Vec<u8> {
    let mut found = VECTORS.lines().filter_map(|line| {
        let (what, hex) = line.strip_prefix("dlt645\t")?.split_once('\t')?;
        what.starts_with(says).then_some(hex)
    });
    let hex = found.next().unwrap();
    assert_eq!(found.next(), None, "{says}");
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// The meter that gave frames for all three items.
const FULL: &str = "000000000161";
/// Gave its energy, and the refusal "no such data".
const SIMPLE: &str = "123456789012";
/// Refuses with bit 2.
const LOCKED: &str = "910004920760";
/// Only its energy was captured.
const LONE: &str = "000000000001";
/// Its check sums are wrong.
const DAMAGED: &str = "398192000337";
/// Nobody has it.
const ABSENT: &str = "000000000099";

/// How the line treats bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Line {
    /// The adapter hears what it sends.
    echo: bool,
    /// Noise before each reply.
    noise: bool,
    /// Replies come byte by byte.
    split: bool,
    /// No meter has power.
    dead: bool,
    /// Only every second request is answered; of the others, every second with a damaged frame.
    lossy: bool,
}

/// Replies by the meter's digits and the data identifier as sent.
fn replies() -> BTreeMap<(&'static str, [u8; 4]), Vec<u8>> {
    const ENERGY: [u8; 4] = [0x33, 0x33, 0x34, 0x33];
    const POWER: [u8; 4] = [0x33, 0x33, 0x36, 0x35];
    const VOLTAGE: [u8; 4] = [0x33, 0x34, 0x34, 0x35];
    BTreeMap::from([
        ((FULL, ENERGY), captured("0.26 kWh")),
        ((FULL, POWER), captured("0.2512 kW")),
        ((FULL, VOLTAGE), captured("100.1 V")),
        ((SIMPLE, ENERGY), captured("1234.56 kWh")),
        ((SIMPLE, POWER), captured("ERR 02")),
        ((SIMPLE, VOLTAGE), captured("ERR 02")),
        ((LOCKED, ENERGY), captured("ERR 04")),
        ((LOCKED, POWER), captured("ERR 04")),
        ((LOCKED, VOLTAGE), captured("ERR 04")),
        ((LONE, ENERGY), captured("123456.78 kWh")),
        ((DAMAGED, ENERGY), captured("NEG bad CS")),
    ])
}

/// Plays the meters until the driver's port or the line is gone. A request is 16 bytes behind its
/// wake bytes; the master side of the terminal gets them in any pieces.
async fn play(mut wires: SerialStream, held: SerialStream, line: watch::Receiver<Line>) {
    let replies = replies();
    let mut heard: Vec<u8> = Vec::new();
    let mut bytes = [0; 64];
    let mut asked_times = 0;
    while let Ok(count @ 1..) = wires.read(&mut bytes).await {
        let line = *line.borrow();
        if line.echo {
            wires.write_all(&bytes[..count]).await.unwrap();
        }
        heard.extend(&bytes[..count]);
        let wakes = heard.iter().take_while(|byte| **byte == 0xFE).count();
        let Some(request) = heard.get(wakes..wakes + 16) else { continue };
        // Only reading: nothing else may ever stand on these wires.
        assert_eq!((request[0], request[7], request[8], request[9]), (0x68, 0x68, 0x11, 4));
        assert_eq!(request[15], 0x16);
        let digits: String = request[1..7].iter().rev().map(|b| format!("{b:02X}")).collect();
        let asked: [u8; 4] = request[10..14].try_into().unwrap();
        if digits == FULL && asked == [0x33, 0x33, 0x34, 0x33] {
            assert_eq!(request, captured("REQ energy"));
        }
        if digits == SIMPLE && asked == [0x33, 0x34, 0x34, 0x35] {
            assert_eq!(request, captured("REQ Ua meter"));
        }
        heard.clear();
        let found = replies.iter().find(|((meter, item), _)| *meter == digits && *item == asked);
        let Some((_, reply)) = found.filter(|_| !line.dead) else { continue };
        let mut reply = reply.clone();
        if line.lossy {
            asked_times += 1;
            match asked_times % 4 {
                1 => continue,
                3 => reply[8] ^= 0x04,
                _ => {}
            }
        }
        if line.noise {
            wires.write_all(&[0x00, 0x68, 0x13, 0xFE, 0x16, 0x68]).await.unwrap();
        }
        let piece = if line.split { 1 } else { reply.len() };
        for piece in reply.chunks(piece) {
            if wires.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
    drop(held);
}

fn device(digits: &str) -> Device {
    Device {
        id: DeviceId::new(&format!("meter-{digits}")).unwrap(),
        kind: DeviceKind::ElectricityMeter,
        name: digits.to_owned(),
        room: None,
        person: None,
        link: LinkId::new("rs485").unwrap(),
        binding: Binding::Serial(SerialBinding {
            protocol: Some(SerialProtocol::Dlt645),
            address: Some(digits.to_owned()),
            poll: Duration::from_millis(50),
            model: None,
            profile: StatusProfile::Standard,
            step_litres: None,
        }),
        heard_within: None,
        announces: None,
    }
}

struct Lab {
    folder: tempfile::TempDir,
    driver: Arc<BusDriver>,
    line: watch::Sender<Line>,
    meters: JoinHandle<()>,
    reports: mpsc::Receiver<Report>,
    commands: mpsc::Sender<DeviceCommand>,
    stop: CancellationToken,
    run: JoinHandle<Result<(), DriverError>>,
}

/// Plugs a new adapter in: a terminal behind the name that never changes.
fn plug_in(path: &Path, line: watch::Receiver<Line>) -> JoinHandle<()> {
    let (master, slave) = SerialStream::pair().unwrap();
    let _ = std::fs::remove_file(path);
    std::os::unix::fs::symlink(slave.name().unwrap(), path).unwrap();
    // The far end is held open, so that the master never sees a hang-up of its own making.
    tokio::spawn(play(master, slave, line))
}

impl Lab {
    fn new(meters: &[&str], line: Line) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("usb-rs485");
        let (line, told) = watch::channel(line);
        let player = plug_in(&path, told);
        let link =
            SerialLink { path, baud: Some(115_200), parity: Some(Parity::Even), stop_bits: 1 };
        let devices: Vec<Device> = meters.iter().map(|digits| device(digits)).collect();
        let bound: Vec<(&Device, &SerialBinding)> = devices
            .iter()
            .map(|device| match &device.binding {
                Binding::Serial(binding) => (device, binding),
                other => panic!("{other:?}"),
            })
            .collect();
        let id = LinkId::new("rs485").unwrap();
        let driver = Arc::new(BusDriver::new(&id, &link, &bound));
        let (run, reports, commands, stop) = start(&driver);
        Self { folder, driver, line, meters: player, reports, commands, stop, run }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("usb-rs485")
    }

    async fn next(&mut self) -> (String, Fact) {
        let report = loop {
            let report = timeout(DEADLINE, self.reports.recv()).await.expect("in time").unwrap();
            // What a meter's address is, is told too; the configuration knows it here.
            if !matches!(report.observation.fact, Fact::Identity(_)) {
                break report;
            }
        };
        let who = report.observation.origin.device.to_string();
        (who.trim_start_matches("meter-").to_owned(), report.observation.fact)
    }

    /// The next `count` reports by meter.
    async fn take(&mut self, count: usize) -> BTreeMap<String, Fact> {
        let mut taken = BTreeMap::new();
        for _ in 0..count {
            let (who, fact) = self.next().await;
            let before = taken.insert(who, fact);
            assert_eq!(before, None, "told twice");
        }
        taken
    }

    async fn end(self) {
        assert!(!self.meters.is_finished(), "the simulated meters have failed");
        self.stop.cancel();
        timeout(DEADLINE, self.run).await.expect("stops").unwrap().unwrap();
        self.meters.abort();
    }
}

type Run = (
    JoinHandle<Result<(), DriverError>>,
    mpsc::Receiver<Report>,
    mpsc::Sender<DeviceCommand>,
    CancellationToken,
);

fn start(driver: &Arc<BusDriver>) -> Run {
    let (tx, reports) = mpsc::channel(64);
    let (commands, rx) = mpsc::channel(4);
    let stop = CancellationToken::new();
    let run = tokio::spawn(Arc::clone(driver).run(Context::new(tx, rx, stop.clone())));
    (run, reports, commands, stop)
}

fn full() -> Fact {
    Fact::Meter(Meter {
        energy_watt_hours: Some(260.0),
        power_watts: Some(251.2),
        voltage_volts: Some(100.1),
        resolution: Some(10.0),
        ..Meter::default()
    })
}

fn energy(watt_hours: f64) -> Fact {
    let energy_watt_hours = Some(watt_hours);
    Fact::Meter(Meter { energy_watt_hours, resolution: Some(10.0), ..Meter::default() })
}

fn lost(fact: &Fact) -> &str {
    match fact {
        Fact::Online(Online { online: false, reason: Some(reason) }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn several_meters_good_and_bad_on_one_bus() {
    let mut lab = Lab::new(&[ABSENT, DAMAGED, FULL, SIMPLE, LOCKED, LONE], Line::default());
    assert_eq!(lab.driver.name(), "serial:rs485");
    assert_eq!(lab.driver.claims(), [Claim::SerialPort(lab.path())]);
    assert_eq!(lab.driver.devices().len(), 6);
    let said = lab.take(6).await;
    assert_eq!(said[FULL], full());
    assert_eq!(said[SIMPLE], energy(1_234_560.0));
    assert_eq!(said[LONE], energy(123_456_780.0));
    assert!(
        matches!(&said[LOCKED], Fact::Trouble(Trouble { active: true, reason })
            if reason.contains("wrong password or not allowed")),
        "{:?}",
        said[LOCKED]
    );
    assert!(lost(&said[ABSENT]).contains("no answer"), "{:?}", said[ABSENT]);
    assert!(lost(&said[DAMAGED]).contains("wrong check sum B6"), "{:?}", said[DAMAGED]);
    lab.end().await;
}

#[tokio::test]
async fn echo_noise_and_pieces_do_no_harm() {
    for line in [
        Line { echo: true, ..Line::default() },
        Line { noise: true, ..Line::default() },
        Line { split: true, ..Line::default() },
        Line { echo: true, noise: true, split: true, ..Line::default() },
    ] {
        let mut lab = Lab::new(&[FULL, SIMPLE], line);
        let said = lab.take(2).await;
        assert_eq!(said[FULL], full(), "{line:?}");
        assert_eq!(said[SIMPLE], energy(1_234_560.0), "{line:?}");
        lab.end().await;
    }
}

#[tokio::test]
async fn what_is_lost_or_damaged_is_asked_again() {
    let mut lab = Lab::new(&[FULL], Line { lossy: true, ..Line::default() });
    assert_eq!(lab.next().await.1, full());
    lab.end().await;
}

#[tokio::test]
async fn an_echo_alone_is_no_answer() {
    let mut lab = Lab::new(&[ABSENT], Line { echo: true, ..Line::default() });
    let (_, fact) = lab.next().await;
    assert!(lost(&fact).contains("no answer"), "{fact:?}");
    lab.end().await;
}

#[tokio::test]
async fn a_meter_without_power_is_lost_once_and_back_once() {
    let mut lab = Lab::new(&[FULL], Line::default());
    assert_eq!(lab.next().await.1, full());
    lab.line.send(Line { dead: true, ..Line::default() }).unwrap();
    let (_, fact) = lab.next().await;
    assert!(lost(&fact).contains(FULL), "{fact:?}");
    lab.line.send(Line::default()).unwrap();
    let back = Online { online: true, reason: None };
    assert_eq!(lab.next().await.1, Fact::Online(back));
    // The reading is the one told before, and not told again.
    lab.line.send(Line { dead: true, ..Line::default() }).unwrap();
    let (_, fact) = lab.next().await;
    lost(&fact);
    lab.end().await;
}

#[tokio::test]
async fn unplugging_ends_the_run_and_the_next_run_opens_anew() {
    let mut lab = Lab::new(&[FULL], Line::default());
    assert_eq!(lab.next().await.1, full());
    lab.meters.abort();
    let end = timeout(DEADLINE, &mut lab.run).await.expect("noticed").unwrap();
    let Err(DriverError::Link { link, reason }) = end else { panic!("{end:?}") };
    assert!(link.contains("usb-rs485") && reason.contains("plugged in"), "{link}: {reason}");

    // Still unplugged.
    std::fs::remove_file(lab.path()).unwrap();
    let (run, ..) = start(&lab.driver);
    let end = timeout(DEADLINE, run).await.expect("at once").unwrap();
    assert!(matches!(&end, Err(DriverError::Link { reason, .. }) if reason.contains("opened")));

    lab.meters = plug_in(&lab.path(), lab.line.subscribe());
    (lab.run, lab.reports, lab.commands, lab.stop) = start(&lab.driver);
    assert_eq!(lab.next().await.1, full());
    lab.end().await;
}

#[tokio::test]
async fn meters_take_no_commands() {
    let lab = Lab::new(&[FULL], Line::default());
    let device = DeviceId::new("meter-000000000161").unwrap();
    let (done, answer) = oneshot::channel();
    let command = DeviceCommand { device: device.clone(), action: Action::Hush, done };
    lab.commands.send(command).await.unwrap();
    let answer = timeout(DEADLINE, answer).await.expect("answered").unwrap();
    assert_eq!(answer, Err(Refused::NotAble(device)));
    lab.end().await;
}
