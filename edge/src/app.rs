//! The daemon: opens what it needs, wires it, and ends it within two seconds. Each part that can
//! not be had is told as a fault; only a journal held by another process ends the start.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anju_drivers::fleet::{Fleet, Limits};
use anju_drivers::gpio::chardev::CharDev;
use anju_drivers::readings::Readings;
use anju_drivers::{Driver, Report, plan};
use anju_journal::{Gap, Journal, Notice, Opened, Recording};
use anju_model::{Body, BoxEvent, entry};
use sd_notify::NotifyState;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::core::open_alerts::{self, OpenAlerts};
use crate::core::{Core, Message};
use crate::house::{self, Loaded};
use crate::page::{self, Page};
use crate::pulse::Pulse;
use crate::rescue::Rescue;
use crate::systemd::Systemd;
use crate::ways::{Outs, Told};
use crate::{
    control, core, data_budget, data_folder, health, restart, sim_contract, uplinks, upstream, ways,
};

/// Facts that may wait for the core; drivers wait beyond that.
const QUEUE: usize = 1024;

/// How long the journal may be held by somebody else at the start.
const LOCK_WITHIN: Duration = Duration::from_secs(10);

/// The whole stop takes less than 2 s.
const STOP_WITHIN: Duration = Duration::from_millis(1800);

/// Of that, what drivers may take to say their last words.
const DRIVERS_STOP_WITHIN: Duration = Duration::from_millis(800);

/// Why the daemon can not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No usable configuration.
    #[error(transparent)]
    Household(#[from] house::NoHousehold),
    /// No journal.
    #[error(transparent)]
    Journal(#[from] anju_journal::OpenError),
    /// Something of the operating system.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: std::io::Error,
    },
}

fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> StartError {
    move |error| StartError::System { what, error }
}

