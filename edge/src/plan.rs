//! What would happen at a time of day: the household's plan, played through, with what is known of
//! each way. The page, the interface for programs and the command line all tell this one answer.

use anju_model::config::Household;
use anju_model::{Clock, ContactId, Rule, Stamp};
use anju_respond::life::outlook::{gravest, outlook};
use anju_respond::life::proof::{part_of_contact, part_of_way};
use anju_web_setup::{Ago, Channel, Plan, Try};
use jiff::{Timestamp, civil};

use crate::core::{Picture, When};

/// The plan as the box would follow it now.
pub fn of(picture: &Picture, stamp: &Stamp, at: civil::Time, rule: &Rule) -> Plan {
    let known = |name: &str, contact: &ContactId| way(picture, stamp, name, Some(contact));
    play(&picture.household, stamp.wall, at, rule, known)
}

/// The plan of a configuration by itself, of whose ways nothing is known.
pub fn of_configuration(
    household: &Household,
    now: Timestamp,
    at: civil::Time,
    rule: &Rule,
) -> Plan {
    let unknown = |name: &str, contact: &ContactId| Channel {
        name: name.to_owned(),
        contact: Some(contact_name(household, contact.as_str())),
        proved: None,
        checked: None,
        answered: None,
        failing: None,
    };
    play(household, now, at, rule, unknown)
}

fn play(
    household: &Household,
    now: Timestamp,
    at: civil::Time,
    rule: &Rule,
    way: impl Fn(&str, &ContactId) -> Channel,
) -> Plan {
    let class = gravest(rule);
    let on = next(now.to_zoned(household.timezone.clone()).datetime(), at);
    let tries = outlook(household, rule, class, on).into_iter().map(|one| Try {
        after_seconds: one.after.as_secs(),
        name: one.name,
        minutes_away: minutes_away(household, &one.contact),
        ways: one.channels.iter().map(|kind| way(kind.as_str(), &one.contact)).collect(),
        contact: one.contact,
    });
    Plan {
        at: at.strftime("%H:%M").to_string(),
        on: on.date().to_string(),
        rule: rule.to_string(),
        class,
        tries: tries.collect(),
    }
}

/// The next time that the clock shows `at`.
fn next(now: civil::DateTime, at: civil::Time) -> civil::DateTime {
    let today = now.date().to_datetime(at);
    if today >= now {
        return today;
    }
    // After the last day that there is nothing comes.
    now.date().tomorrow().map_or(today, |tomorrow| tomorrow.to_datetime(at))
}

fn minutes_away(household: &Household, id: &ContactId) -> Option<u32> {
    household.contact(id.as_str())?.minutes_away
}

/// What is known of a way.
pub fn way(picture: &Picture, stamp: &Stamp, name: &str, contact: Option<&ContactId>) -> Channel {
    let known = picture.board.channels.get(&(name.to_owned(), contact.cloned()));
    let fault = |part: String| picture.board.faults.get(&part).map(ToString::to_string);
    let at = |when: Option<When>| when.map(|when| ago(picture, stamp, when));
    Channel {
        contact: contact.map(|id| contact_name(&picture.household, id.as_str())),
        proved: at(known.and_then(|known| known.proved)),
        checked: at(picture.board.checked.get(name).copied()),
        answered: at(known.and_then(|known| known.answered)),
        failing: fault(format!("channel:{name}"))
            .or_else(|| fault(part_of_way(name)))
            .or_else(|| contact.and_then(|id| fault(part_of_contact(id.as_str()))))
            .or_else(|| known.and_then(|known| known.failing.clone())),
        name: name.to_owned(),
    }
}

/// How long ago a moment of the core's line was.
pub fn ago(picture: &Picture, stamp: &Stamp, when: When) -> Ago {
    let since_shown = stamp.mono_ms.saturating_sub(picture.stamp.mono_ms);
    let age = picture.now.since(when.moment).as_secs().saturating_add(since_shown / 1000);
    Ago { seconds: age, at: when.wall.filter(|_| stamp.clock != Clock::Unknown) }
}

/// A contact's name; somebody who is none, such as an operator, by the name they gave.
pub fn contact_name(household: &Household, id: &str) -> String {
    household.contact(id).map_or_else(|| id.to_owned(), |contact| contact.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_asked_about_is_the_next_one() {
        let now = civil::date(2026, 11, 25).at(21, 0, 0, 0);
        assert_eq!(next(now, civil::time(3, 0, 0, 0)), civil::date(2026, 11, 26).at(3, 0, 0, 0));
        assert_eq!(next(now, civil::time(21, 0, 0, 0)), now);
        assert_eq!(next(now, civil::time(22, 0, 0, 0)), civil::date(2026, 11, 25).at(22, 0, 0, 0));
    }
}
