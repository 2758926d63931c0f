//! The loop of one adapter: scans without end, hands what it hears to the enrolled devices, and
//! connects those that want it. A scan can die without an error, the daemon can restart, an adapter
//! can be pulled out; none of these may go unnoticed, and none may end the box.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anju_model::Observation;
use anju_model::config::BleAddress;
use btleplug::api::{Central as _, Manager as _, Peripheral as _};
use btleplug::platform::{Adapter, Manager};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, timeout};

use super::bluez::Bluez;
use super::connections::Connections;
use super::enrolled::{Enrolled, Said};
use super::key::Key;
use super::pairing::{Agent, Window};
use super::signals::{Advert, Signal};
use super::wearable::{self, End, Pairing, Told, Verdict};
use crate::driver::{Context, DriverError};

/// Limits of the radio.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// How often the daemon is asked whether it still scans.
    pub check: Duration,
    /// After so long without an advert from anyone the scan is started anew.
    pub scan_again: Duration,
    /// After so long the adapter is switched off and on.
    pub switch_again: Duration,
    /// After so long a radio that has neighbours counts as deaf.
    pub deaf: Duration,
    /// How long a restarted daemon is waited for.
    pub daemon_back: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            check: Duration::from_secs(5),
            scan_again: Duration::from_secs(60),
            switch_again: Duration::from_secs(5 * 60),
            deaf: Duration::from_secs(15 * 60),
            daemon_back: Duration::from_secs(30),
        }
    }
}

/// Longest wait for an answer that comes through `btleplug`.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest pause of the scan for a connection; other devices are not heard meanwhile.
const SCAN_PAUSE: Duration = Duration::from_secs(10);

/// Longest time until the bus tells that the daemon died.
const DEATH_TOLD: Duration = Duration::from_secs(1);

/// How the daemon went away.
enum Left {
    /// It is being restarted.
    Gone,
    /// A new one is there already.
    Replaced,
}

impl Left {
    const fn of(new_owner: bool) -> Self {
        if new_owner { Left::Replaced } else { Left::Gone }
    }
}

/// Listens until the box stops or the radio is lost.
///
/// # Errors
/// [`DriverError`] when the adapter or the daemon is gone for long, or the box stops.
pub async fn run(
    name: &str,
    adapter: &str,
    enrolled: &Mutex<Enrolled>,
    context: &Context,
    timings: Timings,
) -> Result<(), DriverError> {
    loop {
        let mut owners = Bluez::open(name, adapter).await?;
        let left = match listen(name, adapter, enrolled, context, timings, &mut owners).await {
            Ok(left) => left,
            // What is asked of a daemon that just died fails before its death is told.
            Err(error) => match timeout(DEATH_TOLD, owners.owner_changed()).await {
                Ok(new_owner) => Left::of(new_owner),
                Err(_) => return Err(error),
            },
        };
        tracing::warn!(driver = name, "bluetoothd went away");
        if matches!(left, Left::Gone) {
            let back = async { while !owners.owner_changed().await {} };
            if timeout(timings.daemon_back, back).await.is_err() {
                return Err(lost(name, "bluetoothd stopped; start it (systemctl start bluetooth)"));
            }
        }
        wait_for_adapter(name, adapter, timings.daemon_back).await?;
    }
}

fn lost(name: &str, reason: &str) -> DriverError {
    DriverError::Link { link: name.to_owned(), reason: reason.to_owned() }
}

