//! The profile of the mobile connection: made where an access point is configured, kept to it, and
//! removed where none is any more. NetworkManager brings it up by itself whenever the modem is there,
//! for as long as that takes. No other profile is touched.

use std::collections::HashMap;

use zbus::{Connection, OwnedVariant};

use super::proxy::{ProfileProxy, ProfilesProxy, property};
use super::{Settings, text};

/// What marks the profile as the box's own, whatever it is called.
const UUID: &str = "7b1f3a52-0f6e-4c0e-9d55-5b8f6a0e2c11";

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
                // Again and again.
                ("autoconnect-retries", OwnedVariant::from(0_i32)),
            ]),
        ),
        ("gsm", group(vec![("apn", text(apn)?)])),
        ("ipv4", group(vec![("method", text("auto")?)])),
        ("ipv6", group(vec![("method", text("auto")?)])),
    ];
    Ok(groups.into_iter().map(|(name, group)| (name.to_owned(), group)).collect())
}
