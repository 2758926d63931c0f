//! Plantower PMS5003 dust sensor (data manual V2.3, appendix I): every second or two a frame of 32
//! bytes, `42 4D 00 1C`, thirteen words high byte first, and the sum of all bytes before it. The
//! first three words are for a factory's dust, the next three for the air people breathe: those are
//! used.

use std::time::Duration;

use anju_model::Fact;
use anju_model::observation::Air;

use super::{Heard, Talker, frames};
use crate::serial::stream::{BadFrame, Framed, Step, Stream};

/// Bits a second, 8N1.
pub const BAUD: u32 = 9600;

const LENGTH: usize = 32;

/// A report every 2.3 s at the slowest.
const SILENCE: Duration = Duration::from_secs(30);

/// Concentrations in the air, micrograms a cubic metre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dust {
    /// PM1.0.
    pub pm1: u16,
    /// PM2.5.
    pub pm2_5: u16,
    /// PM10.
    pub pm10: u16,
}

impl Framed for Dust {
    const LONGEST: usize = LENGTH;

    fn starts(byte: u8) -> bool {
        byte == 0x42
    }

    fn step(bytes: &[u8]) -> Step<Self> {
        let marks = [0x42, 0x4D, 0x00, 0x1C];
        if bytes.iter().zip(marks).any(|(byte, mark)| *byte != mark) {
            return Step::NoFrame;
        }
        let Some(frame) = bytes.first_chunk::<LENGTH>() else { return Step::Unfinished };
        let word = |at: usize| match frame.get(at..at + 2) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            _ => 0,
        };
        let computed = frame.iter().take(LENGTH - 2).map(|byte| u16::from(*byte)).sum::<u16>();
        let found = word(LENGTH - 2);
        if found != computed {
            let [_, found] = found.to_be_bytes();
            let [_, computed] = computed.to_be_bytes();
            return Step::Bad(BadFrame::CheckSum { found, computed });
        }
        Step::Frame(Self { pm1: word(10), pm2_5: word(12), pm10: word(14) }, LENGTH)
    }
}

/// A dust sensor.
#[derive(Debug, Default)]
pub struct Pms5003 {
    stream: Stream<Dust>,
}

impl Talker for Pms5003 {
    fn hear(&mut self, bytes: &[u8]) -> Heard {
        frames(&mut self.stream, bytes, |dust, facts: &mut Vec<Fact>| {
            let air = Air {
                pm1_micrograms_per_cubic_metre: Some(f64::from(dust.pm1)),
                pm2_5_micrograms_per_cubic_metre: Some(f64::from(dust.pm2_5)),
                pm10_micrograms_per_cubic_metre: Some(f64::from(dust.pm10)),
                ..Air::default()
            };
            facts.push(air.into());
        })
    }

    fn silence(&self) -> Option<Duration> {
        Some(SILENCE)
    }
}
