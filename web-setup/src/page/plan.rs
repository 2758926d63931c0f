//! What would happen at a time of day: who is tried when, over what, and when each way last worked.
//! A hole in the plan must be seen at once.

use anju_model::{Class, Language, Rule};
use jiff::civil;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Scene, proof};
use crate::view::{Plan, Try};

/// Times that are offered beside the one that is shown: the night, and the day.
const OFFERED: [&str; 4] = ["03:00", "09:00", "15:00", "21:00"];

/// What can be asked about, the most likely first.
const RULES: [Rule; 5] = [Rule::Fall, Rule::Help, Rule::Smoke, Rule::Inactivity, Rule::Medication];

/// What is asked of the plan.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    rule: Option<String>,
}

impl Asked {
    /// Three in the morning, a fall.
    pub const fn default_plan() -> (civil::Time, Rule) {
        (civil::time(3, 0, 0, 0), Rule::Fall)
    }

    /// Time of day and rule, where both can be read.
    pub fn read(&self) -> Option<(civil::Time, Rule)> {
        let (at, rule) = Self::default_plan();
        let at = match &self.at {
            Some(text) => civil::Time::strptime("%H:%M", text).ok()?,
            None => at,
        };
        let rule = match &self.rule {
            Some(name) => Rule::known(name)?,
            None => rule,
        };
        Some((at, rule))
    }
}

/// The section of the page.
pub fn section(scene: &Scene<'_>, plan: Option<&Plan>, asked: Option<Language>) -> Markup {
    let words = scene.words;
    html! {
        section #plan.card {
            h2 { (words.get("plan")) }
            @if let Some(plan) = plan {
                p.quiet { (words.get("plan-hint")) }
                p.big { (what(scene, plan)) }
                @if plan.tries.is_empty() {
                    div.bad { strong { (words.get("plan-nobody")) } }
                }
                ol {
                    @for together in plan.tries.chunk_by(|a, b| a.after_seconds == b.after_seconds) {
                        (moment(scene, together))
                    }
                }
                (others(scene, plan, asked))
            } @else {
                p.quiet { (words.get("not-guarding")) }
            }
        }
    }
}

fn what(scene: &Scene<'_>, plan: &Plan) -> String {
    let words = scene.words;
    let rule = words.get_or(&format!("rule-{}", plan.rule), &plan.rule);
    let class = match plan.class {
        Class::Alarm => words.get("class-alarm"),
        Class::Warning => words.get("class-warning"),
        Class::Request => words.get("class-request"),
        Class::Fault => words.get("class-fault"),
    };
    let slots = [("at", plan.at.as_str().into()), ("what", rule.into()), ("class", class.into())];
    words.fill("plan-what", slots)
}

/// All who are tried at the same moment.
fn moment(scene: &Scene<'_>, together: &[Try]) -> Markup {
    let words = scene.words;
    let after = together.first().map_or(0, |one| one.after_seconds);
    let when = match after {
        0 => words.get("plan-at-once"),
        1..60 => words.fill("plan-after-seconds", [("n", after.into())]),
        _ => words.fill("plan-after-minutes", [("n", after.div_ceil(60).into())]),
    };
    html! {
        li {
            h3 { (when) }
            dl { @for one in together { (person(scene, one)) } }
        }
    }
}

fn person(scene: &Scene<'_>, one: &Try) -> Markup {
    let words = scene.words;
    let away = one.minutes_away.map(|n| words.fill("plan-away", [("n", n.into())]));
    html! {
        div {
            dt { (one.name) @if let Some(away) = away { span.quiet { (away) } } }
            @if one.ways.iter().all(|way| way.failing.is_some() || proof::is_old(way)) {
                dd.bad { strong { (words.get("plan-no-sure-way")) } }
            }
            @for way in &one.ways {
                dd.bad[way.failing.is_some()].unproved[proof::is_old(way)] {
                    b { (words.get_or(&format!("channel-{}", way.name), &way.name)) }
                    (proof::of(scene, way))
                }
            }
        }
    }
}

/// Other times and other things that could happen.
fn others(scene: &Scene<'_>, plan: &Plan, asked: Option<Language>) -> Markup {
    let words = scene.words;
    let language = asked.map(|language| format!("lang={}&", language.tag())).unwrap_or_default();
    let to = |at: &str, rule: &str| format!("?{language}at={at}&rule={rule}#plan");
    html! {
        nav.others aria-label=(words.get("plan-others")) {
            p { @for at in OFFERED { (choice(at, &to(at, &plan.rule), at == plan.at)) } }
            p {
                @for rule in &RULES {
                    @let name = words.get_or(&format!("watch-{rule}"), rule.as_str());
                    (choice(&name, &to(&plan.at, rule.as_str()), rule.as_str() == plan.rule))
                }
            }
        }
    }
}

fn choice(name: &str, to: &str, is_shown: bool) -> Markup {
    html! {
        @if is_shown { span aria-current="true" { (name) } }
        @else { a href=(to) { (name) } }
        " "
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_of_day_and_known_rules_are_taken() {
        let read = |at: Option<&str>, rule: Option<&str>| {
            Asked { at: at.map(Into::into), rule: rule.map(Into::into) }.read()
        };
        assert_eq!(read(None, None), Some(Asked::default_plan()));
        assert_eq!(
            read(Some("21:30"), Some("smoke")),
            Some((civil::time(21, 30, 0, 0), Rule::Smoke))
        );
        for (at, rule) in [("25:00", "fall"), ("3", "fall"), ("", "fall"), ("03:00", "<b>")] {
            assert_eq!(read(Some(at), Some(rule)), None, "{at} {rule}");
        }
    }
}
