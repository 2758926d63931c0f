//! CJ/T 188, the protocol of Chinese water meters: requests and replies as bytes, no I/O. It must
//! never build a frame that changes a meter (writing, its valve, its address): only the function 01
//! exists here. It must never trust a reply: address, function, data identifier, length, digits and
//! unit are all checked, and a figure that the meter does not have is absent, never zero.

mod frame;
mod station;
#[cfg(test)]
mod tests;

use std::fmt;

use anju_model::config::StatusProfile;

pub use frame::Frame;
pub use station::Station;

const START: u8 = 0x68;
const END: u8 = 0x16;
/// Wakes the receiver; two to four before a frame.
pub const WAKE: u8 = 0xFE;
const READ: u8 = 0x01;
/// Control bits of a reply: D7 from the meter, D6 abnormal.
const FROM_METER: u8 = 0x80;
const ABNORMAL: u8 = 0x40;
/// Current data; both orders of its bytes are found on the wire.
const CURRENT: [u8; 2] = [0x90, 0x1F];

/// Type and address of a meter, as on the wire: the digits low byte first, the last two bytes are
/// the maker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// Type T: 10 cold water, 11 hot, 12 drinking, 13 reclaimed; AA any.
    pub kind: u8,
    digits: [u8; 7],
}

impl Address {
    /// Any byte of type or address.
    const ANY: u8 = 0xAA;
    /// Cold water.
    const COLD_WATER: u8 = 0x10;
    /// Every meter answers; only for a bus with a single one.
    pub const WILDCARD: Address = Address { kind: Self::COLD_WATER, digits: [Self::ANY; 7] };

    /// Reads up to 14 decimal digits, for a cold water meter; `None` for anything else.
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.is_empty() || digits.len() > 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut bytes = [0; 7];
        for (place, digit) in digits.bytes().rev().enumerate() {
            bytes[place / 2] |= (digit - b'0') << (4 * (place % 2));
        }
        Some(Self { kind: Self::COLD_WATER, digits: bytes })
    }

    /// The address in these bytes of the wire.
    pub const fn from_wire(kind: u8, digits: [u8; 7]) -> Self {
        Self { kind, digits }
    }

    /// The same meter whatever its type.
    #[must_use]
    pub const fn of_any_kind(self) -> Self {
        Self { kind: Self::ANY, ..self }
    }

    /// Whether one water meter can have it.
    pub fn is_a_water_meters(self) -> bool {
        let digits = self.digits.iter().all(|byte| byte >> 4 <= 9 && byte & 0x0F <= 9);
        digits && (0x10..=0x19).contains(&self.kind)
    }

    /// Whether a request to `self` reaches the meter `other`.
    fn means(self, other: Address) -> bool {
        let fits = |mine: u8, other: u8| mine == Self::ANY || mine == other;
        // The type is often configured wrongly in the meter; its number is unique without it.
        self.digits.iter().zip(other.digits).all(|(mine, other)| fits(*mine, other))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// In which order a meter wants the two bytes of a data identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `90 1F`
    HighFirst,
    /// `1F 90`
    LowFirst,
}

impl Order {
    /// Both, the commoner first.
    pub const ALL: [Order; 2] = [Order::HighFirst, Order::LowFirst];

    const fn identifier(self) -> [u8; 2] {
        let [high, low] = CURRENT;
        match self {
            Order::HighFirst => [high, low],
            Order::LowFirst => [low, high],
        }
    }
}

/// The request for the current data, without the bytes that wake the receiver. `serial` comes back
/// in the reply of most meters.
pub fn read_current(address: Address, order: Order, serial: u8) -> Vec<u8> {
    let [first, second] = order.identifier();
    Frame { address, control: READ, data: vec![first, second, serial] }.encode()
}

/// What a meter answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Its current data.
    Current(Current),
    /// It can not or will not; with what it says of it.
    Refused(Vec<u8>),
}

/// The current data of a water meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Current {
    /// Volume since manufacture, litres, and the smallest step of that figure.
    pub volume: Option<Volume>,
    /// The same at the last settling day.
    pub settled: Option<Volume>,
    /// Its own clock.
    pub clock: Option<Clock>,
    /// Its status bytes.
    pub status: [u8; 2],
}

/// A volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volume {
    /// Litres.
    pub litres: f64,
    /// Smallest step that the unit allows, litres.
    pub step: f64,
}

/// A meter's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Year, month, day, hour, minute, second.
    parts: [u16; 6],
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day, hour, minute, second] = self.parts;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// What the status bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// The valve.
    pub valve: Option<Valve>,
    /// The battery is low.
    pub battery_low: Option<bool>,
}

/// State of the valve in a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Valve {
    /// Water flows.
    Open,
    /// Water is shut off.
    Closed,
    /// It does not move as it should.
    Fault,
}

