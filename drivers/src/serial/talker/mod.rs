//! Devices that talk by themselves, one on a port: radars, dust sensors, voice modules. The driver
//! hears, asks again now and then, and says when nothing comes any more: silence is never taken for
//! an empty room. It must never send what changes more than whether the device reports.

pub mod fuzzed;
pub mod ld2410;
pub mod pms5003;
pub mod radar;
pub mod voice;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anju_model::config::{Device, SerialLink, TalkProtocol, TalkerBinding};
use anju_model::observation::{Online, Origin, Trouble};
use anju_model::{Fact, LinkId, Observation};
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::line::{self, Line, Wires, link_name};
use super::stream::BadFrame;
use crate::driver::{Claim, Context, Driver, DriverError};
use crate::memory::Memory;

/// How often a device is asked for what it says only when it changes.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// Time the port has to take a question.
const TAKE: Duration = Duration::from_secs(2);

/// Damaged frames, with none that is sound between them, that make a device faulty.
const DAMAGED_TO_FAULTY: u32 = 20;

/// Damaged frames are logged at most this often.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// What a device said with some bytes.
#[derive(Debug, Default)]
pub struct Heard {
    /// What follows from it, in the order of the bytes.
    pub facts: Vec<Fact>,
    /// How many sound frames there were.
    pub sound: u32,
    /// What looked like a frame and was none.
    pub damaged: Vec<BadFrame>,
}

/// A protocol of a device that talks by itself: a pure state machine from bytes to facts.
pub trait Talker: Send + Sync {
    /// Takes bytes as they come.
    fn hear(&mut self, bytes: &[u8]) -> Heard;

    /// What is sent once the port is open, so that the device reports.
    fn begin(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// What is asked each minute.
    fn ask(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// How often it is asked now.
    fn ask_every(&self) -> Duration {
        ASK_EVERY
    }

    /// Longest silence of a device that works; `None` for one that is silent by nature.
    fn silence(&self) -> Option<Duration>;
}

/// One port with the one device on it.
#[derive(Debug)]
pub struct TalkerDriver {
    name: String,
    path: PathBuf,
    line: Line,
    origin: Origin,
    binding: TalkerBinding,
}

impl TalkerDriver {
    /// A driver for a device alone on a port.
    pub fn new(id: &LinkId, link: &SerialLink, device: &Device, binding: &TalkerBinding) -> Self {
        let usual = usual_line(binding.protocol);
        Self {
            name: format!("serial:{id}"),
            path: link.path.clone(),
            line: Line {
                baud: link.baud.unwrap_or(usual.baud),
                parity: link.parity.unwrap_or(usual.parity),
                stop_bits: link.stop_bits,
            },
            origin: device.origin(),
            binding: binding.clone(),
        }
    }

    fn talker(&self) -> Result<Box<dyn Talker>, DriverError> {
        Ok(match self.binding.protocol {
            TalkProtocol::Ld2410 => Box::new(ld2410::Ld2410::default()),
            TalkProtocol::Pms5003 => Box::new(pms5003::Pms5003::default()),
            TalkProtocol::Voice => {
                let voice = voice::Voice::new(self.binding.frame.as_deref(), &self.binding.words);
                Box::new(voice.map_err(|error| DriverError::Link {
                    link: link_name(&self.path),
                    reason: error.to_string(),
                })?)
            }
            TalkProtocol::Radar => Box::new(radar::Radar::new(self.origin.kind)),
        })
    }

    async fn serve(&self, context: &Context) -> Result<(), DriverError> {
        let talker = self.talker()?;
        let wires = line::open(&self.path, self.line)?;
        tracing::info!(driver = self.name, line = %self.line, "opened the port");
        Session::new(link_name(&self.path), &self.origin, talker).run(wires, context).await
    }
}

/// How the makers set the line.
const fn usual_line(protocol: TalkProtocol) -> Line {
    let baud = match protocol {
        TalkProtocol::Ld2410 => ld2410::BAUD,
        TalkProtocol::Pms5003 => pms5003::BAUD,
        TalkProtocol::Voice => voice::BAUD,
        TalkProtocol::Radar => radar::BAUD,
    };
    Line::new(baud, anju_model::config::Parity::None)
}

impl Driver for TalkerDriver {
    fn name(&self) -> &str {
        &self.name
    }

    fn devices(&self) -> Vec<Origin> {
        vec![self.origin.clone()]
    }

    fn claims(&self) -> Vec<Claim> {
        vec![Claim::SerialPort(self.path.clone())]
    }

    fn run(self: Arc<Self>, mut context: Context) -> BoxFuture<'static, Result<(), DriverError>> {
        Box::pin(async move {
            let stopped = context.refuse_until_stopped();
            tokio::select! {
                biased;
                () = stopped => Ok(()),
                end = self.serve(&context) => end,
            }
        })
    }
}

/// One opening of the port.
struct Session<'a> {
    link: String,
    origin: &'a Origin,
    talker: Box<dyn Talker>,
    memory: Memory,
    heard_before: bool,
    damaged: u32,
    faulty: bool,
    logged: Option<Instant>,
    lost: bool,
}

