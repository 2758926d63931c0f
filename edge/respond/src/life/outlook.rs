//! What would happen: who would be tried when, if something were raised at a given time of a given
//! day. It is no second account of the plan: it asks a book of its own and lets time pass.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{ChannelKind, Household};
use anju_model::{Class, ContactId, EntryId, Finding, Moment, Raise, Rule};
use jiff::civil;

use super::action::{Action, Input};
use super::book::Book;
use crate::texts::Texts;

/// How far is looked ahead.
const HORIZON: Duration = Duration::from_secs(3600);

/// A plan that asks for more looks than this within the horizon is cut there.
const MOST_TICKS: usize = 10_000;

/// One contact, tried for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// After what time without an answer.
    pub after: Duration,
    /// Who.
    pub contact: ContactId,
    /// The name people use.
    pub name: String,
    /// Over what, all at once.
    pub channels: Vec<ChannelKind>,
}

/// How grave what a rule raises can be, at most.
pub const fn gravest(rule: &Rule) -> Class {
    match rule {
        Rule::Help
        | Rule::Fall
        | Rule::Smoke
        | Rule::Gas
        | Rule::CarbonMonoxide
        | Rule::Leak
        | Rule::Inactivity
        | Rule::LeftHome
        | Rule::Wandering
        | Rule::DoorAtNight
        | Rule::BathroomStay
        | Rule::OutOfBed
        | Rule::Vital
        | Rule::Heat
        | Rule::Cold
        | Rule::LockForced => Class::Alarm,
        Rule::NotUp
        | Rule::Medication
        | Rule::WaterRunning
        | Rule::LockTries
        | Rule::Strangers
        | Rule::PersonAtNight
        | Rule::Other(_) => Class::Warning,
        Rule::TestDue | Rule::Call => Class::Request,
        Rule::Unguarded
        | Rule::DeviceSilent
        | Rule::DeviceLow
        | Rule::Tamper
        | Rule::Trouble
        | Rule::Journal
        | Rule::Configuration
        | Rule::Channel
        | Rule::MainsLost
        | Rule::BoxBattery
        | Rule::NetworkLost
        | Rule::CentreLost
        | Rule::SimContract
        | Rule::CaseOpened
        | Rule::BoxTemperature
        | Rule::StorageWear => Class::Fault,
    }
}

/// Who would be tried within the hour after `at`, household's civil time, if nobody answered.
pub fn outlook(household: &Household, rule: &Rule, class: Class, at: civil::DateTime) -> Vec<Try> {
    let texts = Arc::new(Texts::new(household.language));
    let mut book = Book::new(Arc::new(household.clone()), texts);
    let wall = household.timezone.to_ambiguous_zoned(at).compatible().map(|z| z.timestamp());
    let start = Moment::default();
    book.set_clock(start, wall.ok());
    let raise = Raise {
        rule: rule.clone(),
        class,
        origin: None,
        cause: EntryId { box_id: household.box_id.clone(), epoch: 1, seq: 1 },
        direct: true,
        since: None,
        count: 1,
        test: false,
        shadow: false,
        lost: None,
        more: false,
    };
    let mut seen = BTreeSet::new();
    let mut tries = Vec::new();
    let mut note = |now: Moment, actions: Vec<Action>| {
        for action in actions {
            let Action::Notify(notice) = action else { continue };
            if notice.kind.answerable() && seen.insert(notice.contact.clone()) {
                let known = household.contact(notice.contact.as_str());
                tries.push(Try {
                    after: now.since(start),
                    name: known.map_or_else(|| notice.contact.to_string(), |c| c.name.clone()),
                    contact: notice.contact,
                    channels: notice.channels,
                });
            }
        }
    };
    note(start, book.handle(start, Input::Finding(Finding::Raise(raise))).actions);
    let end = start.after(HORIZON);
    for _ in 0..MOST_TICKS {
        let Some(next) = book.next_tick().filter(|next| *next <= end) else { break };
        note(next, book.tick(next));
    }
    tries
}
