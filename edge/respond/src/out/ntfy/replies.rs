//! The task that listens on the box's reply topic. It connects again with growing pauses, from the
//! last message it saw, so that no reply is missed; a reply without a valid token is counted and
//! has no other effect.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anju_model::Delivery;
use anju_model::command::{Command, Request};
use anju_model::config::ChannelKind;
use anju_model::delivery::{DeliveryState, Message};
use reqwest::Response;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::Counters;
use super::client::Http;
use super::keep::Keeper;
use super::ledger::{Act, Grant};
use super::wire::{Line, Lines, Piece, Token, parse_line};
use crate::out::channel::{Health, Report, Reports};
use crate::out::pace::Pace;
use crate::out::post::Refusal;

/// ntfy says that it is alive every 45 s; a stream that is silent for longer is dead.
const SILENT_FOR: Duration = Duration::from_secs(120);
const AGAIN: Pace = Pace { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
/// How long the box may take to carry out what a button asks.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Lines read in a second; a flood is read more slowly and nothing of it is lost.
const LINES_A_SECOND: u32 = 100;

struct Listener {
    http: Http,
    keeper: Arc<Keeper>,
    counters: Arc<Counters>,
    reports: Reports,
    failures: u32,
    told_broken: bool,
    second: Instant,
    lines: u32,
}

/// Runs until it is aborted: what was not answered is read again after the next start.
pub(super) async fn run(
    http: Http,
    keeper: Arc<Keeper>,
    counters: Arc<Counters>,
    reports: Reports,
) {
    let mut listener = Listener {
        http,
        keeper,
        counters,
        reports,
        failures: 0,
        told_broken: false,
        second: Instant::now(),
        lines: 0,
    };
    listener.listen().await;
}

impl Listener {
    async fn listen(&mut self) {
        loop {
            let (topic, since) = self.keeper.look(|ledger| {
                (ledger.topic.clone(), ledger.last_id.clone().unwrap_or_else(|| "all".to_owned()))
            });
            let (why, after) = match self.http.subscribe(&topic, &since).await {
                Ok(stream) => (self.read(stream).await, None),
                Err(Refusal::Later { why, after }) => (why, after),
                // The server's settings may be mended, so it is asked again, seldom.
                Err(refusal) => (refusal.why().to_owned(), Some(AGAIN.cap)),
            };
            self.failures += 1;
            // A server that restarts closes its streams; only what lasts is a fault.
            if self.failures >= 3 {
                self.health(Some(why));
            }
            sleep(AGAIN.jittered(self.failures).max(after.unwrap_or_default())).await;
        }
    }

    /// Reads a stream until it ends, and says why it did.
    async fn read(&mut self, mut stream: Response) -> String {
        let mut lines = Lines::default();
        loop {
            let bytes = match timeout(SILENT_FOR, stream.chunk()).await {
                Err(_) => return format!("it was silent for {} s", SILENT_FOR.as_secs()),
                Ok(Err(error)) => return error.without_url().to_string(),
                Ok(Ok(None)) => return "the server closed the stream of replies".to_owned(),
                Ok(Ok(Some(bytes))) => bytes,
            };
            for piece in lines.feed(&bytes) {
                match piece {
                    Piece::Line(line) => {
                        if let Err(why) = self.line(&line).await {
                            return why;
                        }
                    }
                    Piece::TooLong => self.ignore(),
                }
                self.slow_down().await;
            }
        }
    }

    async fn slow_down(&mut self) {
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.lines = 0;
        }
        self.lines += 1;
        if self.lines >= LINES_A_SECOND {
            tokio::time::sleep_until(self.second + Duration::from_secs(1)).await;
        }
    }

    /// Takes one line; an error ends the stream, to read it again from the last reply that was
    /// answered.
    async fn line(&mut self, line: &[u8]) -> Result<(), String> {
        match parse_line(line) {
            Line::Alive => {}
            Line::Malformed => {
                self.ignore();
                return Ok(());
            }
            Line::Message { id, body } => self.message(id, &body).await?,
        }
        self.failures = 0;
        self.health(None);
        Ok(())
    }

    async fn message(&mut self, id: String, body: &str) -> Result<(), String> {
        let token = Token::parse(body);
        let now = self.keeper.now();
        let grant = token.and_then(|token| self.keeper.look(|ledger| ledger.grant_of(now, token)));
        match grant {
            Some(grant) => self.answer(&id, grant).await?,
            None => self.ignore(),
        }
        self.keeper.change(|ledger| {
            ledger.last_id = Some(id);
            token.into_iter().for_each(|token| ledger.use_up(token));
        });
        Ok(())
    }

    /// Asks the box what the button means. Only when it has answered, and so has recorded the act,
    /// is the token used up: a box that dies in between reads the reply again after its start.
    async fn answer(&self, id: &str, grant: Grant) -> Result<(), String> {
        let Grant { alert, contact, act } = grant;
        let via = ChannelKind::Ntfy.as_str().to_owned();
        let by = contact.to_string();
        let (command, said) = match act {
            Act::Accept => (Command::Accept { alert: alert.clone(), minutes: None }, "accept"),
            Act::Arrived => (Command::Arrived { alert: alert.clone() }, "arrived"),
        };
        self.counters.accepted.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let request = Request { id: format!("ntfy/{id}"), by, via: via.clone(), command };
        let _ = self.reports.send(Report::Request { request, answer });
        let detail = match timeout(ANSWERED_WITHIN, answered).await {
            Ok(Ok(Ok(()))) => said.to_owned(),
            Ok(Ok(Err(why))) => format!("{said}, refused: {why}"),
            Ok(Err(_)) | Err(_) => return Err("the box did not answer a reply".to_owned()),
        };
        let message = Message {
            alert,
            contact,
            channel: via,
            attempt: 1,
            detail: Some(detail),
            request: None,
        };
        let answered = Delivery { state: DeliveryState::Answered, message };
        let _ = self.reports.send(Report::Delivery(answered));
        Ok(())
    }

    fn ignore(&self) {
        self.counters.ignored.fetch_add(1, Ordering::Relaxed);
    }

    fn health(&mut self, broken: Option<String>) {
        if self.told_broken != broken.is_some() {
            self.told_broken = broken.is_some();
            let health = Health { part: "ntfy-replies".to_owned(), broken };
            let _ = self.reports.send(Report::Health(health));
        }
    }
}
