//! HTTP to the far sides of channels. Every request has a time limit, and no error that leaves here
//! carries a URL, since URLs here hold secrets.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use rustls_platform_verifier::Verifier;
use thiserror::Error;
use tokio::time::timeout;

use super::post::Refusal;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Longest answer that is read, in bytes.
const MOST_ANSWERED: usize = 64 * 1024;

/// Why there is no client.
#[derive(Debug, Error)]
#[error("an HTTP client can not be set up: {0}")]
pub struct NoClient(String);

/// By what time certificates are judged. A board without a battery for its clock starts in 1970; by
/// that time no certificate would hold.
pub type TlsClock = Arc<dyn TimeProvider>;

/// A client: TLS with the system's roots, no redirects, no proxy.
pub(super) fn client(clock: &TlsClock) -> Result<Client, NoClient> {
    Client::builder()
        .tls_backend_preconfigured(tls(clock.clone())?)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(2)
        .tcp_nodelay(true)
        .user_agent("anju")
        .build()
        .map_err(|error| NoClient(error.without_url().to_string()))
}

/// An address out of the configuration.
pub(super) fn url(text: &str) -> Result<Url, NoClient> {
    Url::parse(text).map_err(|error| NoClient(format!("`url`: {error}")))
}

/// TLS with the system's roots and the ring provider. A system without roots can still talk to a
/// server at home over http, so that is an error only when such a server is asked.
///
/// # Errors
/// [`NoClient`] where TLS can not be had at all.
pub fn tls(clock: TlsClock) -> Result<ClientConfig, NoClient> {
    let provider: Arc<CryptoProvider> = rustls::crypto::ring::default_provider().into();
    let builder = ClientConfig::builder_with_details(provider.clone(), clock)
        .with_safe_default_protocol_versions()
        .map_err(|error| NoClient(error.to_string()))?;
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

/// Sends a request; anything but success is a refusal.
pub(super) async fn send(request: RequestBuilder, limit: Duration) -> Result<Response, Refusal> {
    match timeout(limit, request.send()).await {
        Err(_) => Err(silent(limit)),
        Ok(Err(error)) => Err(Refusal::later(reason(error))),
        Ok(Ok(response)) => judged(response),
    }
}

/// Sends a request and reads the whole answer.
pub(super) async fn ask(request: RequestBuilder, limit: Duration) -> Result<Vec<u8>, Refusal> {
    let asked = async {
        let mut response = send(request, limit).await?;
        let mut answer = Vec::new();
        while answer.len() < MOST_ANSWERED {
            match response.chunk().await {
                Ok(Some(bytes)) => answer.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(error) => return Err(Refusal::later(reason(error))),
            }
        }
        Ok(answer)
    };
    timeout(limit, asked).await.unwrap_or_else(|_| Err(silent(limit)))
}

fn silent(limit: Duration) -> Refusal {
    Refusal::later(format!("the server did not answer within {} s", limit.as_secs()))
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
    let after = pause(response.headers(), SystemTime::now());
    Err(Refusal::Later { why, after })
}

/// The pause that a server asks for: seconds, or a date (RFC 9110, 10.2.3) that counts from the
/// server's own `Date`, since the box's clock, `now`, may be wrong.
fn pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let field = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let after = field(RETRY_AFTER)?;
    let pause = match after.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let now = field(DATE).and_then(date).unwrap_or(now);
            date(after)?.duration_since(now).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST_PAUSE))
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

/// Reads a secret out of its file; anew each time, so that a changed one is used at once.
pub(super) async fn secret(file: &Path) -> Result<String, Refusal> {
    let read = timeout(Duration::from_secs(2), tokio::fs::read_to_string(file)).await;
    let why = match read {
        Ok(Ok(secret)) if !secret.trim().is_empty() => return Ok(secret.trim().to_owned()),
        Ok(Ok(_)) => "it is empty".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the disk does not answer".to_owned(),
    };
    Err(Refusal::later(format!("the file {} can not be used: {why}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_names_its_pause_in_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let asked = |after: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            date.into_iter().for_each(|date| drop(headers.insert(DATE, date.parse().unwrap())));
            pause(&headers, now).map(|pause| pause.as_secs())
        };
        assert_eq!(pause(&HeaderMap::new(), now), None);
        assert_eq!((asked("7", None), asked(" 7 ", None)), (Some(7), Some(7)));
        assert_eq!(asked("99999", None), Some(600));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:07 GMT", None), Some(30));
        assert_eq!(asked("Sunday, 06-Nov-94 08:50:07 GMT", None), Some(30));
        assert_eq!(asked("Sun Nov  6 08:50:07 1994", None), Some(30));
        assert_eq!(asked("Sun, 06 Nov 1994 23:00:00 GMT", None), Some(600));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(0));
        let server = "Thu, 26 Nov 2026 10:00:00 GMT";
        assert_eq!(asked("Thu, 26 Nov 2026 10:02:00 GMT", Some(server)), Some(120));
        for wrong in ["soon", "-1", ""] {
            assert_eq!(asked(wrong, None), None);
        }
    }
}
