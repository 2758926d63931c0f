//! Which prompts say what about an alert, how urgently and how often. Names of prompts only; the
//! sounds are the speaker's.

use std::sync::Arc;

use anju_model::{AlertId, Class, Rule, Subject};

use super::action::{Announcement, Clip, Repeat, Urgency};
use super::alert::{Alert, Stage};
use crate::prompts::PromptId;

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
    let clips = test.into_iter().chain(prompts.iter().copied()).map(Clip::Prompt).collect();
    Announcement {
        slot: slot(&subject.alert),
        alert: Some(subject.alert.clone()),
        urgency: match subject.class {
            Class::Alarm => Urgency::Critical,
            Class::Warning | Class::Request => Urgency::Action,
            Class::Fault if matters_at_once(&subject.rule) => Urgency::Action,
            Class::Fault => Urgency::Low,
        },
        repeat,
        clips,
    }
}

/// Faults that the person in the home should know of at any hour.
const fn matters_at_once(rule: &Rule) -> bool {
    matches!(rule, Rule::Journal | Rule::Unguarded | Rule::MainsLost)
}

/// What is said first of an alert.
fn first_words(subject: &Subject) -> &'static [PromptId] {
    match (&subject.rule, subject.class) {
        (Rule::Help, _) => &[PromptId::HelpPressed, PromptId::CancelHint],
        (Rule::Fall, _) => &[PromptId::FallSuspected, PromptId::CancelHint],
        (Rule::Smoke, _) => &[PromptId::Smoke],
        (Rule::Gas, _) => &[PromptId::Gas],
        (Rule::CarbonMonoxide, _) => &[PromptId::CarbonMonoxide],
        (Rule::Leak, _) => &[PromptId::Leak],
        (Rule::Inactivity, Class::Alarm) => &[PromptId::InactivityAlarm],
        (Rule::Inactivity, _) => &[PromptId::InactivityQuestion],
        (Rule::NotUp, _) => &[PromptId::NotUp],
        (Rule::LeftHome, _) => &[PromptId::LeftHome],
        (Rule::DeviceSilent, _) => &[PromptId::DeviceSilent],
        (rule, _) if rule.as_str() == "unguarded" => &[PromptId::DeviceSilent],
        (Rule::DeviceLow, _) => &[PromptId::DeviceLowBattery],
        (Rule::Journal, _) => &[PromptId::CannotRecord],
        (Rule::MainsLost, _) => &[PromptId::PowerLost],
        (Rule::NetworkLost, _) => &[PromptId::NetworkLost],
        _ => &[],
    }
}

/// What is said of a rule for which there is no prompt: the name of a sentence, for a voice.
const fn sentence(rule: &Rule) -> Option<&'static str> {
    match rule {
        Rule::DoorAtNight => Some("spoken-door-at-night"),
        Rule::BathroomStay => Some("spoken-bathroom-stay"),
        Rule::OutOfBed => Some("spoken-out-of-bed"),
        Rule::Vital => Some("spoken-vital"),
        Rule::Heat => Some("spoken-heat"),
        Rule::Cold => Some("spoken-cold"),
        Rule::Medication => Some("spoken-medication"),
        Rule::WaterRunning => Some("spoken-water-running"),
        Rule::Strangers => Some("spoken-strangers"),
        Rule::TestDue => Some("spoken-test-due"),
        Rule::Unguarded => Some("spoken-unguarded"),
        _ => None,
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
    let words = first_words(subject);
    let sentence = if words.is_empty() { Some(sentence(&subject.rule)?) } else { None };
    let repeat = if subject.class == Class::Alarm { Repeat::UntilQuiet } else { Repeat::Once };
    let mut said = say(subject, words, repeat);
    said.clips.extend(sentence.map(|key| Clip::Words(key.to_owned())));
    if let Some(room) = subject.room.as_ref().filter(|_| names_the_room(&subject.rule)) {
        said.clips.push(Clip::Room(room.clone()));
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

/// Somebody comes.
pub(super) fn accepted(alert: &Alert) -> Option<Announcement> {
    spoken_of(alert, &[PromptId::Accepted], Repeat::Once)
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
        _ => return None,
    };
    Some(Announcement {
        slot: question_slot(rule),
        alert: None,
        urgency: Urgency::Action,
        repeat: Repeat::Once,
        clips: vec![Clip::Prompt(words)],
    })
}
