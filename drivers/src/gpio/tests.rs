//! The driver on scripted lines, under virtual time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anju_model::config::{ActiveLevel, Bias, ButtonContact};
use anju_model::observation::{Contact, Help, HelpState, Motion, Online, Siren, Trouble};
use anju_model::{Fact, Observation};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, timeout};
use tokio_util::sync::CancellationToken;

use super::lines::{Edge, InputLine, OutputLine};
use super::*;
use crate::driver::{Action, Report};
use crate::readings::Readings;

#[derive(Default)]
struct Pin {
    closed: bool,
    /// Edges that come while the line is being taken.
    early: Vec<bool>,
    holder: Option<String>,
    edges: Option<mpsc::UnboundedSender<Result<Edge, LineError>>>,
    output: Vec<bool>,
}

/// Lines whose far ends the test holds.
#[derive(Clone)]
struct Bench {
    begin: Instant,
    pins: Arc<Mutex<HashMap<u32, Pin>>>,
}

impl Bench {
    fn new() -> Self {
        Self { begin: Instant::now(), pins: Arc::default() }
    }

    fn pin<T>(&self, line: u32, act: impl FnOnce(&mut Pin) -> T) -> T {
        act(self.pins.lock().unwrap().entry(line).or_default())
    }

    fn drive(&self, line: u32, closed: bool) {
        let edge = Edge { at: self.now(), closed, lost: false };
        self.pin(line, |pin| {
            pin.closed = closed;
            pin.edges.as_ref().unwrap().send(Ok(edge)).unwrap();
        });
    }

    fn take(&self, wiring: &Wiring) -> Result<(), LineError> {
        self.pin(wiring.line, |pin| match &pin.holder {
            Some(consumer) => Err(LineError::Busy {
                chip: wiring.chip.clone(),
                line: wiring.line,
                consumer: consumer.clone(),
            }),
            None => {
                pin.holder = Some(wiring.consumer.clone());
                Ok(())
            }
        })
    }
}

struct BenchInput {
    bench: Bench,
    line: u32,
    edges: mpsc::UnboundedReceiver<Result<Edge, LineError>>,
}

struct BenchOutput {
    bench: Bench,
    line: u32,
}

impl Lines for Bench {
    fn input(&self, wiring: &Wiring) -> Result<Box<dyn InputLine>, LineError> {
        self.take(wiring)?;
        let (sender, edges) = mpsc::unbounded_channel();
        let at = self.now();
        self.pin(wiring.line, |pin| {
            for closed in pin.early.drain(..) {
                sender.send(Ok(Edge { at, closed, lost: false })).unwrap();
            }
            pin.edges = Some(sender);
        });
        Ok(Box::new(BenchInput { bench: self.clone(), line: wiring.line, edges }))
    }

    fn output(&self, wiring: &Wiring) -> Result<Box<dyn OutputLine>, LineError> {
        self.take(wiring)?;
        self.pin(wiring.line, |pin| pin.output.push(false));
        Ok(Box::new(BenchOutput { bench: self.clone(), line: wiring.line }))
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn resolve(&self, chip: &Path) -> PathBuf {
        chip.to_owned()
    }
}

impl InputLine for BenchInput {
    fn debounced(&self) -> bool {
        true
    }

    fn closed(&self) -> Result<bool, LineError> {
        Ok(self.bench.pin(self.line, |pin| pin.closed))
    }

    fn pending(&mut self) -> Result<Option<Edge>, LineError> {
        self.edges.try_recv().ok().transpose()
    }

    fn edge(&mut self) -> BoxFuture<'_, Result<Edge, LineError>> {
        Box::pin(async { self.edges.recv().await.unwrap() })
    }
}

impl OutputLine for BenchOutput {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        self.bench.pin(self.line, |pin| pin.output.push(on));
        Ok(())
    }

    fn is_on(&self) -> Result<bool, LineError> {
        Ok(self.bench.pin(self.line, |pin| *pin.output.last().unwrap()))
    }
}

impl Drop for BenchOutput {
    fn drop(&mut self) {
        self.bench.pin(self.line, |pin| pin.output.push(false));
    }
}

fn device(id: &str, kind: DeviceKind, pin: u32) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        kind,
        name: id.to_owned(),
        room: None,
        person: None,
        link: LinkId::new("pins").unwrap(),
        binding: Binding::Gpio(GpioBinding {
            pin,
            active: ActiveLevel::Low,
            bias: Bias::PullUp,
            debounce: Duration::from_millis(20),
            contact: ButtonContact::NormallyOpen,
            loop_pin: None,
            per_pulse: matches!(kind, DeviceKind::WaterMeter | DeviceKind::ElectricityMeter)
                .then_some(10.0),
        }),
        heard_within: None,
        announces: None,
    }
}

