//! The box as the page sees it: copies of what the core, the way to the centre, the drivers and the
//! journal last showed. Nothing here waits.

use std::sync::Arc;

use anju_model::Rule;
use anju_web_setup::{BoxView, Health, Metric, Part, Plan, Status};
use jiff::civil;
use tokio::sync::watch::{self, Receiver};

use super::status::Look;
use super::watch::{Figures, watch};
use super::{Setup, Sources, figures};
use crate::plan;

/// The box.
pub struct View {
    sources: Arc<Sources>,
    setup: Receiver<Arc<Setup>>,
    figures: Receiver<Option<Figures>>,
    changes: Receiver<u64>,
}

impl View {
    /// Begins to watch, inside a tokio runtime.
    pub fn start(sources: Sources, setup: Receiver<Arc<Setup>>) -> Arc<Self> {
        let sources = Arc::new(sources);
        let (figures_tx, figures) = watch::channel(None);
        let (changes_tx, changes) = watch::channel(0);
        tokio::spawn(watch(sources.clone(), setup.clone(), figures_tx, changes_tx));
        Arc::new(Self { sources, setup, figures, changes })
    }

    fn look(&self) -> Look {
        Look {
            stamp: self.sources.clocks.stamp(),
            core: self.sources.core.borrow().clone(),
            core_lives: self.sources.core.has_changed().is_ok(),
            upstream: self.sources.upstream.as_ref().map(|view| view.borrow().clone()),
            uplinks: self.sources.uplinks.borrow().clone(),
            setup: self.setup.borrow().clone(),
            figures: self.figures.borrow().clone(),
            newest: self.sources.journal.numbers(),
        }
    }
}

impl BoxView for View {
    fn status(&self) -> Status {
        self.look().status()
    }

    fn plan(&self, at: civil::Time, rule: &Rule) -> Option<Plan> {
        let look = self.look();
        let picture = look.picture().filter(|_| look.core_lives)?;
        Some(plan::of(picture, &look.stamp, at, rule))
    }

    fn changes(&self) -> Receiver<u64> {
        self.changes.clone()
    }

    fn metrics(&self) -> Vec<Metric> {
        let look = self.look();
        figures::metrics(&look.status(), &look)
    }

    fn health(&self) -> Health {
        let look = self.look();
        let status = look.status();
        let mut parts = vec![
            part("guard", status.guarding_since.is_some(), "the core does not run"),
            part("journal", status.journal.recording, reason(status.journal.reason.as_ref())),
        ];
        if let Some(upstream) = &status.upstream {
            parts.push(part("upstream", upstream.connected, reason(upstream.reason.as_ref())));
        }
        for link in &status.links {
            parts.push(part(&format!("link:{}", link.id), link.up, reason(link.reason.as_ref())));
        }
        for link in &status.uplinks.links {
            let up = link.reaches != Some(false);
            let name = format!("uplink:{}", link.interface);
            parts.push(part(&name, up, reason(link.reason.as_ref())));
        }
        let told = ["journal", "configuration", "channel:upstream"];
        for (name, why) in look.faults() {
            let beside = ["driver:", "journal:"].iter().any(|part| name.starts_with(part));
            if !told.contains(&name.as_str()) && !beside {
                parts.push(Part { name, ok: false, detail: why.to_string() });
            }
        }
        let faults = status.config_faults.len();
        let detail = format!("{faults} parts can not be used");
        parts.push(part("configuration", faults == 0, &detail));
        Health { guarding: status.guarding_since.is_some(), parts }
    }
}

fn part(name: &str, ok: bool, otherwise: &str) -> Part {
    let detail = if ok { "in order" } else { otherwise };
    Part { name: name.to_owned(), ok, detail: detail.to_owned() }
}

fn reason(reason: Option<&String>) -> &str {
    reason.map_or("it does not work", String::as_str)
}
