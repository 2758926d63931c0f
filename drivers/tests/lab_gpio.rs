//! The GPIO driver on real lines of a real kernel: its far ends are the kernel's own simulator
//! (gpio-sim). Runs inside the lab (`drivers/lab/test.sh`); elsewhere each test says that it was
//! skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anju_drivers::driver::{Action, Claim, Context, DeviceCommand, Driver, DriverError, Report};
use anju_drivers::fleet::{Fleet, Limits};
use anju_drivers::gpio::GpioDriver;
use anju_drivers::gpio::chardev::CharDev;
use anju_drivers::gpio::gesture::Timings;
use anju_drivers::gpio::pir::PirTimings;
use anju_drivers::gpio::sense::InputTimings;
use anju_model::config::{
    ActiveLevel, Bias, Binding, ButtonContact, Device, GpioBackend, GpioBinding, GpioLink,
};
use anju_model::observation::{Contact, HelpState, Motion, Siren, Smoke};
use anju_model::{DeviceId, DeviceKind, Fact, LinkId, Observation};
use gpiosim::{Bank, Direction, Level, Sim};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEBOUNCE: Duration = Duration::from_millis(20);
const DEADLINE: Duration = Duration::from_secs(10);

macro_rules! in_the_lab {
    () => {
        if std::env::var_os("ANJU_LAB").is_none_or(|lab| lab != "1") {
            println!("skipped: not in the lab; drivers/lab/test.sh runs it");
            return;
        }
    };
}

/// A chip of eight lines with a label of its own.
fn sim(label: &str) -> Sim {
    gpiosim::builder().with_bank(&Bank::new(8, label)).live().unwrap()
}

fn device(id: &str, kind: DeviceKind, pin: u32) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        kind,
        name: id.to_owned(),
        room: None,
        person: None,
        link: LinkId::new("pins").unwrap(),
        binding: Binding::Gpio(binding(pin)),
        heard_within: None,
        announces: None,
    }
}

const fn binding(pin: u32) -> GpioBinding {
    GpioBinding {
        pin,
        active: ActiveLevel::Low,
        bias: Bias::PullUp,
        debounce: DEBOUNCE,
        contact: ButtonContact::NormallyOpen,
        loop_pin: None,
        per_pulse: None,
    }
}

/// A device wired otherwise than a button to ground.
fn wired(mut device: Device, wire: impl FnOnce(&mut GpioBinding)) -> Device {
    if let Binding::Gpio(binding) = &mut device.binding {
        wire(binding);
    }
    device
}

fn driver(chip: &str, devices: &[Device]) -> GpioDriver {
    let link = GpioLink { chip: chip.into(), backend: GpioBackend::Gpiocdev };
    let pir = PirTimings {
        warm_up: Duration::ZERO,
        hold_off: Duration::from_millis(300),
        ..PirTimings::default()
    };
    let timings = InputTimings { button: Timings::default(), pir };
    let id = LinkId::new("pins").unwrap();
    let (driver, faults) = GpioDriver::with_lines(&id, &link, devices, Arc::new(CharDev), timings);
    assert_eq!(faults, []);
    driver.unwrap()
}

/// A driver at work.
struct Work {
    reports: mpsc::Receiver<Report>,
    commands: mpsc::Sender<DeviceCommand>,
    stop: CancellationToken,
    end: JoinHandle<Result<(), DriverError>>,
}

impl Work {
    /// Starts a driver and waits until it has every line.
    async fn begin(sim: &Sim, devices: &[Device]) -> (Self, Vec<Observation>) {
        Self::begin_on(&sim.chips()[0].dev_path().display().to_string(), devices).await
    }

    async fn begin_on(chip: &str, devices: &[Device]) -> (Self, Vec<Observation>) {
        let (report, reports) = mpsc::channel(64);
        let (commands, command) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let context = Context::new(report, command, stop.clone());
        let end = tokio::spawn(Arc::new(driver(chip, devices)).run(context));
        let mut work = Self { reports, commands, stop, end };
        let mut found = Vec::new();
        // Each device says that it is online, and then its base line if its kind has one.
        let silent = |d: &&Device| matches!(d.kind, DeviceKind::FixedAlarm | DeviceKind::Doorbell);
        let expected = devices.len() * 2 - devices.iter().filter(silent).count();
        for _ in 0..expected {
            found.push(work.next().await);
        }
        (work, found)
    }

    async fn next(&mut self) -> Observation {
        next(&mut self.reports).await
    }

    async fn ask(&self, id: &str, action: Action) {
        let (done, answer) = oneshot::channel();
        let device = DeviceId::new(id).unwrap();
        self.commands.send(DeviceCommand { device, action, done }).await.unwrap();
        timeout(DEADLINE, answer).await.unwrap().unwrap().unwrap();
    }

