//! Lines by the kernel's GPIO character device (second version of its interface, Linux 5.10). Edges
//! carry the kernel's time stamps, and the kernel debounces. Works on any Linux board, a Raspberry
//! Pi with any kernel among them. It must never block: a read is only made when the kernel has said
//! that an event waits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anju_model::config::{ActiveLevel, Bias};
use futures::future::BoxFuture;
use gpiocdev::line::{Bias as Pull, EdgeDetection, EdgeKind, Value};
use gpiocdev::request::Builder;
use gpiocdev::{Chip, Request};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::lines::{Edge, InputLine, LineError, Lines, OutputLine, Wiring};

/// Edges that the kernel keeps for us while we are busy.
const KERNEL_BUFFER: u32 = 512;

/// "Permission denied" (`errno(3)`), the same number on every Linux.
const EACCES: i32 = 13;

/// The lines of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct CharDev;

impl Lines for CharDev {
    fn input(&self, wiring: &Wiring) -> Result<Box<dyn InputLine>, LineError> {
        let chip = find(&wiring.chip)?;
        let mut wanted = builder(&chip, wiring);
        wanted.as_input().with_edge_detection(EdgeDetection::BothEdges);
        wanted.with_kernel_event_buffer_size(KERNEL_BUFFER);
        match wiring.bias {
            Bias::PullUp => wanted.with_bias(Pull::PullUp),
            Bias::PullDown => wanted.with_bias(Pull::PullDown),
            Bias::None => wanted.with_bias(Pull::Disabled),
        };
        let plain = wanted.config();
        wanted.with_debounce_period(wiring.debounce);
        let (request, debounced) = match take(&mut wanted, &chip, wiring) {
            Ok(request) => (request, true),
            // An old or odd kernel: then the driver debounces.
            Err(LineError::Refused { .. }) => {
                (take(wanted.with_config(plain), &chip, wiring)?, false)
            }
            Err(error) => return Err(error),
        };
        let held = Held { chip, line: wiring.line };
        let request = registered(request).map_err(|error| held.refused(error))?;
        Ok(Box::new(Input { held, request, debounced, next_number: None }))
    }

    fn output(&self, wiring: &Wiring) -> Result<Box<dyn OutputLine>, LineError> {
        let chip = find(&wiring.chip)?;
        let mut wanted = builder(&chip, wiring);
        wanted.as_output(Value::Inactive);
        let request = take(&mut wanted, &chip, wiring)?;
        Ok(Box::new(Output { held: Held { chip, line: wiring.line }, request }))
    }

    fn now(&self) -> Duration {
        let now = clock_gettime(ClockId::Monotonic);
        // This clock starts at zero and stays below a second's worth of nanoseconds.
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
    }

    fn resolve(&self, chip: &Path) -> PathBuf {
        find(chip).unwrap_or_else(|_| chip.to_owned())
    }
}

fn builder(chip: &Path, wiring: &Wiring) -> Builder {
    let mut builder = Request::builder();
    builder.on_chip(chip).with_consumer(&wiring.consumer).with_line(wiring.line);
    match wiring.active {
        ActiveLevel::Low => builder.as_active_low(),
        ActiveLevel::High => builder.as_active_high(),
    };
    builder
}

/// Requests the line; on failure finds out why.
fn take(wanted: &mut Builder, chip: &Path, wiring: &Wiring) -> Result<Request, LineError> {
    let error = match wanted.request() {
        Ok(request) => return Ok(request),
        Err(error) => error,
    };
    let line = wiring.line;
    let opened = Chip::from_path(chip).map_err(|error| unopened(chip, &error))?;
    if let Ok(info) = opened.info()
        && line >= info.num_lines
    {
        let last = info.num_lines.saturating_sub(1);
        return Err(LineError::NoLine { chip: chip.to_owned(), line, last });
    }
    if let Ok(info) = opened.line_info(line)
        && info.used
    {
        let nameless = || "somebody without a name".to_owned();
        let consumer = Some(info.consumer).filter(|name| !name.is_empty()).unwrap_or_else(nameless);
        return Err(LineError::Busy { chip: chip.to_owned(), line, consumer });
    }
    Err(Held { chip: chip.to_owned(), line }.refused(error))
}

/// Waits on the request through the runtime. The constructor is deprecated because it trusts that the
/// descriptor stays the same and open, which its successor makes an `unsafe` promise of. A request
/// keeps its file for life.
#[expect(deprecated, reason = "unsafe code is forbidden, and the promise holds")]
fn registered(request: Request) -> std::io::Result<AsyncFd<Request>> {
    AsyncFd::with_interest(request, Interest::READABLE)
}

