//! The promise of the whole crate: the same entries give the same findings, however often and
//! however late somebody looked at the clock in between, and wherever the box was restarted.

use std::collections::HashSet;
use std::sync::Arc;

use anju_model::observation::{
    Battery, Bell, Fall, FallState, Help, Meter, Motion, Online, Smoke, Tamper,
};
use anju_model::{BoxId, Class, Clock, EntryId, Raise};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::testing::{HOUR, Life, device, household, motion, origin};

use anju_model::observation::Contact as Door;

/// One entry of a random life.
#[derive(Debug, Clone)]
struct Event {
    /// Milliseconds since the one before.
    gap_ms: u64,
    /// How much older than its place its stamp is, milliseconds.
    late_ms: u64,
    body: Body,
    clock: Clock,
    wrong_s: i64,
    reboot: bool,
    /// When somebody looked in before it, in thousandths of the gap.
    looks: Vec<u64>,
}

fn facts() -> impl Strategy<Value = (&'static str, Fact)> {
    prop_oneof![
        4 => Just(("pir", motion())),
        1 => Just(("pir", Motion { moving: false }.into())),
        2 => any::<bool>().prop_map(|open| ("door", Door { open }.into())),
        1 => Just(("sos", Help::pressed().into())),
        1 => Just(("sos", Help::cancelled().into())),
        1 => Just(("bell", Bell { rung: true }.into())),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(alarm, self_test)| ("smoke", Smoke { alarm, self_test }.into())),
        1 => prop_oneof![
            Just(FallState::Suspected),
            Just(FallState::Confirmed),
            Just(FallState::Over)
        ]
        .prop_map(|state| ("radar", Fall { state }.into())),
        2 => (prop_oneof![Just("pir"), Just("sos"), Just("radar"), Just("door")], any::<bool>())
            .prop_map(|(id, online)| (id, Online { online, reason: None }.into())),
        1 => (0.0..100.0).prop_map(|p| {
            ("sos", Battery { percent: Some(p), ..Battery::default() }.into())
        }),
        1 => any::<bool>().prop_map(|tampered| ("door", Tamper { tampered }.into())),
        1 => any::<f64>().prop_map(|w| {
            ("power", Meter { power_watts: Some(w), ..Meter::default() }.into())
        }),
    ]
}

fn bodies() -> impl Strategy<Value = Body> {
    prop_oneof![
        12 => (facts(), prop::bool::weighted(0.15), prop::bool::weighted(0.05)).prop_map(
            |((id, fact), baseline, test)| {
                let mut said = Observation::new(origin(id), fact);
                (said.baseline, said.test) = (baseline, test);
                Body::Observation(said)
            }
        ),
        1 => prop::option::of(0..20_i64).prop_map(|days| {
            let start = Timestamp::from_second(START_S).unwrap();
            let until = days.map(|d| start + jiff::SignedDuration::from_hours(12 * d));
            Body::Box(BoxEvent::Away { until, by: "x".into() })
        }),
        1 => Just(Body::Box(BoxEvent::Boot { version: "1".into(), clean: true, durable: None })),
        1 => Just(Body::Box(BoxEvent::Stop { reason: "x".into() })),
    ]
}

/// 2026-11-24 00:00 in Shanghai.
const START_S: i64 = 1_795_449_600;

fn events() -> impl Strategy<Value = Event> {
    let gap = prop_oneof![0..2_000_u64, 0..HOUR_MS, 0..14 * HOUR_MS];
    let clock = prop_oneof![
        8 => Just(Clock::Synchronised),
        1 => Just(Clock::Estimated),
        1 => Just(Clock::Unknown)
    ];
    let wrong = prop_oneof![
        8 => Just(0_i64),
        1 => -90_000..90_000_i64,
        1 => prop_oneof![Just(31_622_400_i64), Just(-31_622_400_i64)]
    ];
    let looks = prop::collection::vec(0..=1000_u64, 0..4);
    (gap, 0..900_u64, bodies(), clock, wrong, prop::bool::weighted(0.05), looks).prop_map(
        |(gap_ms, late_ms, body, clock, wrong_s, reboot, looks)| Event {
            gap_ms,
            late_ms,
            body,
            clock,
            wrong_s,
            reboot,
            looks,
        },
    )
}

