//! Messages as the tables of HDMI 1.4b (supplement 1, CEC 15) write them.

use super::message::{BadMessage, GIVE_POWER, Heard, Message};
use super::*;

fn heard(frame: &[u8]) -> Result<Heard, BadMessage> {
    Message::read(frame)?.heard()
}

#[test]
fn the_televisions_own_word_counts() {
    // <Report Power Status> to the player at 4.
    for (operand, expected) in
        [(0x00, Heard::On), (0x01, Heard::Standby), (0x02, Heard::Changes), (0x03, Heard::Changes)]
    {
        assert_eq!(heard(&[0x04, 0x90, operand]), Ok(expected));
    }
    // <Standby> to all.
    assert_eq!(heard(&[0x0F, 0x36]), Ok(Heard::Standby));
    // <Request Active Source>, <Routing Change>, <Set Stream Path>, <Active Source>.
    for frame in [&[0x0F, 0x85][..], &[0x0F, 0x80, 0, 0, 0x10, 0], &[0x0F, 0x86, 0x10, 0]] {
        assert_eq!(heard(frame), Ok(Heard::Changes), "{frame:02x?}");
    }
    assert_eq!(heard(&[0x0F, 0x82, 0, 0]), Ok(Heard::Changes));
    // <Feature Abort> of <Give Device Power Status>, and of another.
    assert_eq!(heard(&[0x04, 0x00, GIVE_POWER, 0x00]), Ok(Heard::Unable));
    assert_eq!(heard(&[0x04, 0x00, 0x8C, 0x00]), Ok(Heard::Nothing));
}

#[test]
fn the_word_of_another_device_is_only_a_reason_to_ask() {
    // A player shows its picture, sends all to sleep, and reports its own power.
    for frame in [&[0x40, 0x04][..], &[0x40, 0x0D], &[0x8F, 0x82, 0x20, 0x00], &[0x4F, 0x36]] {
        assert_eq!(heard(frame), Ok(Heard::Changes), "{frame:02x?}");
    }
    assert_eq!(heard(&[0x54, 0x90, 0x01]), Ok(Heard::Nothing));
    // The television sends one player to sleep.
    assert_eq!(heard(&[0x04, 0x36]), Ok(Heard::Changes));
}

#[test]
fn what_is_malformed_says_nothing() {
    assert_eq!(heard(&[]), Err(BadMessage::Length(0)));
    assert_eq!(heard(&[0x04; 17]), Err(BadMessage::Length(17)));
    assert_eq!(heard(&[0x04, 0x90]), Err(BadMessage::Operands(0x90)));
    assert_eq!(heard(&[0x04, 0x90, 0x04]), Err(BadMessage::Operands(0x90)));
    assert_eq!(heard(&[0x04, 0x00]), Err(BadMessage::Operands(0x00)));
    // Only whether somebody is there.
    assert_eq!(heard(&[0x04]), Ok(Heard::Nothing));
}

#[test]
fn a_question_is_answered_and_what_is_unknown_is_refused() {
    let answer = |frame: &[u8]| Message::read(frame).unwrap().answer();
    assert_eq!(answer(&[0x04, GIVE_POWER]), Some((0x90, vec![0x00])));
    // <Give Deck Status>.
    assert_eq!(answer(&[0x04, 0x1A, 0x01]), Some((0x00, vec![0x1A, 0x00])));
    // To all, from nobody, a refusal itself, what only tells, a poll.
    for frame in
        [&[0x0F, 0x1A][..], &[0xF4, 0x1A], &[0x04, 0x00, 0x8F, 0x00], &[0x04, 0x36], &[0x04]]
    {
        assert_eq!(answer(frame), None, "{frame:02x?}");
    }
}

#[test]
fn a_television_is_on_in_standby_and_gone() {
    let mut television = Television::default();
    assert_eq!(television.asked(), None);
    assert_eq!(television.heard(Heard::On), Some((true, true)), "a base line");
    assert_eq!(television.heard(Heard::On), None);
    assert_eq!(television.heard(Heard::Standby), Some((false, false)));
    assert_eq!(television.heard(Heard::On), Some((true, false)));
    // One lost answer is nothing, nor is one that says that it wakes.
    television.asked();
    assert_eq!(television.asked(), None);
    assert_eq!(television.heard(Heard::Changes), None);
    assert_eq!(television.asked(), None);
    assert_eq!(television.asked(), None);
    assert_eq!(television.asked(), Some((false, false)), "two questions in vain");
    assert_eq!(television.asked(), None);
    assert_eq!(television.heard(Heard::On), Some((true, false)));
}
