//! The rules' figures. Each has a default, so that a home is guarded before anybody tunes it.

use std::time::Duration;

use super::rules::{
    BathroomStayRule, ClimateRule, DoorAtNightRule, LockRule, MedicationRule, OutOfBedRule,
    PersonAtNightRule, StrangersRule, SupplyRule, TestPressRule, VitalRule, VoiceRule, WaterRule,
};

/// A time of day, civil.
pub type TimeOfDay = jiff::civil::Time;

/// The figures of all rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// `[guard.inactivity]`
    pub inactivity: InactivityRule,
    /// `[guard.not_up]`
    pub not_up: NotUpRule,
    /// `[guard.left_home]`
    pub left_home: LeftHomeRule,
    /// `[guard.silent]`
    pub silent: SilentRule,
    /// `[guard.test_press]`
    pub test_press: TestPressRule,
    /// `[guard.door_at_night]`
    pub door_at_night: DoorAtNightRule,
    /// `[guard.bathroom_stay]`
    pub bathroom_stay: BathroomStayRule,
    /// `[guard.out_of_bed]`
    pub out_of_bed: OutOfBedRule,
    /// `[guard.vital]`
    pub vital: VitalRule,
    /// `[guard.climate]`
    pub climate: ClimateRule,
    /// `[guard.medication]`
    pub medication: MedicationRule,
    /// `[guard.water]`
    pub water: WaterRule,
    /// `[guard.lock]`
    pub lock: LockRule,
    /// `[guard.strangers]`
    pub strangers: StrangersRule,
    /// `[guard.person_at_night]`
    pub person_at_night: PersonAtNightRule,
    /// `[guard.supply]`
    pub supply: SupplyRule,
    /// `[guard.voice]`
    pub voice: VoiceRule,
}

/// Figures of the inactivity rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InactivityRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Silence within the waking window before a warning.
    pub warn_after: Duration,
    /// Silence before an alarm.
    pub alarm_after: Duration,
    /// Start of the waking window.
    pub wake: TimeOfDay,
    /// End of the waking window.
    pub sleep: TimeOfDay,
    /// How long before the alarm the box asks.
    pub ask_before: Duration,
    /// Whether findings are only recorded until the home's own two weeks are known.
    pub shadow: bool,
}

impl Default for InactivityRule {
    fn default() -> Self {
        Self {
            enabled: true,
            warn_after: Duration::from_secs(4 * 3600),
            alarm_after: Duration::from_secs(8 * 3600),
            wake: TimeOfDay::constant(7, 0, 0, 0),
            sleep: TimeOfDay::constant(22, 0, 0, 0),
            ask_before: Duration::from_secs(600),
            shadow: false,
        }
    }
}

/// Figures of the "not up by" rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUpRule {
    /// Whether it runs.
    pub enabled: bool,
    /// No sign of life since the night by this time is a warning.
    pub by: TimeOfDay,
    /// Signs of life count as "up" from this time on.
    pub night_ends: TimeOfDay,
}

impl Default for NotUpRule {
    fn default() -> Self {
        Self {
            enabled: true,
            by: TimeOfDay::constant(10, 0, 0, 0),
            night_ends: TimeOfDay::constant(4, 0, 0, 0),
        }
    }
}

/// Figures of the "left home and not back" rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftHomeRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Absence before a warning.
    pub warn_after: Duration,
    /// Absence before an alarm.
    pub alarm_after: Duration,
    /// No motion for this long after the door closed means probably out.
    pub settle: Duration,
}

impl Default for LeftHomeRule {
    fn default() -> Self {
        Self {
            enabled: true,
            warn_after: Duration::from_secs(6 * 3600),
            alarm_after: Duration::from_secs(12 * 3600),
            settle: Duration::from_secs(15 * 60),
        }
    }
}

/// Figures of the "device silent" rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentRule {
    /// Longest silence of a help trigger (EN 50134-2: reports at least every 24 h).
    pub trigger: Duration,
    /// Longest silence of a device that runs on mains and reports by itself.
    pub mains: Duration,
    /// Longest silence of any other device.
    pub other: Duration,
}

impl Default for SilentRule {
    fn default() -> Self {
        Self {
            trigger: Duration::from_secs(24 * 3600),
            mains: Duration::from_secs(6 * 3600),
            other: Duration::from_secs(25 * 3600),
        }
    }
}
