//! What the Bluetooth daemon is asked for beside what `btleplug` offers: the scan itself (Low Energy
//! only, which BlueZ then repeats without a pause, and with every repeat of an advert), power,
//! pairing, the battery service, which BlueZ keeps to itself, and whether the daemon lives. Every
//! call must end within a limit.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use anju_model::config::BleAddress;
use futures::stream::{self, Stream, StreamExt, select_all};
use uuid::Uuid;
use zbus::fdo::{DBusProxy, NameOwnerChangedStream};
use zbus::zvariant::DynamicType;
use zbus::{Connection, Message, MessageStream, OwnedVariant, Variant};

use super::signals::{self, Signal};
use crate::driver::DriverError;

const BLUEZ: &str = "org.bluez";
const ADAPTER: &str = "org.bluez.Adapter1";
const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// Signals that may wait; beyond that the bus keeps them.
const QUEUE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
/// Longest wait for an answer of the daemon.
const ANSWER: Duration = Duration::from_secs(10);
/// What the daemon says while it still does what was asked before.
const BUSY: [&str; 2] = ["org.bluez.Error.InProgress", "org.bluez.Error.Busy"];
/// How often and at which distance it is then asked again.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for a pairing; somebody may have to confirm it on the device.
const PAIRING: Duration = Duration::from_secs(30);

/// The daemon with one adapter of it.
#[derive(Debug)]
pub struct Bluez {
    name: String,
    connection: Connection,
    path: String,
    owners: NameOwnerChangedStream,
}

impl Bluez {
    /// Connects to the system's message bus.
    ///
    /// # Errors
    /// [`DriverError::Link`] when the bus can not be reached.
    pub async fn open(driver: &str, adapter: &str) -> Result<Self, DriverError> {
        let name = driver.to_owned();
        let failed = |error: zbus::Error| DriverError::Link {
            link: driver.to_owned(),
            reason: format!("the system's message bus can not be used: {error}; is D-Bus running?"),
        };
        let connection = Connection::system().await.map_err(failed)?;
        let bus = DBusProxy::new(&connection).await.map_err(failed)?;
        let owners =
            bus.receive_name_owner_changed_with_args(&[(0, BLUEZ)]).await.map_err(failed)?;
        Ok(Self { name, connection, path: format!("/org/bluez/{adapter}"), owners })
    }

    /// The daemon came, went or was replaced. `false` when it is gone, or the bus itself is.
    pub async fn owner_changed(&mut self) -> bool {
        let change = self.owners.next().await;
        change.is_some_and(|change| {
            change.args().is_ok_and(|args| args.new_owner().as_ref().is_some())
        })
    }

    /// Whether the adapter is powered and scans.
    ///
    /// # Errors
    /// [`DriverError::Link`] when the daemon or the adapter is gone.
    pub async fn scanning(&self) -> Result<bool, DriverError> {
        Ok(self.flag("Powered").await? && self.flag("Discovering").await?)
    }

    /// Powers the adapter and starts to scan anew. While the daemon is still busy with what was
    /// asked before, it is asked again for a moment; after that the next look mends it.
    ///
    /// # Errors
    /// [`DriverError::Link`] when the daemon refuses.
    pub async fn start_scan(&self) -> Result<(), DriverError> {
        if !self.flag("Powered").await? {
            self.power(true).await?;
        }
        // A scan that the daemon believes to be running may be dead; only a new one is known to live.
        let _ = self.stop_scan().await;
        let filter = HashMap::from([
            ("Transport", Variant::from("le")),
            ("DuplicateData", Variant::from(true)),
        ]);
        self.call(&self.path, ADAPTER, "SetDiscoveryFilter", &(filter,), ANSWER).await?;
        self.call_when_free(ADAPTER, "StartDiscovery", &()).await
    }

    /// Stops the scan.
    ///
    /// # Errors
    /// [`DriverError::Link`] when none was running or the daemon refuses.
    pub async fn stop_scan(&self) -> Result<(), DriverError> {
        self.call(&self.path, ADAPTER, "StopDiscovery", &(), ANSWER).await.map(drop)
    }

    /// Switches the adapter on or off.
    ///
    /// # Errors
    /// [`DriverError::Link`] when the daemon refuses.
    pub async fn power(&self, on: bool) -> Result<(), DriverError> {
        let body = (ADAPTER, "Powered", Variant::from(on));
        self.call_when_free(PROPERTIES, "Set", &body).await
    }

    /// Pairs with a device as one without keys and display, and trusts it from then on. It bonds
    /// only while the daemon has an agent ([`super::pairing::Agent`]).
    ///
    /// # Errors
    /// [`DriverError::Link`] when the device or the daemon refuses.
    pub async fn pair(&self, address: BleAddress) -> Result<(), DriverError> {
        let path = self.device(address);
        self.call(&path, signals::DEVICE, "Pair", &(), PAIRING).await?;
        let body = (signals::DEVICE, "Trusted", Variant::from(true));
        self.call(&path, PROPERTIES, "Set", &body, ANSWER).await.map(drop)
    }

