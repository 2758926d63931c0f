//! The frames of M-Bus: a single character, a short frame, a long frame. `m-bus-parser` checks them;
//! this finds where one begins and ends, because that crate wants exactly one.

use m_bus_parser::{FrameError, WiredFrame};

use crate::serial::stream::{BadFrame, Framed, Step, sum};

const LONG: u8 = 0x68;
const SHORT: u8 = 0x10;
const ACKNOWLEDGE: u8 = 0xE5;
const END: u8 = 0x16;
/// Both starts, both lengths.
const HEADER: usize = 4;
/// Control, address, control information: the least that a long frame carries.
const LEAST: usize = 3;

/// A frame whose check sum holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// E5: understood.
    Acknowledge,
    /// A request without data; on these wires the own one, heard back.
    Short,
    /// Data.
    Long {
        /// Control field.
        control: u8,
        /// Whose.
        address: u8,
        /// From the control information on.
        data: Vec<u8>,
    },
}

impl Framed for Frame {
    const LONGEST: usize = HEADER + 255 + 2;

    fn starts(byte: u8) -> bool {
        matches!(byte, LONG | SHORT | ACKNOWLEDGE)
    }

    fn step(bytes: &[u8]) -> Step<Self> {
        let length = match bytes {
            [ACKNOWLEDGE, ..] => return Step::Frame(Frame::Acknowledge, 1),
            [SHORT, ..] => 5,
            [LONG, a, b, start, ..] if a == b && *start == LONG && usize::from(*a) >= LEAST => {
                usize::from(*a) + HEADER + 2
            }
            [LONG, _, _, _, ..] => return Step::NoFrame,
            _ => return Step::Unfinished,
        };
        let Some(frame) = bytes.get(..length) else { return Step::Unfinished };
        if frame.last() != Some(&END) {
            // Two bytes that are often something else.
            let is_short = length == 5;
            return if is_short { Step::NoFrame } else { Step::Bad(BadFrame::End) };
        }
        match WiredFrame::try_from(frame) {
            Ok(WiredFrame::ShortFrame { .. }) => Step::Frame(Frame::Short, length),
            Ok(WiredFrame::LongFrame { data, .. } | WiredFrame::ControlFrame { data, .. }) => {
                let (Some(&control), Some(&address)) = (frame.get(4), frame.get(5)) else {
                    return Step::NoFrame;
                };
                Step::Frame(Frame::Long { control, address, data: data.to_vec() }, length)
            }
            Err(FrameError::WrongChecksum { expected, actual }) => {
                Step::Bad(BadFrame::CheckSum { found: expected, computed: actual })
            }
            Ok(_) | Err(_) => Step::Bad(BadFrame::Form),
        }
    }
}

/// A short frame.
pub(super) fn short(control: u8, address: u8) -> Vec<u8> {
    vec![SHORT, control, address, control.wrapping_add(address), END]
}

/// A long frame around control, address, control information and data.
pub(super) fn long(body: &[u8]) -> Vec<u8> {
    let mut wire = vec![LONG];
    if let Ok(length) = u8::try_from(body.len()) {
        wire.extend([length, length]);
    }
    wire.push(LONG);
    wire.extend(body);
    wire.push(sum(body));
    wire.push(END);
    wire
}
