//! The figures of the rules beside silence and absence: nights, rooms, vital signs, climate,
//! water, doors, and the supply of the box. Each has a default, so that a home is guarded before
//! anybody tunes it; where a figure comes from stands with its rule.

use std::time::Duration;

use super::TimeOfDay;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long a rule about habits only records before it calls anybody: the home's own two weeks.
pub const TRIAL: Duration = Duration::from_secs(14 * 24 * HOUR);

/// `[guard.door_at_night]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorAtNightRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Begin of the night.
    pub from: TimeOfDay,
    /// End of the night.
    pub to: TimeOfDay,
    /// Watched time during which findings are only recorded.
    pub trial: Duration,
}

impl Default for DoorAtNightRule {
    fn default() -> Self {
        Self {
            enabled: true,
            from: TimeOfDay::constant(23, 0, 0, 0),
            to: TimeOfDay::constant(5, 0, 0, 0),
            trial: TRIAL,
        }
    }
}

/// `[guard.bathroom_stay]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BathroomStayRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Stay before a warning.
    pub warn_after: Duration,
    /// Stay before an alarm.
    pub alarm_after: Duration,
    /// Watched time during which findings are only recorded.
    pub trial: Duration,
}

impl Default for BathroomStayRule {
    fn default() -> Self {
        Self {
            enabled: true,
            warn_after: Duration::from_secs(HOUR),
            alarm_after: Duration::from_secs(4 * HOUR),
            trial: TRIAL,
        }
    }
}

/// `[guard.out_of_bed]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfBedRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Begin of the night.
    pub from: TimeOfDay,
    /// End of the night.
    pub to: TimeOfDay,
    /// Time out of bed before a warning.
    pub warn_after: Duration,
    /// Time out of bed, without any sign of the person, before an alarm.
    pub alarm_after: Duration,
    /// Watched time during which findings are only recorded.
    pub trial: Duration,
}

impl Default for OutOfBedRule {
    fn default() -> Self {
        Self {
            enabled: true,
            from: TimeOfDay::constant(22, 0, 0, 0),
            to: TimeOfDay::constant(6, 0, 0, 0),
            warn_after: Duration::from_secs(30 * MINUTE),
            alarm_after: Duration::from_secs(HOUR),
            trial: TRIAL,
        }
    }
}

/// `[guard.vital]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VitalRule {
    /// Whether it runs.
    pub enabled: bool,
    /// How long a reading has to stay outside the range, at least two readings long.
    pub persist: Duration,
    /// The range of everybody for whom `[[person]]` says nothing else.
    pub range: VitalRange,
}

impl Default for VitalRule {
    fn default() -> Self {
        Self {
            enabled: true,
            persist: Duration::from_secs(2 * MINUTE),
            range: VitalRange::default(),
        }
    }
}

