//! Contacts that stand for a state: a reed contact on a door, the dry output of a detector. Only
//! what the wiring means lies here, and the meaning of a cut wire follows from it: a normally open
//! door contact with its wire cut reads as open, a normally closed detector as an alarm. The other
//! two wirings cannot tell a cut wire from rest.

use anju_model::config::ButtonContact;

/// Whether a contact is away from its rest, given whether its circuit is closed (its line active):
/// a button is pressed, a detector signals.
pub const fn away_from_rest(contact: ButtonContact, closed: bool) -> bool {
    match contact {
        ButtonContact::NormallyOpen => closed,
        ButtonContact::NormallyClosed => !closed,
    }
}

/// Whether a door is open. The magnet of a closed door holds its contact away from rest.
pub const fn door_open(away_from_rest: bool) -> bool {
    !away_from_rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use ButtonContact::{NormallyClosed, NormallyOpen};

    const fn door(contact: ButtonContact, closed: bool) -> bool {
        door_open(away_from_rest(contact, closed))
    }

    #[test]
    fn a_closed_door_has_its_magnet_at_the_contact() {
        assert!(!door(NormallyOpen, true));
        assert!(door(NormallyOpen, false), "a cut wire must not look like a closed door");
        assert!(door(NormallyClosed, true));
        assert!(!door(NormallyClosed, false));
    }

    #[test]
    fn a_detector_signals_by_leaving_rest() {
        assert!(away_from_rest(NormallyOpen, true));
        assert!(!away_from_rest(NormallyOpen, false));
        assert!(away_from_rest(NormallyClosed, false), "a cut wire must not look like rest");
        assert!(!away_from_rest(NormallyClosed, true));
    }
}
