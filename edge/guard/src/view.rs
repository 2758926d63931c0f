//! What the guard shows of itself: who is at home as far as it can be told, the last sign of a
//! person, each device, and which rules watch, watch with limits or do not, and why. For the
//! status page; it must never be read back by a rule.

use std::time::Duration;

use anju_model::config::Person;
use anju_model::{DeviceId, DeviceKind, Language, Moment, Observation, Rule, Stamp};
use jiff::Timestamp;

use crate::activity;
use crate::guard::Guard;
use crate::home::Occupancy;
use crate::roster::Device;
use crate::rules::{bathroom_stay, wandering};

/// The picture of the home.
#[derive(Debug, Clone, PartialEq)]
pub struct HomeView {
    /// Who is at home.
    pub occupancy: Occupancy,
    /// The last sign of a person.
    pub last_activity: Option<LastActivity>,
    /// No device can see a person, or none can call for help.
    pub unguarded: bool,
    /// The configured devices in their order.
    pub devices: Vec<DeviceView>,
    /// The rules.
    pub rules: Vec<RuleView>,
}

/// The last sign of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct LastActivity {
    /// When, on the guard's line of time.
    pub at: Moment,
    /// When, if the clock is known.
    pub wall: Option<Timestamp>,
    /// What was observed.
    pub observation: Observation,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceView {
    /// Which.
    pub id: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// When it was last heard, on the guard's line of time.
    pub heard: Option<Moment>,
    /// When it was last heard, if the clock is known.
    pub heard_wall: Option<Timestamp>,
    /// Not heard for too long, or lost by its driver's word.
    pub lost: bool,
    /// Its battery is low.
    pub battery_low: bool,
    /// It says itself that it is broken.
    pub trouble: bool,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleView {
    /// Which.
    pub rule: Rule,
    /// Whether it watches.
    pub standing: Standing,
}

/// Whether a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It watches.
    Active,
    /// It watches, but not all it could.
    Limited(Why),
    /// It does not watch.
    Off(Why),
}

macro_rules! whys {
    ($($(#[$doc:meta])* $variant:ident $zh:literal $en:literal;)*) => {
        /// Why a rule watches less than it could.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Why { $($(#[$doc])* $variant,)* }

        impl Why {
            /// In words for people.
            pub const fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Why::$variant, Language::ZhCn) => $zh, (Why::$variant, Language::En) => $en,)*
                }
            }
        }
    };
}

whys! {
    /// The configuration switched it off.
    Disabled "配置中已关闭" "switched off in the configuration";
    /// Its figures contradict each other.
    Figures "时间设置互相矛盾" "its times contradict each other";
    /// No device tells what it needs.
    NoDevice "没有所需的设备" "no device tells what it needs";
    /// All devices that tell what it needs are lost.
    DevicesLost "所需的设备全部失联" "all devices it needs are lost";
    /// No person has the risk that it watches.
    NoRisk "没有人登记这项风险" "no person has this risk";
    /// No door contact leads out.
    NoExit "没有入户门的门磁" "no contact on a door that leads out";
    /// The clock is not known.
    NoClock "时钟尚未校准" "the clock is not known";
    /// Several persons live here.
    SeveralPersons "多人居住,无法分辨是谁" "several persons live here, it can not tell who";
    /// Several persons live here: it judges them together.
    Together "多人居住,只能整体判断" "several persons live here, it judges them together";
    /// An absence was announced.
    Away "已登记外出" "an absence was announced";
    /// The home is probably empty.
    Out "家中可能无人" "the home is probably empty";
    /// Its findings are only recorded.
    Shadow "试运行,只记录不通知" "on trial, only recorded";
}

impl Guard {
    /// The picture as it stands.
    pub fn home(&self) -> HomeView {
        let wall = |at: Moment| self.line.wall_at(at);
        HomeView {
            occupancy: self.home.occupancy.clone(),
            last_activity: self.last_sign.as_ref().map(|(at, said)| LastActivity {
                at: *at,
                wall: wall(*at),
                observation: said.clone(),
            }),
            unguarded: self.is_unguarded(),
            devices: self
                .roster
                .configured()
                .iter()
                .map(|device| DeviceView {
                    id: device.origin.device.clone(),
                    kind: device.origin.kind,
                    heard: device.heard.at,
                    heard_wall: device.heard.at.and_then(wall),
                    lost: device.lost(),
                    battery_low: device.battery.low(),
                    trouble: device.trouble.active(),
                })
                .collect(),
            rules: self.standings(),
        }
    }