impl<'a> Session<'a> {
    fn new(link: String, origin: &'a Origin, talker: Box<dyn Talker>) -> Self {
        Self {
            link,
            origin,
            talker,
            memory: Memory::default(),
            heard_before: false,
            damaged: 0,
            faulty: false,
            logged: None,
            lost: false,
        }
    }

    async fn run<W: Wires>(mut self, mut wires: W, context: &Context) -> Result<(), DriverError> {
        self.send(&mut wires, self.talker.begin()).await?;
        let mut asked_at = Instant::now();
        let mut heard_at = Instant::now();
        let mut bytes = [0; 512];
        loop {
            let now = Instant::now();
            if now >= asked_at + self.talker.ask_every() {
                self.send(&mut wires, self.talker.ask()).await?;
                asked_at = now;
            }
            let next_ask = asked_at + self.talker.ask_every();
            let silent_at = self.talker.silence().map(|most| heard_at + most);
            if let Some(at) = silent_at
                && now >= at
                && !self.lost
            {
                self.lost = true;
                let reason = "nothing comes from it; check its power, its wires and the baud rate";
                self.say(context, Online { online: false, reason: Some(reason.into()) }).await?;
            }
            let until = silent_at.filter(|_| !self.lost).map_or(next_ask, |at| at.min(next_ask));
            let Ok(read) = tokio::time::timeout_at(until, wires.read(&mut bytes)).await else {
                continue;
            };
            let count = match read {
                Ok(0) => return Err(self.gone("the adapter was unplugged")),
                Ok(count) => count,
                Err(error) => return Err(self.gone(&error.to_string())),
            };
            let heard = self.talker.hear(bytes.get(..count).unwrap_or_default());
            if heard.sound > 0 {
                heard_at = Instant::now();
            }
            self.tell(heard, context).await?;
        }
    }

    async fn tell(&mut self, heard: Heard, context: &Context) -> Result<(), DriverError> {
        let now = Instant::now();
        self.judge(&heard, now, context).await?;
        if heard.sound == 0 {
            return Ok(());
        }
        if std::mem::take(&mut self.lost) {
            self.say(context, Online { online: true, reason: None }).await?;
        }
        let first = !std::mem::replace(&mut self.heard_before, true);
        if context.asked_anew().contains(&self.origin.device) {
            self.memory.tell_anew();
        }
        for fact in heard.facts {
            let event = matches!(fact, Fact::Help(_));
            if event || self.memory.news(&fact, now) {
                // What moves or lies in the room when the box begins is a base line; an alarm that
                // stands is none.
                let level = matches!(fact, Fact::Presence(_) | Fact::Motion(_) | Fact::Bed(_));
                let mut said = Observation::new(self.origin.clone(), fact);
                said.baseline = first && level;
                context.report(said).await?;
                self.memory.said(now);
            }
        }
        Ok(())
    }

    /// Counts what is damaged.
    async fn judge(
        &mut self,
        heard: &Heard,
        now: Instant,
        context: &Context,
    ) -> Result<(), DriverError> {
        let count = u32::try_from(heard.damaged.len()).unwrap_or(u32::MAX);
        if let Some(why) = heard.damaged.last()
            && self.logged.is_none_or(|at| now.duration_since(at) >= LOG_EVERY)
        {
            self.logged = Some(now);
            tracing::warn!(device = %self.origin.device, %why, "damaged frames");
        }
        self.damaged = if heard.sound > 0 { count } else { self.damaged.saturating_add(count) };
        let faulty = self.damaged >= DAMAGED_TO_FAULTY;
        if faulty == self.faulty || (self.faulty && heard.sound == 0) {
            return Ok(());
        }
        self.faulty = faulty;
        let reason = if faulty {
            "what it sends is damaged; check the wires and the baud rate"
        } else {
            "what it sends is sound again"
        };
        self.say(context, Trouble { active: faulty, reason: reason.into() }).await
    }

    async fn say(&self, context: &Context, fact: impl Into<Fact>) -> Result<(), DriverError> {
        context.report(Observation::new(self.origin.clone(), fact)).await
    }

    async fn send<W: Wires>(
        &self,
        wires: &mut W,
        questions: Vec<Vec<u8>>,
    ) -> Result<(), DriverError> {
        for question in questions {
            match timeout(TAKE, wires.write_all(&question)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(self.gone(&error.to_string())),
                Err(_) => return Err(self.gone("it takes no more bytes")),
            }
        }
        Ok(())
    }

    fn gone(&self, what: &str) -> DriverError {
        let reason = format!("lost: {what}; check that it is plugged in firmly");
        DriverError::Link { link: self.link.clone(), reason }
    }
}

/// Feeds a stream of frames and hands each sound one on.
fn frames<F: super::stream::Framed>(
    stream: &mut super::stream::Stream<F>,
    bytes: &[u8],
    mut take: impl FnMut(F, &mut Vec<Fact>),
) -> Heard {
    let mut heard = Heard::default();
    for frame in stream.feed(bytes) {
        match frame {
            Ok(frame) => {
                heard.sound = heard.sound.saturating_add(1);
                take(frame, &mut heard.facts);
            }
            Err(bad) => heard.damaged.push(bad),
        }
    }
    heard
}
