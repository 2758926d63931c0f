//! What the Bluetooth daemon signals: adverts, connections, values. `btleplug` has streams of these
//! too; it asks the daemon back for each advert, which a busy house does not stand, and in the lab
//! some signals never came out of them, which a single press or measurement does not stand. Nothing
//! in a signal is trusted: what can not be read is passed over.

use std::collections::HashMap;

use anju_model::config::BleAddress;
use uuid::Uuid;
use zbus::{Message, OwnedObjectPath, OwnedVariant};

/// Interfaces and signals that are listened to.
pub(super) const DEVICE: &str = "org.bluez.Device1";
pub(super) const VALUE: &str = "org.bluez.GattCharacteristic1";

/// One signal.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// An advert, or what changed with it.
    Advert(Advert),
    /// A device is connected or has hung up.
    Connected(BleAddress, bool),
    /// A value of a connected device.
    Value {
        /// Which device.
        from: BleAddress,
        /// The daemon's name of the characteristic.
        path: String,
        /// Its bytes.
        data: Vec<u8>,
    },
}

/// What an advert carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Advert {
    /// The sender.
    pub from: BleAddress,
    /// How strong it is heard.
    pub dbm: Option<i16>,
    /// Service data by 16-bit UUID.
    pub services: Vec<(u16, Vec<u8>)>,
    /// Manufacturer data by company.
    pub makers: Vec<(u16, Vec<u8>)>,
}

type Properties = HashMap<String, OwnedVariant>;

