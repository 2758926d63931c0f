use super::*;

const MINUTE: u64 = 60_000;

fn power(watts: f64) -> Meter {
    Meter { power_watts: Some(watts), ..Meter::default() }
}

fn litres(volume: f64) -> Meter {
    Meter { volume_litres: Some(volume), ..Meter::default() }
}

/// A fridge of 110 to 130 W, on for 15 minutes every 45, a freezer of 80 W every 70, and noise.
fn machines(minute: u64) -> f64 {
    let fridge = if minute % 45 < 15 { 110.0 + (minute / 45 % 5) as f64 * 5.0 } else { 0.0 };
    let freezer = if minute % 70 < 20 { 80.0 } else { 0.0 };
    60.0 + fridge + freezer + (minute * 7 % 11) as f64
}

#[test]
fn a_fridge_and_a_freezer_are_nobody_and_a_kettle_is_somebody() {
    let mut meter = Consumption::default();
    let mut seen = Vec::new();
    for minute in 0..4 * 24 * 60 {
        // A kettle at 07:30 and 16:00 of each day.
        let kettle = matches!(minute % 1440, 450..454 | 960..964);
        let watts = machines(minute) + if kettle { 1800.0 } else { 0.0 };
        if meter.step(&power(watts), false, Moment(minute * MINUTE)) {
            seen.push((minute / 1440, minute % 1440));
        }
    }
    let kettles: Vec<_> = (1..4).flat_map(|day| [(day, 450), (day, 960)]).collect();
    assert_eq!(seen, kettles);
}

#[test]
fn a_steady_load_and_a_base_line_after_a_gap_are_nobody() {
    let mut meter = Consumption::default();
    let mut seen = 0;
    for minute in 0..3 * 24 * 60 {
        seen += u32::from(meter.step(&power(900.0), false, Moment(minute * MINUTE)));
    }
    let late = Moment((3 * 24 * 60 + 120) * MINUTE);
    seen += u32::from(meter.step(&power(2900.0), false, late));
    seen += u32::from(meter.step(&power(200.0), false, Moment(late.0 + MINUTE)));
    seen += u32::from(meter.step(&power(2900.0), true, Moment(late.0 + 2 * MINUTE)));
    assert_eq!(seen, 0);
    assert!(!meter.step(&power(200.0), false, Moment(late.0 + 3 * MINUTE)));
    assert!(meter.step(&power(2900.0), false, Moment(late.0 + 4 * MINUTE)));
}

#[test]
fn a_running_tap_and_a_drip_are_nobody_and_a_flush_is_somebody() {
    let mut meter = Consumption::default();
    let mut volume = 0.0;
    let mut seen = Vec::new();
    for minute in 0..4 * 24 * 60_u64 {
        // A drip of one litre every two hours; a flush of 6 litres at 07:00 and 12:30; from the
        // last noon on a tap that runs.
        volume += if minute.is_multiple_of(120) { 1.0 } else { 0.0 };
        volume += if matches!(minute % 1440, 421 | 751) { 6.0 } else { 0.0 };
        volume += if minute >= 3 * 1440 + 800 { 9.0 } else { 0.0 };
        if meter.step(&litres(volume), false, Moment(minute * MINUTE)) {
            seen.push((minute / 1440, minute % 1440));
        }
    }
    let mut people: Vec<_> = (1..4).flat_map(|day| [(day, 421), (day, 751)]).collect();
    people.push((3, 800));
    assert_eq!(seen, people);
}

#[test]
fn a_resting_counter_that_is_only_heard_each_quarter_hour_begins_a_use() {
    let mut meter = Consumption::default();
    for quarter in 0..2 * 96 {
        assert!(!meter.step(&litres(100.0), false, Moment(quarter * 15 * MINUTE)));
    }
    assert!(meter.step(&litres(106.0), false, Moment((2 * 96 * 15 - 5) * MINUTE)));
}

#[test]
fn absurd_readings_do_no_harm() {
    let mut meter = Consumption::default();
    for (minute, value) in
        [f64::NAN, f64::INFINITY, f64::MIN, f64::MAX, -0.0, 1e308, -1e308].iter().enumerate()
    {
        let all = Meter {
            power_watts: Some(*value),
            flow_litres_per_hour: Some(*value),
            volume_litres: Some(*value),
            ..Meter::default()
        };
        assert!(!meter.step(&all, false, Moment(minute as u64 * MINUTE)));
    }
    assert!(!meter.step(&power(0.0), false, Moment(u64::MAX)));
}
