//! The control socket `DIR/control.sock`: how the command line talks to a running daemon. One JSON
//! line asks, JSON lines answer, the last of which is `{"done":true}` or `{"error":"…"}`. Only the
//! daemon's own user can open it.

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use anju_edge::ask::Ask;
use anju_edge::ask::MAX_LINE;
use anju_journal::Journal;
use anju_model::config::ChannelKind;
use anju_model::{BoxEvent, Language, Rule};
use anju_respond::life::proof::Proof;
use anju_web_setup::Plan;
use jiff::civil;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::core::{self, Message};
use crate::plan;

/// Entries read at once.
const CHUNK: usize = 512;

/// How long an answer waits for what is still to be written; without it, what is durable is given.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// Most entries of a tail, which is held in memory; an export is not.
const MOST_TAIL: usize = 10_000;

/// Between two tries to make the socket.
const BIND_AGAIN: Duration = Duration::from_secs(2);

/// Whom what is asked here goes on to.
#[derive(Clone)]
pub struct Sources {
    /// The journal.
    pub journal: Journal,
    /// To the core.
    pub messages: mpsc::Sender<Message>,
    /// What tells the plan.
    pub plans: Plans,
}

/// The plan with the language in which the household reads it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToldPlan {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// The household's.
    pub language: Language,
}

/// What is needed to tell the plan.
#[derive(Clone)]
pub struct Plans {
    /// The core.
    pub core: watch::Receiver<core::View>,
    /// The clocks.
    pub clocks: Clocks,
}

impl Plans {
    fn of(&self, at: civil::Time, rule: &Rule) -> Option<ToldPlan> {
        let picture = self.core.borrow().picture.clone()?;
        let plan = plan::of(&picture, &self.clocks.stamp(), at, rule);
        Some(ToldPlan { plan, language: picture.household.language })
    }
}

/// Where the socket is.
pub fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Listens until stopped. A socket that can not be made, as on a disk that can not be written, is a
/// fault and tried again: who mends the box needs it most then.
pub async fn listen(data: &Path, sources: Sources, stop: CancellationToken) {
    let path = path(data);
    match bind(&path) {
        Ok(listener) => {
            tokio::spawn(accept(listener, path, sources, stop));
        }
        Err(error) => {
            let reason = format!("the control socket can not be opened: {error}");
            let _ = sources.messages.send(fault(true, reason)).await;
            tokio::spawn(async move {
                let listener = tokio::select! {
                    () = stop.cancelled() => return,
                    listener = bind_later(&path) => listener,
                };
                let _ =
                    sources.messages.send(fault(false, "the control socket is open".into())).await;
                accept(listener, path, sources, stop).await;
            });
        }
    }
}

fn fault(active: bool, reason: String) -> Message {
    Message::Box(BoxEvent::Fault { part: "control".into(), active, reason })
}

fn bind(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    // The journal's lock is ours, so a socket that is there is left over.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn bind_later(path: &Path) -> UnixListener {
    loop {
        tokio::time::sleep(BIND_AGAIN).await;
        if let Ok(listener) = bind(path) {
            return listener;
        }
    }
}

