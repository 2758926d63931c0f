//! Messages by the robot of a WeCom (企业微信) group. The robot's key stands in the URL and is a
//! secret: it must never be logged. It only speaks; nobody can answer through it.
//! <https://developer.work.weixin.qq.com/document/path/91770>: text of at most 2048 bytes, mobile
//! numbers to be named, 20 messages a minute.

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

const MOST_BYTES: usize = 2048;
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The far side of the channel.
#[derive(Debug)]
pub struct Wecom {
    client: Client,
    url: Url,
    key_file: PathBuf,
    details: bool,
    phones: HashMap<ContactId, String>,
}

impl Wecom {
    /// By the household's settings; `None` if it has no such channel.
    ///
    /// # Errors
    /// When no client can be set up.
    pub fn of(household: &Household, clock: &TlsClock) -> Result<Option<Self>, NoClient> {
        let Some(settings) = &household.channels.wecom else { return Ok(None) };
        Ok(Some(Self {
            client: http::client(clock)?,
            url: http::url(&settings.url)?,
            key_file: settings.key_file.clone(),
            details: settings.details,
            phones: group::phones(household, ChannelKind::Wecom),
        }))
    }

    fn message(&self, letters: &[Letter]) -> (Value, usize) {
        let (Composed { text, count }, named) =
            group::addressed(letters, &self.phones, self.details, MOST_BYTES);
        let text = json!({"content": text, "mentioned_mobile_list": named});
        (json!({"msgtype": "text", "text": text}), count)
    }

    async fn post(&self, message: &Value) -> Result<Vec<u8>, Refusal> {
        let key = http::secret(&self.key_file).await?;
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("key", &key);
        http::ask(self.client.post(url).json(message), ANSWERS_WITHIN).await
    }

    /// Posts what no robot can say in a group.
    async fn trial(&self) -> Result<Proved, Refusal> {
        let answer = self.post(&json!({"msgtype": "none"})).await?;
        // -1: the service is busy.
        robot::judge_trial(&answer, |code| match code {
            45009 => Meaning::TooFast(Duration::from_secs(60)),
            93000 => Meaning::Wrong,
            -1 => Meaning::Other,
            _ => Meaning::Message,
        })
    }

    async fn send(&self, letters: &[Letter]) -> Result<usize, Refusal> {
        let (message, count) = self.message(letters);
        let answer = self.post(&message).await?;
        // 45009: too often; 93000: no such robot.
        robot::judge(&answer, |code| match code {
            45009 => Meaning::TooFast(Duration::from_secs(60)),
            93000 => Meaning::Wrong,
            _ => Meaning::Other,
        })?;
        Ok(count)
    }
}

impl Carrier for Wecom {
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
