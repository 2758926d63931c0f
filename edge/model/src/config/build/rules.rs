//! The figures of the rules beside silence and absence, out of their tables. Figures that
//! contradict each other fall back to the defaults together.

use super::super::{
    BathroomStayRule, ClimateRule, DoorAtNightRule, LockRule, MedicationRule, OutOfBedRule,
    OwnRange, PersonAtNightRule, StrangersRule, SupplyRule, TestPressRule, TimeOfDay, VitalRange,
    VitalRule, VoiceRule, WaterRule,
};
use super::figures::contradiction;
use crate::config::fault::{Faults, quote};
use crate::config::reader::Fields;

pub(super) fn test_press(fields: &Fields<'_>) -> Option<TestPressRule> {
    Some(TestPressRule { enabled: fields.flag("enabled")?, every: fields.duration("every")? })
}

pub(super) fn voice(fields: &Fields<'_>) -> Option<VoiceRule> {
    Some(VoiceRule { answer_within: fields.duration("answer_within")? })
}

pub(super) fn door_at_night(fields: &Fields<'_>) -> Option<DoorAtNightRule> {
    Some(DoorAtNightRule {
        enabled: fields.flag("enabled")?,
        from: fields.time("from")?,
        to: fields.time("to")?,
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
    let mut rule = OutOfBedRule {
        enabled: fields.flag("enabled")?,
        from: fields.time("from")?,
        to: fields.time("to")?,
        warn_after: fields.duration("warn_after")?,
        alarm_after: fields.duration("alarm_after")?,
        trial: fields.duration("trial")?,
    };
    if rule.warn_after >= rule.alarm_after {
        contradiction(fields, "warn_after", "alarm_after", faults);
        let usual = OutOfBedRule::default();
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

pub(super) fn own_range(fields: &Fields<'_>) -> OwnRange {
    OwnRange {
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
    }
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

pub(super) fn medication(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<MedicationRule> {
    let mut times: Vec<TimeOfDay> = Vec::new();
    for written in fields.list("times") {
        match crate::config::value::time_of_day(&written) {
            Some(time) => times.push(time),
            None => {
                let message = format!("{} is not a time of day", quote(&written));
                fields.fault(faults, "times", message, "write it as \"08:00\"");
            }
        }
    }
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

pub(super) fn person_at_night(fields: &Fields<'_>) -> Option<PersonAtNightRule> {
    Some(PersonAtNightRule {
        enabled: fields.flag("enabled")?,
        from: fields.time("from")?,
        to: fields.time("to")?,
    })
}

pub(super) fn supply(fields: &Fields<'_>) -> Option<SupplyRule> {
    Some(SupplyRule {
        mains_after: fields.duration("mains_after")?,
        network_after: fields.duration("network_after")?,
    })
}
