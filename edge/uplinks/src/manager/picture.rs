//! Reads what NetworkManager tells of all its objects. Pure; an object that is missing or of another
//! form is left out.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use zbus::fdo::ManagedObjects;
use zbus::{OwnedObjectPath, OwnedVariant};

use super::nothing;
use super::proxy::property;
use crate::choice::Kind;

const MANAGER: &str = "org.freedesktop.NetworkManager";
const DEVICE: &str = "org.freedesktop.NetworkManager.Device";
const ACTIVE: &str = "org.freedesktop.NetworkManager.Connection.Active";
const CONFIGS: [(&str, &str); 2] = [
    ("Ip4Config", "org.freedesktop.NetworkManager.IP4Config"),
    ("Ip6Config", "org.freedesktop.NetworkManager.IP6Config"),
];

/// `NM_DEVICE_STATE_DISCONNECTED`.
const DISCONNECTED: u32 = 30;

/// `NM_DEVICE_STATE_ACTIVATED`.
const ACTIVATED: u32 = 100;

/// `NM_DEVICE_TYPE_MODEM`.
const MODEM: u32 = 8;

/// A link that stands: it has an address and a way on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The interface that has its addresses.
    pub interface: String,
    /// What it is.
    pub kind: Kind,
    /// Its device.
    pub device: OwnedObjectPath,
    /// The profile that it was made from.
    pub profile: OwnedObjectPath,
    /// It has the default route.
    pub primary: bool,
    /// The name servers that it brought.
    pub name_servers: Vec<IpAddr>,
}

/// All that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The links that stand, by their interface.
    pub links: Vec<Link>,
    /// The modem, where NetworkManager knows of one.
    pub modem: Option<Modem>,
}

/// A modem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modem {
    /// Its device.
    pub device: OwnedObjectPath,
    /// It could be connected, and nobody is about to.
    pub idle: bool,
}

type Properties = HashMap<String, OwnedVariant>;

struct Objects(HashMap<OwnedObjectPath, BTreeMap<String, Properties>>);

impl Objects {
    fn get(&self, path: &OwnedObjectPath, interface: &str) -> Option<&Properties> {
        self.0.get(path)?.get(interface)
    }
}

/// Reads all objects.
pub fn read(objects: ManagedObjects) -> Picture {
    let named = objects.into_iter().map(|(path, has)| {
        let has = has.into_iter().map(|(name, properties)| (name.to_string(), properties));
        (path, has.collect())
    });
    let objects = Objects(named.collect());
    let manager = objects.0.values().find_map(|has| has.get(MANAGER));
    let primary: Option<OwnedObjectPath> = path(manager, "PrimaryConnection");
    let devices = objects.0.iter().filter_map(|(path, has)| Some((path, has.get(DEVICE)?)));
    let modem = devices.clone().find_map(|(path, device)| {
        let is = |name: &str, value: u32| property::<u32>(Some(device), name) == Some(value);
        let modem = || Modem { device: path.clone(), idle: is("State", DISCONNECTED) };
        is("DeviceType", MODEM).then(modem)
    });
    let mut links: Vec<Link> = devices
        .filter_map(|(path, device)| link(&objects, path, device, primary.as_ref()))
        .collect();
    links.sort_by(|a, b| a.interface.cmp(&b.interface));
    links.dedup_by(|a, b| a.interface == b.interface);
    Picture { links, modem }
}

fn link(
    objects: &Objects,
    device_path: &OwnedObjectPath,
    device: &Properties,
    primary: Option<&OwnedObjectPath>,
) -> Option<Link> {
    let device_of = Some(device);
    if property::<u32>(device_of, "State")? != ACTIVATED {
        return None;
    }
    let active_path = path(device_of, "ActiveConnection")?;
    let active = objects.get(&active_path, ACTIVE);
    // The type of device says nothing of a veth or a modem that shows itself as an adapter.
    let kind = match property::<&str>(active, "Type")? {
        "802-3-ethernet" => Kind::Ethernet,
        "802-11-wireless" => Kind::Wifi,
        "gsm" => Kind::Mobile,
        _ => return None,
    };
    let interface = property::<&str>(device_of, "IpInterface")
        .filter(|name| !name.is_empty())
        .or_else(|| property::<&str>(device_of, "Interface"))?;
    let configs: Vec<&Properties> = CONFIGS
        .into_iter()
        .filter_map(|(key, interface)| objects.get(&path(device_of, key)?, interface))
        .collect();
    let leads_on = configs
        .iter()
        .any(|config| property::<&str>(Some(config), "Gateway").is_some_and(|at| !at.is_empty()));
    // A point-to-point link needs no gateway.
    if !leads_on && kind != Kind::Mobile {
        return None;
    }
    Some(Link {
        interface: interface.to_owned(),
        kind,
        device: device_path.clone(),
        profile: path(active, "Connection")?,
        primary: primary == Some(&active_path),
        name_servers: configs.iter().flat_map(|config| name_servers(config)).collect(),
    })
}

/// The name servers of an IPv4 configuration; one of IPv6 has them in another form, and a link with
/// those alone asks the system.
fn name_servers(config: &Properties) -> Vec<IpAddr> {
    let data = config.get("NameserverData").and_then(|data| data.try_clone().ok());
    let data = data.and_then(|data| Vec::<HashMap<String, OwnedVariant>>::try_from(data).ok());
    let address = |entry: HashMap<String, OwnedVariant>| {
        property::<&str>(Some(&entry), "address")?.parse().ok()
    };
    data.into_iter().flatten().filter_map(address).collect()
}

/// A path that names something.
fn path(properties: Option<&Properties>, name: &str) -> Option<OwnedObjectPath> {
    let value = properties?.get(name)?.try_clone().ok()?;
    OwnedObjectPath::try_from(value).ok().filter(|path| !nothing(path))
}
