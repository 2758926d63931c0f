//! The devices, room by room. One that can not be relied on shows that instead of what it last
//! said; what it said then is told with its age.

use anju_model::RoomId;
use maud::{Markup, html};

use super::Scene;
use super::reading;
use crate::view::{Device, Presence, Reading};

/// A link below this quality is shown, per cent.
const WEAK_LINK_PERCENT: u8 = 20;

/// All devices.
pub fn section(scene: &Scene<'_>) -> Markup {
    let words = scene.words;
    html! {
        section #devices {
            h2 { (words.get("devices")) }
            @if scene.status.devices.is_empty() { p.quiet { (words.get("devices-none")) } }
            @if !scene.status.kit_missing.is_empty() {
                p.quiet data-kit-missing { (kit_missing(scene)) }
            }
            @for (room, devices) in rooms(&scene.status.devices) {
                h3.room { (room.map_or_else(|| words.get("room-none"), |room| scene.room(room))) }
                ul.devices.card {
                    @for device in devices { (row(scene, device)) }
                }
            }
        }
    }
}

/// What the base kit lacks.
fn kit_missing(scene: &Scene<'_>) -> String {
    let names = scene.status.kit_missing.iter().map(|kind| kind.name(scene.words.language));
    let names: Vec<&str> = names.collect();
    scene
        .words
        .fill("kit-missing", [("kinds", names.join(&scene.words.get("list-separator")).into())])
}

/// Devices by room, rooms in the order of their first device.
fn rooms(devices: &[Device]) -> Vec<(Option<&RoomId>, Vec<&Device>)> {
    let mut rooms: Vec<(Option<&RoomId>, Vec<&Device>)> = Vec::new();
    for device in devices {
        let room = device.room.as_ref();
        match rooms.iter_mut().find(|(known, _)| *known == room) {
            Some((_, list)) => list.push(device),
            None => rooms.push((room, vec![device])),
        }
    }
    rooms
}

fn row(scene: &Scene<'_>, device: &Device) -> Markup {
    let words = scene.words;
    let presence = match device.presence {
        Presence::Online => "online",
        Presence::Offline => "offline",
        Presence::NeverHeard => "never-heard",
        Presence::NotServed => "not-served",
    };
    html! {
        li data-device=(device.id) data-presence=(presence) {
            div.who {
                p.name { (device.name) }
                p.quiet {
                    (scene.line([
                        Some(device.kind.name(words.language).to_owned()),
                        battery(scene, device),
                        weak_link(scene, device),
                        device.unsupervised.then(|| words.get("unsupervised")),
                    ]))
                }
            }
            div.says { (says(scene, device)) }
        }
    }
}

fn says(scene: &Scene<'_>, device: &Device) -> Markup {
    let words = scene.words;
    match device.presence {
        Presence::Online if device.readings.is_empty() => html! {
            p.value { (words.get("online")) }
            p.quiet { @if let Some(heard) = device.last_heard { (scene.clock.ago(heard)) } }
        },
        Presence::Online => html! { @for said in &device.readings { (present(scene, said)) } },
        Presence::Offline => html! {
            p.value { (words.get("offline")) }
            (last(scene, device))
        },
        Presence::NeverHeard => html! {
            p.value { (words.get("never-heard")) }
            p.quiet { (words.get("never-heard-hint")) }
        },
        Presence::NotServed => html! {
            p.value { (words.get("not-served")) }
            p.quiet { (words.get("not-served-hint")) }
        },
    }
}

/// What a device in reach said; what holds no longer is not shown as the present state.
fn present(scene: &Scene<'_>, said: &Reading) -> Markup {
    let words = scene.words;
    let old = said.baseline
        || reading::holds_for(&said.fact).is_some_and(|seconds| said.ago.seconds > seconds);
    html! {
        p.value.old[old] { (reading::words(words, &said.fact)) }
        p.quiet {
            @if said.baseline { (words.get("known-at-start")) }
            @else { (scene.clock.ago(said.ago)) }
        }
    }
}

/// What a lost device last said, as the past that it is.
fn last(scene: &Scene<'_>, device: &Device) -> Markup {
    let words = scene.words;
    html! {
        p.quiet {
            @if let Some(said) = device.readings.first() {
                (words.fill("last-said", [
                    ("fact", reading::words(words, &said.fact).into()),
                    ("ago", scene.clock.ago_text(said.ago.seconds).into()),
                ]))
            } @else if let Some(heard) = device.last_heard {
                (words.get("last-heard")) " " (scene.clock.ago(heard))
            }
        }
    }
}

fn battery(scene: &Scene<'_>, device: &Device) -> Option<String> {
    let words = scene.words;
    match (device.battery_low, device.battery_percent) {
        (true, Some(percent)) => Some(words.fill("battery-low-at", [("n", percent.into())])),
        (true, None) => Some(words.get("battery-low")),
        (false, Some(percent)) => Some(words.fill("battery", [("n", percent.into())])),
        (false, None) => None,
    }
}

fn weak_link(scene: &Scene<'_>, device: &Device) -> Option<String> {
    let percent = device.link_quality_percent?;
    (percent < WEAK_LINK_PERCENT).then(|| scene.words.get("weak-link"))
}
