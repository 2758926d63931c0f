//! The bus in virtual time: who is polled when, what is told and what is not.

use std::time::Duration;

use anju_model::config::{Parity, SerialLink};
use anju_model::observation::{Meter as Reading, Online, Origin, Trouble};
use anju_model::{DeviceId, DeviceKind, Fact};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::driver::Report;
use crate::serial::dlt645::{Address, Frame, Parser};

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
async fn simulate(mut wires: DuplexStream, habits: watch::Receiver<[Habit; 2]>) {
    let mut parser = Parser::default();
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = wires.read(&mut bytes).await {
        for Frame { address, control, data } in parser.feed(&bytes[..count]).into_iter().flatten() {
            assert_eq!(control, 0x11);
            let number = if address == Address::parse("1").unwrap() { 1 } else { 2 };
            let habit = habits.borrow()[usize::from(number) - 1];
            let figures = match data.as_slice() {
                [0, 0, 1, 0] => ENERGY,
                [0, 0, 3, 2] => POWER,
                [0, 1, 1, 2] => VOLTAGE,
                other => panic!("{other:?}"),
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

fn lab(habits: [Habit; 2], poll: Duration) -> Lab {
    let (near, far) = duplex(1024);
    let (tell, told) = watch::channel(habits);
    tokio::spawn(simulate(far, told));
    let link =
        SerialLink { path: "/dev/null".into(), baud: 2400, parity: Parity::Even, stop_bits: 1 };
    let begun = Instant::now();
    let meters = ["1", "2"].map(|digits| {
        let origin = Origin {
            device: DeviceId::new(&format!("meter-{digits}")).unwrap(),
            kind: DeviceKind::ElectricityMeter,
            room: None,
            person: None,
        };
        Meter::new(origin, Address::parse(digits).unwrap(), poll, begun)
    });
    let (tx, reports) = mpsc::channel(16);
    let (_, commands) = mpsc::channel(1);
    let context = Context::new(tx, commands, CancellationToken::new());
    tokio::spawn(async move { run(Port::new(near, &link), meters.into(), &context).await });
    Lab { reports, habits: tell, begun }
}

impl Lab {
    /// The next report and the seconds since the beginning.
    async fn next(&mut self) -> (String, Fact, bool, u64) {
        let report = self.reports.recv().await.unwrap().observation;
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
