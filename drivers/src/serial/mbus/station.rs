//! A meter on an M-Bus, behind a level converter.

use std::time::Duration;

use anju_model::observation::{Identity, Meter as Reading};

use super::{Address, Frame, Telegram, request, reset, select, telegram};
use crate::driver::DriverError;
use crate::serial::line::Wires;
use crate::serial::meter::Round;
use crate::serial::port::{Exchange, Miss, NoAnswer, Port};
use crate::serial::station::Effort;

/// Longest silence before an answer: 330 bit times and 50 ms (EN 13757-2), at 300 bits a second.
const REPLY: Duration = Duration::from_millis(1150);
/// Most telegrams of one meter.
const MOST_TELEGRAMS: usize = 8;
/// Control field of a reply with data (RSP_UD), without the bits for access demand and flow.
const RESPONSE: u8 = 0x08;

/// A meter as M-Bus knows it.
#[derive(Debug, Clone)]
pub struct Station {
    address: Address,
    /// Step of the counter in the meter where it is coarser than its telegram's, litres.
    step: Option<f64>,
    told: bool,
}

/// A request that is answered by E5.
struct Tell(Vec<u8>);

impl Exchange for Tell {
    type Frame = Frame;
    type Answer = ();

    fn request(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn patience(&self) -> Duration {
        REPLY
    }

    fn answer(&self, frame: &Frame) -> Result<(), NoAnswer> {
        match frame {
            Frame::Acknowledge => Ok(()),
            Frame::Short | Frame::Long { .. } => Err(NoAnswer::Foreign("another frame".to_owned())),
        }
    }
}

struct Ask {
    address: Address,
    again: usize,
}

impl Exchange for Ask {
    type Frame = Frame;
    type Answer = Telegram;

    fn request(&self) -> Vec<u8> {
        request(self.address, self.again)
    }

    fn patience(&self) -> Duration {
        REPLY
    }

    fn answer(&self, frame: &Frame) -> Result<Telegram, NoAnswer> {
        let Frame::Long { control, address, data } = frame else {
            return Err(NoAnswer::Foreign("another frame".to_owned()));
        };
        if control & 0xCF != RESPONSE {
            return Err(NoAnswer::Foreign("a request".to_owned()));
        }
        if let Address::Primary(number) = self.address
            && number != *address
        {
            return Err(NoAnswer::Foreign(format!("the meter {address}")));
        }
        let telegram = telegram(data).map_err(|bad| NoAnswer::Useless(bad.to_string()))?;
        if let (Address::Secondary([id @ .., _, _, _, _]), Some(said)) =
            (self.address, &telegram.identification)
        {
            let wanted: String = id.iter().rev().map(|byte| format!("{byte:02X}")).collect();
            if wanted != *said {
                return Err(NoAnswer::Foreign(format!("the meter {said}")));
            }
        }
        Ok(telegram)
    }
}

impl Station {
    /// A meter; `None` when the address is none. Without one, the only meter of the bus is meant.
    pub fn new(address: Option<&str>, step: Option<f64>) -> Option<Self> {
        let address = match address {
            Some(written) => Address::parse(written)?,
            None => Address::Only,
        };
        Some(Self { address, step, told: false })
    }

    pub(in crate::serial) fn who(&self) -> String {
        match self.address {
            Address::Only => "the only M-Bus meter of the bus".to_owned(),
            address => format!("M-Bus meter {address}"),
        }
    }

    pub(in crate::serial) async fn poll<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        // Whether it is answered does not matter: some meters are silent about it.
        let _ = port.ask(&Tell(reset(self.address)), 1).await?;
        if let Address::Secondary(bytes) = self.address
            && let Err(miss) = port.ask(&Tell(select(bytes)), effort.tries()).await?
        {
            return Ok(self.missed(&miss));
        }
        let mut all = Telegram::default();
        for again in 0..MOST_TELEGRAMS {
            let ask = Ask { address: self.address, again };
            match port.ask(&ask, effort.tries()).await? {
                Ok(telegram) => {
                    let more = telegram.more;
                    merge(&mut all, telegram);
                    if !more || all.volume.is_some() {
                        break;
                    }
                }
                Err(miss) if again == 0 => return Ok(self.missed(&miss)),
                Err(_) => break,
            }
        }
        Ok(self.take(all))
    }

    fn missed(&mut self, miss: &Miss) -> Round {
        self.told = false;
        Round::missed(miss)
    }

    fn take(&mut self, telegram: Telegram) -> Round {
        let mut round = Round { heard: true, ..Round::default() };
        round.battery_low = Some(telegram.battery_low);
        round.troubles = telegram.troubles.iter().map(|&trouble| trouble.to_owned()).collect();
        round.reading.flow_litres_per_hour = telegram.flow;
        match telegram.volume {
            Some((litres, step)) => {
                round.reading = Reading {
                    volume_litres: Some(litres),
                    resolution: Some(step.max(self.step.unwrap_or_default())),
                    ..round.reading
                };
            }
            None => {
                round.troubles.insert("it does not tell a volume".to_owned());
            }
        }
        if !std::mem::replace(&mut self.told, true) {
            round.identity = Some(Identity {
                address: telegram.identification,
                maker: telegram.maker,
                ..Identity::default()
            });
        }
        round
    }
}

fn merge(all: &mut Telegram, one: Telegram) {
    all.identification = one.identification.or(all.identification.take());
    all.maker = one.maker.or(all.maker.take());
    all.volume = all.volume.or(one.volume);
    all.flow = all.flow.or(one.flow);
    all.battery_low |= one.battery_low;
    all.troubles.extend(one.troubles);
}