    /// Whether the daemon has a device's keys.
    pub async fn is_paired(&self, address: BleAddress) -> bool {
        let value = self.get(&self.device(address), signals::DEVICE, "Paired").await;
        value.is_ok_and(|value| bool::try_from(value).unwrap_or(false))
    }

    /// Lets the daemon forget a device with its keys; it is found anew by its next advert.
    ///
    /// # Errors
    /// [`DriverError::Link`] when the daemon refuses.
    pub async fn forget(&self, address: BleAddress) -> Result<(), DriverError> {
        let path = self.device(address);
        let path = zbus::ObjectPath::try_from(path).map_err(|e| self.failed("RemoveDevice", &e))?;
        self.call(&self.path, ADAPTER, "RemoveDevice", &(path,), ANSWER).await.map(drop)
    }

    /// What the daemon signals of the devices of this adapter, from now on.
    ///
    /// # Errors
    /// [`DriverError::Link`] when the bus refuses.
    pub async fn signals(&self) -> Result<impl Stream<Item = Signal> + Send + use<>, DriverError> {
        let changed = format!(
            "type='signal',sender='{BLUEZ}',interface='{PROPERTIES}',\
             member='PropertiesChanged',path_namespace='{}'",
            self.path
        );
        let added = format!(
            "type='signal',sender='{BLUEZ}',interface='{OBJECTS}',member='InterfacesAdded'"
        );
        let mut streams = Vec::new();
        for rule in [changed, added] {
            let stream =
                MessageStream::for_match_rule(rule.as_str(), &self.connection, Some(QUEUE)).await;
            streams.push(stream.map_err(|error| self.failed("listening", &error))?);
        }
        Ok(select_all(streams).flat_map(|message| {
            stream::iter(message.map(|message| signals::read(&message)).unwrap_or_default())
        }))
    }

    /// The 16-bit number of a characteristic, by the daemon's name of it.
    pub async fn characteristic(&self, path: &str) -> Option<u16> {
        let value = self.get(path, signals::VALUE, "UUID").await.ok()?;
        Uuid::try_parse(&String::try_from(value).ok()?).ok().and_then(signals::short)
    }

    /// The charge of a connected device, per cent, if it tells.
    pub async fn battery(&self, address: BleAddress) -> Option<u8> {
        let path = self.device(address);
        let value = self.get(&path, "org.bluez.Battery1", "Percentage").await.ok()?;
        u8::try_from(value).ok()
    }

    fn device(&self, address: BleAddress) -> String {
        format!("{}/dev_{}", self.path, address.to_string().replace(':', "_"))
    }

    async fn flag(&self, name: &str) -> Result<bool, DriverError> {
        let value = self.get(&self.path, ADAPTER, name).await?;
        bool::try_from(value).map_err(|error| self.failed(name, &error))
    }

    async fn get(&self, path: &str, of: &str, name: &str) -> Result<OwnedVariant, DriverError> {
        let answer = self.call(path, PROPERTIES, "Get", &(of, name), ANSWER).await?;
        answer.body().deserialize().map_err(|error| self.failed(name, &error))
    }

    async fn ask<B>(&self, path: &str, of: &str, method: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + DynamicType + Sync,
    {
        self.connection.call_method(Some(BLUEZ), path, Some(of), method, body).await
    }

    /// Calls the adapter. While the daemon is still busy it is asked again, for a moment; if it
    /// stays so, the next look at the adapter mends it.
    async fn call_when_free<B>(&self, of: &str, method: &str, body: &B) -> Result<(), DriverError>
    where
        B: serde::Serialize + DynamicType + Sync,
    {
        for _ in 0..BUSY_TRIES {
            let call = self.ask(&self.path, of, method, body);
            match tokio::time::timeout(ANSWER, call).await {
                Ok(Err(zbus::Error::MethodError(name, ..))) if BUSY.contains(&name.as_str()) => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                Ok(done) => return done.map(drop).map_err(|error| self.failed(method, &error)),
                Err(_) => return Err(self.failed(method, &"no answer in time")),
            }
        }
        Ok(())
    }

    async fn call<B>(
        &self,
        path: &str,
        of: &str,
        method: &str,
        body: &B,
        limit: Duration,
    ) -> Result<Message, DriverError>
    where
        B: serde::Serialize + DynamicType + Sync,
    {
        match tokio::time::timeout(limit, self.ask(path, of, method, body)).await {
            Ok(answer) => answer.map_err(|error| self.failed(method, &error)),
            Err(_) => Err(self.failed(method, &"no answer in time")),
        }
    }

    fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> DriverError {
        DriverError::Link {
            link: self.name.clone(),
            reason: format!(
                "{what}: {error}; is the adapter plugged in and bluetoothd running (`bluetoothctl list`)?"
            ),
        }
    }
}
