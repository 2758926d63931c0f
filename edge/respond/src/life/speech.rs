//! Which prompts say what about an alert, how urgently and how often. Names of prompts only; the
//! sounds are the speaker's.

use std::sync::Arc;

use anju_model::config::Contact;
use anju_model::{AlertId, Class, Rule, Subject};

use super::action::{Announcement, Clip, Repeat, Urgency};
use super::alert::{Alert, Stage};
use crate::prompts::{PromptClass, PromptId};

/// The slot of an alert's announcements.
pub(super) fn slot(id: &AlertId) -> Arc<str> {
    id.as_str().into()
}

/// The slot of a question.
pub(super) fn question_slot(rule: &Rule) -> Arc<str> {
    format!("ask/{rule}").into()
}

fn say(subject: &Subject, prompts: &[PromptId], repeat: Repeat) -> Announcement {
    let test = subject.test.then_some(PromptId::Test);
    let repeat = if subject.test { Repeat::Once } else { repeat };
    Announcement {
        slot: slot(&subject.alert),
        alert: Some(subject.alert.clone()),
        urgency: match subject.class {
            Class::Alarm => Urgency::Critical,
            Class::Warning => Urgency::Action,
            // What can wait for the day says the catalogue.
            Class::Request | Class::Fault => match prompts.first().map(|id| id.class()) {
                Some(PromptClass::Low) => Urgency::Low,
                _ => Urgency::Action,
            },
        },
        repeat,
        clips: test.into_iter().chain(prompts.iter().copied()).map(Clip::Prompt).collect(),
    }
}

/// What is said first of an alert. Empty: nothing, since it would help nobody in the home.
fn first_words(rule: &Rule, class: Class) -> &'static [PromptId] {
    match (rule, class) {
        (Rule::Help, _) => &[PromptId::HelpPressed, PromptId::CancelHint],
        (Rule::Call, _) => &[PromptId::ContactTrying],
        (Rule::Fall, _) => &[PromptId::FallSuspected, PromptId::CancelHint],
        (Rule::Smoke, _) => &[PromptId::Smoke],
        (Rule::Gas, _) => &[PromptId::Gas],
        (Rule::CarbonMonoxide, _) => &[PromptId::CarbonMonoxide],
        (Rule::Leak, _) => &[PromptId::Leak],
        (Rule::Inactivity, Class::Alarm) => &[PromptId::InactivityAlarm],
        (Rule::Inactivity, _) => &[PromptId::InactivityQuestion],
        (Rule::NotUp, _) => &[PromptId::NotUp],
        (Rule::LeftHome, _) => &[PromptId::LeftHome],
        // An alarm says that the family is called, and a warning only what to do.
        (Rule::DoorAtNight, Class::Alarm) => &[PromptId::DoorAtNight, PromptId::ContactTrying],
        (Rule::DoorAtNight, _) => &[PromptId::DoorAtNight],
        (Rule::BathroomStay, Class::Alarm) => &[PromptId::BathroomStay, PromptId::ContactTrying],
        (Rule::BathroomStay, _) => &[PromptId::BathroomStay],
        (Rule::OutOfBed, Class::Alarm) => &[PromptId::OutOfBed, PromptId::ContactTrying],
        (Rule::OutOfBed, _) => &[PromptId::OutOfBed],
        (Rule::Heat, Class::Alarm) => &[PromptId::Heat, PromptId::ContactTrying],
        (Rule::Heat, _) => &[PromptId::Heat],
        (Rule::Cold, Class::Alarm) => &[PromptId::Cold, PromptId::ContactTrying],
        (Rule::Cold, _) => &[PromptId::Cold],
        (Rule::Vital, _) => &[PromptId::Vital],
        (Rule::Medication, _) => &[PromptId::Medication],
        (Rule::WaterRunning, _) => &[PromptId::WaterRunning],
        (Rule::LockForced, _) => &[PromptId::LockForced],
        (Rule::LockTries, _) => &[PromptId::LockTries],
        (Rule::Strangers, _) => &[PromptId::Strangers],
        (Rule::TestDue, _) => &[PromptId::TestDue],
        (Rule::Unguarded, _) => &[PromptId::Unguarded],
        (Rule::DeviceSilent, _) => &[PromptId::DeviceSilent],
        (Rule::DeviceLow, _) => &[PromptId::DeviceLowBattery],
        (Rule::Tamper, _) => &[PromptId::Tamper],
        (Rule::Trouble, _) => &[PromptId::Trouble],
        (Rule::Journal, _) => &[PromptId::CannotRecord],
        (Rule::Channel, _) => &[PromptId::WayOutLost],
        (Rule::MainsLost, _) => &[PromptId::PowerLost],
        (Rule::BoxBattery, _) => &[PromptId::BoxBattery],
        (Rule::NetworkLost, _) => &[PromptId::NetworkLost],
        (Rule::CaseOpened, _) => &[PromptId::CaseOpened],
        (
            Rule::Configuration
            | Rule::BoxTemperature
            | Rule::StorageWear
            | Rule::CentreLost
            | Rule::SimContract,
            _,
        ) => &[PromptId::BoxCare],
        // Whoever sleeps is not to be frightened, and whoever creeps about not to be warned.
        (Rule::PersonAtNight, _) => &[],
        // Who has left does not hear it.
        (Rule::Wandering, _) => &[],
        // A rule of another version.
        (Rule::Other(_), _) => &[],
    }
}

