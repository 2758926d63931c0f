//! Frames out of a stream of bytes. It must never hold more than one frame's bytes, and never lose
//! a sound frame that stands behind noise.

use super::{Address, END, OFFSET, START};

/// Most data bytes of a reply to reading (clause 5.2.4).
const MOST_DATA: usize = 200;
/// Both starts, address, control, length.
const HEADER: usize = 10;
/// Bytes of the longest frame.
pub const LONGEST_FRAME: usize = HEADER + MOST_DATA + 2;

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

/// Why bytes that begin like a frame are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// The sum of its bytes is another.
    #[error("wrong check sum {found:02X}, the bytes give {computed:02X}")]
    CheckSum {
        /// In the frame.
        found: u8,
        /// What it should be.
        computed: u8,
    },
    /// It does not end with 16.
    #[error("no end where the length says")]
    End,
}

/// The stream so far.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    held: Vec<u8>,
}

enum Step {
    Frame(Frame, usize),
    Bad(BadFrame),
    NoFrame,
    Unfinished,
}

impl Parser {
    /// Takes bytes as they come; returns the frames that they complete, and what looked like one.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Frame, BadFrame>> {
        let mut out = Vec::new();
        for piece in bytes.chunks(LONGEST_FRAME) {
            self.held.extend_from_slice(piece);
            self.parse(&mut out);
        }
        out
    }

    /// Nothing more comes: a begun frame was noise, so what stands in it is looked through.
    pub fn finish(&mut self) -> Vec<Result<Frame, BadFrame>> {
        let mut out = Vec::new();
        while !self.held.is_empty() {
            self.held.remove(0);
            self.parse(&mut out);
        }
        out
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    /// Bytes held; less than [`LONGEST_FRAME`].
    pub const fn held(&self) -> usize {
        self.held.len()
    }

    fn parse(&mut self, out: &mut Vec<Result<Frame, BadFrame>>) {
        let mut from = 0;
        loop {
            let rest = self.held.get(from..).unwrap_or_default();
            // Wake bytes and noise.
            let Some(start) = rest.iter().position(|&byte| byte == START) else {
                from = self.held.len();
                break;
            };
            from += start;
            match step(rest.get(start..).unwrap_or_default()) {
                Step::Frame(frame, length) => {
                    out.push(Ok(frame));
                    from += length;
                }
                Step::Bad(why) => {
                    out.push(Err(why));
                    from += 1;
                }
                Step::NoFrame => from += 1,
                Step::Unfinished => break,
            }
        }
        self.held.drain(..from);
    }
}

/// What the bytes from a start on are.
fn step(bytes: &[u8]) -> Step {
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

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
