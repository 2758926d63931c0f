//! A busy air: a message bus of the bench's own, with a peer where `bluetoothd` would be. It answers
//! what is asked of an adapter that scans, and signals 30 adverts a second, each as `bluetoothd`
//! does: one `PropertiesChanged` of the device with its strength and what it carries. What a radio,
//! the kernel and `bluetoothd` itself cost is not in it.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::task::JoinHandle;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream, ObjectPath, Variant};

use crate::failure::{Failure, Outcome};
use crate::lab::{Lab, Process};
use crate::mqtt::DEADLINE;

/// Of each sort so many devices, each with an advert a second.
const EACH: usize = 10;
/// Devices that the home has enrolled: hygrometers and beacons.
pub const ENROLLED: usize = 2 * EACH;
const ADAPTER_PATH: &str = "/org/bluez/hci0";
const ADAPTER: &str = "org.bluez.Adapter1";
const DEVICE: &str = "org.bluez.Device1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BTHOME: &str = "0000fcd2-0000-1000-8000-00805f9b34fb";
const APPLE: u16 = 0x004C;

type Fields = HashMap<&'static str, Variant<'static>>;

/// The air while it lasts.
pub struct Air {
    /// The bus's address.
    pub bus: String,
    _daemon: Process,
    tasks: Vec<JoinHandle<()>>,
}

impl Air {
    /// Starts the bus and the peer; nothing is advertised yet.
    pub async fn begin(lab: &Lab) -> Outcome<(Self, Connection)> {
        let socket = lab.folder("air")?.join("bus");
        let bus = format!("unix:path={}", socket.display());
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--address"]).arg(&bus);
        let daemon = Process::start(command.stdin(Stdio::null()).stderr(Stdio::null()))?;
        let deadline = Instant::now() + DEADLINE;
        let connection = loop {
            match zbus::connection::Builder::address(bus.as_str()).build().await {
                Ok(connection) => break connection,
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        // Asked only after the calls are listened for.
        let calls = MessageStream::from(&connection);
        connection.request_name("org.bluez").await?;
        let tasks = vec![tokio::spawn(answer(connection.clone(), calls))];
        Ok((Self { bus, _daemon: daemon, tasks }, connection))
    }

    /// All devices advertise from now on.
    pub fn advertise(&mut self, connection: Connection) {
        self.tasks.push(tokio::spawn(advertise(connection)));
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The enrolled devices as TOML.
pub fn rows() -> String {
    let mut rows = "[links.radio]\nkind = \"ble\"\n".to_owned();
    for n in 0..ENROLLED {
        let (kind, protocol) = match sort(n) {
            Sort::Hygrometer => ("climate", "bthome"),
            _ => ("smart-badge", "ibeacon"),
        };
        rows += &format!(
            "[[device]]\nid = \"b-{n}\"\nkind = \"{kind}\"\nname = \"b-{n}\"\nlink = \"radio\"\n\
             protocol = \"{protocol}\"\naddress = \"{}\"\n",
            address(n)
        );
    }
    rows
}

enum Sort {
    Hygrometer,
    Beacon,
    /// A neighbour's telephone.
    Stranger,
}

fn sort(n: usize) -> Sort {
    match n / EACH {
        0 => Sort::Hygrometer,
        1 => Sort::Beacon,
        _ => Sort::Stranger,
    }
}

fn address(n: usize) -> String {
    format!("F1:00:00:00:01:{n:02X}")
}

/// What an advert of a device changes.
fn advert(n: usize, second: usize) -> Fields {
    let strength = ("RSSI", Variant::from(-60 - i16::try_from((second + n) % 20).unwrap_or(0)));
    let maker = |data: Vec<u8>| {
        ("ManufacturerData", Variant::from(HashMap::from([(APPLE, Variant::from(data))])))
    };
    let low = (second + n).to_le_bytes();
    let tenths = u16::try_from(2000 + (second / 10 * 10 + n) % 500).unwrap_or(2000);
    let [a, b] = tenths.to_le_bytes();
    let data = match sort(n) {
        // BTHome: packet number, temperature, humidity (https://bthome.io/format).
        Sort::Hygrometer => {
            let data = vec![0x40, 0x00, low[0], 0x02, a, b, 0x03, 0xBF, 0x13];
            let data = HashMap::from([(BTHOME.to_owned(), Variant::from(data))]);
            ("ServiceData", Variant::from(data))
        }
        Sort::Beacon => maker(vec![
            0x02, 0x15, 0xE2, 0xC5, 0x6D, 0xB5, 0xDF, 0xFB, 0x48, 0xD2, 0xB0, 0x60, 0xD0, 0xF5,
            0xA7, 0x10, 0x96, 0xE0, 0x00, 0x01, 0x02, low[0], 0xC5,
        ]),
        Sort::Stranger => maker(vec![0x10, 0x05, 0x27, low[0], low[1], 0x1C, 0x44]),
    };
    HashMap::from([strength, data])
}

async fn advertise(connection: Connection) {
    let devices = 3 * EACH;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / 30);
    for at in 0.. {
        tick.tick().await;
        let (n, second) = (at % devices, at / devices);
        let path = format!("{ADAPTER_PATH}/dev_{}", address(n).replace(':', "_"));
        let body = (DEVICE, advert(n, second), Vec::<&str>::new());
        let nobody = None::<&str>;
        let sent = connection.emit_signal(nobody, path, PROPERTIES, "PropertiesChanged", &body);
        if sent.await.is_err() {
            return;
        }
    }
}

/// What is asked of the adapter.
async fn answer(connection: Connection, mut calls: MessageStream) {
    while let Some(Ok(call)) = calls.next().await {
        if call.message_type() == Type::MethodCall && reply(&connection, &call).await.is_err() {
            return;
        }
    }
}

async fn reply(connection: &Connection, call: &Message) -> zbus::Result<()> {
    let header = call.header();
    let member = header.member().map(|member| member.to_string()).unwrap_or_default();
    match member.as_str() {
        "GetManagedObjects" => {
            let path = ObjectPath::try_from(ADAPTER_PATH)?;
            let objects = HashMap::from([(path, HashMap::from([(ADAPTER, adapter())]))]);
            connection.reply(&header, &(objects,)).await
        }
        "GetAll" => connection.reply(&header, &(adapter(),)).await,
        "Get" => {
            let body = call.body();
            let (_, name): (&str, &str) = body.deserialize()?;
            match adapter().remove(name) {
                Some(value) => connection.reply(&header, &(value,)).await,
                None => {
                    let error = "org.freedesktop.DBus.Error.InvalidArgs";
                    connection.reply_error(&header, error, &("no such property",)).await
                }
            }
        }
        // Filters, starts and stops of the scan, power.
        _ => connection.reply(&header, &()).await,
    }
}

fn adapter() -> Fields {
    HashMap::from([
        ("Address", Variant::from("F0:F0:F0:00:00:01")),
        ("AddressType", Variant::from("public")),
        ("Name", Variant::from("bench")),
        ("Alias", Variant::from("bench")),
        ("Class", Variant::from(0u32)),
        ("Modalias", Variant::from("usb:v1D6Bp0246d0542")),
        ("Powered", Variant::from(true)),
        ("Discoverable", Variant::from(false)),
        ("Pairable", Variant::from(true)),
        ("DiscoverableTimeout", Variant::from(180u32)),
        ("PairableTimeout", Variant::from(0u32)),
        ("Discovering", Variant::from(true)),
        ("UUIDs", Variant::from(Vec::<String>::new())),
    ])
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        Self::Missed(format!("message bus: {error}; is dbus installed?"))
    }
}