/// Runs the daemon until SIGTERM or SIGINT.
///
/// # Errors
/// [`StartError`] when it can not start.
pub async fn run(config: PathBuf, data: PathBuf) -> Result<(), StartError> {
    let signals = Signals::catch()?;
    // A disk that can not be written is told once the journal finds it so; it stops nothing.
    if let Err(error) = data_folder::make(&data) {
        tracing::error!(%error, data = %data.display(), "the data folder can not be made");
    }
    let loaded = house::load(&config, &data)?;
    house::keep(&loaded, &data);
    let household = Arc::new(loaded.household.clone());
    let settings = anju_journal::Settings {
        max_bytes: household.journal.max_bytes,
        ..anju_journal::Settings::default()
    };
    let (journal, opened, notices) = open_journal(&data, settings).await?;
    let clocks = Clocks::new();
    let stop = CancellationToken::new();
    let (messages, message_rx) = mpsc::channel(QUEUE);
    let (view_tx, view) = watch::channel(core::View::default());
    let (reports, report_rx) = mpsc::channel(QUEUE);
    let readings = recorded_readings(&journal, &household);
    let mut fleet = Fleet::recalling(reports, Limits::default(), readings);
    let plan_faults = start_drivers(&mut fleet, &household).await;
    let started = Started { household: household.clone(), faulty: faulty_parts(&plan_faults) };
    let (out_reports, out_report_rx) = mpsc::unbounded_channel();
    let (spoken, spoken_rx) = mpsc::unbounded_channel();
    let told = Told { reports: out_reports, spoken, messages: messages.clone() };
    let clock = clocks.for_certificates();
    let outs = Outs::start(&household, &data, &fleet.commander(), clock.clone(), told);
    let open_alerts = OpenAlerts::start(&data);
    let mut core =
        Core::new(household.clone(), journal.clone(), clocks.clone(), outs, open_alerts, view_tx);
    let whole = opened.recording.is_active() && opened.set_aside.is_none() && opened.lost.is_none();
    let recorded = open_alerts::recalled(&data, &journal, whole);
    if let Some(known) = core.begin(recorded, first_entries(&opened, &loaded, plan_faults)) {
        clocks.learn(known);
    }
    let moved = Arc::new(Notify::new());
    let uplinks = uplinks::start(
        &household,
        clock,
        view.clone(),
        messages.clone(),
        moved.clone(),
        stop.clone(),
    );
    let way_up = upstream::start(
        &household,
        &journal,
        &clocks,
        view.clone(),
        &messages,
        moved,
        stop.clone(),
    )
    .map_err(system("opening the upstream cursors"))?;
    let page = Page::start(
        page::Sources {
            journal: journal.clone(),
            clocks: clocks.clone(),
            core: view.clone(),
            upstream: way_up.as_ref().map(|(_, view)| view.clone()),
            uplinks: uplinks.clone(),
            messages: messages.clone(),
        },
        page::Setup::new(household.clone(), &loaded.faults, &fleet),
        stop.clone(),
    );
    let core_stop = stop.clone();
    let core_task = tokio::spawn(async move { core.run(message_rx, core_stop).await });
    let last_words = tokio::spawn(pass_reports(report_rx, messages.clone()));
    tokio::spawn(pass_journal(notices, messages.clone()));
    let rescue = Rescue::new(view.clone(), &data);
    tokio::spawn(data_budget::run(
        "/sys".into(),
        data.clone(),
        view.clone(),
        uplinks,
        clocks.clone(),
        messages.clone(),
        stop.clone(),
    ));
    tokio::spawn(ways::pass_reports(out_report_rx, spoken_rx, rescue, messages.clone()));
    control::listen(
        &data,
        control::Sources {
            journal: journal.clone(),
            messages: messages.clone(),
            plans: control::Plans { core: view.clone(), clocks: clocks.clone() },
        },
        stop.clone(),
    )
    .await;
    tracing::info!(id = %household.box_id, epoch = opened.epoch, "on guard");
    let systemd = Systemd::new();
    systemd.tell(NotifyState::Ready);
    tokio::spawn(health::run("/sys".into(), messages.clone(), stop.clone()));
    tokio::spawn(sim_contract::run(view.clone(), clocks.clone(), messages.clone(), stop.clone()));
    let lines = Arc::new(CharDev);
    tokio::spawn(health::case::run(lines, view.clone(), messages.clone(), stop.clone()));
    let heard = (signals, &systemd);
    wait_for_signals(&config, &data, &messages, &mut fleet, &page, started, heard).await;

    systemd.tell(NotifyState::Stopping);
    let deadline = Instant::now() + STOP_WITHIN;
    // What drivers still have to say, such as the count of a meter, is recorded before all else ends.
    let drivers = async {
        fleet.stop_all().await;
        drop(fleet);
        let _ = last_words.await;
    };
    if tokio::time::timeout(DRIVERS_STOP_WITHIN, drivers).await.is_err() {
        tracing::warn!("not all drivers stopped in time");
    }
    stop.cancel();
    let up = async {
        if let Some((task, _)) = way_up {
            let _ = task.await;
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let _ = tokio::time::timeout(left, async { tokio::join!(core_task, up) }).await;
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(100));
    let closed = tokio::task::spawn_blocking(move || journal.close(left)).await;
    if !closed.unwrap_or(false) {
        tracing::warn!("the journal could not be closed in time; its next start raises the epoch");
    }
    Ok(())
}

/// Opens the journal. Somebody who just reads it (`anju journal export` beside a daemon that is not
/// up yet) holds it for a moment only, and that must not keep the box from its work.
async fn open_journal(
    data: &std::path::Path,
    settings: anju_journal::Settings,
) -> Result<(Journal, Opened, mpsc::UnboundedReceiver<Notice>), anju_journal::OpenError> {
    let deadline = Instant::now() + LOCK_WITHIN;
    loop {
        match Journal::open(data, settings.clone()) {
            Err(anju_journal::OpenError::Locked(_)) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opened => return opened,
        }
    }
}

async fn start_drivers(
    fleet: &mut Fleet,
    household: &anju_model::config::Household,
) -> Vec<BoxEvent> {
    let (drivers, faults) = plan::plan(household);
    let mut events: Vec<BoxEvent> = faults
        .into_iter()
        .map(|fault| BoxEvent::Fault {
            part: format!("driver:{}", fault.part),
            active: true,
            reason: fault.reason,
        })
        .collect();
    let wanted = drivers.into_iter().map(|driver| {
        let form = form(driver.as_ref(), household);
        (driver, form)
    });
    for (name, conflict) in fleet.become_these(wanted.collect()).await {
        events.push(BoxEvent::Fault {
            part: format!("driver:{name}"),
            active: true,
            reason: conflict.to_string(),
        });
    }
    events
}

/// All of the configuration that a driver was made from.
fn form(driver: &dyn Driver, household: &anju_model::config::Household) -> String {
    let served: Vec<_> = driver.devices().into_iter().map(|origin| origin.device).collect();
    let rows: Vec<_> = household.devices.iter().filter(|d| served.contains(&d.id)).collect();
    let named = driver.name().split(':').nth(1).unwrap_or_default();
    let links: Vec<_> = household
        .links
        .iter()
        .filter(|(id, _)| id.as_str() == named || rows.iter().any(|row| row.link == **id))
        .collect();
    format!("{} {links:?} {rows:?} {:?}", household.box_id, driver.claims())
}

fn faulty_parts(events: &[BoxEvent]) -> BTreeSet<String> {
    let part = |event: &BoxEvent| match event {
        BoxEvent::Fault { part, active: true, .. } => Some(part.clone()),
        _ => None,
    };
    events.iter().filter_map(part).collect()
}

/// The last readings in the journal, for meters that have no counter of their own.
fn recorded_readings(journal: &Journal, household: &anju_model::config::Household) -> Readings {
    use anju_model::config::Binding;
    let readings = Readings::default();
    let counts = |device: &anju_model::config::Device| matches!(&device.binding, Binding::Gpio(line) if line.per_pulse.is_some());
    if household.devices.iter().any(counts) {
        // Whatever can not be read back is told where all entries are recalled.
        let entries = journal.recent(0, core::EVENT_ENTRIES);
        for entry in entries.filter_map(|record| entry::decode(&record.body).ok()) {
            if let Body::Observation(observation) = &entry.body {
                readings.note(observation);
            }
        }
    }
    readings
}

fn gap(gap: Gap, reason: &str) -> BoxEvent {
    BoxEvent::Gap { of_epoch: gap.epoch, from: gap.from, to: gap.to, reason: reason.into() }
}

fn journal_fault(active: bool, reason: String) -> BoxEvent {
    BoxEvent::Fault { part: "journal".into(), active, reason }
}

/// What happened to recorded entries; nothing mends it, and it says nothing about the next ones.
fn journal_lost(part: &str, reason: String) -> BoxEvent {
    BoxEvent::Fault { part: part.into(), active: true, reason }
}

fn first_entries(opened: &Opened, loaded: &Loaded, plan_faults: Vec<BoxEvent>) -> Vec<Body> {
    // What is lost comes first: whatever of this start is recorded, that is recorded then too.
    let lost = opened.tail_lost.iter();
    let mut events: Vec<BoxEvent> = lost.map(|lost| gap(*lost, "unclean-stop")).collect();
    events.push(BoxEvent::Boot {
        version: env!("CARGO_PKG_VERSION").into(),
        clean: opened.clean,
        durable: (opened.durable > 0).then_some(opened.durable),
    });
    if let Some(aside) = &opened.set_aside {
        let reason = format!("set aside to {}: {}", aside.path.display(), aside.reason);
        events.push(journal_lost("journal:set-aside", reason));
    }
    if let Some(lost) = opened.lost {
        let what = match lost {
            0 => "all that was recorded".to_owned(),
            lost => format!("recorded entries up to {lost}"),
        };
        let reason = format!("{what} did not come back from the card; replace the card");
        events.push(journal_lost("journal:lost", reason));
    }
    if let Recording::Suspended(trouble) = &opened.recording {
        events.push(journal_fault(true, trouble.to_string()));
    }
    events.push(BoxEvent::Config {
        digest: house::digest(&loaded.text),
        faults: loaded.faults.len() as u64,
    });
    events.extend(loaded.faults.iter().map(|fault| configuration_fault(fault)));
    events.extend(plan_faults);
    events.into_iter().map(Body::Box).collect()
}

fn configuration_fault(reason: &str) -> BoxEvent {
    BoxEvent::Fault { part: "configuration".into(), active: true, reason: reason.to_owned() }
}

async fn pass_reports(mut reports: mpsc::Receiver<Report>, messages: mpsc::Sender<Message>) {
    while let Some(report) = reports.recv().await {
        if messages.send(Message::Report(report)).await.is_err() {
            return;
        }
    }
}

async fn pass_journal(
    mut notices: mpsc::UnboundedReceiver<Notice>,
    messages: mpsc::Sender<Message>,
) {
    while let Some(notice) = notices.recv().await {
        let event = match notice {
            Notice::Gap(lost) => gap(lost, "retention"),
            Notice::SetAside(aside) => {
                let reason = format!("set aside to {}", aside.path.display());
                journal_lost("journal:set-aside", reason)
            }
            Notice::Suspended(trouble) => journal_fault(true, trouble.to_string()),
            Notice::Resumed => journal_fault(false, "recording again".into()),
        };
        if messages.send(Message::Box(event)).await.is_err() {
            return;
        }
    }
}

/// What a reload compares with.
struct Started {
    /// The configuration of the start.
    household: Arc<anju_model::config::Household>,
    /// Parts that can not be used now.
    faulty: BTreeSet<String>,
}

/// The signals that are obeyed, caught from the first moment on: a stop during the start is clean.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn catch() -> Result<Self, StartError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(system("SIGTERM"))?,
            interrupt: signal(SignalKind::interrupt()).map_err(system("SIGINT"))?,
            hangup: signal(SignalKind::hangup()).map_err(system("SIGHUP"))?,
        })
    }
}

