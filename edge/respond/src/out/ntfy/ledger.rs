//! The tokens that are out: each is for one act of one contact on one alert, is used once, and ends
//! after a day. Who presses the button of an alert that is closed is told that it is over, so that a
//! token does not end with its alert. Bounded. Pure: times are offsets on one clock; after a restart a
//! token's day begins anew, since the wall clock can not be relied on.

use std::collections::HashMap;
use std::time::Duration;

use anju_model::{AlertId, ContactId};
use serde::{Deserialize, Serialize};

use super::wire::{Token, is_message_id};

/// How long a token is good.
const GOOD_FOR: Duration = Duration::from_secs(24 * 3600);
/// Most tokens out at once; the oldest go first.
const MOST: usize = 2000;

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    Accept,
    Arrived,
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Grant {
    pub(super) alert: AlertId,
    pub(super) contact: ContactId,
    pub(super) act: Act,
}

/// All that has to survive a restart.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The box's reply topic. A secret.
    pub(super) topic: String,
    /// The last message seen on it.
    pub(super) last_id: Option<String>,
    by_token: HashMap<Token, Issued>,
    by_grant: HashMap<Grant, Token>,
    number: u64,
}

#[derive(Debug)]
struct Issued {
    grant: Grant,
    until: Duration,
    number: u64,
}

/// The form on disk.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    topic: String,
    last_id: Option<String>,
    tokens: Vec<SavedToken>,
}

#[derive(Serialize, Deserialize)]
struct SavedToken {
    token: String,
    alert: AlertId,
    contact: ContactId,
    act: Act,
}

/// Version of the form on disk.
const FORMAT: u32 = 1;

impl Ledger {
    /// A new one, with a reply topic that nobody can guess.
    pub(super) fn new() -> Self {
        Self {
            topic: format!("anju-{}", Token::random().reveal()),
            last_id: None,
            by_token: HashMap::new(),
            by_grant: HashMap::new(),
            number: 0,
        }
    }

    /// The token for an act; the same while it was not used.
    pub(super) fn grant(&mut self, now: Duration, grant: Grant) -> Token {
        self.forget_old(now);
        if let Some(token) = self.by_grant.get(&grant).copied() {
            if let Some(issued) = self.by_token.get_mut(&token) {
                issued.until = now + GOOD_FOR;
            }
            return token;
        }
        let token = Token::random();
        self.issue(now, token, grant);
        token
    }

    fn issue(&mut self, now: Duration, token: Token, grant: Grant) {
        if self.by_token.len() >= MOST {
            let oldest = self.by_token.iter().min_by_key(|(_, i)| i.number).map(|(t, _)| *t);
            oldest.into_iter().for_each(|token| drop(self.remove(token)));
        }
        self.number += 1;
        let issued = Issued { grant: grant.clone(), until: now + GOOD_FOR, number: self.number };
        self.by_token.insert(token, issued);
        self.by_grant.insert(grant, token);
    }

    fn remove(&mut self, token: Token) -> Option<Issued> {
        let issued = self.by_token.remove(&token)?;
        self.by_grant.remove(&issued.grant);
        Some(issued)
    }

    /// What a token stands for, while it is good.
    pub(super) fn grant_of(&self, now: Duration, token: Token) -> Option<Grant> {
        self.by_token.get(&token).filter(|issued| now < issued.until).map(|i| i.grant.clone())
    }

    /// Uses a token up.
    pub(super) fn use_up(&mut self, token: Token) {
        drop(self.remove(token));
    }

    fn forget_old(&mut self, now: Duration) {
        self.remove_where(|issued| now >= issued.until);
    }

    fn remove_where(&mut self, unwanted: impl Fn(&Issued) -> bool) {
        let tokens: Vec<Token> =
            self.by_token.iter().filter(|(_, i)| unwanted(i)).map(|(t, _)| *t).collect();
        tokens.iter().for_each(|token| drop(self.remove(*token)));
    }