    /// Stops it; returns what it had still to say.
    async fn finish(mut self) -> Vec<Observation> {
        self.stop.cancel();
        timeout(DEADLINE, self.end).await.unwrap().unwrap().unwrap();
        let mut rest = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            rest.push(report.observation);
        }
        rest
    }
}

async fn next(reports: &mut mpsc::Receiver<Report>) -> Observation {
    timeout(DEADLINE, reports.recv()).await.expect("nothing was said").unwrap().observation
}

fn help(observation: &Observation) -> HelpState {
    let Fact::Help(help) = &observation.fact else { panic!("{observation:?}") };
    assert!(!observation.baseline);
    help.state
}

#[tokio::test]
async fn a_bouncing_press_is_one_press_and_a_hold_of_three_seconds_cancels() {
    in_the_lab!();
    let sim = sim("anju-press");
    let chip = &sim.chips()[0];
    let (mut work, _) = Work::begin(&sim, &[device("sos", DeviceKind::FixedAlarm, 3)]).await;

    let info = gpiocdev::Chip::from_path(chip.dev_path()).unwrap().line_info(3).unwrap();
    assert_eq!(info.consumer, "anju:sos");
    assert!(info.active_low && info.bias == Some(gpiocdev::line::Bias::PullUp));
    assert_eq!(info.debounce_period, Some(DEBOUNCE), "the kernel debounces");

    for _ in 0..12 {
        chip.pulldown(3).unwrap();
        chip.pullup(3).unwrap();
    }
    let pressed = Instant::now();
    chip.pulldown(3).unwrap();
    assert_eq!(help(&work.next().await), HelpState::Pressed);
    let latency = pressed.elapsed();
    println!("press to report: {latency:?} of which {DEBOUNCE:?} are debouncing");
    assert!((DEBOUNCE..Duration::from_millis(500)).contains(&latency), "{latency:?}");

    assert_eq!(help(&work.next().await), HelpState::Cancelled, "the bounce was one press");
    let held = pressed.elapsed();
    assert!((3000..3700).contains(&held.as_millis()), "{held:?}");
    chip.pullup(3).unwrap();
    assert_eq!(work.finish().await, []);
}

