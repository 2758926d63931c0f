//! Guards against smoke, burnable gas, carbon monoxide and water where none should be. A detector
//! that feels one is an alarm at once, also with the first that is heard of it. What only a broker
//! remembers is one if the device's last word was that all is clear: then the danger began while
//! nobody listened, and a detector that speaks only on a change says nothing more. Water is an alarm
//! like the others, because somebody must shut a valve now and an old person slips on a wet floor;
//! only a water meter's own leak flag, which means a slow loss, is a warning. The detector's own test button, or a device under test,
//! raises a test, which never hides a real alarm that follows. Detectors repeat their state with
//! every report (zigbee2mqtt publishes the whole state each time), so an unchanged danger is found
//! again at most every 5 minutes. Figures: the 5 minutes are this project's own, longer than one
//! round of calls and short enough that helpers see that it goes on.

use std::time::Duration;

use anju_model::observation::{CarbonMonoxide, Gas, Leak, Meter, Smoke};
use anju_model::{Class, EntryId, Fact, Finding, Moment, Observation, Rule};

use super::{direct, over};

/// How long an unchanged danger is not found again.
pub const REPEAT: Duration = Duration::from_secs(300);

/// The dangers one device feels.
#[derive(Debug, Clone, Default)]
pub struct State {
    smoke: Danger,
    gas: Danger,
    carbon_monoxide: Danger,
    leak: Danger,
    loss: Danger,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Danger {
    /// Nothing was heard of it yet.
    #[default]
    Unknown,
    Clear,
    Test {
        told: Moment,
    },
    Real {
        told: Moment,
    },
}

/// Judges what a detector says; other facts are passed over.
pub fn observe(
    state: &mut State,
    said: &Observation,
    now: Moment,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    let (danger, rule, class, felt, self_test) = match &said.fact {
        Fact::Smoke(Smoke { alarm, self_test }) => {
            (&mut state.smoke, Rule::Smoke, Class::Alarm, *alarm, *self_test)
        }
        Fact::Gas(Gas { alarm, self_test, .. }) => {
            (&mut state.gas, Rule::Gas, Class::Alarm, *alarm, *self_test)
        }
        Fact::CarbonMonoxide(CarbonMonoxide { alarm, self_test, .. }) => {
            (&mut state.carbon_monoxide, Rule::CarbonMonoxide, Class::Alarm, *alarm, *self_test)
        }
        Fact::Leak(Leak { wet }) => (&mut state.leak, Rule::Leak, Class::Alarm, *wet, false),
        Fact::Meter(Meter { leak: Some(leak), .. }) => {
            (&mut state.loss, Rule::Leak, Class::Warning, *leak, false)
        }
        _ => return,
    };
    let test = self_test || said.test;
    let remembered = said.baseline && class == Class::Alarm;
    if remembered && (felt || self_test) && (test || *danger != Danger::Clear) {
        return;
    }
    match (felt || self_test, test, *danger) {
        (false, _, Danger::Unknown | Danger::Clear) => *danger = Danger::Clear,
        (false, _, _) => {
            *danger = Danger::Clear;
            out.push(over(rule, said, cause));
        }
        // A test during a real danger does not make it one.
        (true, true, Danger::Real { .. }) => {}
        (true, true, Danger::Test { told }) | (true, false, Danger::Real { told })
            if now.since(told) < REPEAT => {}
        (true, _, _) => {
            *danger = if test { Danger::Test { told: now } } else { Danger::Real { told: now } };
            let mut raise = direct(rule, class, said, cause);
            raise.test = test;
            out.push(Finding::Raise(raise));
        }
    }
}
