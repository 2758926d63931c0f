//! Text messages over the box's own modem, and the answers to them: `1` takes an alert on, `2` says
//! "I am there". They need no data connection and no server. One text leaves at a time, and the
//! next only after the journal knows of it, so that a box that dies in between has sent at most one
//! that it does not know of. Numbers and texts must never be logged.

mod answer;
mod listen;
mod number;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anju_model::ContactId;
use anju_model::config::{ChannelKind, Household};
use anju_modem::{Bus, Modem, SEND_WITHIN};
use tokio::sync::{mpsc, watch as shared};
use tokio_util::sync::CancellationToken;

use answer::answer;

use super::channel::Reports;
use super::group::{Composed, compose, phones};
use super::post::{Allowance, Carried, Carrier, Letter, Proved, Proving, Refusal};
use crate::life::{Notice, NoticeKind};
use crate::texts::Texts;

/// Longest text, bytes of UTF-8: some 180 Chinese characters, with the hint four parts at most
/// (3GPP TS 23.040 clause 9.2.3.24.1: 67 characters each).
const LONGEST: usize = 540;

/// What can be answered, in the files of texts.
const HINT: &str = "sms-hint";
const HINT_TAKEN: &str = "sms-hint-taken";

/// A SIM's contract and a network's patience are not without end; alarms have their share.
const ALLOWANCE: Allowance = Allowance { burst: 20, every: Duration::from_secs(20) };

/// The channel: the modem and what listens to it.
#[derive(Debug)]
pub struct Sms {
    modem: Modem,
    numbers: shared::Sender<listen::Numbers>,
    stop: CancellationToken,
}

impl Sms {
    /// Starts to keep to the modem, inside a tokio runtime.
    pub fn start(bus: Bus, reports: &Reports) -> Self {
        let stop = CancellationToken::new();
        let (received_tx, received) = mpsc::channel(16);
        let modem = Modem::start(bus, received_tx, stop.clone());
        let (numbers, known) = shared::channel(listen::Numbers::default());
        let listening = listen::run(received, known, reports.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(listening));
        let watching = watch::run(modem.clone(), reports.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(watching));
        Self { modem, numbers, stop }
    }

    /// Whether any contact is to be texted.
    pub fn wanted(household: &Household) -> bool {
        household.contacts.iter().any(|c| c.channels.contains(&ChannelKind::Sms))
    }

    /// Takes the household's numbers, and gives the way to hand over notices by them.
    pub fn configure(&self, household: &Household, texts: &Arc<Texts>) -> Arc<dyn Carrier> {
        self.numbers.send_replace(listen::Numbers::of(household));
        Arc::new(Texter {
            modem: self.modem.clone(),
            numbers: phones(household, ChannelKind::Sms),
            details: household.channels.sms.as_ref().is_some_and(|sms| sms.details),
            texts: texts.clone(),
        })
    }
}

impl Drop for Sms {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Texter {
    modem: Modem,
    numbers: HashMap<ContactId, String>,
    details: bool,
    texts: Arc<Texts>,
}

impl Texter {
    async fn send(&self, letters: &[Letter]) -> Result<usize, Refusal> {
        let number = letters.first().and_then(|l| self.numbers.get(&l.notice.contact));
        let Some(number) = number else {
            return Err(Refusal::Unfit("the contact has no `phone`".to_owned()));
        };
        let (text, count) = self.written(letters);
        match self.modem.send(number, &text).await {
            Ok(_) => Ok(count),
            Err(error) => Err(Refusal::later(error.to_string())),
        }
    }

    /// The text, with what can be answered to it, and how many letters it tells.
    fn written(&self, letters: &[Letter]) -> (String, usize) {
        let composed = self.composed(letters);
        let told = letters.get(..composed.count).unwrap_or(letters);
        let any = |fits: fn(NoticeKind) -> bool| told.iter().any(|l| fits(l.notice.kind));
        // The monthly test says itself how it is answered.
        let hint = if any(|kind| kind.answerable() && kind != NoticeKind::Trial) {
            self.hint(HINT)
        } else if any(|kind| kind == NoticeKind::Taken) {
            self.hint(HINT_TAKEN)
        } else {
            String::new()
        };
        (composed.text + &hint, composed.count)
    }

    /// As many letters as leave room for either hint: what the modem cuts off would count as told.
    fn composed(&self, letters: &[Letter]) -> Composed {
        let hint = [HINT, HINT_TAKEN].map(|key| self.hint(key).chars().count());
        let room = anju_modem::LONGEST.saturating_sub(hint.into_iter().max().unwrap_or(0));
        let mut most = LONGEST;
        loop {
            let composed = compose(letters, self.details, most);
            match composed.text.chars().count().saturating_sub(room) {
                0 => return composed,
                // No character has less than a byte.
                beyond => most = most.saturating_sub(beyond),
            }
        }
    }

    fn hint(&self, key: &str) -> String {
        format!("\n{}", self.texts.get(key))
    }
}

impl Carrier for Texter {
    fn bundle(&self, notice: &Notice) -> Option<String> {
        Some(notice.contact.to_string())
    }

    fn allowance(&self) -> Option<Allowance> {
        Some(ALLOWANCE)
    }

    fn at_once(&self) -> usize {
        1
    }

    /// Longer than the modem is given: what it says of a text must not be missed, or the text is
    /// sent twice.
    fn carried_within(&self) -> Duration {
        SEND_WITHIN + Duration::from_secs(5)
    }

    fn accounts(&self) -> bool {
        true
    }

    /// A text can leave while the SIM card is registered; whether its contract allows texts shows
    /// only with one.
    fn prove(&self) -> Proving<'_> {
        Box::pin(async {
            match self.modem.view().borrow().trouble.as_ref() {
                None => Ok(Proved::Yes),
                Some(trouble) => Err(Refusal::later(trouble.to_string())),
            }
        })
    }

    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a> {
        Box::pin(self.send(letters))
    }
}

/// Reads any bytes as a text, its sender and its time, for fuzzing.
pub fn fuzzed(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (answer(&text), answer::sent_at(&text), number::same("+8613800000000", &text));
}

#[cfg(test)]
mod tests;
