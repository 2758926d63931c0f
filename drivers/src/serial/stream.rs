//! Frames out of a stream of bytes, for every protocol whose frames have a start, a length and a
//! check. It must never hold more than one frame's bytes, and never lose a sound frame that stands
//! behind noise.

/// A kind of frame.
pub trait Framed: Sized {
    /// Bytes of the longest frame.
    const LONGEST: usize;

    /// Whether a frame can start so.
    fn starts(byte: u8) -> bool;

    /// What the bytes from a start on are; `bytes` is not empty.
    fn step(bytes: &[u8]) -> Step<Self>;
}

/// What the bytes from a start on are.
#[derive(Debug)]
pub enum Step<F> {
    /// A frame of so many bytes.
    Frame(F, usize),
    /// It has the form of a frame, and is damaged.
    Bad(BadFrame),
    /// The start of nothing.
    NoFrame,
    /// More must come.
    Unfinished,
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
    /// It does not end where it should.
    #[error("no end where the length says")]
    End,
    /// Sound in itself, and of no known form.
    #[error("a frame of an unknown form")]
    Form,
}

/// The stream so far.
#[derive(Debug, Clone)]
pub struct Stream<F> {
    held: Vec<u8>,
    frames: std::marker::PhantomData<F>,
}

impl<F> Default for Stream<F> {
    fn default() -> Self {
        Self { held: Vec::new(), frames: std::marker::PhantomData }
    }
}

impl<F: Framed> Stream<F> {
    /// Takes bytes as they come; returns the frames that they complete, and what looked like one.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Result<F, BadFrame>> {
        let mut out = Vec::new();
        for piece in bytes.chunks(F::LONGEST) {
            self.held.extend_from_slice(piece);
            self.parse(&mut out);
        }
        out
    }

    /// Nothing more comes: a begun frame was noise, so what stands in it is looked through.
    pub fn finish(&mut self) -> Vec<Result<F, BadFrame>> {
        let mut out = Vec::new();
        while !self.held.is_empty() {
            self.held.remove(0);
            self.parse(&mut out);
        }
        out
    }

    /// Bytes held; less than [`Framed::LONGEST`].
    pub const fn held(&self) -> usize {
        self.held.len()
    }

    fn parse(&mut self, out: &mut Vec<Result<F, BadFrame>>) {
        let mut from = 0;
        loop {
            let rest = self.held.get(from..).unwrap_or_default();
            // Wake bytes and noise.
            let Some(start) = rest.iter().position(|&byte| F::starts(byte)) else {
                from = self.held.len();
                break;
            };
            from += start;
            match F::step(rest.get(start..).unwrap_or_default()) {
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
        self.held.drain(..from.min(self.held.len()));
    }
}

/// The sum of all bytes, as these protocols check their frames.
pub fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
