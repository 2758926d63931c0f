//! M-Bus (EN 13757-2 and -3) for water meters: requests as bytes, replies through `m-bus-parser`, no
//! I/O. It must never send anything but resetting the link, selecting a meter and asking for its
//! data, and never take a historic, maximum or error value for the present one.

mod frame;
mod station;
#[cfg(test)]
mod tests;

use std::fmt;

use m_bus_parser::user_data::data_information::{
    DataInformation, DataInformationField, DataType, FunctionField, SpecialFunctions,
};
use m_bus_parser::user_data::data_record::RawDataRecordHeader;
use m_bus_parser::user_data::value_information::ValueLabel;
use m_bus_parser::user_data::{
    DataRecord, StatusField, UserDataBlock, parse_application_layer, parse_data_records,
};

pub use frame::Frame;
pub use station::Station;

/// Control field: reset the link (SND_NKE).
const RESET: u8 = 0x40;
/// Control field: send data to a meter (SND_UD); only for selecting one.
const SEND: u8 = 0x53;
/// Control fields: request data (REQ_UD2) with the frame count bit set and not.
const REQUEST: [u8; 2] = [0x7B, 0x5B];
/// Control information: select by secondary address.
const SELECT: u8 = 0x52;
/// The address of whoever is selected.
const SELECTED: u8 = 0xFD;
/// Every meter answers; only for a bus with a single one.
const EVERYONE: u8 = 0xFE;

/// How a meter is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Address {
    /// 1 to 250; 0 is a meter that was never given one.
    Primary(u8),
    /// The identification on its label, with or without maker, version and medium.
    Secondary([u8; 8]),
    /// The only one of the bus.
    Only,
}

impl Address {
    /// Reads a primary address (1 to 3 digits), or a secondary one: 8 digits, or 8 digits and 8
    /// hexadecimal digits of maker, version and medium as on the wire. `None` for anything else.
    pub fn parse(written: &str) -> Option<Self> {
        if !written.is_ascii() {
            return None;
        }
        match written.len() {
            1..=3 => written.parse().ok().filter(|n| *n <= 250).map(Address::Primary),
            8 | 16 => {
                let (digits, rest) = written.split_at(8);
                if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                let mut bytes = [0xFF; 8];
                for (place, digit) in digits.bytes().rev().enumerate() {
                    let byte = bytes.get_mut(place / 2)?;
                    let shift = 4 * (place % 2);
                    *byte = (*byte & !(0x0F << shift)) | ((digit - b'0') << shift);
                }
                for (place, byte) in (0..rest.len()).step_by(2).zip(bytes.iter_mut().skip(4)) {
                    *byte = u8::from_str_radix(rest.get(place..place + 2)?, 16).ok()?;
                }
                Some(Address::Secondary(bytes))
            }
            _ => None,
        }
    }

    /// The byte that stands for it in a frame, once it is selected.
    const fn on_wire(self) -> u8 {
        match self {
            Address::Primary(number) => number,
            Address::Secondary(_) => SELECTED,
            Address::Only => EVERYONE,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Primary(number) => write!(f, "{number}"),
            Address::Secondary(bytes) => {
                let [id @ .., m0, m1, version, medium] = bytes;
                id.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                if [m0, m1, version, medium].iter().any(|byte| **byte != 0xFF) {
                    write!(f, "{m0:02X}{m1:02X}{version:02X}{medium:02X}")?;
                }
                Ok(())
            }
            Address::Only => f.write_str("254"),
        }
    }
}

/// The request that resets the link to `address` and the count of its frames.
pub fn reset(address: Address) -> Vec<u8> {
    frame::short(RESET, address.on_wire())
}

/// The request that selects a meter by its secondary address.
pub fn select(address: [u8; 8]) -> Vec<u8> {
    let mut body = vec![SEND, SELECTED, SELECT];
    body.extend(address);
    frame::long(&body)
}

/// The request for data; `again` is the count of telegrams that were taken already.
pub fn request(address: Address, again: usize) -> Vec<u8> {
    let [even, odd] = REQUEST;
    frame::short(if again.is_multiple_of(2) { even } else { odd }, address.on_wire())
}

/// What a meter tells in one telegram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telegram {
    /// Its identification, 8 digits.
    pub identification: Option<String>,
    /// Its maker's three letters.
    pub maker: Option<String>,
    /// Volume since manufacture, litres, and the smallest step of that figure.
    pub volume: Option<(f64, f64)>,
    /// Flow, litres an hour.
    pub flow: Option<f64>,
    /// Its battery is low.
    pub battery_low: bool,
    /// What is wrong with it, in words.
    pub troubles: Vec<&'static str>,
    /// Another telegram would bring more.
    pub more: bool,
}