    /// Where a stamp of now lies on the guard's line of time, on which the picture's moments lie.
    pub fn moment(&self, stamp: &Stamp) -> Moment {
        self.line.estimate(stamp)
    }

    fn standings(&self) -> Vec<RuleView> {
        let figures = &self.household.guard;
        let single = [
            (Rule::Help, self.having(activity::calls_for_help)),
            (Rule::Call, self.having(|k| k == DeviceKind::OneTouchSpeaker)),
            (
                Rule::Fall,
                self.having(|k| {
                    matches!(
                        k,
                        DeviceKind::FallDetector
                            | DeviceKind::SmartBadge
                            | DeviceKind::SmartCane
                            | DeviceKind::SmartWheelchair
                            | DeviceKind::SmartWatch
                            | DeviceKind::Camera
                    )
                }),
            ),
            (Rule::Smoke, self.having(|k| k == DeviceKind::Smoke)),
            (Rule::Gas, self.having(|k| k == DeviceKind::Gas)),
            (Rule::CarbonMonoxide, self.having(|k| k == DeviceKind::Gas)),
            (
                Rule::Leak,
                self.having(|k| matches!(k, DeviceKind::WaterLeak | DeviceKind::WaterMeter)),
            ),
            (Rule::Inactivity, self.inactivity_standing()),
            (Rule::NotUp, self.not_up_standing()),
            (Rule::LeftHome, self.left_home_standing()),
            (Rule::Wandering, self.wandering_standing()),
            (
                Rule::DoorAtNight,
                self.habit(figures.door_at_night.enabled, figures.door_at_night.trial, |d| d.exit),
            ),
            (
                Rule::BathroomStay,
                self.habit(figures.bathroom_stay.enabled, figures.bathroom_stay.trial, |d| {
                    bathroom_stay::in_bathroom(&d.origin) && activity::sees_movement(d.origin.kind)
                }),
            ),
            (
                Rule::OutOfBed,
                self.habit(figures.out_of_bed.enabled, figures.out_of_bed.trial, |d| {
                    matches!(
                        d.origin.kind,
                        DeviceKind::Mattress | DeviceKind::BedStrap | DeviceKind::SleepMonitor
                    )
                }),
            ),
            (
                Rule::Strangers,
                self.habit(figures.strangers.enabled, figures.strangers.trial, |d| {
                    d.origin.kind == DeviceKind::Doorbell
                }),
            ),
            (
                Rule::Vital,
                self.habit(figures.vital.enabled, Duration::ZERO, |d| {
                    d.origin.kind.category() == anju_model::Category::Health
                }),
            ),
            (
                Rule::Heat,
                self.habit(figures.climate.enabled, Duration::ZERO, |d| {
                    matches!(d.origin.kind, DeviceKind::Climate | DeviceKind::AirQuality)
                }),
            ),
            (
                Rule::Medication,
                self.habit(figures.medication.enabled, Duration::ZERO, |d| {
                    d.origin.kind == DeviceKind::PillBox
                }),
            ),
            (
                Rule::WaterRunning,
                self.habit(figures.water.enabled, Duration::ZERO, |d| {
                    matches!(d.origin.kind, DeviceKind::WaterMeter | DeviceKind::WaterUse)
                }),
            ),
            (
                Rule::LockForced,
                self.habit(figures.lock.enabled, Duration::ZERO, |d| {
                    d.origin.kind == DeviceKind::DoorLock
                }),
            ),
            (
                Rule::PersonAtNight,
                self.habit(figures.person_at_night.enabled, Duration::ZERO, |d| {
                    d.origin.kind == DeviceKind::Camera
                }),
            ),
            (Rule::DeviceSilent, self.having(|_| true)),
            (Rule::DeviceLow, self.having(|_| true)),
            (Rule::Tamper, self.having(|_| true)),
            (Rule::Trouble, self.having(|_| true)),
            (Rule::Unguarded, self.having(|_| true)),
        ];
        single.into_iter().map(|(rule, standing)| RuleView { rule, standing }).collect()
    }

