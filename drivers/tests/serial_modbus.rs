//! The serial driver against meters that pymodbus plays at the far end of two joined pseudo
//! terminals: an implementation of Modbus that shares nothing with ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anju_drivers::driver::{Context, Driver, Report};
use anju_drivers::serial;
use anju_model::config::{
    Binding, Device, SerialBinding, SerialLink, SerialProtocol, StatusProfile,
};
use anju_model::observation::{Identity, Meter};
use anju_model::{DeviceId, DeviceKind, Fact, LinkId};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_serial::{SerialPort, SerialStream};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(30);

/// The Python of the project's own environment, which `make test` makes.
fn python() -> std::path::PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
    assert!(python.exists(), "{}: run `make python`", python.display());
    python
}

/// The meters' port, and what keeps them alive.
struct Peer {
    path: std::path::PathBuf,
    _python: Child,
    _ends: [SerialStream; 2],
}

async fn peer() -> Peer {
    let (mut near, near_end) = SerialStream::pair().unwrap();
    let (mut far, far_end) = SerialStream::pair().unwrap();
    tokio::spawn(async move {
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/modbus.py");
    let mut child = Command::new(python())
        .arg(script)
        .arg(far_end.name().unwrap())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = timeout(DEADLINE, lines.next_line()).await.expect("pymodbus in time");
    assert_eq!(ready.unwrap().as_deref(), Some("ready"));
    let path = near_end.name().unwrap().into();
    Peer { path, _python: child, _ends: [near_end, far_end] }
}

fn device(id: &str, kind: DeviceKind, protocol: Option<SerialProtocol>, unit: &str) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        kind,
        name: id.to_owned(),
        room: None,
        person: None,
        link: LinkId::new("bus").unwrap(),
        binding: Binding::Serial(SerialBinding {
            protocol,
            address: Some(unit.to_owned()),
            poll: Duration::from_millis(100),
            model: None,
            profile: StatusProfile::Standard,
            step_litres: None,
        }),
        heard_within: None,
        announces: None,
    }
}

struct Run {
    reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
    _commands: mpsc::Sender<anju_drivers::driver::DeviceCommand>,
}

fn run(path: &Path, devices: &[Device]) -> Run {
    let link = SerialLink { path: path.into(), baud: None, parity: None, stop_bits: 1 };
    let devices: Vec<&Device> = devices.iter().collect();
    let driver: Arc<dyn Driver> = serial::driver(&LinkId::new("bus").unwrap(), &link, &devices);
    let (tx, reports) = mpsc::channel(64);
    let (commands, rx) = mpsc::channel(4);
    let stop = CancellationToken::new();
    tokio::spawn(driver.run(Context::new(tx, rx, stop.clone())));
    Run { reports, stop, _commands: commands }
}

impl Run {
    /// The next fact of a device that fits.
    async fn fact<T>(&mut self, device: &str, fits: impl Fn(Fact) -> Option<T>) -> T {
        let wait = async {
            loop {
                let said = self.reports.recv().await.unwrap().observation;
                if said.origin.device.as_str() == device
                    && let Some(found) = fits(said.fact)
                {
                    return found;
                }
            }
        };
        timeout(DEADLINE, wait).await.expect("in time")
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn reading(fact: Fact) -> Option<Meter> {
    match fact {
        Fact::Meter(meter) => Some(meter),
        _ => None,
    }
}

#[tokio::test]
async fn meters_that_pymodbus_plays_are_read() {
    let peer = peer().await;
    let modbus = Some(SerialProtocol::Modbus);
    let mut run = run(
        &peer.path,
        &[
            device("sdm", DeviceKind::ElectricityMeter, modbus, "1"),
            device("tuf", DeviceKind::WaterUse, modbus, "2"),
            device("dry", DeviceKind::WaterUse, modbus, "3"),
        ],
    );
    let electricity = run.fact("sdm", reading).await;
    assert_eq!(electricity.energy_watt_hours, Some(1_234_560.0));
    assert_eq!(electricity.voltage_volts, Some(230.2));
    assert_eq!(electricity.current_amperes, Some(1.234));
    assert_eq!(electricity.power_watts, Some(251.2));
    let flow = run.fact("tuf", reading).await;
    assert_eq!(flow.flow_litres_per_hour, Some(360.0));
    assert_eq!(flow.volume_litres, Some(123_456.0));
    // Without a signal the flow is made up: trouble, and no reading.
    let (trouble, told) = run
        .fact("dry", |fact| match fact {
            Fact::Trouble(trouble) => Some((trouble, false)),
            Fact::Meter(_) => Some((
                anju_model::observation::Trouble { active: false, reason: String::new() },
                true,
            )),
            _ => None,
        })
        .await;
    assert!(trouble.active && !told && trouble.reason.contains("no signal"), "{trouble:?}");
}

#[tokio::test]
async fn the_protocol_of_a_meter_is_found() {
    let peer = peer().await;
    let mut run = run(&peer.path, &[device("open", DeviceKind::ElectricityMeter, None, "1")]);
    let identity = run
        .fact("open", |fact| match fact {
            Fact::Identity(identity) => Some(identity),
            _ => None,
        })
        .await;
    let expected = Identity {
        protocol: Some("modbus".into()),
        line: Some("9600 8N1".into()),
        address: Some("1".into()),
        model: Some("SDM120/SDM230".into()),
        ..Identity::default()
    };
    assert_eq!(identity, expected);
    assert_eq!(run.fact("open", reading).await.power_watts, Some(251.2));
}
