//! Water that runs, mains and network that are away, and that a replay finds all of it again.

use std::sync::Arc;

use anju_model::observation::{Battery, Meter};
use anju_model::{Body, BoxEvent};

use super::NOTHING;
use crate::testing::*;

fn home() -> anju_model::config::Household {
    let mut home = household();
    home.devices.push(device("water"));
    home.guard.inactivity.enabled = false;
    home.guard.not_up.enabled = false;
    home.guard.test_press.enabled = false;
    home
}

fn flow(litres_per_hour: f64) -> Meter {
    Meter { flow_litres_per_hour: Some(litres_per_hour), ..Meter::default() }
}

fn volume(litres: f64) -> Meter {
    Meter { volume_litres: Some(litres), ..Meter::default() }
}

#[test]
fn water_that_runs_for_an_hour_is_a_warning_until_it_stops() {
    let mut life = Life::begin(home(), "2026-11-24T09:00");
    let mut found = Vec::new();
    for minute in 0..=70 {
        found.extend(life.say("water", flow(if minute == 5 { 0.0 } else { 400.0 })));
        life.pass(MINUTE);
    }
    assert_eq!(found, ["10:06 warning water-running water"]);
    assert_eq!(life.say("water", flow(0.0)), ["10:11 over water-running water"]);
}

#[test]
fn a_counter_that_goes_on_counts_and_pauses_end_it() {
    let mut life = Life::begin(home(), "2026-11-24T09:00");
    let mut litres = 1000.0;
    let mut found = Vec::new();
    for minute in 0..=65 {
        litres += 4.0;
        // Ten minutes nobody uses any.
        if !(20..30).contains(&minute) {
            found.extend(life.say("water", volume(litres)));
        }
        life.pass(MINUTE);
    }
    assert_eq!(found, NOTHING);
    for _ in 0..30 {
        litres += 4.0;
        found.extend(life.say("water", volume(litres)));
        life.pass(MINUTE);
    }
    assert_eq!(found, ["10:30 warning water-running water"]);
}

#[test]
fn water_in_every_half_hour_of_a_day_is_a_leak() {
    let mut life = Life::begin(home(), "2026-11-24T00:00");
    let mut litres = 0.0;
    let mut found = Vec::new();
    for _ in 0..(26 * 4) {
        litres += 0.5;
        found.extend(life.say("water", volume(litres)));
        life.pass(15 * MINUTE);
    }
    assert_eq!(found, ["23:30 warning water-running water"]);
    // Two hours without any.
    life.pass(2 * HOUR);
    assert_eq!(life.say("water", volume(litres)).len(), 1);
}

#[test]
fn mains_and_network_are_told_after_a_while_and_when_they_are_back() {
    let mut life = Life::begin(home(), "2026-11-24T09:00");
    let mains = |mains| Body::Box(BoxEvent::Power { mains });
    life.record(mains(false));
    life.pass(MINUTE / 2);
    assert_eq!(life.record(mains(true)), NOTHING, "a blink is not told");
    life.until("2026-11-24T10:00");
    life.record(mains(false));
    let told = life.pass(2 * MINUTE + MINUTE / 30);
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with("fault mains-lost"), "{told:?}");
    life.say("smoke", online(true));
    life.restart();
    assert_eq!(life.pass(HOUR), NOTHING);
    assert_eq!(life.record(mains(true)).len(), 1);
    life.until("2026-11-24T12:00");
    life.record(network("zigbee", false));
    life.record(network("upstream", false));
    life.pass(5 * MINUTE);
    life.record(network("upstream", false));
    assert_eq!(life.until("2026-11-24T12:30"), ["12:10 fault network-lost"]);
    assert_eq!(life.record(network("upstream", true)), ["12:30 over network-lost"]);
}

fn network(link: &str, up: bool) -> Body {
    let link = link.into();
    Body::Box(BoxEvent::Network { link, up, reason: None, kind: None, preferred: None })
}

#[test]
fn a_centre_that_is_lost_is_told_from_a_network_that_is() {
    let mut life = Life::begin(home(), "2026-11-24T09:00");
    life.record(network("uplinks", true));
    life.record(network("upstream", false));
    assert_eq!(life.until("2026-11-24T10:00"), ["09:10 fault centre-lost"]);
    // Then the last link is lost too: that is another matter, and waits its own time.
    assert_eq!(life.record(network("uplinks", false)), ["10:00 over centre-lost"]);
    assert_eq!(life.until("2026-11-24T11:00"), ["10:10 fault network-lost"]);
    life.record(network("eth0", true));
    assert_eq!(life.record(network("uplinks", true)), ["11:00 over network-lost"]);
    assert_eq!(life.until("2026-11-24T11:05"), NOTHING);
    assert_eq!(life.record(network("upstream", true)), NOTHING);
    assert_eq!(life.until("2026-11-24T12:00"), NOTHING);
    // A home without a centre has links to lose all the same.
    life.record(network("uplinks", false));
    assert_eq!(life.until("2026-11-24T13:00"), ["12:10 fault network-lost"]);
    // A box that starts anew does not know of its links, until it tells of them.
    let boot = BoxEvent::Boot { version: "1".into(), clean: true, durable: None };
    assert_eq!(life.record(Body::Box(boot)), ["13:00 over network-lost"]);
}

#[test]
fn a_replay_finds_all_of_it_again() {
    let mut life = Life::begin(home(), "2026-11-24T09:00");
    life.record(Body::Box(BoxEvent::Power { mains: false }));
    for _ in 0..70 {
        life.pass(MINUTE);
        life.say("water", flow(400.0));
    }
    life.say("door", Battery { low: Some(true), ..Battery::default() });
    let replay = crate::replay(life.entries.clone(), Arc::new(home()));
    let found: Vec<String> = replay.found.iter().map(|a| a.rule.to_string()).collect();
    assert_eq!(found, ["mains-lost", "water-running", "device-low"]);
}
