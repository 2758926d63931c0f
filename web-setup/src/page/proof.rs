//! How sure the box is of a way to people: whether it fails now, when it last reached somebody, when
//! it was last made sure of. What was never proved must never look as if it worked.

use maud::{Markup, html};

use super::Scene;
use crate::view::Channel;

/// A channel that was not proved for longer may not work tonight, in seconds.
const IS_OLD: u64 = 31 * 86_400;

/// Whether nothing has shown for long that the way works.
pub fn is_old(channel: &Channel) -> bool {
    let newest = channel.proved.into_iter().chain(channel.checked).map(|ago| ago.seconds).min();
    newest.is_none_or(|seconds| seconds > IS_OLD)
}

/// What is known of a way, a line for each kind of proof.
pub fn of(scene: &Scene<'_>, channel: &Channel) -> Markup {
    let words = scene.words;
    html! {
        @if let Some(reason) = &channel.failing {
            strong { (words.get("way-failing")) }
            span.quiet lang="en" { (reason) }
        }
        @if let Some(proved) = channel.proved {
            span { (words.get("way-proved")) " " (scene.clock.ago(proved)) }
        } @else {
            span.quiet { (words.get("way-unproved")) }
        }
        @if let Some(answered) = channel.answered {
            span.quiet { (words.get("way-answered")) " " (scene.clock.ago(answered)) }
        }
        @if let Some(checked) = channel.checked {
            span.quiet { (words.get("way-checked")) " " (scene.clock.ago(checked)) }
        }
    }
}
