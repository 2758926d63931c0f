//! The ways to people, what is watched for, and the box itself.

use maud::{Markup, html};

use super::Scene;
use super::proof;
use crate::view::{Channel, Link, Standing, Upstream, Watch};

/// The ways to people.
pub fn ways(scene: &Scene<'_>) -> Markup {
    let words = scene.words;
    html! {
        section #ways.card {
            h2 { (words.get("ways")) }
            @if scene.status.channels.is_empty() { p.quiet { (words.get("ways-none")) } }
            dl { @for channel in &scene.status.channels { (way(scene, channel)) } }
        }
    }
}

fn way(scene: &Scene<'_>, channel: &Channel) -> Markup {
    let words = scene.words;
    // Speakers in other rooms and lights have names of their own.
    let own = ["satellite", "light"].into_iter().find_map(|part| {
        let id = channel.name.strip_prefix(part)?.strip_prefix('-')?;
        Some((words.get(&format!("channel-{part}")), words.get_or(&format!("room-{id}"), id)))
    });
    let name = match own {
        Some((part, id)) => scene.line([Some(part), Some(id)]),
        None => words.get_or(&format!("channel-{}", channel.name), &channel.name),
    };
    html! {
        div.bad[channel.failing.is_some()].unproved[proof::is_old(channel)] {
            dt { (scene.line([channel.contact.clone(), Some(name)])) }
            dd { (proof::of(scene, channel)) }
        }
    }
}

/// What is watched for, and what is not.
pub fn rules(scene: &Scene<'_>) -> Markup {
    let words = scene.words;
    let name = |watch: &Watch| words.get_or(&format!("watch-{}", watch.rule), &watch.rule);
    let (active, rest): (Vec<&Watch>, Vec<&Watch>) =
        scene.status.rules.iter().partition(|watch| watch.standing == Standing::Active);
    let active: Vec<String> = active.into_iter().map(name).collect();
    html! {
        section #rules.card {
            h2 { (words.get("rules")) }
            dl {
                @if !active.is_empty() {
                    div {
                        dt { (words.get("rules-active")) }
                        dd { (active.join(" · ")) }
                    }
                }
                @for watch in rest {
                    div.unproved data-standing=(standing(watch.standing)) {
                        dt { (name(watch)) }
                        dd {
                            @if watch.standing == Standing::Limited { (words.get("rule-limited")) }
                            @else { (words.get("rule-off")) }
                            @if let Some(why) = watch.why {
                                (words.get("because")) (why.get(words.language))
                            }
                        }
                    }
                }
            }
        }
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Limited => "limited",
        Standing::Off => "off",
    }
}

/// The box: its record, its links, the way to the centre, its configuration.
pub fn the_box(scene: &Scene<'_>) -> Markup {
    let (status, words) = (scene.status, scene.words);
    let journal = &status.journal;
    html! {
        section #box.card {
            h2 { (words.get("the-box")) }
            dl {
                div.bad[!journal.recording] {
                    dt { (words.get("journal")) }
                    dd {
                        @if journal.recording { (words.get("journal-recording")) }
                        @else { strong { (words.get("journal-not-recording")) } }
                        @if let Some(reason) = &journal.reason { span.quiet lang="en" { (reason) } }
                        span.quiet {
                            (words.fill("journal-figures", [
                                ("entries", journal.newest_seq.into()),
                                ("mib", mebibytes(journal.bytes).into()),
                            ]))
                        }
                    }
                }
                (centre(scene))
                (uplinks(scene))
                @for link in &status.links { (wire(scene, link)) }
                @if !status.config_faults.is_empty() {
                    div.bad {
                        dt { (words.get("configuration")) }
                        dd {
                            strong {
                                (words.fill("config-faults", [("n", status.config_faults.len().into())]))
                            }
                            ul.faults lang="en" {
                                @for fault in &status.config_faults { li { (fault) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn centre(scene: &Scene<'_>) -> Markup {
    let words = scene.words;
    let Some(upstream) = &scene.status.upstream else {
        return html! {
            div { dt { (words.get("centre")) } dd.quiet { (words.get("centre-none")) } }
        };
    };
    html! {
        div.bad[!upstream.connected] {
            dt { (words.get("centre")) }
            dd {
                @if upstream.connected { (words.get("connected")) }
                @else { strong { (words.get("disconnected")) } }
                @if let Some(since) = upstream.since { span.quiet { (scene.clock.ago(since)) } }
                @if let Some(reason) = &upstream.reason { span.quiet lang="en" { (reason) } }
                span.quiet { (backlog(scene, upstream)) }
            }
        }
    }
}

/// The links into the Internet; that nobody chooses among them is said quietly.
fn uplinks(scene: &Scene<'_>) -> Markup {
    let words = scene.words;
    let uplinks = &scene.status.uplinks;
    html! {
        @if let Some(why) = &uplinks.unmanaged {
            div {
                dt { (words.get("uplinks")) }
                dd.quiet { (words.get("uplinks-unmanaged")) span lang="en" { (why) } }
            }
        }
        @for link in &uplinks.links {
            div.bad[link.reaches == Some(false)] {
                dt {
                    (words.get_or(&format!("uplink-{}", link.kind), &link.kind))
                    span.quiet { (link.interface) }
                }
                dd {
                    @match link.reaches {
                        Some(true) => { (words.get("connected")) },
                        Some(false) => { strong { (words.get("disconnected")) } },
                        None => { span.quiet { (words.get("uplink-untried")) } },
                    }
                    @if link.preferred { span.quiet { (words.get("uplink-preferred")) } }
                    @if let Some(reason) = &link.reason { span.quiet lang="en" { (reason) } }
                }
            }
        }
    }
}

fn backlog(scene: &Scene<'_>, upstream: &Upstream) -> String {
    if upstream.backlog == 0 {
        return scene.words.get("backlog-none");
    }
    scene.words.fill(
        "backlog",
        [("n", upstream.backlog.into()), ("alerts", upstream.alert_backlog.into())],
    )
}

fn wire(scene: &Scene<'_>, link: &Link) -> Markup {
    let words = scene.words;
    html! {
        div.bad[!link.up] {
            dt { (words.get_or(&format!("link-{}", link.kind), &link.kind)) span.quiet { (link.id) } }
            dd {
                @if link.up { (words.get("connected")) }
                @else { strong { (words.get("disconnected")) } }
                @if let Some(reason) = &link.reason { span.quiet lang="en" { (reason) } }
            }
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}
