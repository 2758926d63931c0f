//! The sound thread: takes what is most urgent from the queue, makes sound of it piece by piece,
//! and looks between two pieces whether something more urgent has come.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::alsa::Card;
use super::pack::Coming;
use super::queue::{Next, Queue, tag};
use super::samples::at_rate;
use super::sink::{PIECE, Sink, SinkError};
use super::voice::Voice;
use super::wav::WavFile;
use super::{Repeats, SpeakerEvent, SpeakerSettings};
use crate::life::Announcement;
use crate::out::pace::Pace;

/// Pauses between tries to open a card that is not there.
const REOPEN: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
/// How long a missing card is not tried again while there is a folder for files.
const CARD_AGAIN: Duration = Duration::from_secs(60);
/// Rate of the prompts.
const RATE_HZ: u32 = 24_000;

/// What the thread and those who ask it share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    began: Instant,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    stop: bool,
    ended: bool,
    /// Since when the card or file is being waited for.
    waiting_since: Option<Instant>,
}

impl Shared {
    pub(super) fn new(repeats: Repeats) -> Self {
        let queue = Queue::new(repeats);
        let state = State { queue, stop: false, ended: false, waiting_since: None };
        Self { state: Mutex::new(state), changed: Condvar::new(), began: Instant::now() }
    }

    /// The lock is held for moments only, never while sound is made.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn say(&self, said: Announcement) {
        self.lock().queue.put(self.now(), said);
        self.changed.notify_one();
    }

    pub(super) fn quiet(&self, slot: &str) {
        self.lock().queue.quiet(slot);
        self.changed.notify_one();
    }

    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// For how long the card or file has been waited for.
    pub(super) fn stuck_for(&self) -> Duration {
        self.lock().waiting_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits until the thread has ended. Whether it did within that time.
    pub(super) fn wait_for_end(&self, limit: Duration) -> bool {
        let state = self.lock();
        let ended = self.changed.wait_timeout_while(state, limit, |state| !state.ended);
        ended.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Does what may block in a card's driver, so that it is seen when it does.
    fn watched<T>(&self, work: impl FnOnce() -> T) -> T {
        self.lock().waiting_since = Some(Instant::now());
        let done = work();
        self.lock().waiting_since = None;
        done
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Waits for something to say; `None` when it is to stop.
    fn next(&self) -> Option<Announcement> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            let now = self.now();
            state = match state.queue.next(now) {
                Next::Say(said) => return Some(said),
                Next::Idle => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Next::At(then) => {
                    let pause = then.saturating_sub(now);
                    let waited = self.changed.wait_timeout(state, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn interrupted(&self) -> bool {
        let state = self.lock();
        state.stop || state.queue.interrupted()
    }
}

/// Runs until it is told to stop.
pub(super) fn run(shared: &Shared, settings: SpeakerSettings, tell: &dyn Fn(SpeakerEvent)) {
    let mut outlet = Outlet::new(settings.clone());
    let pack = Coming::begin(settings.pack.as_deref());
    let mut voice = Voice::new(settings.language, pack);
    let mut failures = 0;
    while let Some(said) = shared.next() {
        let ended = shared
            .watched(|| outlet.open())
            .and_then(|mut sink| utter(shared, &mut voice, sink.as_mut(), &said, tell));
        match ended {
            Ok(whole) => {
                shared.lock().queue.ended(shared.now(), whole);
                if std::mem::take(&mut failures) > 0 {
                    tell(SpeakerEvent::Health(None));
                }
            }
            Err(error) => {
                failures += 1;
                shared.lock().queue.failed(shared.now() + REOPEN.after(failures));
                if failures == 1 {
                    tracing::warn!(%error, "the box can not speak");
                    tell(SpeakerEvent::Health(Some(error.to_string())));
                }
            }
        }
    }
    shared.end();
}

/// Makes one utterance heard. Whether it was heard to its end.
fn utter(
    shared: &Shared,
    voice: &mut Voice,
    sink: &mut dyn Sink,
    said: &Announcement,
    tell: &dyn Fn(SpeakerEvent),
) -> Result<bool, SinkError> {
    let mut started = false;
    let written = write(shared, voice, sink, said, &mut || {
        if !std::mem::replace(&mut started, true) {
            let (slot, alert) = tag(said);
            tell(SpeakerEvent::Started { slot, alert });
        }
    });
    if started {
        let (slot, alert) = tag(said);
        let whole = matches!(written, Ok(true));
        tell(SpeakerEvent::Finished { slot, alert, whole });
    }
    written
}

fn write(
    shared: &Shared,
    voice: &mut Voice,
    sink: &mut dyn Sink,
    said: &Announcement,
    wrote: &mut dyn FnMut(),
) -> Result<bool, SinkError> {
    let interrupted = || shared.interrupted();
    let rate = sink.rate_hz();
    let piece = (u64::from(rate) * PIECE.as_millis() as u64 / 1000).max(1) as usize;
    for clip in &said.clips {
        let Some(pcm) = voice.sound(clip, &interrupted) else { continue };
        for samples in at_rate(pcm, rate).chunks(piece) {
            if interrupted() {
                sink.cut();
                return Ok(false);
            }
            shared.watched(|| sink.write(samples))?;
            wrote();
        }
    }
    shared.watched(|| sink.finish())?;
    Ok(true)
}

/// Where the next utterance goes: the card, or a file while there is none.
struct Outlet {
    settings: SpeakerSettings,
    files: u64,
    no_card_since: Option<Instant>,
}

impl Outlet {
    const fn new(settings: SpeakerSettings) -> Self {
        Self { settings, files: 0, no_card_since: None }
    }

    fn open(&mut self) -> Result<Box<dyn Sink>, SinkError> {
        let Some(folder) = self.settings.wav_dir.clone() else {
            return Ok(Box::new(self.card()?));
        };
        if self.no_card_since.is_none_or(|since| since.elapsed() >= CARD_AGAIN) {
            match self.card() {
                Ok(card) => {
                    self.no_card_since = None;
                    return Ok(Box::new(card));
                }
                Err(error) => {
                    tracing::info!(%error, folder = %folder.display(), "speech goes to files");
                    self.no_card_since = Some(Instant::now());
                }
            }
        }
        self.files += 1;
        let wav = WavFile::open(&folder, self.files, RATE_HZ, self.settings.paced)?;
        Ok(Box::new(wav))
    }

    fn card(&self) -> Result<Card, SinkError> {
        Card::open(self.settings.device.as_deref().unwrap_or("default"), RATE_HZ)
    }
}
