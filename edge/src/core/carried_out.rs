//! The commands that were carried out or refused, by their ids, so that one that comes twice gets
//! the same answer and is carried out once. They are read back from the journal at a start: a
//! command whose answer was lost comes again then. It must never grow without a bound.

use std::collections::{HashMap, VecDeque};

use anju_model::BoxEvent;

use super::Answer;

/// Commands remembered.
const REMEMBERED: usize = 512;

/// The answers, by the ids of the commands.
#[derive(Debug, Default)]
pub struct CarriedOut {
    answers: HashMap<String, Answer>,
    /// The ids, oldest first.
    order: VecDeque<String>,
}

impl CarriedOut {
    /// What was answered to the command of that id.
    pub fn answer(&self, id: &str) -> Option<Answer> {
        self.answers.get(id).cloned()
    }

    /// Takes note of an answer.
    pub fn note(&mut self, id: String, answer: Answer) {
        if self.answers.insert(id.clone(), answer).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }

    /// Takes back what was recorded of a command before the start.
    pub fn recall(&mut self, event: &BoxEvent) {
        if let BoxEvent::Command { id, error, .. } = event {
            self.note(id.clone(), error.clone().map_or(Ok(()), Err));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_answer_over_a_start_until_many_came_after_it() {
        let event = |id: &str, error: Option<&str>| BoxEvent::Command {
            id: id.into(),
            name: "speak".into(),
            by: "centre".into(),
            error: error.map(str::to_owned),
        };
        let mut carried_out = CarriedOut::default();
        carried_out.recall(&event("done", None));
        carried_out.recall(&event("refused", Some("no alert")));
        assert_eq!(carried_out.answer("done"), Some(Ok(())));
        assert_eq!(carried_out.answer("refused"), Some(Err("no alert".into())));
        assert_eq!(carried_out.answer("new"), None);
        for n in 1..REMEMBERED {
            carried_out.note(format!("{n}"), Ok(()));
            // The same again is not one more.
            carried_out.note(format!("{n}"), Ok(()));
        }
        assert_eq!(carried_out.answer("done"), None);
        assert!(carried_out.answer("refused").is_some() && carried_out.answer("1").is_some());
    }
}
