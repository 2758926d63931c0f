//! The figures of the rules beside silence and absence, out of their tables. Figures that
//! contradict each other fall back to the defaults together.

use super::super::{
    BathroomStayRule, ClimateRule, DoorAtNightRule, LockRule, MedicationRule, OutOfBedRule,
    OwnRange, PersonAtNightRule, StrangersRule, SupplyRule, TestPressRule, TimeOfDay, VitalRange,
    VitalRule, VoiceRule, WaterRule,
};
use super::figures::contradiction;
use crate::config::fault::Faults;
use crate::config::reader::Fields;

pub(super) fn test_press(fields: &Fields<'_>) -> Option<TestPressRule> {
    Some(TestPressRule { enabled: fields.flag("enabled")?, every: fields.duration("every")? })
}

pub(super) fn voice(fields: &Fields<'_>) -> Option<VoiceRule> {
    Some(VoiceRule { answer_within: fields.duration("answer_within")? })
}

pub(super) fn door_at_night(
    fields: &Fields<'_>,
    faults: &mut Faults<'_>,
) -> Option<DoorAtNightRule> {
    let usual = DoorAtNightRule::default();
    let (from, to) = window(fields, (usual.from, usual.to), faults)?;
    Some(DoorAtNightRule {
        enabled: fields.flag("enabled")?,
        from,
        to,
        trial: fields.duration("trial")?,
    })
}

pub(super) fn bathroom_stay(
    fields: &Fields<'_>,
    faults: &mut Faults<'_>,
) -> Option<BathroomStayRule> {
    let mut rule = BathroomStayRule {
        enabled: fields.flag("enabled")?,
        warn_after: fields.duration("warn_after")?,
        alarm_after: fields.duration("alarm_after")?,
        trial: fields.duration("trial")?,
    };
    if rule.warn_after >= rule.alarm_after {
        contradiction(fields, "warn_after", "alarm_after", faults);
        let usual = BathroomStayRule::default();
        (rule.warn_after, rule.alarm_after) = (usual.warn_after, usual.alarm_after);
    }
    Some(rule)
}

