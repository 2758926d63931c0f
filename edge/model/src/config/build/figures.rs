//! The rules' figures. Figures that contradict each other fall back to the defaults together: half
//! of a pair would be a rule that nobody asked for.

use super::super::schema;
use super::super::{Guard, InactivityRule, LeftHomeRule, NotUpRule, SilentRule};
use super::{rules, single};
use crate::config::fault::Faults;
use crate::config::reader::{self, Expected, Fields, Row};

pub(super) fn guard(root: &Row<'_>, faults: &mut Faults<'_>) -> Guard {
    let Some(row) = reader::table(root, "guard", faults) else { return Guard::default() };
    let below = Expected { tables: schema::RULES, ..Expected::only(&[]) };
    let row = reader::read(row, &below, faults).row;
    let read = |name, section, faults: &mut Faults<'_>| {
        single(&row, name, &Expected::only(&[section]), faults)
    };
    Guard {
        inactivity: read("inactivity", &schema::INACTIVITY, faults)
            .and_then(|fields| inactivity(&fields, faults))
            .unwrap_or_default(),
        not_up: read("not_up", &schema::NOT_UP, faults)
            .and_then(|fields| not_up(&fields, faults))
            .unwrap_or_default(),
        left_home: read("left_home", &schema::LEFT_HOME, faults)
            .and_then(|fields| left_home(&fields, faults))
            .unwrap_or_default(),
        silent: read("silent", &schema::SILENT, faults)
            .and_then(|fields| {
                Some(SilentRule {
                    trigger: fields.duration("trigger")?,
                    mains: fields.duration("mains")?,
                    other: fields.duration("other")?,
                })
            })
            .unwrap_or_default(),
        test_press: read("test_press", &schema::TEST_PRESS, faults)
            .and_then(|fields| rules::test_press(&fields))
            .unwrap_or_default(),
        door_at_night: read("door_at_night", &schema::DOOR_AT_NIGHT, faults)
            .and_then(|fields| rules::door_at_night(&fields, faults))
            .unwrap_or_default(),
        bathroom_stay: read("bathroom_stay", &schema::BATHROOM_STAY, faults)
            .and_then(|fields| rules::bathroom_stay(&fields, faults))
            .unwrap_or_default(),
        out_of_bed: read("out_of_bed", &schema::OUT_OF_BED, faults)
            .and_then(|fields| rules::out_of_bed(&fields, faults))
            .unwrap_or_default(),
        vital: read("vital", &schema::VITAL, faults)
            .and_then(|fields| rules::vital(&fields, faults))
            .unwrap_or_default(),
        climate: read("climate", &schema::CLIMATE, faults)
            .and_then(|fields| rules::climate(&fields, faults))
            .unwrap_or_default(),
        medication: read("medication", &schema::MEDICATION, faults)
            .and_then(|fields| rules::medication(&fields))
            .unwrap_or_default(),
        water: read("water", &schema::WATER, faults)
            .and_then(|fields| rules::water(&fields))
            .unwrap_or_default(),
        lock: read("lock", &schema::LOCK, faults)
            .and_then(|fields| rules::lock(&fields))
            .unwrap_or_default(),
        strangers: read("strangers", &schema::STRANGERS, faults)
            .and_then(|fields| rules::strangers(&fields))
            .unwrap_or_default(),
        person_at_night: read("person_at_night", &schema::PERSON_AT_NIGHT, faults)
            .and_then(|fields| rules::person_at_night(&fields, faults))
            .unwrap_or_default(),
        supply: read("supply", &schema::SUPPLY, faults)
            .and_then(|fields| rules::supply(&fields))
            .unwrap_or_default(),
        voice: read("voice", &schema::VOICE, faults)
            .and_then(|fields| rules::voice(&fields))
            .unwrap_or_default(),
    }
}

fn inactivity(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<InactivityRule> {
    let mut rule = InactivityRule {
        enabled: fields.flag("enabled")?,
        warn_after: fields.duration("warn_after")?,
        alarm_after: fields.duration("alarm_after")?,
        wake: fields.time("wake")?,
        sleep: fields.time("sleep")?,
        ask_before: fields.duration("ask_before")?,
        shadow: fields.flag("shadow")?,
    };
    let usual = InactivityRule::default();
    if rule.warn_after >= rule.alarm_after {
        contradiction(fields, "warn_after", "alarm_after", faults);
        (rule.warn_after, rule.alarm_after) = (usual.warn_after, usual.alarm_after);
    }
    if rule.ask_before >= rule.alarm_after {
        let message = "the box would ask before the silence began";
        fields.fault(faults, "ask_before", message, "make it shorter than `alarm_after`");
        rule.ask_before = usual.ask_before.min(rule.alarm_after / 2);
    }
    if rule.wake >= rule.sleep {
        let message = "the waking hours end before they begin";
        fields.fault(faults, "wake", message, "make `wake` earlier than `sleep`");
        (rule.wake, rule.sleep) = (usual.wake, usual.sleep);
    }
    Some(rule)
}

fn not_up(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<NotUpRule> {
    let mut rule = NotUpRule {
        enabled: fields.flag("enabled")?,
        by: fields.time("by")?,
        night_ends: fields.time("night_ends")?,
    };
    if rule.night_ends >= rule.by {
        let message = "the night would end after she should be up";
        fields.fault(faults, "night_ends", message, "make `night_ends` earlier than `by`");
        let usual = NotUpRule::default();
        (rule.by, rule.night_ends) = (usual.by, usual.night_ends);
    }
    Some(rule)
}

fn left_home(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<LeftHomeRule> {
    let mut rule = LeftHomeRule {
        enabled: fields.flag("enabled")?,
        warn_after: fields.duration("warn_after")?,
        alarm_after: fields.duration("alarm_after")?,
        settle: fields.duration("settle")?,
    };
    if rule.warn_after >= rule.alarm_after {
        contradiction(fields, "warn_after", "alarm_after", faults);
        let usual = LeftHomeRule::default();
        (rule.warn_after, rule.alarm_after) = (usual.warn_after, usual.alarm_after);
    }
    Some(rule)
}

/// Told at the one of the two that is written.
pub(super) fn contradiction(fields: &Fields<'_>, short: &str, long: &str, faults: &mut Faults<'_>) {
    let at = if fields.row.table.contains_key(short) { short } else { long };
    let message = "the alarm would come before the warning";
    fields.fault(faults, at, message, format!("make `{short}` shorter than `{long}`"));
}
