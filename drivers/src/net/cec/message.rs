//! Messages of HDMI-CEC, as far as they tell whether a television is on (HDMI 1.4b, supplement 1,
//! tables 8 to 29 of section CEC 15). No I/O. A message of another device than the television must
//! never be taken for its own word.

use thiserror::Error;

/// The television's logical address, and that of all devices (CEC table 5).
pub const TELEVISION: u8 = 0x0;
/// To this address nobody answers, and from it nobody is known.
pub const ALL: u8 = 0xF;

/// Asks for the power status.
pub const GIVE_POWER: u8 = 0x8F;
/// Tells it.
pub const POWER: u8 = 0x90;
/// Refuses a message, of which it names the opcode.
pub const FEATURE_ABORT: u8 = 0x00;
const IMAGE_VIEW_ON: u8 = 0x04;
const TEXT_VIEW_ON: u8 = 0x0D;
const STANDBY: u8 = 0x36;
const ROUTING_CHANGE: u8 = 0x80;
const ACTIVE_SOURCE: u8 = 0x82;
const REQUEST_ACTIVE_SOURCE: u8 = 0x85;
const SET_STREAM_PATH: u8 = 0x86;

/// What is told and wants no answer, by opcode: names, keys, menus, states of others.
const TOLD: [u8; 17] = [
    FEATURE_ABORT,
    IMAGE_VIEW_ON,
    TEXT_VIEW_ON,
    0x32,
    STANDBY,
    0x44,
    0x45,
    0x47,
    0x72,
    0x7A,
    0x7E,
    0x84,
    0x87,
    0x8E,
    POWER,
    0x9E,
    0xA6,
];

/// Why a frame is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadMessage {
    /// It has no header, or more than the 16 blocks that a frame may have.
    #[error("it has {0} bytes, and a message 1 to 16")]
    Length(usize),
    /// Its operands are missing or mean nothing.
    #[error("the operands of its opcode 0x{0:02x} are missing or unknown")]
    Operands(u8),
}

/// What a message says of the television.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is on.
    On,
    /// It is in standby.
    Standby,
    /// It is on its way from one to the other, or something happened that may change it: it is
    /// worth asking.
    Changes,
    /// It does not tell its power status.
    Unable,
    /// Nothing.
    Nothing,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who sent it, a logical address.
    pub from: u8,
    /// To whom.
    pub to: u8,
    /// What it is; a message without only asks whether somebody is there.
    pub opcode: Option<u8>,
    /// What follows.
    pub operands: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the bytes of a frame.
    ///
    /// # Errors
    /// [`BadMessage::Length`].
    pub fn read(frame: &'a [u8]) -> Result<Self, BadMessage> {
        let bad = BadMessage::Length(frame.len());
        let (&header, rest) = frame.split_first().filter(|_| frame.len() <= 16).ok_or(bad)?;
        let (opcode, operands) = match rest.split_first() {
            Some((&opcode, operands)) => (Some(opcode), operands),
            None => (None, rest),
        };
        Ok(Self { from: header >> 4, to: header & 0x0F, opcode, operands })
    }

    /// What it says of the television.
    ///
    /// # Errors
    /// [`BadMessage::Operands`].
    pub fn heard(&self) -> Result<Heard, BadMessage> {
        let Some(opcode) = self.opcode else { return Ok(Heard::Nothing) };
        let its_own = self.from == TELEVISION;
        Ok(match opcode {
            POWER if its_own => match self.operands {
                [0x00, ..] => Heard::On,
                [0x01, ..] => Heard::Standby,
                [0x02 | 0x03, ..] => Heard::Changes,
                _ => return Err(BadMessage::Operands(opcode)),
            },
            FEATURE_ABORT if its_own => match self.operands {
                [GIVE_POWER, ..] => Heard::Unable,
                [_, ..] => Heard::Nothing,
                [] => return Err(BadMessage::Operands(opcode)),
            },
            STANDBY if its_own && self.to == ALL => Heard::Standby,
            // What it sends while it comes on, or while somebody changes its input.
            ROUTING_CHANGE | ACTIVE_SOURCE | REQUEST_ACTIVE_SOURCE | SET_STREAM_PATH if its_own => {
                Heard::Changes
            }
            // Another device wants to be seen, or sends all to sleep.
            IMAGE_VIEW_ON | TEXT_VIEW_ON | ACTIVE_SOURCE | STANDBY => Heard::Changes,
            _ => Heard::Nothing,
        })
    }

    /// The opcode and operands of the answer that a device owes to a message at it (CEC 12.3): its
    /// own power status, which is always "on", and a refusal of all that it does not know. What the
    /// kernel answers by itself does not come here.
    pub fn answer(&self) -> Option<(u8, Vec<u8>)> {
        let opcode = self.opcode?;
        if self.to == ALL || self.from == ALL || TOLD.contains(&opcode) {
            return None;
        }
        Some(match opcode {
            GIVE_POWER => (POWER, vec![0x00]),
            // Reason 0: unrecognized opcode.
            _ => (FEATURE_ABORT, vec![opcode, 0x00]),
        })
    }
}
