//! The parts of NetworkManager's D-Bus interface that are used (its reference manual, 1.42).

use zbus::proxy;
use zbus::{OwnedObjectPath, OwnedVariant};

use super::Settings;

/// NetworkManager's name on the bus.
pub const SERVICE: &str = "org.freedesktop.NetworkManager";

/// Where all its objects are told of.
pub const OBJECTS: &str = "/org/freedesktop";

#[proxy(
    interface = "org.freedesktop.NetworkManager",
    default_service = "org.freedesktop.NetworkManager",
    default_path = "/org/freedesktop/NetworkManager"
)]
pub trait Manager {
    fn activate_connection(
        &self,
        connection: &OwnedObjectPath,
        device: &OwnedObjectPath,
        specific: &OwnedObjectPath,
    ) -> zbus::Result<OwnedObjectPath>;
}

#[proxy(
    interface = "org.freedesktop.NetworkManager.Device",
    default_service = "org.freedesktop.NetworkManager"
)]
pub trait Device {
    fn get_applied_connection(&self, flags: u32) -> zbus::Result<(Settings, u64)>;
    fn reapply(&self, connection: Settings, version: u64, flags: u32) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.NetworkManager.Settings",
    default_service = "org.freedesktop.NetworkManager",
    default_path = "/org/freedesktop/NetworkManager/Settings"
)]
pub trait Profiles {
    fn get_connection_by_uuid(&self, uuid: &str) -> zbus::Result<OwnedObjectPath>;
    fn add_connection(&self, connection: Settings) -> zbus::Result<OwnedObjectPath>;
}

#[proxy(
    interface = "org.freedesktop.NetworkManager.Settings.Connection",
    default_service = "org.freedesktop.NetworkManager"
)]
pub trait Profile {
    fn get_settings(&self) -> zbus::Result<Settings>;
    fn update(&self, connection: Settings) -> zbus::Result<()>;
    fn delete(&self) -> zbus::Result<()>;
}

/// A property of an object, if it is there and of that type.
pub(super) fn property<'o, T: TryFrom<&'o OwnedVariant>>(
    properties: Option<&'o std::collections::HashMap<String, OwnedVariant>>,
    name: &str,
) -> Option<T> {
    T::try_from(properties?.get(name)?).ok()
}