    /// The form on disk.
    pub(super) fn save(&self) -> Vec<u8> {
        let mut issued: Vec<(&Token, &Issued)> = self.by_token.iter().collect();
        issued.sort_by_key(|(_, i)| i.number);
        let tokens = issued
            .into_iter()
            .map(|(token, Issued { grant, .. })| SavedToken {
                token: token.reveal(),
                alert: grant.alert.clone(),
                contact: grant.contact.clone(),
                act: grant.act,
            })
            .collect();
        let saved = Saved {
            format: FORMAT,
            topic: self.topic.clone(),
            last_id: self.last_id.clone(),
            tokens,
        };
        serde_json::to_vec(&saved).unwrap_or_default()
    }

    /// Reads the form on disk; `None` if it is not one.
    pub(super) fn load(bytes: &[u8]) -> Option<Self> {
        let saved: Saved = serde_json::from_slice(bytes).ok()?;
        if saved.format != FORMAT || !is_message_id(&saved.topic) || saved.topic.len() < 32 {
            return None;
        }
        let last_id = saved.last_id.filter(|id| is_message_id(id));
        let mut ledger = Self { topic: saved.topic, last_id, ..Self::new() };
        for SavedToken { token, alert, contact, act } in saved.tokens {
            if let Some(token) = Token::parse(&token) {
                ledger.issue(Duration::ZERO, token, Grant { alert, contact, act });
            }
        }
        Some(ledger)
    }

    #[cfg(test)]
    fn redeem(&mut self, now: Duration, token: Token) -> Option<Grant> {
        let grant = self.grant_of(now, token);
        self.use_up(token);
        grant
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_token.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(alert: u32, act: Act) -> Grant {
        Grant {
            alert: AlertId::from_wire(&format!("box/1/{alert}")).unwrap(),
            contact: ContactId::new("daughter").unwrap(),
            act,
        }
    }

    const fn hours(h: u64) -> Duration {
        Duration::from_secs(h * 3600)
    }

    #[test]
    fn a_token_is_used_once_and_the_next_is_another() {
        let mut ledger = Ledger::new();
        let token = ledger.grant(hours(0), grant(1, Act::Accept));
        assert_eq!(ledger.grant(hours(1), grant(1, Act::Accept)), token);
        assert_ne!(ledger.grant(hours(1), grant(1, Act::Arrived)), token);
        assert_eq!(ledger.redeem(hours(2), token), Some(grant(1, Act::Accept)));
        assert_eq!(ledger.redeem(hours(2), token), None);
        assert_ne!(ledger.grant(hours(3), grant(1, Act::Accept)), token);
        assert_eq!(ledger.redeem(hours(3), Token::random()), None);
    }

    #[test]
    fn tokens_end_with_the_day() {
        let mut ledger = Ledger::new();
        let old = ledger.grant(hours(0), grant(1, Act::Accept));
        let new = ledger.grant(hours(1), grant(2, Act::Accept));
        assert_eq!(ledger.redeem(hours(24), old), None);
        assert_eq!(ledger.redeem(hours(24), new), Some(grant(2, Act::Accept)));
    }

    #[test]
    fn it_is_bounded_and_keeps_the_newest() {
        let mut ledger = Ledger::new();
        let tokens: Vec<Token> =
            (0..3000).map(|n| ledger.grant(hours(0), grant(n, Act::Accept))).collect();
        assert_eq!(ledger.len(), MOST);
        assert_eq!(ledger.redeem(hours(0), tokens[0]), None);
        assert!(ledger.redeem(hours(0), tokens[2999]).is_some());
    }

    #[test]
    fn it_survives_on_disk_and_refuses_what_it_did_not_write() {
        let mut ledger = Ledger::new();
        let token = ledger.grant(hours(5), grant(1, Act::Arrived));
        ledger.last_id = Some("abc".to_owned());
        let mut back = Ledger::load(&ledger.save()).unwrap();
        assert_eq!((&back.topic, &back.last_id), (&ledger.topic, &ledger.last_id));
        assert_eq!(back.redeem(hours(23), token), Some(grant(1, Act::Arrived)));
        assert_ne!(ledger.topic, Ledger::new().topic);
        for wrong in [&b""[..], b"{}", b"\xff\xff", br#"{"format":1,"topic":"x","tokens":[]}"#] {
            assert!(Ledger::load(wrong).is_none());
        }
    }
}
