//! A speaker in another room: a Wyoming satellite, or a sound service (`snd`) of that protocol, which
//! the box sends what is said as events over TCP. The connection stays open between utterances, so
//! that a call for help waits for none to be made. Whoever takes sound must have said who it is: one
//! that accepts everything and reads nothing would be a speaker that nobody hears. Nothing here waits
//! without limit.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use anju_wyoming::{Decoder, encode};
use serde_json::{Value, json};

use super::sink::{Checks, Outlet, Sink, SinkError};
use super::thread::RATE_HZ;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// It takes nothing for this long: it is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(2);
/// It says who it is within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How far sending may be ahead of hearing: against a radio that stutters, and short enough for
/// something more urgent to be heard soon.
const AHEAD: Duration = Duration::from_millis(200);
/// Most pieces that are read in one go.
const READS: usize = 64;
/// The socket is looked at this often while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Where a satellite is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SatelliteSettings {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// When it is asked whether it is there.
    pub checks: Checks,
}

/// Looks whether a satellite is there, within some seconds. For whoever looks the box over.
///
/// # Errors
/// What is wrong, and the mend.
pub fn probe(host: &str, port: u16) -> Result<(), String> {
    let checks = Checks { misses: 1, ..Checks::default() };
    let settings = SatelliteSettings { host: host.to_owned(), port, checks };
    let found = Satellite::new(settings).check();
    found.unwrap_or(Ok(())).map_err(|error| error.to_string())
}

/// A satellite and the connection to it.
pub(super) struct Satellite {
    settings: SatelliteSettings,
    link: Option<Link>,
    check_at: Instant,
    misses: u32,
}

impl Satellite {
    pub(super) fn new(settings: SatelliteSettings) -> Self {
        Self { settings, link: None, check_at: Instant::now(), misses: 0 }
    }

    /// Asks who is there and sends the bytes, over the connection that is there or a new one.
    fn begin(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        if let Some(link) = &mut self.link
            && link.hear().and_then(|()| link.ask(bytes)).is_ok()
        {
            return Ok(());
        }
        let begun = Link::open(&self.settings);
        self.link = begun.map_err(|what| failed(&self.settings, what))?.into();
        self.with(|link| link.ask(bytes))
    }

    /// Works on the connection, which is given up when that fails.
    fn with(
        &mut self,
        work: impl FnOnce(&mut Link) -> Result<(), String>,
    ) -> Result<(), SinkError> {
        let done = match &mut self.link {
            Some(link) => work(link),
            None => Err("is not connected".to_owned()),
        };
        done.map_err(|what| {
            self.link = None;
            failed(&self.settings, what)
        })
    }

    fn is_there(&mut self) {
        self.misses = 0;
        self.check_at = Instant::now() + self.settings.checks.every;
    }
}

fn failed(settings: &SatelliteSettings, what: String) -> SinkError {
    SinkError::Satellite { address: format!("{}:{}", settings.host, settings.port), what }
}

impl Outlet for Satellite {
    fn open(&mut self) -> Result<Box<dyn Sink + '_>, SinkError> {
        self.begin(&encode("audio-start", &format(), &[]))?;
        Ok(Box::new(Utterance { satellite: self, from: Instant::now(), samples: 0 }))
    }

    fn check_at(&self) -> Option<Instant> {
        Some(self.check_at)
    }

    fn check(&mut self) -> Option<Result<(), SinkError>> {
        match self.begin(&[]).and_then(|()| self.with(Link::answered)) {
            Ok(()) => {
                self.is_there();
                Some(Ok(()))
            }
            Err(error) => {
                self.misses += 1;
                self.check_at = Instant::now() + self.settings.checks.again;
                (self.misses >= self.settings.checks.misses).then_some(Err(error))
            }
        }
    }
}

/// One utterance on its way.
struct Utterance<'a> {
    satellite: &'a mut Satellite,
    from: Instant,
    samples: u32,
}

