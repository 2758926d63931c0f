//! The task that hands letters to the server, several at once, and tells what became of each.

use anju_model::AlertId;
use anju_model::config::ChannelKind;
use anju_model::delivery::DeliveryState;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Http, Refusal};
use super::message::Writer;
use super::outbox::{Letter, Outbox};
use crate::life::Notice;
use crate::out::channel::{Health, Report, Reports, delivery};

/// What is asked of the task.
#[derive(Debug)]
pub(super) enum Order {
    Send(Box<Notice>),
    Withdraw(AlertId),
}

type Answer = (Letter, Result<(), Refusal>);

struct Sender {
    http: Http,
    writer: Writer,
    reports: Reports,
    outbox: Outbox,
    under_way: JoinSet<Answer>,
    broken: bool,
    began: Instant,
}

/// Runs until it is told to stop.
pub(super) async fn run(
    http: Http,
    writer: Writer,
    mut orders: mpsc::UnboundedReceiver<Order>,
    reports: Reports,
    stop: CancellationToken,
) {
    let mut sender = Sender {
        http,
        writer,
        reports,
        outbox: Outbox::default(),
        under_way: JoinSet::new(),
        broken: false,
        began: Instant::now(),
    };
    loop {
        sender.begin();
        let due = sender.outbox.next_due(sender.began.elapsed()).map(|due| sender.began + due);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            order = orders.recv() => match order {
                Some(order) => sender.take(order),
                None => return,
            },
            Some(answer) = sender.under_way.join_next() => {
                if let Ok((letter, result)) = answer {
                    sender.answered(letter, result);
                }
            }
            () = sleep_until(due) => {}
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Sender {
    fn take(&mut self, order: Order) {
        match order {
            Order::Send(notice) => {
                if let Some(lost) = self.outbox.put(self.began.elapsed(), *notice) {
                    self.report(&lost, DeliveryState::Failed, 1, "too many messages wait");
                }
            }
            Order::Withdraw(alert) => {
                self.outbox.withdraw(&alert);
                let known = self.writer.keeper.look(|ledger| ledger.knows(&alert));
                if known {
                    self.writer.keeper.change(|ledger| ledger.withdraw(&alert));
                }
            }
        }
    }

    /// Begins whatever may go now.
    fn begin(&mut self) {
        while let Some(letter) = self.outbox.take(self.began.elapsed()) {
            let Some(message) = self.writer.message(&letter.notice) else {
                let why = "the contact has no `ntfy_topic`";
                self.report(&letter.notice, DeliveryState::Failed, letter.attempt, why);
                self.outbox.done(&letter);
                continue;
            };
            let http = self.http.clone();
            self.under_way.spawn(async move {
                let result = http.publish(&message).await;
                (letter, result)
            });
        }
    }

    fn answered(&mut self, letter: Letter, result: Result<(), Refusal>) {
        let Err(refusal) = result else {
            let sent = delivery(
                &letter.notice,
                ChannelKind::Ntfy,
                DeliveryState::Sent,
                letter.attempt,
                None,
            );
            let _ = self.reports.send(Report::Delivery(sent));
            self.outbox.done(&letter);
            self.health(None);
            return;
        };
        let (why, after) = match &refusal {
            Refusal::Later { why, after } => (why.clone(), Some(*after)),
            Refusal::Never(why) => (why.clone(), None),
        };
        self.report(&letter.notice, DeliveryState::Failed, letter.attempt, &why);
        self.health(Some(why));
        match after {
            Some(after) => self.outbox.again(self.began.elapsed(), letter, after),
            None => self.outbox.done(&letter),
        }
    }

    fn report(&self, notice: &Notice, state: DeliveryState, attempt: u32, why: &str) {
        let report = delivery(notice, ChannelKind::Ntfy, state, attempt, Some(why.to_owned()));
        let _ = self.reports.send(Report::Delivery(report));
    }

    fn health(&mut self, broken: Option<String>) {
        if self.broken != broken.is_some() {
            self.broken = broken.is_some();
            let health = Health { part: "ntfy".to_owned(), broken };
            let _ = self.reports.send(Report::Health(health));
        }
    }
}
