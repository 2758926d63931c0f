//! The centre as the gateway to a contact: it calls, texts or writes by WeChat in the box's stead.
//! The box asks with an entry `cn.anju.delivery.requested` on the alerts topic, which the journal
//! keeps until the centre's broker has it: then the message counts as sent. The centre may tell more
//! of it with the command `delivery`; one that is silent is not broken. Whoever accepts is told with
//! the command `accept`, `by` being the contact's id.
//! What the centre is to pass on carries no name or room; it knows the alert itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anju_model::config::{ChannelKind, Household};
use anju_model::delivery::{Asked, DeliveryState, Message};
use anju_model::{AlertId, ContactId, Delivery};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::channel::{Report, Reports};
use super::post::{Carried, Carrier, Letter, Refusal};

/// How long the centre's broker may take to have the message.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// When it is asked again. The first request is not lost meanwhile, so this is seldom.
const ASKED_AGAIN: Duration = Duration::from_secs(300);
/// Most answers kept that came when nobody waited any more.
const MOST_LATE: usize = 256;

type Key = (AlertId, ContactId);

/// What is waited for. Shared by the carriers of one configuration after the other.
#[derive(Debug, Default, Clone)]
pub struct Answers(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    waiting: HashMap<Key, oneshot::Sender<Result<(), String>>>,
    /// Taken, but told when nobody waited any more: not to be asked again.
    late: VecDeque<Key>,
}

impl Answers {
    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Somebody acted on an alert through the centre: it has whatever it was asked about that alert.
    pub fn acted(&self, alert: &AlertId) {
        self.with(|inner| {
            let about = |key: &Key, _: &mut _| key.0 == *alert;
            for (_, waiting) in inner.waiting.extract_if(about) {
                // The post may have given up.
                let _ = waiting.send(Ok(()));
            }
        });
    }

    /// The centre, or its broker, tells what became of a message. Whether somebody waited for it, who then reports
    /// it.
    pub fn told(&self, delivery: &Delivery) -> bool {
        let key = (delivery.message.alert.clone(), delivery.message.contact.clone());
        let outcome = match delivery.state {
            DeliveryState::Failed => {
                Err(delivery.message.detail.clone().unwrap_or_else(|| "it gave no reason".into()))
            }
            _ => Ok(()),
        };
        self.with(|inner| {
            let waited = inner.waiting.remove(&key);
            let good = outcome.is_ok();
            let heard = waited.is_some_and(|waiting| waiting.send(outcome).is_ok());
            if !heard && good {
                inner.late.push_back(key);
                if inner.late.len() > MOST_LATE {
                    inner.late.pop_front();
                }
            }
            heard
        })
    }
}

/// What the centre has to know of a contact.
#[derive(Debug, Clone)]
struct Person {
    name: String,
    role: String,
    phone: Option<String>,
}

/// The far side of the channel.
#[derive(Debug)]
pub struct Centre {
    contacts: HashMap<ContactId, Person>,
    answers: Answers,
    reports: Reports,
}

impl Centre {
    /// By the household's settings; `None` if it has no upstream.
    pub fn of(household: &Household, answers: &Answers, reports: &Reports) -> Option<Self> {
        household.upstream.as_ref()?;
        let person = |c: &anju_model::config::Contact| {
            let role = c.role.as_str().to_owned();
            (c.id.clone(), Person { name: c.name.clone(), role, phone: c.phone.clone() })
        };
        Some(Self {
            contacts: household.contacts.iter().map(person).collect(),
            answers: answers.clone(),
            reports: reports.clone(),
        })
    }

    async fn ask(&self, letter: &Letter) -> Result<usize, Refusal> {
        let notice = &letter.notice;
        let key = (notice.alert.clone(), notice.contact.clone());
        let Some(person) = self.contacts.get(&notice.contact) else {
            return Err(Refusal::Unfit("the contact is not in the configuration".to_owned()));
        };
        let known = letter.attempt > 1
            && self.answers.with(|inner| inner.late.iter().any(|late| *late == key));
        if known {
            return Ok(1);
        }
        let (tell, told) = oneshot::channel();
        self.answers.with(|inner| {
            inner.late.retain(|late| *late != key);
            inner.waiting.insert(key.clone(), tell);
        });
        let asked = Asked {
            name: person.name.clone(),
            role: person.role.clone(),
            phone: person.phone.clone(),
            kind: notice.kind.as_str().to_owned(),
            class: notice.class,
            test: notice.test,
            title: notice.discreet.title.clone(),
            text: notice.discreet.body.clone(),
        };
        let message = Message {
            alert: notice.alert.clone(),
            contact: notice.contact.clone(),
            channel: ChannelKind::Centre.as_str().to_owned(),
            attempt: letter.attempt,
            detail: None,
            request: Some(Box::new(asked)),
        };
        let requested = Delivery { state: DeliveryState::Requested, message };
        let _ = self.reports.send(Report::Delivery(requested));
        let why = match timeout(TAKEN_WITHIN, told).await {
            Ok(Ok(Ok(()))) => return Ok(1),
            Ok(Ok(Err(why))) => why,
            _ => format!("the centre did not take it within {} s", TAKEN_WITHIN.as_secs()),
        };
        self.answers.with(|inner| inner.waiting.remove(&key));
        Err(Refusal::Later { why, after: Some(ASKED_AGAIN) })
    }
}

impl Carrier for Centre {
    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a> {
        Box::pin(async {
            match letters.first() {
                Some(letter) => self.ask(letter).await,
                None => Ok(0),
            }
        })
    }
}
