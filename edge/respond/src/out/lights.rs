//! Lights that announce, for who hears badly: each blinks while an alarm waits for somebody, beside
//! all that is said and never waiting for it, and is then put back as it was. One that can not be
//! reached is tried again and never holds up another. Where there may be gas, none is switched that
//! could spark, not even back.

use std::sync::Arc;
use std::time::Duration;

use anju_model::AlertId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::channel::{Health, Report, Reports};
use super::pace::Pace;
use super::siren::Obeyed;
use crate::life::Lights as Wanted;

/// How long a light blinks without a pause at first.
const FIRST: Duration = Duration::from_secs(300);
/// It is told again this often: its bridge may have been away. Afterwards it blinks this often, as the
/// speaker says it again each minute.
const EVERY: Duration = Duration::from_secs(60);
/// How long it blinks for one order at first.
const ON_FOR: Duration = Duration::from_secs(75);
/// And afterwards.
const AGAIN_FOR: Duration = Duration::from_secs(10);
/// How long a light may take to obey.
const OBEYS_WITHIN: Duration = Duration::from_secs(10);
const RETRY: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(30) };

/// One light, as its driver offers it.
pub trait LightPort: Send + Sync + 'static {
    /// The device's id.
    fn name(&self) -> String;
    /// Blinks for that long, and is then as it was.
    fn flash(&self, time: Duration) -> Obeyed<'_>;
    /// Is not switched any more.
    fn hold(&self) -> Obeyed<'_>;
    /// Is as it was.
    fn put_back(&self) -> Obeyed<'_>;
    /// Whether switching it may spark.
    fn sparks(&self) -> bool;
}

/// All lights of the home that announce.
#[derive(Debug)]
pub struct Lights {
    wanted: watch::Sender<Wanted>,
    // They end with it.
    _tasks: JoinSet<()>,
}

impl Lights {
    /// Starts a task for each light, inside a tokio runtime.
    pub fn start(ports: Vec<Arc<dyn LightPort>>, reports: &Reports) -> Self {
        let (wanted, _) = watch::channel(Wanted::default());
        let mut tasks = JoinSet::new();
        for port in ports {
            tasks.spawn(keep(port, wanted.subscribe(), reports.clone()));
        }
        Self { wanted, _tasks: tasks }
    }

    /// Lets all be so.
    pub fn show(&self, wanted: Wanted) {
        self.wanted.send_replace(wanted);
    }
}

/// How a light was last told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// As it was, or nothing yet.
    AsItWas,
    /// To blink.
    Blinks,
    /// Not to be switched any more.
    Held,
}

async fn keep(port: Arc<dyn LightPort>, mut wanted: watch::Receiver<Wanted>, reports: Reports) {
    let (mut told, mut failures) = (Told::AsItWas, 0);
    // For which alert it blinks, and since when.
    let mut blinks: Option<(AlertId, Instant)> = None;
    loop {
        let want = wanted.borrow_and_update().clone();
        let may = want.may_spark || !port.sparks();
        let begun = blinks.as_ref().filter(|(alert, _)| Some(alert) == want.alert.as_ref());
        let begun = begun.map_or_else(Instant::now, |(_, begun)| *begun);
        let time = if begun.elapsed() < FIRST { ON_FOR } else { AGAIN_FOR };
        let next = match (&want.alert, may) {
            (Some(_), true) => Some(Told::Blinks),
            (None, true) => (told != Told::AsItWas).then_some(Told::AsItWas),
            (_, false) => (told == Told::Blinks).then_some(Told::Held),
        };
        let obeyed = match next {
            Some(Told::Blinks) => Some(obeys(port.flash(time)).await),
            Some(Told::AsItWas) => Some(obeys(port.put_back()).await),
            Some(Told::Held) => Some(obeys(port.hold()).await),
            None => None,
        };
        let pause = match (obeyed, next) {
            (Some(Ok(())), Some(now)) => {
                told = now;
                if std::mem::take(&mut failures) > 0 {
                    health(&reports, port.as_ref(), None);
                }
                blinks = want.alert.filter(|_| now == Told::Blinks).map(|alert| (alert, begun));
                blinks.clone().map(|(alert, _)| {
                    let by = format!("light-{}", port.name());
                    let _ = reports.send(Report::Sounding { alert, by });
                    EVERY
                })
            }
            (Some(Err(reason)), Some(now)) => {
                // Whether it obeyed in part is not known: it is held or put back in any case.
                if now == Told::Blinks {
                    told = now;
                }
                failures += 1;
                if failures == 1 {
                    health(&reports, port.as_ref(), Some(reason));
                }
                Some(RETRY.jittered(failures))
            }
            _ => None,
        };
        let changed = match pause {
            None => wanted.changed().await,
            Some(pause) => {
                let until = Instant::now() + pause;
                tokio::time::timeout_at(until, wanted.changed()).await.unwrap_or(Ok(()))
            }
        };
        if changed.is_err() {
            return;
        }
    }
}

async fn obeys(order: Obeyed<'_>) -> Result<(), String> {
    let late = || Err(format!("it did not obey within {} s", OBEYS_WITHIN.as_secs()));
    timeout(OBEYS_WITHIN, order).await.unwrap_or_else(|_| late())
}

fn health(reports: &Reports, port: &dyn LightPort, broken: Option<String>) {
    let part = format!("light-{}", port.name());
    let _ = reports.send(Report::Health(Health { part, broken }));
}

#[cfg(test)]
mod tests;
