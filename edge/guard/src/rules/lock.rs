//! Guards against somebody who wants to come in and should not: a lock that says it was opened by
//! force is an alarm, three wrong tries in a row are a warning (an old person mistypes too, and the
//! warning brings somebody who helps). Each is found once while the lock goes on saying so, and is over
//! when it no longer does. Figures: locks of this trade shut themselves after 3 to 5 wrong tries.

use anju_model::config::LockRule;
use anju_model::observation::Lock;
use anju_model::{Class, EntryId, Finding, Observation, Rule};

use super::{direct, over};

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct State {
    forced: bool,
    tries: u32,
}

/// Judges what a lock says.
pub fn observe(
    state: &mut State,
    rule: &LockRule,
    lock: &Lock,
    said: &Observation,
    cause: &EntryId,
    out: &mut Vec<Finding>,
) {
    if !rule.enabled || said.baseline || said.test {
        return;
    }
    if let Some(forced) = lock.forced
        && forced != state.forced
    {
        state.forced = forced;
        out.push(if forced {
            Finding::Raise(direct(Rule::LockForced, Class::Alarm, said, cause))
        } else {
            over(Rule::LockForced, said, cause)
        });
    }
    // Whoever gets in has found the right code.
    let opened = lock.locked == Some(false) && lock.wrong_tries.is_none();
    let Some(tries) = lock.wrong_tries.or_else(|| opened.then_some(0)) else { return };
    let before = std::mem::replace(&mut state.tries, tries);
    if tries >= rule.tries && tries > before {
        let mut raise = direct(Rule::LockTries, Class::Warning, said, cause);
        raise.direct = false;
        out.push(Finding::Raise(raise));
    } else if tries < rule.tries && before >= rule.tries {
        out.push(over(Rule::LockTries, said, cause));
    }
}
