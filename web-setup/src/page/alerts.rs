//! Open alerts: what happened, where, how long ago, and how far help is.

use anju_model::Class;
use maud::{Markup, html};

use super::Scene;
use crate::view::{Alert, AlertStage, Helper};

/// One alarm within the top of the page.
pub fn alarm(scene: &Scene<'_>, alert: &Alert) -> Markup {
    html! {
        article.alarm data-alert=(alert.id) {
            h2 { (headline(scene, alert)) }
            (particulars(scene, alert))
            (stages(scene, alert))
        }
    }
}

/// The alerts that are no alarms.
pub fn section(scene: &Scene<'_>) -> Markup {
    let words = scene.words;
    let rest: Vec<&Alert> =
        scene.status.alerts.iter().filter(|alert| alert.class != Class::Alarm).collect();
    html! {
        section #alerts.alerts hidden[rest.is_empty()] {
            h2 { (words.fill("open-alerts", [("n", rest.len().into())])) }
            @for alert in rest {
                article.card.notice data-alert=(alert.id) {
                    p.class { (words.get(&format!("class-{}", alert.class))) }
                    h3 { (headline(scene, alert)) }
                    (particulars(scene, alert))
                    @if alert.class != Class::Fault || alert.stage != AlertStage::Searching {
                        (stages(scene, alert))
                    }
                }
            }
        }
    }
}

/// The household's own sentence for those who read its language, else the rule in theirs.
fn headline(scene: &Scene<'_>, alert: &Alert) -> Markup {
    let words = scene.words;
    let own = scene.status.language == words.language && !alert.text.is_empty();
    html! {
        @if alert.test { span.test { (words.get("test")) } " " }
        @if own { (alert.text) }
        @else { (words.get_or(&format!("rule-{}", alert.rule), &alert.rule)) }
    }
}

fn particulars(scene: &Scene<'_>, alert: &Alert) -> Markup {
    let words = scene.words;
    let place = scene.line([
        alert.device.clone(),
        alert.room.as_ref().map(|room| scene.room(room)),
        (alert.count > 1).then(|| words.fill("alert-count", [("n", alert.count.into())])),
    ]);
    html! {
        p.place {
            (scene.clock.ago(alert.raised))
            @if !place.is_empty() { " · " (place) }
        }
    }
}

fn stages(scene: &Scene<'_>, alert: &Alert) -> Markup {
    let words = scene.words;
    let reached = match alert.stage {
        AlertStage::Searching | AlertStage::Cancelled => 0,
        AlertStage::Accepted => 1,
        AlertStage::Arrived => 2,
    };
    let first = if alert.stage == AlertStage::Cancelled {
        words.get("stage-cancelled")
    } else {
        words.get("stage-searching")
    };
    let steps = [first, words.get("stage-accepted"), words.get("stage-arrived")];
    html! {
        ol.stages {
            @for (place, step) in steps.into_iter().enumerate() {
                li.done[place < reached] aria-current=[(place == reached).then_some("step")] { (step) }
            }
        }
        @for helper in &alert.helpers {
            p.helper { (helper_line(scene, helper)) }
        }
    }
}

fn helper_line(scene: &Scene<'_>, helper: &Helper) -> String {
    let words = scene.words;
    let name = || ("name", helper.name.as_str().into());
    match (helper.arrived, helper.minutes) {
        (true, _) => words.fill("helper-arrived", [name()]),
        (false, Some(minutes)) => {
            words.fill("helper-coming-in", [name(), ("minutes", minutes.into())])
        }
        (false, None) => words.fill("helper-coming", [name()]),
    }
}
