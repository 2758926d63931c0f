//! One look at the links beside a running box, for a check by hand. It changes nothing.

use std::time::Duration;

use anju_modem::{Bus, words};
use futures::future::join_all;
use zbus::fdo::ObjectManagerProxy;

use crate::manager::{self, Link, OBJECTS, SERVICE};
use crate::reach::{Target, Way, prove};
use crate::service::is_missing;
use crate::view::LinkView;

/// The look, the first server of a link, and all others at once, each; who asks waits for no longer.
const WITHIN: Duration = Duration::from_secs(3);

/// What was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The links that stand, each tried just now.
    pub links: Vec<LinkView>,
    /// NetworkManager knows of a modem.
    pub modem: bool,
}

/// Looks once, and tries each link.
///
/// # Errors
/// Why the links are not managed, in words.
pub async fn examine(bus: &Bus, targets: &[Target]) -> Result<Seen, String> {
    let look = async {
        let bus = bus.connect().await?;
        let objects = ObjectManagerProxy::new(&bus, SERVICE, OBJECTS).await?;
        objects.get_managed_objects().await.map_err(zbus::Error::from)
    };
    let objects = match tokio::time::timeout(WITHIN, look).await {
        Ok(Ok(objects)) => objects,
        Ok(Err(error)) if is_missing(&error) => return Err("NetworkManager does not run".into()),
        Ok(Err(error)) => return Err(words(&error)),
        Err(_) => return Err("NetworkManager hangs".into()),
    };
    let picture = manager::read(objects);
    let links = picture.links.into_iter().map(|link| async move {
        let ours = link.profile.is_some();
        let view = tried(link, targets).await;
        // A port of somebody else that leads nowhere is no link.
        (ours || view.reaches == Some(true)).then_some(view)
    });
    let links = join_all(links).await.into_iter().flatten().collect();
    Ok(Seen { links, modem: picture.modem.is_some() })
}

async fn tried(link: Link, targets: &[Target]) -> LinkView {
    let way = Way { interface: Some(link.interface.clone()), name_servers: link.name_servers };
    let came = if targets.is_empty() {
        None
    } else {
        Some(prove(&way, targets, 0, WITHIN).await.map(drop))
    };
    LinkView {
        interface: link.interface,
        kind: link.kind,
        reaches: came.as_ref().map(Result::is_ok),
        reason: came.and_then(Result::err),
        preferred: link.primary,
    }
}
