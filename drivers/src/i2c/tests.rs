//! Chips on a bus that plays recorded transactions, from the examples of Sensirion's data sheets.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anju_model::config::{Binding, Device, I2cBinding, I2cChip, I2cLink};
use anju_model::{DeviceId, DeviceKind, Fact, LinkId, Observation};
use proptest::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sensirion::{BadWords, crc, words};
use super::wires::{Bus, Wires};
use super::{I2cDriver, scd4x, sht3x};
use crate::driver::{Context, Driver, DriverError, Report};

/// One transaction as it was on the bus.
#[derive(Debug, Clone)]
enum On {
    Write(&'static [u8]),
    Read(&'static [u8]),
    /// Nobody acknowledges.
    Nack,
}

#[derive(Clone)]
struct Recorded(Arc<Mutex<VecDeque<On>>>);

impl Recorded {
    fn new(script: &[On]) -> Self {
        Self(Arc::new(Mutex::new(script.iter().cloned().collect())))
    }

    fn next(&self) -> io::Result<On> {
        match self.0.lock().unwrap().pop_front() {
            None | Some(On::Nack) => Err(io::Error::from_raw_os_error(121)),
            Some(on) => Ok(on),
        }
    }
}

impl Bus for Recorded {
    fn chip(&self, _: u8) -> io::Result<Box<dyn Wires>> {
        Ok(Box::new(self.clone()))
    }
}

impl Wires for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.next()? {
            On::Write(expected) => assert_eq!(bytes, expected),
            other => panic!("{bytes:02x?} was written, {other:02x?} was recorded"),
        }
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self.next()? {
            On::Read(recorded) => bytes.copy_from_slice(recorded),
            other => panic!("a read came, {other:02x?} was recorded"),
        }
        Ok(())
    }
}

struct Absent;

impl Bus for Absent {
    fn chip(&self, _: u8) -> io::Result<Box<dyn Wires>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn device(kind: DeviceKind, chip: I2cChip) -> Device {
    Device {
        id: DeviceId::new("room").unwrap(),
        kind,
        name: "room".to_owned(),
        room: None,
        person: None,
        link: LinkId::new("bus").unwrap(),
        binding: Binding::I2c(I2cBinding {
            chip,
            address: chip.usual_address(),
            poll: Duration::from_secs(60),
        }),
        heard_within: None,
        announces: None,
    }
}

struct Run {
    reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), DriverError>>,
    _commands: mpsc::Sender<crate::DeviceCommand>,
}

impl Run {
    fn start(kind: DeviceKind, chip: I2cChip, bus: Arc<dyn Bus>) -> Self {
        let link = I2cLink { path: "/dev/i2c-1".into() };
        let device = device(kind, chip);
        let driver = I2cDriver::with_bus(&device.link.clone(), &link, &[&device], bus);
        let (sender, reports) = mpsc::channel(16);
        let (commands, receiver) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let context = Context::new(sender, receiver, stop.clone());
        let task = tokio::spawn(Arc::new(driver).run(context));
        Self { reports, stop, task, _commands: commands }
    }