    /// A rule that has figures, and may be on figures.
    fn habit(&self, enabled: bool, trial: Duration, fits: impl Fn(&Device) -> bool) -> Standing {
        if !enabled {
            Standing::Off(Why::Disabled)
        } else if !self.roster.any(&fits) {
            Standing::Off(Why::NoDevice)
        } else if self.roster.all_lost(&fits) {
            Standing::Limited(Why::DevicesLost)
        } else if self.lived_so_far() < trial {
            Standing::Limited(Why::Shadow)
        } else {
            Standing::Active
        }
    }

    fn having(&self, fits: impl Fn(DeviceKind) -> bool) -> Standing {
        if !self.roster.any(|d| fits(d.origin.kind)) {
            Standing::Off(Why::NoDevice)
        } else if self.roster.all_lost(|d| fits(d.origin.kind)) {
            Standing::Limited(Why::DevicesLost)
        } else {
            Standing::Active
        }
    }

    fn presence(&self) -> Option<Why> {
        match self.home.occupancy {
            Occupancy::Away { .. } => Some(Why::Away),
            Occupancy::Out { .. } => Some(Why::Out),
            _ if !self.roster.any(|d| activity::sees_indoors(d.origin.kind)) => Some(Why::NoDevice),
            _ if self.blind.is_some() => Some(Why::DevicesLost),
            _ => None,
        }
    }

    fn inactivity_standing(&self) -> Standing {
        let rule = &self.household.guard.inactivity;
        match self.presence() {
            _ if !rule.enabled => Standing::Off(Why::Disabled),
            Some(why) => Standing::Off(why),
            None if rule.shadow => Standing::Limited(Why::Shadow),
            None if !self.line.clock_known() => Standing::Limited(Why::NoClock),
            None if self.household.persons.len() > 1 => Standing::Limited(Why::Together),
            None => Standing::Active,
        }
    }

    fn not_up_standing(&self) -> Standing {
        let rule = &self.household.guard.not_up;
        match self.presence() {
            _ if !rule.enabled => Standing::Off(Why::Disabled),
            _ if rule.by <= rule.night_ends => Standing::Off(Why::Figures),
            Some(why) => Standing::Off(why),
            None if !self.line.clock_known() => Standing::Off(Why::NoClock),
            None if self.household.persons.len() > 1 => Standing::Limited(Why::Together),
            None => Standing::Active,
        }
    }

    fn left_home_standing(&self) -> Standing {
        if !self.household.guard.left_home.enabled {
            Standing::Off(Why::Disabled)
        } else if self.household.persons.len() > 1 {
            Standing::Off(Why::SeveralPersons)
        } else if matches!(self.home.occupancy, Occupancy::Away { .. }) {
            Standing::Off(Why::Away)
        } else if self.roster.any(|d| located(d) && !d.lost()) {
            Standing::Active
        } else if !self.roster.any(|d| d.exit) {
            Standing::Off(Why::NoExit)
        } else if !self.roster.any(|d| activity::sees_movement(d.origin.kind)) {
            Standing::Off(Why::NoDevice)
        } else if !self.home.sees_movement {
            Standing::Limited(Why::DevicesLost)
        } else {
            Standing::Active
        }
    }

    fn wandering_standing(&self) -> Standing {
        let wanders = |p: &Person| p.risks.iter().any(|risk| risk == wandering::RISK);
        if !self.household.persons.iter().any(wanders) {
            Standing::Off(Why::NoRisk)
        } else if matches!(self.home.occupancy, Occupancy::Away { .. }) {
            Standing::Off(Why::Away)
        } else {
            self.having(|k| k == DeviceKind::Locator)
        }
    }
}

fn located(device: &Device) -> bool {
    device.origin.kind == DeviceKind::Locator
}
