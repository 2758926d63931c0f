//! What a device said, in a few words with its unit.

use anju_model::Fact;
use anju_model::observation::{
    CallState, FallState, HelpState, Location, Meter, Seen, SleepStage, Vital,
};

use crate::texts::Words;

/// For how many seconds a fact holds: a measured value for two hours, an event for a minute, a
/// state until the device says otherwise.
pub const fn holds_for(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Climate(_) | Fact::Air(_) | Fact::Vital(_) | Fact::Meter(_) | Fact::Location(_) => {
            Some(7200)
        }
        Fact::Help(_)
        | Fact::Bell(_)
        | Fact::Call(_)
        | Fact::Medication(_)
        | Fact::Camera(_)
        | Fact::Fall(_) => Some(60),
        _ => None,
    }
}

/// The fact in words.
pub fn words(words: &Words, fact: &Fact) -> String {
    let either = |yes, first: &str, second: &str| words.get(if yes { first } else { second });
    match fact {
        Fact::Help(help) => match help.state {
            HelpState::Pressed => words.get("fact-help-pressed"),
            HelpState::Cancelled => words.get("fact-help-cancelled"),
        },
        Fact::Motion(motion) => either(motion.moving, "fact-moving", "fact-still"),
        Fact::Contact(contact) => either(contact.open, "fact-open", "fact-closed"),
        Fact::Fall(fall) => match fall.state {
            FallState::Suspected => words.get("fact-fall-suspected"),
            FallState::Confirmed => words.get("fact-fall-confirmed"),
            FallState::Over => words.get("fact-fall-over"),
        },
        Fact::Smoke(smoke) => either(smoke.alarm, "fact-smoke", "fact-no-alarm"),
        Fact::Gas(gas) => either(gas.alarm, "fact-gas", "fact-no-alarm"),
        Fact::CarbonMonoxide(co) => match co.ppm {
            Some(ppm) => unit(ppm, 0, "ppm"),
            None => either(co.alarm, "fact-carbon-monoxide", "fact-no-alarm"),
        },
        Fact::Leak(leak) => either(leak.wet, "fact-wet", "fact-dry"),
        Fact::Meter(meter) => self::meter(meter),
        Fact::Presence(presence) => either(presence.present, "fact-present", "fact-absent"),
        Fact::Bed(bed) => either(bed.occupied, "fact-bed-occupied", "fact-bed-empty"),
        Fact::Vital(vital) => self::vital(words, vital),
        Fact::Location(location) => self::location(words, location),
        Fact::Medication(medication) => {
            use anju_model::observation::MedicationState as M;
            match medication.state {
                M::Opened => words.get("fact-medication-opened"),
                M::Taken => words.get("fact-medication-taken"),
                M::Missed => words.get("fact-medication-missed"),
            }
        }
        Fact::Climate(climate) => join([
            climate.celsius.map(|v| unit(v, 1, "°C")),
            climate.relative_humidity_percent.map(|v| unit(v, 0, "%")),
            climate.hectopascals.map(|v| unit(v, 0, "hPa")),
            climate.lux.map(|v| unit(v, 0, "lx")),
        ]),
        Fact::Air(air) => join([
            air.pm2_5_micrograms_per_cubic_metre.map(|v| format!("PM2.5 {}", unit(v, 0, "µg/m³"))),
            air.co2_ppm.map(|v| format!("CO₂ {}", unit(v, 0, "ppm"))),
            air.voc_ppb.map(|v| format!("VOC {}", unit(v, 0, "ppb"))),
            air.formaldehyde_milligrams_per_cubic_metre
                .map(|v| format!("HCHO {}", unit(v, 2, "mg/m³"))),
        ]),
        Fact::Lock(lock) => match (lock.forced, lock.locked) {
            (Some(true), _) => words.get("fact-forced"),
            (_, Some(locked)) => either(locked, "fact-locked", "fact-unlocked"),
            _ => String::new(),
        },
        Fact::Bell(bell) => either(bell.rung, "fact-rung", "fact-bell-quiet"),
        Fact::Camera(camera) => match (camera.active, camera.seen) {
            (false, _) => words.get("fact-camera-nothing"),
            (true, Seen::Person) => words.get("fact-camera-person"),
            (true, Seen::Motion) => words.get("fact-moving"),
            (true, Seen::Fall) => words.get("fact-fall-suspected"),
        },
        Fact::Siren(siren) => either(siren.sounding, "fact-sounding", "fact-silent"),
        Fact::Power(power) => either(power.on, "fact-on", "fact-off"),
        Fact::Call(call) => match call.state {
            CallState::Asked => words.get("fact-call-asked"),
            CallState::Answered => words.get("fact-call-answered"),
            CallState::Cancelled => words.get("fact-call-cancelled"),
        },
        Fact::Battery(battery) => battery.percent.map(|v| unit(v, 0, "%")).unwrap_or_default(),
        Fact::Link(link) => link.dbm.map(|v| unit(v, 0, "dBm")).unwrap_or_default(),
        Fact::Tamper(tamper) => either(tamper.tampered, "fact-tampered", "fact-untouched"),
        Fact::Online(online) => either(online.online, "online", "offline"),
        Fact::Trouble(trouble) => either(trouble.active, "fact-trouble", "fact-no-trouble"),
        Fact::Identity(identity) => join([
            identity.maker.clone(),
            identity.model.clone(),
            identity.protocol.clone(),
            identity.line.clone(),
        ]),
    }
}

fn meter(meter: &Meter) -> String {
    join([
        meter.power_watts.map(|v| unit(v, 0, "W")),
        meter.energy_watt_hours.map(|v| unit(v / 1000.0, 2, "kWh")),
        meter.flow_litres_per_hour.map(|v| unit(v, 0, "L/h")),
        meter.volume_litres.map(|v| unit(v / 1000.0, 3, "m³")),
    ])
}

fn vital(words: &Words, vital: &Vital) -> String {
    let pressure = vital
        .systolic_mmhg
        .zip(vital.diastolic_mmhg)
        .map(|(high, low)| format!("{high:.0}/{low:.0} mmHg"));
    let stage = vital.sleep_stage.map(|stage| match stage {
        SleepStage::Awake => words.get("fact-awake"),
        SleepStage::Light => words.get("fact-light-sleep"),
        SleepStage::Deep => words.get("fact-deep-sleep"),
        SleepStage::Rem => words.get("fact-rem-sleep"),
    });
    join([
        (vital.worn == Some(false)).then(|| words.get("fact-not-worn")),
        (vital.apnoea == Some(true)).then(|| words.get("fact-apnoea")),
        pressure,
        vital.heart_beats_per_minute.map(|v| format!("♥ {}", unit(v, 0, "/min"))),
        vital.spo2_percent.map(|v| format!("SpO₂ {}", unit(v, 0, "%"))),
        vital.breaths_per_minute.map(|v| unit(v, 0, "/min")),
        vital.body_celsius.map(|v| unit(v, 1, "°C")),
        vital.weight_kilograms.map(|v| unit(v, 1, "kg")),
        stage,
    ])
}

fn location(words: &Words, location: &Location) -> String {
    let Some(zone) = &location.zone else { return words.get("fact-located") };
    let slot = [("zone", zone.as_str().into())];
    if location.entered == Some(false) {
        words.fill("fact-left", slot)
    } else {
        words.fill("fact-entered", slot)
    }
}

fn unit(value: f64, decimals: usize, unit: &str) -> String {
    format!("{value:.decimals$} {unit}")
}

fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}
