//! The Bluetooth driver on the real BlueZ and a real kernel; its far ends are devices of an
//! independent library on a simulated air. Runs inside the lab (`drivers/lab/test.sh`); elsewhere
//! each test says that it was skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[path = "common/air.rs"]
mod air;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use air::Air;
use anju_drivers::ble::{BleDriver, Timings};
use anju_drivers::driver::{Action, Context, DeviceCommand, Driver, DriverError, Report};
use anju_model::config::{Binding, BleBinding, BleLink, BleProtocol, Device};
use anju_model::observation::{Fall, FallState, Help, HelpState, Presence, Vital};
use anju_model::{DeviceId, DeviceKind, Fact, LinkId, Observation};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(40);
const AWAY: Duration = Duration::from_secs(3);

const WATCH: &str = "F1:00:00:00:00:01";
const CUFF: &str = "F1:00:00:00:00:02";
const FINGER: &str = "F1:00:00:00:00:03";
const PENDANT: &str = "F1:00:00:00:00:10";
const LOCKED: &str = "F1:00:00:00:00:11";
const BADGE: &str = "F1:00:00:00:00:12";
const CANE: &str = "F1:00:00:00:00:13";
const STRANGER: &str = "F1:00:00:00:00:14";
const CLIMATE: &str = "F1:00:00:00:00:15";
const SCALE: &str = "F1:00:00:00:00:16";
/// Give their readings to nobody who is not paired with them.
const PRIVATE: &str = "F1:00:00:00:00:05";
const INTRUDER: &str = "F1:00:00:00:00:06";
const KEY: &str = "231d39c1d7cc1ab1aee224cd096db932";

macro_rules! in_the_lab {
    () => {
        if std::env::var_os("ANJU_LAB").is_none_or(|lab| lab != "1") {
            println!("skipped: not in the lab; drivers/lab/test.sh runs it");
            return;
        }
    };
}

/// One air for all tests, one test at a time.
fn air() -> MutexGuard<'static, Air> {
    static AIR: OnceLock<Mutex<Air>> = OnceLock::new();
    let start = || {
        let logs = tracing_subscriber::fmt().with_ansi(false).with_test_writer();
        logs.with_max_level(tracing::Level::INFO).init();
        Mutex::new(Air::start())
    };
    let air = AIR.get_or_init(start).lock();
    let mut air = air.unwrap_or_else(PoisonError::into_inner);
    air.tell("quiet");
    air
}

fn device(id: &str, kind: DeviceKind, address: &str, protocol: BleProtocol) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        kind,
        name: id.to_owned(),
        room: None,
        person: None,
        link: LinkId::new("radio").unwrap(),
        binding: Binding::Ble(BleBinding {
            address: address.parse().unwrap(),
            protocol,
            key_file: None,
            away_after: AWAY,
        }),
        heard_within: None,
        announces: None,
    }
}

fn locked(mut device: Device, file: PathBuf) -> Device {
    if let Binding::Ble(binding) = &mut device.binding {
        binding.key_file = Some(file);
    }
    device
}

/// A driver at work.
struct Work {
    driver: Arc<BleDriver>,
    reports: mpsc::Receiver<Report>,
    commands: mpsc::Sender<DeviceCommand>,
    stop: CancellationToken,
    end: JoinHandle<Result<(), DriverError>>,
}

impl Work {
    fn begin(devices: &[Device]) -> Self {
        let devices: Vec<&Device> = devices.iter().collect();
        let link = BleLink { adapter: "hci0".to_owned() };
        let timings = Timings { check: Duration::from_millis(500), ..Timings::default() };
        let id = LinkId::new("radio").unwrap();
        Self::run(Arc::new(BleDriver::with_timings(&id, link, &devices, timings)))
    }

    fn run(driver: Arc<BleDriver>) -> Self {
        let (report, reports) = mpsc::channel(64);
        let (commands, command) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let context = Context::new(report, command, stop.clone());
        let end = tokio::spawn(driver.clone().run(context));
        Self { driver, reports, commands, stop, end }
    }

    /// The next observation that fits; others pass by, save that no call for help is passed over.
    async fn until(&mut self, fits: impl Fn(&Observation) -> bool) -> Observation {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let Some(report) = self.reports.recv().await else {
                    panic!("the driver ended: {:?}", (&mut self.end).await)
                };
                let said = report.observation;
                if fits(&said) {
                    return said;
                }
                let calls = matches!(said.fact, Fact::Help(_) | Fact::Fall(_));
                assert!(!calls, "a call that nobody made: {said:?}");
            }
        })
        .await
        .expect("the observation in time")
    }

    /// The acceptance of a device begins.
    async fn accept(&self, device: &str) {
        let (done, answer) = oneshot::channel();
        let device = DeviceId::new(device).unwrap();
        let command = DeviceCommand { device, action: Action::TellAnew, done };
        self.commands.send(command).await.unwrap();
        answer.await.unwrap().unwrap();
    }

    async fn help(&mut self, from: &str) -> Help {
        let said = self
            .until(|said| matches!(said.fact, Fact::Help(_)) && said.origin.device.as_str() == from)
            .await;
        assert!(!said.baseline);
        let Fact::Help(help) = said.fact else { unreachable!("a help") };
        help
    }

    async fn vital(&mut self, from: &str, fits: impl Fn(&Vital) -> bool) {
        self.until(|said| {
            said.origin.device.as_str() == from
                && matches!(&said.fact, Fact::Vital(vital) if fits(vital))
        })
        .await;
    }

    async fn present(&mut self, present: bool) {
        self.until(|said| said.fact == Presence { present }.into()).await;
    }

    async fn stop(self) {
        self.stop.cancel();
        self.end.await.unwrap().unwrap();
    }
}

