//! What the configuration leaves open about a device, found by asking: its protocol, speed and
//! parity. It must only ever read, and never keep the other devices of a bus waiting for long: some
//! candidates at a time, then the others have their turn.

use anju_model::DeviceKind;
use anju_model::config::{SerialBinding, SerialLink, SerialProtocol};

use super::line::{Line, Wires};
use super::meter::Round;
use super::port::Port;
use super::station::{Effort, Station, usual_lines};
use crate::driver::DriverError;

/// Candidates that are tried before the others on the bus have their turn.
const AT_A_TIME: usize = 3;

/// One way to speak to a device.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// How the line is to be set.
    pub line: Line,
    /// The protocol's side.
    pub station: Station,
}

/// Every way that the configuration allows, the likeliest first.
pub fn candidates(kind: DeviceKind, binding: &SerialBinding, link: &SerialLink) -> Vec<Candidate> {
    let protocols: Vec<SerialProtocol> = match binding.protocol {
        Some(protocol) => vec![protocol],
        None => SerialProtocol::POLLED.to_vec(),
    };
    let mut all: Vec<(usize, Candidate)> = Vec::new();
    for protocol in protocols {
        let Some(station) = Station::new(kind, binding, protocol) else { continue };
        for (rank, line) in lines(protocol, link).into_iter().enumerate() {
            all.push((rank, Candidate { line, station: station.clone() }));
        }
    }
    // The likeliest line of each protocol comes before the unlikely ones of any.
    all.sort_by_key(|(rank, _)| *rank);
    all.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The lines that the configuration of the link allows.
fn lines(protocol: SerialProtocol, link: &SerialLink) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (baud, parity) in usual_lines(protocol) {
        let line = Line {
            baud: link.baud.unwrap_or(*baud),
            parity: link.parity.unwrap_or(*parity),
            stop_bits: link.stop_bits,
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// How to speak to one device, known or being found.
#[derive(Debug)]
pub struct Approach {
    candidates: Vec<Candidate>,
    next: usize,
    found: Option<usize>,
    /// Whether what was found has been told.
    told: bool,
}

/// What one turn of a device on the bus brought.
#[derive(Debug)]
pub enum Turn {
    /// A poll, good or bad.
    Polled(Box<Round>),
    /// Still being looked for; more candidates wait.
    Looking,
}

impl Approach {
    /// To be found among these; `None` when there are none.
    pub fn new(candidates: Vec<Candidate>) -> Option<Self> {
        if candidates.is_empty() {
            return None;
        }
        Some(Self { candidates, next: 0, found: None, told: false })
    }

    /// The device in words.
    pub fn who(&self) -> String {
        let at = self.found.unwrap_or_default();
        self.candidates.get(at).map(|candidate| candidate.station.who()).unwrap_or_default()
    }

    /// Whether anything was left open.
    const fn is_open(&self) -> bool {
        self.candidates.len() > 1
    }

    /// What answered, so that others of the bus are tried with it first.
    pub fn line(&self) -> Option<Line> {
        self.candidates.get(self.found?).map(|candidate| candidate.line)
    }

    /// Tries this line first, as long as nothing is found.
    pub fn prefer(&mut self, line: Line) {
        if self.found.is_none() && self.next == 0 {
            self.candidates.sort_by_key(|candidate| candidate.line != line);
        }
    }

    /// Takes the device's turn.
    ///
    /// # Errors
    /// When the port is gone.
    pub async fn turn<W: Wires>(
        &mut self,
        port: &mut Port<W>,
        lost: bool,
    ) -> Result<Turn, DriverError> {
        if lost && self.is_open() {
            // Another device may hang there now; what answered before is tried first.
            if let Some(found) = self.found.take() {
                self.candidates.swap(0, found);
                (self.next, self.told) = (0, false);
            }
        }
        if let Some(candidate) = self.found.and_then(|at| self.candidates.get_mut(at)) {
            port.tune(candidate.line)?;
            let effort = if lost { Effort::Little } else { Effort::Full };
            return Ok(Turn::Polled(Box::new(candidate.station.poll(port, effort).await?)));
        }
        let open = self.is_open();
        for _ in 0..AT_A_TIME {
            let Some(candidate) = self.candidates.get_mut(self.next) else { break };
            port.tune(candidate.line)?;
            // With nothing left open there is nothing to look for: lost bytes are asked again.
            let effort = if open || lost { Effort::Little } else { Effort::Full };
            let mut round = candidate.station.poll(port, effort).await?;
            if round.heard {
                self.found = Some(self.next);
                if open {
                    // What little effort missed is asked again at once.
                    let identity = round.identity.take();
                    round = candidate.station.poll(port, Effort::Full).await?;
                    round.identity = round.identity.or(identity);
                }
                let (line, protocol) = (candidate.line, candidate.station.protocol());
                if !std::mem::replace(&mut self.told, true) {
                    let who = candidate.station.who();
                    tracing::info!(%line, %protocol, who, "the device answers");
                    let identity = round.identity.get_or_insert_default();
                    identity.protocol = Some(protocol.to_string());
                    identity.line = Some(line.to_string());
                }
                return Ok(Turn::Polled(Box::new(round)));
            }
            self.next += 1;
            if self.next == self.candidates.len() {
                self.next = 0;
                if open {
                    let count = self.candidates.len();
                    let missed = format!(
                        "no answer to any of {count} protocols and speeds; check its address and \
                         power and the wires A and B"
                    );
                    return Ok(Turn::Polled(Box::new(Round::missed(missed))));
                }
                return Ok(Turn::Polled(Box::new(round)));
            }
        }
        Ok(Turn::Looking)
    }
}
