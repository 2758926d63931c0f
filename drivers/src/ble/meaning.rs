//! What the objects of an advert mean for a kind of device. Every press of a button that calls for
//! help is a call: a button of unknown make must not be mute. Nothing here judges.

use anju_model::observation::{
    Air, Battery, Bed, Bell, CarbonMonoxide, Climate, Contact, Fall, FallState, Gas, Gesture, Help,
    Leak, Meter, Motion, Presence, Smoke, Tamper, Trouble, Vital,
};
use anju_model::{DeviceKind, Fact};

use super::environment::ROOM;
use super::object::{Measure, Object, Press, State};

/// Voltages above this are no battery's, volts.
const MOST_BATTERY_VOLTS: f64 = 10.0;

/// The facts that a device of `kind` states with `objects`; acts (a press) come first.
pub fn facts(kind: DeviceKind, objects: &[Object]) -> Vec<Fact> {
    let presses = objects.iter().filter_map(|object| match object {
        Object::Button(press) => Some(*press),
        _ => None,
    });
    let mut facts: Vec<Fact> =
        presses.enumerate().filter_map(|(button, press)| pressed(kind, button, press)).collect();
    let states = objects.iter().filter_map(|object| match object {
        Object::State(state, on) => state_fact(kind, *state, *on),
        _ => None,
    });
    facts.extend(states);
    facts.extend(measured(kind, objects));
    facts
}

/// Whether a fact is an act that happens each time it is told, rather than a level.
pub const fn is_act(fact: &Fact) -> bool {
    matches!(fact, Fact::Help(_) | Fact::Bell(_) | Fact::Fall(_))
}

/// What a press of the button number `button` means. On what is carried and can feel a fall, the
/// second button is that sensor: BTHome has no object for a fall.
fn pressed(kind: DeviceKind, button: usize, press: Press) -> Option<Fact> {
    let gesture = match press {
        Press::None => return None,
        Press::Single => Some(Gesture::Short),
        Press::Double => Some(Gesture::Double),
        Press::Triple => Some(Gesture::Triple),
        Press::Long => Some(Gesture::Long),
        Press::Unknown => None,
    };
    match kind {
        DeviceKind::SmartBadge | DeviceKind::SmartCane | DeviceKind::SmartWheelchair
            if button == 1 =>
        {
            Some(Fall { state: FallState::Suspected }.into())
        }
        DeviceKind::FixedAlarm
        | DeviceKind::PortableAlarm
        | DeviceKind::Locator
        | DeviceKind::SmartBadge
        | DeviceKind::SmartCane
        | DeviceKind::SmartWheelchair
        | DeviceKind::SmartWatch
        | DeviceKind::SmartBand => Some(Help { gesture, ..Help::pressed() }.into()),
        DeviceKind::Doorbell => Some(Bell { rung: true }.into()),
        _ => None,
    }
}

fn state_fact(kind: DeviceKind, state: State, on: bool) -> Option<Fact> {
    let wheelchair = kind == DeviceKind::SmartWheelchair;
    // Whether these are near is told by whether they are heard.
    let beacon = matches!(kind, DeviceKind::Locator | DeviceKind::SmartBadge);
    Some(match state {
        State::CarbonMonoxide => CarbonMonoxide { alarm: on, ppm: None, self_test: false }.into(),
        State::Gas => Gas { alarm: on, percent_lel: None, self_test: false }.into(),
        State::Smoke => Smoke { alarm: on, self_test: false }.into(),
        State::Wet => Leak { wet: on }.into(),
        State::Open => Contact { open: on }.into(),
        State::Tamper => Tamper { tampered: on }.into(),
        State::Occupancy | State::Presence if wheelchair => Bed { occupied: on }.into(),
        State::Presence if beacon => return None,
        State::Presence => Presence { present: on }.into(),
        State::Motion | State::Moving | State::Occupancy => Motion { moving: on }.into(),
        State::Vibration if kind == DeviceKind::SmartCane => Motion { moving: on }.into(),
        State::Vibration => return None,
        State::Problem => {
            let reason = if on { "the device tells of a problem" } else { "no problem any more" };
            Trouble { active: on, reason: reason.to_owned() }.into()
        }
        // Told together with the charge.
        State::BatteryLow => return None,
    })
}

