//! Sirens: keeps every siren as the book wants it. The devices themselves limit how long they sound
//! for one request, so a request is renewed while it is wanted; a siren that can not be reached is
//! tried again and never holds up another.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anju_model::AlertId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::channel::{Health, Report, Reports};
use super::pace::Pace;
use crate::life::SirenPattern;

/// For how long a siren is asked to sound at once.
const SOUND_FOR: Duration = Duration::from_secs(300);
/// When the request is renewed.
const RENEW_AFTER: Duration = Duration::from_secs(240);
/// How long a siren may take to obey.
const OBEYS_WITHIN: Duration = Duration::from_secs(5);
const AGAIN: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(30) };

/// What a siren answers: done, or why not.
pub type Obeyed<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// One siren, as its driver offers it.
pub trait SirenPort: Send + Sync + 'static {
    /// The device's id.
    fn name(&self) -> String;
    /// Sounds for that long; a request while it sounds starts the time anew.
    fn sound(&self, pattern: SirenPattern, seconds: u32) -> Obeyed<'_>;
    /// Is still.
    fn hush(&self) -> Obeyed<'_>;
    /// Whether switching it may spark: a bare relay does, a sealed siren does not.
    fn sparks(&self) -> bool {
        false
    }
}

type Wanted = Option<(SirenPattern, AlertId)>;

/// All sirens of the home.
#[derive(Debug)]
pub struct Sirens {
    wanted: watch::Sender<Wanted>,
    tasks: JoinSet<()>,
}

impl Sirens {
    /// Starts a task for each siren, inside a tokio runtime.
    pub fn start(ports: Vec<Arc<dyn SirenPort>>, reports: &Reports) -> Self {
        let (wanted, _) = watch::channel(None);
        let mut tasks = JoinSet::new();
        for port in ports {
            tasks.spawn(keep(port, wanted.subscribe(), reports.clone()));
        }
        Self { wanted, tasks }
    }

    /// Lets all sound for an alert.
    pub fn sound(&self, alert: AlertId, pattern: SirenPattern) {
        self.wanted.send_replace(Some((pattern, alert)));
    }

    /// Lets all be still.
    pub fn hush(&self) {
        self.wanted.send_replace(None);
    }

    /// Lets all be still and waits until they were told, or could not be for some seconds.
    pub async fn stop(mut self) {
        drop(self.wanted);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn keep(port: Arc<dyn SirenPort>, mut wanted: watch::Receiver<Wanted>, reports: Reports) {
    let mut failures = 0;
    // A siren that was left sounding by a box that died is told to be still only when that is
    // wanted: at the start nothing is known, so nothing is said.
    let mut sounded = false;
    loop {
        let want = wanted.borrow_and_update().clone();
        let held = port.sparks() && matches!(want, Some((SirenPattern::WithoutSpark, _)));
        let pause = if held || (want.is_none() && !sounded) {
            None
        } else {
            match told(port.as_ref(), want.as_ref()).await {
                Ok(()) => {
                    if std::mem::take(&mut failures) > 0 {
                        health(&reports, port.as_ref(), None);
                    }
                    sounded = want.is_some();
                    want.map(|(_, alert)| {
                        let _ = reports.send(Report::Sounding { alert, by: "siren".to_owned() });
                        RENEW_AFTER
                    })
                }
                Err(reason) => {
                    failures += 1;
                    sounded = true;
                    if failures == 1 {
                        health(&reports, port.as_ref(), Some(reason));
                    }
                    Some(AGAIN.jittered(failures))
                }
            }
        };
        let changed = match pause {
            None => wanted.changed().await,
            Some(pause) => {
                let until = Instant::now() + pause;
                match tokio::time::timeout_at(until, wanted.changed()).await {
                    Ok(changed) => changed,
                    Err(_) => continue,
                }
            }
        };
        if changed.is_err() {
            if sounded {
                let _ = told(port.as_ref(), None).await;
            }
            return;
        }
    }
}

async fn told(port: &dyn SirenPort, want: Option<&(SirenPattern, AlertId)>) -> Result<(), String> {
    let seconds = u32::try_from(SOUND_FOR.as_secs()).unwrap_or(u32::MAX);
    let obeyed = match want {
        Some((pattern, _)) => port.sound(*pattern, seconds),
        None => port.hush(),
    };
    match timeout(OBEYS_WITHIN, obeyed).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("it did not obey within {} s", OBEYS_WITHIN.as_secs())),
    }
}

fn health(reports: &Reports, port: &dyn SirenPort, broken: Option<String>) {
    let part = format!("siren-{}", port.name());
    let _ = reports.send(Report::Health(Health { part, broken }));
}

#[cfg(test)]
mod tests;
