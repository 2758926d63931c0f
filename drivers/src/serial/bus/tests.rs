//! The bus in virtual time: who is polled when, what is told and what is not, and how a device is
//! found of which nothing but its kind is known.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use anju_model::config::{Binding, Parity, SerialProtocol, StatusProfile};
use anju_model::observation::{Identity, Meter as Reading, Trouble};
use anju_model::{DeviceId, DeviceKind, Fact};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::driver::Report;
use crate::serial::dlt645::{Address, Frame};
use crate::serial::stream::Stream;

/// What the simulated meters do from now on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Habit {
    Answers,
    Silent,
    Refuses(u8),
}

const ENERGY: &[u8] = &[0x59, 0x33, 0x33, 0x33];
const POWER: &[u8] = &[0x45, 0x58, 0x33];
const VOLTAGE: &[u8] = &[0x34, 0x43];

/// The near end of the wires, which shows how it is set.
struct Tuned(DuplexStream, watch::Sender<Line>);

impl Wires for Tuned {
    fn tune(&mut self, line: Line) -> Result<(), String> {
        self.1.send_replace(line);
        Ok(())
    }
}

impl AsyncRead for Tuned {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tuned {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A reply built by hand, so that the codec is not tested against itself.
fn reply(address: [u8; 6], control: u8, data: &[&[u8]]) -> Vec<u8> {
    let data = data.concat();
    let mut wire = vec![0xFE, 0x68];
    wire.extend(address);
    wire.extend([0x68, control, u8::try_from(data.len()).unwrap()]);
    wire.extend(data);
    wire.push(wire[1..].iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    wire.push(0x16);
    wire
}

/// Meters 1 and 2; the habits are theirs.
async fn simulate(
    mut wires: DuplexStream,
    habits: watch::Receiver<[Habit; 2]>,
    (line, theirs): (watch::Receiver<Line>, Line),
) {
    let mut parser = Stream::<Frame>::default();
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = wires.read(&mut bytes).await {
        for Frame { address, control, data } in parser.feed(&bytes[..count]).into_iter().flatten() {
            if *line.borrow() != theirs {
                continue;
            }
            if control == 0x13 {
                let own = [0x33 + 1, 0x33, 0x33, 0x33, 0x33, 0x33];
                wires.write_all(&reply([1, 0, 0, 0, 0, 0], 0x93, &[&own])).await.unwrap();
                continue;
            }
            assert_eq!(control, 0x11);
            let number = if address == Address::parse("1").unwrap() { 1 } else { 2 };
            let habit = habits.borrow()[usize::from(number) - 1];
            let figures = match data.as_slice() {
                [0, 0, 1, 0] => ENERGY,
                [0, 0, 3, 2] => POWER,
                [0, 1, 1, 2] => VOLTAGE,
                // Current, state and clock are not known to these.
                _ => continue,
            };
            let asked: Vec<u8> = data.iter().map(|byte| byte + 0x33).collect();
            let address = [number, 0, 0, 0, 0, 0];
            let wire = match habit {
                Habit::Answers => reply(address, 0x91, &[&asked, figures]),
                Habit::Refuses(bits) => reply(address, 0xD1, &[&[bits + 0x33]]),
                Habit::Silent => continue,
            };
            if wires.write_all(&wire).await.is_err() {
                return;
            }
        }
    }
}

struct Lab {
    reports: mpsc::Receiver<Report>,
    habits: watch::Sender<[Habit; 2]>,
    begun: Instant,
}

const LINE: Line = Line::new(2400, Parity::Even);

fn binding(address: Option<&str>) -> SerialBinding {
    SerialBinding {
        protocol: Some(SerialProtocol::Dlt645),
        address: address.map(str::to_owned),
        poll: Duration::from_secs(60),
        model: None,
        profile: StatusProfile::Standard,
        step_litres: None,
    }
}

fn link(line: Option<Line>) -> SerialLink {
    SerialLink {
        path: "/dev/null".into(),
        baud: line.map(|line| line.baud),
        parity: line.map(|line| line.parity),
        stop_bits: 1,
    }
}

fn device(id: &str, binding: SerialBinding) -> Device {
    Device {
        id: DeviceId::new(id).unwrap(),
        kind: DeviceKind::ElectricityMeter,
        name: id.to_owned(),
        room: None,
        person: None,
        link: LinkId::new("bus").unwrap(),
        binding: Binding::Serial(binding),
        heard_within: None,
        announces: None,
    }
}

fn lab(habits: [Habit; 2], poll: Duration) -> Lab {
    let bindings = ["1", "2"].map(|digits| SerialBinding { poll, ..binding(Some(digits)) });
    start(habits, &bindings, &link(Some(LINE)), LINE)
}

/// Meters called `meter-1` and so on, on wires that are set as `theirs`.
fn start(habits: [Habit; 2], bindings: &[SerialBinding], link: &SerialLink, theirs: Line) -> Lab {
    let (near, far) = duplex(1024);
    let (tell, told) = watch::channel(habits);
    let first = Line::new(110, Parity::None);
    let (set, line) = watch::channel(first);
    tokio::spawn(simulate(far, told, (line, theirs)));
    let begun = Instant::now();
    let members = bindings.iter().enumerate().map(|(at, binding)| {
        let device = device(&format!("meter-{}", at + 1), binding.clone());
        Member {
            meter: Meter::new(device.origin(), binding.poll, begun),
            approach: Approach::new(candidates(device.kind, binding, link)).unwrap(),
        }
    });
    let members = members.collect();
    let (tx, reports) = mpsc::channel(16);
    let (_, commands) = mpsc::channel(1);
    let context = Context::new(tx, commands, CancellationToken::new());
    let port = Port::new(Tuned(near, set), &link.path, first);
    tokio::spawn(async move { round(port, members, &context).await });
    Lab { reports, habits: tell, begun }
}

impl Lab {
    /// The next report and the seconds since the beginning.
    async fn next(&mut self) -> (String, Fact, bool, u64) {
        let report = loop {
            let report = self.reports.recv().await.unwrap().observation;
            // Tested by itself.
            if !matches!(report.fact, Fact::Identity(_)) {
                break report;
            }
        };
        let device = report.origin.device.to_string();
        (device, report.fact, report.baseline, self.begun.elapsed().as_secs())
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_reading_is_told_each_quarter_of_an_hour() {
    let mut lab = lab([Habit::Answers, Habit::Answers], Duration::from_secs(60));
    let expected = Fact::Meter(Reading {
        energy_watt_hours: Some(260.0),
        power_watts: Some(251.2),
        voltage_volts: Some(100.1),
        resolution: Some(10.0),
        ..Reading::default()
    });
    for (quarter, baseline) in [(0, true), (900, false), (1800, false)] {
        for device in ["meter-1", "meter-2"] {
            let (who, fact, base, at) = lab.next().await;
            assert_eq!((who.as_str(), &fact, base), (device, &expected, baseline));
            assert!((quarter..quarter + 61).contains(&at), "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_meter_is_told_lost_once_and_back_once_and_starves_nobody() {
    let mut lab = lab([Habit::Silent, Habit::Answers], Duration::from_secs(5));
    let (who, _, baseline, at) = lab.next().await;
    assert!(who == "meter-2" && baseline && at < 5, "{who} {at}");
    let (who, fact, _, at) = lab.next().await;
    assert_eq!(who, "meter-1");
    assert!(
        matches!(&fact, Fact::Online(Online { online: false, reason: Some(why) })
            if why.contains("000000000001") && why.contains("no answer")),
        "{fact:?}"
    );
    assert!((10..20).contains(&at), "{at}");
    let (who, fact, _, at) = lab.next().await;
    assert!(who == "meter-2" && matches!(fact, Fact::Meter(_)), "{who} {fact:?}");
    assert!((900..907).contains(&at), "{at}");
    lab.habits.send([Habit::Answers; 2]).unwrap();
    let (who, fact, ..) = lab.next().await;
    assert_eq!((who.as_str(), fact), ("meter-1", Online { online: true, reason: None }.into()));
    let (who, fact, ..) = lab.next().await;
    assert!(who == "meter-1" && matches!(fact, Fact::Meter(_)), "{who} {fact:?}");
    let (who, fact, _, at) = lab.next().await;
    assert!(matches!(fact, Fact::Meter(_)), "{who} {fact:?} {at}");
    assert!(at >= 1800, "{at}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_when_it_begins_and_when_it_ends() {
    let mut lab = lab([Habit::Refuses(0x04), Habit::Silent], Duration::from_secs(60));
    let (_, fact, ..) = lab.next().await;
    assert!(
        matches!(&fact, Fact::Trouble(Trouble { active: true, reason })
            if reason.contains("energy: wrong password or not allowed")),
        "{fact:?}"
    );
    let (who, fact, ..) = lab.next().await;
    assert!(who == "meter-2" && matches!(fact, Fact::Online(_)), "{who} {fact:?}");
    lab.habits.send([Habit::Answers, Habit::Silent]).unwrap();
    let (_, fact, ..) = lab.next().await;
    assert!(matches!(&fact, Fact::Trouble(Trouble { active: false, .. })), "{fact:?}");
    let (_, fact, ..) = lab.next().await;
    assert!(matches!(fact, Fact::Meter(_)), "{fact:?}");
}

#[tokio::test(start_paused = true)]
async fn protocol_speed_parity_and_address_are_found() {
    let open = SerialBinding { protocol: None, ..binding(None) };
    let theirs = Line::new(4800, Parity::Even);
    let mut lab = start([Habit::Answers; 2], &[open], &link(None), theirs);
    let identity = lab.reports.recv().await.unwrap().observation;
    assert!(identity.baseline);
    let expected = Identity {
        protocol: Some("dlt645".into()),
        line: Some("4800 8E1".into()),
        address: Some("000000000001".into()),
        ..Identity::default()
    };
    assert_eq!(identity.fact, Fact::Identity(expected));
    let (_, fact, baseline, at) = lab.next().await;
    assert!(matches!(fact, Fact::Meter(_)) && baseline, "{fact:?}");
    assert!(at < 30, "{at}");
}

#[tokio::test(start_paused = true)]
async fn who_is_looked_for_does_not_keep_the_others_waiting() {
    let open = SerialBinding { protocol: None, ..binding(Some("2")) };
    let known = SerialBinding { poll: Duration::from_secs(5), ..binding(Some("1")) };
    let mut lab = start([Habit::Answers, Habit::Silent], &[open, known], &link(None), LINE);
    let (who, fact, _, at) = lab.next().await;
    assert!(who == "meter-2" && matches!(fact, Fact::Online(_)) || at < 10, "{who} {fact:?} {at}");
    let mut found = false;
    for _ in 0..2 {
        let (who, fact, ..) = lab.next().await;
        found |= who == "meter-1"
            && matches!(&fact, Fact::Online(Online { online: false, reason: Some(why) }) if why.contains("protocols and speeds"));
    }
    assert!(found);
}
