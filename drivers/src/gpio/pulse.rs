//! A meter's pulse output: one closing of its contact for each so many litres or watt hours. The
//! count goes on from the last reading that was reported, so it survives a restart; what came while
//! the box was off, or in the last three minutes before its power went, is missing. It must never count a
//! level as a pulse, nor go back.

use std::sync::Arc;
use std::time::Duration;

use anju_model::config::GpioBinding;
use anju_model::observation::{Meter, Origin};
use anju_model::{DeviceKind, Observation};
use tokio_util::sync::CancellationToken;

use super::debounce::Debounce;
use super::lines::{Edge, InputLine, LineError, Lines, Wiring};
use super::opening::{self, Opening, Say};
use super::reed;

/// A count that goes on is told at most this often; the first pulse after a rest at once.
pub const TELL: Duration = Duration::from_secs(60);
/// A count that stays is told this often.
pub const SAME_AGAIN: Duration = Duration::from_secs(15 * 60);

/// The count of one meter. Times are offsets on the clock of its edges.
#[derive(Debug)]
pub struct Counter {
    /// Litres or watt hours when it began.
    base: f64,
    per_pulse: f64,
    pulses: u64,
    filter: Debounce,
    told: u64,
    told_at: Duration,
}

impl Counter {
    /// A count that goes on from `base`. `away` is whether the contact is away from rest now;
    /// `debounce` is zero where the kernel debounces.
    pub const fn new(
        base: f64,
        per_pulse: f64,
        debounce: Duration,
        away: bool,
        now: Duration,
    ) -> Self {
        let filter = Debounce::new(debounce, away);
        Self { base, per_pulse, pulses: 0, filter, told: 0, told_at: now }
    }

    /// Takes an edge.
    pub fn edge(&mut self, at: Duration, away: bool) {
        if let Some(settled) = self.filter.edge(at, away) {
            self.pulses += u64::from(settled.active);
        }
    }

    /// Lets time pass; gives the reading, litres or watt hours, when it is to be told.
    pub fn tick(&mut self, now: Duration) -> Option<f64> {
        if let Some(settled) = self.filter.tick(now) {
            self.pulses += u64::from(settled.active);
        }
        if now < self.due() {
            return None;
        }
        self.told = self.pulses;
        self.told_at = now;
        Some(self.reading())
    }

    /// What is not told yet; for the end.
    pub fn rest(&self) -> Option<f64> {
        (self.pulses != self.told).then(|| self.reading())
    }

    /// The reading now, litres or watt hours.
    pub fn reading(&self) -> f64 {
        // A home's pulses stay far below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let counted = self.pulses as f64 * self.per_pulse;
        // To a thousandth, which is below any pulse.
        ((self.base + counted) * 1000.0).round() / 1000.0
    }

    fn due(&self) -> Duration {
        self.told_at + if self.pulses == self.told { SAME_AGAIN } else { TELL }
    }

    /// When [`Counter::tick`] will next have something to do.
    pub fn wake(&self) -> Duration {
        self.filter.wake().map_or(self.due(), |wake| wake.min(self.due()))
    }
}

/// The task of a meter's line.
pub struct Pulses {
    /// Who hands the line out.
    pub lines: Arc<dyn Lines>,
    /// The meter.
    pub origin: Origin,
    /// How it is wired.
    pub binding: GpioBinding,
    /// The line.
    pub wiring: Wiring,
    /// What one pulse stands for, litres or watt hours.
    pub per_pulse: f64,
    /// Its last reading.
    pub last: Option<Meter>,
    /// Where it is told.
    pub say: Say,
    /// Cancelled at the end.
    pub stop: CancellationToken,
}

impl Pulses {
    /// Counts until told to stop.
    ///
    /// # Errors
    /// When the chip can not be had or was lost.
    pub async fn run(self) -> Result<(), LineError> {
        let mut opening = Opening::new(self.origin.clone());
        let taken = opening::input(&mut opening, &self.lines, &self.wiring, &self.say, &self.stop);
        let Some(line) = taken.await? else { return Ok(()) };
        let debounce = if line.debounced() { Duration::ZERO } else { self.binding.debounce };
        let last = self.last.clone().unwrap_or_default();
        let base = match self.origin.kind {
            DeviceKind::WaterMeter => last.volume_litres,
            _ => last.energy_watt_hours,
        };
        let away = self.away(line.closed()?);
        let now = self.lines.now();
        let mut counter = Counter::new(base.unwrap_or(0.0), self.per_pulse, debounce, away, now);
        self.tell(counter.reading(), true).await;
        let end = self.count(line, &mut counter).await;
        // Whatever ends it, the count is kept.
        if let Some(reading) = counter.rest() {
            self.tell(reading, false).await;
        }
        end
    }

    async fn count(
        &self,
        mut line: Box<dyn InputLine>,
        counter: &mut Counter,
    ) -> Result<(), LineError> {
        // The first pulse is news at once.
        let mut resting = true;
        loop {
            let pause = counter.wake().saturating_sub(self.lines.now());
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                edge = line.edge() => {
                    let Edge { at, closed, lost } = edge?;
                    if lost {
                        tracing::warn!(device = %self.origin.device, "pulses were lost: the line moves too fast");
                    }
                    counter.edge(at, self.away(closed));
                    if resting && let Some(reading) = counter.rest() {
                        resting = false;
                        counter.told = counter.pulses;
                        counter.told_at = self.lines.now();
                        self.tell(reading, false).await;
                    }
                }
                () = tokio::time::sleep(pause) => {
                    let before = counter.told;
                    if let Some(reading) = counter.tick(self.lines.now()) {
                        resting = counter.told == before;
                        self.tell(reading, false).await;
                    }
                }
            }
        }
    }

    const fn away(&self, closed: bool) -> bool {
        reed::away_from_rest(self.binding.contact, closed)
    }

    async fn tell(&self, reading: f64, baseline: bool) {
        let meter = Meter { resolution: Some(self.per_pulse), ..Meter::default() };
        let meter = match self.origin.kind {
            DeviceKind::WaterMeter => Meter { volume_litres: Some(reading), ..meter },
            _ => Meter { energy_watt_hours: Some(reading), ..meter },
        };
        let said = Observation::new(self.origin.clone(), meter);
        // The box stops when nobody listens; `stop` says so too.
        let _ = self.say.send(if baseline { said.as_baseline() } else { said }).await;
    }
}
