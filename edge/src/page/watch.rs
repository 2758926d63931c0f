//! Follows what has no watcher of its own: the journal's figures, which cost a look at the disk,
//! and the drivers' health. The disk is looked at beside everything else, never in between.

use std::time::{Duration, Instant};

use anju_drivers::fleet::Health;
use anju_journal::{Journal, Stats};
use tokio::sync::watch::{Receiver, Sender};

use super::{Arc, Setup, Sources};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);

/// The journal's figures are looked at each so many rounds.
const ROUNDS: u32 = 5;

/// Figures older than this mean that the disk does not answer.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The journal's figures and when they were true.
pub type Figures = (Instant, Stats);

/// Counts `changes` up with everything that happens, for ever.
pub async fn watch(
    sources: Arc<Sources>,
    mut setup: Receiver<Arc<Setup>>,
    figures: Sender<Option<Figures>>,
    changes: Sender<u64>,
) {
    let (mut core, mut upstream) = (sources.core.clone(), sources.upstream.clone());
    let mut uplinks = sources.uplinks.clone();
    let mut round = tokio::time::interval(EVERY);
    round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut rounds = 0u32;
    let mut looking: Option<tokio::task::JoinHandle<Figures>> = None;
    let mut drivers = health(&setup);
    loop {
        let looked = async {
            match &mut looking {
                Some(look) => look.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok(()) = core.changed() => {}
            Ok(()) = changed(&mut upstream) => {}
            Ok(()) = uplinks.changed() => {}
            Ok(()) = setup.changed() => drivers = health(&setup),
            looked = looked => {
                looking = None;
                let Ok(looked) = looked else { continue };
                let recorded = |figures: &Option<Figures>| {
                    figures.as_ref().map(|(_, stats)| stats.recording.clone())
                };
                let before = recorded(&figures.borrow());
                figures.send_replace(Some(looked));
                if before == recorded(&figures.borrow()) {
                    continue;
                }
            }
            _ = round.tick() => {
                if looking.is_none() && rounds.is_multiple_of(ROUNDS) {
                    let journal = sources.journal.clone();
                    looking = Some(tokio::task::spawn_blocking(move || look(&journal)));
                }
                rounds = rounds.wrapping_add(1);
                let now = health(&setup);
                if now == drivers {
                    continue;
                }
                drivers = now;
            }
        }
        changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

fn look(journal: &Journal) -> Figures {
    let began = Instant::now();
    (began, journal.stats())
}

fn health(setup: &Receiver<Arc<Setup>>) -> Vec<Health> {
    setup.borrow().drivers.iter().map(|driver| driver.health.borrow().clone()).collect()
}

async fn changed<T>(source: &mut Option<Receiver<T>>) -> Result<(), ()> {
    match source {
        Some(source) => source.changed().await.map_err(|_| ()),
        None => std::future::pending().await,
    }
}
