//! A large home: 300 Zigbee devices with a message a second each, 32 meters on four serial buses,
//! and 30 Bluetooth adverts a second. Processor time, memory beside bare sled, and whether an alarm is still as quick.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialStream};

use crate::failure::{Failure, Outcome};
use crate::figures::{Bound, Figure, percentile};
use crate::floor::echo;
use crate::lab::{Home, Lab, Process, settle};
use crate::mqtt::{Arrived, Client};
use crate::process::{cpu_seconds, pss_mib};
use crate::scene::air::{self, Air};
use crate::scene::latency::Pressed;

const DEVICES: usize = 300;
const BUSES: usize = 4;
const METERS: usize = 8;

/// Kinds of the devices, in turn.
const KINDS: [&str; 4] = ["motion", "door-contact", "climate", "smoke"];

/// Measures.
pub async fn run(lab: &Lab) -> Outcome<Vec<Figure>> {
    let mut centre = lab.centre("large").await?;
    let mut text = Home::zigbee("sos", "fixed-alarm");
    for n in 0..DEVICES {
        text += &Home::zigbee(&format!("z-{n}"), kind(n));
    }
    let mut wires = Vec::new();
    for bus in 0..BUSES {
        let (path, ends) = meters()?;
        wires.push(ends);
        text += &format!("[links.bus-{bus}]\nkind = \"serial\"\npath = {path:?}\n");
        for meter in 0..METERS {
            text += &format!(
                "[[device]]\nid = \"e-{bus}-{meter}\"\nkind = \"electricity-meter\"\n\
                 name = \"{bus}-{meter}\"\nlink = \"bus-{bus}\"\nprotocol = \"dlt645\"\n\
                 address = \"0000000000{bus}{meter}\"\npoll = \"5s\"\n"
            );
        }
    }
    text += &air::rows();
    let (mut air, bluetoothd) = Air::begin(lab).await?;
    let home = Home::new(lab, "large", &text)?;
    let zigbee = Client::connect("devices-large", lab.port, &[]).await?;
    let anju = home.start_on(&[("DBUS_SYSTEM_BUS_ADDRESS", &air.bus)])?;
    air.advertise(bluetoothd);
    let pause = Duration::from_millis(50);
    home.press_until_heard(&zigbee, &mut centre, "sos", pause).await?;
    let traffic = tokio::spawn(traffic(zigbee, home.topic("")));
    let figures = measure(lab, &home, anju, &mut centre).await;
    traffic.abort();
    wires.into_iter().for_each(|wire| wire.abort());
    figures
}

async fn measure(
    lab: &Lab,
    home: &Home,
    anju: Process,
    centre: &mut Client,
) -> Outcome<Vec<Figure>> {
    let presses = Client::connect("devices-large-sos", lab.port, &[]).await?;
    let mut echoed = Client::connect("centre-echo-large", lab.port, &[echo::ALERTS]).await?;
    let file = lab.dir.path().join("echo-large");
    let (port, path) = (lab.port.to_string(), file.to_string_lossy().into_owned());
    let _echo = lab.floor(&["echo", &port, &path])?;
    let name = "300 Zigbee devices at 1/s, 32 meters, 30 adverts/s: processor";
    let mut cpu = Figure::new(name, "% of a core", Bound::AtMost(10.0));
    let rows = [("p50", 0.5), ("p99", 0.99)];
    let mut latency = rows.map(|(name, _)| {
        Figure::new(format!("  press to alert, {name}"), "ms", Bound::TimesFloor(2.0))
    });
    let mut pressed = Pressed::new();
    // The first readings of all devices are news; what follows is everyday.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for _ in 0..lab.runs {
        let (began, used) = (Instant::now(), cpu_seconds(anju.pid())?);
        tokio::time::sleep(Duration::from_secs(lab.amount(8, 3) as u64)).await;
        let share = (cpu_seconds(anju.pid())? - used) / began.elapsed().as_secs_f64();
        cpu.alone(share * 100.0);
        settle(centre).await;
        let (mut ours, mut floor) = (Vec::new(), Vec::new());
        for _ in 0..lab.amount(8, 1) {
            let sos = home.topic("sos");
            floor.extend(pressed.turn(&presses, &mut echoed, echo::PRESSES, |_| true).await?);
            ours.extend(pressed.turn(&presses, centre, &sos, Arrived::is_call).await?);
        }
        for (figure, (_, part)) in latency.iter_mut().zip(rows) {
            figure.beside(percentile(&mut ours, part), percentile(&mut floor, part));
        }
    }
    let mut memory = Figure::new("  memory (PSS)", "MiB", Bound::FloorPlus(20.0));
    let ours = pss_mib(anju.pid())?;
    anju.stop()?;
    let export = home.export()?;
    let mut read = Figure::new("  meters that were read", "meters", Bound::AtLeast(32.0));
    let told = (0..BUSES * METERS).filter(|n| {
        let (bus, meter) = (n / METERS, n % METERS);
        let id = format!("\"device\":\"e-{bus}-{meter}\"");
        export.lines().any(|line| line.contains(".meter\"") && line.contains(&id))
    });
    read.alone(told.count() as f64);
    let most = air::ENROLLED as f64;
    let mut heard =
        Figure::new("  Bluetooth devices that were heard", "devices", Bound::AtLeast(most));
    let told = (0..air::ENROLLED).filter(|n| export.contains(&format!("\"device\":\"b-{n}\"")));
    heard.alone(told.count() as f64);
    let mut bare = lab.floor(&["hold", &home.data.join("journal").to_string_lossy()])?;
    memory.beside(ours, pss_mib(bare.pid())?);
    bare.let_go()?;
    Ok([cpu, memory, read, heard].into_iter().chain(latency).collect())
}