/// Whether the place matters more than calm: the room is said with the danger.
const fn names_the_room(rule: &Rule) -> bool {
    matches!(rule, Rule::Smoke | Rule::Gas | Rule::CarbonMonoxide | Rule::Leak)
}

/// The alert was raised, or its search begins anew. Faults wait for the telling.
pub(super) fn raised(alert: &Alert) -> Option<Announcement> {
    let subject = &alert.subject;
    if subject.class == Class::Fault && subject.rule != Rule::MainsLost {
        return None;
    }
    opening(subject)
}

/// A fault is being told: the home hears of it at the same time.
pub(super) fn fault(alert: &Alert) -> Option<Announcement> {
    let subject = &alert.subject;
    let waited = subject.class == Class::Fault && subject.rule != Rule::MainsLost;
    waited.then(|| opening(subject)).flatten()
}

fn opening(subject: &Subject) -> Option<Announcement> {
    let words = first_words(&subject.rule, subject.class);
    if words.is_empty() {
        return None;
    }
    let repeat = if subject.class == Class::Alarm { Repeat::UntilQuiet } else { Repeat::Once };
    let mut said = say(subject, words, repeat);
    if names_the_room(&subject.rule) {
        said.clips.extend(subject.room.clone().map(Clip::Room));
    } else if subject.class == Class::Alarm {
        // Whoever hears it in another room knows to whom to go.
        said.clips.extend(subject.person.clone().map(Clip::Person));
    }
    Some(said)
}

/// It was felt again while help is searched for: a press is answered each time.
pub(super) fn again(alert: &Alert) -> Option<Announcement> {
    let wanted = alert.subject.rule == Rule::Help && alert.stage() == Stage::Searching;
    wanted.then(|| {
        let mut said = say(&alert.subject, &[PromptId::HelpAgain], Repeat::Once);
        said.slot = format!("{}/again", alert.subject.alert).into();
        said
    })
}

/// A whole round went by without an answer.
pub(super) fn nobody_yet(alert: &Alert) -> Option<Announcement> {
    let subject = &alert.subject;
    let waits = subject.class == Class::Alarm && alert.stage() == Stage::Searching;
    match (waits, subject.rule.clone()) {
        // Whoever is still inside must hear what to do, not who was called.
        (false, _) | (true, Rule::Smoke | Rule::Gas | Rule::CarbonMonoxide) => None,
        (true, _) => Some(say(subject, &[PromptId::NobodyYet], Repeat::UntilQuiet)),
    }
}

/// Somebody comes: who, if they are a contact, and in how long.
pub(super) fn accepted(
    alert: &Alert,
    who: Option<&Contact>,
    minutes: Option<u32>,
) -> Option<Announcement> {
    let mut said = spoken_of(alert, &[PromptId::Accepted], Repeat::Once)?;
    said.clips.extend(who.map(|contact| Clip::Contact {
        id: contact.id.clone(),
        otherwise: PromptId::coming(contact.role),
    }));
    said.clips.extend(minutes.and_then(PromptId::in_minutes).map(Clip::Prompt));
    Some(said)
}

/// Somebody is there.
pub(super) fn arrived(alert: &Alert) -> Option<Announcement> {
    spoken_of(alert, &[PromptId::Arrived], Repeat::Once)
}

