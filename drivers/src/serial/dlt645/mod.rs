//! DL/T 645-2007, the protocol of Chinese electricity meters: requests and replies as bytes, no
//! I/O. It must never build a frame that changes a meter (writing, freezing, clearing, switching
//! its relay): only the functions 11, 12 and 13 exist here. It must never trust a reply: address,
//! function, data identifier, length and digits are all checked.

mod frame;
mod station;
#[cfg(test)]
mod tests;

use std::fmt;

pub use frame::Frame;
pub use station::Station;

use super::stream::{Framed, Stream};

/// Frames out of bytes.
pub type Parser = Stream<Frame>;
/// Bytes of the longest frame.
pub const LONGEST_FRAME: usize = Frame::LONGEST;

/// Start of a frame and of its second part (clause 5.2).
const START: u8 = 0x68;
/// End of a frame.
const END: u8 = 0x16;
/// Added to each data byte on the wire (clause 5.2.5).
const OFFSET: u8 = 0x33;
/// Wakes the receiver; up to four before a frame (clause 5.3.1).
pub const WAKE: u8 = 0xFE;
/// Control bits of a reply: D7 from the meter, D6 abnormal, D5 more data follows.
const FROM_METER: u8 = 0x80;
const ABNORMAL: u8 = 0x40;
const MORE: u8 = 0x20;
const FUNCTION: u8 = 0x1F;
/// Reading data in the edition of 1997; its data identifiers have two bytes.
const READ_1997: u8 = 0x01;

/// A meter's address: 12 decimal digits, or the wildcard. Kept as sent, low byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address([u8; 6]);

impl Address {
    /// Every meter answers; only for a bus with a single one.
    pub const WILDCARD: Address = Address([0xAA; 6]);

    /// Reads up to 12 decimal digits; `None` for anything else.
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut bytes = [0; 6];
        for (place, digit) in digits.bytes().rev().enumerate() {
            bytes[place / 2] |= (digit - b'0') << (4 * (place % 2));
        }
        Some(Self(bytes))
    }

    /// Whether one meter can have it: digits, and not the one that all hear.
    pub fn is_a_meters(self) -> bool {
        let digits = self.0.iter().all(|byte| byte >> 4 <= 9 && byte & 0x0F <= 9);
        digits && self != Address([0x99; 6])
    }

    /// The address in these bytes of the wire.
    pub const fn from_wire(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// What a meter can be asked for (data identifiers of annex A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// 00010000: active energy imported since manufacture.
    ImportEnergy,
    /// 02030000: total active power, negative when feeding in.
    Power,
    /// 02010100: voltage of phase A.
    Voltage,
    /// 02020100: current of phase A.
    Current,
    /// 04000503: state word 3, in which the relay stands.
    State,
    /// 04000101: the meter's date, YYMMDD and the day of the week.
    Date,
    /// 04000102: the meter's time, hhmmss.
    Time,
}

impl Item {
    /// All of them.
    pub const ALL: [Item; 7] = [
        Item::ImportEnergy,
        Item::Power,
        Item::Voltage,
        Item::Current,
        Item::State,
        Item::Date,
        Item::Time,
    ];

    /// The data identifier, DI3 first.
    pub const fn identifier(self) -> u32 {
        match self {
            Item::ImportEnergy => 0x0001_0000,
            Item::Power => 0x0203_0000,
            Item::Voltage => 0x0201_0100,
            Item::Current => 0x0202_0100,
            Item::State => 0x0400_0503,
            Item::Date => 0x0400_0101,
            Item::Time => 0x0400_0102,
        }
    }

    /// Bytes of its value.
    const fn width(self) -> usize {
        match self {
            Item::ImportEnergy | Item::Date => 4,
            Item::Power | Item::Current | Item::Time => 3,
            Item::Voltage | Item::State => 2,
        }
    }

    /// Whether the highest bit is a minus.
    const fn is_signed(self) -> bool {
        matches!(self, Item::Power | Item::Current)
    }

    /// Reads a value out of the bytes behind the data identifier.
    ///
    /// # Errors
    /// [`BadValue`] for a wrong length or a nibble that is no digit; meters send FF for what they
    /// do not measure.
    pub fn value(self, payload: &[u8]) -> Result<Value, BadValue> {
        if payload.len() != self.width() {
            return Err(BadValue::Length { item: self, bytes: payload.len() });
        }
        if self == Item::State {
            let bits = payload.iter().rev().fold(0, |bits, byte| bits << 8 | i64::from(*byte));
            return Ok(Value { item: self, steps: bits });
        }
        let mut digits: i64 = 0;
        let mut minus = false;
        for (place, &byte) in payload.iter().rev().enumerate() {
            let mut byte = byte;
            if place == 0 && self.is_signed() {
                minus = byte & 0x80 != 0;
                byte &= 0x7F;
            }
            let (high, low) = (byte >> 4, byte & 0x0F);
            if high > 9 || low > 9 {
                return Err(BadValue::Digit { item: self });
            }
            digits = digits * 100 + i64::from(high * 10 + low);
        }
        Ok(Value { item: self, steps: if minus { -digits } else { digits } })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Item::ImportEnergy => "energy",
            Item::Power => "power",
            Item::Voltage => "voltage",
            Item::Current => "current",
            Item::State => "state",
            Item::Date => "date",
            Item::Time => "time",
        })
    }
}

/// A value as the meter counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// Of what.
    pub item: Item,
    /// Steps of 0.01 kWh, 0.0001 kW, 0.1 V or 0.001 A; bits of a state, digits of date and time.
    pub steps: i64,
}