fn kind(n: usize) -> &'static str {
    KINDS.get(n % KINDS.len()).copied().unwrap_or_default()
}

/// 300 messages a second, each as zigbee2mqtt sends it: the whole state, of which some changes.
async fn traffic(zigbee: Client, base: String) {
    let mut second = 0usize;
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        for tenth in 0..10 {
            tick.tick().await;
            for n in (0..DEVICES).filter(|n| n % 10 == tenth) {
                let quality = (second * 7 + n) % 256;
                let fact = match kind(n) {
                    "motion" => format!("\"occupancy\":{}", (second / 30 + n).is_multiple_of(2)),
                    "door-contact" => format!("\"contact\":{}", !(second + n).is_multiple_of(60)),
                    "climate" => format!(
                        "\"temperature\":{}.{},\"humidity\":{}",
                        20 + n % 5,
                        second % 10,
                        40 + (second / 10) % 20
                    ),
                    _ => "\"smoke\":false,\"test\":false".to_owned(),
                };
                let payload = format!(
                    "{{\"battery\":{},\"battery_low\":false,{fact},\"linkquality\":{quality},\
                     \"tamper\":false,\"voltage\":3000}}",
                    100 - n % 20
                );
                if zigbee.say(&format!("{base}z-{n}"), payload).is_err() {
                    return;
                }
            }
        }
        second += 1;
    }
}

/// Eight meters on one wire, at the far end of a pseudo terminal. They answer any request to read
/// with the energy that grows, as a DL/T 645-2007 meter does (clauses 5.2 and 7.1).
fn meters() -> Outcome<(String, tokio::task::JoinHandle<()>)> {
    let pair = SerialStream::pair();
    let (wires, held) =
        pair.map_err(|error| Failure::Io("making a pseudo terminal", error.into()))?;
    let path = held.name().ok_or_else(|| Failure::Missed("a terminal has no name".into()))?;
    Ok((path, tokio::spawn(play(wires, held))))
}

async fn play(mut wires: SerialStream, _held: SerialStream) {
    let mut heard = Vec::new();
    let mut bytes = [0; 64];
    let mut energy = 0u32;
    while let Ok(count @ 1..) = wires.read(&mut bytes).await {
        heard.extend_from_slice(bytes.get(..count).unwrap_or_default());
        let wakes = heard.iter().take_while(|byte| **byte == 0xFE).count();
        let Some(request) = heard.get(wakes..wakes + 16) else { continue };
        let reply = reply(request, energy);
        heard.clear();
        energy += 1;
        if wires.write_all(&reply).await.is_err() {
            return;
        }
    }
}

fn reply(request: &[u8], energy: u32) -> Vec<u8> {
    let address = request.get(1..7).unwrap_or_default();
    let item = request.get(10..14).unwrap_or_default();
    let digits: Vec<u8> = format!("{energy:08}").into_bytes();
    let pairs = digits.chunks(2).rev();
    let mut value: Vec<u8> =
        pairs.map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | (digit - b'0'))).collect();
    // Energy has four bytes, power three, voltage two; the identifier's third byte tells.
    value.truncate(match item.get(2..) {
        Some([0x34, 0x33]) => 4,
        Some([0x36, 0x35]) => 3,
        _ => 2,
    });
    let mut frame = vec![0x68];
    frame.extend_from_slice(address);
    frame.extend_from_slice(&[0x68, 0x91, 4 + value.len() as u8]);
    frame.extend_from_slice(item);
    frame.extend(value.iter().map(|byte| byte.wrapping_add(0x33)));
    frame.push(frame.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)));
    frame.push(0x16);
    frame
}