const HOUR_MS: u64 = 3_600_000;

/// A life as entries, with the stamps at which somebody looked in before each.
fn lived(events: &[Event]) -> Vec<(Vec<Stamp>, Entry)> {
    let (mut time, mut booted, mut boot) = (0_u64, 0_u64, 1);
    let mut entries = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let stamp = |time: u64, booted: u64, boot: i32| Stamp {
            boot: format!("boot-{boot}").into(),
            mono_ms: time.saturating_sub(booted),
            wall: Timestamp::from_millisecond(
                START_S * 1000 + i64::try_from(time).unwrap() + event.wrong_s * 1000,
            )
            .unwrap(),
            clock: event.clock,
        };
        let mut looks = event.looks.clone();
        looks.sort_unstable();
        let looks = looks
            .iter()
            .filter(|_| !event.reboot)
            .map(|share| stamp(time + event.gap_ms * share / 1000, booted, boot))
            .collect();
        time += event.gap_ms;
        if event.reboot {
            (booted, boot) = (time, boot + 1);
        }
        let id = EntryId { box_id: BoxId::new("b").unwrap(), epoch: 1, seq: index as u64 + 1 };
        let stamp = stamp(time.saturating_sub(event.late_ms).max(booted), booted, boot);
        entries.push((looks, Entry { id, stamp, body: event.body.clone() }));
    }
    entries
}

fn home(persons: usize) -> Arc<Household> {
    let mut home = household();
    home.devices.push(device("radar"));
    home.devices.push(device("power"));
    for device in &mut home.devices {
        device.heard_within = None;
    }
    for extra in 1..persons {
        home.persons.push(crate::testing::person(&format!("p{extra}")));
    }
    Arc::new(home)
}

fn raises(found: &[Finding]) -> Vec<&Raise> {
    found
        .iter()
        .filter_map(|f| match f {
            Finding::Raise(raise) => Some(raise),
            _ => None,
        })
        .collect()
}

