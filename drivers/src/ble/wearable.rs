//! One connection to one device: connects, pairs if it must, subscribes to what is known, and reads
//! what can only be read. What is subscribed to comes with the daemon's signals. It must never hold up the radio's loop; it runs beside
//! it and ends when the device is gone.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anju_model::config::BleAddress;
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _};
use btleplug::platform::Peripheral;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};

use super::bluez::Bluez;
use super::signals::short;

/// What is subscribed to or read: measurements of the health services, climate, battery.
const KNOWN: [u16; 10] =
    [0x2a37, 0x2a35, 0x2a5e, 0x2a5f, 0x2a9d, 0x2a9c, 0x2a1c, 0x2a6e, 0x2a6f, BATTERY];
const BATTERY: u16 = 0x2a19;
/// Longest time for connecting and finding services.
const CONNECT: Duration = Duration::from_secs(30);
/// Longest time for any other step.
const STEP: Duration = Duration::from_secs(15);
/// How the daemon words that a characteristic is not for strangers.
const STRANGER: &str = "Not paired";
/// How a step that did not end is told.
const TOO_LONG: &str = "took longer than";
/// How often what can only be read is read.
const READ_EVERY: Duration = Duration::from_secs(5 * 60);

/// What a connection brought.
#[derive(Debug)]
pub enum Told {
    /// It stands.
    Established(BleAddress),
    /// A value was read.
    Value {
        /// Which device.
        from: BleAddress,
        /// Which characteristic.
        characteristic: u16,
        /// Its bytes.
        data: Vec<u8>,
    },
}

/// Whether a device may be paired with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// It may not.
    Forbidden,
    /// It may if it asks for it. Most do by refusing what is read.
    IfItAsks,
    /// It is known to want it, which is done before anything else.
    First,
    /// It was.
    Done,
}

/// Why a connection ended.
#[derive(Debug, Clone)]
pub enum End {
    /// For a reason that another try may mend.
    Failed(String),
    /// It gives nothing to strangers, and is one.
    Unpaired,
}

impl From<String> for End {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Failed(reason) => f.write_str(reason),
            End::Unpaired => f.write_str(
                "it gives its readings only to a box that it is paired with; begin its acceptance, \
                 and put it in pairing mode beside the box",
            ),
        }
    }
}

/// Why a connection ended, for whoever ends its conversation because the device is gone: it may be
/// gone because the conversation was over.
pub type Verdict = Arc<OnceLock<End>>;

/// Serves one connection until it ends. A device that wants to be paired is paired with if it may.
pub async fn serve(
    peripheral: Peripheral,
    address: BleAddress,
    pairing: Pairing,
    bluez: Arc<Bluez>,
    told: mpsc::Sender<Told>,
    verdict: Verdict,
) {
    let end = converse(&peripheral, address, pairing, &bluez, &told).await;
    let end = end.err().unwrap_or_else(|| End::Failed("it ended".to_owned()));
    // There is none before this one.
    let _ = verdict.set(end);
    // Whatever failed, the next try begins from nothing.
    let _ = timeout(STEP, peripheral.disconnect()).await;
}

async fn converse(
    peripheral: &Peripheral,
    address: BleAddress,
    pairing: Pairing,
    bluez: &Bluez,
    told: &mpsc::Sender<Told>,
) -> Result<(), End> {
    step(CONNECT, "connecting", peripheral.connect()).await?;
    send(told, Told::Established(address)).await?;
    if pairing == Pairing::First {
        pair(address, bluez).await?;
    }
    step(STEP, "finding its services", peripheral.discover_services()).await?;
    let mut only_read = Vec::new();
    let mut subscribed = 0;
    for characteristic in known(peripheral) {
        let flags = characteristic.properties;
        if flags.intersects(CharPropFlags::NOTIFY | CharPropFlags::INDICATE) {
            let first = step(STEP, "subscribing", peripheral.subscribe(&characteristic)).await;
            if let Err(refused) = first {
                get_let_in(refused, address, pairing, bluez).await?;
                step(STEP, "subscribing", peripheral.subscribe(&characteristic)).await?;
            }
            subscribed += 1;
        } else if flags.contains(CharPropFlags::READ) {
            only_read.push(characteristic);
        }
    }
    if subscribed == 0 && only_read.is_empty() {
        return Err("it has none of the services that are understood".to_owned().into());
    }
    tracing::info!(%address, subscribed, read = only_read.len(), "connected");
    let mut read = tokio::time::interval(READ_EVERY);
    read.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        read.tick().await;
        if !step(STEP, "asking for it", peripheral.is_connected()).await? {
            return Err("it is gone".to_owned().into());
        }
        for known in &only_read {
            let data = match step(STEP, "reading", peripheral.read(known)).await {
                Ok(data) => data,
                Err(refused) => {
                    get_let_in(refused, address, pairing, bluez).await?;
                    step(STEP, "reading", peripheral.read(known)).await?
                }
            };
            let Some(characteristic) = short(known.uuid) else { continue };
            send(told, Told::Value { from: address, characteristic, data }).await?;
        }
        if let Some(percent) = bluez.battery(address).await {
            let data = vec![percent];
            send(told, Told::Value { from: address, characteristic: BATTERY, data }).await?;
        }
    }
}

fn known(peripheral: &Peripheral) -> Vec<Characteristic> {
    let services = peripheral.services();
    let all = services.into_iter().flat_map(|service| service.characteristics);
    all.filter(|known| short(known.uuid).is_some_and(|uuid| KNOWN.contains(&uuid))).collect()
}

/// A characteristic was refused. A device that gives it to no stranger is paired with, if it may be.
/// The daemon tries to pair by itself first; while that is forbidden, and sometimes although it went
/// well, the daemon says nothing more of the characteristic. Then the next connection does better.
async fn get_let_in(
    refused: String,
    address: BleAddress,
    pairing: Pairing,
    bluez: &Bluez,
) -> Result<(), End> {
    let open = matches!(pairing, Pairing::IfItAsks | Pairing::First);
    if refused.contains(STRANGER) {
        if !open {
            return Err(End::Unpaired);
        }
        tracing::info!(%address, refused, "pairing");
        return pair(address, bluez).await;
    }
    let untried = matches!(pairing, Pairing::Forbidden | Pairing::IfItAsks);
    Err(if untried && refused.contains(TOO_LONG) { End::Unpaired } else { refused.into() })
}

async fn pair(address: BleAddress, bluez: &Bluez) -> Result<(), End> {
    let failed =
        |error| End::Failed(format!("pairing: {error}; put it in pairing mode beside the box"));
    bluez.pair(address).await.map_err(failed)
}

async fn send(told: &mpsc::Sender<Told>, what: Told) -> Result<(), String> {
    told.send(what).await.map_err(|_| "the radio stopped".to_owned())
}

async fn step<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = btleplug::Result<T>>,
) -> Result<T, String> {
    match timeout(limit, work).await {
        Ok(done) => done.map_err(|error| format!("{what}: {error}")),
        Err(_) => Err(format!("{what} {TOO_LONG} {} s", limit.as_secs())),
    }
}
