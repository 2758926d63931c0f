//! Which kinds of devices each dialect serves. Plain data; a kind that a dialect understands is a row
//! here.

use anju_model::DeviceKind as Kind;
use anju_model::config::LinkKind;

use crate::catalogue::Serves;

const fn row(kind: Kind, protocol: &'static str) -> Serves {
    Serves { kind, link: LinkKind::Mqtt, protocol }
}

const fn zigbee(kind: Kind) -> Serves {
    row(kind, "zigbee2mqtt")
}

const fn radio(kind: Kind) -> Serves {
    row(kind, "rtl433")
}

const fn json(kind: Kind) -> Serves {
    row(kind, "json")
}

/// What the dialects serve. Plain JSON serves every kind that only speaks: a siren must also obey.
pub const SERVES: &[Serves] = &[
    zigbee(Kind::FixedAlarm),
    zigbee(Kind::PortableAlarm),
    zigbee(Kind::Motion),
    zigbee(Kind::ElectricityMeter),
    zigbee(Kind::FallDetector),
    zigbee(Kind::SetTopBox),
    zigbee(Kind::DoorContact),
    zigbee(Kind::DoorLock),
    zigbee(Kind::Doorbell),
    zigbee(Kind::Siren),
    zigbee(Kind::PillBox),
    zigbee(Kind::Smoke),
    zigbee(Kind::Gas),
    zigbee(Kind::WaterLeak),
    zigbee(Kind::Climate),
    zigbee(Kind::AirQuality),
    row(Kind::Camera, "frigate"),
    row(Kind::Locator, "owntracks"),
    radio(Kind::FixedAlarm),
    radio(Kind::PortableAlarm),
    radio(Kind::Motion),
    radio(Kind::DoorContact),
    radio(Kind::Doorbell),
    radio(Kind::PillBox),
    radio(Kind::Smoke),
    radio(Kind::Gas),
    radio(Kind::WaterLeak),
    radio(Kind::Climate),
    json(Kind::FixedAlarm),
    json(Kind::PortableAlarm),
    json(Kind::VoiceAlarm),
    json(Kind::OneTouchSpeaker),
    json(Kind::Motion),
    json(Kind::WaterMeter),
    json(Kind::WaterUse),
    json(Kind::ElectricityMeter),
    json(Kind::FallDetector),
    json(Kind::Locator),
    json(Kind::SmartBadge),
    json(Kind::SmartCane),
    json(Kind::SmartWheelchair),
    json(Kind::SetTopBox),
    json(Kind::DoorContact),
    json(Kind::DoorLock),
    json(Kind::Doorbell),
    json(Kind::Camera),
    json(Kind::SleepMonitor),
    json(Kind::Mattress),
    json(Kind::BedStrap),
    json(Kind::SmartWatch),
    json(Kind::SmartBand),
    json(Kind::BloodPressure),
    json(Kind::Oximeter),
    json(Kind::BodyScale),
    json(Kind::PillBox),
    json(Kind::Smoke),
    json(Kind::Gas),
    json(Kind::WaterLeak),
    json(Kind::Climate),
    json(Kind::AirQuality),
];
