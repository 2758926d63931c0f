//! One input line, from taking it to telling what the device on it says. Edges come before time: what
//! the kernel has already seen is taken before time is allowed to make a hold of it.

use std::sync::Arc;
use std::time::Duration;

use anju_model::Observation;
use anju_model::config::GpioBinding;
use anju_model::observation::Origin;
use tokio::sync::watch::Sender;
use tokio_util::sync::CancellationToken;

use super::lines::{Edge, InputLine, LineError, Lines, Wiring};
use super::opening::{self, Opening, Say};
use super::sense::{Input, InputTimings, Role, Said};

/// How often the level is compared with what the edges told. Nothing is polled for its own sake: this
/// finds edges that got lost, and a chip whose going the kernel (before 6.7) does not tell.
const LOOK: Duration = Duration::from_secs(15);
/// A contradiction must last this long, because an edge may just be on its way.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// One input line.
pub struct Watch {
    /// Who hands the line out.
    pub lines: Arc<dyn Lines>,
    /// The device on it.
    pub origin: Origin,
    /// What it stands for.
    pub role: Role,
    /// How it is wired.
    pub binding: GpioBinding,
    /// The line.
    pub wiring: Wiring,
    /// The times it goes by.
    pub timings: InputTimings,
    /// Whether its contact is closed, for the supervision of its loop.
    pub level: Option<Sender<Option<bool>>>,
    /// Where it is told.
    pub say: Say,
    /// Cancelled at the end.
    pub stop: CancellationToken,
}

impl Watch {
    /// Watches until told to stop.
    ///
    /// # Errors
    /// When the chip can not be had or was lost.
    pub async fn run(self) -> Result<(), LineError> {
        let mut opening = Opening::new(self.origin.clone());
        let taken = opening::input(&mut opening, &self.lines, &self.wiring, &self.say, &self.stop);
        match taken.await? {
            Some(line) => self.listen(line).await,
            None => Ok(()),
        }
    }

    async fn listen(&self, mut line: Box<dyn InputLine>) -> Result<(), LineError> {
        let debounce = if line.debounced() { Duration::ZERO } else { self.binding.debounce };
        let contact = self.binding.contact;
        let begin = self.lines.now();
        let closed = line.closed()?;
        // An edge between taking the line and reading it is in that level already, and still to come.
        let early = line.pending()?;
        let at_first = early.map_or(closed, |edge| !edge.closed);
        let (mut input, found) =
            Input::new(self.role, contact, debounce, self.timings, at_first, begin);
        self.tell(found).await;
        self.level(closed);
        if let Some(edge) = early {
            self.tell(input.edge(edge)).await;
        }
        let mut look = begin + LOOK;
        let mut doubtful = false;
        loop {
            let until = input.wake().map_or(look, |wake| wake.min(look));
            let pause = until.saturating_sub(self.lines.now());
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                edge = line.edge() => {
                    doubtful = false;
                    let edge = edge?;
                    self.level(edge.closed);
                    self.tell(input.edge(edge)).await;
                    // A storm on this line leaves the others their turn.
                    tokio::task::yield_now().await;
                }
                () = tokio::time::sleep(pause) => {
                    let now = self.lines.now();
                    while let Some(edge) = line.pending()? {
                        doubtful = false;
                        self.level(edge.closed);
                        self.tell(input.edge(edge)).await;
                    }
                    self.tell(input.tick(now)).await;
                    if now < look {
                        continue;
                    }
                    let closed = line.closed()?;
                    self.level(closed);
                    let contradicts = input.contradicts(closed);
                    if contradicts && doubtful {
                        self.tell(input.edge(Edge { at: now, closed, lost: true })).await;
                    }
                    doubtful = contradicts && !doubtful;
                    look = now + if doubtful { LOOK_AGAIN } else { LOOK };
                }
            }
        }
    }

    fn level(&self, closed: bool) {
        if let Some(level) = &self.level {
            level.send_replace(Some(closed));
        }
    }

    async fn tell(&self, said: Vec<Said>) {
        for Said { fact, baseline } in said {
            let observation = Observation::new(self.origin.clone(), fact);
            let observation = if baseline { observation.as_baseline() } else { observation };
            // The box stops when nobody listens; `stop` says so too.
            let _ = self.say.send(observation).await;
        }
    }
}
