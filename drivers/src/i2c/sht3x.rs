//! Sensirion SHT30, SHT31 and SHT35: temperature and humidity. Each poll asks for one measurement
//! at high repeatability and leaves the chip asleep after it (SHT3x-DIS data sheet, sections 2.2
//! and 4.3). The heater is never switched on.

use std::time::Duration;

use anju_model::observation::Climate;

use super::Reading;
use super::sensirion::{self, BadWords};
use super::wires::{ChipError, Wires};

/// Single shot, high repeatability, without clock stretching (table 9).
pub const MEASURE: [u8; 2] = [0x24, 0x00];
/// A measurement takes at most 15.5 ms at high repeatability and low voltage (table 4).
const MEASURES_FOR: Duration = Duration::from_millis(20);

/// The chip keeps nothing between polls.
#[derive(Debug, Clone, Copy)]
pub struct Sht3x;

impl Sht3x {
    /// Measures once.
    ///
    /// # Errors
    /// [`ChipError`] when it does not answer, or not soundly.
    pub async fn read(&mut self, wires: &mut dyn Wires) -> Result<Reading, ChipError> {
        wires.write(&MEASURE)?;
        tokio::time::sleep(MEASURES_FOR).await;
        let mut reply = [0; 6];
        wires.read(&mut reply)?;
        Ok(Reading { climate: Some(decode(&reply)?), air: None })
    }
}

/// Reads the reply to [`MEASURE`].
///
/// # Errors
/// [`BadWords`].
pub fn decode(reply: &[u8]) -> Result<Climate, BadWords> {
    let [temperature, humidity] = sensirion::words(reply)?;
    let (celsius, humidity) = sensirion::climate(temperature, humidity)?;
    Ok(Climate {
        celsius: Some(celsius),
        relative_humidity_percent: Some(humidity),
        ..Climate::default()
    })
}
