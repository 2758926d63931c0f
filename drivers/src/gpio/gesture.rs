//! What a person does with a button: presses, holds, cancels, and what a broken one does. A press is
//! told at once, at the first settled level, and never waits to see what becomes of it. Pressing
//! again is never a cancel: only one unbroken hold of the whole cancel time is, and the press that
//! began it stays told. A state machine without I/O; times are offsets on one monotonic clock.

use std::collections::VecDeque;
use std::time::Duration;

/// The times that tell gestures apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// A hold this long is a long press.
    pub long: Duration,
    /// A hold this long cancels.
    pub cancel: Duration,
    /// A press within this time of the last release belongs to the same run of clicks.
    pub gap: Duration,
    /// A hold this long is no person any more: the button is stuck, or lain upon.
    pub stuck: Duration,
}

impl Default for Timings {
    /// Long 1 s, cancel 3 s, gap 400 ms, stuck 60 s.
    fn default() -> Self {
        Self {
            long: Duration::from_secs(1),
            cancel: Duration::from_secs(3),
            gap: Duration::from_millis(400),
            stuck: Duration::from_secs(60),
        }
    }
}

/// What was done with the button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// It went down. `run` counts the presses of one run of clicks, from 1.
    Pressed {
        /// 1 for the first.
        run: u32,
    },
    /// A run of short presses is over.
    Clicked {
        /// How many, at least 1.
        times: u32,
    },
    /// It is being held; told when the time passes, not at the release.
    Long,
    /// It was held for the cancel time; told when the time passes.
    Cancel,
    /// It has been down for far too long.
    Stuck,
    /// A stuck one came up again.
    Freed,
}

/// One gesture and when it became certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// On the clock of the edges.
    pub at: Duration,
    /// What.
    pub gesture: Gesture,
}

/// How far a hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It was down when the box began to look: neither a press nor a cancel.
    Found,
    Pressed,
    Long,
    Cancelled,
    Stuck,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    since: Duration,
    stage: Stage,
}

/// One button.
#[derive(Debug, Clone)]
pub struct Button {
    timings: Timings,
    hold: Option<Hold>,
    /// Short presses of the present run, and when the last one ended.
    clicks: u32,
    released: Duration,
}

impl Button {
    /// A button whose level at `at` is known. One that is down already is not a press: it may have
    /// been down for days.
    pub fn new(timings: Timings, down: bool, at: Duration) -> Self {
        Self {
            timings,
            hold: down.then_some(Hold { since: at, stage: Stage::Found }),
            clicks: 0,
            released: at,
        }
    }

    /// Whether it is down.
    pub const fn is_down(&self) -> bool {
        self.hold.is_some()
    }

    /// Takes a settled edge. `lost` says that edges before it are missing: then somebody pressed
    /// in between, and how long anything was held is not known.
    pub fn edge(&mut self, at: Duration, down: bool, lost: bool) -> VecDeque<Event> {
        let mut events = VecDeque::new();
        if lost {
            // Nothing that time alone would make of the present hold can be believed.
            self.release(at, &mut events);
            self.clicks = 0;
            self.press(at, &mut events);
            if !down {
                self.hold = None;
            }
            return events;
        }
        events = self.tick(at);
        if down && self.hold.is_none() {
            self.press(at, &mut events);
        } else if !down {
            self.release(at, &mut events);
        }
        events
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Duration) -> VecDeque<Event> {
        let mut events = VecDeque::new();
        while let Some(event) = self.due().filter(|event| event.at <= now) {
            match event.gesture {
                Gesture::Clicked { .. } => self.clicks = 0,
                Gesture::Long => {
                    let earlier = std::mem::take(&mut self.clicks);
                    if earlier > 0 {
                        let gesture = Gesture::Clicked { times: earlier };
                        events.push_back(Event { at: event.at, gesture });
                    }
                    self.advance(Stage::Long);
                }
                Gesture::Cancel => self.advance(Stage::Cancelled),
                _ => self.advance(Stage::Stuck),
            }
            events.push_back(event);
        }
        events
    }

    /// When [`Button::tick`] will next have something to say if no edge comes.
    pub fn wake(&self) -> Option<Duration> {
        self.due().map(|event| event.at)
    }

    fn due(&self) -> Option<Event> {
        let Some(hold) = self.hold else {
            return (self.clicks > 0).then(|| Event {
                at: self.released.saturating_add(self.timings.gap),
                gesture: Gesture::Clicked { times: self.clicks },
            });
        };
        let (after, gesture) = match hold.stage {
            Stage::Pressed => (self.timings.long.min(self.timings.cancel), Gesture::Long),
            Stage::Long => (self.timings.cancel, Gesture::Cancel),
            Stage::Found | Stage::Cancelled => (self.timings.stuck, Gesture::Stuck),
            Stage::Stuck => return None,
        };
        Some(Event { at: hold.since.saturating_add(after), gesture })
    }

    fn advance(&mut self, stage: Stage) {
        if let Some(hold) = &mut self.hold {
            hold.stage = stage;
        }
    }

    fn press(&mut self, at: Duration, events: &mut VecDeque<Event>) {
        self.hold = Some(Hold { since: at, stage: Stage::Pressed });
        let run = self.clicks.saturating_add(1);
        events.push_back(Event { at, gesture: Gesture::Pressed { run } });
    }

    fn release(&mut self, at: Duration, events: &mut VecDeque<Event>) {
        match self.hold.take().map(|hold| hold.stage) {
            Some(Stage::Pressed) => {
                self.clicks = self.clicks.saturating_add(1);
                self.released = at;
            }
            Some(Stage::Stuck) => events.push_back(Event { at, gesture: Gesture::Freed }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
