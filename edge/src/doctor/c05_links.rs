//! The links: each bus and chip is there and may be used, each broker takes us.

use std::path::Path;
use std::sync::Arc;

use anju_drivers::mqtt;
use anju_model::BoxId;
use anju_model::config::{GpioBackend, Link, MqttLink};
use rustix::fs::{Access, access};

use super::{Case, Finding, not_applicable, ok, problem};

pub(super) async fn check(case: Arc<Case>) -> Vec<Finding> {
    let Some(home) = &case.household else {
        return vec![not_applicable("no configuration to take them from")];
    };
    let mut found = Vec::new();
    let mut brokers = Vec::new();
    for (id, link) in &home.links {
        let name = id.as_str().to_owned();
        match link {
            Link::Gpio(gpio) if gpio.backend == GpioBackend::Rppal => {
                found.push(device(&name, Path::new("/dev/gpiomem"), "gpio"));
            }
            Link::Gpio(gpio) if gpio.chip.is_absolute() => {
                found.push(device(&name, &gpio.chip, "gpio"));
            }
            Link::Gpio(gpio) => {
                found
                    .push(ok(name, format!("chip `{}` is looked up by name", gpio.chip.display())));
            }
            Link::Ble(radio) => found.push(adapter(&name, &radio.adapter)),
            Link::Serial(serial) => found.push(device(&name, &serial.path, "dialout")),
            Link::Mqtt(broker) => {
                let (box_id, broker) = (home.box_id.clone(), broker.clone());
                let devices: Vec<_> = home.devices.iter().filter(|d| d.link == *id).collect();
                let filters = mqtt::filters(&broker, &devices, &home.zones);
                let asks = async move { ask(&name, &box_id, &broker, &filters).await };
                brokers.push(tokio::spawn(asks));
            }
            Link::I2c(bus) => found.push(device(&name, &bus.path, "i2c")),
            Link::Net => found.push(not_applicable(format!(
                "`{name}`: the home network is looked at device by device while the daemon runs"
            ))),
        }
    }
    for broker in brokers {
        found.extend(broker.await);
    }
    if found.is_empty() {
        found.push(not_applicable("the configuration has no [links]"));
    }
    found
}

/// A device file; a daemon that runs holds it, so it is not opened.
fn device(name: &str, path: &Path, group: &str) -> Finding {
    let shown = path.display();
    if !path.exists() {
        let what = format!("{shown} is not there");
        let mend = "plug the adapter in, and give its path below /dev/serial/by-id or the chip's";
        return problem(name, what, mend);
    }
    match access(path, Access::READ_OK | Access::WRITE_OK) {
        Ok(()) => ok(name, format!("{shown} is there and may be used")),
        Err(_) => {
            let mend = format!("add the daemon's user to the group: `usermod -aG {group} anju`");
            problem(name, format!("{shown} may not be used by this user"), mend)
        }
    }
}

fn adapter(name: &str, adapter: &str) -> Finding {
    if Path::new("/sys/class/bluetooth").join(adapter).exists() {
        return ok(name, format!("the Bluetooth adapter {adapter} is there"));
    }
    let what = format!("there is no Bluetooth adapter {adapter}");
    problem(name, what, "plug it in, see `bluetoothctl list`, and `rfkill unblock bluetooth`")
}

async fn ask(name: &str, box_id: &BoxId, broker: &MqttLink, filters: &[String]) -> Finding {
    let at = format!("{}:{}", broker.host, broker.port);
    match mqtt::probe(&format!("{box_id}-doctor-{name}"), broker, filters).await {
        Ok(()) => ok(name, format!("the broker at {at} takes us")),
        Err(error) => problem(
            name,
            format!("the broker at {at} does not take us: {error}"),
            "check that it runs, and host, port, user name, password and certificates in [links], and \
             what it lets this user read",
        ),
    }
}
