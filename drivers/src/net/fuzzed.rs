//! What fuzzers feed the decoders of the network: text and streams as a peer may send them. What must
//! hold whatever they are is checked by panicking. Nothing of the product calls these.

use super::arp;
use super::onvif::{notification, soap};
use super::wyoming::{self, event::Decoder};

/// The kernel's neighbour table.
pub fn arp(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(arp::decode(&text).len() <= text.lines().count());
}

/// A camera's answer.
pub fn onvif(bytes: &[u8]) {
    let Ok(body) = soap::body(&String::from_utf8_lossy(bytes)) else { return };
    assert!(notification::notices(&body).len() <= body.children.len());
    let _ = (soap::fault(&body), soap::clock(&body), soap::event_service(&body));
    if let Some(point) = soap::pull_point(&body) {
        // Whatever a camera says, the box stays at the host that was configured.
        assert!(soap::reached_at("http://192.0.2.1/a", point).starts_with("http://192.0.2.1/"));
    }
}

/// A stream of Wyoming events, without its sound and with it; it is the same however it is cut.
pub fn wyoming(bytes: &[u8]) {
    followed(bytes, Decoder::default);
    followed(bytes, Decoder::that_keeps_sound);
}

fn followed(bytes: &[u8], begin: fn() -> Decoder) {
    let whole = begin().feed(bytes);
    let mut decoder = begin();
    let mut pieces = Vec::new();
    for byte in bytes {
        match decoder.feed(std::slice::from_ref(byte)) {
            Ok(events) => pieces.extend(events),
            Err(bad) => {
                assert_eq!(whole, Err(bad));
                return;
            }
        }
    }
    if let Ok(whole) = whole {
        assert_eq!(whole, pieces);
        for event in whole {
            let _ = wyoming::called(&event, &[]);
        }
    }
}

/// Messages of HDMI-CEC, one to a line of bytes: whatever they are, only the television's own word
/// says that it is on, and no answer goes to all.
pub fn cec(bytes: &[u8]) {
    use super::cec::message::{ALL, Heard, Message, TELEVISION};
    let mut television = super::cec::Television::default();
    for frame in bytes.split(|byte| *byte == b'\n') {
        let Ok(message) = Message::read(frame) else { continue };
        assert!(frame.len() <= 16, "a frame of more than 16 blocks");
        if let Some((_, operands)) = message.answer() {
            assert!(message.from != ALL && message.to != ALL, "an answer to nobody");
            assert!(operands.len() <= 2, "an answer of {} operands", operands.len());
        }
        let Ok(heard) = message.heard() else { continue };
        let told = matches!(heard, Heard::On | Heard::Standby);
        assert!(!told || message.from == TELEVISION, "another one's word was taken");
        let _ = (television.asked(), television.heard(heard));
    }
}

/// Messages of multicast DNS: whatever they are, the address is one that was asked for by its name.
pub fn mdns(bytes: &[u8]) {
    let found = super::mdns::address(bytes, "television.local");
    assert!(found.is_none() || bytes.len() > 12, "an address out of nothing");
    if let Some(first) = bytes.split(|byte| *byte == b'\n').next() {
        let name = String::from_utf8_lossy(first);
        if let Some(question) = super::mdns::question(&name) {
            assert_eq!(super::mdns::address(&question, &name), None, "a question is no answer");
        }
    }
}