// Tests hold the air over awaits; each has a runtime of its own, so that nobody else waits on it.
#[allow(clippy::await_holding_lock)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adverts_of_enrolled_devices_count_once_each() {
    in_the_lab!();
    let mut air = air();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, KEY).unwrap();
    let mut work = Work::begin(&[
        device("pendant", DeviceKind::PortableAlarm, PENDANT, BleProtocol::BtHome),
        locked(device("locked", DeviceKind::FixedAlarm, LOCKED, BleProtocol::BtHome), key),
        device("cane", DeviceKind::SmartCane, CANE, BleProtocol::BtHome),
        device("climate", DeviceKind::Climate, CLIMATE, BleProtocol::Atc),
        device("scale", DeviceKind::BodyScale, SCALE, BleProtocol::MiScale),
    ]);
    // A new device, its press in its first advert; the advert is repeated over the air.
    air.tell(&format!("plain {PENDANT} 44000101613a01"));
    assert_eq!(work.help("pendant").await.state, HelpState::Pressed);
    // A stranger's press, then the same button again.
    air.tell(&format!("plain {STRANGER} 4400013a01"));
    air.tell(&format!("plain {PENDANT} 44000201613a01"));
    work.help("pendant").await;

    air.tell(&format!("locked {LOCKED} {KEY} 500 3a01"));
    work.help("locked").await;
    // Sent again from a recording, forged, not encrypted: none counts.
    air.tell(&format!("locked {LOCKED} {KEY} 499 3a01"));
    air.tell(&format!("locked {LOCKED} 00000000000000000000000000000000 501 3a01"));
    air.tell(&format!("plain {LOCKED} 403a01"));
    air.tell(&format!("locked {LOCKED} {KEY} 502 3a02"));
    work.help("locked").await;

    air.tell(&format!("plain {CANE} 4400073a003a01"));
    work.until(|said| said.fact == Fall { state: FallState::Suspected }.into()).await;
    air.tell(&format!("service {CLIMATE} 181A F1000000001500CE33430A6EC3"));
    work.until(|said| matches!(&said.fact, Fact::Climate(c) if c.celsius == Some(20.6))).await;
    air.tell(&format!("service {SCALE} 181B 0226B20705040F0201AC018642"));
    work.vital("scale", |vital| vital.weight_kilograms == Some(85.15)).await;
    work.stop().await;
}

#[allow(clippy::await_holding_lock)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wearables_are_connected_and_again_when_they_hung_up() {
    in_the_lab!();
    let mut air = air();
    let mut work = Work::begin(&[
        device("watch", DeviceKind::SmartWatch, WATCH, BleProtocol::HeartRate),
        device("cuff", DeviceKind::BloodPressure, CUFF, BleProtocol::BloodPressure),
        device("finger", DeviceKind::Oximeter, FINGER, BleProtocol::Oximeter),
        device("pendant", DeviceKind::PortableAlarm, PENDANT, BleProtocol::BtHome),
    ]);
    air.tell(&format!("worn {WATCH}"));
    work.until(|said| matches!(&said.fact, Fact::Battery(b) if b.percent == Some(87.0))).await;
    air.tell("heart 16485401EC02");
    work.vital("watch", |vital| vital.heart_beats_per_minute == Some(72.0)).await;
    // Taken off: never a heart rate.
    air.tell("heart 0400");
    work.vital("watch", |vital| {
        vital.worn == Some(false) && vital.heart_beats_per_minute.is_none()
    })
    .await;

    air.tell(&format!("worn {CUFF}"));
    air.tell(&format!("worn {FINGER}"));
    air.tell("cuff 16780050005D00EA070604081E0048000000");
    work.vital("cuff", |vital| vital.systolic_mmhg == Some(120.0)).await;
    air.tell("finger 0062005F00");
    work.vital("finger", |vital| vital.spo2_percent == Some(98.0)).await;

    // While three are connected, a button is heard as ever.
    air.tell(&format!("plain {PENDANT} 4400013a01"));
    work.help("pendant").await;
    air.tell(&format!("silent {PENDANT}"));

    air.tell(&format!("drop {WATCH}"));
    air.tell("heart 065A");
    work.vital("watch", |vital| vital.heart_beats_per_minute == Some(90.0)).await;
    work.stop().await;
}

