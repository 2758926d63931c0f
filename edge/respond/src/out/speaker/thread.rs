//! The sound thread: takes what is most urgent from the queue, makes sound of it piece by piece,
//! and looks between two pieces whether something more urgent has come.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::queue::{Next, Queue, tag};
use super::samples::{at_rate, quieter};
use super::sink::{Outlet, PIECE, Sink, SinkError};
use super::voice::Voices;
use super::{Repeats, SpeakerEvent};
use crate::life::Announcement;
use crate::out::pace::Pace;

/// Pauses between tries to open a card that is not there.
const REOPEN: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
/// Rate of the prompts.
pub(super) const RATE_HZ: u32 = 24_000;

/// Takes what the speaker tells; returns at once.
pub(super) type Tell = Box<dyn Fn(SpeakerEvent) + Send + Sync>;

/// What the thread and those who ask it share.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    began: Instant,
    tell: Tell,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    voices: Voices,
    broken: bool,
    stop: bool,
    ended: bool,
    /// Since when the card or file is being waited for.
    waiting_since: Option<Instant>,
}

impl Shared {
    pub(super) fn new(repeats: Repeats, voices: Voices, tell: Tell) -> Self {
        let state = State {
            queue: Queue::new(repeats),
            voices,
            broken: false,
            stop: false,
            ended: false,
            waiting_since: None,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), began: Instant::now(), tell }
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

    pub(super) fn take_voices(&self, voices: Voices) {
        self.lock().voices = voices;
    }

    /// Whether it was told that no sound can be made.
    pub(super) fn is_broken(&self) -> bool {
        self.lock().broken
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

    /// Sound was made. Told under the lock, as its opposite, so that the last word is the true one.
    fn works(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.broken) {
            (self.tell)(SpeakerEvent::Health(None));
        }
    }

    /// No sound can be made.
    pub(super) fn breaks(&self, error: &SinkError) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.broken, true) {
            tracing::warn!(%error, "a speaker can not speak");
            (self.tell)(SpeakerEvent::Health(Some(error.to_string())));
        }
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Waits for something to do.
    fn next(&self, check_at: Option<Instant>) -> Turn {
        let mut state = self.lock();
        loop {
            if state.stop {
                return Turn::Stop;
            }
            let now = self.now();
            let pause = match state.queue.next(now) {
                Next::Say(said) => return Turn::Say(said, state.voices.clone()),
                Next::Idle => None,
                Next::At(then) => Some(then.saturating_sub(now)),
            };
            let check = check_at.map(|at| at.saturating_duration_since(Instant::now()));
            if check.is_some_and(|left| left.is_zero()) {
                return Turn::Check;
            }
            state = match pause.into_iter().chain(check).min() {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => {
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

/// What the thread does next.
enum Turn {
    Say(Announcement, Voices),
    Check,
    Stop,
}

/// Runs until it is told to stop.
pub(super) fn run(shared: &Shared, outlet: &mut dyn Outlet) {
    let mut failures = 0;
    loop {
        match shared.next(outlet.check_at()) {
            Turn::Stop => break,
            Turn::Check => match shared.watched(|| outlet.check()) {
                None => {}
                Some(Ok(())) => shared.works(),
                Some(Err(error)) => shared.breaks(&error),
            },
            Turn::Say(said, voices) => {
                let ended = shared
                    .watched(|| outlet.open())
                    .and_then(|mut sink| utter(shared, &voices, sink.as_mut(), &said));
                match ended {
                    Ok(whole) => {
                        failures = 0;
                        shared.lock().queue.ended(shared.now(), whole);
                        // What was cut off may not have been heard at all.
                        if whole {
                            shared.works();
                        }
                    }
                    Err(error) => {
                        failures += 1;
                        shared.lock().queue.failed(shared.now() + REOPEN.after(failures));
                        shared.breaks(&error);
                    }
                }
            }
        }
    }
    shared.end();
}

/// Makes one utterance heard. Whether it was heard to its end.
fn utter(
    shared: &Shared,
    voices: &Voices,
    sink: &mut dyn Sink,
    said: &Announcement,
) -> Result<bool, SinkError> {
    let tell = &shared.tell;
    let mut started = false;
    let written = write(shared, voices, sink, said, &mut || {
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
    voices: &Voices,
    sink: &mut dyn Sink,
    said: &Announcement,
    wrote: &mut dyn FnMut(),
) -> Result<bool, SinkError> {
    let interrupted = || shared.interrupted();
    let rate = sink.rate_hz();
    let mut silent = true;
    let piece = (u64::from(rate) * PIECE.as_millis() as u64 / 1000).max(1) as usize;
    for clip in &said.clips {
        let Some(pcm) = voices.sound(clip, &interrupted) else { continue };
        for samples in quieter(at_rate(pcm, rate), said.urgency).chunks(piece) {
            if interrupted() {
                sink.cut();
                return Ok(false);
            }
            shared.watched(|| sink.write(samples))?;
            silent = false;
            if sink.is_heard() {
                wrote();
            }
        }
    }
    shared.watched(|| sink.finish())?;
    if !silent {
        wrote();
    }
    Ok(true)
}
