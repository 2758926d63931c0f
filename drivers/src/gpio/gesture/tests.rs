//! Gestures by example, and against a slow but obvious model on random lines.

use proptest::prelude::*;

use super::super::debounce::Debounce;
use super::*;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Feeds settled edges `(ms, down)` and lets time pass to `end`.
fn play(edges: &[(u64, bool)], end: u64) -> Vec<(u64, Gesture)> {
    let mut button = Button::new(Timings::default(), false, Duration::ZERO);
    let mut events: Vec<Event> = Vec::new();
    for (at, down) in edges {
        events.extend(button.edge(ms(*at), *down, false));
    }
    events.extend(button.tick(ms(end)));
    events.iter().map(|e| (u64::try_from(e.at.as_millis()).unwrap(), e.gesture)).collect()
}

#[test]
fn a_short_press_is_told_at_once_and_as_a_click_after_the_gap() {
    assert_eq!(
        play(&[(100, true), (250, false)], 5000),
        [(100, Gesture::Pressed { run: 1 }), (650, Gesture::Clicked { times: 1 })]
    );
}

#[test]
fn long_and_cancel_are_told_while_held() {
    assert_eq!(
        play(&[(0, true)], 59_999),
        [(0, Gesture::Pressed { run: 1 }), (1000, Gesture::Long), (3000, Gesture::Cancel)]
    );
}

#[test]
fn one_millisecond_less_is_no_cancel() {
    assert_eq!(
        play(&[(0, true), (2999, false)], 9000),
        [(0, Gesture::Pressed { run: 1 }), (1000, Gesture::Long)]
    );
}

#[test]
fn frightened_people_press_again_and_that_never_cancels() {
    let edges: Vec<_> = (0..40).map(|n| (n * 150, n % 2 == 0)).collect();
    let told = play(&edges, 60_000);
    let presses = told.iter().filter(|(_, g)| matches!(g, Gesture::Pressed { .. })).count();
    assert_eq!(presses, 20);
    assert!(!told.iter().any(|(_, g)| *g == Gesture::Cancel));
    assert_eq!(told.last(), Some(&(6250, Gesture::Clicked { times: 20 })));
}

#[test]
fn two_clicks_make_a_double() {
    assert_eq!(
        play(&[(0, true), (100, false), (300, true), (400, false)], 5000),
        [
            (0, Gesture::Pressed { run: 1 }),
            (300, Gesture::Pressed { run: 2 }),
            (800, Gesture::Clicked { times: 2 })
        ]
    );
}

#[test]
fn a_click_before_a_hold_is_not_forgotten() {
    assert_eq!(
        play(&[(0, true), (100, false), (300, true), (1400, false)], 5000),
        [
            (0, Gesture::Pressed { run: 1 }),
            (300, Gesture::Pressed { run: 2 }),
            (1300, Gesture::Clicked { times: 1 }),
            (1300, Gesture::Long)
        ]
    );
}

#[test]
fn a_stuck_button_is_told_once_and_again_when_free() {
    let told = play(&[(0, true), (200_000, false)], 300_000);
    assert_eq!(told[3..], [(60_000, Gesture::Stuck), (200_000, Gesture::Freed)]);
}

#[test]
fn a_button_found_down_is_no_press_and_no_cancel() {
    let mut button = Button::new(Timings::default(), true, ms(500));
    assert_eq!(button.wake(), Some(ms(60_500)));
    assert!(button.tick(ms(60_499)).is_empty());
    assert_eq!(button.tick(ms(60_500)), [Event { at: ms(60_500), gesture: Gesture::Stuck }]);
    assert_eq!(
        button.edge(ms(61_000), false, false),
        [Event { at: ms(61_000), gesture: Gesture::Freed }]
    );
    let pressed = button.edge(ms(62_000), true, false);
    assert_eq!(pressed, [Event { at: ms(62_000), gesture: Gesture::Pressed { run: 1 } }]);
}

#[test]
fn lost_edges_hide_a_press_and_never_make_a_cancel() {
    for down in [false, true] {
        let mut button = Button::new(Timings::default(), false, Duration::ZERO);
        button.edge(ms(0), true, false);
        // Two seconds in, edges went missing: the button may have been up in between.
        let told = button.edge(ms(4000), down, true);
        assert_eq!(told, [Event { at: ms(4000), gesture: Gesture::Pressed { run: 1 } }]);
        assert_eq!(button.is_down(), down);
        assert!(!button.tick(ms(6999)).iter().any(|e| e.gesture == Gesture::Cancel));
    }
}

