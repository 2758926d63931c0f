//! An electricity meter on the bus. Its address may be left open where it is the only one.

use std::collections::BTreeMap;
use std::time::Duration;

use anju_model::observation::{Identity, Meter as Reading};
use tokio::time::Instant;

use super::{Address, Answer, Frame, Item, Refusal, Request, Value, answer, clock, relay_is_on};
use crate::driver::DriverError;
use crate::serial::line::Wires;
use crate::serial::meter::Round;
use crate::serial::port::{Exchange, Miss, NoAnswer, Port};
use crate::serial::station::{Effort, REPLY};

/// What is read at each poll, in this order.
const ITEMS: [Item; 5] =
    [Item::ImportEnergy, Item::Power, Item::Voltage, Item::Current, Item::State];
/// Smallest step of the energy counter, watt hours.
const ENERGY_STEP: f64 = 10.0;
/// Bytes that wake a receiver.
const WAKES: usize = 4;
/// Silent polls after which an item counts as one that the meter does not know.
const POLLS_TO_LEAVE: u32 = 3;
/// Most parts of an answer that comes in several frames.
const MOST_PARTS: u8 = 16;
/// The meter's own clock is asked for this often.
const CLOCK_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A meter as DL/T 645 knows it.
#[derive(Debug, Clone)]
pub struct Station {
    /// `None` until the only meter of the bus has told it.
    address: Option<Address>,
    /// What was not answered, and in how many polls.
    silent: BTreeMap<Item, u32>,
    refused: BTreeMap<Item, Refusal>,
    clock_at: Option<Instant>,
}

struct Ask {
    address: Address,
    request: Request,
}

impl Exchange for Ask {
    type Frame = Frame;
    type Answer = (Address, Answer);

    fn request(&self) -> Vec<u8> {
        let mut wire = vec![super::WAKE; WAKES];
        wire.extend(self.request.encode(self.address));
        wire
    }

    fn patience(&self) -> Duration {
        REPLY
    }

    fn answer(&self, frame: &Frame) -> Result<Self::Answer, NoAnswer> {
        match answer(frame, self.address, self.request) {
            Ok(answer) => Ok((frame.address, answer)),
            Err(why @ (super::NoAnswer::Request | super::NoAnswer::OtherMeter(_))) => {
                Err(NoAnswer::Foreign(why.to_string()))
            }
            Err(why) => Err(NoAnswer::Useless(why.to_string())),
        }
    }
}

/// What came of one item.
enum Came {
    Value(Value),
    Refused(Refusal),
    Missed(String),
}

impl Station {
    /// A meter; `None` when the address is none. Without one, the only meter of the bus is meant.
    pub fn new(address: Option<&str>) -> Option<Self> {
        let address = match address {
            Some(digits) => Some(Address::parse(digits)?),
            None => None,
        };
        let (silent, refused) = (BTreeMap::new(), BTreeMap::new());
        Some(Self { address, silent, refused, clock_at: None })
    }

    pub(in crate::serial) fn who(&self) -> String {
        match self.address {
            Some(address) => format!("meter {address}"),
            None => "the only meter of the bus".to_owned(),
        }
    }

