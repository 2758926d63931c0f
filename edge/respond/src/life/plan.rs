//! The plan of who is tried, when, and at once with whom. Pure arithmetic over the household's
//! contacts and the position of a search. A plan never ends: after its last step it begins again.

use std::collections::BTreeMap;
use std::time::Duration;

use anju_model::config::{Contact, ContactRole, Household};
use anju_model::{Class, Moment, Rule, Subject};

use super::alert::{Alert, Position, Search};
use super::civil::{Civil, look_again};

/// Pauses between rounds of an alarm: telecare hubs try 16 times 30 s apart, then every 10 minutes.
const ALARM_PAUSE: Duration = Duration::from_secs(30);
const ALARM_ROUNDS: u32 = 16;
const CALM_PAUSE: Duration = Duration::from_secs(10 * 60);
const WARNING_ROUNDS: u32 = 6;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Time to accept when nothing of a step could be handed over: a channel that refuses tries again
/// after a second, and the next of the plan have the alert within 5 s.
const OUT_OF_REACH_WINDOW: Duration = Duration::from_secs(3);
/// Bounds of a contact's window, whatever the household says.
const WINDOW_BOUNDS: (Duration, Duration) = (Duration::from_secs(10), HOUR);

/// Whether the fault leaves the home unguarded, so that it is told at any hour: nothing can be
/// recorded, nothing in the home can call for help any more or see a person, the box's battery
/// ends, or its case was opened.
pub(super) const fn unguarded(rule: &Rule) -> bool {
    matches!(rule, Rule::Journal | Rule::Unguarded | Rule::BoxBattery | Rule::CaseOpened)
}

/// Dangers that leave no time to try one after the other.
pub(crate) const fn gravest(rule: &Rule, class: Class) -> bool {
    matches!(class, Class::Alarm) && matches!(rule, Rule::Smoke | Rule::Gas | Rule::CarbonMonoxide)
}

/// The steps for an alert: contacts of one step are tried at once.
pub(super) fn steps<'a>(household: &'a Household, subject: &Subject) -> Vec<Vec<&'a Contact>> {
    let usable: Vec<&Contact> =
        household.contacts.iter().filter(|c| !c.channels.is_empty()).collect();
    // Who asks for a call wants to talk to the family first, not to those who do errands.
    let calm = subject.class == Class::Warning || subject.rule == Rule::Call;
    let chosen = match subject.class {
        _ if calm => usable,
        Class::Alarm | Class::Warning => usable,
        Class::Request => by_role(
            &usable,
            &[
                ContactRole::Community,
                ContactRole::SocialWorker,
                ContactRole::Volunteer,
                ContactRole::Charity,
                ContactRole::Centre,
            ],
        ),
        Class::Fault => {
            let repair = [ContactRole::Property, ContactRole::Community, ContactRole::Centre];
            let mut told = by_role(&usable, &repair);
            // The way that broke may be the only one to those who repair.
            if subject.rule == Rule::Channel {
                let family = usable.iter().filter(|c| c.role == ContactRole::Family);
                told.extend(family.filter(|c| !told.contains(*c)).take(1).collect::<Vec<_>>());
            }
            told
        }
    };
    if gravest(&subject.rule, subject.class) {
        return vec![chosen];
    }
    let mut steps = in_steps(chosen);
    if calm {
        family_first(&mut steps);
    }
    steps
}

/// Those who have one of the roles; where nobody has, the family; where there is none, everybody.
fn by_role<'a>(usable: &[&'a Contact], roles: &[ContactRole]) -> Vec<&'a Contact> {
    let with = |wanted: &[ContactRole]| -> Vec<&'a Contact> {
        usable.iter().copied().filter(|c| wanted.contains(&c.role)).collect()
    };
    let chosen = with(roles);
    if !chosen.is_empty() {
        return chosen;
    }
    match with(&[ContactRole::Family]).first() {
        Some(first) => vec![*first],
        None => usable.to_vec(),
    }
}

/// By the household's own steps; a household that names none has the usual plan.
fn in_steps(contacts: Vec<&Contact>) -> Vec<Vec<&Contact>> {
    let own = contacts.iter().any(|c| c.step.is_some());
    let number = |at: usize, c: &Contact| match c.step {
        Some(step) => step,
        None if own => 1,
        None => usual_step(&contacts, at),
    };
    let mut steps: BTreeMap<u32, Vec<&Contact>> = BTreeMap::new();
    for (at, contact) in contacts.iter().enumerate() {
        steps.entry(number(at, contact)).or_default().push(contact);
    }
    steps.into_values().collect()
}

/// Who can be there within this comes before those who are further away, minutes.
const NEAR: u32 = 15;

/// The usual plan: the centre and the first of the family at once, then those who are near, then
/// the others in the order of the file.
fn usual_step(contacts: &[&Contact], at: usize) -> u32 {
    let Some(contact) = contacts.get(at) else { return 1 };
    let first_of_family = contacts.iter().position(|c| c.role == ContactRole::Family);
    let first = contact.role == ContactRole::Centre || first_of_family == Some(at);
    // Where there is neither centre nor family, somebody must be the first.
    let nobody =
        first_of_family.is_none() && contacts.iter().all(|c| c.role != ContactRole::Centre);
    match contact.minutes_away {
        _ if first || (nobody && at == 0) => 1,
        Some(minutes) if minutes <= NEAR => 2,
        _ => u32::try_from(at).unwrap_or(u32::MAX - 3) + 3,
    }
}

