//! The task of a channel: it hands letters to the carrier, several at once as far as the allowance
//! goes, and tells what became of each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anju_model::AlertId;
use anju_model::config::ChannelKind;
use anju_model::delivery::DeliveryState;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::allowance::Bucket;
use super::outbox::{Letter, Outbox};
use super::{AT_ONCE, Carrier, RECORDED_WITHIN, Refusal};
use crate::life::Notice;
use crate::out::channel::{Health, Report, Reports, absent, delivery};

/// What is asked of the task.
pub(super) enum Order {
    Send(Box<Notice>),
    Withdraw(AlertId),
    Carrier(Option<Arc<dyn Carrier>>),
}

/// What ended.
enum Outcome {
    /// The far side answered.
    Carried(Result<usize, Refusal>),
    /// The journal knows of it, or was not waited for any longer.
    Recorded,
}

struct Courier {
    kind: ChannelKind,
    carrier: Option<Arc<dyn Carrier>>,
    reports: Reports,
    outbox: Outbox,
    bucket: Option<Bucket>,
    /// Nothing goes before that.
    closed_until: Duration,
    tasks: JoinSet<Outcome>,
    under_way: HashMap<Id, Vec<Letter>>,
    broken: bool,
    began: Instant,
}

/// Runs until it is told to stop.
pub(super) async fn run(
    kind: ChannelKind,
    mut orders: mpsc::UnboundedReceiver<Order>,
    reports: Reports,
    stop: CancellationToken,
) {
    let mut courier = Courier {
        kind,
        carrier: None,
        reports,
        outbox: Outbox::default(),
        bucket: None,
        closed_until: Duration::ZERO,
        tasks: JoinSet::new(),
        under_way: HashMap::new(),
        broken: false,
        began: Instant::now(),
    };
    loop {
        let due = courier.begin();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            order = orders.recv() => match order {
                Some(order) => courier.take(order),
                None => return,
            },
            Some(answer) = courier.tasks.join_next_with_id() => {
                let (id, outcome) = match answer {
                    Ok((id, outcome)) => (id, outcome),
                    Err(failed) => {
                        let failure = Err(Refusal::later("the channel itself failed"));
                        (failed.id(), Outcome::Carried(failure))
                    }
                };
                match (courier.under_way.remove(&id), outcome) {
                    (Some(letters), Outcome::Carried(outcome)) => courier.answered(letters, outcome),
                    (Some(letters), Outcome::Recorded) => {
                        letters.iter().for_each(|letter| courier.outbox.done(letter));
                    }
                    (None, _) => {}
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

impl Courier {
    fn take(&mut self, order: Order) {
        match order {
            Order::Send(notice) if self.carrier.is_none() => {
                self.report(&notice, DeliveryState::Failed, 1, Some(absent(self.kind)));
            }
            Order::Send(notice) => {
                if let Some(lost) = self.outbox.put(self.began.elapsed(), *notice) {
                    let why = "too many messages wait".to_owned();
                    self.report(&lost, DeliveryState::Failed, 1, Some(why));
                }
            }
            Order::Withdraw(alert) => {
                self.outbox.withdraw(&alert);
                if let Some(carrier) = &self.carrier {
                    carrier.withdraw(&alert);
                }
            }
            Order::Carrier(carrier) => self.configure(carrier),
        }
    }

    fn configure(&mut self, carrier: Option<Arc<dyn Carrier>>) {
        self.outbox.set_at_once(carrier.as_ref().map_or(AT_ONCE, |c| c.at_once()));
        let allowance = carrier.as_ref().and_then(|c| c.allowance());
        if self.bucket.as_ref().map(Bucket::allowance) != allowance {
            self.bucket = allowance.map(|a| Bucket::new(a, self.began.elapsed()));
        }
        if carrier.is_none() {
            for letter in self.outbox.empty() {
                let why = Some(absent(self.kind));
                self.report(&letter.notice, DeliveryState::Failed, letter.attempt, why);
            }
            self.health(None);
        }
        self.carrier = carrier;
    }

    /// Begins whatever may go now, and says when to look again.
    fn begin(&mut self) -> Option<Instant> {
        let carrier = self.carrier.clone()?;
        let bundle = |notice: &Notice| carrier.bundle(notice);
        loop {
            let now = self.began.elapsed();
            let Some(gravity) = self.outbox.next_gravity(now, bundle) else {
                return self.outbox.next_due(now).map(|due| self.began + due);
            };
            let mut wait = self.closed_until.saturating_sub(now);
            if let Some(bucket) = &mut self.bucket {
                wait = wait.max(bucket.wait(now, gravity));
            }
            if !wait.is_zero() {
                return Some(self.began + now + wait);
            }
            if let Some(bucket) = &mut self.bucket {
                bucket.take();
            }
            let letters = self.outbox.take(now, bundle);
            let (carrier, for_task) = (carrier.clone(), letters.clone());
            let task = self.tasks.spawn(async move {
                let within = carrier.carried_within();
                let carried = timeout(within, carrier.carry(&for_task)).await;
                Outcome::Carried(carried.unwrap_or_else(|_| {
                    Err(Refusal::later(format!("no answer within {} s", within.as_secs())))
                }))
            });
            self.under_way.insert(task.id(), letters);
        }
    }

    fn answered(&mut self, letters: Vec<Letter>, outcome: Result<usize, Refusal>) {
        let refusal = match outcome {
            Ok(taken) => return self.taken(letters, taken.max(1)),
            Err(refusal) => refusal,
        };
        for letter in &letters {
            let why = Some(refusal.why().to_owned());
            self.report(&letter.notice, DeliveryState::Failed, letter.attempt, why);
        }
        let now = self.began.elapsed();
        if !matches!(refusal, Refusal::Unfit(_)) {
            self.health(Some(refusal.why().to_owned()));
        }
        let after = match refusal {
            Refusal::Later { after, .. } => after,
            Refusal::Wait { pause, .. } => {
                self.closed_until = self.closed_until.max(now + pause);
                None
            }
            Refusal::Never(_) | Refusal::Unfit(_) => {
                letters.iter().for_each(|letter| self.outbox.done(letter));
                return;
            }
        };
        for letter in letters {
            self.outbox.again(now, letter, after);
        }
    }

    fn taken(&mut self, letters: Vec<Letter>, taken: usize) {
        let accounts = self.carrier.as_ref().is_some_and(|carrier| carrier.accounts());
        let (mut sent, mut known) = (Vec::new(), Vec::new());
        for (index, letter) in letters.into_iter().enumerate() {
            if index >= taken {
                self.outbox.put_back(letter);
            } else if accounts {
                let delivery =
                    delivery(&letter.notice, self.kind, DeliveryState::Sent, letter.attempt, None);
                let (recorded, told) = oneshot::channel();
                let _ = self.reports.send(Report::Accounted { delivery, recorded });
                known.push(told);
                sent.push(letter);
            } else {
                self.report(&letter.notice, DeliveryState::Sent, letter.attempt, None);
                self.outbox.done(&letter);
            }
        }
        if !sent.is_empty() {
            let task = self.tasks.spawn(async move {
                // One that can not be written is told by the journal itself.
                let _ = timeout(RECORDED_WITHIN, futures::future::join_all(known)).await;
                Outcome::Recorded
            });
            self.under_way.insert(task.id(), sent);
        }
        self.health(None);
    }

    fn report(&self, notice: &Notice, state: DeliveryState, attempt: u32, why: Option<String>) {
        let report = delivery(notice, self.kind, state, attempt, why);
        let _ = self.reports.send(Report::Delivery(report));
    }

    fn health(&mut self, broken: Option<String>) {
        if self.broken != broken.is_some() {
            self.broken = broken.is_some();
            let health = Health { part: self.kind.as_str().to_owned(), broken };
            let _ = self.reports.send(Report::Health(health));
        }
    }
}
