//! Keeps one driver running. The driver lives on a thread of its own with a single-threaded
//! runtime; a beat from that runtime shows that it is not blocked. The supervisor must never wait
//! for the driver without a limit.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anju_model::observation::{Online, Origin};
use anju_model::{DeviceId, Fact, Observation};
use futures::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Health, Limits};
use crate::backoff::Backoff;
use crate::driver::{Context, DeviceCommand, Driver, Refused, Report};
use crate::readings::Readings;

/// Time a driver has to stop by itself.
const GRACE: Duration = Duration::from_millis(1200);

/// What a supervisor looks after.
pub struct Charge {
    /// The driver.
    pub driver: Arc<dyn Driver>,
    /// Where its reports go.
    pub reports: mpsc::Sender<Report>,
    /// Commands to its devices.
    pub commands: mpsc::Receiver<DeviceCommand>,
    /// Cancelled when it is to stop.
    pub stop: CancellationToken,
    /// Where its health is shown.
    pub health: watch::Sender<Health>,
    /// The limits.
    pub limits: Limits,
    /// What is known of meters.
    pub readings: Readings,
}

/// Threads of one driver that may hang at once. A thread can not be ended from outside; starting
/// ever more of them would end the box instead.
const MOST_HUNG: usize = 3;

/// Tells how a driver's thread ended, once it does.
type Ended = oneshot::Receiver<Result<(), String>>;

/// How one run of a driver ended.
enum End {
    Stopped,
    Failed(String),
    /// Its thread still hangs.
    Blocked(Ended),
}

/// Runs the driver until it is told to stop.
pub async fn supervise(mut charge: Charge) {
    let mut pauses = Backoff::new(charge.limits.first_pause, charge.limits.longest_pause);
    let mut failures = 0u32;
    let mut offline = HashSet::new();
    let mut hung: Vec<Ended> = Vec::new();
    loop {
        let began = Instant::now();
        charge.health.send_replace(Health::Running);
        let mut heard = false;
        let end = run_once(&mut charge, &mut offline, &mut heard).await;
        let Limits { healthy_heard, healthy_silent, .. } = charge.limits;
        if began.elapsed() >= if heard { healthy_heard } else { healthy_silent } {
            failures = 0;
            pauses.reset();
        }
        let mut enough = charge.limits.failures_to_offline;
        let reason = match end {
            End::Stopped => return,
            End::Failed(reason) => reason,
            End::Blocked(ended) => {
                hung.push(ended);
                // It was waited for long enough.
                enough = 0;
                "its thread does not answer".to_owned()
            }
        };
        failures = failures.saturating_add(1);
        if failures == 1 {
            tracing::warn!(
                driver = charge.driver.name(),
                reason,
                "driver failed; starting it again"
            );
        }
        if failures >= enough {
            say_offline(&charge, &mut offline, &reason).await;
        }
        charge.health.send_replace(Health::Waiting { reason, failures });
        let pause = pauses.next().unwrap_or(charge.limits.longest_pause);
        if wait_refusing(&mut charge, pause).await.is_break() {
            return;
        }
        while still_hanging(&mut hung) >= MOST_HUNG {
            if wait_refusing(&mut charge, pause).await.is_break() {
                return;
            }
        }
    }
}

