//! What is known of messages to contacts: which were handed over, which could not be. It only
//! shortens the wait for somebody who can not be reached; it must never lengthen one.

use std::collections::{BTreeMap, BTreeSet};

use anju_model::config::{ChannelKind, Contact};
use anju_model::delivery::DeliveryState;
use anju_model::{ContactId, Delivery};

/// Messages of one alert's current search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reach {
    by_contact: BTreeMap<ContactId, Tries>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tries {
    taken: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Reach {
    pub(super) fn note(&mut self, delivery: &Delivery) {
        let tries = self.by_contact.entry(delivery.message.contact.clone()).or_default();
        match delivery.state {
            DeliveryState::Sent | DeliveryState::Answered => {
                tries.taken.insert(delivery.message.channel.clone());
            }
            DeliveryState::Requested => {}
            DeliveryState::Failed => {
                tries.failed.insert(delivery.message.channel.clone());
            }
        }
    }

    /// The contact's channels that have not taken a message.
    pub(super) fn not_taken(&self, contact: &Contact) -> Vec<ChannelKind> {
        let tries = self.by_contact.get(&contact.id);
        let taken = |c: &ChannelKind| tries.is_some_and(|tries| tries.taken.contains(c.as_str()));
        contact.channels.iter().filter(|c| !taken(c)).copied().collect()
    }

    /// Whether every channel to the contact has failed and none has taken the message.
    pub(super) fn out_of_reach(&self, contact: &Contact) -> bool {
        self.by_contact.get(&contact.id).is_some_and(|tries| {
            tries.taken.is_empty()
                && contact.channels.iter().all(|c| tries.failed.contains(c.as_str()))
        })
    }
}
