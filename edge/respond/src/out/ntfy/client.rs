//! What is asked of the ntfy server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::{NtfyError, NtfySettings};
use crate::out::http::{self, TlsClock};
use crate::out::post::Refusal;

/// The whole of a request that publishes.
const PUBLISH_WITHIN: Duration = Duration::from_secs(10);
/// The beginning of an answer that has been granted.
const BODY_WITHIN: Duration = Duration::from_secs(1);
/// Until the answer to a subscription begins.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(15);

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    url: Arc<str>,
    token_file: Option<Arc<PathBuf>>,
}

impl Http {
    pub(super) fn new(settings: &NtfySettings, clock: &TlsClock) -> Result<Self, NtfyError> {
        let broken = |why: String| NtfyError::Client(why);
        let url = reqwest::Url::parse(&settings.url).map_err(|e| broken(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(broken("the URL is neither http nor https".to_owned()));
        }
        Ok(Self {
            client: http::client(clock).map_err(|e| broken(e.to_string()))?,
            url: settings.url.as_str().into(),
            token_file: settings.token_file.clone().map(Arc::new),
        })
    }

    /// Publishes a message (POST of JSON to the server's root).
    pub(super) async fn publish(&self, message: &Value) -> Result<(), Refusal> {
        let request = self.client.post(format!("{}/", self.url)).json(message);
        let mut response = self.send(request, PUBLISH_WITHIN).await?;
        // A network that wants somebody to sign in or to pay answers for any server, with a page.
        let body = timeout(BODY_WITHIN, response.chunk()).await;
        let first = body.ok().and_then(Result::ok).flatten().unwrap_or_default();
        if first.trim_ascii_start().starts_with(b"<") {
            return Err(Refusal::later(
                "a web page was the answer, not ntfy's; look whether the network wants a sign-in, \
                 and at `channels.ntfy.url`",
            ));
        }
        Ok(())
    }

    /// Asks whether the server is well and takes the token: it refuses any request with a wrong one
    /// (<https://docs.ntfy.sh/config/#health-checks>).
    pub(super) async fn health(&self) -> Result<(), Refusal> {
        let request = self.authorised(self.client.get(format!("{}/v1/health", self.url))).await?;
        let answer = http::ask(request, PUBLISH_WITHIN).await?;
        let healthy = serde_json::from_slice::<Value>(&answer).is_ok_and(|a| a["healthy"] == true);
        if healthy {
            Ok(())
        } else {
            Err(Refusal::later("the server does not say that it is well"))
        }
    }

    /// Subscribes to a topic from a message on; `all` has no message before it.
    pub(super) async fn subscribe(&self, topic: &str, since: &str) -> Result<Response, Refusal> {
        // Both come from the ledger, which holds only what can stand in a URL.
        let request = self.client.get(format!("{}/{topic}/json?since={since}", self.url));
        self.send(request, SUBSCRIBE_WITHIN).await
    }

    async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Response, Refusal> {
        http::send(self.authorised(request).await?, limit).await
    }

    async fn authorised(&self, request: RequestBuilder) -> Result<RequestBuilder, Refusal> {
        Ok(match self.token_file.as_deref() {
            Some(file) => request.bearer_auth(http::secret(file).await?),
            None => request,
        })
    }
}
