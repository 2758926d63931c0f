//! The first thing that is seen: whether somebody has to do something now.

use anju_model::Class;
use maud::{Markup, html};

use super::{Scene, alerts};
use crate::view::{OccupancyState, Presence, Status};

/// How the home is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Somebody must act now.
    Alarm,
    /// The box does not guard.
    Unguarded,
    /// Something is to be looked at.
    Notice,
    /// All is well.
    Calm,
}

impl Mood {
    /// The name in the page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mood::Alarm => "alarm",
            Mood::Unguarded => "unguarded",
            Mood::Notice => "notice",
            Mood::Calm => "calm",
        }
    }
}

/// How the home is.
pub fn mood(status: &Status) -> Mood {
    if status.alerts.iter().any(|alert| alert.class == Class::Alarm) {
        Mood::Alarm
    } else if status.guarding_since.is_none() {
        Mood::Unguarded
    } else if !status.alerts.is_empty() || !status.journal.recording || missing(status) > 0 {
        Mood::Notice
    } else {
        Mood::Calm
    }
}

/// Devices that can not be relied on.
fn missing(status: &Status) -> usize {
    let lost = |presence| matches!(presence, Presence::Offline | Presence::NotServed);
    status.devices.iter().filter(|device| lost(device.presence)).count()
}

/// The window's title, which shows in a row of tabs.
pub fn title(scene: &Scene<'_>, mood: Mood) -> String {
    let home = scene.home();
    match mood {
        Mood::Alarm => scene.words.fill("title-alarm", [("home", home.into())]),
        _ => scene.words.fill("title", [("home", home.into())]),
    }
}

/// The top of the page.
pub fn hero(scene: &Scene<'_>, mood: Mood) -> Markup {
    let words = scene.words;
    let alarms: Vec<_> =
        scene.status.alerts.iter().filter(|alert| alert.class == Class::Alarm).collect();
    let sentence = match mood {
        Mood::Alarm => words.fill("hero-alarm", [("n", alarms.len().into())]),
        Mood::Unguarded => words.get("hero-unguarded"),
        Mood::Notice => words.get("hero-notice"),
        Mood::Calm => words.get("hero-calm"),
    };
    html! {
        section #hero.hero aria-live=(if mood == Mood::Alarm { "assertive" } else { "polite" }) {
            p.home { (scene.home()) }
            h1 { (sentence) }
            @if mood == Mood::Alarm {
                @for alarm in alarms { (alerts::alarm(scene, alarm)) }
            }
            p.facts { (facts(scene)) }
        }
    }
}

fn facts(scene: &Scene<'_>) -> String {
    let (status, words) = (scene.status, scene.words);
    let guarding = match status.guarding_since {
        Some(since) => {
            words.fill("guarding-for", [("length", scene.clock.length(since.seconds).into())])
        }
        None => words.get("not-guarding"),
    };
    let count = |presence| status.devices.iter().filter(|d| d.presence == presence).count();
    let (all, online) = (status.devices.len(), count(Presence::Online));
    let devices = if all == 0 {
        words.get("devices-none")
    } else if all == online {
        words.fill("devices-all-online", [("n", all.into())])
    } else {
        words.fill("devices-online", [("online", online.into()), ("n", all.into())])
    };
    let recording = (!status.journal.recording).then(|| words.get("not-recording"));
    scene.line([Some(guarding), Some(devices), recording])
}

/// Who is at home, and the last sign of a person.
pub fn at_home(scene: &Scene<'_>) -> Markup {
    let (words, occupancy) = (scene.words, scene.status.occupancy);
    let state = match occupancy.state {
        OccupancyState::AtHome => words.get("occupancy-at-home"),
        OccupancyState::Visitor => words.get("occupancy-visitor"),
        OccupancyState::Out => words.get("occupancy-out"),
        OccupancyState::Away => words.get("occupancy-away"),
        OccupancyState::Unsure => words.get("occupancy-unsure"),
    };
    html! {
        section #at-home.card {
            h2 { (words.get("at-home")) }
            p.big { (state) }
            @if let Some(until) = occupancy.until {
                p { (words.fill("away-until", [("until", scene.clock.moment(until).into())])) }
            } @else if let Some(since) = occupancy.since {
                p.quiet {
                    (words.fill("since", [("ago", scene.clock.ago_text(since.seconds).into())]))
                }
            }
            dl {
                div {
                    dt { (words.get("last-activity")) }
                    dd {
                        @match &scene.status.last_activity {
                            Some(last) => {
                                (scene.clock.ago(last.ago))
                                span.quiet {
                                    (scene.line([
                                        Some(last.device.clone()),
                                        last.room.as_ref().map(|room| scene.room(room)),
                                    ]))
                                }
                            }
                            None => span.quiet { (words.get("last-activity-none")) },
                        }
                    }
                }
            }
        }
    }
}
