//! Hands answers of contacts on. What anybody else writes is nobody's business: it must never be
//! taken for an answer, and neither its words nor its sender are kept.

use anju_model::ContactId;
use anju_model::config::{ChannelKind, Household};
use anju_modem::{Incoming, Received};
use tokio::sync::{mpsc, oneshot, watch};

use super::answer::{answer, sent_at};
use super::number::same;
use crate::life::Answer;
use crate::out::channel::{Report, Reports};

/// Who may answer from which number, in the order of the file.
#[derive(Default, Clone, PartialEq, Eq)]
pub(super) struct Numbers(Vec<(ContactId, String)>);

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(contact, _)| contact)).finish()
    }
}

impl Numbers {
    /// Everybody who has a telephone, over whatever they are told.
    pub(super) fn of(household: &Household) -> Self {
        let of = household.contacts.iter();
        Self(of.filter_map(|c| Some((c.id.clone(), c.phone.clone()?))).collect())
    }

    /// Whose answer a text is, and what it answers. Two who share a telephone answer together: it
    /// counts for whoever was told.
    pub(super) fn read(&self, text: &Received) -> Vec<(ContactId, Answer)> {
        let Some(answer) = answer(&text.text) else { return Vec::new() };
        let theirs = self.0.iter().filter(|(_, number)| same(number, &text.number));
        theirs.map(|(contact, _)| (contact.clone(), answer)).collect()
    }
}

/// Until the modem's task or the core ends.
pub(super) async fn run(
    mut received: mpsc::Receiver<Incoming>,
    numbers: watch::Receiver<Numbers>,
    reports: Reports,
) {
    while let Some(incoming) = received.recv().await {
        let answers = numbers.borrow().read(&incoming.text);
        if answers.is_empty() {
            tracing::info!("a text came that is no contact's answer");
        }
        let sent = incoming.text.at.as_deref().and_then(sent_at);
        let mut written = Vec::new();
        for (contact, answer) in answers {
            let (recorded, told) = oneshot::channel();
            let (fresh, via) = (incoming.fresh, ChannelKind::Sms);
            let report = Report::Answer { contact, answer, sent, fresh, via, recorded };
            if reports.send(report).is_err() {
                return;
            }
            written.push(told);
        }
        // It stays in the modem's store until what follows from it is on the disk.
        tokio::spawn(async move {
            if futures::future::try_join_all(written).await.is_ok() {
                incoming.done();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: &str, text: &str) -> Received {
        Received { number: number.into(), text: text.into(), at: None }
    }

    #[test]
    fn only_contacts_answer_and_only_with_a_number() {
        let contact = |id: &str| ContactId::new(id).unwrap();
        let (daughter, son) = (contact("daughter"), contact("son"));
        let home = "+8613800000000".to_owned();
        let numbers = Numbers(vec![
            (daughter.clone(), home.clone()),
            (son.clone(), home),
            (contact("neighbour"), "+8613900000000".into()),
        ]);
        let both = vec![(daughter, Answer::Accept), (son, Answer::Accept)];
        assert_eq!(numbers.read(&text("13800000000", "1")), both);
        assert_eq!(numbers.read(&text("+8613900000000", "2")).len(), 1);
        for (number, words) in [("+8613700000000", "1"), ("10086", "1"), ("13800000000", "你好")]
        {
            assert_eq!(numbers.read(&text(number, words)), [], "{number} {words}");
        }
        let shown = format!("{numbers:?}");
        assert!(!shown.contains("138"), "numbers are not logged: {shown}");
    }
}
