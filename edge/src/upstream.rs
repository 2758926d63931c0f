//! Wires the way upstream: its feeds, its status, its commands into the core, its troubles as
//! facts of the box.

use std::sync::Arc;

use anju_journal::{FollowWhen, Journal, Lane};
use anju_model::BoxEvent;
use anju_model::config::Household;
use anju_upstream::Settings;
use anju_upstream::session::{self, Incoming, Notice, Parts, View};
use anju_upstream::status::{Status, StatusSource};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::core::{self, Message};
use crate::feeds::JournalFeed;

struct Source {
    journal: Journal,
    clocks: Clocks,
    household: Arc<Household>,
    core: watch::Receiver<core::View>,
}

impl StatusSource for Source {
    fn status(&self) -> Status {
        let stats = self.journal.numbers();
        let now = self.clocks.stamp().wall;
        Status {
            state: "online",
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: stats.epoch,
            seq: stats.seq,
            time: anju_model::entry::rfc3339(now, &self.household.timezone),
            open_alerts: self.core.borrow().open.len() as u64,
        }
    }
}

/// Starts the way upstream, if one is configured.
///
/// # Errors
/// When the journal's cursors can not be opened.
pub fn start(
    household: &Arc<Household>,
    journal: &Journal,
    clocks: &Clocks,
    core: watch::Receiver<core::View>,
    messages: &mpsc::Sender<Message>,
    moved: Arc<Notify>,
    stop: CancellationToken,
) -> std::io::Result<Option<(JoinHandle<()>, watch::Receiver<View>)>> {
    let Some(upstream) = household.upstream.clone() else { return Ok(None) };
    let alerts = journal.follow("upstream", Lane::Alerts, FollowWhen::AtOnce)?;
    let events = journal.follow("upstream", Lane::Events, FollowWhen::Durable)?;
    let (commands, command_rx) = mpsc::channel(64);
    let (notices, notice_rx) = mpsc::unbounded_channel();
    let (view, view_rx) = watch::channel(View::default());
    let clock = clocks.clone();
    let parts = Parts {
        settings: Settings {
            box_id: household.box_id.clone(),
            upstream,
            clock: clocks.for_certificates(),
        },
        alerts: JournalFeed(alerts),
        events: JournalFeed(events),
        status: Box::new(Source {
            journal: journal.clone(),
            clocks: clocks.clone(),
            household: household.clone(),
            core,
        }),
        clock: Box::new(move || clock.stamp()),
        commands,
        notices,
        view,
        moved,
        stop,
    };
    tokio::spawn(pass_commands(command_rx, messages.clone()));
    tokio::spawn(pass_notices(notice_rx, messages.clone()));
    Ok(Some((tokio::spawn(session::run(parts)), view_rx)))
}

async fn pass_commands(mut commands: mpsc::Receiver<Incoming>, messages: mpsc::Sender<Message>) {
    while let Some(Incoming { request, answer }) = commands.recv().await {
        if messages.send(Message::Request { request, answer }).await.is_err() {
            return;
        }
    }
}

async fn pass_notices(
    mut notices: mpsc::UnboundedReceiver<Notice>,
    messages: mpsc::Sender<Message>,
) {
    while let Some(notice) = notices.recv().await {
        let network = |up, reason| BoxEvent::Network {
            link: "upstream".into(),
            up,
            reason,
            kind: None,
            preferred: None,
        };
        let event = match notice {
            Notice::Taken { epoch, seq } => {
                if messages.send(Message::Taken { epoch, seq }).await.is_err() {
                    return;
                }
                continue;
            }
            Notice::Deaf(refusal) => BoxEvent::Fault {
                part: "channel:upstream-commands".into(),
                active: refusal.is_some(),
                reason: refusal.map_or_else(
                    || "the broker lets the box hear commands".into(),
                    |reason| {
                        format!(
                            "the broker refuses the subscription to commands: {reason}; nothing \
                             that the centre asks arrives until its rights are mended"
                        )
                    },
                ),
            },
            Notice::Connected => network(true, None),
            Notice::Lost(reason) => network(false, Some(reason)),
            Notice::NobodyListens(nobody) => BoxEvent::Fault {
                part: "channel:upstream".into(),
                active: nobody,
                reason: "the broker takes alerts but nobody is subscribed to them".into(),
            },
            Notice::Late { epoch, seq } => BoxEvent::Gap {
                of_epoch: epoch,
                from: seq,
                to: seq,
                reason: "refused: taken after later ones".into(),
            },
            Notice::Refuses(refusal) => BoxEvent::Fault {
                part: "channel:upstream-refuses".into(),
                active: refusal.is_some(),
                reason: refusal.map_or_else(
                    || "the broker takes entries again".into(),
                    |reason| {
                        format!("the broker takes no entry: {reason}; see its rights and quota")
                    },
                ),
            },
            Notice::SetAside { epoch, seq, reason, .. } => {
                let gap = BoxEvent::Gap {
                    of_epoch: epoch,
                    from: seq,
                    to: seq,
                    reason: format!("refused: {reason}"),
                };
                if messages.send(Message::Box(gap)).await.is_err() {
                    return;
                }
                BoxEvent::Fault {
                    part: "channel:upstream-entry".into(),
                    active: true,
                    reason: format!("the broker refused an entry: {reason}"),
                }
            }
        };
        if messages.send(Message::Box(event)).await.is_err() {
            return;
        }
    }
}