/// A daemon that just started takes a moment to find its adapters.
async fn wait_for_adapter(name: &str, adapter: &str, limit: Duration) -> Result<(), DriverError> {
    let until = Instant::now() + limit;
    loop {
        let bluez = Bluez::open(name, adapter).await?;
        match bluez.scanning().await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// One conversation.
struct Session {
    with: BleAddress,
    /// Whether the daemon had the device's keys when it began.
    paired: bool,
    verdict: Verdict,
}

/// What the loop owns while it listens.
struct Radio<'a> {
    name: &'a str,
    enrolled: &'a Mutex<Enrolled>,
    context: &'a Context,
    timings: Timings,
    bluez: Arc<Bluez>,
    central: Adapter,
    /// Numbers of characteristics by the daemon's names.
    characteristics: HashMap<String, Option<u16>>,
    connections: Connections,
    window: Window,
    agent: Option<(BTreeSet<BleAddress>, Agent)>,
    sessions: JoinSet<()>,
    session_of: HashMap<Id, Session>,
    told: mpsc::Sender<Told>,
    scan_paused: Option<Instant>,
    scanned_again: Instant,
    switched: Instant,
}

async fn listen(
    name: &str,
    adapter: &str,
    enrolled: &Mutex<Enrolled>,
    context: &Context,
    timings: Timings,
    owners: &mut Bluez,
) -> Result<Left, DriverError> {
    let bluez = Arc::new(Bluez::open(name, adapter).await?);
    // The adapter must be there before it is looked for among all of them.
    bluez.scanning().await?;
    let central = central(name, adapter).await?;
    let mut signals = bluez.signals().await?;
    let known = answer(name, "listing devices", central.peripherals()).await?;
    bluez.start_scan().await?;
    let (told, mut heard) = mpsc::channel(64);
    let now = Instant::now();
    let mut connections = Connections::new(lock(enrolled).to_connect());
    // What is connected sends no adverts; a conversation with it is begun anew.
    for device in known {
        if answer(name, "asking for it", device.is_connected()).await? {
            connections.heard(BleAddress::new(device.address().into_inner()), now);
        }
    }
    let mut radio = Radio {
        name,
        enrolled,
        context,
        timings,
        bluez,
        central,
        characteristics: HashMap::new(),
        connections,
        window: Window::default(),
        agent: None,
        sessions: JoinSet::new(),
        session_of: HashMap::new(),
        told,
        scan_paused: None,
        scanned_again: now,
        switched: now,
    };
    tracing::info!(driver = name, adapter, "scanning");
    lock(enrolled).listening_began(now);
    radio.unlock().await?;
    let mut check = tokio::time::interval(timings.check);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            new_owner = owners.owner_changed() => {
                return Ok(Left::of(new_owner));
            }
            signal = signals.next() => {
                let signal = signal.ok_or_else(|| lost(name, "the message bus was lost"))?;
                radio.signal(signal).await?;
            }
            Some(told) = heard.recv() => radio.told(told).await?,
            Some(end) = radio.sessions.join_next_with_id() => radio.ended(end).await?,
            _ = second.tick() => radio.second().await?,
            _ = check.tick() => radio.check().await?,
        }
    }
}

async fn central(name: &str, adapter: &str) -> Result<Adapter, DriverError> {
    let manager = answer(name, "the message bus", Manager::new()).await?;
    for central in answer(name, "listing adapters", manager.adapters()).await? {
        let info = answer(name, "asking the adapter", central.adapter_info()).await?;
        if info.split(' ').next() == Some(adapter) {
            return Ok(central);
        }
    }
    Err(lost(name, &format!("there is no adapter {adapter}; plug it in, or name another one")))
}