/// How many threads still hang.
fn still_hanging(hung: &mut Vec<Ended>) -> usize {
    hung.retain_mut(|ended| matches!(ended.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
    hung.len()
}

/// Waits, refusing commands meanwhile. Breaks when told to stop.
async fn wait_refusing(charge: &mut Charge, pause: Duration) -> std::ops::ControlFlow<()> {
    let until = Instant::now() + pause;
    loop {
        tokio::select! {
            () = charge.stop.cancelled() => return std::ops::ControlFlow::Break(()),
            () = tokio::time::sleep_until(until) => return std::ops::ControlFlow::Continue(()),
            Some(command) = charge.commands.recv() => refuse(command),
        }
    }
}

fn refuse(command: DeviceCommand) {
    let refused = Refused::NotRunning(command.device);
    // The asker may be gone; then nobody needs the answer.
    let _ = command.done.send(Err(refused));
}

async fn say_offline(charge: &Charge, offline: &mut HashSet<DeviceId>, reason: &str) {
    for origin in charge.driver.devices() {
        if offline.insert(origin.device.clone()) {
            let lost = Online { online: false, reason: Some(reason.to_owned()) };
            send(charge, Observation::new(origin, lost)).await;
        }
    }
}

async fn send(charge: &Charge, observation: Observation) {
    // A closed channel means that the box stops; there is nobody left to tell.
    let _ = charge.reports.send(Report { observation, recorded: None }).await;
}

/// One run: a thread, its reports passed on, its commands passed in, its beat watched. `heard` is set
/// once it reports more than that a device is lost.
async fn run_once(charge: &mut Charge, offline: &mut HashSet<DeviceId>, heard: &mut bool) -> End {
    let (report_tx, mut report_rx) = mpsc::channel::<Report>(64);
    let (command_tx, command_rx) = mpsc::channel(16);
    let stop = charge.stop.child_token();
    let (ended_tx, mut ended) = oneshot::channel();
    let (beat_tx, mut beat) = watch::channel(());
    let context =
        Context::new(report_tx, command_rx, stop.clone()).with_readings(charge.readings.clone());
    let driver = charge.driver.clone();
    let beat_every = charge.limits.blocked_after / 4;
    let thread = std::thread::Builder::new()
        .name(thread_name(charge.driver.name()))
        .stack_size(512 * 1024)
        .spawn(move || {
            let end = on_own_runtime(driver, context, beat_tx, beat_every);
            let _ = ended_tx.send(end);
        });
    if let Err(error) = thread {
        return End::Failed(format!("no thread could be started: {error}"));
    }
    let mut deadline = Instant::now() + charge.limits.blocked_after;
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            end = &mut ended => {
                while let Ok(report) = report_rx.try_recv() {
                    *heard |= pass_on(charge, offline, report).await;
                }
                return match end {
                    _ if stopping || charge.stop.is_cancelled() => End::Stopped,
                    Ok(Ok(())) => End::Failed("it ended by itself".to_owned()),
                    Ok(Err(reason)) => End::Failed(reason),
                    Err(_) => End::Failed("its thread ended".to_owned()),
                };
            }
            () = charge.stop.cancelled(), if !stopping => {
                stopping = true;
                deadline = Instant::now() + GRACE;
            }
            Some(command) = charge.commands.recv() => {
                if let Err(error) = command_tx.try_send(command) {
                    refuse(error.into_inner());
                }
            }
            Ok(()) = beat.changed() => {
                if !stopping {
                    deadline = Instant::now() + charge.limits.blocked_after;
                }
            }
            () = tokio::time::sleep_until(deadline) => {
                stop.cancel();
                if stopping {
                    return End::Stopped;
                }
                charge.health.send_replace(Health::Blocked);
                return End::Blocked(ended);
            }
            // Last: whoever reports without pause must still obey and stop.
            Some(report) = report_rx.recv() => *heard |= pass_on(charge, offline, report).await,
        }
    }
}

/// Passes a report on, saying first that the device is back if it was lost. What is known only from
/// before is no proof that the device is there now. Whether it says more than that it is lost.
async fn pass_on(charge: &Charge, offline: &mut HashSet<DeviceId>, report: Report) -> bool {
    let origin: &Origin = &report.observation.origin;
    let says = match &report.observation.fact {
        Fact::Online(online) => Some(online.online),
        _ => None,
    };
    if says != Some(false) && offline.remove(&origin.device) && says.is_none() {
        let mut back = Observation::new(origin.clone(), Online { online: true, reason: None });
        back.baseline = report.observation.baseline;
        send(charge, back).await;
    }
    charge.readings.note(&report.observation);
    let _ = charge.reports.send(report).await;
    says != Some(false)
}

/// Linux keeps 15 bytes of a thread's name.
fn thread_name(name: &str) -> String {
    name.chars().filter(char::is_ascii).take(15).collect()
}

fn on_own_runtime(
    driver: Arc<dyn Driver>,
    context: Context,
    beat: watch::Sender<()>,
    beat_every: Duration,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(|error| format!("no runtime could be made: {error}"))?;
    let run = runtime.block_on(async move {
        let beats = async {
            loop {
                beat.send_replace(());
                tokio::time::sleep(beat_every).await;
            }
        };
        tokio::select! {
            end = AssertUnwindSafe(driver.run(context)).catch_unwind() => end,
            () = beats => Ok(Ok(())),
        }
    });
    runtime.shutdown_background();
    match run {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(format!("it panicked: {}", panic_text(&*panic))),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