/// The presses of a raw line by the definition itself: `(settled down, settled up)`, a level counting
/// once it has lasted for the period. `end` closes the last stretch.
fn presses_of(raw: &[(u64, bool)], period: u64, end: u64) -> Vec<(u64, Option<u64>)> {
    let mut presses: Vec<(u64, Option<u64>)> = Vec::new();
    let mut settled = false;
    for (index, (at, level)) in raw.iter().enumerate() {
        let until = raw.get(index + 1).map_or(end, |next| next.0);
        if *level == settled || at + period > until {
            continue;
        }
        settled = *level;
        match presses.last_mut() {
            Some(last) if !settled => last.1 = Some(at + period),
            _ => presses.push((at + period, None)),
        }
    }
    presses
}

proptest! {
    /// Any line, any debounce, ticks wherever they fall: each settled press is told exactly once, at
    /// the moment it settles; a cancel is told exactly for the holds that lasted 3 s; nothing else
    /// depends on when time was looked at.
    #[test]
    fn gestures_follow_the_line(
        // Mostly bounce, sometimes a person, sometimes a very long time.
        gaps in prop::collection::vec(
            prop_oneof![5 => 1u64..30, 4 => 30u64..900, 2 => 900u64..5_000, 1 => 5_000u64..90_000], 1..60),
        ticks in prop::collection::vec(0u64..3_000, 60),
        period in 0u64..60,
    ) {
        let mut raw = Vec::new();
        let mut now = 0;
        for (index, gap) in gaps.iter().enumerate() {
            now += gap;
            raw.push((now, index % 2 == 0));
        }
        let end = now + 100_000;
        let presses = presses_of(&raw, period, end);

        let mut filter = Debounce::new(ms(period), false);
        let mut button = Button::new(Timings::default(), false, Duration::ZERO);
        let mut told: Vec<Event> = Vec::new();
        let mut look = |filter: &mut Debounce, now: u64, edge: Option<bool>, told: &mut Vec<Event>| {
            let settled = match edge {
                Some(level) => filter.edge(ms(now), level),
                None => filter.tick(ms(now)),
            };
            if let Some(settled) = settled {
                told.extend(button.edge(settled.at, settled.active, false));
            }
            told.extend(button.tick(ms(now)));
        };
        for (index, (at, level)) in raw.iter().enumerate() {
            look(&mut filter, *at, Some(*level), &mut told);
            let next = raw.get(index + 1).map_or(end, |next| next.0);
            let tick = at + ticks[index];
            if tick < next {
                look(&mut filter, tick, None, &mut told);
            }
        }
        look(&mut filter, end, None, &mut told);

        let at = |wanted: fn(&Gesture) -> bool| -> Vec<u64> {
            told.iter().filter(|e| wanted(&e.gesture)).map(|e| u64::try_from(e.at.as_millis()).unwrap()).collect()
        };
        let pressed: Vec<u64> = presses.iter().map(|p| p.0).collect();
        let held = |least: u64| -> Vec<u64> {
            presses.iter().filter(|p| p.1.unwrap_or(end) - p.0 >= least).map(|p| p.0 + least).collect()
        };
        prop_assert_eq!(at(|g| matches!(g, Gesture::Pressed { .. })), pressed);
        prop_assert_eq!(at(|g| *g == Gesture::Long), held(1000));
        prop_assert_eq!(at(|g| *g == Gesture::Cancel), held(3000));
        prop_assert_eq!(at(|g| *g == Gesture::Stuck), held(60_000));
        let clicks: u32 = told.iter().map(|e| if let Gesture::Clicked { times } = e.gesture { times } else { 0 }).sum();
        let short = presses.len() - held(1000).len();
        prop_assert_eq!(usize::try_from(clicks).unwrap(), short);
        prop_assert!(told.windows(2).all(|pair| pair[0].at <= pair[1].at), "out of order: {told:?}");
    }

    /// Whatever arrives, in whatever order, with whatever lost: no cancel without a hold of 3 s.
    #[test]
    fn no_cancel_without_a_hold(
        steps in prop::collection::vec((0u64..4_000, any::<bool>(), prop::bool::weighted(0.2)), 1..80),
    ) {
        let mut button = Button::new(Timings::default(), false, Duration::ZERO);
        let mut now = 0;
        let mut down_since = None;
        for (gap, down, lost) in steps {
            let mut cancels = Vec::new();
            let mut take = |events: VecDeque<Event>| cancels.extend(
                events.into_iter().filter(|e| e.gesture == Gesture::Cancel).map(|e| e.at));
            now += gap;
            let before = down_since;
            take(button.edge(ms(now), down, lost));
            match (down, lost) {
                (false, _) => down_since = None,
                (true, true) => down_since = Some(now),
                (true, false) => { down_since.get_or_insert(now); }
            }
            for at in cancels {
                prop_assert!(before.is_some_and(|since: u64| at == ms(since + 3000)), "cancel at {at:?}, down since {before:?}");
                prop_assert!(!lost);
            }
        }
    }
}
