//! The frame of CJ/T 188: a start, type and address, control, length, data as it is, sum.

use super::{Address, END, START};
use crate::serial::stream::{BadFrame, Framed, Step, sum};

/// Most data bytes of a reply to reading (clause 7.2.4).
const MOST_DATA: usize = 100;
/// Start, type, address, control, length.
const HEADER: usize = 11;

/// A frame whose check sum holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whose.
    pub address: Address,
    /// Control byte C.
    pub control: u8,
    /// Data, at most 100 bytes.
    pub data: Vec<u8>,
}

impl Frame {
    /// The bytes of the wire; data beyond 100 bytes is cut off.
    pub(super) fn encode(&self) -> Vec<u8> {
        let data = self.data.get(..MOST_DATA).unwrap_or(&self.data);
        let mut wire = Vec::with_capacity(HEADER + data.len() + 2);
        wire.extend([START, self.address.kind]);
        wire.extend(self.address.digits);
        wire.push(self.control);
        wire.extend(u8::try_from(data.len()));
        wire.extend(data);
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
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Step::Unfinished;
        };
        let [_, kind, a0, a1, a2, a3, a4, a5, a6, control, length] = *header;
        let length = usize::from(length);
        if length > MOST_DATA {
            return Step::NoFrame;
        }
        let (Some(data), Some(&found), Some(&end)) =
            (rest.get(..length), rest.get(length), rest.get(length + 1))
        else {
            return Step::Unfinished;
        };
        // There is only one start: most that begin so are none.
        if end != END {
            return Step::NoFrame;
        }
        let computed = sum(header).wrapping_add(sum(data));
        if computed != found {
            return Step::Bad(BadFrame::CheckSum { found, computed });
        }
        let address = Address { kind, digits: [a0, a1, a2, a3, a4, a5, a6] };
        Step::Frame(Frame { address, control, data: data.to_vec() }, HEADER + length + 2)
    }
}