/// What is recorded of a life right after an entry.
fn recorded_life(guard: &Guard, entry: &Entry) -> Entry {
    let id = EntryId { epoch: 2, ..entry.id.clone() };
    let body = Body::Box(guard.life(&entry.stamp));
    Entry { id, stamp: entry.stamp.clone(), body }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_finds_what_was_found_live(
        events in prop::collection::vec(events(), 1..60),
        persons in 1..3_usize,
    ) {
        let life = lived(&events);
        let mut live = Guard::new(home(persons));
        let mut again = Guard::new(home(persons));
        // What is recorded of a life changes nothing for who saw it.
        let mut alone = Guard::new(home(persons));
        let (mut found, mut found_again) = (Vec::new(), Vec::new());
        for (index, (looks, entry)) in life.iter().enumerate() {
            for stamp in looks {
                found.extend(live.advance(stamp));
                // Whoever has advanced is not due before the next stamp.
                if live.wait(stamp).is_some_and(|wait| wait.is_zero()) {
                    prop_assert!(live.advance(stamp).is_empty());
                }
            }
            found.extend(live.observe(entry));
            found_again.extend(again.observe(entry));
            alone.observe(entry);
            let stopped = matches!(entry.body, Body::Box(BoxEvent::Stop { .. }));
            if index % 5 == 2 && !stopped {
                let recorded = recorded_life(&live, entry);
                found.extend(live.observe(&recorded));
                found_again.extend(again.observe(&recorded));
            }
        }
        // What is due after the last entry is found by whoever looks long enough.
        let mut end = life.last().unwrap().1.stamp.clone();
        end.mono_ms += 100 * HOUR_MS;
        found.extend(live.advance(&end));
        found_again.extend(again.advance(&end));
        prop_assert_eq!(&found, &found_again);
        prop_assert_eq!(live.home(), again.home());
        alone.advance(&end);
        prop_assert_eq!(live.home(), alone.home());

        let mut ids = HashSet::new();
        // More of what was found is no other alert.
        for raise in raises(&found).into_iter().filter(|raise| !raise.more) {
            let device = raise.origin.as_ref().map(|o| o.device.clone());
            let unique = (raise.alert_id(), raise.rule.clone(), raise.class, device);
            prop_assert!(ids.insert(unique), "{raise:?}");
        }
    }

    #[test]
    fn a_restart_anywhere_changes_nothing(
        events in prop::collection::vec(events(), 2..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let life = lived(&events);
        let cut = cut.index(life.len());
        let mut whole = Guard::new(home(1));
        let mut restarted = Guard::new(home(1));
        for (index, (_, entry)) in life[..cut].iter().enumerate() {
            whole.observe(entry);
            restarted.recall(entry);
            let stopped = matches!(entry.body, Body::Box(BoxEvent::Stop { .. }));
            if index % 20 == 0 && !stopped {
                let recorded = recorded_life(&whole, entry);
                whole.observe(&recorded);
                restarted.recall(&recorded);
            }
        }
        prop_assert_eq!(whole.home(), restarted.home());
        restarted.overlooked();
        for (_, entry) in &life[cut..] {
            prop_assert_eq!(whole.observe(entry), restarted.observe(entry));
        }
        prop_assert_eq!(whole.next_tick(), restarted.next_tick());
    }

    #[test]
    fn nonsense_is_survived(
        events in prop::collection::vec((bodies(), any::<u64>(), any::<i64>(), 0..3_u8), 1..80),
    ) {
        let mut guard = Guard::new(home(1));
        for (seq, (body, mono_ms, wall, boot)) in events.into_iter().enumerate() {
            let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
            let wall = if range.contains(&wall) { wall } else { wall % *range.end() };
            let stamp = Stamp {
                boot: boot.to_string().into(),
                mono_ms,
                wall: Timestamp::from_second(wall).unwrap(),
                clock: if boot == 2 { Clock::Unknown } else { Clock::Synchronised },
            };
            let box_id = BoxId::new("b").unwrap();
            let id = EntryId { box_id, epoch: 1, seq: seq as u64 };
            guard.observe(&Entry { id, stamp: stamp.clone(), body });
            guard.advance(&stamp);
            guard.wait(&stamp);
            guard.home();
        }
    }
}

#[test]
fn a_press_whose_alert_was_lost_in_the_crash_is_not_overlooked() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("sos", Help::pressed());
    life.restart();
    let again = life.guard.overlooked();
    assert_eq!(raises(&again)[0].alert_id().as_str(), "b/1/2");
    assert!(life.guard.overlooked().is_empty());
    // An hour later it is old, and once its alert is recorded it is answered.
    life.pass(HOUR);
    life.say("pir", motion());
    life.restart();
    assert!(life.guard.overlooked().is_empty());
}

#[test]
fn a_recorded_alert_is_not_overlooked() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("sos", Help::pressed());
    let raise = raises(&life.found)[0].clone();
    life.record(Body::Alert(AlertChange {
        subject: anju_model::Subject {
            alert: raise.alert_id(),
            class: raise.class,
            rule: raise.rule,
            device: raise.origin.map(|o| o.device),
            kind: None,
            room: None,
            person: None,
            code: 101,
            test: false,
            text: String::new(),
        },
        step: AlertStep::Raised { since: None },
    }));
    life.restart();
    assert!(life.guard.overlooked().is_empty());
}

fn rules(found: &[Finding]) -> Vec<(Rule, Class)> {
    raises(found).into_iter().map(|raise| (raise.rule.clone(), raise.class)).collect()
}

/// The program starts again with another configuration.
fn restarted_as(life: &mut Life, household: Household) -> Vec<Finding> {
    let mut guard = Guard::new(Arc::new(household));
    for entry in &life.entries {
        guard.recall(entry);
    }
    life.guard = guard;
    life.guard.overlooked()
}

