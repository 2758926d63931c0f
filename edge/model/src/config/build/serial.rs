//! How a device is found on a serial bus: what may be left open, and the form of its address.

use super::super::schema;
use super::super::{Binding, SerialBinding, SerialProtocol};
use crate::config::fault::{Faults, quote};
use crate::config::reader::Fields;

/// Reads a binding; `alone` when no other device names its link.
pub(super) fn binding(
    fields: &Fields<'_>,
    alone: bool,
    faults: &mut Faults<'_>,
) -> Option<Binding> {
    let protocol = fields.word("protocol", schema::serial_protocol);
    // One that is written and not known is not one to be found.
    if protocol.is_none() && fields.row.table.contains_key("protocol") {
        return None;
    }
    let address = match fields.text("address") {
        Some(written) => Some(serial_address(fields, protocol, &written, faults)?),
        None if alone => None,
        None => {
            let message = "it has no address and is not the only device of its bus";
            let mend = "add address = \"…\", the digits on its label";
            fields.fault(faults, "address", message, mend);
            return None;
        }
    };
    Some(Binding::Serial(SerialBinding {
        protocol,
        address,
        poll: fields.duration("poll")?,
        model: fields.word("model", schema::serial_model),
        profile: fields.word("profile", schema::status_profile)?,
        step_litres: fields.number("step_litres"),
    }))
}

/// An address in the form of its protocol, or of any if that is to be found.
fn serial_address(
    fields: &Fields<'_>,
    protocol: Option<SerialProtocol>,
    written: &str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let digits = written.bytes().all(|byte| byte.is_ascii_digit());
    let number = |range: std::ops::RangeInclusive<u16>| {
        written.len() <= 3 && written.parse().is_ok_and(|number| range.contains(&number))
    };
    let identification = written.len() == 8
        || (written.len() == 16 && written.bytes().skip(8).all(|byte| byte.is_ascii_hexdigit()));
    let identification =
        identification && written.bytes().take(8).all(|byte| byte.is_ascii_digit());
    let (sound, form) = match protocol {
        Some(SerialProtocol::Dlt645) => (digits && written.len() <= 12, "1 to 12 digits"),
        Some(SerialProtocol::Cjt188) => (digits && written.len() <= 14, "1 to 14 digits"),
        Some(SerialProtocol::Mbus) => {
            (number(0..=250) || identification, "a number from 0 to 250 or 8 digits")
        }
        Some(SerialProtocol::Modbus) => (number(1..=247), "a number from 1 to 247"),
        None => (digits && written.len() <= 14 || identification, "1 to 14 digits"),
    };
    if !sound {
        let message = format!("{} is not {form}", quote(written));
        fields.fault(faults, "address", message, format!("write {form} in quotes, nothing else"));
        return None;
    }
    Some(match protocol {
        Some(SerialProtocol::Dlt645) => format!("{written:0>12}"),
        Some(SerialProtocol::Cjt188) => format!("{written:0>14}"),
        _ => written.to_owned(),
    })
}
