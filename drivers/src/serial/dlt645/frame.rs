//! The frame of DL/T 645: two starts seven apart, address, control, length, data 33 higher, sum.

use super::{Address, END, OFFSET, START};
use crate::serial::stream::{BadFrame, Framed, Step, sum};

/// Most data bytes of a reply to reading (clause 5.2.4).
const MOST_DATA: usize = 200;
/// Both starts, address, control, length.
const HEADER: usize = 10;

/// A frame whose check sum holds, the offset taken off its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whose.
    pub address: Address,
    /// Control byte C.
    pub control: u8,
    /// Data, at most 200 bytes.
    pub data: Vec<u8>,
}

impl Frame {
    /// The bytes of the wire; data beyond 200 bytes is cut off.
    pub(super) fn encode(&self) -> Vec<u8> {
        let data = self.data.get(..MOST_DATA).unwrap_or(&self.data);
        let mut wire = Vec::with_capacity(HEADER + data.len() + 2);
        wire.push(START);
        wire.extend(self.address.0);
        wire.extend([START, self.control]);
        wire.extend(u8::try_from(data.len()));
        wire.extend(data.iter().map(|byte| byte.wrapping_add(OFFSET)));
        wire.push(sum(&wire));
        wire.push(END);
        wire
    }
}

impl Framed for Frame {
    const LONGEST: usize = HEADER + MOST_DATA + 2;

    fn starts(byte: u8) -> bool {
        byte == START
    }

    fn step(bytes: &[u8]) -> Step<Self> {
        // A 68 may stand in an address too: only two of them seven apart begin a frame.
        match bytes.get(7) {
            None => return Step::Unfinished,
            Some(&START) => {}
            Some(_) => return Step::NoFrame,
        }
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return match bytes.get(9) {
                Some(&length) if usize::from(length) > MOST_DATA => Step::NoFrame,
                _ => Step::Unfinished,
            };
        };
        let [_, a0, a1, a2, a3, a4, a5, _, control, length] = *header;
        let length = usize::from(length);
        if length > MOST_DATA {
            return Step::NoFrame;
        }
        let (Some(data), Some(&found), Some(&end)) =
            (rest.get(..length), rest.get(length), rest.get(length + 1))
        else {
            return Step::Unfinished;
        };
        if end != END {
            return Step::Bad(BadFrame::End);
        }
        let computed = sum(header).wrapping_add(sum(data));
        if computed != found {
            return Step::Bad(BadFrame::CheckSum { found, computed });
        }
        let frame = Frame {
            address: Address([a0, a1, a2, a3, a4, a5]),
            control,
            data: data.iter().map(|byte| byte.wrapping_sub(OFFSET)).collect(),
        };
        Step::Frame(frame, HEADER + length + 2)
    }
}
