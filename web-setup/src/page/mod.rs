//! The status page: how the home is at a glance, then what is open, who is at home, each device,
//! the ways to people, the box itself. It must never show a value as current that is not.

mod alerts;
mod box_parts;
mod devices;
mod hero;
mod plan;
mod proof;
mod reading;
mod time;

use anju_model::{Language, RoomId};
use maud::{DOCTYPE, Markup, html};

use crate::assets::Assets;
use crate::texts::Words;
use crate::view::{Plan, Status};
pub use plan::Asked as PlanAsked;
use time::Clockwork;

/// What every part of the page is given.
struct Scene<'a> {
    status: &'a Status,
    words: &'a Words,
    clock: Clockwork<'a>,
}

impl Scene<'_> {
    /// Whose home it is.
    fn home(&self) -> String {
        let names: Vec<&str> = self.status.persons.iter().map(|p| p.name.as_str()).collect();
        if names.is_empty() {
            return self.words.fill("home-of-box", [("box", self.status.box_id.as_str().into())]);
        }
        let names = names.join(&self.words.get("list-separator"));
        self.words.fill("home-of", [("names", names.into())])
    }

    /// A room's name; one of a household's own naming is shown as it is.
    fn room(&self, room: &RoomId) -> String {
        self.words.get_or(&format!("room-{room}"), room.as_str())
    }

    /// Parts that are there, separated.
    fn line<const N: usize>(&self, parts: [Option<String>; N]) -> String {
        let parts: Vec<String> =
            parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        parts.join(" · ")
    }
}

/// The page in one language.
pub fn home(
    status: &Status,
    plan: Option<&Plan>,
    asked: Option<Language>,
    words: &Words,
    assets: &Assets,
) -> Markup {
    let scene = Scene { status, words, clock: Clockwork::new(status, words) };
    let mood = hero::mood(status);
    html! {
        (DOCTYPE)
        html lang=(words.language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (hero::title(&scene, mood)) }
                link rel="icon" href=(assets.icon()) type="image/svg+xml";
                link rel="stylesheet" href=(assets.style());
                script type="module" src=(assets.script()) {}
                noscript { meta http-equiv="refresh" content="20"; }
            }
            body data-mood=(mood.as_str()) {
                a.skip href="#main" { (words.get("skip")) }
                header.top {
                    p.brand { (words.get("brand")) }
                    p #as-of { (scene.clock.as_of()) }
                    (languages(words))
                }
                p #lost role="alert" hidden { (words.get("connection-lost")) }
                main #main {
                    (hero::hero(&scene, mood))
                    (alerts::section(&scene))
                    div.columns {
                        (hero::at_home(&scene))
                        div.left {
                            (devices::section(&scene))
                            (plan::section(&scene, plan, asked))
                        }
                        div.side {
                            (box_parts::ways(&scene))
                            (box_parts::rules(&scene))
                            (box_parts::the_box(&scene))
                        }
                    }
                }
                footer #foot {
                    p { (words.get("read-only")) }
                    p {
                        (words.fill("box-line", [
                            ("box", status.box_id.as_str().into()),
                            ("version", status.version.as_str().into()),
                        ]))
                    }
                }
            }
        }
    }
}

fn languages(words: &Words) -> Markup {
    html! {
        nav.languages aria-label=(words.get("language")) {
            @for (language, name) in [(Language::ZhCn, "中文"), (Language::En, "English")] {
                @if language == words.language {
                    span aria-current="true" lang=(language.tag()) { (name) }
                } @else {
                    a href={ "?lang=" (language.tag()) } lang=(language.tag()) hreflang=(language.tag()) { (name) }
                }
            }
        }
    }
}
