//! How a device is found on a serial bus: what may be left open, and the form of its address.

use super::super::schema;
use super::super::{
    Binding, SerialBinding, SerialProtocol, TalkProtocol, TalkerBinding, VoiceMeaning, VoiceWord,
};
use crate::config::fault::{Faults, quote};
use crate::config::reader::Fields;

/// Reads a binding; `alone` when no other device names its link.
pub(super) fn binding(
    fields: &Fields<'_>,
    alone: bool,
    faults: &mut Faults<'_>,
) -> Option<Binding> {
    if let Some(protocol) = fields.word("protocol", schema::talk_protocol) {
        return talker(fields, protocol, alone, faults).map(Binding::Talker);
    }
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

fn talker(
    fields: &Fields<'_>,
    protocol: TalkProtocol,
    alone: bool,
    faults: &mut Faults<'_>,
) -> Option<TalkerBinding> {
    if !alone {
        let message = "it talks by itself and is not the only device of its port";
        fields.fault(faults, "link", message, "give it a link with a port of its own");
        return None;
    }
    let frame = fields.text("frame").filter(|frame| {
        let sound = frame.split_whitespace().all(|part| {
            matches!(part, "ID" | "SUM" | "..")
                || part.len() == 2 && u8::from_str_radix(part, 16).is_ok()
        }) && frame.split_whitespace().filter(|part| *part == "ID").count() == 1
            && frame
                .split_whitespace()
                .next()
                .is_some_and(|first| u8::from_str_radix(first, 16).is_ok())
            && frame.split_whitespace().count() <= 32;
        if !sound {
            let message = format!("{} is not the form of a frame", quote(frame));
            let mend =
                "begin with a byte such as A5; use two hexadecimal digits, one ID, SUM and ..";
            fields.fault(faults, "frame", message, mend);
        }
        sound
    });
    let mut words = Vec::new();
    for written in fields.list("words") {
        match voice_word(&written) {
            Some(word) => words.push(word),
            None => {
                let message = format!("{} is not the meaning of a word", quote(&written));
                fields.fault(faults, "words", message, "write \"1=help:救命\" or \"2=no:不用\"");
            }
        }
    }
    if words.is_empty() {
        words.extend(voice_word("1=help:救命"));
    }
    Some(TalkerBinding { protocol, frame, words })
}

fn voice_word(written: &str) -> Option<VoiceWord> {
    let (id, rest) = written.split_once('=')?;
    let (meaning, phrase) = rest.split_once(':').unwrap_or((rest, rest));
    let meaning = match meaning.trim() {
        "help" => VoiceMeaning::Help,
        "no" => VoiceMeaning::No,
        _ => return None,
    };
    Some(VoiceWord { id: id.trim().parse().ok()?, meaning, phrase: phrase.trim().to_owned() })
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
