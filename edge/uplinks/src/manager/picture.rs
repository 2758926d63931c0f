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

/// `NM_DEVICE_STATE_UNMANAGED`.
const UNMANAGED: u32 = 10;

/// `NM_DEVICE_TYPE_ETHERNET` and `NM_DEVICE_TYPE_WIFI`.
const ETHERNET: u32 = 1;
const WIFI: u32 = 2;

/// `NM_DEVICE_INTERFACE_FLAG_LOWER_UP`: it has a carrier.
const LOWER_UP: u32 = 0x1_0000;

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
    /// The profile that it was made from; none: somebody else owns the link, and it can be tried but
    /// not put before another.
    pub profile: Option<OwnedObjectPath>,
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
    match property::<u32>(device_of, "State")? {
        ACTIVATED => {}
        UNMANAGED => return of_others(device_path, device),
        _ => return None,
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
        profile: Some(path(active, "Connection")?),
        primary: primary == Some(&active_path),
        name_servers: configs.iter().flat_map(|config| name_servers(config)).collect(),
    })
}

/// A link that somebody else owns, such as ifupdown, and that has a carrier: whether it leads anywhere
/// only a try tells. A box that is reached over it is not to be called offline.
fn of_others(device_path: &OwnedObjectPath, device: &Properties) -> Option<Link> {
    let device_of = Some(device);
    let kind = match property::<u32>(device_of, "DeviceType")? {
        ETHERNET => Kind::Ethernet,
        WIFI => Kind::Wifi,
        _ => return None,
    };
    if property::<u32>(device_of, "InterfaceFlags")? & LOWER_UP == 0 {
        return None;
    }
    Some(Link {
        interface: property::<&str>(device_of, "Interface")?.to_owned(),
        kind,
        device: device_path.clone(),
        profile: None,
        primary: false,
        name_servers: Vec::new(),
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

#[cfg(test)]
mod tests {
    use zbus::Variant;

    use super::*;

    fn value<'v>(value: impl Into<Variant<'v>>) -> OwnedVariant {
        OwnedVariant::try_from(value.into()).unwrap()
    }

    fn at(path: &str) -> OwnedVariant {
        value(zbus::ObjectPath::try_from(path).unwrap())
    }

    fn object(
        path: &str,
        interface: &str,
        properties: Vec<(&str, OwnedVariant)>,
    ) -> (OwnedObjectPath, HashMap<zbus::names::OwnedInterfaceName, Properties>) {
        let properties = properties.into_iter().map(|(key, value)| (key.to_owned(), value));
        let interface = zbus::names::OwnedInterfaceName::try_from(interface).unwrap();
        (path.try_into().unwrap(), HashMap::from([(interface, properties.collect())]))
    }

    /// Every object of a box with a modem that gives an adapter, a cable without a router, one that
    /// ifupdown owns, and things that are no links.
    fn objects() -> ManagedObjects {
        let active = |number: u32, kind: &str| {
            let profile = format!("/s/{number}");
            object(
                &format!("/a/{number}"),
                ACTIVE,
                vec![("Type", value(kind)), ("Connection", at(&profile))],
            )
        };
        let device = |number: u32, kind: u32, state: u32, name: &str| {
            let (ip, active) = (format!("/ip/{number}"), format!("/a/{number}"));
            object(
                &format!("/d/{number}"),
                DEVICE,
                vec![
                    ("State", value(state)),
                    ("DeviceType", value(kind)),
                    ("Interface", value(name)),
                    ("IpInterface", value(if kind == MODEM { "wwan0" } else { name })),
                    ("InterfaceFlags", value(LOWER_UP | 1)),
                    ("ActiveConnection", at(&active)),
                    ("Ip4Config", at(&ip)),
                    ("Ip6Config", at("/")),
                ],
            )
        };
        let config = |number: u32, gateway: &str| {
            let server = HashMap::from([("address".to_owned(), value("10.0.0.53"))]);
            object(
                &format!("/ip/{number}"),
                CONFIGS[0].1,
                vec![("Gateway", value(gateway)), ("NameserverData", value(vec![server]))],
            )
        };
        HashMap::from([
            object("/nm", MANAGER, vec![("PrimaryConnection", at("/a/1"))]),
            device(1, ETHERNET, ACTIVATED, "eth0"),
            active(1, "802-3-ethernet"),
            config(1, "10.0.0.1"),
            device(2, MODEM, ACTIVATED, "cdc-wdm0"),
            active(2, "gsm"),
            config(2, ""),
            device(3, ETHERNET, ACTIVATED, "eth1"),
            active(3, "802-3-ethernet"),
            config(3, ""),
            device(4, ETHERNET, UNMANAGED, "eth2"),
            device(5, 13, UNMANAGED, "br0"),
            device(6, 32, ACTIVATED, "lo"),
            active(6, "loopback"),
            device(7, WIFI, DISCONNECTED, "wlan0"),
        ])
    }

    #[test]
    fn links_are_what_leads_on() {
        let picture = read(objects());
        let links: Vec<(&str, Kind, bool, bool)> = picture
            .links
            .iter()
            .map(|l| (l.interface.as_str(), l.kind, l.primary, l.profile.is_some()))
            .collect();
        let expected = [
            ("eth0", Kind::Ethernet, true, true),
            ("eth2", Kind::Ethernet, false, false),
            ("wwan0", Kind::Mobile, false, true),
        ];
        assert_eq!(links, expected);
        assert_eq!(picture.links[0].name_servers, ["10.0.0.53".parse::<IpAddr>().unwrap()]);
        assert!(picture.modem.is_some_and(|modem| !modem.idle));
    }

    #[test]
    fn whatever_is_missing_is_left_out() {
        for path in objects().keys() {
            let mut objects = objects();
            objects.remove(path);
            assert!(read(objects).links.len() >= 2, "{path}");
        }
        for name in ["State", "ActiveConnection", "Interface", "IpInterface", "Ip4Config"] {
            let mut objects = objects();
            for has in objects.values_mut().flat_map(|has| has.values_mut()) {
                if has.contains_key(name) {
                    has.insert(name.to_owned(), value("of another form"));
                }
            }
            let _ = read(objects);
        }
        assert_eq!(read(HashMap::new()), Picture::default());
    }
}