fn measured(kind: DeviceKind, objects: &[Object]) -> Vec<Fact> {
    let (mut climate, mut air) = (Climate::default(), Air::default());
    let (mut meter, mut battery) = (Meter::default(), Battery::default());
    let mut kilograms = None;
    let at_most = |value: f64, most: f64| (value <= most).then_some(value);
    for object in objects {
        match *object {
            Object::State(State::BatteryLow, low) => battery.low = Some(low),
            Object::Measure(what, value) => match what {
                Measure::BatteryPercent => battery.percent = at_most(value, 100.0),
                Measure::Volts => {
                    battery.millivolts = at_most(value, MOST_BATTERY_VOLTS).map(|v| v * 1000.0);
                }
                Measure::Celsius if ROOM.contains(&value) => climate.celsius = Some(value),
                Measure::Celsius => {}
                Measure::HumidityPercent => {
                    climate.relative_humidity_percent = at_most(value, 100.0);
                }
                Measure::Hectopascals => climate.hectopascals = at_most(value, 1200.0),
                Measure::Lux => climate.lux = Some(value),
                Measure::Kilograms => kilograms = at_most(value, 500.0),
                Measure::Watts => meter.power_watts = Some(value),
                Measure::WattHours => meter.energy_watt_hours = Some(value),
                Measure::WaterLitres => meter.volume_litres = Some(value),
                Measure::Pm2_5 => air.pm2_5_micrograms_per_cubic_metre = Some(value),
                Measure::Pm10 => air.pm10_micrograms_per_cubic_metre = Some(value),
                Measure::Co2Ppm => air.co2_ppm = Some(value),
            },
            Object::State(..) | Object::Button(_) | Object::Other => {}
        }
    }
    let mut facts: Vec<Fact> = Vec::new();
    if battery.percent.is_some() || battery.low.is_some() || battery.millivolts.is_some() {
        facts.push(battery.into());
    }
    if climate != Climate::default() {
        facts.push(climate.into());
    }
    if air != Air::default() {
        facts.push(air.into());
    }
    if meter != Meter::default() {
        facts.push(meter.into());
    }
    if kind == DeviceKind::BodyScale && kilograms.is_some() {
        facts.push(Vital { weight_kilograms: kilograms, ..Vital::default() }.into());
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_press_of_a_pendant_is_a_call() {
        for press in [Press::Single, Press::Double, Press::Triple, Press::Long, Press::Unknown] {
            for button in 0..4 {
                let mut objects = vec![Object::Button(Press::None); button];
                objects.push(Object::Button(press));
                let said = facts(DeviceKind::PortableAlarm, &objects);
                assert!(matches!(said[..], [Fact::Help(_)]), "{press:?} {said:?}");
            }
        }
        assert_eq!(facts(DeviceKind::PortableAlarm, &[Object::Button(Press::None)]), []);
        assert_eq!(facts(DeviceKind::Climate, &[Object::Button(Press::Single)]), []);
    }

    #[test]
    fn a_cane_calls_falls_and_is_in_use() {
        let objects = [
            Object::Button(Press::None),
            Object::Button(Press::Single),
            Object::State(State::Vibration, true),
        ];
        let fall = Fact::from(Fall { state: FallState::Suspected });
        let said = facts(DeviceKind::SmartCane, &objects);
        assert_eq!(said, [fall, Motion { moving: true }.into()]);
        let chair = facts(DeviceKind::SmartWheelchair, &[Object::State(State::Occupancy, true)]);
        assert_eq!(chair, [Bed { occupied: true }.into()]);
    }

    #[test]
    fn figures_that_can_not_be_are_left_out() {
        let objects = [
            Object::Measure(Measure::Celsius, 300.0),
            Object::Measure(Measure::HumidityPercent, 50.0),
            Object::Measure(Measure::Volts, 230.0),
            Object::Measure(Measure::BatteryPercent, 255.0),
        ];
        let humid = Climate { relative_humidity_percent: Some(50.0), ..Climate::default() };
        assert_eq!(facts(DeviceKind::Climate, &objects), [humid.into()]);
    }
}