/// A warning is calmer: of the first step the family is told alone, then the others.
fn family_first(steps: &mut Vec<Vec<&Contact>>) {
    let Some(first) = steps.first_mut() else { return };
    let (family, others): (Vec<&Contact>, Vec<&Contact>) =
        first.iter().partition(|c| c.role == ContactRole::Family);
    if !family.is_empty() && !others.is_empty() {
        *first = family;
        steps.insert(1, others);
    }
}

/// Who is to be tried now, and when to look again.
#[derive(Debug, PartialEq)]
pub(super) struct Decision<'a> {
    pub(super) round: u32,
    pub(super) step: u32,
    pub(super) contacts: Vec<&'a Contact>,
    pub(super) wake: Moment,
}

/// Decides for an alert whose search goes on.
pub(super) fn decide<'a>(
    steps: &[Vec<&'a Contact>],
    alert: &Alert,
    civil: &Civil,
    now: Moment,
) -> Decision<'a> {
    let idle = |wake| Decision { round: 0, step: 0, contacts: Vec::new(), wake };
    let by_day = alert.subject.class == Class::Fault && !unguarded(&alert.subject.rule);
    if by_day && !civil.is_day(now) {
        return idle(look_again(now));
    }
    let try_now = |round: u32, index: usize, contacts: Vec<&'a Contact>| {
        let wake = now.after(window(alert, &contacts));
        Decision { round, step: number(index), contacts, wake }
    };
    let mut round = 1;
    if let Some(position) = &alert.search.position {
        let deadline = deadline(steps, alert, position);
        if now < deadline {
            let contacts = late(steps, &alert.search, position, civil, now);
            let (round, step) = (position.round, position.step);
            return Decision { round, step, contacts, wake: deadline };
        }
        let from = position.step as usize;
        if let Some((index, contacts)) =
            first_available(steps, from, &alert.search, position.round, civil, now)
        {
            return try_now(position.round, index, contacts);
        }
        let again = deadline.after(pause(alert, position.round));
        if now < again {
            return idle(again);
        }
        round = position.round.saturating_add(1);
    }
    if let Some((index, contacts)) = first_available(steps, 0, &alert.search, round, civil, now) {
        return try_now(round, index, contacts);
    }
    // Nobody is on duty at this hour, or only who has lapsed: for an alarm everybody is tried.
    let everybody: Vec<&Contact> = steps.iter().flatten().copied().collect();
    if alert.subject.class == Class::Alarm && !everybody.is_empty() {
        return try_now(round, steps.len() - 1, everybody);
    }
    idle(look_again(now))
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1) + 1
}

fn first_available<'a>(
    steps: &[Vec<&'a Contact>],
    from: usize,
    search: &Search,
    round: u32,
    civil: &Civil,
    now: Moment,
) -> Option<(usize, Vec<&'a Contact>)> {
    steps.iter().enumerate().skip(from).find_map(|(index, step)| {
        let contacts: Vec<&Contact> =
            step.iter().copied().filter(|c| available(c, search, round, civil, now)).collect();
        (!contacts.is_empty()).then_some((index, contacts))
    })
}

fn available(contact: &Contact, search: &Search, round: u32, civil: &Civil, now: Moment) -> bool {
    let passed_over = round == 1 && search.passed_over.as_ref() == Some(&contact.id);
    !passed_over && civil.within(&contact.hours, now)
}

/// Who belongs to the running step but was not tried: a restart came in between.
fn late<'a>(
    steps: &[Vec<&'a Contact>],
    search: &Search,
    position: &Position,
    civil: &Civil,
    now: Moment,
) -> Vec<&'a Contact> {
    let Some(step) = (position.step as usize).checked_sub(1).and_then(|i| steps.get(i)) else {
        return Vec::new();
    };
    step.iter()
        .copied()
        .filter(|c| !position.tried.contains(&c.id))
        .filter(|c| available(c, search, position.round, civil, now))
        .collect()
}

fn deadline(steps: &[Vec<&Contact>], alert: &Alert, position: &Position) -> Moment {
    let tried: Vec<&Contact> =
        steps.iter().flatten().copied().filter(|c| position.tried.contains(&c.id)).collect();
    let full = window(alert, &tried);
    let lost = !tried.is_empty() && tried.iter().all(|c| alert.search.reach.out_of_reach(c));
    position.at.after(if lost { full.min(OUT_OF_REACH_WINDOW) } else { full })
}

fn window(alert: &Alert, contacts: &[&Contact]) -> Duration {
    let (least, most) = WINDOW_BOUNDS;
    let longest = contacts.iter().map(|c| c.window).max().unwrap_or(Duration::from_secs(60));
    let calm = match alert.subject.class {
        Class::Alarm => least,
        Class::Warning => Duration::from_secs(5 * 60),
        Class::Request | Class::Fault => Duration::from_secs(30 * 60),
    };
    longest.clamp(least, most).max(calm)
}

/// The pause after a whole round without an answer. It grows, and is capped.
fn pause(alert: &Alert, round: u32) -> Duration {
    match alert.subject.class {
        Class::Alarm if alert.cancelled => CALM_PAUSE,
        Class::Alarm if round < ALARM_ROUNDS => ALARM_PAUSE,
        Class::Alarm => CALM_PAUSE,
        Class::Warning if round < WARNING_ROUNDS => CALM_PAUSE,
        Class::Warning => HOUR,
        Class::Request | Class::Fault => DAY,
    }
}