impl Value {
    /// In watt hours, watts, volts or amperes; all else as it is. At most eight digits, so a `f64` holds each exactly
    /// up to its last binary place.
    #[allow(clippy::cast_precision_loss, reason = "at most eight digits")]
    pub fn in_units(self) -> f64 {
        let steps = self.steps as f64;
        match self.item {
            Item::ImportEnergy => steps * 10.0,
            Item::Power | Item::Voltage => steps / 10.0,
            Item::Current => steps / 1000.0,
            Item::State | Item::Date | Item::Time => steps,
        }
    }
}

/// Whether the relay of state word 3 is closed, so that the home has power: bit 4 set is open
/// (annex C).
pub const fn relay_is_on(state: Value) -> bool {
    state.steps & 0x10 == 0
}

/// What the meter's clock says, `20YY-MM-DDThh:mm:ss`, in its own civil time. `None` when that is no
/// time.
pub fn clock(date: Value, time: Value) -> Option<String> {
    let pairs =
        |number: i64| [number / 1_000_000, number / 10_000, number / 100, number].map(|n| n % 100);
    let ([year, month, day, _], [_, hour, minute, second]) = (pairs(date.steps), pairs(time.steps));
    let is_time = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    is_time.then(|| format!("20{year:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

/// Why a value can not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// Another length than the standard gives.
    #[error("{item} has {bytes} bytes")]
    Length {
        /// Of what.
        item: Item,
        /// How many there were.
        bytes: usize,
    },
    /// A nibble above 9.
    #[error("{item} has a digit that is none; the meter may not measure it")]
    Digit {
        /// Of what.
        item: Item,
    },
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Function 11: read data.
    Read(Item),
    /// Function 12: read what follows; with the number of the part, from 1.
    ReadNext(Item, u8),
    /// Function 13: read the address; to be sent to the wildcard.
    ReadAddress,
}

impl Request {
    const fn function(self) -> u8 {
        match self {
            Request::Read(_) => 0x11,
            Request::ReadNext(..) => 0x12,
            Request::ReadAddress => 0x13,
        }
    }

    /// The frame to send, without the bytes that wake the receiver.
    pub fn encode(self, address: Address) -> Vec<u8> {
        let mut data = Vec::with_capacity(5);
        match self {
            Request::Read(item) => data.extend(item.identifier().to_le_bytes()),
            Request::ReadNext(item, part) => {
                data.extend(item.identifier().to_le_bytes());
                data.push(part);
            }
            Request::ReadAddress => {}
        }
        Frame { address, control: self.function(), data }.encode()
    }
}

/// What a meter answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The bytes behind the data identifier.
    Data {
        /// Them, the offset taken off.
        payload: Vec<u8>,
        /// Function 12 would bring more.
        more: bool,
    },
    /// The meter's own address.
    Address(Address),
    /// The meter can not or will not.
    Refused(Refusal),
}

/// The bits of an error reply (clause 7.1.6, annex C).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refusal(pub u8);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WORDS: [&str; 7] = [
            "other error",
            "no such data",
            "wrong password or not allowed",
            "baud rate can not be changed",
            "too many year zones",
            "too many day periods",
            "too many tariffs",
        ];
        let said: Vec<&str> = (0..)
            .zip(WORDS)
            .filter_map(|(bit, word)| (self.0 & (1 << bit) != 0).then_some(word))
            .collect();
        match said.as_slice() {
            [] => write!(f, "error {:02X}", self.0),
            said => f.write_str(&said.join(", ")),
        }
    }
}

/// Why a sound frame is no answer to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// A request: most often the own one, heard back on the two wires.
    #[error("a request, not a reply")]
    Request,
    /// Another meter's.
    #[error("reply of the meter {0}")]
    OtherMeter(Address),
    /// The edition of 1997.
    #[error("the meter speaks DL/T 645-1997, which this version can not read")]
    Edition1997,
    /// The answer to another request.
    #[error("reply to another request")]
    OtherRequest,
    /// Too short or too long for what it says to be.
    #[error("reply of {0} bytes")]
    Length(usize),
}

/// What `frame` answers to `request` at `address`.
///
/// # Errors
/// [`NoAnswer`] when it belongs to something else.
pub fn answer(frame: &Frame, address: Address, request: Request) -> Result<Answer, NoAnswer> {
    if frame.control & FROM_METER == 0 {
        return Err(NoAnswer::Request);
    }
    if address != Address::WILDCARD && frame.address != address {
        return Err(NoAnswer::OtherMeter(frame.address));
    }
    let function = frame.control & FUNCTION;
    if function == READ_1997 {
        return Err(NoAnswer::Edition1997);
    }
    if function != request.function() {
        return Err(NoAnswer::OtherRequest);
    }
    let data = frame.data.as_slice();
    if frame.control & ABNORMAL != 0 {
        return match data {
            [bits] => Ok(Answer::Refused(Refusal(*bits))),
            _ => Err(NoAnswer::Length(data.len())),
        };
    }
    let more = frame.control & MORE != 0;
    let (item, part) = match request {
        Request::ReadAddress => {
            let bytes = data.try_into().map_err(|_| NoAnswer::Length(data.len()))?;
            return Ok(Answer::Address(Address(bytes)));
        }
        Request::Read(item) => (item, None),
        Request::ReadNext(item, part) => (item, Some(part)),
    };
    let (identifier, payload) =
        data.split_first_chunk::<4>().ok_or(NoAnswer::Length(data.len()))?;
    if u32::from_le_bytes(*identifier) != item.identifier() {
        return Err(NoAnswer::OtherRequest);
    }
    let payload = match (part, payload.split_last()) {
        (None, _) => payload,
        (Some(part), Some((last, payload))) if *last == part => payload,
        (Some(_), Some(_)) => return Err(NoAnswer::OtherRequest),
        (Some(_), None) => return Err(NoAnswer::Length(data.len())),
    };
    Ok(Answer::Data { payload: payload.to_vec(), more })
}
