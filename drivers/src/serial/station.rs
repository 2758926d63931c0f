//! A device on a polled bus as its protocol knows it. One file of a protocol's folder holds one; a
//! new polled protocol is its folder and a line in each list here. Stations must only ever read.

use std::time::Duration;

use anju_model::DeviceKind;
use anju_model::config::{Parity, SerialBinding, SerialModel, SerialProtocol};

use super::line::Wires;
use super::meter::Round;
use super::port::Port;
use super::{cjt188, dlt645, mbus, modbus};
use crate::driver::DriverError;

/// How hard a poll tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// It answered lately: what is lost is asked again.
    Full,
    /// It has not answered for long, or never at this address, protocol or speed: one request, so
    /// that it costs the others on the bus little.
    Little,
}

impl Effort {
    /// How often to send a request.
    pub const fn tries(self) -> u32 {
        match self {
            Effort::Full => 3,
            Effort::Little => 1,
        }
    }
}

/// A device as its protocol knows it.
#[derive(Debug, Clone)]
pub enum Station {
    /// An electricity meter.
    Dlt645(dlt645::Station),
    /// A water meter.
    Cjt188(cjt188::Station),
    /// A water meter.
    Mbus(mbus::Station),
    /// An electricity or flow meter.
    Modbus(modbus::Station),
}

impl Station {
    /// The station that a binding names, spoken to in `protocol`. `None` when the address is none
    /// in that protocol or the kind is not served by it.
    pub fn new(
        kind: DeviceKind,
        binding: &SerialBinding,
        protocol: SerialProtocol,
    ) -> Option<Self> {
        let address = binding.address.as_deref();
        Some(match (protocol, kind) {
            (SerialProtocol::Dlt645, DeviceKind::ElectricityMeter) => {
                Station::Dlt645(dlt645::Station::new(address)?)
            }
            (SerialProtocol::Cjt188, DeviceKind::WaterMeter) => {
                let step = binding.step_litres.map(f64::from);
                Station::Cjt188(cjt188::Station::new(address, binding.profile, step)?)
            }
            (SerialProtocol::Mbus, DeviceKind::WaterMeter) => {
                let step = binding.step_litres.map(f64::from);
                Station::Mbus(mbus::Station::new(address, step)?)
            }
            (SerialProtocol::Modbus, DeviceKind::ElectricityMeter | DeviceKind::WaterUse) => {
                let model = binding.model.unwrap_or(match kind {
                    DeviceKind::WaterUse => SerialModel::Tuf2000m,
                    _ => SerialModel::Sdm,
                });
                let served = (model == SerialModel::Tuf2000m) == (kind == DeviceKind::WaterUse);
                Station::Modbus(modbus::Station::new(address, model).filter(|_| served)?)
            }
            _ => return None,
        })
    }

    /// How it is spoken to.
    pub const fn protocol(&self) -> SerialProtocol {
        match self {
            Station::Dlt645(_) => SerialProtocol::Dlt645,
            Station::Cjt188(_) => SerialProtocol::Cjt188,
            Station::Mbus(_) => SerialProtocol::Mbus,
            Station::Modbus(_) => SerialProtocol::Modbus,
        }
    }

    /// The device in words.
    pub fn who(&self) -> String {
        match self {
            Station::Dlt645(station) => station.who(),
            Station::Cjt188(station) => station.who(),
            Station::Mbus(station) => station.who(),
            Station::Modbus(station) => station.who(),
        }
    }

    /// Reads the device once.
    ///
    /// # Errors
    /// When the port is gone.
    pub async fn poll<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        match self {
            Station::Dlt645(station) => station.poll(port, effort).await,
            Station::Cjt188(station) => station.poll(port, effort).await,
            Station::Mbus(station) => station.poll(port, effort).await,
            Station::Modbus(station) => station.poll(port, effort).await,
        }
    }
}

/// Speed and parity that devices of a protocol leave the factory with, the likeliest first.
pub const fn usual_lines(protocol: SerialProtocol) -> &'static [(u32, Parity)] {
    use Parity::{Even, None};
    match protocol {
        SerialProtocol::Dlt645 => {
            &[(2400, Even), (9600, Even), (1200, Even), (4800, Even), (9600, None)]
        }
        SerialProtocol::Cjt188 => {
            &[(2400, Even), (9600, Even), (1200, Even), (4800, Even), (9600, None), (2400, None)]
        }
        SerialProtocol::Mbus => &[(2400, Even), (300, Even), (9600, Even)],
        SerialProtocol::Modbus => {
            &[(9600, None), (9600, Even), (2400, None), (4800, None), (2400, Even), (19_200, None)]
        }
    }
}

/// Longest silence before a reply of meters that are slow to wake.
pub const REPLY: Duration = Duration::from_millis(500);
