//! From the configuration to drivers. One row that can not be served must never stop the others:
//! it becomes a fault.

use std::sync::Arc;

use anju_model::config::{Device, Household, Link};

use crate::ble::BleDriver;
use crate::driver::Driver;
use crate::gpio::GpioDriver;
use crate::i2c::I2cDriver;
use crate::mqtt::MqttDriver;
use crate::net::NetDriver;
use crate::serial;

/// A device or link that no driver can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// Link or device.
    pub part: String,
    /// Why, and the mend.
    pub reason: String,
}

/// The drivers that the configuration asks for.
pub fn plan(household: &Household) -> (Vec<Arc<dyn Driver>>, Vec<PlanFault>) {
    let mut drivers: Vec<Arc<dyn Driver>> = Vec::new();
    let mut faults = Vec::new();
    for (id, link) in &household.links {
        let devices: Vec<&Device> = household.devices.iter().filter(|d| d.link == *id).collect();
        match link {
            Link::Mqtt(mqtt) => {
                let driver = MqttDriver::new(
                    &household.box_id,
                    id,
                    mqtt.clone(),
                    &devices,
                    &household.zones,
                );
                drivers.push(Arc::new(driver));
            }
            Link::Gpio(gpio) => {
                let (driver, trouble) = GpioDriver::new(id, gpio, &household.devices);
                drivers.extend(driver.map(|driver| Arc::new(driver) as Arc<dyn Driver>));
                faults.extend(trouble);
            }
            Link::Serial(link) => {
                drivers.push(serial::driver(id, link, &devices));
            }
            Link::Ble(ble) => {
                drivers.push(Arc::new(BleDriver::new(id, ble.clone(), &devices)));
            }
            Link::I2c(i2c) => drivers.push(Arc::new(I2cDriver::new(id, i2c, &devices))),
            Link::Net => {
                let all = NetDriver::all(id, &devices).into_iter();
                drivers.extend(all.map(|driver| Arc::new(driver) as Arc<dyn Driver>));
            }
        }
    }
    (drivers, faults)
}