/// Reads the status bytes as the maker means them.
pub const fn status(bytes: [u8; 2], profile: StatusProfile) -> Status {
    let [low, _] = bytes;
    let (valve, battery) = match profile {
        // D1 D0 the valve, D2 the battery; D3 and D4 are reserved. Who sets those has a meaning
        // of his own.
        StatusProfile::Standard if low & 0x18 == 0 => (low & 0x03, low & 0x04),
        StatusProfile::HighBits => (low >> 6, low & 0x20),
        StatusProfile::Standard | StatusProfile::Unknown => {
            return Status { valve: None, battery_low: None };
        }
    };
    let valve = match valve {
        0 => Some(Valve::Open),
        1 => Some(Valve::Closed),
        3 => Some(Valve::Fault),
        _ => None,
    };
    Status { valve, battery_low: Some(battery != 0) }
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
    /// The answer to another request.
    #[error("reply to another request")]
    OtherRequest,
    /// A meter for something else than water.
    #[error("a meter of type {0:02X}, which is none for water")]
    NoWater(u8),
    /// Too short or too long for what it says to be.
    #[error("reply of {0} bytes")]
    Length(usize),
    /// A digit above 9.
    #[error("its volume has a digit that is none")]
    Digit,
    /// A unit that is none of a volume.
    #[error("its volume has the unit {0:02X}, which is none")]
    Unit(u8),
}

/// What `frame` answers to reading the current data of `address`.
///
/// # Errors
/// [`NoAnswer`] when it belongs to something else, or is damaged inside.
pub fn answer(frame: &Frame, address: Address) -> Result<Answer, NoAnswer> {
    if frame.control & FROM_METER == 0 {
        return Err(NoAnswer::Request);
    }
    if !address.means(frame.address) {
        return Err(NoAnswer::OtherMeter(frame.address));
    }
    if frame.control & !(FROM_METER | ABNORMAL) != READ {
        return Err(NoAnswer::OtherRequest);
    }
    if frame.control & ABNORMAL != 0 {
        return Ok(Answer::Refused(frame.data.clone()));
    }
    if !(0x10..=0x19).contains(&frame.address.kind) {
        return Err(NoAnswer::NoWater(frame.address.kind));
    }
    // Identifier 2, serial 1, volume 5, settled volume 5, clock 7, status 2.
    let Ok([d0, d1, _serial, data @ ..]) = <[u8; 22]>::try_from(frame.data.as_slice()) else {
        return Err(NoAnswer::Length(frame.data.len()));
    };
    if !Order::ALL.iter().any(|order| order.identifier() == [d0, d1]) {
        return Err(NoAnswer::OtherRequest);
    }
    let [v0, v1, v2, v3, v4, s0, s1, s2, s3, s4, clock @ .., st0, st1] = data;
    Ok(Answer::Current(Current {
        volume: volume([v0, v1, v2, v3], v4)?,
        // Not needed for anything: a meter that fills it with noise is still good.
        settled: volume([s0, s1, s2, s3], s4).unwrap_or(None),
        clock: self::clock(clock),
        status: [st0, st1],
    }))
}

/// Two decimal digits.
const fn pair(byte: u8) -> Option<u8> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    if high > 9 || low > 9 { None } else { Some(high * 10 + low) }
}

/// Four bytes of digits with two places behind the point, and a unit. All FF is not supported.
fn volume(bytes: [u8; 4], unit: u8) -> Result<Option<Volume>, NoAnswer> {
    if bytes == [0xFF; 4] {
        return Ok(None);
    }
    let mut hundredths: u32 = 0;
    for byte in bytes.into_iter().rev() {
        hundredths = hundredths * 100 + u32::from(pair(byte).ok_or(NoAnswer::Digit)?);
    }
    // Litres in one of the unit, over a hundred.
    let step = match unit {
        0x2C => 10.0,
        0x29 => 0.01,
        other => return Err(NoAnswer::Unit(other)),
    };
    Ok(Some(Volume { litres: f64::from(hundredths) * step, step }))
}

/// Seconds, minutes, hours, day, month, year, century. `None` when it is no time.
fn clock(bytes: [u8; 7]) -> Option<Clock> {
    let [second, minute, hour, day, month, year, century] = bytes.map(pair);
    let (second, minute, hour) = (second?, minute?, hour?);
    let (day, month, year) = (day?, month?, u16::from(century?) * 100 + u16::from(year?));
    let is_time = second < 60
        && minute < 60
        && hour < 24
        && (1..=31).contains(&day)
        && (1..=12).contains(&month)
        && (2000..2100).contains(&year);
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(u16::from);
    is_time.then_some(Clock { parts: [year, month, day, hour, minute, second] })
}