macro_rules! vital_range {
    ($($(#[$doc:meta])* $name:ident: $default:literal;)*) => {
        /// What is in order; a reading below a `_low` or above a `_high` is not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct VitalRange { $($(#[$doc])* pub $name: u32,)* }

        impl Default for VitalRange {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// Where one person differs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct OwnRange { $($(#[$doc])* pub $name: Option<u32>,)* }

        impl OwnRange {
            /// The person's range.
            pub fn over(&self, usual: VitalRange) -> VitalRange {
                VitalRange { $($name: self.$name.unwrap_or(usual.$name),)* }
            }
        }
    };
}

vital_range! {
    /// Heart beats a minute.
    heart_low: 41;
    /// Heart beats a minute.
    heart_high: 130;
    /// Breaths a minute.
    breaths_low: 9;
    /// Breaths a minute.
    breaths_high: 24;
    /// Systolic blood pressure, mmHg.
    systolic_low: 91;
    /// Systolic blood pressure, mmHg.
    systolic_high: 179;
    /// Diastolic blood pressure, mmHg.
    diastolic_high: 119;
    /// Oxygen saturation, per cent.
    spo2_low: 92;
    /// Body temperature, tenths of a degree Celsius.
    body_decicelsius_low: 351;
    /// Body temperature, tenths of a degree Celsius.
    body_decicelsius_high: 390;
}

/// `[guard.climate]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClimateRule {
    /// Whether it runs.
    pub enabled: bool,
    /// How long a room has to stay too hot or too cold.
    pub persist: Duration,
    /// Below this a room is too cold, degrees Celsius.
    pub cold_warn: i32,
    /// Below this it is dangerous.
    pub cold_alarm: i32,
    /// Above this a room is too hot, degrees Celsius.
    pub heat_warn: i32,
    /// Above this it is dangerous.
    pub heat_alarm: i32,
}

impl Default for ClimateRule {
    fn default() -> Self {
        Self {
            enabled: true,
            persist: Duration::from_secs(HOUR),
            cold_warn: 12,
            cold_alarm: 8,
            heat_warn: 32,
            heat_alarm: 35,
        }
    }
}

/// `[guard.medication]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MedicationRule {
    /// Whether it runs.
    pub enabled: bool,
    /// When the pill box has to be opened each day; none if the box has its own schedule.
    pub times: Vec<TimeOfDay>,
    /// How long before its time an opening counts.
    pub early: Duration,
    /// How long after its time it counts, and is waited for.
    pub late: Duration,
}

impl Default for MedicationRule {
    fn default() -> Self {
        Self {
            enabled: true,
            times: Vec::new(),
            early: Duration::from_secs(HOUR),
            late: Duration::from_secs(HOUR),
        }
    }
}

/// `[guard.water]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaterRule {
    /// Whether it runs.
    pub enabled: bool,
    /// How long water may run without a pause.
    pub running: Duration,
}

impl Default for WaterRule {
    fn default() -> Self {
        Self { enabled: true, running: Duration::from_secs(HOUR) }
    }
}

/// `[guard.lock]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Wrong tries in a row before a warning.
    pub tries: u32,
}

impl Default for LockRule {
    fn default() -> Self {
        Self { enabled: true, tries: 3 }
    }
}

/// `[guard.strangers]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrangersRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Visits at the door, without being let in, before a warning.
    pub rings: u32,
    /// Within this time.
    pub within: Duration,
    /// Watched time during which findings are only recorded.
    pub trial: Duration,
}

impl Default for StrangersRule {
    fn default() -> Self {
        Self { enabled: true, rings: 3, within: Duration::from_secs(24 * HOUR), trial: TRIAL }
    }
}

/// `[guard.person_at_night]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAtNightRule {
    /// Whether it runs.
    pub enabled: bool,
    /// Begin of the night.
    pub from: TimeOfDay,
    /// End of the night.
    pub to: TimeOfDay,
}

impl Default for PersonAtNightRule {
    fn default() -> Self {
        Self {
            enabled: false,
            from: TimeOfDay::constant(23, 0, 0, 0),
            to: TimeOfDay::constant(5, 0, 0, 0),
        }
    }
}

/// `[guard.supply]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplyRule {
    /// How long mains may be away before it is told.
    pub mains_after: Duration,
    /// How long the centre may be out of reach before it is told.
    pub network_after: Duration,
}

impl Default for SupplyRule {
    fn default() -> Self {
        Self {
            mains_after: Duration::from_secs(MINUTE),
            network_after: Duration::from_secs(10 * MINUTE),
        }
    }
}

/// `[guard.test_press]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestPressRule {
    /// Whether it runs.
    pub enabled: bool,
    /// How often a device that calls for help has to be pressed.
    pub every: Duration,
}

impl Default for TestPressRule {
    fn default() -> Self {
        Self { enabled: true, every: Duration::from_secs(30 * 24 * HOUR) }
    }
}

/// `[guard.voice]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceRule {
    /// How long "did you call for help?" may stay without an answer; zero asks nobody.
    pub answer_within: Duration,
}

impl Default for VoiceRule {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(30) }
    }
}
