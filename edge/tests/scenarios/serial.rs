//! Meters of three protocols on one bus, whose adapter is not there at first, comes, is unplugged
//! and comes again. What they say are captured frames and bytes from the standards.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio_serial::{SerialPort, SerialStream};

use crate::common::{Box_, Broker, Peer};

/// A request by how it begins, and its reply.
type Talk = (Vec<u8>, Vec<u8>);

fn bytes(hex: &str) -> Vec<u8> {
    hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// A Modbus frame with its check sum, from the description of the serial line.
fn modbus(hex: &str) -> Vec<u8> {
    let mut frame = bytes(hex);
    let mut crc = 0xFFFFu16;
    for byte in &frame {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
        }
    }
    frame.extend(crc.to_le_bytes());
    frame
}

fn talks() -> Vec<Talk> {
    vec![
        // Electricity: only its energy is known, captured.
        (
            bytes("68 12 90 78 56 34 12 68 11 04 33 33 34 33"),
            bytes("FE FE 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67 45 33 54 16"),
        ),
        // Water, captured: it answers only to the other order of the data identifier.
        (
            bytes("68 10 26 13 06 07 00 33 78 01 03 1F 90"),
            bytes(
                "FE FE 68 10 26 13 06 07 00 33 78 81 16 1F 90 04 00 68 00 00 2C 00 00 00 00 2C \
                 00 00 00 00 00 00 00 00 00 73 16",
            ),
        ),
        // Flow: 0.36 m3/h, 0.4 m/s, 123.456 m3, the low word first; no error; quality 90.
        (
            bytes("02 03 00 00 00 0C"),
            modbus(
                "02 03 18 51 EC 3E B8 00 00 00 00 CC CD 3E CC 00 00 00 00 00 7B 00 00 78 D5 3E E9",
            ),
        ),
        (bytes("02 03 00 47 00 01"), modbus("02 03 02 00 00")),
        (bytes("02 03 00 5B 00 01"), modbus("02 03 02 00 5A")),
    ]
}

/// An adapter with the meters behind it.
struct Adapter {
    meters: JoinHandle<()>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Adapter {
    /// Plugs it in behind the name that never changes.
    fn plug_in(path: &Path) -> Self {
        let (master, slave) = SerialStream::pair().unwrap();
        let _ = std::fs::remove_file(path);
        std::os::unix::fs::symlink(slave.name().unwrap(), path).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let meters = tokio::spawn(play(master, slave, Arc::clone(&heard)));
        Self { meters, heard }
    }

    async fn unplug(self, path: &Path) {
        std::fs::remove_file(path).unwrap();
        self.meters.abort();
        let _ = self.meters.await;
        // Nothing but reading ever stood on the wires: 11, 12 and 13 of the one protocol, 01 of the
        // other. Its frames begin behind an FE.
        let heard = self.heard.lock().unwrap();
        for frame in heard.windows(11).filter(|window| window[..2] == [0xFE, 0x68]) {
            let electricity = frame[8] == 0x68 && (0x11..=0x13).contains(&frame[9]);
            assert!(electricity || frame[10] == 0x01, "{frame:02X?}");
        }
    }
}

async fn play(mut wires: SerialStream, held: SerialStream, all: Arc<Mutex<Vec<u8>>>) {
    let talks = talks();
    let mut heard: Vec<u8> = Vec::new();
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = wires.read(&mut bytes).await {
        heard.extend(&bytes[..count]);
        all.lock().unwrap().extend(&bytes[..count]);
        let asked = talks.iter().find(|(request, _)| {
            heard.windows(request.len()).any(|window| window == request.as_slice())
        });
        if let Some((_, reply)) = asked {
            heard.clear();
            wires.write_all(reply).await.unwrap();
        }
        let old = heard.len().saturating_sub(64);
        heard.drain(..old);
    }
    drop(held);
}

const METERS: &str = r#"
[[device]]
id = "electricity"
kind = "electricity-meter"
link = "rs485"
protocol = "dlt645"
address = "123456789012"
poll = "5s"
[[device]]
id = "water"
kind = "water-meter"
link = "rs485"
address = "78330007061326"
poll = "5s"
[[device]]
id = "tap"
kind = "water-use"
link = "rs485"
protocol = "modbus"
address = "2"
poll = "5s"
"#;

async fn said(centre: &mut Peer, device: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let kind = format!("cn.anju.observation.{what}");
    let got = centre.until(|got| {
        let event = got.json();
        event["type"] == kind && event["data"]["device"] == device && fits(&event["data"])
    });
    got.await.json()["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn meters_on_one_bus_are_read_as_their_adapter_comes_and_goes() {
    let (zigbee, upstream) = (Broker::start(), Broker::start());
    let mut anju = Box_::new(zigbee.port, upstream.port);
    let port = anju.dir.path().join("usb-rs485");
    let file = anju.dir.path().join("anju.toml");
    let mut config = std::fs::read_to_string(&file).unwrap();
    config += &format!("[links.rs485]\nkind = \"serial\"\npath = {port:?}\n{METERS}");
    std::fs::write(&file, config).unwrap();
    let mut centre = Peer::connect("centre", upstream.port, &["anju/1/+/events"]).await;
    anju.start();

    // Not plugged in yet: told as lost, with the mend.
    let lost = |data: &Value| data["online"] == false;
    let data = said(&mut centre, "electricity", "online", lost).await;
    assert!(data["reason"].as_str().unwrap().contains("plugged in"), "{data}");

    let adapter = Adapter::plug_in(&port);
    let data = said(&mut centre, "electricity", "meter", |_| true).await;
    assert_eq!(
        (&data["energy_watt_hours"], &data["resolution"]),
        (&1_234_560.0.into(), &10.0.into())
    );
    let mut seen = [false; 3];
    while seen != [true; 3] {
        let event = centre.until(|got| got.json()["data"]["device"].is_string()).await.json();
        let (data, kind) = (&event["data"], event["type"].as_str().unwrap());
        match (data["device"].as_str().unwrap(), kind) {
            ("water", "cn.anju.observation.identity") => {
                assert_eq!(data["protocol"], "cjt188", "{data}");
                seen[0] = true;
            }
            ("water", "cn.anju.observation.meter") => {
                // In steps of 10 L: less than that can not be proved.
                assert_eq!(
                    (&data["volume_litres"], &data["resolution"]),
                    (&68_000.0.into(), &10.0.into())
                );
                seen[1] = true;
            }
            ("tap", "cn.anju.observation.meter") => {
                assert_eq!(data["flow_litres_per_hour"], 360.0);
                assert_eq!(data["volume_litres"], 123_456.0);
                seen[2] = true;
            }
            _ => {}
        }
    }

    adapter.unplug(&port).await;
    said(&mut centre, "electricity", "online", lost).await;
    let adapter = Adapter::plug_in(&port);
    said(&mut centre, "electricity", "online", |data| data["online"] == true).await;
    let data = said(&mut centre, "electricity", "meter", |_| true).await;
    assert_eq!(data["baseline"], true, "{data}");
    adapter.unplug(&port).await;
}
