//! NetworkManager, as far as it is used: what stands, which link has the default route, a metric that
//! puts one link before the others, and the profile of the mobile connection. Thin: it decides nothing.
//! A preference is only applied to what is active and never written into a profile, so that whatever a
//! person has set up there is as it was after the next start.

mod picture;
mod profile;
mod proxy;

use std::collections::HashMap;

use zbus::proxy::CacheProperties;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant};

pub use picture::{Link, Picture, read};
pub use profile::{bring_up, ensure};
pub use proxy::{OBJECTS, SERVICE};

use proxy::{DeviceProxy, ProfileProxy};

/// A connection's settings: groups of keys.
type Settings = HashMap<String, HashMap<String, OwnedVariant>>;

/// Metric of the preferred link's routes: before all of NetworkManager's own (100 and up).
pub const PREFERRED: i64 = 20;

/// The groups that have routes.
const FAMILIES: [&str; 2] = ["ipv4", "ipv6"];

/// Puts one link before the others, and those that were before it back to their own place. Whether
/// anything was changed.
///
/// # Errors
/// As NetworkManager gives them, such as for want of rights.
pub async fn prefer(bus: &Connection, picture: &Picture, preferred: &str) -> zbus::Result<bool> {
    let mut changed = false;
    for link in picture.links.iter().filter(|link| link.interface != preferred) {
        let Some(profile) = &link.profile else { continue };
        let (applied, version, device) = applied(bus, link).await?;
        if is_preferred(&applied) {
            let profile = ProfileProxy::new(bus, profile.clone()).await?;
            let own = profile.get_settings().await?;
            device.reapply(with_metric_of(applied, &own)?, version, 0).await?;
            changed = true;
        }
    }
    // The default route may be there by itself now.
    let link = picture.links.iter().find(|link| link.interface == preferred);
    let ours = |link: &&Link| link.profile.is_some() && !link.primary;
    if let Some(link) = link.filter(|link| !changed && ours(link)) {
        let (applied, version, device) = applied(bus, link).await?;
        if !is_preferred(&applied) {
            device.reapply(with_metric(applied), version, 0).await?;
            changed = true;
        }
    }
    Ok(changed)
}

async fn applied<'b>(
    bus: &'b Connection,
    link: &Link,
) -> zbus::Result<(Settings, u64, DeviceProxy<'b>)> {
    let device = DeviceProxy::builder(bus)
        .path(link.device.clone())
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    let (settings, version) = device.get_applied_connection(0).await?;
    Ok((settings, version, device))
}

fn metric(settings: &Settings, family: &str) -> Option<i64> {
    settings.get(family)?.get("route-metric")?.try_into().ok()
}

fn is_preferred(settings: &Settings) -> bool {
    FAMILIES.into_iter().any(|family| metric(settings, family) == Some(PREFERRED))
}

/// Whether the settings have routes of that family at all.
fn routes(settings: &Settings, family: &str) -> bool {
    let method = settings.get(family).and_then(|group| group.get("method"));
    let method = method.and_then(|method| <&str>::try_from(method).ok());
    method.is_some_and(|method| !matches!(method, "disabled" | "ignore"))
}

fn with_metric(mut settings: Settings) -> Settings {
    for family in FAMILIES {
        if routes(&settings, family)
            && let Some(group) = settings.get_mut(family)
        {
            group.insert("route-metric".to_owned(), OwnedVariant::from(PREFERRED));
        }
    }
    settings
}

/// The settings with the metrics that the profile has, or none.
fn with_metric_of(mut settings: Settings, own: &Settings) -> zbus::Result<Settings> {
    for family in FAMILIES {
        if let Some(group) = settings.get_mut(family) {
            group.remove("route-metric");
            if let Some(metric) = metric(own, family) {
                group.insert("route-metric".to_owned(), OwnedVariant::from(metric));
            }
        }
    }
    Ok(settings)
}

fn text(value: &str) -> zbus::Result<OwnedVariant> {
    OwnedVariant::try_from(Variant::from(value))
}

/// Whether a path names nothing.
fn nothing(path: &OwnedObjectPath) -> bool {
    path.as_str() == "/"
}