#[test]
fn what_only_the_rules_of_today_find_is_not_overlooked_until_it_was_told() {
    let mut home = household();
    home.guard.inactivity.alarm_after = 12 * HOUR;
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("pir", motion());
    assert_eq!(life.until("2026-11-24T17:00"), ["12:00 warning inactivity"]);
    life.record_alerts(0);
    life.say("smoke", Online { online: true, reason: None });
    let found = restarted_as(&mut life, household());
    assert_eq!(rules(&found), [(Rule::Inactivity, Class::Alarm)]);
    // Told and recorded, it is not told again at the next start, nor after somebody closed it.
    life.found = found;
    life.record_alerts(0);
    assert_eq!(restarted_as(&mut life, household()), []);
    let Body::Alert(change) = life.entries.last().unwrap().body.clone() else { panic!() };
    let step = AlertStep::Closed { by: "daughter".into(), outcome: None, note: String::new() };
    life.record(Body::Alert(AlertChange { step, ..change }));
    life.pass(HOUR);
    life.say("smoke", Online { online: true, reason: None });
    assert_eq!(restarted_as(&mut life, household()), []);
    // Nor by rules that find it later than those by which it was told.
    let mut slower = household();
    slower.guard.inactivity.alarm_after = 9 * HOUR + HOUR / 2;
    assert_eq!(restarted_as(&mut life, slower), []);
}

#[test]
fn what_is_over_is_not_brought_up_by_the_rules_of_today() {
    let mut home = household();
    home.guard.inactivity.alarm_after = 12 * HOUR;
    let mut life = Life::begin(home, "2026-11-24T08:00");
    life.say("pir", motion());
    life.until("2026-11-24T18:00");
    life.say("pir", motion());
    assert_eq!(restarted_as(&mut life, household()), []);
}

#[test]
fn a_device_that_is_new_at_a_start_is_waited_for_from_then_on() {
    let mut home = household();
    home.guard.inactivity.enabled = false;
    let mut life = Life::begin(home.clone(), "2026-11-24T08:00");
    life.record_life();
    life.pass(25 * HOUR);
    life.say("pir", motion());
    home.devices.push(device("pendant"));
    home.devices.retain(|d| d.id.as_str() != "sos");
    home.devices.last_mut().unwrap().heard_within = Some(24 * HOUR);
    assert_eq!(restarted_as(&mut life, home.clone()), [], "neither it nor the home is lost");
    assert!(!life.guard.is_unguarded());
    life.record_life();
    // A start later it is no longer new.
    life.pass(10 * HOUR);
    life.say("pir", motion());
    assert_eq!(restarted_as(&mut life, home), []);
    assert_eq!(life.pass(13 * HOUR), [] as [&str; 0]);
    let lost = life.pass(2 * HOUR);
    assert_eq!(lost, ["09:00 fault device-silent pendant", "09:00 fault unguarded"]);
}

#[test]
fn a_device_known_to_be_lost_is_not_told_of_again() {
    let mut home = household();
    home.guard.inactivity.enabled = false;
    home.guard.not_up.enabled = false;
    home.devices[0].heard_within = Some(24 * HOUR);
    let mut life = Life::begin(home.clone(), "2026-11-24T08:00");
    life.record_life();
    let found = life.pass(30 * HOUR);
    assert_eq!(found, ["08:00 fault device-silent sos", "08:00 fault unguarded"]);
    life.record_alerts(0);
    let alerts = life.entries.len();
    for _ in 0..10 {
        life.pass(4 * HOUR);
        life.say("pir", motion());
    }
    life.record_life();
    assert_eq!(restarted_as(&mut life, home.clone()), []);
    assert!(life.guard.is_unguarded());
    // Events are shed before alerts.
    let alert = |entry: &Entry| matches!(entry.body, Body::Alert(_));
    let mut index = 0;
    life.entries.retain(|entry| {
        index += 1;
        index > alerts || alert(entry)
    });
    assert_eq!(restarted_as(&mut life, home), []);
    assert!(life.guard.is_unguarded());
    assert_eq!(life.pass(30 * HOUR), [] as [&str; 0]);
}

