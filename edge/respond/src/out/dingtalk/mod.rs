//! Messages by the robot of a DingTalk (钉钉) group, signed. Token and secret must never be logged.
//! It only speaks; nobody can answer through it.
//! <https://open.dingtalk.com/document/orgapp/custom-robot-access>: the signature counts within an
//! hour of the true time; more than 20 messages a minute block the robot for 10 minutes.

mod sign;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anju_model::ContactId;
use anju_model::config::{ChannelKind, Household};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::group::{self, Composed};
use super::http::{self, NoClient, TlsClock};
use super::post::{Allowance, Carried, Carrier, Letter, Proved, Proving, Refusal};
use super::robot::{self, Meaning};
use crate::life::Notice;

/// The service takes 20,000 bytes of JSON; a text for people is far shorter.
const MOST_BYTES: usize = 4096;
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How long a robot that was too fast is left alone.
const BLOCKED_FOR: Duration = Duration::from_secs(600);

/// The far side of the channel.
#[derive(Debug)]
pub struct Dingtalk {
    client: Client,
    url: Url,
    token_file: PathBuf,
    secret_file: PathBuf,
    details: bool,
    phones: HashMap<ContactId, String>,
}

impl Dingtalk {
    /// By the household's settings; `None` if it has no such channel.
    ///
    /// # Errors
    /// When no client can be set up.
    pub fn of(household: &Household, clock: &TlsClock) -> Result<Option<Self>, NoClient> {
        let Some(settings) = &household.channels.dingtalk else { return Ok(None) };
        Ok(Some(Self {
            client: http::client(clock)?,
            url: http::url(&settings.url)?,
            token_file: settings.token_file.clone(),
            secret_file: settings.secret_file.clone(),
            details: settings.details,
            phones: group::phones(household, ChannelKind::Dingtalk),
        }))
    }

    fn message(&self, letters: &[Letter]) -> (Value, usize) {
        let (Composed { text, count }, named) =
            group::addressed(letters, &self.phones, self.details, MOST_BYTES);
        let at = json!({"atMobiles": named, "isAtAll": false});
        (json!({"msgtype": "text", "text": {"content": text}, "at": at}), count)
    }

    /// Posts what no robot can say in a group.
    async fn trial(&self) -> Result<Proved, Refusal> {
        let answer = self.post(&json!({"msgtype": "none"})).await?;
        // 310000: a wrong signature; 4001xx: no such token, robot or group; -1: the service is busy.
        robot::judge_trial(&answer, |code| match code {
            130_101 => Meaning::TooFast(BLOCKED_FOR),
            300_001 | 300_005 | 310_000 | 400_013 | 400_101 | 400_102 | 400_106 => Meaning::Wrong,
            -1 => Meaning::Other,
            _ => Meaning::Message,
        })
    }

    async fn send(&self, letters: &[Letter]) -> Result<usize, Refusal> {
        let (message, count) = self.message(letters);
        let answer = self.post(&message).await?;
        // 130101: too fast; 300001 and 40035: no such robot. 310000 is a wrong signature, which a
        // clock that is set later mends.
        robot::judge(&answer, |code| match code {
            130_101 => Meaning::TooFast(BLOCKED_FOR),
            300_001 | 40_035 => Meaning::Wrong,
            _ => Meaning::Other,
        })?;
        Ok(count)
    }

    async fn post(&self, message: &Value) -> Result<Vec<u8>, Refusal> {
        let token = http::secret(&self.token_file).await?;
        let secret = http::secret(&self.secret_file).await?;
        let now = jiff::Timestamp::now().as_millisecond();
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("access_token", &token)
            .append_pair("timestamp", &now.to_string())
            .append_pair("sign", &sign::sign(&secret, now));
        http::ask(self.client.post(url).json(message), ANSWERS_WITHIN).await
    }
}

impl Carrier for Dingtalk {
    fn bundle(&self, _: &Notice) -> Option<String> {
        Some(String::new())
    }

    fn allowance(&self) -> Option<Allowance> {
        Some(robot::ALLOWANCE)
    }

    fn prove(&self) -> Proving<'_> {
        Box::pin(self.trial())
    }

    fn carry<'a>(&'a self, letters: &'a [Letter]) -> Carried<'a> {
        Box::pin(self.send(letters))
    }
}