/// Who accepted did not come.
pub(super) fn lapsed(alert: &Alert) -> Option<Announcement> {
    let repeat =
        if alert.subject.class == Class::Alarm { Repeat::UntilQuiet } else { Repeat::Once };
    spoken_of(alert, &[PromptId::Lapsed], repeat)
}

/// The person cancelled.
pub(super) fn cancelled(alert: &Alert) -> Option<Announcement> {
    spoken_of(alert, &[PromptId::CancelTold], Repeat::Once)
}

/// Nobody had called.
pub(super) fn not_called() -> Announcement {
    Announcement {
        slot: question_slot(&Rule::Help),
        alert: None,
        urgency: Urgency::Critical,
        repeat: Repeat::Once,
        clips: vec![Clip::Prompt(PromptId::HelpCancelled)],
    }
}

/// What is said when a fault is over by itself.
pub(super) fn back(subject: &Subject) -> Option<Announcement> {
    let words = match subject.rule {
        Rule::MainsLost => PromptId::PowerBack,
        Rule::NetworkLost => PromptId::NetworkBack,
        _ => return None,
    };
    Some(say(subject, &[words], Repeat::Once))
}

/// It is closed.
pub(super) fn closed(subject: &Subject) -> Announcement {
    let mut said = say(subject, &[PromptId::AlertClosed], Repeat::Once);
    said.urgency = Urgency::Action;
    said
}

fn spoken_of(alert: &Alert, words: &[PromptId], repeat: Repeat) -> Option<Announcement> {
    (alert.subject.class >= Class::Warning).then(|| say(&alert.subject, words, repeat))
}

/// What the box asks before a rule raises.
pub(super) fn question(rule: &Rule) -> Option<Announcement> {
    let words = match rule {
        Rule::Inactivity => PromptId::InactivityQuestion,
        Rule::Fall => PromptId::FallQuestion,
        Rule::NotUp => PromptId::NotUp,
        Rule::Help => PromptId::VoiceQuestion,
        _ => return None,
    };
    Some(Announcement {
        slot: question_slot(rule),
        alert: None,
        urgency: if *rule == Rule::Help { Urgency::Critical } else { Urgency::Action },
        repeat: Repeat::Once,
        clips: vec![Clip::Prompt(words)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::outlook::gravest;

    const CLASSES: [Class; 4] = [Class::Fault, Class::Request, Class::Warning, Class::Alarm];

    /// Each prompt has its sound in both languages, or it would not compile; here, that each rule
    /// has a prompt.
    #[test]
    fn every_rule_speaks_for_itself_save_two() {
        for class in CLASSES {
            let silent: Vec<&Rule> =
                Rule::KNOWN.iter().filter(|rule| first_words(rule, class).is_empty()).collect();
            assert_eq!(silent, [&Rule::Wandering, &Rule::PersonAtNight], "{class}");
        }
    }

    #[test]
    fn dangers_that_want_different_things_done_have_different_words() {
        let shared = [
            Rule::Configuration,
            Rule::BoxTemperature,
            Rule::StorageWear,
            Rule::CentreLost,
            Rule::SimContract,
        ];
        let mut said = std::collections::BTreeMap::new();
        for rule in Rule::KNOWN.iter().filter(|rule| !shared.contains(rule)) {
            for class in CLASSES {
                let Some(first) = first_words(rule, class).first() else { continue };
                let by = said.entry(first.as_str()).or_insert(rule);
                assert_eq!(*by, rule, "{first} is said of two rules");
            }
        }
    }

    /// What may be heard at night is what cannot wait, whatever class a rule raises at most.
    #[test]
    fn what_is_said_fits_the_class() {
        for rule in Rule::KNOWN {
            let class = gravest(rule);
            let Some(first) = first_words(rule, class).first() else { continue };
            match class {
                Class::Alarm | Class::Warning => {
                    assert_ne!(first.class(), PromptClass::Low, "{rule}");
                }
                // Who asks for a call waits for an answer there and then.
                Class::Request if *rule == Rule::Call => {}
                Class::Request => assert_eq!(first.class(), PromptClass::Low, "{rule}"),
                Class::Fault => assert_ne!(first.class(), PromptClass::Critical, "{rule}"),
            }
        }
    }
}
