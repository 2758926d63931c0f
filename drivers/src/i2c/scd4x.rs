//! Sensirion SCD40, SCD41 and SCD43: carbon dioxide with temperature and humidity (SCD4x data
//! sheet, sections 3.5 to 3.9). The chip measures by itself, every 30 s, or every 5 s where it is
//! polled more often; a poll fetches the newest. Its settings are never changed, so that its own
//! calibration, which wants fresh air once a week, stays on.

use std::time::Duration;

use anju_model::observation::{Air, Climate};
use tokio::time::Instant;

use super::Reading;
use super::sensirion::{self, BadWords};
use super::wires::{ChipError, Wires};

/// Stop measuring; only then does the chip take other commands.
pub const STOP: [u8; 2] = [0x3F, 0x86];
/// Measure every 5 s.
pub const START: [u8; 2] = [0x21, 0xB1];
/// Measure every 30 s.
pub const START_SLOW: [u8; 2] = [0x21, 0xAC];
/// Ask whether there is a new measurement.
pub const READY: [u8; 2] = [0xE4, 0xB8];
/// Fetch it.
pub const READ: [u8; 2] = [0xEC, 0x05];

/// The chip is busy for so long after [`STOP`].
const STOPS_FOR: Duration = Duration::from_millis(500);
/// And for 1 ms after [`READY`] and [`READ`].
const ANSWERS_IN: Duration = Duration::from_millis(2);
/// Rests between measurements.
const FAST: Duration = Duration::from_secs(5);
const SLOW: Duration = Duration::from_secs(30);
/// Most that any of the family measures, parts per million.
const MOST_PPM: u16 = 40_000;

/// What is known of the chip.
#[derive(Debug)]
pub struct Scd4x {
    start: [u8; 2],
    /// Longest that a new measurement may take.
    patience: Duration,
    /// When something new was last seen; `None` until it was told to measure.
    fresh: Option<Instant>,
}

impl Scd4x {
    /// A chip that is to be polled this often.
    pub const fn new(poll: Duration) -> Self {
        let slow = poll.as_secs() >= SLOW.as_secs();
        let (start, interval) = if slow { (START_SLOW, SLOW) } else { (START, FAST) };
        Self { start, patience: interval.saturating_mul(3), fresh: None }
    }

    /// Fetches the newest measurement; `None` while there is none.
    ///
    /// # Errors
    /// [`ChipError`] when it does not answer, not soundly, or measures nothing for long. It is then
    /// told to measure again: it may have lost its supply.
    pub async fn read(&mut self, wires: &mut dyn Wires) -> Result<Option<Reading>, ChipError> {
        let read = self.fetch(wires).await;
        if read.is_err() {
            self.fresh = None;
        }
        read
    }

    async fn fetch(&mut self, wires: &mut dyn Wires) -> Result<Option<Reading>, ChipError> {
        let Some(fresh) = self.fresh else {
            wires.write(&STOP)?;
            tokio::time::sleep(STOPS_FOR).await;
            wires.write(&self.start)?;
            self.fresh = Some(Instant::now());
            return Ok(None);
        };
        let mut ready = [0; 3];
        ask(wires, &READY, &mut ready).await?;
        if !is_ready(&ready)? {
            let late = fresh.elapsed() > self.patience;
            return if late { Err(ChipError::NoData) } else { Ok(None) };
        }
        let mut reply = [0; 9];
        ask(wires, &READ, &mut reply).await?;
        let reading = decode(&reply)?;
        self.fresh = Some(Instant::now());
        Ok(Some(reading))
    }
}

async fn ask(wires: &mut dyn Wires, command: &[u8], reply: &mut [u8]) -> Result<(), ChipError> {
    wires.write(command)?;
    tokio::time::sleep(ANSWERS_IN).await;
    Ok(wires.read(reply)?)
}

/// Reads the reply to [`READY`]: the lowest 11 bits are zero while there is nothing new.
///
/// # Errors
/// [`BadWords`].
pub fn is_ready(reply: &[u8]) -> Result<bool, BadWords> {
    let [word] = sensirion::words(reply)?;
    Ok(word & 0x07FF != 0)
}

/// Reads the reply to [`READ`].
///
/// # Errors
/// [`BadWords`], also for zero carbon dioxide, which the chip says while it can not measure.
pub fn decode(reply: &[u8]) -> Result<Reading, BadWords> {
    let [co2, temperature, humidity] = sensirion::words(reply)?;
    if !(1..=MOST_PPM).contains(&co2) {
        return Err(BadWords::Range);
    }
    let (celsius, humidity) = sensirion::climate(temperature, humidity)?;
    Ok(Reading {
        climate: Some(Climate {
            celsius: Some(celsius),
            relative_humidity_percent: Some(humidity),
            ..Climate::default()
        }),
        air: Some(Air { co2_ppm: Some(co2.into()), ..Air::default() }),
    })
}
