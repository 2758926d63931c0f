//! A Modbus meter on the bus, read by `tokio-modbus` over the lent port.

use std::collections::BTreeSet;
use std::time::Duration;

use anju_model::config::SerialModel;
use anju_model::observation::{Identity, Meter as Reading};
use tokio::time::timeout;
use tokio_modbus::client::{Context, Reader, rtu};
use tokio_modbus::{ExceptionCode, Slave};

use super::{
    Block, SDM_ENERGY, SDM_MEASURES, TUF_ERROR, TUF_FLOW, TUF_QUALITY, WordOrder, sdm, tuf,
    tuf_errors, word_order,
};
use crate::driver::DriverError;
use crate::serial::line::Wires;
use crate::serial::meter::Round;
use crate::serial::port::{Miss, Port};
use crate::serial::station::Effort;

/// Longest wait for an answer, with the silence before the request.
const REPLY: Duration = Duration::from_millis(1500);
/// The unit that meters leave the factory with.
const FACTORY: u8 = 1;
/// Below this a clamp-on meter's signal says nothing, of 99.
const LEAST_QUALITY: u16 = 50;
/// A frame of Modbus is at most this long.
const MOST_BYTES: usize = 256;

/// A meter as Modbus knows it.
#[derive(Debug, Clone)]
pub struct Station {
    unit: u8,
    model: SerialModel,
    /// Of a TUF-2000M, once its registers told it.
    order: Option<WordOrder>,
    told: bool,
}

enum Register {
    Input,
    Holding,
}

/// Why registers did not come.
enum Missed {
    No(Miss),
    Refused(ExceptionCode),
}

impl Station {
    /// A meter at unit 1 to 247, the factory's 1 if none is said; `None` when it is none.
    pub fn new(address: Option<&str>, model: SerialModel) -> Option<Self> {
        let unit = match address {
            Some(written) => written.parse().ok().filter(|unit| (1..=247).contains(unit))?,
            None => FACTORY,
        };
        Some(Self { unit, model, order: None, told: false })
    }

    pub(in crate::serial) fn who(&self) -> String {
        format!("Modbus unit {}", self.unit)
    }

    pub(in crate::serial) async fn poll<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        let mut round = match self.model {
            SerialModel::Sdm => self.sdm(port, effort).await?,
            SerialModel::Tuf2000m => self.tuf(port, effort).await?,
        };
        if !round.heard {
            self.told = false;
        } else if !std::mem::replace(&mut self.told, true) {
            round.identity = Some(Identity {
                address: Some(self.unit.to_string()),
                model: Some(self.model.to_string()),
                ..Identity::default()
            });
        }
        Ok(round)
    }

    async fn sdm<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        let tries = effort.tries();
        let energy = match self.read(port, &Register::Input, SDM_ENERGY, tries).await? {
            Ok(words) => words,
            Err(missed) => return Ok(round_of(missed)),
        };
        let measures = self.read(port, &Register::Input, SDM_MEASURES, tries).await?;
        let reading = sdm(&measures.unwrap_or_default(), &energy);
        Ok(heard(reading, "its registers hold no readings: check its model"))
    }

    async fn tuf<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        effort: Effort,
    ) -> Result<Round, DriverError> {
        let tries = effort.tries();
        let words = match self.read(port, &Register::Holding, TUF_FLOW, tries).await? {
            Ok(words) => words,
            Err(missed) => return Ok(round_of(missed)),
        };
        if let Some(order) = word_order(&words) {
            if self.order != Some(order) {
                tracing::info!(unit = self.unit, ?order, "the order of the meter's words is known");
            }
            self.order = Some(order);
        }
        // Until a first litre all registers may be zero, which is the same in both orders.
        let order = self.order.unwrap_or(WordOrder::LowFirst);
        let mut round = heard(tuf(&words, order), "its registers make no sense: check its model");
        if let Ok(words) = self.read(port, &Register::Holding, TUF_ERROR, 1).await? {
            let bits = words.first().copied().unwrap_or_default();
            round.troubles.extend(tuf_errors(bits).into_iter().map(str::to_owned));
        }
        if let Ok(words) = self.read(port, &Register::Holding, TUF_QUALITY, 1).await? {
            let quality = words.first().copied().unwrap_or_default() & 0xFF;
            if quality < LEAST_QUALITY {
                round.troubles.insert("the quality of its signal is low".to_owned());
            }
        }
        if !round.troubles.is_empty() {
            // A flow without a signal is made up.
            round.reading = Reading::default();
        }
        Ok(round)
    }

    /// Reads registers.
    async fn read<W: Wires>(
        &self,
        port: &mut Port<W>,
        register: &Register,
        block: Block,
        tries: u32,
    ) -> Result<Result<Vec<u16>, Missed>, DriverError> {
        let mut miss = Miss::Silent;
        for _ in 0..tries {
            let (near, far) = tokio::io::duplex(2 * MOST_BYTES);
            let client = rtu::attach_slave(near, Slave(self.unit));
            let call = timeout(REPLY, call(client, register, block));
            // The wires end only when the port is gone.
            let came = tokio::select! {
                biased;
                came = call => came,
                gone = port.lend(far) => {
                    gone?;
                    continue;
                }
            };
            miss = match came {
                Err(_) => Miss::Silent,
                Ok(Ok(Ok(words))) if words.len() == usize::from(block.count) => {
                    return Ok(Ok(words));
                }
                Ok(Ok(Ok(words))) => Miss::Useless(format!("{} registers", words.len())),
                Ok(Ok(Err(code))) => return Ok(Err(Missed::Refused(code))),
                Ok(Err(error)) => Miss::Useless(error.to_string()),
            };
        }
        Ok(Err(Missed::No(miss)))
    }
}

async fn call(
    mut client: Context,
    register: &Register,
    block: Block,
) -> tokio_modbus::Result<Vec<u16>> {
    match register {
        Register::Input => client.read_input_registers(block.first, block.count).await,
        Register::Holding => client.read_holding_registers(block.first, block.count).await,
    }
}

fn round_of(missed: Missed) -> Round {
    match missed {
        Missed::No(miss) => Round::missed(miss),
        Missed::Refused(code) => {
            let troubles = BTreeSet::from([format!("it refuses to tell its registers: {code}")]);
            Round { heard: true, troubles, ..Round::default() }
        }
    }
}

fn heard(reading: Reading, else_trouble: &str) -> Round {
    let mut round = Round { heard: true, ..Round::default() };
    if reading == Reading::default() {
        round.troubles.insert(else_trouble.to_owned());
    }
    round.reading = reading;
    round
}