pub(super) fn out_of_bed(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<OutOfBedRule> {
    let usual = OutOfBedRule::default();
    let (from, to) = window(fields, (usual.from, usual.to), faults)?;
    let mut rule = OutOfBedRule {
        enabled: fields.flag("enabled")?,
        from,
        to,
        warn_after: fields.duration("warn_after")?,
        alarm_after: fields.duration("alarm_after")?,
        trial: fields.duration("trial")?,
    };
    if rule.warn_after >= rule.alarm_after {
        contradiction(fields, "warn_after", "alarm_after", faults);
        (rule.warn_after, rule.alarm_after) = (usual.warn_after, usual.alarm_after);
    }
    Some(rule)
}

pub(super) fn vital(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<VitalRule> {
    let mut range = VitalRange {
        heart_low: fields.number("heart_low")?,
        heart_high: fields.number("heart_high")?,
        breaths_low: fields.number("breaths_low")?,
        breaths_high: fields.number("breaths_high")?,
        systolic_low: fields.number("systolic_low")?,
        systolic_high: fields.number("systolic_high")?,
        diastolic_high: fields.number("diastolic_high")?,
        spo2_low: fields.number("spo2_low")?,
        body_decicelsius_low: fields.number("body_decicelsius_low")?,
        body_decicelsius_high: fields.number("body_decicelsius_high")?,
    };
    let usual = VitalRange::default();
    let pairs = [
        (
            "heart_low",
            &mut range.heart_low,
            &mut range.heart_high,
            usual.heart_low,
            usual.heart_high,
        ),
        (
            "breaths_low",
            &mut range.breaths_low,
            &mut range.breaths_high,
            usual.breaths_low,
            usual.breaths_high,
        ),
        (
            "systolic_low",
            &mut range.systolic_low,
            &mut range.systolic_high,
            usual.systolic_low,
            usual.systolic_high,
        ),
        (
            "body_decicelsius_low",
            &mut range.body_decicelsius_low,
            &mut range.body_decicelsius_high,
            usual.body_decicelsius_low,
            usual.body_decicelsius_high,
        ),
    ];
    for (key, low, high, usual_low, usual_high) in pairs {
        if *low >= *high {
            let mend = format!("make `{key}` less than its `_high`");
            fields.fault(faults, key, "nothing would be in order", mend);
            (*low, *high) = (usual_low, usual_high);
        }
    }
    Some(VitalRule {
        enabled: fields.flag("enabled")?,
        persist: fields.duration("persist")?,
        range,
    })
}

/// What one person differs in. Together with what holds for everybody something must be in order;
/// where nothing would be, that holds alone.
pub(super) fn own_range(
    fields: &Fields<'_>,
    usual: VitalRange,
    faults: &mut Faults<'_>,
) -> OwnRange {
    let mut own = OwnRange {
        heart_low: fields.number("heart_low"),
        heart_high: fields.number("heart_high"),
        breaths_low: fields.number("breaths_low"),
        breaths_high: fields.number("breaths_high"),
        systolic_low: fields.number("systolic_low"),
        systolic_high: fields.number("systolic_high"),
        diastolic_high: fields.number("diastolic_high"),
        spo2_low: fields.number("spo2_low"),
        body_decicelsius_low: fields.number("body_decicelsius_low"),
        body_decicelsius_high: fields.number("body_decicelsius_high"),
    };
    let range = own.over(usual);
    let pairs = [
        ("heart", range.heart_low, range.heart_high, &mut own.heart_low, &mut own.heart_high),
        (
            "breaths",
            range.breaths_low,
            range.breaths_high,
            &mut own.breaths_low,
            &mut own.breaths_high,
        ),
        (
            "systolic",
            range.systolic_low,
            range.systolic_high,
            &mut own.systolic_low,
            &mut own.systolic_high,
        ),
        (
            "body_decicelsius",
            range.body_decicelsius_low,
            range.body_decicelsius_high,
            &mut own.body_decicelsius_low,
            &mut own.body_decicelsius_high,
        ),
    ];
    for (what, low, high, own_low, own_high) in pairs {
        if low >= high && (own_low.is_some() || own_high.is_some()) {
            let at = if own_low.is_some() { "low" } else { "high" };
            let message = format!("nothing would be in order from {low} to {high}");
            let mend = format!("make `{what}_low` less than `{what}_high`");
            fields.fault(faults, &format!("{what}_{at}"), message, mend);
            (*own_low, *own_high) = (None, None);
        }
    }
    own
}

/// The time of day in which a rule watches; over midnight if it ends before it begins.
fn window(
    fields: &Fields<'_>,
    usual: (TimeOfDay, TimeOfDay),
    faults: &mut Faults<'_>,
) -> Option<(TimeOfDay, TimeOfDay)> {
    let (from, to) = (fields.time("from")?, fields.time("to")?);
    if from != to {
        return Some((from, to));
    }
    let at = if fields.row.table.contains_key("to") { "to" } else { "from" };
    let message = "`from` and `to` are the same time, so the rule would never watch";
    let mend = "make them different, or switch the rule off with enabled = false";
    fields.fault(faults, at, message, mend);
    Some(usual)
}

pub(super) fn climate(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<ClimateRule> {
    let mut rule = ClimateRule {
        enabled: fields.flag("enabled")?,
        persist: fields.duration("persist")?,
        cold_warn: fields.number("cold_warn")?,
        cold_alarm: fields.number("cold_alarm")?,
        heat_warn: fields.number("heat_warn")?,
        heat_alarm: fields.number("heat_alarm")?,
    };
    let steps = [rule.cold_alarm, rule.cold_warn, rule.heat_warn, rule.heat_alarm];
    if !steps.is_sorted_by(|a, b| a < b) {
        let message = "these temperatures contradict each other";
        let mend = "keep cold_alarm < cold_warn < heat_warn < heat_alarm";
        fields.fault(faults, "cold_warn", message, mend);
        let usual = ClimateRule::default();
        rule = ClimateRule { enabled: rule.enabled, persist: rule.persist, ..usual };
    }
    Some(rule)
}

pub(super) fn medication(fields: &Fields<'_>) -> Option<MedicationRule> {
    // What is no time of day was told where the list was read.
    let listed = fields.list("times").into_iter();
    let mut times: Vec<TimeOfDay> =
        listed.filter_map(|written| crate::config::value::time_of_day(&written)).collect();
    times.sort_unstable();
    times.dedup();
    Some(MedicationRule {
        enabled: fields.flag("enabled")?,
        times,
        early: fields.duration("early")?,
        late: fields.duration("late")?,
    })
}

pub(super) fn water(fields: &Fields<'_>) -> Option<WaterRule> {
    Some(WaterRule { enabled: fields.flag("enabled")?, running: fields.duration("running")? })
}

pub(super) fn lock(fields: &Fields<'_>) -> Option<LockRule> {
    Some(LockRule { enabled: fields.flag("enabled")?, tries: fields.number("tries")? })
}

pub(super) fn strangers(fields: &Fields<'_>) -> Option<StrangersRule> {
    Some(StrangersRule {
        enabled: fields.flag("enabled")?,
        rings: fields.number("rings")?,
        within: fields.duration("within")?,
        trial: fields.duration("trial")?,
    })
}

pub(super) fn person_at_night(
    fields: &Fields<'_>,
    faults: &mut Faults<'_>,
) -> Option<PersonAtNightRule> {
    let usual = PersonAtNightRule::default();
    let (from, to) = window(fields, (usual.from, usual.to), faults)?;
    Some(PersonAtNightRule { enabled: fields.flag("enabled")?, from, to })
}

pub(super) fn supply(fields: &Fields<'_>) -> Option<SupplyRule> {
    Some(SupplyRule {
        mains_after: fields.duration("mains_after")?,
        network_after: fields.duration("network_after")?,
    })
}
