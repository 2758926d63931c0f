//! One port: a request out, its answer in, one at a time. It must never wait for ever, whatever
//! the wires do, and never take a read of nothing for silence: that is a port that is gone.

use std::time::Duration;

use anju_model::config::{Parity, SerialLink};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_serial::{DataBits, FlowControl, SerialPortBuilderExt, SerialStream, StopBits};

use super::dlt645::{Address, Answer, BadFrame, LONGEST_FRAME, NoAnswer, Parser, Request, WAKE};
use crate::driver::DriverError;

/// Longest silence before an answer and within it (clause 5.3.3).
const REPLY: Duration = Duration::from_millis(500);
/// Silence before a request, besides the time of a few characters: transceivers turn around.
const GAP: Duration = Duration::from_millis(30);
/// Longest wait for that silence on wires that babble.
const SETTLE: Duration = Duration::from_millis(500);
/// Time the port has to take a request, besides the time of its characters.
const TAKE: Duration = Duration::from_secs(2);
/// Bytes that wake a receiver.
const WAKES: usize = 4;

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// Nothing came, or only the own echo.
    #[error("no answer; check its address and power, the wires A and B, baud rate and parity")]
    Silent,
    /// What came is damaged.
    #[error("damaged answer ({0}); check the wires, the baud rate and the parity")]
    Damaged(BadFrame),
    /// What came is something else.
    #[error("no usable answer ({0})")]
    Other(NoAnswer),
}

/// An open port.
#[derive(Debug)]
pub struct Port<P> {
    io: P,
    /// For errors.
    link: String,
    /// Time of one character on the wire.
    character: Duration,
    parser: Parser,
}

/// Opens the port as configured, with 8 data bits.
///
/// # Errors
/// [`DriverError::Link`] when it is not there, is taken, or can not be set so.
pub fn open(link: &SerialLink) -> Result<Port<SerialStream>, DriverError> {
    let path = link.path.to_string_lossy();
    let io = tokio_serial::new(path.as_ref(), link.baud)
        .data_bits(DataBits::Eight)
        .parity(match link.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(if link.stop_bits == 2 { StopBits::Two } else { StopBits::One })
        .flow_control(FlowControl::None)
        .open_native_async()
        .map_err(|error| DriverError::Link {
            link: name(link),
            reason: format!(
                "can not be opened: {error}; check that the adapter is plugged in and that no \
                 other program has it"
            ),
        })?;
    Ok(Port::new(io, link))
}

fn name(link: &SerialLink) -> String {
    format!("serial port {}", link.path.display())
}

impl<P: AsyncRead + AsyncWrite + Unpin> Port<P> {
    /// A port that is open already.
    pub fn new(io: P, link: &SerialLink) -> Self {
        let parity = u32::from(link.parity != Parity::None);
        let bits = 1 + 8 + parity + u32::from(link.stop_bits);
        let character = Duration::from_secs(1) * bits / link.baud.max(1);
        Self { io, link: name(link), character, parser: Parser::default() }
    }

    /// Asks up to `tries` times.
    ///
    /// # Errors
    /// The outer one when the port is gone, the inner one when no answer came.
    pub async fn ask(
        &mut self,
        address: Address,
        request: Request,
        tries: u32,
    ) -> Result<Result<Answer, Miss>, DriverError> {
        let mut wire = vec![WAKE; WAKES];
        wire.extend(request.encode(address));
        let mut miss = Miss::Silent;
        for _ in 0..tries {
            self.settle().await?;
            self.parser.clear();
            let sent = self.send(&wire).await?;
            match self.listen(address, request, sent).await? {
                Ok(answer) => return Ok(Ok(answer)),
                Err(Miss::Silent) => {}
                Err(other) => miss = other,
            }
        }
        Ok(Err(miss))
    }

    /// Passes over whatever comes, until `at` or, without it, until the port is gone.
    ///
    /// # Errors
    /// When the port is gone.
    pub async fn idle_until(&mut self, at: Option<Instant>) -> Result<(), DriverError> {
        let mut bytes = [0; 64];
        loop {
            match at {
                None => self.read(&mut bytes).await?,
                Some(at) => match timeout_at(at, self.read(&mut bytes)).await {
                    Ok(read) => read?,
                    Err(_) => return Ok(()),
                },
            };
            // A port that babbles must not keep the time from being looked at.
            if at.is_some_and(|at| at <= Instant::now()) {
                return Ok(());
            }
        }
    }

    /// Waits until the wires are silent.
    async fn settle(&mut self) -> Result<(), DriverError> {
        let gap = GAP + self.character * 5;
        let latest = Instant::now() + SETTLE;
        let mut bytes = [0; 64];
        while Instant::now() < latest {
            match timeout(gap, self.read(&mut bytes)).await {
                Ok(read) => read?,
                Err(_) => break,
            };
        }
        Ok(())
    }

    /// Sends; returns when the last bit is on the wire. The kernel's own waiting for that blocks,
    /// for ever on an adapter that hangs, so it is reckoned.
    async fn send(&mut self, wire: &[u8]) -> Result<Instant, DriverError> {
        let time = self.characters(wire.len());
        let begun = Instant::now();
        match timeout(time + TAKE, self.io.write_all(wire)).await {
            Ok(Ok(())) => Ok(begun + time),
            Ok(Err(error)) => Err(self.lost(&error.to_string())),
            Err(_) => Err(self.lost("it takes no more bytes")),
        }
    }

    async fn listen(
        &mut self,
        address: Address,
        request: Request,
        sent: Instant,
    ) -> Result<Result<Answer, Miss>, DriverError> {
        let latest = sent + 2 * REPLY + self.characters(2 * LONGEST_FRAME);
        let mut silent_at = sent + REPLY;
        let mut miss = Miss::Silent;
        let mut bytes = [0; 256];
        loop {
            let (frames, ended) =
                match timeout_at(silent_at.min(latest), self.read(&mut bytes)).await {
                    Ok(count) => {
                        let count = count?;
                        silent_at = Instant::now().max(sent) + REPLY;
                        let ended = silent_at >= latest + REPLY;
                        (self.parser.feed(bytes.get(..count).unwrap_or_default()), ended)
                    }
                    Err(_) => (self.parser.finish(), true),
                };
            for frame in frames {
                let frame = match frame {
                    Ok(frame) => frame,
                    Err(bad) => {
                        miss = Miss::Damaged(bad);
                        continue;
                    }
                };
                match super::dlt645::answer(&frame, address, request) {
                    Ok(answer) => return Ok(Ok(answer)),
                    // The own echo, or another meter's late answer.
                    Err(NoAnswer::Request | NoAnswer::OtherMeter(_)) => {}
                    Err(other) => miss = Miss::Other(other),
                }
            }
            if ended {
                return Ok(Err(miss));
            }
        }
    }

    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, DriverError> {
        match self.io.read(bytes).await {
            Ok(0) => Err(self.lost("the adapter was unplugged")),
            Ok(count) => Ok(count),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    fn characters(&self, count: usize) -> Duration {
        self.character * u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn lost(&self, what: &str) -> DriverError {
        let reason = format!("lost: {what}; check that it is plugged in firmly");
        DriverError::Link { link: self.link.clone(), reason }
    }
}