fn link(backend: GpioBackend) -> GpioLink {
    GpioLink { chip: "/dev/gpiochip0".into(), backend }
}

fn plan(bench: &Bench, devices: &[Device]) -> (Option<GpioDriver>, Vec<PlanFault>) {
    let id = LinkId::new("pins").unwrap();
    let lines = Arc::new(bench.clone());
    GpioDriver::with_lines(
        &id,
        &link(GpioBackend::Gpiocdev),
        devices,
        lines,
        InputTimings::default(),
    )
}

/// A driver at work.
struct Work {
    reports: mpsc::Receiver<Report>,
    commands: mpsc::Sender<DeviceCommand>,
    stop: CancellationToken,
    end: JoinHandle<Result<(), DriverError>>,
}

impl Work {
    fn begin(bench: &Bench, devices: &[Device]) -> Self {
        Self::recalling(bench, devices, Readings::default())
    }

    fn recalling(bench: &Bench, devices: &[Device], readings: Readings) -> Self {
        let (driver, faults) = plan(bench, devices);
        assert_eq!(faults, []);
        let (report, reports) = mpsc::channel(64);
        let (commands, command) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let context = Context::new(report, command, stop.clone()).with_readings(readings);
        let end = tokio::spawn(Arc::new(driver.unwrap()).run(context));
        Self { reports, commands, stop, end }
    }

    /// The next observation; virtual time runs to whatever makes it.
    async fn next(&mut self) -> Observation {
        let report = timeout(Duration::from_secs(24 * 3600), self.reports.recv()).await;
        report.expect("nothing was said for a day").unwrap().observation
    }

    async fn ask(&self, id: &str, action: Action) -> Result<(), Refused> {
        let (done, answer) = oneshot::channel();
        let device = DeviceId::new(id).unwrap();
        self.commands.send(DeviceCommand { device, action, done }).await.unwrap();
        answer.await.unwrap()
    }
}

fn help(state: HelpState) -> Fact {
    Help { state, gesture: None, phrase: None }.into()
}

fn online(observation: &Observation) -> &Online {
    let Fact::Online(online) = &observation.fact else { panic!("{observation:?}") };
    online
}