/// Returns when asked to stop; reloads on SIGHUP; feeds systemd's watchdog meanwhile.
async fn wait_for_signals(
    config: &std::path::Path,
    data: &std::path::Path,
    messages: &mpsc::Sender<Message>,
    fleet: &mut Fleet,
    page: &Page,
    mut started: Started,
    (Signals { mut terminate, mut interrupt, mut hangup }, systemd): (Signals, &Systemd),
) {
    let watchdog = sd_notify::watchdog_enabled().map(|limit| limit / 3);
    let mut pulse = Pulse::default();
    let mut feed = tokio::time::interval(watchdog.unwrap_or(Duration::from_secs(3600)));
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = interrupt.recv() => return,
            _ = hangup.recv() => reload(config, data, messages, fleet, page, &mut started).await,
            _ = feed.tick() => {
                // Only a core that still works keeps the box alive.
                if pulse.beats(messages) {
                    systemd.tell(NotifyState::Watchdog);
                }
            }
        }
    }
}

async fn reload(
    config: &std::path::Path,
    data: &std::path::Path,
    messages: &mpsc::Sender<Message>,
    fleet: &mut Fleet,
    page: &Page,
    started: &mut Started,
) {
    let loaded = match house::load(config, data) {
        Ok(loaded) => loaded,
        Err(error) => {
            let fault = configuration_fault(&error.to_string());
            let _ = messages.send(Message::Box(fault)).await;
            return;
        }
    };
    house::keep(&loaded, data);
    let household = Arc::new(loaded.household.clone());
    let mut faults = loaded.faults;
    faults.extend(restart::needed(&started.household, &household));
    let mut events =
        vec![BoxEvent::Config { digest: house::digest(&loaded.text), faults: faults.len() as u64 }];
    events.extend(faults.iter().map(|fault| configuration_fault(fault)));
    let plan_faults = start_drivers(fleet, &household).await;
    let broken = faulty_parts(&plan_faults);
    let mended = started.faulty.iter().filter(|part| !broken.contains(*part));
    events.extend(mended.map(|part| BoxEvent::Fault {
        part: part.clone(),
        active: false,
        reason: "the configuration was mended".into(),
    }));
    events.extend(plan_faults);
    started.faulty = broken;
    page.set_up(page::Setup::new(household.clone(), &faults, fleet));
    let commander = fleet.commander();
    let _ = messages.send(Message::Household { household, commander }).await;
    for event in events {
        let _ = messages.send(Message::Box(event)).await;
    }
}
