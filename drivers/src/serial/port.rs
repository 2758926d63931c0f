//! One port of a bus: a request out, its answer in, one at a time. It must never wait for ever,
//! whatever the wires do, and never take a read of nothing for silence: that is a port that is gone.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout, timeout_at};

use super::line::{Line, Wires, link_name};
use super::stream::{BadFrame, Framed, Stream};
use crate::driver::DriverError;

/// Silence before a request, besides the time of a few characters: transceivers turn around.
const GAP: Duration = Duration::from_millis(30);
/// Longest wait for that silence on wires that babble.
const SETTLE: Duration = Duration::from_millis(500);
/// Time the port has to take a request, besides the time of its characters.
const TAKE: Duration = Duration::from_secs(2);

/// One request and how its answer is known.
pub trait Exchange: Sync {
    /// The frames of its protocol.
    type Frame: Framed + Send + Sync;
    /// What is answered.
    type Answer: Send;

    /// The bytes to send.
    fn request(&self) -> Vec<u8>;

    /// Longest silence before the answer and within it.
    fn patience(&self) -> Duration;

    /// What a frame answers to this request.
    ///
    /// # Errors
    /// [`NoAnswer`] when it belongs to something else.
    fn answer(&self, frame: &Self::Frame) -> Result<Self::Answer, NoAnswer>;
}

/// Why a sound frame is no answer to the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The own request heard back on the two wires, or what another device says.
    #[error("what {0} says")]
    Foreign(String),
    /// From the right device, and of no use.
    #[error("{0}")]
    Useless(String),
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// Nothing came, or only the own echo.
    #[error("no answer; check its address and power, the wires A and B, baud rate and parity")]
    Silent,
    /// What came is damaged.
    #[error("damaged answer ({0}); check the wires, the baud rate and the parity")]
    Damaged(BadFrame),
    /// What came is something else.
    #[error("no usable answer ({0})")]
    Useless(String),
}

/// An open port.
#[derive(Debug)]
pub struct Port<W> {
    wires: W,
    /// For errors.
    link: String,
    line: Line,
}

impl<W: Wires> Port<W> {
    /// A port that is open and set already.
    pub fn new(wires: W, path: &Path, line: Line) -> Self {
        Self { wires, link: link_name(path), line }
    }

    /// Sets the line, if it is set otherwise.
    ///
    /// # Errors
    /// When the adapter can not be set so.
    pub fn tune(&mut self, line: Line) -> Result<(), DriverError> {
        if line != self.line {
            self.wires.tune(line).map_err(|error| self.lost(&error))?;
            self.line = line;
        }
        Ok(())
    }

    /// Asks up to `tries` times.
    ///
    /// # Errors
    /// The outer one when the port is gone, the inner one when no answer came.
    pub async fn ask<E: Exchange>(
        &mut self,
        exchange: &E,
        tries: u32,
    ) -> Result<Result<E::Answer, Miss>, DriverError> {
        let wire = exchange.request();
        let mut miss = Miss::Silent;
        for _ in 0..tries {
            self.settle().await?;
            let sent = self.send(&wire).await?;
            match self.listen(exchange, sent).await? {
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

    /// Lends the wires to a client of another crate for one request: what it writes goes out, what
    /// comes in without the own echo goes to it. Ends when the client does, or the port is gone.
    ///
    /// # Errors
    /// When the port is gone.
    pub async fn lend(&mut self, mut client: DuplexStream) -> Result<(), DriverError> {
        let mut bytes = [0; 256];
        let Ok(count @ 1..) = client.read(&mut bytes).await else { return Ok(()) };
        let request = bytes.get(..count).unwrap_or_default().to_vec();
        self.settle().await?;
        self.send(&request).await?;
        let mut echo = request.as_slice();
        let mut held = Vec::new();
        let mut more = [0; 1];
        loop {
            let count = tokio::select! {
                count = self.read(&mut bytes) => count?,
                _ = client.read(&mut more) => return Ok(()),
            };
            held.extend_from_slice(bytes.get(..count).unwrap_or_default());
            if !echo.is_empty() {
                let same = held.iter().zip(echo).take_while(|(a, b)| a == b).count();
                if same == held.len() && same < echo.len() {
                    continue;
                }
                if same == echo.len() {
                    held.drain(..same);
                }
                echo = &[];
            }
            if client.write_all(&std::mem::take(&mut held)).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Waits until the wires are silent.
    async fn settle(&mut self) -> Result<(), DriverError> {
        let gap = GAP + self.line.character() * 5;
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
        match timeout(time + TAKE, self.wires.write_all(wire)).await {
            Ok(Ok(())) => Ok(begun + time),
            Ok(Err(error)) => Err(self.lost(&error.to_string())),
            Err(_) => Err(self.lost("it takes no more bytes")),
        }
    }

    async fn listen<E: Exchange>(
        &mut self,
        exchange: &E,
        sent: Instant,
    ) -> Result<Result<E::Answer, Miss>, DriverError> {
        let patience = exchange.patience();
        let latest = sent + 2 * patience + self.characters(2 * E::Frame::LONGEST);
        let mut silent_at = sent + patience;
        let mut stream = Stream::<E::Frame>::default();
        let mut miss = Miss::Silent;
        let mut bytes = [0; 256];
        loop {
            let (frames, ended) =
                match timeout_at(silent_at.min(latest), self.read(&mut bytes)).await {
                    Ok(count) => {
                        let count = count?;
                        silent_at = Instant::now().max(sent) + patience;
                        let ended = silent_at >= latest + patience;
                        (stream.feed(bytes.get(..count).unwrap_or_default()), ended)
                    }
                    Err(_) => (stream.finish(), true),
                };
            for frame in frames {
                let frame = match frame {
                    Ok(frame) => frame,
                    Err(bad) => {
                        miss = Miss::Damaged(bad);
                        continue;
                    }
                };
                match exchange.answer(&frame) {
                    Ok(answer) => return Ok(Ok(answer)),
                    // The own echo, or another device's late answer.
                    Err(NoAnswer::Foreign(_)) => {}
                    Err(NoAnswer::Useless(why)) => miss = Miss::Useless(why),
                }
            }
            if ended {
                return Ok(Err(miss));
            }
        }
    }

    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, DriverError> {
        match self.wires.read(bytes).await {
            Ok(0) => Err(self.lost("the adapter was unplugged")),
            Ok(count) => Ok(count),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    fn characters(&self, count: usize) -> Duration {
        self.line.character() * u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn lost(&self, what: &str) -> DriverError {
        let reason = format!("lost: {what}; check that it is plugged in firmly");
        DriverError::Link { link: self.link.clone(), reason }
    }
}