async fn accept(listener: UnixListener, path: PathBuf, sources: Sources, stop: CancellationToken) {
    let room = std::sync::Arc::new(Semaphore::new(16));
    loop {
        // Who comes when all places are taken waits in the kernel's queue.
        let next = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream) = tokio::select! {
            () = stop.cancelled() => break,
            (permit, accepted) = next => match (permit, accepted) {
                (Ok(permit), Ok((stream, _))) => (permit, stream),
                _ => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let sources = sources.clone();
        tokio::spawn(async move {
            // Who asked may hang up at any time.
            let _ = serve(stream, sources).await;
            drop(permit);
        });
    }
    let _ = std::fs::remove_file(path);
}

async fn serve(stream: UnixStream, sources: Sources) -> std::io::Result<()> {
    let Sources { journal, messages, plans } = sources;
    let (read, mut write) = stream.into_split();
    let mut question = Vec::new();
    let mut read = BufReader::new(read.take(MAX_LINE as u64 + 1));
    let asked = read.read_until(b'\n', &mut question);
    let asked = tokio::time::timeout(Duration::from_secs(10), asked).await;
    asked.map_err(|_| std::io::ErrorKind::TimedOut)??;
    let end = match Ask::parse(&question) {
        Err(why) => json!({"error": why}),
        Ok(Ask::Export) => {
            journal.flush(FLUSH_WITHIN).await;
            let mut from = 0;
            loop {
                let chunk =
                    read_chunk(&journal, move |journal| journal.read_merged(from, CHUNK)).await;
                let Some(last) = chunk.last() else { break };
                from = last.number.seq + 1;
                write_records(&mut write, &chunk).await?;
            }
            json!({"done": true})
        }
        Ok(Ask::Tail { count }) => {
            journal.flush(FLUSH_WITHIN).await;
            let count = count.min(MOST_TAIL);
            let records = read_chunk(&journal, move |journal| journal.tail(count)).await;
            write_records(&mut write, &records).await?;
            json!({"done": true})
        }
        Ok(Ask::Stats) => {
            let stats =
                read_chunk(&journal, |journal| crate::export::stats(&journal.stats())).await;
            write.write_all(format!("{stats}\n").as_bytes()).await?;
            json!({"done": true})
        }
        Ok(Ask::Plan { at, rule }) => match plans.of(at, &rule) {
            Some(plan) => {
                let plan = serde_json::to_string(&plan)?;
                write.write_all(format!("{plan}\n").as_bytes()).await?;
                json!({"done": true})
            }
            None => json!({"error": "the daemon is not on guard yet; ask again in a moment"}),
        },
        Ok(Ask::Prove { contact }) => {
            let (answer, result) = oneshot::channel();
            let sent = messages.send(Message::Prove { contact, answer }).await;
            match (sent, result.await) {
                (Ok(()), Ok(Ok(proofs))) => {
                    for (kind, proof) in proofs {
                        let line = told(kind, proof);
                        write.write_all(format!("{line}\n").as_bytes()).await?;
                    }
                    json!({"done": true})
                }
                (Ok(()), Ok(Err(why))) => json!({"error": why}),
                _ => json!({"error": "the daemon is stopping"}),
            }
        }
        Ok(Ask::Recordings) => match messages.send(Message::Recordings).await {
            Ok(()) => json!({"done": true}),
            Err(_) => json!({"error": "the daemon is stopping"}),
        },
        Ok(Ask::Acceptance { act: ask }) => {
            let (answer, result) = oneshot::channel();
            let sent = messages.send(Message::Acceptance { ask, answer }).await;
            match (sent, result.await) {
                (Ok(()), Ok(Ok(report))) => {
                    let report = serde_json::to_string(&report)?;
                    write.write_all(format!("{report}\n").as_bytes()).await?;
                    json!({"done": true})
                }
                (Ok(()), Ok(Err(why))) => json!({"error": why}),
                _ => json!({"error": "the daemon is stopping"}),
            }
        }
        Ok(Ask::Command { request }) => {
            let (answer, result) = oneshot::channel();
            let sent = messages.send(Message::Request { request, answer }).await;
            match (sent, result.await) {
                (Ok(()), Ok(Ok(()))) => json!({"done": true}),
                (Ok(()), Ok(Err(why))) => json!({"error": why}),
                _ => json!({"error": "the daemon is stopping"}),
            }
        }
    };
    write.write_all(format!("{end}\n").as_bytes()).await
}

/// What came of proving a way.
fn told(kind: ChannelKind, proof: Proof) -> Value {
    let (result, reason) = match proof {
        Proof::Proved => ("proved", None),
        Proof::NotWithoutWaking => ("unknown", None),
        Proof::Failed(why) => ("failed", Some(why)),
    };
    json!({"channel": kind.as_str(), "result": result, "reason": reason})
}

async fn read_chunk<T: Default + Send + 'static>(
    journal: &Journal,
    read: impl FnOnce(&Journal) -> T + Send + 'static,
) -> T {
    let journal = journal.clone();
    tokio::task::spawn_blocking(move || read(&journal)).await.unwrap_or_default()
}

async fn write_records(
    write: &mut (impl tokio::io::AsyncWrite + Unpin),
    records: &[anju_journal::Record],
) -> std::io::Result<()> {
    let mut lines = Vec::new();
    for record in records {
        lines.extend(crate::export::line(&record.body));
    }
    write.write_all(&lines).await
}

/// Asks a running daemon; gives each line to `take`, until it wants no more (a broken pipe). `None` if
/// none is running.
pub fn ask(
    data: &Path,
    ask: &Ask,
    mut take: impl FnMut(&str) -> std::io::Result<()>,
) -> Option<Result<(), String>> {
    use std::io::{BufRead, ErrorKind, Write};
    let mut stream = match std::os::unix::net::UnixStream::connect(path(data)) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Some(Err(format!(
                "{} is the box's own: {error}; ask as its user, such as `sudo -u anju anju ...`",
                data.display()
            )));
        }
        Err(_) => return None,
    };
    let mut work = || -> Result<(), String> {
        let text = |error: std::io::Error| error.to_string();
        let question = serde_json::to_string(ask).map_err(|error| error.to_string())?;
        stream.write_all(format!("{question}\n").as_bytes()).map_err(text)?;
        for line in std::io::BufReader::new(&stream).lines() {
            let line = line.map_err(text)?;
            if line.len() < 4096
                && let Ok(Value::Object(fields)) = serde_json::from_str(&line)
            {
                if fields.contains_key("done") {
                    return Ok(());
                }
                if let (1, Some(Value::String(error))) = (fields.len(), fields.get("error")) {
                    return Err(error.clone());
                }
            }
            match take(&line) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                taken => taken.map_err(text)?,
            }
        }
        Err("the daemon hung up before it had answered".to_owned())
    };
    Some(work())
}
