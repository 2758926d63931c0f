//! HLK-LD2410 presence radar (Hi-Link, serial communication protocol V1.06): reports of
//! `F4 F3 F2 F1 length(2, low first) type AA state .. 55 00 F8 F7 F6 F5`, ten a second; type 2 is the
//! basic report, type 1 carries engineering figures behind the same beginning. Nothing but the
//! lengths and the marks checks a frame, so each of them is.

use std::time::Duration;

use anju_model::Fact;
use anju_model::observation::{Motion, Presence};

use super::{Heard, Talker, frames};
use crate::serial::stream::{BadFrame, Framed, Step, Stream};

/// Bits a second, 8N1.
pub const BAUD: u32 = 256_000;

const START: [u8; 4] = [0xF4, 0xF3, 0xF2, 0xF1];
const END: [u8; 4] = [0xF8, 0xF7, 0xF6, 0xF5];
/// Longest data taken, bytes; an engineering report has 35.
const MOST_DATA: usize = 64;
/// Start and length.
const HEADER: usize = 6;

/// Ten reports a second.
const SILENCE: Duration = Duration::from_secs(30);

/// One report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Something moves.
    pub moving: bool,
    /// Somebody is there and still.
    pub still: bool,
    /// Distance of what moves, centimetres.
    pub moving_centimetres: u16,
    /// Distance of what is still, centimetres.
    pub still_centimetres: u16,
}

impl Framed for Report {
    const LONGEST: usize = HEADER + MOST_DATA + END.len();

    fn starts(byte: u8) -> bool {
        byte == START[0]
    }

    fn step(bytes: &[u8]) -> Step<Self> {
        let marks = bytes.iter().zip(START).take_while(|(byte, mark)| **byte == *mark).count();
        if marks < START.len() {
            return if marks == bytes.len() { Step::Unfinished } else { Step::NoFrame };
        }
        let Some([_, _, _, _, low, high]) = bytes.first_chunk::<HEADER>() else {
            return Step::Unfinished;
        };
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        if length > MOST_DATA {
            return Step::NoFrame;
        }
        let whole = HEADER + length + END.len();
        let (Some(data), Some(end)) =
            (bytes.get(HEADER..HEADER + length), bytes.get(whole - 4..whole))
        else {
            return Step::Unfinished;
        };
        if end != END {
            return Step::Bad(BadFrame::End);
        }
        match report(data) {
            Some(report) => Step::Frame(report, whole),
            None => Step::Bad(BadFrame::Form),
        }
    }
}

fn report(data: &[u8]) -> Option<Report> {
    let [kind @ (1 | 2), 0xAA, state @ 0..=3, rest @ ..] = data else { return None };
    if *kind == 2 && data.len() != 13 || !data.ends_with(&[0x55, 0x00]) {
        return None;
    }
    let &[moving_low, moving_high, _, still_low, still_high, ..] = rest else { return None };
    Some(Report {
        moving: state & 1 != 0,
        still: state & 2 != 0,
        moving_centimetres: u16::from_le_bytes([moving_low, moving_high]),
        still_centimetres: u16::from_le_bytes([still_low, still_high]),
    })
}

/// A presence radar.
#[derive(Debug, Default)]
pub struct Ld2410 {
    stream: Stream<Report>,
}

impl Talker for Ld2410 {
    fn hear(&mut self, bytes: &[u8]) -> Heard {
        frames(&mut self.stream, bytes, |report, facts: &mut Vec<Fact>| {
            facts.push(Presence { present: report.moving || report.still }.into());
            facts.push(Motion { moving: report.moving }.into());
        })
    }

    fn silence(&self) -> Option<Duration> {
        Some(SILENCE)
    }
}