/// Finds a chip by path, name or label.
fn find(wanted: &Path) -> Result<PathBuf, LineError> {
    if wanted.is_absolute() {
        return gpiocdev::chip::is_chip(wanted).map_err(|error| unopened(wanted, &error));
    }
    let chips = gpiocdev::chip::chips().unwrap_or_default();
    if let Some(named) = chips.iter().find(|chip| chip.file_name() == Some(wanted.as_os_str())) {
        return Ok(named.clone());
    }
    let labelled: Vec<&PathBuf> =
        chips.iter().filter(|chip| label(chip).as_deref() == wanted.to_str()).collect();
    match labelled[..] {
        [chip] => Ok(chip.clone()),
        [] => Err(no_chip(wanted)),
        _ => Err(LineError::Ambiguous {
            chip: wanted.to_owned(),
            found: labelled
                .iter()
                .map(|chip| chip.display().to_string())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn label(chip: &Path) -> Option<String> {
    Some(Chip::from_path(chip).ok()?.info().ok()?.label)
}

fn unopened(chip: &Path, error: &gpiocdev::Error) -> LineError {
    match error {
        gpiocdev::Error::Os(errno) if errno.0 == EACCES => {
            LineError::Denied { chip: chip.to_owned() }
        }
        _ => no_chip(chip),
    }
}

fn no_chip(chip: &Path) -> LineError {
    let describe = |path: &PathBuf| match label(path) {
        Some(label) => format!("{} ({label})", path.display()),
        None => path.display().to_string(),
    };
    let chips = gpiocdev::chip::chips().unwrap_or_default();
    let found = if chips.is_empty() {
        "none".to_owned()
    } else {
        chips.iter().map(describe).collect::<Vec<_>>().join(", ")
    };
    LineError::NoChip { chip: chip.to_owned(), found }
}

/// Which line it is, for errors.
#[derive(Debug)]
struct Held {
    chip: PathBuf,
    line: u32,
}

impl Held {
    fn lost(&self, reason: impl std::fmt::Display) -> LineError {
        LineError::Lost { chip: self.chip.clone(), line: self.line, reason: reason.to_string() }
    }

    fn refused(&self, reason: impl std::fmt::Display) -> LineError {
        LineError::Refused { chip: self.chip.clone(), line: self.line, reason: reason.to_string() }
    }

    fn value(&self, request: &Request) -> Result<bool, LineError> {
        Ok(request.lone_value().map_err(|error| self.lost(error))? == Value::Active)
    }
}

struct Input {
    held: Held,
    request: AsyncFd<Request>,
    debounced: bool,
    /// The kernel numbers the edges of a line; a gap means that its buffer ran over.
    next_number: Option<u32>,
}

impl Input {
    /// Reads one edge that is known to wait. Not by `Request::read_edge_event`: built for the second
    /// interface alone, gpiocdev 0.8.0 reads up to eight events there and returns the first.
    fn read(&mut self) -> Result<Edge, LineError> {
        let request = self.request.get_ref();
        let mut buffer = vec![0; request.edge_event_u64_size()];
        let event = request
            .read_edge_events_into_slice(&mut buffer)
            .and_then(|words| request.edge_event_from_slice(buffer.get(..words).unwrap_or(&[])))
            .map_err(|error| self.held.lost(error))?;
        // Numbers begin at 1 for each request.
        let lost = event.line_seqno != self.next_number.unwrap_or(1);
        self.next_number = Some(event.line_seqno.wrapping_add(1));
        Ok(Edge {
            at: Duration::from_nanos(event.timestamp_ns),
            closed: event.kind == EdgeKind::Rising,
            lost,
        })
    }
}

impl InputLine for Input {
    fn debounced(&self) -> bool {
        self.debounced
    }

    fn closed(&self) -> Result<bool, LineError> {
        self.held.value(self.request.get_ref())
    }

    fn pending(&mut self) -> Result<Option<Edge>, LineError> {
        // True as well when the chip went away; then the read says so.
        if self.request.get_ref().has_edge_event().map_err(|error| self.held.lost(error))? {
            return self.read().map(Some);
        }
        Ok(None)
    }

    fn edge(&mut self) -> BoxFuture<'_, Result<Edge, LineError>> {
        Box::pin(async move {
            loop {
                if let Some(edge) = self.pending()? {
                    return Ok(edge);
                }
                let ready = self.request.readable().await;
                let mut ready = ready.map_err(|error| self.held.lost(error))?;
                // What comes from here on makes it ready anew; `pending` looks at what came before.
                ready.clear_ready();
            }
        })
    }
}

struct Output {
    held: Held,
    request: Request,
}

impl OutputLine for Output {
    fn set(&mut self, on: bool) -> Result<(), LineError> {
        let value = if on { Value::Active } else { Value::Inactive };
        self.request.set_lone_value(value).map_err(|error| self.held.lost(error))
    }

    fn is_on(&self) -> Result<bool, LineError> {
        self.held.value(&self.request)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // The kernel leaves a freed line as it was. If the chip is gone, nothing more can be done.
        let _ = self.request.set_lone_value(Value::Inactive);
    }
}