#[tokio::test]
async fn frightened_pressing_is_never_a_cancel() {
    in_the_lab!();
    let sim = sim("anju-again");
    let chip = &sim.chips()[0];
    let (mut work, _) = Work::begin(&sim, &[device("sos", DeviceKind::FixedAlarm, 0)]).await;
    let begin = Instant::now();
    let mut presses = 0;
    while begin.elapsed() < Duration::from_millis(3500) {
        chip.pulldown(0).unwrap();
        assert_eq!(help(&work.next().await), HelpState::Pressed);
        presses += 1;
        // As long as a hand holds and lets go; the driver must see a settled release.
        tokio::time::sleep(Duration::from_millis(150)).await;
        chip.pullup(0).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(presses > 5, "{presses}");
    assert_eq!(work.finish().await, []);
}

#[tokio::test]
async fn a_driver_that_was_held_up_tells_every_press_and_no_hold_that_was_none() {
    in_the_lab!();
    let sim = sim("anju-late");
    let chip = &sim.chips()[0];
    let undebounced = |b: &mut GpioBinding| b.debounce = Duration::ZERO;
    let sos = wired(device("sos", DeviceKind::FixedAlarm, 0), undebounced);
    let (mut work, _) = Work::begin(&sim, &[sos]).await;
    // A hand at work while nobody looks: this blocks the one thread that the driver runs on.
    let act = |down: u64, up: u64| {
        chip.pulldown(0).unwrap();
        std::thread::sleep(Duration::from_millis(down));
        chip.pullup(0).unwrap();
        std::thread::sleep(Duration::from_millis(up));
    };
    (0..30).for_each(|_| act(30, 30));
    act(500, 4000);
    for _ in 0..31 {
        assert_eq!(help(&work.next().await), HelpState::Pressed);
    }
    assert_eq!(work.finish().await, []);
}

#[tokio::test]
async fn a_button_held_at_the_start_is_no_alarm_and_its_release_is_none() {
    in_the_lab!();
    let sim = sim("anju-held");
    let chip = &sim.chips()[0];
    let floating = |b: &mut GpioBinding| b.bias = Bias::None;
    chip.pulldown(1).unwrap();
    let sos = wired(device("sos", DeviceKind::FixedAlarm, 1), floating);
    let (mut work, _) = Work::begin(&sim, &[sos]).await;
    chip.pullup(1).unwrap();
    tokio::time::sleep(DEBOUNCE * 4).await;
    chip.pulldown(1).unwrap();
    assert_eq!(help(&work.next().await), HelpState::Pressed, "only the new press");
    assert_eq!(work.finish().await, []);
}

#[tokio::test]
async fn sensors_and_contacts_follow_their_lines() {
    in_the_lab!();
    let sim = sim("anju-senses");
    let chip = &sim.chips()[0];
    let pir = wired(device("pir", DeviceKind::Motion, 0), |b| {
        b.active = ActiveLevel::High;
        b.bias = Bias::PullDown;
    });
    let door = device("door", DeviceKind::DoorContact, 1);
    let closed_loop = |b: &mut GpioBinding| b.contact = ButtonContact::NormallyClosed;
    let hatch = wired(device("hatch", DeviceKind::DoorContact, 2), closed_loop);
    let smoke = wired(device("smoke", DeviceKind::Smoke, 3), closed_loop);
    let (mut work, found) = Work::begin(&sim, &[pir, door, hatch, smoke]).await;
    let said = |observations: &[Observation], id: &str| -> Vec<(Fact, bool)> {
        let of = |o: &&Observation| o.origin.device.as_str() == id && o.fact.what() != "online";
        observations.iter().filter(of).map(|o| (o.fact.clone(), o.baseline)).collect()
    };
    // All circuits are open: a door whose magnet is away, a hatch whose magnet is near, and a smoke
    // detector whose loop is cut, which is an alarm even at the start.
    assert_eq!(said(&found, "pir"), [(Motion { moving: false }.into(), true)]);
    assert_eq!(said(&found, "door"), [(Contact { open: true }.into(), true)]);
    assert_eq!(said(&found, "hatch"), [(Contact { open: false }.into(), true)]);
    let smoky = |alarm| Fact::from(Smoke { alarm, self_test: false });
    assert_eq!(said(&found, "smoke"), [(smoky(true), false)]);

    chip.pulldown(3).unwrap();
    assert_eq!(work.next().await.fact, smoky(false));
    chip.pulldown(1).unwrap();
    assert_eq!(work.next().await.fact, Contact { open: false }.into());
    chip.pulldown(2).unwrap();
    assert_eq!(work.next().await.fact, Contact { open: true }.into());
    chip.pullup(0).unwrap();
    assert_eq!(work.next().await.fact, Motion { moving: true }.into());
    let quiet = Instant::now();
    chip.pulldown(0).unwrap();
    assert_eq!(work.next().await.fact, Motion { moving: false }.into());
    assert!(quiet.elapsed() >= Duration::from_millis(300), "the hold-off");
    assert_eq!(work.finish().await, []);
}

#[tokio::test]
async fn a_relay_switches_the_pin_itself_and_is_off_at_the_end() {
    in_the_lab!();
    let sim = sim("anju-relay");
    let chip = &sim.chips()[0];
    // A relay board that pulls in on a low level: off must be high from the first moment.
    // The board holds its input up while nobody drives it.
    chip.pullup(5).unwrap();
    let siren = wired(device("siren", DeviceKind::Siren, 5), |b| b.bias = Bias::None);
    let (mut work, _) = Work::begin(&sim, &[siren]).await;
    assert_eq!(chip.get_level(5).unwrap(), Level::High);

    work.ask("siren", Action::Sound { seconds: 1 }).await;
    let on = Instant::now();
    assert_eq!(chip.get_level(5).unwrap(), Level::Low);
    assert_eq!(work.next().await.fact, Siren { sounding: true }.into());
    assert_eq!(work.next().await.fact, Siren { sounding: false }.into());
    assert_eq!(chip.get_level(5).unwrap(), Level::High);
    let sounded = on.elapsed();
    assert!((950..2000).contains(&sounded.as_millis()), "{sounded:?}");

    work.ask("siren", Action::Sound { seconds: 600 }).await;
    work.ask("siren", Action::Hush).await;
    assert_eq!(chip.get_level(5).unwrap(), Level::High);
    work.ask("siren", Action::Sound { seconds: 600 }).await;
    assert_eq!(chip.get_level(5).unwrap(), Level::Low);
    work.finish().await;
    assert_eq!(chip.get_level(5).unwrap(), Level::High, "a stopped driver leaves silence");
}

#[tokio::test]
async fn a_chip_that_vanishes_makes_its_devices_offline_and_they_come_back_with_it() {
    in_the_lab!();
    let sim_before = sim("anju-vanish");
    let limits = Limits {
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        ..Limits::default()
    };
    let (report, mut reports) = mpsc::channel(64);
    let mut fleet = Fleet::new(report, limits);
    fleet
        .start(Arc::new(driver("anju-vanish", &[device("sos", DeviceKind::FixedAlarm, 2)])))
        .unwrap();
    let online = |observation: &Observation| {
        let Fact::Online(online) = &observation.fact else { panic!("{observation:?}") };
        (online.online, online.reason.clone().unwrap_or_default())
    };
    assert!(online(&next(&mut reports).await).0);
    sim_before.chips()[0].pulldown(2).unwrap();
    assert_eq!(help(&next(&mut reports).await), HelpState::Pressed);

    let gone = Instant::now();
    drop(sim_before);
    let (there, reason) = online(&next(&mut reports).await);
    println!("offline {:?} after the chip went: {reason}", gone.elapsed());
    assert!(!there && reason.contains("there is no GPIO chip anju-vanish"), "{reason}");

    let sim_after = sim("anju-vanish");
    // Told by the new run; the supervisor adds nothing to it.
    assert!(online(&next(&mut reports).await).0);
    sim_after.chips()[0].pulldown(2).unwrap();
    assert_eq!(help(&next(&mut reports).await), HelpState::Pressed);
    fleet.stop_all().await;
}

#[tokio::test]
async fn two_drivers_never_share_a_line() {
    in_the_lab!();
    let sim = sim("anju-twice");
    let path = sim.chips()[0].dev_path().display().to_string();
    let (report, mut reports) = mpsc::channel(64);
    let mut fleet = Fleet::new(report, Limits::default());
    let first = Arc::new(driver(&path, &[device("sos", DeviceKind::FixedAlarm, 4)]));
    // The same line under the chip's label.
    let second = driver("anju-twice", &[device("other", DeviceKind::Doorbell, 4)]);
    assert_eq!(second.claims(), [Claim::GpioLine { chip: path.clone().into(), line: 4 }]);
    fleet.start(first).unwrap();
    let conflict = fleet.start(Arc::new(second)).unwrap_err();
    assert_eq!(conflict.held_by, "gpio:pins");

    // And should claims fail, the kernel refuses and says who has it.
    assert_eq!(next(&mut reports).await.fact.what(), "online");
    let (mut intruder, found) =
        Work::begin_on(&path, &[device("other", DeviceKind::Doorbell, 4)]).await;
    let Fact::Online(online) = &found[0].fact else { panic!("{found:?}") };
    let reason = online.reason.as_deref().unwrap();
    assert!(!online.online && reason.contains("held by `anju:sos`"), "{reason}");
    sim.chips()[0].pulldown(4).unwrap();
    assert_eq!(help(&next(&mut reports).await), HelpState::Pressed, "the holder is not disturbed");
    assert!(intruder.reports.try_recv().is_err());
    intruder.finish().await;
    fleet.stop_all().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_line_is_named() {
    in_the_lab!();
    let mut bank = Bank::new(4, "anju-wrong");
    bank.hog(2, "spi0 CS1", Direction::OutputHigh);
    let sim = gpiosim::builder().with_bank(&bank).live().unwrap();
    let devices = [device("cs", DeviceKind::Doorbell, 2), device("far", DeviceKind::Doorbell, 9)];
    let (work, found) = Work::begin(&sim, &devices).await;
    let reasons: Vec<String> = found
        .iter()
        .map(|o| {
            if let Fact::Online(online) = &o.fact {
                online.reason.clone().unwrap()
            } else {
                panic!("{o:?}")
            }
        })
        .collect();
    assert!(reasons.iter().any(|reason| reason.contains("held by `spi0 CS1`")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("has lines 0 to 3, not 9")), "{reasons:?}");
    work.finish().await;

    for (chip, wrong) in [("/dev/null", "/dev/null"), ("no-such-chip", "no-such-chip")] {
        let (report, _reports) = mpsc::channel(4);
        let (_commands, command) = mpsc::channel(4);
        let context = Context::new(report, command, CancellationToken::new());
        let wanted = Arc::new(driver(chip, &[device("sos", DeviceKind::FixedAlarm, 0)]));
        let error = timeout(DEADLINE, wanted.run(context)).await.unwrap().unwrap_err().to_string();
        assert!(error.contains(&format!("there is no GPIO chip {wrong}")), "{error}");
        assert!(error.contains("(anju-wrong)"), "the chips that exist are listed: {error}");
    }
}

#[tokio::test]
async fn the_labs_standing_chip_is_wired_as_promised() {
    in_the_lab!();
    let chip = std::env::var("ANJU_LAB_CHIP").unwrap();
    let pulls = std::env::var("ANJU_LAB_PULLS").unwrap();
    let line = gpiocdev::find_named_line("sos").expect("a line named sos");
    assert_eq!(line.chip.display().to_string(), chip);
    let offset = line.info.offset;
    let (mut work, _) =
        Work::begin_on(&chip, &[device("sos", DeviceKind::FixedAlarm, offset)]).await;
    std::fs::write(format!("{pulls}/sim_gpio{offset}/pull"), "pull-down").unwrap();
    assert_eq!(help(&work.next().await), HelpState::Pressed);
    work.finish().await;
}