#[test]
fn what_is_older_than_all_that_is_read_back_is_remembered() {
    let mut home = household();
    home.guard.not_up.enabled = false;
    let mut life = Life::begin(home, "2026-11-01T08:00");
    life.pass(20 * 24 * HOUR);
    life.say("pir", motion());
    life.record_life();
    let lived = life.guard.lived_so_far();
    for minute in 0..12_000_u64 {
        if minute % 2_500 == 0 {
            life.record_life();
        }
        life.pass(HOUR / 12_000);
        life.say("smoke", Online { online: true, reason: None });
    }
    life.restart_with_the_last(10_000);
    assert!(life.guard.lived_so_far() + HOUR >= lived + HOUR);
    assert!(life.guard.overlooked().is_empty());
    assert_eq!(
        life.until("2026-11-21T17:00"),
        ["12:00 warning inactivity", "15:50 ask inactivity", "16:00 alarm inactivity"]
    );
    let cause = raises(&life.found).last().unwrap().alert_id();
    assert_eq!(cause.as_str(), "b/1/2/inactivity/alarm");
}

#[test]
fn whoever_is_away_for_longer_than_is_read_back_is_still_away() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.away(Some("2026-12-24T12:00"));
    life.say("door", Door { open: true });
    life.say("door", Door { open: false });
    life.pass(24 * HOUR);
    life.record_life();
    life.say("smoke", Online { online: true, reason: None });
    let whole = life.guard.home().occupancy;
    life.restart_with_the_last(2);
    assert_eq!(life.guard.home().occupancy, whole);
    // Out, in a memory of its own.
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.pass(HOUR);
    life.say("door", Door { open: true });
    life.say("door", Door { open: false });
    life.pass(HOUR);
    life.record_life();
    life.restart_with_the_last(1);
    assert_eq!(life.until("2026-11-24T15:01"), ["15:00 warning left-home"]);
}

#[test]
fn strangers_take_a_bounded_room() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    for number in 0..1000 {
        let mut who = origin("sos");
        who.device = anju_model::DeviceId::new(&format!("stranger-{number}")).unwrap();
        let said = Observation::new(who, Help::pressed());
        assert_eq!(life.record(Body::Observation(said)).len(), 1);
    }
    assert!(life.guard.roster.len() <= household().devices.len() + 64);
    assert_eq!(life.guard.home().devices.len(), household().devices.len());
}

#[test]
fn a_changed_configuration_keeps_what_is_known_of_devices_that_stay() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", motion());
    life.say("smoke", Smoke { alarm: true, self_test: false });
    life.pass(2 * HOUR);
    let mut home = household();
    home.devices.retain(|d| d.id.as_str() != "bell");
    home.devices.push(device("radar"));
    home.guard.inactivity.warn_after = 3 * HOUR;
    life.guard.reconfigure(Arc::new(home));
    assert_eq!(life.guard.home().devices.len(), 6);
    assert_eq!(life.until("2026-11-24T11:01"), ["11:00 warning inactivity"]);
    assert_eq!(
        life.say("smoke", Smoke { alarm: false, self_test: false }),
        ["11:01 over smoke smoke"]
    );
}

#[test]
fn a_device_that_is_taken_away_is_forgotten() {
    let mut life = Life::begin(household(), "2026-11-24T08:00");
    life.say("pir", Online { online: false, reason: None });
    let lost = [Rule::DeviceSilent, Rule::Unguarded];
    let found: Vec<_> = raises(&life.found).into_iter().map(|raise| raise.rule.clone()).collect();
    assert_eq!(found, lost);
    let mut home = household();
    home.devices.retain(|d| d.id.as_str() != "pir");
    // The home of which nothing sees anybody is no longer found unguarded: its plan says so.
    let found = life.guard.reconfigure(Arc::new(home));
    assert!(matches!(&found[..], [Finding::Over { rule: Rule::Unguarded, origin: None, .. }]));
    assert!(life.guard.reconfigure(Arc::new(household())).is_empty());
    assert_eq!(
        life.say("pir", Online { online: false, reason: None }),
        ["08:00 fault device-silent pir", "08:00 fault unguarded"]
    );
}
