//! Bluetooth adapters and the devices heard there.

use super::super::{Binding, BleAddress, BleBinding, BleLink, BleProtocol};
use crate::DeviceKind;
use crate::config::fault::{Faults, quote};
use crate::config::reader::Fields;

pub(super) fn link(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<BleLink> {
    let adapter = fields.text("adapter")?;
    let number = adapter.strip_prefix("hci").unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        let message = format!("{} is no name of an adapter", quote(&adapter));
        fields.fault(faults, "adapter", message, "write hci and its number, such as \"hci0\"");
        return None;
    }
    Some(BleLink { adapter })
}

pub(super) fn binding(
    fields: &Fields<'_>,
    kind: Option<DeviceKind>,
    faults: &mut Faults<'_>,
) -> Option<Binding> {
    let written = fields.text("address")?;
    let address = match written.parse::<BleAddress>() {
        Ok(address) => address,
        Err(error) => {
            let message = format!("{} is {}", quote(&written), error.what());
            fields.fault(faults, "address", message, error.mend());
            return None;
        }
    };
    let protocol = match fields.word("protocol", BleProtocol::from_name) {
        Some(protocol) => protocol,
        None if fields.row.peek("protocol").is_some() => return None,
        None => {
            let Some(usual) = BleProtocol::usual(kind?) else {
                let message = "several protocols could serve it and none is named";
                let mend = "add protocol = \"…\"; `anju catalogue` shows which serve its kind";
                fields.fault(faults, "kind", message, mend);
                return None;
            };
            usual
        }
    };
    let key_file = fields.path("key_file");
    if key_file.is_some() && !protocol.encrypts() {
        let message = format!("`{}` has no keys", protocol.as_str());
        fields.fault(faults, "key_file", message, "remove `key_file` or name the right protocol");
    }
    let away_after = fields.duration("away_after")?;
    Some(Binding::Ble(BleBinding { address, protocol, key_file, away_after }))
}
