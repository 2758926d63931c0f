//! The thirty-three device kinds of the "3+X" kit, with the guidance's numbers, categories and
//! Chinese names. Plain data: which protocol can serve a kind is the drivers' knowledge.

use serde::{Deserialize, Serialize};

use crate::Language;

/// The guidance's five categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// 主动求助
    ActiveHelp,
    /// 行为分析
    Behaviour,
    /// 安全监测
    Safety,
    /// 健康守护
    Health,
    /// 环境监测
    Environment,
}

macro_rules! kinds {
    ($($variant:ident $id:literal $number:literal $core:literal $category:ident $zh:literal $en:literal;)*) => {
        /// A kind of device.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum DeviceKind {
            $(#[doc = concat!($zh, ", ", $en)] #[serde(rename = $id)] $variant,)*
        }

        impl DeviceKind {
            /// All kinds in the guidance's order.
            pub const ALL: [DeviceKind; 33] = [$(DeviceKind::$variant),*];

            /// The name used in configuration and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(DeviceKind::$variant => $id,)* }
            }

            /// The guidance's number, 1 to 33.
            pub const fn number(self) -> u8 {
                match self { $(DeviceKind::$variant => $number,)* }
            }

            /// Whether every home gets one (the "3" of "3+X").
            pub const fn core(self) -> bool {
                match self { $(DeviceKind::$variant => $core,)* }
            }

            /// The guidance's category.
            pub const fn category(self) -> Category {
                match self { $(DeviceKind::$variant => Category::$category,)* }
            }

            /// The name that people read.
            pub const fn name(self, language: Language) -> &'static str {
                match (self, language) {
                    $((DeviceKind::$variant, Language::ZhCn) => $zh,
                      (DeviceKind::$variant, Language::En) => $en,)*
                }
            }
        }
    };
}

kinds! {
    FixedAlarm "fixed-alarm" 1 true ActiveHelp "固定报警器" "fixed alarm";
    PortableAlarm "portable-alarm" 2 false ActiveHelp "可移动报警器" "portable alarm";
    VoiceAlarm "voice-alarm" 3 false ActiveHelp "语音报警器" "voice alarm";
    OneTouchSpeaker "one-touch-speaker" 4 false ActiveHelp "一键通智能音箱" "one-touch speaker";
    Motion "motion" 5 true Behaviour "人体红外探测器" "motion sensor";
    WaterMeter "water-meter" 6 false Behaviour "智能水表" "water meter";
    WaterUse "water-use" 7 false Behaviour "超声波用水感应" "water-use sensor";
    ElectricityMeter "electricity-meter" 8 false Behaviour "智能电表" "electricity meter";
    FallDetector "fall-detector" 9 false Behaviour "跌倒监测仪" "fall detector";
    Locator "locator" 10 false Behaviour "定位器" "locator";
    SmartBadge "smart-badge" 11 false Behaviour "智能胸牌" "smart badge";
    SmartCane "smart-cane" 12 false Behaviour "智能拐杖" "smart cane";
    SmartWheelchair "smart-wheelchair" 13 false Behaviour "智能轮椅" "smart wheelchair";
    SetTopBox "set-top-box" 14 false Behaviour "智能机顶盒" "set-top box";
    DoorContact "door-contact" 15 true Safety "智能门磁感应器" "door contact";
    DoorLock "door-lock" 16 false Safety "智能门锁" "door lock";
    Doorbell "doorbell" 17 false Safety "智能门铃" "doorbell";
    Camera "camera" 18 false Safety "智能摄像头" "camera";
    Siren "siren" 19 false Safety "声光报警器" "siren with light";
    SleepMonitor "sleep-monitor" 20 false Health "睡眠呼吸监护仪" "sleep monitor";
    Mattress "mattress" 21 false Health "智能床垫" "smart mattress";
    BedStrap "bed-strap" 22 false Health "智能床带" "bed strap";
    SmartWatch "smart-watch" 23 false Health "智能手表" "smart watch";
    SmartBand "smart-band" 24 false Health "智能手环" "smart band";
    BloodPressure "blood-pressure" 25 false Health "智能血压仪" "blood pressure monitor";
    Oximeter "oximeter" 26 false Health "智能血氧仪" "pulse oximeter";
    BodyScale "body-scale" 27 false Health "智能体脂秤" "body scale";
    PillBox "pill-box" 28 false Health "智能药箱" "pill box";
    Smoke "smoke" 29 false Environment "烟雾感应器" "smoke detector";
    Gas "gas" 30 false Environment "燃气报警器" "gas detector";
    WaterLeak "water-leak" 31 false Environment "水浸报警器" "water leak detector";
    Climate "climate" 32 false Environment "温湿度计" "thermometer and hygrometer";
    AirQuality "air-quality" 33 false Environment "空气质量监测仪" "air quality monitor";
}

impl DeviceKind {
    /// Finds a kind by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_guidances() {
        for (index, kind) in DeviceKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), index + 1);
            assert_eq!(DeviceKind::from_name(kind.as_str()), Some(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
        }
        let core: Vec<_> = DeviceKind::ALL.into_iter().filter(|k| k.core()).collect();
        assert_eq!(core, [DeviceKind::FixedAlarm, DeviceKind::Motion, DeviceKind::DoorContact]);
    }
}
