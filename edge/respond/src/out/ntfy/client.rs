//! HTTP to the ntfy server. Every request has a time limit, and no error that leaves here carries
//! a URL, since URLs here hold secret topics.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::Verifier;
use serde_json::Value;
use tokio::time::timeout;

use super::{NtfyError, NtfySettings};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The whole of a request that publishes.
const PUBLISH_WITHIN: Duration = Duration::from_secs(10);
/// Until the answer to a subscription begins.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(15);
/// Longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Why a request did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It may do so later.
    Later {
        /// Why not now.
        why: String,
        /// When the server wants to be asked again.
        after: Option<Duration>,
    },
    /// It never will.
    Never(String),
}

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    url: Arc<str>,
    token_file: Option<Arc<PathBuf>>,
}

impl Http {
    pub(super) fn new(settings: &NtfySettings) -> Result<Self, NtfyError> {
        let broken = |e: reqwest::Error| NtfyError::Client(e.without_url().to_string());
        let url =
            reqwest::Url::parse(&settings.url).map_err(|e| NtfyError::Client(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NtfyError::Client("the URL is neither http nor https".to_owned()));
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(2)
            .tcp_nodelay(true)
            .user_agent("anju")
            .build()
            .map_err(broken)?;
        Ok(Self {
            client,
            url: settings.url.as_str().into(),
            token_file: settings.token_file.clone().map(Arc::new),
        })
    }

    /// Publishes a message (POST of JSON to the server's root).
    pub(super) async fn publish(&self, message: &Value) -> Result<(), Refusal> {
        let request = self.client.post(format!("{}/", self.url)).json(message);
        let response = self.send(request, PUBLISH_WITHIN).await?;
        drop(response);
        Ok(())
    }

    /// Subscribes to a topic from a message on; `all` has no message before it.
    pub(super) async fn subscribe(&self, topic: &str, since: &str) -> Result<Response, Refusal> {
        // Both come from the ledger, which holds only what can stand in a URL.
        let request = self.client.get(format!("{}/{topic}/json?since={since}", self.url));
        self.send(request, SUBSCRIBE_WITHIN).await
    }

    async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Response, Refusal> {
        let request = match self.access_token().await? {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let later = |why| Refusal::Later { why, after: None };
        match timeout(limit, request.send()).await {
            Err(_) => Err(later(format!("the server did not answer within {} s", limit.as_secs()))),
            Ok(Err(error)) => Err(later(reason(error))),
            Ok(Ok(response)) => judged(response),
        }
    }

    /// Read anew for each request, so that a changed token is used at once.
    async fn access_token(&self) -> Result<Option<String>, Refusal> {
        let Some(file) = self.token_file.as_deref() else { return Ok(None) };
        let read = timeout(Duration::from_secs(2), tokio::fs::read_to_string(file)).await;
        match read {
            Ok(Ok(token)) => Ok(Some(token.trim().to_owned())),
            Ok(Err(error)) => Err(unreadable(file, &error.to_string())),
            Err(_) => Err(unreadable(file, "the disk does not answer")),
        }
    }
}

fn unreadable(file: &std::path::Path, why: &str) -> Refusal {
    let why = format!("the token file {} can not be read: {why}", file.display());
    Refusal::Later { why, after: None }
}

fn judged(response: Response) -> Result<Response, Refusal> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let why = format!("the server answered {status}");
    let passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if !passing {
        return Err(Refusal::Never(why));
    }
    let after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
    Err(Refusal::Later { why, after })
}

/// The innermost cause says most; the outer ones name the URL.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut inner: &dyn std::error::Error = &error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    format!("the server can not be reached: {inner}")
}

/// TLS with the system's roots and the ring provider. A system without roots can still talk to a
/// server at home over http, so that is an error only when such a server is asked.
fn tls() -> Result<ClientConfig, NtfyError> {
    let provider: Arc<CryptoProvider> = rustls::crypto::ring::default_provider().into();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| NtfyError::Client(e.to_string()))?;
    Ok(match Verifier::new(provider) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "the system has no root certificates; https will not work");
            builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    })
}
