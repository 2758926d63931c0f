//! One connection after the other, until stopped. Between two connections lies a growing pause
//! with jitter. A connection on which an entry is not acknowledged for half a minute counts as lost.

mod live;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anju_model::Stamp;
use anju_model::command::Request;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::feed::Feed;
use crate::pause::Pauses;
use crate::reading::Reading;
use crate::settings::Settings;
use crate::status::StatusSource;
use crate::trial::Trial;
use live::Live;

/// Most publications in flight at once; a broker may allow fewer.
pub const MOST_IN_FLIGHT: u16 = 100;

/// Requests that may wait for the event loop.
const QUEUE: usize = 512;

/// A way upstream that comes and goes is told at most this often.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Alerts and their changes.
    Alerts,
    /// All else.
    Events,
}

/// A command to carry out, with the way back.
#[derive(Debug)]
pub struct Incoming {
    /// What.
    pub request: Request,
    /// Its result; the text says why not.
    pub answer: oneshot::Sender<Result<(), String>>,
}

/// What the box should know of the way upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Connected.
    Connected,
    /// Lost, or not to be reached; tried again.
    Lost(String),
    /// An entry was refused too often and set aside.
    SetAside {
        /// Which lane.
        lane: Lane,
        /// The epoch of its number.
        epoch: u64,
        /// Its number.
        seq: u64,
        /// The broker's reason.
        reason: String,
    },
    /// An entry that had been refused was taken after later ones.
    Late {
        /// The epoch of its number.
        epoch: u64,
        /// Its number.
        seq: u64,
    },
    /// The broker takes no entry of a lane, with its reason; `None`: it takes those of both again.
    Refuses(Option<String>),
    /// The broker does not let the box hear commands, with its reason; `None`: it does again.
    Deaf(Option<String>),
    /// The broker took an alert entry, and somebody is subscribed.
    Taken {
        /// The epoch of its number.
        epoch: u64,
        /// Its number.
        seq: u64,
    },
    /// Nobody upstream listens (true), or somebody does again (false).
    NobodyListens(bool),
}

/// What the page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Connected now.
    pub connected: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Entries acknowledged since the start.
    pub acknowledged: u64,
}

/// Everything a session is given.
pub struct Parts<A, E> {
    /// Where and how.
    pub settings: Settings,
    /// The alerts lane.
    pub alerts: A,
    /// The other lane.
    pub events: E,
    /// Asked for the status.
    pub status: Box<dyn StatusSource>,
    /// The clocks: commands are judged by them.
    pub clock: Box<dyn Fn() -> Stamp + Send + Sync>,
    /// Where commands go.
    pub commands: mpsc::Sender<Incoming>,
    /// What the box should know.
    pub notices: mpsc::UnboundedSender<Notice>,
    /// What the page shows.
    pub view: watch::Sender<View>,
    /// Told when what leaves goes by another link: a connection over the one before may hang.
    pub moved: Arc<Notify>,
    /// Ends it.
    pub stop: CancellationToken,
}

/// Runs until stopped.
pub async fn run<A: Feed, E: Feed>(mut parts: Parts<A, E>) {
    let (mut pauses, mut reading) = (Pauses::default(), Reading::default());
    let mut told = Told::default();
    let mut trials = Trials::default();
    loop {
        let options = tokio::select! {
            () = parts.stop.cancelled() => return,
            options = reading.options(&parts.settings, MOST_IN_FLIGHT) => options,
        };
        let end = match options {
            Ok(options) => {
                parts.alerts.rewind();
                parts.events.rewind();
                // What was told before is none of the new connection's.
                let _ = pin!(parts.moved.notified()).enable();
                let connection = Connection::new(options, QUEUE);
                Live::new(&mut parts, connection, &mut told, &mut trials).run().await
            }
            Err(reason) => End::Lost { reason, fruitful: false },
        };
        let End::Lost { reason, fruitful } = end else { return };
        if fruitful {
            pauses.reset();
        }
        if told.may_tell(false) {
            tracing::warn!(reason, "upstream is not connected; trying again");
            let _ = parts.notices.send(Notice::Lost(reason.clone()));
        }
        parts.view.send_modify(|view| {
            view.connected = false;
            view.reason = Some(reason);
        });
        parts.alerts.rewind();
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = parts.moved.notified() => {}
            () = pauses.wait(&mut parts.alerts) => {}
        }
    }
}

enum End {
    Stopped,
    /// `fruitful`: an entry passed.
    Lost {
        reason: String,
        fruitful: bool,
    },
}

/// What was last told of the way upstream.
#[derive(Debug, Default)]
struct Told {
    up: Option<bool>,
    at: Option<Instant>,
    refuses: Vec<Lane>,
    deaf: bool,
    nobody: bool,
}

impl Told {
    /// Whether it is news that the way is up or down, and time to tell it.
    fn may_tell(&mut self, up: bool) -> bool {
        let early = self.at.is_some_and(|at| at.elapsed() < TOLD_EVERY);
        if self.up == Some(up) || (!up && early) {
            return false;
        }
        self.up = Some(up);
        self.at = Some(Instant::now());
        true
    }

    /// Nothing of a lane passes: whether that is news. A second lane is none, while it is known
    /// that the first one stands still.
    fn refuses(&mut self, lane: Lane) -> bool {
        let news = self.refuses.is_empty();
        if !self.refuses.contains(&lane) {
            self.refuses.push(lane);
        }
        news
    }

    /// An entry of a lane passed: whether it is news that the broker takes all again.
    fn takes(&mut self, lane: Lane) -> bool {
        let stood_still = !self.refuses.is_empty();
        self.refuses.retain(|refused| *refused != lane);
        stood_still && self.refuses.is_empty()
    }
}

/// The trials of both lanes.
#[derive(Debug, Default)]
struct Trials {
    alerts: Trial,
    events: Trial,
}

impl Trials {
    const fn of(&mut self, lane: Lane) -> &mut Trial {
        match lane {
            Lane::Alerts => &mut self.alerts,
            Lane::Events => &mut self.events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_is_refused_is_told_once_whatever_passes_of_the_other() {
        let mut told = Told::default();
        assert!(!told.takes(Lane::Events));
        assert!(told.refuses(Lane::Alerts));
        for _ in 0..3 {
            assert!(!told.takes(Lane::Events) && !told.refuses(Lane::Alerts));
        }
        assert!(!told.refuses(Lane::Events) && !told.takes(Lane::Alerts));
        assert!(told.takes(Lane::Events) && !told.takes(Lane::Alerts));
        assert!(told.refuses(Lane::Events));
    }
}
