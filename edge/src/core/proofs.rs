//! Carries out what the prover of the ways to people wants, and tells it what came of that.

use std::collections::BTreeSet;

use anju_model::config::ChannelKind;
use anju_model::{Body, BoxEvent, ContactId, Moment};
use anju_respond::life::Action;
use anju_respond::life::proof::{Proof, Task, asking};
use tokio::sync::oneshot;

use super::{Core, Proofs, Step};

type Answer = oneshot::Sender<Result<Proofs, String>>;

/// Somebody who waits for what comes of proving the ways.
pub struct Waiting {
    left: BTreeSet<ChannelKind>,
    told: Proofs,
    answer: Answer,
}

impl Core {
    /// Does what the prover wants.
    pub(super) fn prove(&mut self, tasks: Vec<Task>) -> Vec<Step> {
        let mut steps = Vec::new();
        for task in tasks {
            match task {
                Task::Prove(ChannelKind::Centre) => {
                    let proof = self.proof_of_centre();
                    steps.extend(self.proved(ChannelKind::Centre, proof));
                }
                Task::Prove(kind) => self.outs.prove(kind),
                Task::Ask(contact) => steps.extend(self.ask(&contact)),
                Task::Record(event) => steps.extend(self.record(Body::Box(event), None)),
                Task::Notify(notice) => steps.push(Step::Do(Action::Notify(notice))),
                Task::Withdraw(alert) => steps.push(Step::Do(Action::Withdraw { alert })),
            }
        }
        steps
    }

    /// The centre is reached while the session stands, on which each heartbeat is acknowledged, and
    /// somebody is subscribed there.
    fn proof_of_centre(&self) -> Proof {
        if self.household.upstream.is_none() {
            return Proof::Failed("no [upstream] is configured".to_owned());
        }
        if self.board.upstream_since.is_none() {
            return Proof::Failed("the centre was not reached since the start".to_owned());
        }
        // A single entry that was refused says nothing about the others.
        let deaf = ["channel:upstream", "channel:upstream-refuses", "channel:upstream-commands"];
        let fault = deaf.iter().find_map(|part| self.board.faults.get(*part));
        match self.board.upstream_lost.as_ref().or(fault) {
            Some(why) => Proof::Failed(why.to_string()),
            None => Proof::Proved,
        }
    }

    fn ask(&mut self, contact: &ContactId) -> Vec<Step> {
        let now = self.now();
        let mut steps = self.record(Body::Box(asking(contact)), None);
        let entry = steps.iter().find_map(|step| match step {
            Step::Judge(entry) => Some(entry.id.clone()),
            _ => None,
        });
        if let Some(entry) = entry {
            let tasks = self.prover.asked(now, contact, &entry);
            steps.extend(self.prove(tasks));
        }
        steps
    }

    /// What came of proving a way.
    pub(super) fn proved(&mut self, kind: ChannelKind, proof: Proof) -> Vec<Step> {
        let now = self.now();
        for waiting in &mut self.waiting {
            if waiting.left.remove(&kind) {
                waiting.told.insert(kind, proof.clone());
            }
        }
        let tasks = self.prover.proved(now, kind, proof);
        let steps = self.prove(tasks);
        self.answer_waiting();
        steps
    }

    /// Somebody wants the ways proved now, or a contact asked.
    pub(super) fn asked_to_prove(
        &mut self,
        contact: Option<&ContactId>,
        answer: Answer,
    ) -> Vec<Step> {
        let now = self.now();
        let Some(contact) = contact else {
            let tasks = self.prover.prove_all(now);
            let kinds = tasks.iter().filter_map(|task| match task {
                Task::Prove(kind) => Some(*kind),
                _ => None,
            });
            let left = kinds.collect();
            self.waiting.push(Waiting { left, told: Proofs::new(), answer });
            let steps = self.prove(tasks);
            self.answer_waiting();
            return steps;
        };
        match self.prover.ask(contact) {
            Ok(tasks) => {
                // Who asked may be gone.
                let _ = answer.send(Ok(Proofs::new()));
                self.prove(tasks)
            }
            Err(why) => {
                let _ = answer.send(Err(why));
                Vec::new()
            }
        }
    }

    fn answer_waiting(&mut self) {
        let over = |waiting: &mut Waiting| waiting.left.is_empty();
        for Waiting { told, answer, .. } in self.waiting.extract_if(.., over) {
            // Who asked may be gone.
            let _ = answer.send(Ok(told));
        }
    }

    /// Records what is known of the ways to people, well within what is read back.
    pub(super) fn remember_reach(&mut self, now: Moment) -> Vec<Step> {
        let mut seconds = self.board.remember(now);
        seconds.extend(self.prover.remember(now));
        self.record(Body::Box(BoxEvent::Reach { seconds }), None)
    }
}