#[tokio::test(start_paused = true)]
async fn a_press_is_told_at_once_and_a_hold_cancels() {
    let bench = Bench::new();
    let mut work = Work::begin(&bench, &[device("sos", DeviceKind::FixedAlarm, 17)]);
    let found = work.next().await;
    assert!(online(&found).online && found.baseline);
    advance(Duration::from_secs(100)).await;
    let pressed = Instant::now();
    bench.drive(17, true);
    let said = work.next().await;
    assert_eq!((said.fact, said.baseline), (help(HelpState::Pressed), false));
    assert_eq!(pressed.elapsed(), Duration::ZERO, "a press must not wait for time");
    assert_eq!(work.next().await.fact, help(HelpState::Cancelled));
    let held = pressed.elapsed();
    assert!((3000..3010).contains(&held.as_millis()), "{held:?}");
    work.stop.cancel();
    work.end.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_release_that_waits_is_taken_before_time_makes_a_hold_of_it() {
    let bench = Bench::new();
    let mut work = Work::begin(&bench, &[device("sos", DeviceKind::FixedAlarm, 17)]);
    work.next().await;
    bench.drive(17, true);
    assert_eq!(work.next().await.fact, help(HelpState::Pressed));
    // Released after a second, but the driver gets to see it only ten seconds later.
    let released = Edge { at: bench.now() + Duration::from_secs(1), closed: false, lost: false };
    advance(Duration::from_secs(10)).await;
    bench.pin(17, |pin| {
        pin.closed = false;
        pin.edges.as_ref().unwrap().send(Ok(released)).unwrap();
    });
    bench.drive(17, true);
    assert_eq!(work.next().await.fact, help(HelpState::Pressed), "no cancel in between");
}

#[tokio::test(start_paused = true)]
async fn a_press_whose_edge_was_lost_is_found_by_its_level() {
    let bench = Bench::new();
    let mut work = Work::begin(&bench, &[device("sos", DeviceKind::FixedAlarm, 17)]);
    work.next().await;
    bench.pin(17, |pin| pin.closed = true);
    let begin = Instant::now();
    assert_eq!(work.next().await.fact, help(HelpState::Pressed));
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn levels_at_the_start_are_a_base_line() {
    let bench = Bench::new();
    bench.pin(4, |pin| pin.closed = true);
    bench.pin(5, |pin| pin.closed = true);
    let devices =
        [device("door", DeviceKind::DoorContact, 4), device("pir", DeviceKind::Motion, 5)];
    let mut work = Work::begin(&bench, &devices);
    let mut said = Vec::new();
    for _ in 0..4 {
        let observation = work.next().await;
        assert!(observation.baseline, "{observation:?}");
        said.push(observation.fact);
    }
    assert!(said.contains(&Contact { open: false }.into()));
    assert!(said.contains(&Motion { moving: false }.into()));
    // Four hours later the sensor still says "motion": it hangs, nobody moves for four hours.
    let hangs = work.next().await;
    assert!(matches!(hangs.fact, Fact::Trouble(Trouble { active: true, .. })), "{hangs:?}");
}

#[tokio::test(start_paused = true)]
async fn a_press_while_the_line_is_being_taken_counts_and_a_release_does_not() {
    let bench = Bench::new();
    bench.pin(1, |pin| (pin.closed, pin.early) = (true, vec![true]));
    bench.pin(2, |pin| (pin.closed, pin.early) = (false, vec![false]));
    let devices =
        [device("now", DeviceKind::FixedAlarm, 1), device("before", DeviceKind::FixedAlarm, 2)];
    let mut work = Work::begin(&bench, &devices);
    let said = [work.next().await, work.next().await, work.next().await];
    let pressed: Vec<&str> = said
        .iter()
        .filter(|said| said.fact == help(HelpState::Pressed))
        .map(|said| said.origin.device.as_str())
        .collect();
    assert_eq!(pressed, ["now"], "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_edge_that_was_in_the_level_already_counts() {
    let bench = Bench::new();
    bench.pin(1, |pin| pin.closed = true);
    let mut work = Work::begin(&bench, &[device("sos", DeviceKind::FixedAlarm, 1)]);
    work.next().await;
    bench.drive(1, true);
    assert_eq!(work.next().await.fact, help(HelpState::Pressed));
}

#[tokio::test(start_paused = true)]
async fn a_line_held_by_another_concerns_its_own_device_only() {
    let bench = Bench::new();
    bench.pin(18, |pin| pin.holder = Some("spi0 CS1".to_owned()));
    let devices =
        [device("sos", DeviceKind::FixedAlarm, 17), device("bell", DeviceKind::Doorbell, 18)];
    let mut work = Work::begin(&bench, &devices);
    let mut said = [work.next().await, work.next().await];
    said.sort_by_key(|observation| observation.origin.device.to_string());
    let reason = online(&said[0]).reason.as_deref().unwrap();
    assert!(!online(&said[0]).online && reason.contains("`spi0 CS1`"), "{reason}");
    assert!(online(&said[1]).online);
    bench.drive(17, true);
    assert_eq!(work.next().await.fact, help(HelpState::Pressed));
    bench.drive(17, false);
    bench.pin(18, |pin| pin.holder = None);
    let back = work.next().await;
    assert!(online(&back).online && !back.baseline && back.origin.device.to_string() == "bell");
}

#[tokio::test(start_paused = true)]
async fn a_chip_that_goes_away_ends_the_driver() {
    let bench = Bench::new();
    let mut work = Work::begin(&bench, &[device("sos", DeviceKind::FixedAlarm, 17)]);
    work.next().await;
    let lost = LineError::Lost { chip: "/dev/gpiochip0".into(), line: 17, reason: "ENODEV".into() };
    bench.pin(17, |pin| pin.edges.as_ref().unwrap().send(Err(lost)).unwrap());
    let error = work.end.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "pins: line 17 of /dev/gpiochip0 was lost: ENODEV; look whether the chip is still there"
    );
}

#[tokio::test(start_paused = true)]
async fn a_siren_obeys_ends_by_itself_and_is_off_at_the_end() {
    let bench = Bench::new();
    let mut work = Work::begin(&bench, &[device("siren", DeviceKind::Siren, 22)]);
    work.next().await;
    let quiet = work.next().await;
    assert_eq!((quiet.fact, quiet.baseline), (Siren { sounding: false }.into(), true));
    work.ask("siren", Action::Sound { seconds: 5 }).await.unwrap();
    let begin = Instant::now();
    assert_eq!(work.next().await.fact, Siren { sounding: true }.into());
    assert_eq!(work.next().await.fact, Siren { sounding: false }.into());
    assert!((5000..5010).contains(&begin.elapsed().as_millis()));
    work.ask("siren", Action::Sound { seconds: 60 }).await.unwrap();
    work.ask("siren", Action::Hush).await.unwrap();
    work.ask("siren", Action::Sound { seconds: 60 }).await.unwrap();
    for sounding in [true, false, true] {
        assert_eq!(work.next().await.fact, Siren { sounding }.into());
    }
    work.stop.cancel();
    work.end.await.unwrap().unwrap();
    let output = bench.pin(22, |pin| pin.output.clone());
    assert_eq!(output[..6], [false, true, false, true, false, true]);
    assert!(!output.last().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_light_on_a_relay_blinks_and_is_not_switched_while_it_is_held() {
    let bench = Bench::new();
    let mut work = Work::begin(&bench, &[device("lamp", DeviceKind::Siren, 22)]);
    work.next().await;
    work.next().await;
    let with = anju_model::config::Announcer::Light;
    work.ask("lamp", Action::Flash { seconds: 5, with }).await.unwrap();
    assert_eq!(work.next().await.fact, Siren { sounding: true }.into());
    assert_eq!(work.next().await.fact, Siren { sounding: false }.into());
    let edges = || {
        let mut levels = bench.pin(22, |pin| pin.output.clone());
        levels.dedup();
        levels
    };
    assert_eq!(edges(), [false, true, false, true, false, true, false]);
    work.ask("lamp", Action::Flash { seconds: 60, with }).await.unwrap();
    work.ask("lamp", Action::Hold).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(edges().len(), 8, "on, and left so");
    work.ask("lamp", Action::Hush).await.unwrap();
    assert_eq!(edges().last(), Some(&false));
}

#[tokio::test(start_paused = true)]
async fn what_can_not_obey_says_so() {
    let bench = Bench::new();
    bench.pin(22, |pin| pin.holder = Some("a fan".to_owned()));
    let devices =
        [device("sos", DeviceKind::FixedAlarm, 17), device("siren", DeviceKind::Siren, 22)];
    let work = Work::begin(&bench, &devices);
    let sos = DeviceId::new("sos").unwrap();
    assert_eq!(work.ask("sos", Action::Hush).await, Err(Refused::NotAble(sos)));
    let refused = work.ask("siren", Action::Hush).await.unwrap_err().to_string();
    assert!(refused.contains("held by `a fan`"), "{refused}");
}

#[tokio::test]
async fn unsound_devices_are_faults_and_the_others_are_served() {
    let bench = Bench::new();
    let mut elsewhere = device("other", DeviceKind::Doorbell, 1);
    elsewhere.link = LinkId::new("zigbee").unwrap();
    let devices = [
        device("sos", DeviceKind::FixedAlarm, 17),
        device("twin", DeviceKind::Doorbell, 17),
        device("scale", DeviceKind::BodyScale, 18),
        elsewhere,
    ];
    let (driver, faults) = plan(&bench, &devices);
    let driver = driver.unwrap();
    let served: Vec<String> = driver.devices().iter().map(|o| o.device.to_string()).collect();
    assert_eq!(served, ["sos"]);
    assert_eq!(driver.claims(), [Claim::GpioLine { chip: "/dev/gpiochip0".into(), line: 17 }]);
    let parts: Vec<&str> = faults.iter().map(|fault| fault.part.as_str()).collect();
    assert_eq!(parts, ["twin", "scale"]);
    assert!(plan(&bench, &devices[2..]).0.is_none());
}

#[test]
fn the_list_of_kinds_is_what_the_driver_serves() {
    for kind in DeviceKind::ALL {
        let listed = SERVES.iter().any(|row| row.kind == kind);
        let mut pins = BTreeSet::new();
        assert_eq!(unit(&device("x", kind, 3), &mut pins).is_ok(), listed, "{kind}");
    }
}

/// A supervised detector: `pin` closes when it signals, `loop_pin` is closed at rest.
fn supervised(id: &str, kind: DeviceKind, pin: u32, loop_pin: u32) -> Device {
    let mut device = device(id, kind, pin);
    if let Binding::Gpio(binding) = &mut device.binding {
        binding.loop_pin = Some(loop_pin);
    }
    device
}

fn trouble(observation: Observation) -> Trouble {
    let Fact::Trouble(trouble) = observation.fact else { panic!("{observation:?}") };
    trouble
}

#[tokio::test(start_paused = true)]
async fn a_cut_and_a_shorted_cable_are_told_apart_from_an_alarm() {
    let bench = Bench::new();
    bench.pin(18, |pin| pin.closed = true);
    let devices = [supervised("sos", DeviceKind::FixedAlarm, 17, 18)];
    let mut work = Work::begin(&bench, &devices);
    assert!(online(&work.next().await).online);
    // Both lines are held now.
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Pressed and let go: the contact goes from one throw to the other and back.
    bench.drive(18, false);
    bench.drive(17, true);
    assert_eq!(work.next().await.fact, help(HelpState::Pressed));
    bench.drive(17, false);
    bench.drive(18, true);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(work.reports.try_recv().is_err(), "a press is no trouble");
    bench.drive(18, false);
    let cut = trouble(work.next().await);
    assert!(cut.active && cut.reason.contains("cut"), "{cut:?}");
    bench.drive(18, true);
    assert!(!trouble(work.next().await).active);
    // A short looks like a press, which it must; then it is told for what it is.
    bench.drive(17, true);
    assert_eq!(work.next().await.fact, help(HelpState::Pressed));
    let shorted = trouble(work.next().await);
    assert!(shorted.active && shorted.reason.contains("shorted"), "{shorted:?}");
}

#[tokio::test(start_paused = true)]
async fn pulses_are_counted_on_from_the_last_reading() {
    let bench = Bench::new();
    let devices = [device("water", DeviceKind::WaterMeter, 6)];
    let litres = |observation: &Observation| match &observation.fact {
        Fact::Meter(meter) => meter.volume_litres,
        _ => None,
    };
    let readings = Readings::default();
    let mut work = Work::recalling(&bench, &devices, readings.clone());
    assert!(online(&work.next().await).online);
    let first = work.next().await;
    assert_eq!((litres(&first), first.baseline), (Some(0.0), true));
    let pulse = |bench: &Bench| {
        bench.drive(6, true);
        bench.drive(6, false);
    };
    pulse(&bench);
    let first = work.next().await;
    assert_eq!((litres(&first), first.baseline), (Some(10.0), false));
    // Those that follow within the minute are told together.
    let told = Instant::now();
    pulse(&bench);
    pulse(&bench);
    let third = work.next().await;
    assert_eq!(litres(&third), Some(30.0));
    assert!(told.elapsed() >= Duration::from_secs(60), "{:?}", told.elapsed());
    // What was not told when the box stops is told then.
    pulse(&bench);
    tokio::time::sleep(Duration::from_secs(1)).await;
    work.stop.cancel();
    let last = work.next().await;
    assert_eq!(litres(&last), Some(40.0));
    work.end.await.unwrap().unwrap();
    readings.note(&last);
    bench.pin(6, |pin| (pin.holder, pin.closed) = (None, true));
    let mut again = Work::recalling(&bench, &devices, readings);
    assert!(online(&again.next().await).online);
    assert_eq!(litres(&again.next().await), Some(40.0), "a contact that is closed is no pulse");
    bench.drive(6, false);
    pulse(&bench);
    assert_eq!(litres(&again.next().await), Some(50.0));
}

#[tokio::test(start_paused = true)]
async fn a_pressure_strip_and_a_lid_say_what_they_are() {
    let bench = Bench::new();
    bench.pin(3, |pin| pin.closed = true);
    let devices =
        [device("strap", DeviceKind::BedStrap, 2), device("pills", DeviceKind::PillBox, 3)];
    let mut work = Work::begin(&bench, &devices);
    let mut found = Vec::new();
    for _ in 0..3 {
        found.push(work.next().await);
    }
    assert!(found.iter().all(|said| said.baseline), "{found:?}");
    let bed = |occupied| Fact::from(anju_model::observation::Bed { occupied });
    assert!(found.iter().any(|said| said.fact == bed(false)));
    bench.drive(2, true);
    assert_eq!(work.next().await.fact, bed(true));
    bench.drive(3, false);
    let opened = anju_model::observation::MedicationState::Opened;
    assert_eq!(
        work.next().await.fact,
        anju_model::observation::Medication { state: opened }.into()
    );
    bench.drive(3, true);
    bench.drive(2, false);
    assert_eq!(work.next().await.fact, bed(false), "a lid that closes says nothing");
}