    async fn next(&mut self) -> Observation {
        self.reports.recv().await.unwrap().observation
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// 25.00 degrees and 37.0 per cent, words of the SCD4x data sheet's example.
const SHT_REPLY: &[u8] = &[0x66, 0x67, 0xA2, 0x5E, 0xB9, 0x3C];
/// 500 ppm, 25 degrees, 37 per cent (SCD4x data sheet, section 3.6.2).
const SCD_REPLY: &[u8] = &[0x01, 0xF4, 0x33, 0x66, 0x67, 0xA2, 0x5E, 0xB9, 0x3C];

fn celsius(said: &Observation) -> Option<f64> {
    match &said.fact {
        Fact::Climate(climate) => climate.celsius,
        _ => None,
    }
}

#[test]
fn the_data_sheets_examples_are_read() {
    // SHT3x-DIS, section 4.12.
    assert_eq!(crc(&[0xBE, 0xEF]), 0x92);
    let climate = sht3x::decode(SHT_REPLY).unwrap();
    assert_eq!(climate.celsius, Some(25.0));
    assert_eq!(climate.relative_humidity_percent, Some(37.0));
    let reading = scd4x::decode(SCD_REPLY).unwrap();
    assert_eq!(reading.air.unwrap().co2_ppm, Some(500.0));
    assert_eq!(reading.climate.unwrap().celsius, Some(25.0));
    assert!(!scd4x::is_ready(&[0x80, 0x00, crc(&[0x80, 0x00])]).unwrap());
    assert!(scd4x::is_ready(&[0x80, 0x06, crc(&[0x80, 0x06])]).unwrap());
}

#[test]
fn what_a_broken_bus_gives_is_no_reading() {
    assert_eq!(sht3x::decode(&[0; 6]), Err(BadWords::Crc { word: 0, wanted: 0x81, found: 0 }));
    assert!(sht3x::decode(&[0xFF; 6]).is_err());
    assert!(sht3x::decode(&SHT_REPLY[..5]).is_err());
    // Sound check sums and no sound figures.
    assert_eq!(sht3x::decode(&[0, 0, 0x81, 0, 0, 0x81]), Err(BadWords::Range));
    assert_eq!(
        scd4x::decode(&[0, 0, 0x81, 0x66, 0x67, 0xA2, 0x5E, 0xB9, 0x3C]),
        Err(BadWords::Range)
    );
}

proptest! {
    #[test]
    fn words_come_back(values in any::<[u16; 3]>()) {
        let sent: Vec<u8> = values
            .iter()
            .flat_map(|word| {
                let [high, low] = word.to_be_bytes();
                [high, low, crc(&[high, low])]
            })
            .collect();
        prop_assert_eq!(words::<3>(&sent).unwrap(), values);
    }

    #[test]
    fn one_wrong_bit_is_always_found(value in any::<u16>(), bit in 0_usize..24) {
        let [high, low] = value.to_be_bytes();
        let mut sent = [high, low, crc(&[high, low])];
        sent[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(words::<1>(&sent).is_err());
    }

    #[test]
    fn nothing_breaks_a_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
        let _ = (sht3x::decode(&bytes), scd4x::decode(&bytes), scd4x::is_ready(&bytes));
    }
}

#[tokio::test(start_paused = true)]
async fn a_thermometer_is_read_lost_and_back() {
    let measured = [On::Write(&sht3x::MEASURE), On::Read(SHT_REPLY)];
    let broken = [On::Write(&sht3x::MEASURE), On::Read(&[0xFF; 6])];
    let mut script = Vec::new();
    script.extend(measured.clone());
    // The same again is not told; one bad reply is not told either.
    script.extend(measured.clone());
    script.extend(broken);
    script.extend([On::Nack, On::Nack]);
    script.extend(measured);
    // A degree more.
    script.extend([On::Write(&sht3x::MEASURE), On::Read(&[0x67, 0xDD, 0x32, 0x5E, 0xB9, 0x3C])]);
    let mut run = Run::start(DeviceKind::Climate, I2cChip::Sht3x, Arc::new(Recorded::new(&script)));
    let first = run.next().await;
    assert!(first.baseline);
    assert_eq!(celsius(&first), Some(25.0));
    let Fact::Online(lost) = run.next().await.fact else { panic!("it is lost") };
    assert!(!lost.online);
    let reason = lost.reason.unwrap();
    assert!(reason.starts_with("sht3x at 0x44 of /dev/i2c-1: it does not answer"), "{reason}");
    let Fact::Online(back) = run.next().await.fact else { panic!("it is back") };
    assert!(back.online);
    let warmer = run.next().await;
    assert_eq!(celsius(&warmer), Some(26.0));
    assert!(!warmer.baseline);
    run.end().await;
}

#[tokio::test(start_paused = true)]
async fn carbon_dioxide_is_read_and_a_chip_that_lost_its_supply_is_started_again() {
    const READY_YES: &[u8] = &[0x80, 0x06, 0x04];
    const READY_NO: &[u8] = &[0x80, 0x00, 0xA2];
    assert_eq!((crc(&[0x80, 0x06]), crc(&[0x80, 0x00])), (READY_YES[2], READY_NO[2]));
    let start = [On::Write(&scd4x::STOP), On::Write(&scd4x::START_SLOW)];
    let mut script = start.to_vec();
    script.extend([On::Write(&scd4x::READY), On::Read(READY_NO)]);
    script.extend([On::Write(&scd4x::READY), On::Read(READY_YES)]);
    script.extend([On::Write(&scd4x::READ), On::Read(SCD_REPLY)]);
    // It lost its supply: idle, it does not know the command.
    script.push(On::Nack);
    script.extend(start);
    script.extend([On::Write(&scd4x::READY), On::Read(READY_YES), On::Write(&scd4x::READ)]);
    script.push(On::Read(&[0x05, 0xDC, 0x8F, 0x66, 0x67, 0xA2, 0x5E, 0xB9, 0x3C]));
    assert_eq!(crc(&[0x05, 0xDC]), 0x8F);
    let mut run =
        Run::start(DeviceKind::AirQuality, I2cChip::Scd4x, Arc::new(Recorded::new(&script)));
    for ppm in [500.0, 1500.0] {
        let Fact::Air(air) = run.next().await.fact else { panic!("air comes first") };
        assert_eq!(air.co2_ppm, Some(ppm));
        assert_eq!(celsius(&run.next().await), Some(25.0));
    }
    run.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_not_there_ends_the_driver_with_the_mend() {
    let run = Run::start(DeviceKind::Climate, I2cChip::Sht3x, Arc::new(Absent));
    let error = run.task.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("/dev/i2c-1") && error.contains("switch I2C on"), "{error}");
}