impl Utterance<'_> {
    /// When what was sent has been heard.
    fn heard_at(&self) -> Instant {
        self.from + Duration::from_secs_f64(f64::from(self.samples) / f64::from(RATE_HZ))
    }
}

impl Sink for Utterance<'_> {
    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn write(&mut self, piece: &[i16]) -> Result<(), SinkError> {
        let bytes: Vec<u8> = piece.iter().flat_map(|s| s.to_le_bytes()).collect();
        let chunk = encode("audio-chunk", &format(), &bytes);
        self.samples = self.samples.saturating_add(u32::try_from(piece.len()).unwrap_or(0));
        let until = self.heard_at();
        self.satellite.with(|link| {
            link.send(&chunk)?;
            link.wait_until(until.checked_sub(AHEAD).unwrap_or(until))
        })
    }

    fn is_heard(&self) -> bool {
        self.satellite.link.as_ref().is_some_and(|link| link.asked.is_none())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        let until = self.heard_at();
        self.satellite.with(|link| {
            link.send(&encode("audio-stop", &Value::Null, &[]))?;
            link.wait_until(until)?;
            link.answered()
        })?;
        self.satellite.is_there();
        Ok(())
    }

    fn cut(&mut self) {
        // One that can not even be told so is found out by what comes next.
        let _ = self.satellite.with(|link| link.send(&encode("audio-stop", &Value::Null, &[])));
    }
}

fn format() -> Value {
    json!({"rate": RATE_HZ, "width": 2, "channels": 1})
}

/// One connection. Errors are what the satellite did, to follow its address.
struct Link {
    stream: TcpStream,
    decoder: Decoder,
    /// Since when it owes the answer who it is.
    asked: Option<Instant>,
}

impl Link {
    fn open(settings: &SatelliteSettings) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("can not be reached ({error})");
        let found = (settings.host.as_str(), settings.port).to_socket_addrs().map_err(cannot)?;
        let mut result = Err("has no address in the network".to_owned());
        for address in found {
            result = TcpStream::connect_timeout(&address, CONNECT_WITHIN).map_err(cannot);
            if result.is_ok() {
                break;
            }
        }
        let stream = result?;
        stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).map_err(cannot)?;
        Ok(Self { stream, decoder: Decoder::default(), asked: None })
    }

    /// Asks who it is, and sends what follows with it.
    fn ask(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut all = encode("describe", &Value::Null, &[]);
        all.extend_from_slice(bytes);
        self.asked.get_or_insert_with(Instant::now);
        self.send(&all)
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        let since = Instant::now();
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if since.elapsed() >= STUCK_AFTER {
                        return Err("takes no sound".to_owned());
                    }
                    self.hear()?;
                    std::thread::sleep(LOOK_EVERY);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("broke the connection ({error})")),
            }
        }
        self.hear()
    }

    /// Takes what came meanwhile.
    fn hear(&mut self) -> Result<(), String> {
        let mut buffer = [0; 4096];
        // One that talks without end is not listened to without end.
        for _ in 0..READS {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err("ended the connection".to_owned()),
                Ok(count) => {
                    let events = self.decoder.feed(buffer.get(..count).unwrap_or_default());
                    let events = events.map_err(|bad| bad.to_string())?;
                    if events.iter().any(|event| event.kind == "info") {
                        self.asked = None;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("broke the connection ({error})")),
            }
        }
        match self.asked {
            Some(asked) if asked.elapsed() >= ANSWERS_WITHIN => {
                Err("does not say who it is".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn wait_until(&mut self, until: Instant) -> Result<(), String> {
        self.hear()?;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            std::thread::sleep(left.min(LOOK_EVERY));
            self.hear()?;
        }
        Ok(())
    }

    /// Waits until it has said who it is, or should have.
    fn answered(&mut self) -> Result<(), String> {
        while self.asked.is_some() {
            std::thread::sleep(LOOK_EVERY);
            self.hear()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
