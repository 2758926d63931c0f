//! One connection to one device: connects, pairs if it must, subscribes to what is known, and reads
//! what can only be read. What is subscribed to comes with the daemon's signals. It must never hold up the radio's loop; it runs beside
//! it and ends when the device is gone.

use std::sync::Arc;
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

/// Serves one connection until it ends; the text says why.
pub async fn serve(
    peripheral: Peripheral,
    address: BleAddress,
    bluez: Arc<Bluez>,
    told: mpsc::Sender<Told>,
) -> String {
    let end = converse(&peripheral, address, &bluez, &told).await;
    // Whatever failed, the next try begins from nothing.
    let _ = timeout(STEP, peripheral.disconnect()).await;
    end.err().unwrap_or_else(|| "it ended".to_owned())
}

async fn converse(
    peripheral: &Peripheral,
    address: BleAddress,
    bluez: &Bluez,
    told: &mpsc::Sender<Told>,
) -> Result<(), String> {
    step(CONNECT, "connecting", peripheral.connect()).await?;
    send(told, Told::Established(address)).await?;
    step(STEP, "finding its services", peripheral.discover_services()).await?;
    let mut only_read = Vec::new();
    let mut subscribed = 0;
    for characteristic in known(peripheral) {
        let flags = characteristic.properties;
        if flags.intersects(CharPropFlags::NOTIFY | CharPropFlags::INDICATE) {
            subscribe(peripheral, &characteristic, address, bluez).await?;
            subscribed += 1;
        } else if flags.contains(CharPropFlags::READ) {
            only_read.push(characteristic);
        }
    }
    if subscribed == 0 && only_read.is_empty() {
        return Err("it has none of the services that are understood".to_owned());
    }
    tracing::info!(%address, subscribed, read = only_read.len(), "connected");
    let mut read = tokio::time::interval(READ_EVERY);
    read.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        read.tick().await;
        if !step(STEP, "asking for it", peripheral.is_connected()).await? {
            return Err("it is gone".to_owned());
        }
        for known in &only_read {
            let data = step(STEP, "reading", peripheral.read(known)).await?;
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

/// Subscribes; a device that refuses strangers is paired with first.
async fn subscribe(
    peripheral: &Peripheral,
    characteristic: &Characteristic,
    address: BleAddress,
    bluez: &Bluez,
) -> Result<(), String> {
    let Err(refused) = step(STEP, "subscribing", peripheral.subscribe(characteristic)).await else {
        return Ok(());
    };
    tracing::info!(%address, refused, "pairing");
    bluez.pair(address).await.map_err(|error| {
        format!("{refused}; pairing failed too: {error}; put it in pairing mode beside the box")
    })?;
    step(STEP, "subscribing", peripheral.subscribe(characteristic)).await
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
        Err(_) => Err(format!("{what} took longer than {} s", limit.as_secs())),
    }
}
