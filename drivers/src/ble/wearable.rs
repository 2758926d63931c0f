//! One connection to one device: connects, pairs if it must, subscribes to what is known, reads what
//! can only be read, and passes the values on. It must never hold up the radio's loop; it runs beside
//! it and ends when the device is gone.

use std::sync::Arc;
use std::time::Duration;

use anju_model::config::BleAddress;
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _};
use btleplug::platform::Peripheral;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};
use uuid::Uuid;

use super::bluez::Bluez;
use super::radio::short;

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

/// A value of a device.
#[derive(Debug)]
pub struct Value {
    /// Which device.
    pub from: BleAddress,
    /// Which characteristic.
    pub characteristic: u16,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// Serves one connection until it ends; the text says why.
pub async fn serve(
    peripheral: Peripheral,
    address: BleAddress,
    bluez: Arc<Bluez>,
    values: mpsc::Sender<Value>,
) -> String {
    let end = converse(&peripheral, address, &bluez, &values).await;
    // Whatever failed, the next try begins from nothing.
    let _ = timeout(STEP, peripheral.disconnect()).await;
    end.err().unwrap_or_else(|| "it ended".to_owned())
}

async fn converse(
    peripheral: &Peripheral,
    address: BleAddress,
    bluez: &Bluez,
    values: &mpsc::Sender<Value>,
) -> Result<(), String> {
    // Before it is connected: BlueZ subscribes again by itself to what was subscribed to before, and
    // a cuff tells its measurement the moment that is done. Nothing is looked at before the
    // services are known.
    let mut told = step(STEP, "listening", peripheral.notifications()).await?;
    step(CONNECT, "connecting", peripheral.connect()).await?;
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
        tokio::select! {
            value = told.next() => {
                let value = value.ok_or("its notifications ended")?;
                pass(values, address, value.uuid, value.value).await?;
            }
            _ = read.tick() => {
                if !step(STEP, "asking for it", peripheral.is_connected()).await? {
                    return Err("it is gone".to_owned());
                }
                for characteristic in &only_read {
                    let data = step(STEP, "reading", peripheral.read(characteristic)).await?;
                    pass(values, address, characteristic.uuid, data).await?;
                }
                if let Some(percent) = bluez.battery(address).await {
                    send(values, address, BATTERY, vec![percent]).await?;
                }
            }
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

async fn pass(
    values: &mpsc::Sender<Value>,
    from: BleAddress,
    uuid: Uuid,
    data: Vec<u8>,
) -> Result<(), String> {
    match short(uuid) {
        Some(characteristic) => send(values, from, characteristic, data).await,
        None => Ok(()),
    }
}

async fn send(
    values: &mpsc::Sender<Value>,
    from: BleAddress,
    characteristic: u16,
    data: Vec<u8>,
) -> Result<(), String> {
    let value = Value { from, characteristic, data };
    values.send(value).await.map_err(|_| "the radio stopped".to_owned())
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