/// Why a telegram can not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTelegram {
    /// Not laid out as data records.
    #[error("its data are of a form that is not known here ({0})")]
    Form(String),
    /// It needs a key.
    #[error("its data are encrypted")]
    Encrypted,
}

/// Reads the application layer of a reply, from its control information on.
///
/// # Errors
/// [`BadTelegram`] when it is not laid out as records. A record that can not be read is passed over:
/// makers add their own.
pub fn telegram(data: &[u8]) -> Result<Telegram, BadTelegram> {
    let block =
        parse_application_layer(data).map_err(|error| BadTelegram::Form(format!("{error:?}")))?;
    let mut telegram = Telegram::default();
    if let UserDataBlock::VariableDataStructureWithLongTplHeader {
        long_tpl_header: header, ..
    } = &block
    {
        if header.is_encrypted() {
            return Err(BadTelegram::Encrypted);
        }
        telegram.identification = Some(header.identification_number.to_string());
        telegram.maker = header.manufacturer.as_ref().ok().map(|maker| maker.code.iter().collect());
        let status = header.short_tpl_header.status;
        telegram.battery_low = status.contains(StatusField::POWER_LOW);
        if status.contains(StatusField::PERMANENT_ERROR) {
            telegram.troubles.push("it says that it is broken");
        }
        if status.contains(StatusField::TEMPORARY_ERROR) {
            telegram.troubles.push("it says that something is wrong at present");
        }
    }
    let data = match &block {
        UserDataBlock::VariableDataStructureWithLongTplHeader { variable_data_block, .. }
        | UserDataBlock::VariableDataStructureWithoutTplHeader { variable_data_block, .. } => {
            *variable_data_block
        }
        UserDataBlock::VariableDataStructureWithShortTplHeader {
            short_tpl_header,
            variable_data_block,
            ..
        } if !short_tpl_header.is_encrypted() => *variable_data_block,
        _ => return Err(BadTelegram::Form("no data records".to_owned())),
    };
    records(&mut telegram, data);
    Ok(telegram)
}

/// Takes record after record. Each is looked at before `m-bus-parser` 0.5.3 gets it: a number of no
/// bytes (variable length, E0) makes it count below zero.
fn records(telegram: &mut Telegram, mut data: &[u8]) {
    const VARIABLE: u8 = 0x0D;
    const NUMBER_OF_NO_BYTES: u8 = 0xE0;
    while let Some((dif, behind)) = data.split_first() {
        let field = DataInformationField::from(*dif);
        if field.is_special_function() {
            match field.special_function() {
                SpecialFunctions::MoreRecordsFollow => {
                    telegram.more = true;
                    return;
                }
                SpecialFunctions::ManufacturerSpecific => return,
                _ => data = behind,
            }
            continue;
        }
        let Ok(header) = RawDataRecordHeader::try_from(data) else { return };
        let values = header.value_information_block.as_ref().map_or(0, |block| block.get_size());
        let size = header.data_information_block.get_size() + values;
        let value = data.get(size..).unwrap_or_default();
        if dif & 0x0F == VARIABLE && value.first() == Some(&NUMBER_OF_NO_BYTES) {
            return;
        }
        let Ok(coding) = DataInformation::try_from(&header.data_information_block) else { return };
        let Some(length) = coding.data_field_coding.data_size(value) else { return };
        let (record, rest) = data.split_at_checked(size + length).unwrap_or((data, &[]));
        // One that can not be read is passed over: makers add their own.
        if let Some(Ok(record)) = parse_data_records(record).next() {
            take(telegram, &record);
        }
        data = rest;
    }
}

fn take(telegram: &mut Telegram, record: &DataRecord<'_>) {
    let (Some(information), Some(value), Some(DataType::Number(number))) =
        (record.data_information(), record.value_information(), record.value())
    else {
        return;
    };
    let present = information.function_field == FunctionField::InstantaneousValue
        && information.storage_number == 0
        && information.tariff == 0
        && information.device == 0;
    if !present || !number.is_finite() || *number < 0.0 {
        return;
    }
    // Litres in the record's smallest step. The labels of extensions, such as of a limit or a
    // date, make it another figure.
    let Ok(exponent) = i32::try_from(value.decimal_scale_exponent) else { return };
    let step = 1000.0 * 10f64.powi(exponent);
    let mut labels = value.labels();
    match (labels.next(), labels.next()) {
        (Some(ValueLabel::Volume), None) if telegram.volume.is_none() => {
            telegram.volume = Some((number * step, step));
        }
        (Some(ValueLabel::VolumeFlow), None) if telegram.flow.is_none() => {
            telegram.flow = Some(number * step);
        }
        _ => {}
    }
}
