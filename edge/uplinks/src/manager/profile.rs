//! The profile of the mobile connection: made where an access point is configured, kept to it, and
//! removed where none is any more. NetworkManager brings it up by itself whenever the modem is there;
//! where it has given up, it is asked again. No other profile is touched.

use std::collections::HashMap;

use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use super::proxy::{ManagerProxy, ProfileProxy, ProfilesProxy, property};
use super::{Settings, text};

/// What marks the profile as the box's own, whatever it is called.
const UUID: &str = "7b1f3a52-0f6e-4c0e-9d55-5b8f6a0e2c11";

/// Tries in a row, after which NetworkManager waits for five minutes. With 0, which means for ever, it
/// asks a modem that fails several times a second, and texts find no gap between.
const RETRIES: i32 = 1;

/// What it is called.
const NAME: &str = "anju-mobile";

/// Makes the profile what the access point wants.
///
/// # Errors
/// As NetworkManager gives them, such as for want of rights.
pub async fn ensure(bus: &Connection, apn: Option<&str>) -> zbus::Result<()> {
    let profiles = ProfilesProxy::new(bus).await?;
    let known = match profiles.get_connection_by_uuid(UUID).await {
        Ok(path) => Some(ProfileProxy::new(bus, path).await?),
        Err(zbus::Error::MethodError(..)) => None,
        Err(error) => return Err(error),
    };
    match (known, apn) {
        (None, None) => Ok(()),
        (None, Some(apn)) => {
            profiles.add_connection(settings(apn)?).await?;
            tracing::info!(apn, "the profile of the mobile connection is made");
            Ok(())
        }
        (Some(profile), None) => profile.delete().await,
        (Some(profile), Some(apn)) => {
            let now = profile.get_settings().await?;
            if property::<&str>(now.get("gsm"), "apn") == Some(apn) {
                return Ok(());
            }
            profile.update(settings(apn)?).await
        }
    }
}

/// Asks for the mobile connection.
///
/// # Errors
/// As NetworkManager gives them.
pub async fn bring_up(bus: &Connection, modem: &OwnedObjectPath) -> zbus::Result<()> {
    let profile = ProfilesProxy::new(bus).await?.get_connection_by_uuid(UUID).await?;
    let nothing = OwnedObjectPath::try_from("/")?;
    ManagerProxy::new(bus).await?.activate_connection(&profile, modem, &nothing).await?;
    Ok(())
}

fn settings(apn: &str) -> zbus::Result<Settings> {
    let group = |keys: Vec<(&str, OwnedVariant)>| -> HashMap<String, OwnedVariant> {
        keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    };
    let groups = [
        (
            "connection",
            group(vec![
                ("id", text(NAME)?),
                ("uuid", text(UUID)?),
                ("type", text("gsm")?),
                ("autoconnect", OwnedVariant::from(true)),
                ("autoconnect-retries", OwnedVariant::from(RETRIES)),
            ]),
        ),
        ("gsm", group(vec![("apn", text(apn)?)])),
        ("ipv4", group(vec![("method", text("auto")?)])),
        ("ipv6", group(vec![("method", text("auto")?)])),
    ];
    Ok(groups.into_iter().map(|(name, group)| (name.to_owned(), group)).collect())
}
