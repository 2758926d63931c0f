//! What robots of chat groups answer: HTTP 200 with a code in JSON, zero if the message was taken.
//! Pure.

use std::time::Duration;

use serde::Deserialize;

use super::post::{Allowance, Proved, Refusal};

/// Robots of WeCom and DingTalk take 20 messages in any minute: 9 at once, and 10 more in 60 s.
pub(super) const ALLOWANCE: Allowance = Allowance { burst: 9, every: Duration::from_secs(6) };

/// Longest reason that is told, in characters.
const MOST_REASON: usize = 200;

/// What a code other than zero means.
pub(super) enum Meaning {
    /// The robot has to rest.
    TooFast(Duration),
    /// Key, token or settings are wrong.
    Wrong,
    /// Anything else: it is tried again.
    Other,
    /// The message itself is at fault.
    Message,
}

/// Judges an answer by what a service's codes mean.
pub(super) fn judge(answer: &[u8], meaning: impl Fn(i64) -> Meaning) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Answer {
        errcode: i64,
        #[serde(default)]
        errmsg: String,
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
        return Err(Refusal::later("the answer is not one of this service"));
    };
    if answer.errcode == 0 {
        return Ok(());
    }
    let said: String =
        answer.errmsg.chars().filter(|c| !c.is_control()).take(MOST_REASON).collect();
    let why = format!("the service answered {}: {said}", answer.errcode);
    Err(match meaning(answer.errcode) {
        Meaning::TooFast(pause) => Refusal::Wait { why, pause },
        Meaning::Wrong => Refusal::Never(why),
        Meaning::Other => Refusal::later(why),
        Meaning::Message => Refusal::Unfit(why),
    })
}

/// What a service answers to a message of no kind that it knows: whether robot and key are right it
/// looks at first, so any complaint that is not about them proves them.
pub(super) fn judge_trial(
    answer: &[u8],
    meaning: impl Fn(i64) -> Meaning,
) -> Result<Proved, Refusal> {
    match judge(answer, meaning) {
        Err(Refusal::Unfit(_)) | Ok(()) => Ok(Proved::Yes),
        Err(refusal) => Err(refusal),
    }
}

/// Judges any bytes, for fuzzing.
pub fn fuzzed(bytes: &[u8]) {
    let _ = judge(bytes, |_| Meaning::Other);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_are_judged_by_their_code() {
        let meaning = |code| match code {
            1 => Meaning::TooFast(Duration::from_secs(60)),
            2 => Meaning::Wrong,
            _ => Meaning::Other,
        };
        let judged = |text: &str| judge(text.as_bytes(), meaning);
        assert_eq!(judged(r#"{"errcode":0,"errmsg":"ok"}"#), Ok(()));
        assert!(matches!(judged(r#"{"errcode":1,"errmsg":"x"}"#), Err(Refusal::Wait { .. })));
        assert!(matches!(judged(r#"{"errcode":2}"#), Err(Refusal::Never(_))));
        assert!(matches!(judged(r#"{"errcode":-1}"#), Err(Refusal::Later { .. })));
        for wrong in ["", "{}", "null", "<html>", r#"{"errcode":"0"}"#] {
            assert!(matches!(judged(wrong), Err(Refusal::Later { .. })), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzzed(&bytes);
        }
    }
}