async fn answer<T, E: std::fmt::Display>(
    name: &str,
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, DriverError> {
    match timeout(ANSWER, work).await {
        Ok(done) => done.map_err(|error| failed(name, what, &error)),
        Err(_) => Err(failed(name, what, &"bluetoothd does not answer; restart it")),
    }
}

fn failed(name: &str, what: &str, error: &dyn std::fmt::Display) -> DriverError {
    lost(name, &format!("{what}: {error}"))
}

/// A panic while it was held leaves nothing half done that the next message would not mend.
fn lock(enrolled: &Mutex<Enrolled>) -> MutexGuard<'_, Enrolled> {
    enrolled.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Radio<'_> {
    async fn signal(&mut self, signal: Signal) -> Result<(), DriverError> {
        match signal {
            Signal::Advert(Advert { from, dbm, services, makers }) => {
                self.heard(from, dbm, Said::Near).await?;
                for (uuid, data) in &services {
                    self.heard(from, dbm, Said::Service(*uuid, data)).await?;
                }
                for (company, data) in &makers {
                    self.heard(from, dbm, Said::Manufacturer(*company, data)).await?;
                }
                Ok(())
            }
            Signal::Connected(from, true) => {
                // Its services may have changed since it was last here.
                self.characteristics.clear();
                self.established(from).await
            }
            Signal::Connected(from, false) => {
                self.connections.lost(from);
                Ok(())
            }
            Signal::Value { from, path, data } => {
                let Some(characteristic) = self.characteristic(path).await else { return Ok(()) };
                self.value(from, characteristic, &data).await
            }
        }
    }

    async fn told(&mut self, told: Told) -> Result<(), DriverError> {
        match told {
            Told::Established(from) => self.established(from).await,
            Told::Value { from, characteristic, data } => {
                self.value(from, characteristic, &data).await
            }
        }
    }

    /// The number of a characteristic; asked once while a device is connected.
    async fn characteristic(&mut self, path: String) -> Option<u16> {
        if let Some(known) = self.characteristics.get(&path) {
            return *known;
        }
        let number = self.bluez.characteristic(&path).await;
        self.characteristics.insert(path, number);
        number
    }

    async fn established(&mut self, from: BleAddress) -> Result<(), DriverError> {
        self.connections.heard(from, Instant::now());
        if self.connections.established(from) { self.resume_scan().await } else { Ok(()) }
    }

    async fn heard(
        &mut self,
        from: BleAddress,
        dbm: Option<i16>,
        said: Said<'_>,
    ) -> Result<(), DriverError> {
        let now = Instant::now();
        self.connections.heard(from, now);
        let told = lock(self.enrolled).heard(from, dbm, said, now);
        self.tell(told).await
    }

    async fn tell(&self, told: Vec<Observation>) -> Result<(), DriverError> {
        for observation in told {
            self.context.report(observation).await?;
        }
        Ok(())
    }

    async fn value(
        &mut self,
        from: BleAddress,
        characteristic: u16,
        data: &[u8],
    ) -> Result<(), DriverError> {
        let said = Said::Value(characteristic, data);
        let mut told = lock(self.enrolled).heard(from, None, said, Instant::now());
        if self.connections.value(from) {
            told.extend(lock(self.enrolled).connection(from, None));
        }
        self.tell(told).await
    }

    /// Once a second: absence, and whoever is to be connected.
    async fn second(&mut self) -> Result<(), DriverError> {
        let now = Instant::now();
        self.accepting(now).await;
        let told = lock(self.enrolled).tick(now);
        self.tell(told).await?;
        if self.scan_paused.is_some_and(|at| now.duration_since(at) >= SCAN_PAUSE) {
            self.resume_scan().await?;
        }
        match self.connections.next(now) {
            Some(next) => self.connect(next).await,
            None => Ok(()),
        }
    }

    /// Somebody stands there with a device: it may be paired with, and is tried at once.
    async fn accepting(&mut self, now: Instant) {
        let begun = lock(self.enrolled).tell_anew(&self.context.asked_anew());
        for address in begun {
            self.window.open(address, now);
            self.connections.due_now(address);
        }
        let allowed = self.window.allowed(now);
        let served = self.agent.as_ref().map(|(allowed, _)| allowed);
        if served == Some(&allowed) || (served.is_none() && allowed.is_empty()) {
            return;
        }
        // The one before goes first: one program has one agent.
        self.agent = None;
        if allowed.is_empty() {
            return;
        }
        match timeout(ANSWER, Agent::register(allowed.clone())).await {
            Ok(Ok(agent)) => self.agent = Some((allowed, agent)),
            Ok(Err(error)) => tracing::warn!(driver = self.name, %error, "no pairing is possible"),
            Err(_) => tracing::warn!(driver = self.name, "no pairing: bluetoothd does not answer"),
        }
    }

    async fn connect(&mut self, to: BleAddress) -> Result<(), DriverError> {
        let all = answer(self.name, "listing devices", self.central.peripherals()).await?;
        let Some(peripheral) = all.into_iter().find(|one| one.address().into_inner() == to.bytes())
        else {
            return Ok(());
        };
        tracing::debug!(driver = self.name, %to, "connecting");
        // A scan that is not running needs no pause.
        let _ = self.bluez.stop_scan().await;
        self.scan_paused = Some(Instant::now());
        let paired = self.bluez.is_paired(to).await;
        let pairing = match self.agent {
            Some(_) => self.window.pairing(to, paired, Instant::now()),
            None => Pairing::Forbidden,
        };
        let (bluez, told) = (self.bluez.clone(), self.told.clone());
        let verdict = Verdict::default();
        let session = wearable::serve(peripheral, to, pairing, bluez, told, verdict.clone());
        let session = self.sessions.spawn(session);
        self.session_of.insert(session.id(), Session { with: to, paired, verdict });
        self.connections.begun(to, session);
        Ok(())
    }

    async fn ended(&mut self, end: Result<(Id, ()), JoinError>) -> Result<(), DriverError> {
        let (id, failed) = match end {
            Ok((id, ())) => (id, None),
            Err(error) if error.is_cancelled() => (error.id(), None),
            Err(error) => (error.id(), Some(format!("the conversation failed: {error}"))),
        };
        let Some(session) = self.session_of.remove(&id) else { return Ok(()) };
        let Session { with: address, paired, verdict } = session;
        let verdict = verdict.get().cloned().or(failed.map(End::Failed));
        let reason = verdict.unwrap_or_else(|| End::Failed("the device hung up".to_owned()));
        tracing::info!(driver = self.name, %address, %reason, "connection ended");
        let now = Instant::now();
        let gave = self.connections.gave(address);
        let trouble = self.connections.ended(address, now);
        let unpaired = matches!(reason, End::Unpaired);
        let accepted = self.window.is_open(address, now);
        let in_vain = !gave && paired && self.window.in_vain(address, now);
        let keyless = accepted && paired && (in_vain || unpaired);
        if unpaired {
            self.window.wants(address);
        }
        if keyless {
            tracing::info!(driver = self.name, %address, "its keys are forgotten");
            self.bluez.forget(address).await?;
        }
        if accepted && (unpaired || keyless) {
            // The next try is another one.
            self.connections.due_now(address);
        }
        if trouble || (unpaired && !accepted) {
            let told = lock(self.enrolled).connection(address, Some(reason.to_string()));
            self.tell(told.into_iter().collect()).await?;
        }
        if self.scan_paused.is_some() && !self.connections.busy() {
            self.resume_scan().await?;
        }
        Ok(())
    }

    async fn resume_scan(&mut self) -> Result<(), DriverError> {
        self.scan_paused = None;
        self.bluez.start_scan().await
    }

    /// Whether the radio still works, and what to do if not.
    async fn check(&mut self) -> Result<(), DriverError> {
        self.unlock().await?;
        let scanning = self.bluez.scanning().await?;
        if self.scan_paused.is_some() {
            return Ok(());
        }
        if !scanning {
            return self.bluez.start_scan().await;
        }
        let now = Instant::now();
        let silence = lock(self.enrolled).silence(now);
        tracing::debug!(driver = self.name, ?silence, "scanning");
        if silence < self.timings.scan_again {
            return Ok(());
        }
        if silence >= self.timings.deaf {
            let minutes = silence.as_secs() / 60;
            let reason = format!("{} has heard nothing from anyone for {minutes} min", self.name);
            let told = lock(self.enrolled).deaf(&reason);
            self.tell(told).await?;
        }
        if silence >= self.timings.switch_again
            && now.duration_since(self.switched) >= self.timings.switch_again
        {
            tracing::warn!(driver = self.name, "nothing heard from anyone; switching off and on");
            self.switched = now;
            self.bluez.power(false).await?;
            return self.bluez.start_scan().await;
        }
        if now.duration_since(self.scanned_again) >= self.timings.scan_again {
            tracing::info!(driver = self.name, "nothing heard from anyone; scanning anew");
            self.scanned_again = now;
            return self.bluez.start_scan().await;
        }
        Ok(())
    }

    /// Reads keys that could not be read yet.
    async fn unlock(&self) -> Result<(), DriverError> {
        let told = lock(self.enrolled).unlock(Instant::now(), |file| {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("its key {} can not be read: {error}", file.display()))?;
            Key::parse(&text).map_err(|error| format!("its key {}: {error}", file.display()))
        });
        self.tell(told).await
    }
}