#[allow(clippy::await_holding_lock)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_badge_leaves_and_comes_back() {
    in_the_lab!();
    let mut air = air();
    let mut work =
        Work::begin(&[device("badge", DeviceKind::SmartBadge, BADGE, BleProtocol::IBeacon)]);
    let beacon = "0215E2C56DB5DFFB48D2B060D0F5A71096E000010203C5";
    air.tell(&format!("maker {BADGE} 004C {beacon}"));
    work.present(true).await;
    air.tell(&format!("silent {BADGE}"));
    work.present(false).await;
    air.tell(&format!("maker {BADGE} 004C {beacon}"));
    work.present(true).await;
    work.stop().await;
}

#[allow(clippy::await_holding_lock)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_the_daemon_and_a_pulled_adapter_are_survived() {
    in_the_lab!();
    let mut air = air();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, KEY).unwrap();
    let pendant = device("pendant", DeviceKind::FixedAlarm, LOCKED, BleProtocol::BtHome);
    let mut work = Work::begin(&[locked(pendant, key)]);
    air.tell(&format!("locked {LOCKED} {KEY} 1000 3a01"));
    work.help("pendant").await;
    air.restart_daemon();
    // What is heard first is the old advert, then the old one again from a recording.
    air.tell(&format!("locked {LOCKED} {KEY} 900 3a01"));
    air.tell(&format!("locked {LOCKED} {KEY} 1001 3a01"));
    work.help("pendant").await;

    air.pull_adapter();
    let end = tokio::time::timeout(DEADLINE, &mut work.end).await.unwrap().unwrap();
    let reason = end.unwrap_err().to_string();
    assert!(reason.contains("adapter"), "{reason}");
    air.plug_adapter();
    // As the supervisor does. Counters are remembered over the driver's restart.
    let mut work = Work::run(work.driver);
    air.tell(&format!("locked {LOCKED} {KEY} 1001 3a01"));
    air.tell(&format!("locked {LOCKED} {KEY} 1002 3a02"));
    work.help("pendant").await;
    work.stop().await;
}

#[allow(clippy::await_holding_lock)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_wants_to_be_paired_is_paired_while_it_is_accepted_and_stays_so() {
    in_the_lab!();
    let mut air = air();
    let private = device("private", DeviceKind::BloodPressure, PRIVATE, BleProtocol::BloodPressure);
    let mut work = Work::begin(std::slice::from_ref(&private));
    // Another one wants to be paired too. It is not enrolled.
    air.tell(&format!("worn {PRIVATE}"));
    air.tell(&format!("worn {INTRUDER}"));
    let said = work.until(|said| matches!(said.fact, Fact::Trouble(_))).await;
    let Fact::Trouble(trouble) = said.fact else { unreachable!("a trouble") };
    assert!(trouble.active && trouble.reason.contains("begin its acceptance"), "{trouble:?}");
    air.tell(&format!("pairings {PRIVATE} 0"));

    work.accept("private").await;
    air.tell("private 16780050005D00EA070604081E0048000000");
    work.vital("private", |vital| vital.systolic_mmhg == Some(120.0)).await;
    air.tell(&format!("pairings {PRIVATE} 1"));

    // Whoever else asks to be paired meanwhile is refused, though another program connected it.
    let intruder = format!("/org/bluez/hci0/dev_{}", INTRUDER.replace(':', "_"));
    let connect = tokio::process::Command::new("dbus-send")
        .args(["--system", "--print-reply", "--dest=org.bluez", &intruder])
        .arg("org.bluez.Device1.Connect")
        .output();
    let answer = connect.await.unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    air.tell(&format!("asks {INTRUDER}"));
    air.tell(&format!("drop {INTRUDER}"));

    // It comes back: with its keys, and without anybody's help.
    air.tell(&format!("drop {PRIVATE}"));
    air.tell("private 16790050005D00EA070604081E0148000000");
    work.vital("private", |vital| vital.systolic_mmhg == Some(121.0)).await;
    work.stop().await;
    air.tell(&format!("drop {PRIVATE}"));
    air.restart_daemon();
    let mut work = Work::begin(std::slice::from_ref(&private));
    air.tell("private 167A0050005D00EA070604081E0248000000");
    work.vital("private", |vital| vital.systolic_mmhg == Some(122.0)).await;
    air.tell(&format!("pairings {PRIVATE} 1"));
    air.tell(&format!("pairings {INTRUDER} 0"));

    // It lost its keys: nothing comes before its acceptance is begun again.
    air.tell(&format!("forget {PRIVATE}"));
    air.tell(&format!("drop {PRIVATE}"));
    work.accept("private").await;
    air.tell("private 167B0050005D00EA070604081E0348000000");
    work.vital("private", |vital| vital.systolic_mmhg == Some(123.0)).await;
    air.tell(&format!("pairings {PRIVATE} 2"));
    work.stop().await;
}