    pub(in crate::serial) async fn poll<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        let address = match self.address {
            Some(address) => address,
            None => match self.find(port, effort).await? {
                Ok(address) => address,
                Err(miss) => return Ok(Round::missed(miss)),
            },
        };
        let mut round = Round::default();
        for item in ITEMS {
            let silent = self.silent.get(&item).copied().unwrap_or_default();
            let main = item == Item::ImportEnergy;
            let lacks = self.refused.get(&item).is_some_and(|what| is_lack(item, *what));
            if !main && (lacks || silent >= POLLS_TO_LEAVE) {
                continue;
            }
            // What many meters do not know costs the others on the bus little.
            let optional = matches!(item, Item::Current | Item::State);
            let tries = match (main, optional || silent > 0) {
                (true, _) => effort.tries(),
                (false, true) => 1,
                (false, false) => effort.tries().min(2),
            };
            match read(port, address, item, tries).await? {
                Came::Value(value) => {
                    round.heard = true;
                    self.silent.remove(&item);
                    self.refused.remove(&item);
                    take(&mut round.reading, value);
                }
                Came::Refused(what) => {
                    round.heard = true;
                    self.silent.remove(&item);
                    if self.refused.insert(item, what) != Some(what) {
                        tracing::info!(meter = %address, %item, %what, "the meter refuses");
                    }
                }
                Came::Missed(why) => {
                    *self.silent.entry(item).or_default() += 1;
                    round.missed = Some(why);
                    // One that does not even tell its energy is not asked further.
                    if main {
                        break;
                    }
                }
            }
        }
        if round.heard {
            round.identity = self.identity(port, address).await?;
        } else {
            // It may be another meter when it is back.
            self.silent.clear();
            self.clock_at = None;
        }
        round.troubles = self
            .refused
            .iter()
            .filter(|(item, what)| !is_lack(**item, **what))
            .map(|(item, what)| format!("it refuses to tell its {item}: {what}"))
            .collect();
        Ok(round)
    }

    /// Asks the only meter of the bus for its address; those that do not know that function tell
    /// it with any reading.
    async fn find<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Result<Address, Miss>, DriverError> {
        let mut last = Miss::Silent;
        for request in [Request::ReadAddress, Request::Read(Item::ImportEnergy)] {
            let ask = Ask { address: Address::WILDCARD, request };
            let found = match port.ask(&ask, effort.tries()).await? {
                Ok((_, Answer::Address(address))) => address,
                Ok((_, Answer::Refused(_))) => continue,
                Ok((from, Answer::Data { .. })) => from,
                Err(miss) => {
                    last = miss;
                    continue;
                }
            };
            if !found.is_a_meters() {
                last = Miss::Useless(format!("it says that its address is {found}"));
                continue;
            }
            self.address = Some(found);
            return Ok(Ok(found));
        }
        Ok(Err(last))
    }

    /// Who it is and what its clock says, when that was not asked for long.
    async fn identity<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        address: Address,
    ) -> Result<Option<Identity>, DriverError> {
        let now = Instant::now();
        if self.clock_at.is_some_and(|at| now.duration_since(at) < CLOCK_EVERY) {
            return Ok(None);
        }
        self.clock_at = Some(now);
        let date = read(port, address, Item::Date, 1).await?;
        let clock = match date {
            Came::Value(date) => match read(port, address, Item::Time, 1).await? {
                Came::Value(time) => clock(date, time),
                _ => None,
            },
            _ => None,
        };
        let address = Some(address.to_string());
        Ok(Some(Identity { address, device_clock: clock, ..Identity::default() }))
    }
}

/// Reads one item, all parts of it.
async fn read<W: Wires>(
    port: &mut Port<W>,
    address: Address,
    item: Item,
    tries: u32,
) -> Result<Came, DriverError> {
    let mut all = Vec::new();
    let mut request = Request::Read(item);
    for part in 1..=MOST_PARTS {
        let more = match port.ask(&Ask { address, request }, tries).await? {
            Ok((_, Answer::Data { payload, more })) => {
                all.extend(payload);
                more
            }
            Ok((_, Answer::Refused(what))) => return Ok(Came::Refused(what)),
            Ok((_, Answer::Address(_))) => false,
            Err(miss) => return Ok(Came::Missed(miss.to_string())),
        };
        if !more {
            return Ok(match item.value(&all) {
                Ok(value) => Came::Value(value),
                Err(bad) => Came::Missed(bad.to_string()),
            });
        }
        request = Request::ReadNext(item, part);
    }
    Ok(Came::Missed(format!("its {item} has no end")))
}

fn take(reading: &mut Reading, value: Value) {
    let figure = Some(value.in_units());
    match value.item {
        Item::ImportEnergy => {
            reading.energy_watt_hours = figure;
            reading.resolution = Some(ENERGY_STEP);
        }
        Item::Power => reading.power_watts = figure,
        Item::Voltage => reading.voltage_volts = figure,
        Item::Current => reading.current_amperes = figure,
        Item::State => reading.supply_on = Some(relay_is_on(value)),
        Item::Date | Item::Time => {}
    }
}

/// The meter has no such register, and need not have it: many simple ones measure energy only.
fn is_lack(item: Item, refusal: Refusal) -> bool {
    item != Item::ImportEnergy && refusal == Refusal(0x02)
}
