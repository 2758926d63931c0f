//! A water meter on the bus. Its address may be left open where it is the only one.

use std::collections::BTreeSet;
use std::time::Duration;

use anju_model::config::StatusProfile;
use anju_model::observation::{Identity, Meter as Reading};

use super::{Address, Answer, Current, Frame, Order, Valve, answer, read_current, status};
use crate::driver::DriverError;
use crate::serial::line::Wires;
use crate::serial::meter::Round;
use crate::serial::port::{Exchange, Miss, NoAnswer, Port};
use crate::serial::station::Effort;

/// Bytes that wake a receiver.
const WAKES: usize = 4;
/// Longest silence before an answer: the meter wakes from its battery's sleep.
const REPLY: Duration = Duration::from_millis(1000);

/// A meter as CJ/T 188 knows it.
#[derive(Debug, Clone)]
pub struct Station {
    /// With wildcards until the only meter of the bus has told it.
    address: Address,
    profile: StatusProfile,
    /// Step of the counter in the meter where it is coarser than the protocol's, litres.
    step: Option<f64>,
    /// What it answered to.
    order: Option<Order>,
    serial: u8,
    told: bool,
}

struct Ask {
    address: Address,
    order: Order,
    serial: u8,
}

impl Exchange for Ask {
    type Frame = Frame;
    type Answer = (Address, Answer);

    fn request(&self) -> Vec<u8> {
        let mut wire = vec![super::WAKE; WAKES];
        wire.extend(read_current(self.address, self.order, self.serial));
        wire
    }

    fn patience(&self) -> Duration {
        REPLY
    }

    fn answer(&self, frame: &Frame) -> Result<Self::Answer, NoAnswer> {
        match answer(frame, self.address) {
            Ok(answer) => Ok((frame.address, answer)),
            Err(why @ (super::NoAnswer::Request | super::NoAnswer::OtherMeter(_))) => {
                Err(NoAnswer::Foreign(why.to_string()))
            }
            Err(why) => Err(NoAnswer::Useless(why.to_string())),
        }
    }
}

impl Station {
    /// A meter; `None` when the address is none. Without one, the only meter of the bus is meant.
    pub fn new(address: Option<&str>, profile: StatusProfile, step: Option<f64>) -> Option<Self> {
        let address = match address {
            Some(digits) => Address::parse(digits)?,
            None => Address::WILDCARD,
        };
        Some(Self { address, profile, step, order: None, serial: 0, told: false })
    }

    pub(in crate::serial) fn who(&self) -> String {
        if self.address.is_a_water_meters() {
            format!("water meter {}", self.address)
        } else {
            "the only water meter of the bus".to_owned()
        }
    }

    pub(in crate::serial) async fn poll<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        let came = match self.order {
            Some(order) => self.ask(port, self.address, order, effort.tries()).await?,
            None => self.find(port).await?,
        };
        match came {
            Ok((from, Answer::Current(current))) => {
                self.address = from;
                Ok(self.take(&current))
            }
            Ok((_, Answer::Refused(bytes))) => {
                // What goes before the status numbers the request: no two would be the same trouble.
                let status = bytes.last().map(|status| format!(" (status {status:02X})"));
                let status = status.unwrap_or_default();
                let troubles = BTreeSet::from([format!("it refuses to tell its volume{status}")]);
                Ok(Round { heard: true, troubles, ..Round::default() })
            }
            Err(miss) => {
                // Another meter may hang there when one answers again.
                (self.order, self.told) = (None, false);
                Ok(Round::missed(miss))
            }
        }
    }

    /// Tries both orders, then a request for any type of meter.
    async fn find<W: Wires>(
        &mut self,
        port: &mut Port<W>,
    ) -> Result<Result<(Address, Answer), Miss>, DriverError> {
        let any = self.address.of_any_kind();
        let ways = [
            (self.address, Order::HighFirst),
            (self.address, Order::LowFirst),
            (any, Order::HighFirst),
            (any, Order::LowFirst),
        ];
        let mut last = Miss::Silent;
        let mut refused = None;
        for (address, order) in ways {
            match self.ask(port, address, order, 1).await? {
                Ok((from, answer @ Answer::Current(_))) => {
                    self.order = Some(order);
                    return Ok(Ok((from, answer)));
                }
                // It may know the other order.
                Ok(other) => refused = Some(other),
                Err(Miss::Silent) => {}
                Err(miss) => last = miss,
            }
        }
        Ok(refused.ok_or(last))
    }

    async fn ask<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        address: Address,
        order: Order,
        tries: u32,
    ) -> Result<Result<(Address, Answer), Miss>, DriverError> {
        self.serial = self.serial.wrapping_add(1);
        port.ask(&Ask { address, order, serial: self.serial }, tries).await
    }

    fn take(&mut self, current: &Current) -> Round {
        let status = status(current.status, self.profile);
        let mut round = Round { heard: true, ..Round::default() };
        if let Some(volume) = current.volume {
            round.reading = Reading {
                volume_litres: Some(volume.litres),
                resolution: Some(volume.step.max(self.step.unwrap_or_default())),
                ..Reading::default()
            };
        } else {
            round.troubles.insert("it does not measure a volume".to_owned());
        }
        match status.valve {
            Some(Valve::Open) => round.reading.supply_on = Some(true),
            Some(Valve::Closed) => round.reading.supply_on = Some(false),
            Some(Valve::Fault) => {
                round.troubles.insert("its valve does not move as it should".to_owned());
            }
            None => {}
        }
        round.battery_low = status.battery_low;
        if !std::mem::replace(&mut self.told, true) {
            round.identity = Some(Identity {
                address: Some(self.address.to_string()),
                device_clock: current.clock.map(|clock| clock.to_string()),
                ..Identity::default()
            });
        }
        round
    }
}