/// Reads one message; it may say several things.
pub fn read(message: &Message) -> Vec<Signal> {
    let header = message.header();
    let body = message.body();
    let member = header.member().map(|member| member.as_str());
    match member {
        Some("PropertiesChanged") => {
            let Some(path) = header.path() else { return Vec::new() };
            match body.deserialize::<(String, Properties, Vec<String>)>() {
                Ok((interface, changed, _)) => said(path.as_str(), &interface, changed),
                Err(_) => Vec::new(),
            }
        }
        Some("InterfacesAdded") => {
            type Added = (OwnedObjectPath, HashMap<String, Properties>);
            match body.deserialize::<Added>() {
                Ok((path, mut interfaces)) => interfaces
                    .remove(DEVICE)
                    .map(|properties| said(path.as_str(), DEVICE, properties))
                    .unwrap_or_default(),
                Err(_) => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// What properties of an object say.
fn said(path: &str, interface: &str, mut properties: Properties) -> Vec<Signal> {
    let Some(from) = address(path) else { return Vec::new() };
    let mut signals = Vec::new();
    match interface {
        DEVICE => {
            let connected = properties.remove("Connected").and_then(|v| bool::try_from(v).ok());
            signals.extend(connected.map(|connected| Signal::Connected(from, connected)));
            let dbm = properties.remove("RSSI").and_then(|value| i16::try_from(value).ok());
            let services = properties.remove("ServiceData").map(services).unwrap_or_default();
            let makers = properties.remove("ManufacturerData").map(makers).unwrap_or_default();
            // Names and services alone come from the daemon's memory too.
            if dbm.is_some() || !services.is_empty() || !makers.is_empty() {
                signals.push(Signal::Advert(Advert { from, dbm, services, makers }));
            }
        }
        VALUE => {
            let value = properties.remove("Value").and_then(|v| Vec::<u8>::try_from(v).ok());
            let path = path.to_owned();
            signals.extend(value.map(|data| Signal::Value { from, path, data }));
        }
        _ => {}
    }
    signals
}

fn services(value: OwnedVariant) -> Vec<(u16, Vec<u8>)> {
    let all = HashMap::<String, OwnedVariant>::try_from(value).unwrap_or_default();
    let known = all.into_iter().filter_map(|(uuid, data)| {
        let uuid = Uuid::try_parse(&uuid).ok().and_then(short)?;
        Some((uuid, Vec::<u8>::try_from(data).ok()?))
    });
    known.collect()
}

fn makers(value: OwnedVariant) -> Vec<(u16, Vec<u8>)> {
    let all = HashMap::<u16, OwnedVariant>::try_from(value).unwrap_or_default();
    let known = all
        .into_iter()
        .filter_map(|(company, data)| Some((company, Vec::<u8>::try_from(data).ok()?)));
    known.collect()
}

/// The address in the daemon's name for a device or what hangs on one,
/// `/org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF/…`.
pub(super) fn address(path: &str) -> Option<BleAddress> {
    let (_, rest) = path.split_once("/dev_")?;
    let written = rest.split('/').next()?;
    written.replace('_', ":").parse().ok()
}

/// The 16-bit number of a UUID that has one.
pub(super) fn short(uuid: Uuid) -> Option<u16> {
    const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5f9b_34fb;
    let number = uuid.as_u128().checked_sub(BASE)?;
    (number & ((1 << 96) - 1) == 0).then_some(number >> 96).and_then(|n| u16::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use zbus::Variant;

    use super::*;

    const PATH: &str = "/org/bluez/hci0/dev_54_48_E6_8F_80_A5";
    const BTHOME: &str = "0000fcd2-0000-1000-8000-00805f9b34fb";

    fn changed(path: &str, interface: &str, properties: HashMap<&str, Variant<'_>>) -> Message {
        Message::signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged")
            .build(&(interface, properties, Vec::<&str>::new()))
            .unwrap()
    }

    fn advert() -> HashMap<&'static str, Variant<'static>> {
        let service = HashMap::from([(BTHOME.to_owned(), Variant::from(vec![0x40u8, 0x3a, 0x01]))]);
        let maker = HashMap::from([(0x004cu16, Variant::from(vec![2u8, 0x15]))]);
        HashMap::from([
            ("RSSI", Variant::from(-61i16)),
            ("ServiceData", Variant::from(service)),
            ("ManufacturerData", Variant::from(maker)),
        ])
    }

    fn heard() -> Signal {
        Signal::Advert(Advert {
            from: "54:48:E6:8F:80:A5".parse().unwrap(),
            dbm: Some(-61),
            services: vec![(0xfcd2, vec![0x40, 0x3a, 0x01])],
            makers: vec![(0x004c, vec![2, 0x15])],
        })
    }

    #[test]
    fn adverts_of_known_and_new_devices() {
        assert_eq!(read(&changed(PATH, DEVICE, advert())), [heard()]);
        let added = HashMap::from([(DEVICE, advert())]);
        let path = zbus::ObjectPath::try_from(PATH).unwrap();
        let message = Message::signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded")
            .build(&(path, added))
            .unwrap();
        assert_eq!(read(&message), [heard()]);
    }

    #[test]
    fn connections_and_values() {
        let from = "54:48:E6:8F:80:A5".parse().unwrap();
        let gone = HashMap::from([("Connected", Variant::from(false))]);
        assert_eq!(read(&changed(PATH, DEVICE, gone)), [Signal::Connected(from, false)]);
        let path = format!("{PATH}/service000e/char000f");
        let value = HashMap::from([("Value", Variant::from(vec![0u8, 0x48]))]);
        let message = changed(&path, VALUE, value);
        assert_eq!(read(&message), [Signal::Value { from, path, data: vec![0, 0x48] }]);
    }

    #[test]
    fn what_is_malformed_or_something_else_is_passed_over() {
        let odd = HashMap::from([
            ("RSSI", Variant::from("loud")),
            ("ServiceData", Variant::from(7u8)),
            ("Connected", Variant::from("yes")),
        ]);
        assert_eq!(read(&changed(PATH, DEVICE, odd)), []);
        assert_eq!(read(&changed("/org/bluez/hci0", DEVICE, advert())), []);
        assert_eq!(read(&changed("/org/bluez/hci0/dev_54_48", DEVICE, advert())), []);
        assert_eq!(read(&changed(PATH, "org.bluez.Battery1", advert())), []);
        let empty = Message::signal(PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged")
            .build(&())
            .unwrap();
        assert_eq!(read(&empty), []);
    }

    #[test]
    fn only_uuids_of_the_standard_have_short_numbers() {
        let parse = |text| short(Uuid::parse_str(text).unwrap());
        assert_eq!(parse("00002a37-0000-1000-8000-00805f9b34fb"), Some(0x2a37));
        assert_eq!(parse(BTHOME), Some(0xfcd2));
        assert_eq!(parse("00012a37-0000-1000-8000-00805f9b34fb"), None);
        assert_eq!(parse("00002a37-0000-1000-8000-00805f9b34fc"), None);
        assert_eq!(parse("f0000000-0451-4000-b000-000000000000"), None);
        assert_eq!(short(Uuid::nil()), None);
    }
}
