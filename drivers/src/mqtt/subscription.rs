//! What a broker answers to a subscription. A broker may refuse a filter and keep the connection, and
//! whoever does not look is deaf for ever; so each filter is followed to its answer. Pure.

use std::collections::{HashMap, VecDeque};

/// Filters asked for at once: a list of hundreds fits a broker's limit of a packet's size.
pub const AT_ONCE: usize = 32;

/// What is wrong with refused filters, and the mend.
pub fn refusal(refused: &[String]) -> String {
    /// More are only counted.
    const NAMED: usize = 3;
    let named = refused.iter().take(NAMED).map(|filter| format!("`{filter}`"));
    let mut named = named.collect::<Vec<_>>().join(", ");
    if let Some(more) = refused.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named = format!("{named} and {more} more");
    }
    format!("the broker refuses the subscription to {named}; give the user read rights")
}

/// What was granted once all is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Filters that the broker took.
    pub granted: Vec<String>,
    /// Filters that it refuses.
    pub refused: Vec<String>,
}

/// Filters on their way to the broker and back.
#[derive(Debug, Default)]
pub struct Subscription {
    /// Not sent yet, in the order in which they are.
    asked: VecDeque<Vec<String>>,
    /// Sent, by the number of their packet.
    sent: HashMap<u16, Vec<String>>,
    answered: Granted,
}

impl Subscription {
    /// These will be the filters of the next packet.
    pub fn ask(&mut self, filters: Vec<String>) {
        self.asked.push_back(filters);
    }

    /// The next packet left under this number.
    pub fn left(&mut self, packet: u16) {
        if let Some(filters) = self.asked.pop_front() {
            self.sent.insert(packet, filters);
        }
    }

    /// The answer to a packet: for each of its filters whether it is granted; what has no answer is
    /// not. Gives all answers once none is missing.
    pub fn answered(&mut self, packet: u16, codes: &[bool]) -> Option<Granted> {
        let filters = self.sent.remove(&packet)?;
        for (at, filter) in filters.into_iter().enumerate() {
            let granted = codes.get(at) == Some(&true);
            let answers = &mut self.answered;
            if granted { &mut answers.granted } else { &mut answers.refused }.push(filter);
        }
        let done = self.asked.is_empty() && self.sent.is_empty();
        done.then(|| std::mem::take(&mut self.answered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_is_followed_to_its_answer() {
        let list = |filters: &[&str]| filters.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>();
        let mut subscription = Subscription::default();
        subscription.ask(list(&["a", "b"]));
        subscription.ask(list(&["c", "d"]));
        subscription.left(1);
        subscription.left(2);
        assert_eq!(subscription.answered(7, &[true]), None, "not ours");
        // In any order; what is not answered is not granted.
        assert_eq!(subscription.answered(2, &[true]), None);
        let done = subscription.answered(1, &[false, true]);
        let (granted, refused) = (list(&["c", "b"]), list(&["d", "a"]));
        assert_eq!(done, Some(Granted { granted, refused }));
        assert_eq!(subscription.answered(1, &[true, true]), None);
        // Asked again later.
        subscription.ask(list(&["a"]));
        subscription.left(3);
        let granted = Granted { granted: list(&["a"]), refused: Vec::new() };
        assert_eq!(subscription.answered(3, &[true]), Some(granted));
    }
}
